"""Autosave: merges single cells into a sheet under a row lock and reports conflicting changes.

Each cell carries the revision at which it last changed. A change that was typed over an older version of
its cell is a conflict, unless the value is the same or the person did not really change it (a plain form
sends every field of its page). Changes of different cells merge.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from survey import clock
from survey.access.models import User
from survey.questionnaires.answering.answers import AnswerError, canonical_value, normalise, parse_cell
from survey.questionnaires.definition import Column, Item
from survey.submissions import cells
from survey.submissions.lifecycle.policies import Request
from survey.submissions.lifecycle.saving.conflicts import Conflict
from survey.submissions.lifecycle.states import Action
from survey.submissions.lifecycle.transitions import authorise, locked, move
from survey.submissions.models import Submission, SubmissionEvent
from survey.submissions.paradata.services import trace_findings
from survey.submissions.refused import RefusedValue
from survey.submissions.selectors import Sheet, sheet

MOST_REFUSED = 500  # values of one sheet: more is a program, not a person


@dataclass(slots=True)
class SaveResult:
    """The result of a save. ``sheet`` is the evaluated sheet after it."""

    revision: int
    sheet: Sheet
    saved: tuple[str, ...] = ()  # keys whose stored cell is now what was sent
    changed: tuple[str, ...] = ()  # the subset that this save wrote
    errors: dict[str, AnswerError] = field(default_factory=dict)  # not stored: cannot be parsed
    conflicts: dict[str, Conflict] = field(default_factory=dict)  # not stored: changed by somebody else
    elsewhere: frozenset[str] = frozenset()  # keys that others changed since the base revision
    appeared: frozenset[str] = frozenset()  # items that apply now and did not before
    disappeared: frozenset[str] = frozenset()
    recomputed: frozenset[str] = frozenset()  # computed items with a new value
    saved_at: datetime = field(default_factory=clock.present)

    @property
    def findings(self) -> Any:
        """All findings after the save."""
        return self.sheet.findings

    @property
    def cells(self) -> dict[str, Any]:
        """Stored cells of the keys that were saved."""
        return {key: cells.get(self.sheet.answers, key) for key in self.saved}

    @property
    def computed(self) -> dict[str, Any]:
        """Computed cells after the save."""
        return self.sheet.computed

    @property
    def is_clean(self) -> bool:
        """True when everything that was sent is stored."""
        return not self.errors and not self.conflicts


@transaction.atomic
def autosave(
    submission: Submission,
    *,
    by: User | None,
    changes: Mapping[str, Any],
    base_revision: int,
    bases: Mapping[str, int] | None = None,
    channel: str = "page",
    canonical: bool = False,
    reason: str = "",
    discard: Collection[str] = (),
) -> SaveResult:
    """Merge changed cells into the sheet.

    ``changes`` maps keys (item codes or ``ITEM/row/column``) to raw form values {"value", "unit",
    "missing"}, or to stored cells when ``canonical`` (machines); None or an empty value blanks the cell.
    ``reason`` is stored in the events, for example the name of a guest. ``discard`` are keys whose refused value is
    given up; what was stored before stays.
    ``base_revision`` is the revision that the page showed; ``bases`` overrides it cell by cell.
    Raises PermissionDenied, PolicyDenied. Conflicting cells are reported, faulty ones also kept as refused values, which
    stop a filing until they are corrected or discarded; the others are stored.
    """
    row = locked(submission)
    request = Request(by, Action.SAVE)
    authorise(row, request)
    before = sheet(row)
    row.answers = before.answers  # includes the prefilled cells of the first save
    changes = {key: raw for key, raw in changes.items() if key not in discard}
    parsed, errors = _parse(before, changes, canonical)
    edited = {key: cell for key, cell in parsed.items() if cells.get(before.answers, key) != cell}
    bases = {key: (bases or {}).get(key, base_revision) for key in parsed}
    conflicts, untouched = _conflicts(row, before, edited, bases)
    accepted = {k: c for k, c in edited.items() if k not in conflicts and k not in untouched}
    refused = _refused(before, changes, parsed, {} if canonical else errors, discard)
    after = before
    if accepted or row.revision == 0:
        typed = {} if canonical else {key: as_typed(changes.get(key), cell) for key, cell in accepted.items()}
        after = _store(row, request, before, accepted, refused, channel, typed, reason)
    elif refused != before.refused:
        after = before.with_answers(before.answers, refused)
        _store_refused(row, after)
    return SaveResult(
        revision=row.revision,
        sheet=after,
        saved=tuple(key for key in parsed if key not in conflicts and key not in untouched),
        changed=tuple(accepted),
        errors=errors,
        conflicts=conflicts,
        elsewhere=frozenset(
            key for key, at in row.item_revisions.items() if at > base_revision and key not in accepted
        ),
        appeared=after.relevant - before.relevant,
        disappeared=before.relevant - after.relevant,
        recomputed=frozenset(
            code
            for code in {*after.computed, *before.computed}
            if after.computed.get(code) != before.computed.get(code)
        ),
    )


def as_typed(raw: Any, cell: Any) -> dict[str, str]:
    """The text that the respondent typed, for the event, when the stored cell differs from it."""
    text = raw.get("value") if isinstance(raw, Mapping) else None
    if not isinstance(text, str) or not text.strip() or not cell:
        return {}
    return {} if text in (cell.get("entered"), cell.get("value")) else {"typed": text[:80]}


def start_sheet(submission: Submission, *, by: User | None, channel: str = "page") -> SaveResult:
    """Start a sheet: writes the prefilled cells. Safe to repeat."""
    return autosave(submission, by=by, changes={}, base_revision=submission.revision, channel=channel)


def _parse(
    before: Sheet, changes: Mapping[str, Any], canonical: bool
) -> tuple[dict[str, Any], dict[str, AnswerError]]:
    """Raw values as cells by key; complete tables are split into their cells."""
    parsed: dict[str, Any] = {}
    errors: dict[str, AnswerError] = {}
    for key, raw in changes.items():
        target = cells.field_of(before.definition, key)
        item = before.definition.items.get(cells.item_of(key))
        if target is None or item is None:
            errors[key] = AnswerError("unknown_column", column=key[:40])
            continue
        if item.read_only or item.computed:
            continue  # never saved; a form has no input for it
        try:
            if canonical or not raw:
                cell = normalise(target, raw or None)
            else:
                shown = (cells.get(before.answers, key) or {}).get("unit") or target.unit
                cell = parse_cell(target, raw, shown_units={shown, target.unit})
        except AnswerError as error:
            for (row, column), inner in error.children.items():
                errors[cells.join(key, row, column)] = inner
            if not error.children:
                errors[key] = error
            continue
        parsed.update(_split_table(before, key, target, cell))
    return parsed, errors


def _refused(
    before: Sheet,
    changes: Mapping[str, Any],
    parsed: Mapping[str, Any],
    errors: Mapping[str, AnswerError],
    discard: Collection[str],
) -> dict[str, RefusedValue]:
    """The refused values after a save: a cell that is read, blanked or discarded loses its one."""
    settled = {*parsed, *discard}
    kept = {
        key: value
        for key, value in before.refused.items()
        if key not in settled and cells.item_of(key) not in settled
    }
    for key, error in errors.items():
        if cells.field_of(before.definition, key) is not None:
            kept[key] = RefusedValue.of(_raw_of(changes, key), error)
    return dict(list(kept.items())[-MOST_REFUSED:])


def _raw_of(changes: Mapping[str, Any], key: str) -> Any:
    """The raw value of a cell, also inside a table that was sent as a whole."""
    if key in changes:
        return changes[key]
    table, row, column = cells.split(key)
    rows = (changes.get(table) or {}).get("rows", {})
    return (rows.get(row) or {}).get(column)


def _split_table(before: Sheet, key: str, item: Item | Column, cell: Any) -> dict[str, Any]:
    """One change per cell of a table; cells that the new table lacks become blank."""
    if not isinstance(item, Item) or item.type != "table":
        return {key: cell}
    old = cells.flatten(key, before.answers.get(key))
    new = cells.flatten(key, cell)
    if key in new or key in old:  # a missing reason replaces the complete table, and is replaced by it
        return {key: cell}
    return {address: new.get(address) for address in {**old, **new}}


def _conflicts(
    row: Submission, before: Sheet, edited: Mapping[str, Any], bases: Mapping[str, int]
) -> tuple[dict[str, Conflict], set[str]]:
    """Conflicts of cells that were changed after their base, and keys that the sender did not change."""
    outdated = {key for key in edited if _changed_at(row, key) > bases[key]}
    if not outdated:
        return {}, set()
    events: dict[str, SubmissionEvent] = {}
    first = {key: bases[key] for key in outdated}
    events_of_cells = row.events.filter(kind=SubmissionEvent.Kind.VALUE, item__in=outdated).select_related(
        "actor"
    )
    oldest: dict[str, Any] = {}
    for event in events_of_cells.order_by("id"):
        if event.revision > first[event.item]:
            oldest.setdefault(event.item, event.old)
            events[event.item] = event
    conflicts: dict[str, Conflict] = {}
    untouched: set[str] = set()
    for key in outdated:
        base = oldest.get(key)
        if _same(before, key, edited[key], base):
            untouched.add(key)
            continue
        last = events.get(key)
        conflicts[key] = Conflict(
            key,
            edited[key],
            cells.get(before.answers, key),
            base,
            by=str(last.actor or last.guest or last.reason) if last else "",
            at=last.at if last else None,
            by_id=last.actor_id if last else None,
        )
    return conflicts, untouched


def _changed_at(row: Submission, key: str) -> int:
    """Revision at which a cell last changed; a complete table changes with any of its cells."""
    revisions: dict[str, int] = row.item_revisions
    own = revisions.get(key, 0)
    if "/" in key:
        return max(own, revisions.get(cells.item_of(key), 0))
    return max([own, *(at for other, at in revisions.items() if other.startswith(f"{key}/"))])


def _same(before: Sheet, key: str, first: Any, second: Any) -> bool:
    item = cells.field_of(before.definition, key)
    return item is not None and canonical_value(item, first) == canonical_value(item, second)


def _store(
    row: Submission,
    request: Request,
    before: Sheet,
    accepted: Mapping[str, Any],
    refused: Mapping[str, RefusedValue],
    channel: str,
    typed: Mapping[str, dict[str, str]],
    reason: str,
) -> Sheet:
    """Write cells, events, counts, traces and state: two INSERTs and one UPDATE."""
    move(row, request, channel=channel, commit=False)
    row.answers = cells.patched(row.answers, accepted)
    row.revision += 1
    row.item_revisions = {**row.item_revisions, **dict.fromkeys(accepted, row.revision)}
    row.refused = {key: value.as_json() for key, value in refused.items()}
    after = before.with_answers(row.answers, refused)
    after.submission = row
    recount(row, after)
    trace_findings(row, after, row.updated_at)
    SubmissionEvent.objects.bulk_create(
        SubmissionEvent(
            submission=row,
            actor=request.by,
            kind=SubmissionEvent.Kind.VALUE,
            action=Action.SAVE,
            item=key,
            old=cells.get(before.answers, key),
            new=cell and cell | typed.get(key, {}),
            revision=row.revision,
            channel=channel,
            at=row.updated_at,
            reason=reason,
        )
        for key, cell in accepted.items()
    )
    row.save(
        update_fields=[
            "answers",
            "refused",
            "item_revisions",
            "revision",
            "state",
            "hard_count",
            "soft_count",
            "unexplained_count",
            "updated_at",
        ]
    )
    return after


def _store_refused(row: Submission, after: Sheet) -> None:
    """Write refused values and the counts of findings; the answers and their revision stay."""
    row.refused = {key: value.as_json() for key, value in after.refused.items()}
    recount(row, after)
    row.save(update_fields=["refused", "hard_count", "soft_count", "unexplained_count"])


def recount(row: Submission, after: Sheet) -> None:
    """Update the stored counts of findings, so that lists need not evaluate the rules."""
    row.hard_count = min(len(after.hard), 32_767)
    row.soft_count = min(len(after.soft), 32_767)
    row.unexplained_count = min(len(after.unexplained), 32_767)
