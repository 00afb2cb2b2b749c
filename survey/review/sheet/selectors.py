"""A sheet for the review page: this year beside last year, findings with explanations, comments, history.

Findings and computed values come from ``survey.submissions.selectors.sheet``.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils.translation import get_language

from survey.questionnaires.answering.units import unit_label
from survey.questionnaires.definition import NUMERIC_TYPES, Column, Item, Section
from survey.questionnaires.edits import Finding
from survey.review.scores import selectors as scores
from survey.review.scores import wording
from survey.review.scores.limits import UNUSUAL
from survey.review.scores.models import SheetScore
from survey.review.scores.peers import Box, box
from survey.review.scores.wording import Effect
from survey.review.selectors import region_name
from survey.submissions.comments.models import ReviewQuery
from survey.submissions.evidence.selectors import attachments_of, evidence_targets
from survey.submissions.lifecycle.states import EDITABLE, State
from survey.submissions.models import (
    Attachment,
    Explanation,
    Filing,
    ItemNote,
    Submission,
    SubmissionEvent,
)
from survey.submissions.page.figures import answer_number, shown
from survey.submissions.selectors import Sheet, sheet

SHOWS = ("all", "effect", "findings", "change", "queries")
THRESHOLDS = (20, 50, 100)
MOST_EVENTS = 300


@dataclass(frozen=True, slots=True)
class Remark:
    """A finding with its explanation."""

    finding: Finding
    explanation: Explanation | None  # also a refused one, if it is about the current values

    @property
    def needs_verdict(self) -> bool:
        """Whether the explanation of a soft finding has no verdict."""
        reason = self.explanation if self.finding.severity == "soft" else None
        return reason is not None and not reason.verdict


@dataclass(frozen=True, slots=True)
class Thread:
    """A comment with its entries, oldest first."""

    query: ReviewQuery
    entries: tuple[dict[str, Any], ...]  # {who, at, text, kind}


@dataclass(slots=True)
class Line:
    """An item: number or text, last year's, the relative change, and its findings and comments."""

    code: str
    item: Item
    this: str
    last: str
    entered: str
    number: Decimal | None
    change: Decimal | None
    is_new: bool  # zero last year, a number this year
    remarks: list[Remark] = field(default_factory=list)
    linked_remarks: list[Remark] = field(default_factory=list)  # findings shown in full at another item
    threads: list[Thread] = field(default_factory=list)
    notes: list[ItemNote] = field(default_factory=list)  # remarks of the respondents
    grid: "GridView | None" = None
    can_propose: bool = False  # a number that a reviewer may propose to correct
    effect: Effect | None = None  # effect of the value, when it was scored
    box: Box | None = None
    files: list[Attachment] = field(default_factory=list)  # evidence for this item

    def exceeds(self, percent: int) -> bool:
        """Whether the number has changed by more than ``percent``."""
        return self.is_new or (self.change is not None and abs(self.change) * 100 > percent)


