"""Reads sheets: one sheet with everything that the rules say about it, and the list of a person's sheets."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import Count, F, Prefetch, QuerySet
from django.utils import timezone

from survey.access.models import User
from survey.access.roles import Permission
from survey.collection.models import Assignment, CollectionRound, Disposition
from survey.frame.models import ReportingUnit
from survey.questionnaires.definition import Item, Questionnaire, Section, UnitContext
from survey.questionnaires.edits import Finding, findings_of
from survey.questionnaires.routing import Sheet as RoutedSheet
from survey.questionnaires.routing import evaluate_sheet, prefilled_cells
from survey.questionnaires.selectors import definition_for
from survey.submissions.cells import item_of
from survey.submissions.comments.models import ReviewQuery
from survey.submissions.comments.selectors import is_delivered, queries_of
from survey.submissions.lifecycle.states import EDITABLE, State
from survey.submissions.models import Explanation, Filing, ItemNote, Submission

# Everything that opening a sheet needs, in one row; the version's document stays in the database.
SHEET_RELATIONS = ("assignment__version", "unit__region", "unit__review_region", "round")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one section (or the whole sheet) is."""

    wanted: int  # items that apply and must be answered
    answered: int
    hard: int
    soft: int  # soft findings that still want a reason
    notices: int
    queries: int  # open questions of a reviewer
    marked: int = 0  # answered by "not applicable" or "not known" instead of a figure

    @property
    def percent(self) -> int:
        """Answered share of the wanted items, 100 when nothing is wanted."""
        return 100 if not self.wanted else self.answered * 100 // self.wanted

    @property
    def is_complete(self) -> bool:
        """True when nothing in here stops submission."""
        return not self.hard and not self.soft and not self.queries


