"""One sheet as a reviewer reads it: this year beside last year, findings with reasons, comments, history.

The rules are those of ``survey.submissions.selectors.sheet``; nothing is worked out here a second time.
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
from survey.review.selectors import place_name
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
    """A finding with the reason that the respondent gave for it."""

    finding: Finding
    explanation: Explanation | None  # also a refused one, as long as it is about these numbers

    @property
    def needs_verdict(self) -> bool:
        """True while nobody has judged the reason for an unusual value."""
        reason = self.explanation if self.finding.severity == "soft" else None
        return reason is not None and not reason.verdict


@dataclass(frozen=True, slots=True)
class Thread:
    """A comment with everything said under it, oldest first."""

    query: ReviewQuery
    entries: tuple[dict[str, Any], ...]  # {who, at, text, kind}


@dataclass(slots=True)
class Line:
    """One item: number or text, last year's, the change as a share, and what was said about it."""

    code: str
    item: Item
    this: str
    last: str
    entered: str
    number: Decimal | None
    change: Decimal | None
    is_new: bool  # last year there was nothing, this year there is a number
    remarks: list[Remark] = field(default_factory=list)
    marked: list[Remark] = field(default_factory=list)  # findings that are told in full at another item
    threads: list[Thread] = field(default_factory=list)
    notes: list[ItemNote] = field(default_factory=list)  # what the respondent says without being asked
    grid: "GridView | None" = None
    can_propose: bool = False  # a number that a reviewer may propose to correct
    effect: Effect | None = None  # what hangs on the value, when it was scored
    box: Box | None = None
    files: list[Attachment] = field(default_factory=list)  # evidence for this item

    def exceeds(self, percent: int) -> bool:
        """Has the number moved by more than this?"""
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
    """Everything that the review page says about the content of one sheet."""

    sheet: Sheet
    parts: list[Part]
    counts: dict[str, int]  # lines per setting of the show filter
    remarks: list[Remark]
    threads: list[Thread]
    is_draft_hidden: bool  # the respondent is at work; what is shown is the last filed version
    filing: Filing | None
    score: SheetScore | None  # of the filing that is shown
    effects: list[Effect]  # largest part of the score first
    files: list[tuple[Attachment, Any, str]]  # the respondent's evidence: what it proves (or None), and where


def read(submission: Submission, *, show: str = "all", over: int = 50) -> Reading:
    """The sheet for a reviewer: as it was last filed, whatever the respondent has typed since."""
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
    homes = _homes(remarks, set(codes))
    lines = {code: _line(current, code, remarks, homes, threads) for code in codes}
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
    for file, _name, _place in files:
        if file.item in lines:
            lines[file.item].files.append(file)
    counts = {name: sum(1 for line in lines.values() if _passes(line, name, over)) for name in SHOWS}
    parts = []
    for section in current.definition.sections:
        chosen = [lines[code] for code in section.items if code in lines and _passes(lines[code], show, over)]
        if chosen:
            own = [file for file, _name, _place in files if file.item == section.code]
            parts.append(Part(section, chosen, own))
    return Reading(current, parts, counts, remarks, threads, draft, filing, score, effects, files)


def _reason(current: Sheet, finding: Finding) -> Explanation | None:
    found = current.explanations.get(finding.edit)
    return found if found is not None and found.fingerprint == finding.fingerprint else None


def _shown_items(current: Sheet, threads: list[Thread]) -> list[str]:
    asked = {thread.query.item.split("/", 1)[0] for thread in threads}
    return [code for code in current.definition.items if code in current.relevant or code in asked]


def _homes(remarks: list[Remark], shown_codes: set[str]) -> dict[str, str]:
    """The one item at which each finding is told in full: the first that it marks and the page shows."""
    firsts = ((remark.finding, [c for c in remark.finding.items if c in shown_codes]) for remark in remarks)
    return {finding.edit: codes[0] for finding, codes in firsts if codes}


def _passes(line: Line, show: str, over: int) -> bool:
    if show == "findings":
        return bool(line.remarks or line.marked)
    if show == "effect":
        return line.effect is not None and line.effect.is_unusual
    if show == "change":
        return line.exceeds(over)
    return bool(line.threads) if show == "queries" else True


def _line(
    current: Sheet, code: str, remarks: list[Remark], homes: dict[str, str], threads: list[Thread]
) -> Line:
    item = current.item(code)
    here = [remark for remark in remarks if code in remark.finding.items]
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
        remarks=[remark for remark in here if homes.get(remark.finding.edit) == code],
        marked=[remark for remark in here if homes.get(remark.finding.edit) != code],
        threads=[thread for thread in threads if thread.query.item.split("/", 1)[0] == code],
        notes=current.notes.get(code, []),
        can_propose=item.type in NUMERIC_TYPES and not item.computed,
        grid=_grid(item, cell, before) if item.type == "table" else None,
    )


def _effects(current: Sheet, score: SheetScore | None) -> list[Effect]:
    """The scored items of the sheet in words."""
    if score is None:
        return []
    place, items = place_name(score.region), current.definition.items
    told = []
    for one in score.items.all():
        if one.item not in items:
            continue
        unit = _unit(items[one.item])
        told.append(
            Effect(
                item=one.item,
                rank=one.rank,
                is_unusual=one.suspicion >= UNUSUAL,
                moves=wording.moves(one, unit=unit, source=str(one.get_source_display()), region=place),
                slip=wording.slip(one),
                distance=wording.distance(one),
                expected=wording.number(one.expected),
            )
        )
    return told


def _unit(item: Item) -> str:
    return unit_label(item.unit, "en" if (get_language() or "").startswith("en") else "zh")


def _compare(lines: dict[str, Line], submission: Submission, effects: list[Effect]) -> None:
    """Give the lines their effects, and a box plot where there are peers."""
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
    here, there = (cell or {}).get("rows", {}), (before or {}).get("rows", {})
    if not here and not there:
        return None
    language = get_language() or "zh-hans"
    names = {row.id: row.label.get(language) for row in (item.rows.entries if item.rows else ())}
    order = [*(row for row in names if row in here or row in there), *(r for r in here if r not in names)]
    rows = []
    for number, row in enumerate(order, start=1):
        cells = tuple(
            (
                shown(column, here.get(row, {}).get(column.code)),
                shown(column, there.get(row, {}).get(column.code)),
            )
            for column in item.columns
        )
        rows.append((names.get(row, str(number)), cells))
    return GridView(item.columns, tuple(rows))


# Comments and history ---------------------------------------------------------------------------------
_SAYS = {"query": "ask", "query_reopen": "ask", "reply": "reply", "query_close": "close"}


def threads_of(submission: Submission, queries: list[ReviewQuery]) -> list[Thread]:
    """Every comment with its entries out of the history (or out of the row itself when there is none)."""
    told: dict[int, list[dict[str, Any]]] = {}
    events = (
        submission.events.filter(action__in=_SAYS).select_related("actor").order_by("pk") if queries else ()
    )
    for event in events:
        new = event.new or {}
        entry = {
            "who": event.actor,
            "at": event.at,
            "kind": _SAYS[event.action],
            "text": new.get("text") or new.get("reply") or _coded(new.get("code")),
            "corrected": new.get("corrected", False),
        }
        told.setdefault(int(new.get("query") or 0), []).append(entry)
    return [Thread(query, tuple(told.get(query.pk) or _entries(query))) for query in queries]


def _coded(code: str | None) -> str:
    """An answer that was given without a text, in the language of the reader."""
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