@dataclass(frozen=True, slots=True)
class GridView:
    """A table item: column heads and, per row, its name and (this, last) per column."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


@dataclass(slots=True)
class Part:
    """One section of the form with the lines that are shown."""

    section: Section
    lines: list[Line]
    files: list[Attachment] = field(default_factory=list)  # evidence for the section as a whole


@dataclass(frozen=True, slots=True)
class Reading:
    """The content of a sheet for the review page."""

    sheet: Sheet
    parts: list[Part]
    counts: dict[str, int]  # lines per setting of the show filter
    remarks: list[Remark]
    threads: list[Thread]
    is_draft_hidden: bool  # the sheet is being edited; the last filed version is shown
    filing: Filing | None
    score: SheetScore | None  # of the filing that is shown
    effects: list[Effect]  # largest part of the score first
    files: list[tuple[Attachment, Any, str]]  # evidence: label of its item or section (or None), and anchor


def read(submission: Submission, *, show: str = "all", over: int = 50) -> Reading:
    """The sheet as it was last filed, without later changes of the respondent."""
    current = sheet(submission)
    filing = (
        submission.filings.defer("version__document")
        .select_related("filed_by", "version")
        .order_by("-number")
        .first()
    )
    draft = State(submission.state) in EDITABLE and filing is not None
    if draft and filing is not None:
        current = current.with_answers(filing.answers)
    threads = threads_of(submission, list(current.queries))
    remarks = [Remark(finding, _reason(current, finding)) for finding in current.findings]
    codes = _shown_items(current, threads)
    main_items = _main_items(remarks, set(codes))
    lines = {code: _line(current, code, remarks, main_items, threads) for code in codes}
    score = scores.score_of(submission)
    if score is not None and (filing is None or score.filing_number != filing.number):
        score = None
    effects = _effects(current, score)
    _compare(lines, submission, effects)
    names = dict(evidence_targets(submission))
    files = [
        (file, names.get(file.item), f"{'item' if file.item in lines else 'part'}-{file.item}")
        for file in attachments_of(submission).select_related("uploaded_by")
    ]
    for file, _name, _anchor in files:
        if file.item in lines:
            lines[file.item].files.append(file)
    counts = {name: sum(1 for line in lines.values() if _passes(line, name, over)) for name in SHOWS}
    parts = []
    for section in current.definition.sections:
        chosen = [lines[code] for code in section.items if code in lines and _passes(lines[code], show, over)]
        if chosen:
            own = [file for file, _name, _anchor in files if file.item == section.code]
            parts.append(Part(section, chosen, own))
    return Reading(current, parts, counts, remarks, threads, draft, filing, score, effects, files)


def _reason(current: Sheet, finding: Finding) -> Explanation | None:
    explanation = current.explanations.get(finding.edit)
    return explanation if explanation is not None and explanation.fingerprint == finding.fingerprint else None


def _shown_items(current: Sheet, threads: list[Thread]) -> list[str]:
    commented = {thread.query.item.split("/", 1)[0] for thread in threads}
    return [code for code in current.definition.items if code in current.relevant or code in commented]


def _main_items(remarks: list[Remark], shown_codes: set[str]) -> dict[str, str]:
    """The item at which each finding is shown in full: the first of its items on the page."""
    shown = ((remark.finding, [c for c in remark.finding.items if c in shown_codes]) for remark in remarks)
    return {finding.edit: codes[0] for finding, codes in shown if codes}


def _passes(line: Line, show: str, over: int) -> bool:
    if show == "findings":
        return bool(line.remarks or line.linked_remarks)
    if show == "effect":
        return line.effect is not None and line.effect.is_unusual
    if show == "change":
        return line.exceeds(over)
    return bool(line.threads) if show == "queries" else True


def _line(
    current: Sheet, code: str, remarks: list[Remark], main_items: dict[str, str], threads: list[Thread]
) -> Line:
    item = current.item(code)
    own = [remark for remark in remarks if code in remark.finding.items]
    cell = current.cell(code)
    before = (current.previous or {}).get(code)
    now, then = answer_number(item, cell), answer_number(item, before)
    change = (now - then) / abs(then) if now is not None and then else None
    return Line(
        code=code,
        item=item,
        this=shown(item, cell),
        last=shown(item, before),
        entered=_entered(cell),
        number=now,
        change=change,
        is_new=bool(now) and then == 0,
        remarks=[remark for remark in own if main_items.get(remark.finding.edit) == code],
        linked_remarks=[remark for remark in own if main_items.get(remark.finding.edit) != code],
        threads=[thread for thread in threads if thread.query.item.split("/", 1)[0] == code],
        notes=current.notes.get(code, []),
        can_propose=item.type in NUMERIC_TYPES and not item.computed,
        grid=_grid(item, cell, before) if item.type == "table" else None,
    )


def _effects(current: Sheet, score: SheetScore | None) -> list[Effect]:
    """The scored items of the sheet in words."""
    if score is None:
        return []
    region, items = region_name(score.region), current.definition.items
    effects = []
    for scored in score.items.all():
        if scored.item not in items:
            continue
        unit = _unit(items[scored.item])
        effects.append(
            Effect(
                item=scored.item,
                rank=scored.rank,
                is_unusual=scored.suspicion >= UNUSUAL,
                moves=wording.moves(
                    scored, unit=unit, source=str(scored.get_source_display()), region=region
                ),
                slip=wording.slip(scored),
                distance=wording.distance(scored),
                expected=wording.number(scored.expected),
            )
        )
    return effects


def _unit(item: Item) -> str:
    return unit_label(item.unit, "en" if (get_language() or "").startswith("en") else "zh")


def _compare(lines: dict[str, Line], submission: Submission, effects: list[Effect]) -> None:
    """Add effects to the lines, and a box plot where peers exist."""
    for effect in effects:
        if effect.item in lines:
            lines[effect.item].effect = effect
    for code, peer in scores.peers_of(submission).items():
        line = lines.get(code)
        if line is not None and line.number is not None:
            line.box = box(float(line.number), peer.quantiles, peer.size, _unit(line.item))


def _entered(cell: Any) -> str:
    if not cell or not cell.get("entered") or not cell.get("unit"):
        return ""
    return "" if cell["entered"] == cell.get("value") else f"{cell['entered']} {cell['unit']}"


def _grid(item: Item, cell: Any, before: Any) -> GridView | None:
    current_rows, previous_rows = (cell or {}).get("rows", {}), (before or {}).get("rows", {})
    if not current_rows and not previous_rows:
        return None
    language = get_language() or "zh-hans"
    names = {row.id: row.label.get(language) for row in (item.rows.entries if item.rows else ())}
    order = [
        *(row for row in names if row in current_rows or row in previous_rows),
        *(r for r in current_rows if r not in names),
    ]
    rows = []
    for number, row in enumerate(order, start=1):
        cells = tuple(
            (
                shown(column, current_rows.get(row, {}).get(column.code)),
                shown(column, previous_rows.get(row, {}).get(column.code)),
            )
            for column in item.columns
        )
        rows.append((names.get(row, str(number)), cells))
    return GridView(item.columns, tuple(rows))


# Comments and history ---------------------------------------------------------------------------------
_ENTRY_KINDS = {"query": "ask", "query_reopen": "ask", "reply": "reply", "query_close": "close"}


def threads_of(submission: Submission, queries: list[ReviewQuery]) -> list[Thread]:
    """Every comment with its entries from the events (or from the row itself without events)."""
    entries: dict[int, list[dict[str, Any]]] = {}
    events = (
        submission.events.filter(action__in=_ENTRY_KINDS).select_related("actor").order_by("pk")
        if queries
        else ()
    )
    for event in events:
        new = event.new or {}
        entry = {
            "who": event.actor,
            "at": event.at,
            "kind": _ENTRY_KINDS[event.action],
            "text": new.get("text") or new.get("reply") or _coded(new.get("code")),
            "corrected": new.get("corrected", False),
        }
        entries.setdefault(int(new.get("query") or 0), []).append(entry)
    return [Thread(query, tuple(entries.get(query.pk) or _entries(query))) for query in queries]


def _coded(code: str | None) -> str:
    """The label of a reply code in the language of the reader."""
    return str(ReviewQuery.ReplyCode(code).label) if code else ""


def _entries(query: ReviewQuery) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = [
        {"who": query.raised_by, "at": query.raised_at, "kind": "ask", "text": query.text}
    ]
    if query.answer:
        entries.append(
            {
                "who": None,
                "at": query.replied_at,
                "kind": "reply",
                "text": query.answer,
                "corrected": query.corrected,
            }
        )
    return entries


def history(submission: Submission) -> list[SubmissionEvent]:
    """The latest events of a sheet, newest first."""
    return list(submission.events.select_related("actor").order_by("-pk")[:MOST_EVENTS])