class Sheet:
    """One sheet and what the rules say about it. Everything derived is worked out once, when asked for."""

    def __init__(
        self,
        submission: Submission,
        definition: Questionnaire,
        context: UnitContext,
        answers: Mapping[str, Any],
        previous_filing: Filing | None,
        explanations: Mapping[str, Explanation],
        queries: tuple[ReviewQuery, ...] = (),
    ) -> None:
        self.submission = submission
        self.definition = definition
        self.context = context
        self.answers = dict(answers)
        self.previous_filing = previous_filing
        self.explanations = dict(explanations)
        self.queries = queries

    def with_answers(self, answers: Mapping[str, Any]) -> "Sheet":
        """The same sheet with other answers, nothing read again."""
        return Sheet(
            self.submission,
            self.definition,
            self.context,
            answers,
            self.previous_filing,
            self.explanations,
            self.queries,
        )

    @property
    def previous(self) -> dict[str, Any] | None:
        """Last year's accepted answers; None for a unit that was not in last year's valid sample."""
        return self.previous_filing.answers if self.previous_filing else None

    @cached_property
    def routed(self) -> RoutedSheet:
        """The sheet with relevance and computations settled: one pass serves everything below."""
        return evaluate_sheet(self.definition, self.answers, self.context, self.previous)

    @cached_property
    def relevant(self) -> frozenset[str]:
        """Codes of the items that apply to these answers."""
        return frozenset(self.routed.relevant)

    @cached_property
    def computed(self) -> dict[str, Any]:
        """Cells that the survey works out itself or takes from the register."""
        return self.routed.computed

    @cached_property
    def effective(self) -> dict[str, Any]:
        """What would be filed: answers that apply, and computed cells. Parked answers stay behind."""
        cells = {**self.answers, **self.computed}
        return {code: cell for code, cell in cells.items() if code in self.relevant and cell}

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """All findings of all rules."""
        return findings_of(self.routed)

    @cached_property
    def hard(self) -> tuple[Finding, ...]:
        """Findings that stop submission."""
        return tuple(finding for finding in self.findings if finding.severity == "hard")

    @cached_property
    def soft(self) -> tuple[Finding, ...]:
        """Findings that want a reason, explained or not."""
        return tuple(finding for finding in self.findings if finding.severity == "soft")

    @cached_property
    def unexplained(self) -> tuple[Finding, ...]:
        """Soft findings without a reason that still holds."""
        return tuple(finding for finding in self.soft if self.explanation_of(finding) is None)

    def explanation_of(self, finding: Finding) -> Explanation | None:
        """The reason given for exactly these numbers and not refused by a reviewer."""
        found = self.explanations.get(finding.edit)
        if found is None or found.fingerprint != finding.fingerprint:
            return None
        return None if found.verdict == Explanation.Verdict.REFUSED else found

    def findings_of(self, code: str) -> list[Finding]:
        """Findings that mark one item."""
        return [finding for finding in self.findings if code in finding.items]

    @cached_property
    def notes(self) -> dict[str, list[ItemNote]]:
        """Remarks of the respondents by item, oldest first; read when first asked for."""
        found: dict[str, list[ItemNote]] = {}
        for note in self.submission.notes.select_related("by").order_by("pk"):
            found.setdefault(note.item, []).append(note)
        return found

    def queries_of(self, code: str) -> list[ReviewQuery]:
        """Reviewers' questions pinned to one item, as the respondent may read them."""
        return [query for query in self.delivered_queries if item_of(query.item) == code]

    @property
    def delivered_queries(self) -> list[ReviewQuery]:
        """Questions that the respondent may read: an open one arrives when the sheet is returned."""
        return [query for query in self.queries if is_delivered(query, self.submission)]

    def items_named(self, words: str) -> list[tuple[Section, Item]]:
        """Items that apply and have the words in their code or name, in either language, in form order."""
        wanted = words.casefold().split()
        return [
            (section, item)
            for section, _progress in self.sections
            for item in (self.item(code) for code in section.items if code in self.relevant)
            if wanted
            and all(word in f"{item.code} {item.label.zh} {item.label.en}".casefold() for word in wanted)
        ]

    def item(self, code: str) -> Item:
        """The item of the form. Raises KeyError."""
        return self.definition.items[code]

    def cell(self, code: str) -> Any:
        """The cell that counts for an item: computed if it is computed, else answered."""
        return self.computed.get(code) or (None if self.item(code).computed else self.answers.get(code))

    @cached_property
    def sections(self) -> list[tuple[Section, Progress]]:
        """Sections in which something applies, with their progress."""
        shown = [
            section for section in self.definition.sections if any(c in self.relevant for c in section.items)
        ]
        return [(section, self.progress(section)) for section in shown]

    def progress(self, section: Section | None = None) -> Progress:
        """Progress of one section, or of the sheet."""
        places = section.items if section else self.definition.items
        codes = [code for code in places if code in self.relevant]
        wanted = [code for code in codes if self.item(code).required and code not in self.computed]
        inside = set(codes)
        open_queries = [query for query in self.delivered_queries if query.state == ReviewQuery.State.OPEN]
        if section:
            open_queries = [query for query in open_queries if item_of(query.item) in inside]
        return Progress(
            wanted=len(wanted),
            answered=sum(1 for code in wanted if self.answers.get(code)),
            marked=sum(1 for code in codes if "missing" in (self.answers.get(code) or ())),
            hard=sum(1 for f in self.hard if not section or inside & set(f.items)),
            soft=sum(1 for f in self.unexplained if not section or inside & set(f.items)),
            notices=sum(
                1 for f in self.findings if f.severity == "notice" and (not section or inside & set(f.items))
            ),
            queries=len(open_queries),
        )


def sheet(submission: Submission) -> Sheet:
    """One sheet, ready for the rules: at most three more queries when ``SHEET_RELATIONS`` are loaded.

    A sheet that nobody has started shows what the register knows without storing it.
    """
    definition = definition_for(submission.assignment.version)
    answers, context = submission.answers, unit_context(submission.unit, submission.round)
    if submission.state == State.NOT_STARTED:
        answers = {**prefilled_cells(definition, context), **answers}
    return Sheet(
        submission=submission,
        definition=definition,
        context=context,
        answers=answers,
        previous_filing=previous_filing(submission),
        explanations={row.edit: row for row in submission.explanations.all()},
        queries=tuple(queries_of(submission)) if submission.filed_at else (),
    )


def sheet_of(submission: Submission) -> Sheet:
    """``sheet`` once per row object: a page, its buttons and a filing look at the same one."""
    found: Sheet | None = getattr(submission, "_sheet", None)
    if found is None:
        found = sheet(submission)
        submission._sheet = found  # type: ignore[attr-defined]  # a cache on the row object
    return found


