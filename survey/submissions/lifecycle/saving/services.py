"""Autosave: merges single cells into a sheet under one row lock, and never lets the last writer win silently.

Each cell carries the revision at which it last changed. A change that was typed over an older version of
its cell is a conflict, unless the value is the same or the person did not really change it (a plain form
sends every field of its page). Changes of different cells merge.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

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
from survey.submissions.selectors import Sheet, sheet


@dataclass(slots=True)
class SaveResult:
    """What a save did. ``sheet`` is the sheet afterwards, its rules already run."""

    revision: int
    sheet: Sheet
    saved: tuple[str, ...] = ()  # keys whose stored cell is now what was sent
    changed: tuple[str, ...] = ()  # those of them that this save wrote
    errors: dict[str, AnswerError] = field(default_factory=dict)  # not stored: could not be understood
    conflicts: dict[str, Conflict] = field(default_factory=dict)  # not stored: somebody else was first
    elsewhere: frozenset[str] = frozenset()  # keys that others changed since the base revision
    appeared: frozenset[str] = frozenset()  # items that apply now and did not before
    disappeared: frozenset[str] = frozenset()
    recomputed: frozenset[str] = frozenset()  # computed items with a new value
    saved_at: datetime = field(default_factory=timezone.now)

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
) -> SaveResult:
    """Merge changed cells into the sheet.

    ``changes`` maps keys (item codes or ``ITEM/row/column``) to raw form values {"value", "unit",
    "missing"}, or to stored cells when ``canonical`` (machines); None or an empty value blanks the cell.
    ``reason`` stands in the events, for example by whose invitation somebody without an account fills.
    ``base_revision`` is the revision that the page showed; ``bases`` overrides it cell by cell.
    Raises PermissionDenied, PolicyDenied. Faulty and conflicting cells are reported, the others are stored.
    """
    row = locked(submission)
    request = Request(by, Action.SAVE)
    authorise(row, request)
    before = sheet(row)
    row.answers = before.answers  # includes what the register fills in on the first touch
    parsed, errors = _parse(before, changes, canonical)
    wanted = {key: cell for key, cell in parsed.items() if cells.get(before.answers, key) != cell}
    bases = {key: (bases or {}).get(key, base_revision) for key in parsed}
    conflicts, untouched = _conflicts(row, before, wanted, bases)
    accepted = {k: c for k, c in wanted.items() if k not in conflicts and k not in untouched}
    after = before
    if accepted or row.revision == 0:
        typed = {} if canonical else {key: as_typed(changes.get(key), cell) for key, cell in accepted.items()}
        after = _store(row, request, before, accepted, channel, typed, reason)
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
    """The text that the respondent typed, for the event, where the cell spells it differently."""
    text = raw.get("value") if isinstance(raw, Mapping) else None
    if not isinstance(text, str) or not text.strip() or not cell:
        return {}
    return {} if text in (cell.get("entered"), cell.get("value")) else {"typed": text[:80]}


def start_sheet(submission: Submission, *, by: User | None, channel: str = "page") -> SaveResult:
    """The respondent begins: the register's facts are written. Safe to repeat."""
    return autosave(submission, by=by, changes={}, base_revision=submission.revision, channel=channel)


def _parse(
    before: Sheet, changes: Mapping[str, Any], canonical: bool
) -> tuple[dict[str, Any], dict[str, AnswerError]]:
    """Raw values as cells by key; tables sent as a whole become their cells."""
    parsed: dict[str, Any] = {}
    errors: dict[str, AnswerError] = {}
    read = normalise if canonical else parse_cell
    for key, raw in changes.items():
        place = cells.field_of(before.definition, key)
        item = before.definition.items.get(cells.item_of(key))
        if place is None or item is None:
            errors[key] = AnswerError("unknown_column", column=key[:40])
            continue
        if item.read_only or item.computed:
            continue  # shown, never taken: a plain form sends no such field
        try:
            cell = read(place, raw) if raw else None
        except AnswerError as error:
            for (row, column), inner in error.children.items():
                errors[cells.join(key, row, column)] = inner
            if not error.children:
                errors[key] = error
            continue
        parsed.update(_spread(before, key, place, cell))
    return parsed, errors


def _spread(before: Sheet, key: str, place: Item | Column, cell: Any) -> dict[str, Any]:
    """One change per cell of a table; cells that the new table no longer has become blank."""
    if not isinstance(place, Item) or place.type != "table":
        return {key: cell}
    old = cells.flatten(key, before.answers.get(key))
    new = cells.flatten(key, cell)
    if key in new or key in old:  # a missing mark replaces the table as a whole, and is replaced by it
        return {key: cell}
    return {one: new.get(one) for one in {**old, **new}}


def _conflicts(
    row: Submission, before: Sheet, wanted: Mapping[str, Any], bases: Mapping[str, int]
) -> tuple[dict[str, Conflict], set[str]]:
    """Cells that somebody else changed after the base, and those of them that the sender left alone."""
    late = {key for key in wanted if _changed_at(row, key) > bases[key]}
    if not late:
        return {}, set()
    events: dict[str, SubmissionEvent] = {}
    first = {key: bases[key] for key in late}
    found = row.events.filter(kind=SubmissionEvent.Kind.VALUE, item__in=late).select_related("actor")
    oldest: dict[str, Any] = {}
    for event in found.order_by("id"):
        if event.revision > first[event.item]:
            oldest.setdefault(event.item, event.old)
            events[event.item] = event
    conflicts: dict[str, Conflict] = {}
    untouched: set[str] = set()
    for key in late:
        base = oldest.get(key)
        if _same(before, key, wanted[key], base):
            untouched.add(key)
            continue
        last = events.get(key)
        conflicts[key] = Conflict(
            key,
            wanted[key],
            cells.get(before.answers, key),
            base,
            by=str(last.actor or last.reason) if last else "",
            at=last.at if last else None,
            by_id=last.actor_id if last else None,
        )
    return conflicts, untouched


def _changed_at(row: Submission, key: str) -> int:
    """Revision at which a cell last changed; a table as a whole changed with any of its cells."""
    revisions: dict[str, int] = row.item_revisions
    own = revisions.get(key, 0)
    if "/" in key:
        return max(own, revisions.get(cells.item_of(key), 0))
    return max([own, *(at for one, at in revisions.items() if one.startswith(f"{key}/"))])


def _same(before: Sheet, key: str, one: Any, other: Any) -> bool:
    place = cells.field_of(before.definition, key)
    return place is not None and canonical_value(place, one) == canonical_value(place, other)


def _store(
    row: Submission,
    request: Request,
    before: Sheet,
    accepted: Mapping[str, Any],
    channel: str,
    typed: Mapping[str, dict[str, str]],
    reason: str,
) -> Sheet:
    """Write cells, events, counts, traces and state: two INSERTs and one UPDATE."""
    move(row, request, channel=channel, quiet=True)
    row.answers = cells.patched(row.answers, accepted)
    row.revision += 1
    row.item_revisions = {**row.item_revisions, **dict.fromkeys(accepted, row.revision)}
    after = before.with_answers(row.answers)
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


def recount(row: Submission, after: Sheet) -> None:
    """Keep the counts that lists show, so that a list never runs the rules."""
    row.hard_count = min(len(after.hard), 32_767)
    row.soft_count = min(len(after.soft), 32_767)
    row.unexplained_count = min(len(after.unexplained), 32_767)
