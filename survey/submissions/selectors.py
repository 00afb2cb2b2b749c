"""Reads sheets: one sheet with its findings and progress, and the list of a person's sheets."""

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
from survey.submissions.refused import RefusedValue, finding_of, restored

# Everything that opening a sheet needs, in one row; the version's document stays in the database.
SHEET_RELATIONS = ("assignment__version", "unit__region", "unit__review_region", "round")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one section (or the whole sheet) is."""

    required: int  # relevant required items
    answered: int
    hard: int
    soft: int  # soft findings without a valid explanation
    notices: int
    queries: int  # open comments of a reviewer
    missing_reasons: int = 0  # items answered "not applicable" or "not known"

    @property
    def percent(self) -> int:
        """Answered share of the required items in per cent, 100 when none is required."""
        return 100 if not self.required else self.answered * 100 // self.required

    @property
    def is_complete(self) -> bool:
        """True when nothing prevents submission."""
        return not self.hard and not self.soft and not self.queries


class Sheet:
    """One sheet with its findings. Derived values are computed lazily and once."""

    def __init__(
        self,
        submission: Submission,
        definition: Questionnaire,
        context: UnitContext,
        answers: Mapping[str, Any],
        previous_filing: Filing | None,
        explanations: Mapping[str, Explanation],
        queries: tuple[ReviewQuery, ...] = (),
        refused: Mapping[str, RefusedValue] | None = None,
    ) -> None:
        self.submission = submission
        self.definition = definition
        self.context = context
        self.answers = dict(answers)
        self.previous_filing = previous_filing
        self.explanations = dict(explanations)
        self.queries = queries
        self.refused = dict(refused or {})

    def with_answers(
        self, answers: Mapping[str, Any], refused: Mapping[str, RefusedValue] | None = None
    ) -> "Sheet":
        """A copy with other answers and refused values, without further queries."""
        return Sheet(
            self.submission,
            self.definition,
            self.context,
            answers,
            self.previous_filing,
            self.explanations,
            self.queries,
            refused,
        )

    @property
    def previous(self) -> dict[str, Any] | None:
        """Last year's accepted answers; None for a unit that was not in last year's valid sample."""
        return self.previous_filing.answers if self.previous_filing else None

    @cached_property
    def routed(self) -> RoutedSheet:
        """The evaluated sheet: relevance, computed items and unreadable cells, in a single pass."""
        return evaluate_sheet(self.definition, self.answers, self.context, self.previous)

    @cached_property
    def relevant(self) -> frozenset[str]:
        """Codes of the items that apply to these answers."""
        return frozenset(self.routed.relevant)

    @cached_property
    def computed(self) -> dict[str, Any]:
        """Cells that are computed or taken from the register."""
        return self.routed.computed

    @cached_property
    def effective(self) -> dict[str, Any]:
        """The content of a filing: relevant answers and computed cells, without answers that are not relevant."""
        cells = {**self.answers, **self.computed}
        return {code: cell for code, cell in cells.items() if code in self.relevant and cell}

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Values that could not be read, then all findings of all rules."""
        refused = (
            finding_of(self.definition, key, value)
            for key, value in self.refused.items()
            if item_of(key) in self.relevant
        )
        return (*refused, *findings_of(self.routed))

    @cached_property
    def hard(self) -> tuple[Finding, ...]:
        """Findings that stop submission."""
        return tuple(finding for finding in self.findings if finding.severity == "hard")

    @cached_property
    def soft(self) -> tuple[Finding, ...]:
        """Findings that need an explanation, explained or not."""
        return tuple(finding for finding in self.findings if finding.severity == "soft")

    @cached_property
    def unexplained(self) -> tuple[Finding, ...]:
        """Soft findings without a valid explanation."""
        return tuple(finding for finding in self.soft if self.explanation_of(finding) is None)

    def explanation_of(self, finding: Finding) -> Explanation | None:
        """The explanation of exactly these values, unless a reviewer refused it."""
        explanation = self.explanations.get(finding.edit)
        if explanation is None or explanation.fingerprint != finding.fingerprint:
            return None
        return None if explanation.verdict == Explanation.Verdict.REFUSED else explanation

    def findings_of(self, code: str) -> list[Finding]:
        """Findings that refer to an item."""
        return [finding for finding in self.findings if code in finding.items]

    @cached_property
    def notes(self) -> dict[str, list[ItemNote]]:
        """Remarks of the respondents by item, oldest first; read on first access."""
        by_item: dict[str, list[ItemNote]] = {}
        for note in self.submission.notes.select_related("by").order_by("pk"):
            by_item.setdefault(note.item, []).append(note)
        return by_item

    def queries_of(self, code: str) -> list[ReviewQuery]:
        """The reviewers' comments on an item that the respondent may read."""
        return [query for query in self.delivered_queries if item_of(query.item) == code]

    @property
    def delivered_queries(self) -> list[ReviewQuery]:
        """Comments that the respondent may read: an open one is delivered when the sheet is returned."""
        return [query for query in self.queries if is_delivered(query, self.submission)]

    def find_items(self, words: str) -> list[tuple[Section, Item]]:
        """Items that apply and have the words in their code or name, in either language, in form order."""
        terms = words.casefold().split()
        return [
            (section, item)
            for section, _progress in self.sections
            for item in (self.item(code) for code in section.items if code in self.relevant)
            if terms
            and all(word in f"{item.code} {item.label.zh} {item.label.en}".casefold() for word in terms)
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
        candidates = section.items if section else self.definition.items
        codes = [code for code in candidates if code in self.relevant]
        required = [code for code in codes if self.item(code).required and code not in self.computed]
        inside = set(codes)
        open_queries = [query for query in self.delivered_queries if query.state == ReviewQuery.State.OPEN]
        if section:
            open_queries = [query for query in open_queries if item_of(query.item) in inside]
        return Progress(
            required=len(required),
            answered=sum(1 for code in required if self.answers.get(code)),
            missing_reasons=sum(1 for code in codes if "missing" in (self.answers.get(code) or ())),
            hard=sum(1 for f in self.hard if not section or inside & set(f.items)),
            soft=sum(1 for f in self.unexplained if not section or inside & set(f.items)),
            notices=sum(
                1 for f in self.findings if f.severity == "notice" and (not section or inside & set(f.items))
            ),
            queries=len(open_queries),
        )


def sheet(submission: Submission) -> Sheet:
    """A sheet with everything that its rules need: at most three more queries when ``SHEET_RELATIONS`` are loaded.

    A sheet that nobody has started contains the prefilled cells without storing them.
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
        refused=restored(submission.refused),
    )


def sheet_of(submission: Submission) -> Sheet:
    """``sheet``, cached on the row object."""
    cached: Sheet | None = getattr(submission, "_sheet", None)
    if cached is None:
        cached = sheet(submission)
        submission._sheet = cached  # type: ignore[attr-defined]  # a cache on the row object
    return cached


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


def earlier_answers(submission: Submission, years: int = 4) -> list[tuple[int, dict[str, Any]]]:
    """Accepted answers of the unit from the years before last year, oldest first: (year, answers)."""
    last = submission.round.year - 1
    rows = Filing.objects.filter(
        submission__unit_id=submission.unit_id,
        submission__round__year__gte=last - years,
        submission__round__year__lt=last,
        submission__state=State.ACCEPTED,
    ).order_by("submission__round__year", "number")
    return list(dict(rows.values_list("submission__round__year", "answers")).items())


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
    """The register values of a unit that rules read. ``unit.region`` must be loaded."""
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
    """Counts of a whole round by disposition, by state and by category, for the survey office."""
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