def previous_filing(submission: Submission) -> Filing | None:
    """Last year's latest filing of the unit when it was accepted."""
    return (
        Filing.objects.filter(
            submission__unit_id=submission.unit_id,
            submission__round__year=submission.round.year - 1,
            submission__state=State.ACCEPTED,
        )
        .select_related("filed_by")
        .order_by("-number")
        .first()
    )


def sheets_of(user: User) -> "QuerySet[Submission]":
    """The sheets that a respondent fills, whole rows for one page of one sheet."""
    return (
        Submission.objects.visible_to(user, Permission.RESPOND)
        .select_related(*SHEET_RELATIONS)
        .defer("assignment__version__document")
    )


def tasks_of(user: User) -> list[Submission]:
    """The task list: open work first, then by year; without the answers themselves."""
    rows = (
        Submission.objects.visible_to(user, Permission.RESPOND)
        .select_related("assignment__version", "unit", "round")
        .defer("assignment__version__document", "answers", "item_revisions")
        .prefetch_related(
            Prefetch("filings", Filing.objects.defer("answers", "explanations").order_by("-number"))
        )
        .order_by(F("round__year").desc(), "unit__name")
    )
    return sorted(rows, key=lambda row: row.state not in EDITABLE)


def latest_filing(submission: Submission) -> Filing | None:
    """The last version that was filed."""
    rows = submission.filings.select_related("filed_by", "version").defer("version__document")
    return rows.order_by("-number").first()


def colleagues(submission: Submission) -> "QuerySet[User]":
    """People who fill sheets of this unit."""
    return User.objects.filter(
        assignments__unit_id=submission.unit_id, assignments__ended_at=None, is_active=True
    ).distinct()


def deadline(submission: Submission) -> Any:
    """When the answers are due: a returned sheet has its own date."""
    if submission.state == State.RETURNED and submission.return_due_at:
        return submission.return_due_at
    assignment: Assignment = submission.assignment
    return assignment.extended_until or submission.round.due_at


def days_left(submission: Submission) -> int:
    """Whole days until the deadline by the calendar of Beijing; negative when it has passed."""
    today = timezone.localdate()
    return int((timezone.localdate(deadline(submission)) - today).days)


def unit_context(unit: ReportingUnit, round_: CollectionRound) -> UnitContext:
    """The register's facts as the rules see them. ``unit.region`` must be loaded."""
    codes = unit.region.path.strip("/").split("/")
    return UnitContext(
        category=unit.category,
        year=round_.year,
        uscc=unit.uscc,
        name=unit.name,
        region=codes[1] if len(codes) > 1 else codes[0],
        division_code=unit.division_code,
        industry=unit.industry,
        section=unit.section,
        institution_type=unit.institution_type,
        is_head_platform=unit.is_head_platform,
        is_pilot_space=unit.is_pilot_space,
        reference_date=round_.reference_date,
    )


_FILED = frozenset({State.SUBMITTED, State.NATIONAL_REVIEW, State.ACCEPTED, State.INVALIDATED})


def round_counts(round_: CollectionRound) -> dict[str, Any]:
    """Counts of a whole round by disposition, by state and by category, for those who run it."""
    rows = (
        Assignment.objects.filter(round=round_)
        .values("unit__category", "disposition", "submission__state")
        .annotate(count=Count("pk"))
        .order_by("unit__category")
    )
    dispositions: dict[str, int] = dict.fromkeys(Disposition.values, 0)
    states: dict[str, int] = dict.fromkeys((state.value for state in State), 0)
    categories: dict[str, dict[str, int]] = {}
    for row in rows:
        count, state = row["count"], row["submission__state"]
        dispositions[row["disposition"]] += count
        if state is not None:  # an assignment without a sheet
            states[state] += count
        category = categories.setdefault(row["unit__category"], {"asked": 0, "filed": 0, "accepted": 0})
        category["asked"] += count
        category["filed"] += count if state in _FILED else 0
        category["accepted"] += count if state == State.ACCEPTED else 0
    return {
        "total": sum(dispositions.values()),
        "dispositions": dispositions,
        "states": states,
        "categories": categories,
    }
