"""Which rules help and which only annoy: rates by rule and times by section, over the sheets of a round.

Only sums leave this module: whoever designs a form learns nothing of a unit or an answer.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from django.db.models import Aggregate, Count, FloatField, Max, Q, QuerySet

from survey.access.models import User
from survey.access.roles import Permission
from survey.collection.models import CollectionRound
from survey.questionnaires.definition import Questionnaire, Text
from survey.questionnaires.edits import INVALID, MISSING
from survey.questionnaires.messages import message_with_names
from survey.questionnaires.models import QuestionnaireVersion
from survey.questionnaires.selectors import definition_for
from survey.submissions.models import Explanation, FindingTrace, SectionTime, Submission

ORDERS = ("share", "fired", "changed", "explained", "accepted", "refused", "stops", "edit")


class Median(Aggregate):
    """The middle value, interpolated."""

    function = "percentile_cont"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field: ClassVar[Any] = FloatField()


@dataclass(slots=True)
class RuleRate:
    """What one rule did. Counts are sheets; a sheet counts once however often the rule spoke there."""

    edit: str
    severity: str
    message: Text | None = None  # of the rule; for the built-in ones the label of the item
    asked: int = 0  # sheets begun whose form has the rule
    fired: int = 0
    changed: int = 0  # the answers changed so that it holds now
    explained: int = 0
    accepted: int = 0
    refused: int = 0

    @property
    def built_in(self) -> str:
        """Which of the rules that every item has: invalid, missing, or none of them."""
        return (
            "invalid" if self.edit.startswith(INVALID) else "missing" if self.edit.startswith(MISSING) else ""
        )

    @property
    def share(self) -> float | None:
        """Hit rate: sheets where it spoke, of those that it can speak on."""
        return self.fired / self.asked if self.asked else None

    @property
    def changed_share(self) -> float | None:
        """How often it led to another answer."""
        return self.changed / self.fired if self.fired else None

    @property
    def explained_share(self) -> float | None:
        """How often a reason was given instead."""
        return self.explained / self.fired if self.fired else None

    @property
    def stops(self) -> int:
        """Sheets that cannot be filed because of it."""
        return self.fired - self.changed if self.severity == "hard" else 0


@dataclass(frozen=True, slots=True)
class Times:
    """Median seconds of work on a form or a section, and over how many filed sheets."""

    code: str
    title: Text | None
    sheets: int
    median: float

    @property
    def minutes(self) -> float:
        """The median in minutes."""
        return self.median / 60


def rounds_begun() -> list[CollectionRound]:
    """Every round that has opened, newest first."""
    return list(CollectionRound.objects.exclude(state=CollectionRound.State.PLANNED).order_by("-year"))


def round_named(year: str, known: list[CollectionRound]) -> CollectionRound | None:
    """The round of a year, else the open one, else the newest."""
    named = [round_ for round_ in known if str(round_.year) == year]
    is_open = [round_ for round_ in known if round_.state == CollectionRound.State.OPEN]
    return next(iter(named or is_open or known), None)


def begun_by_form(user: User, round_: CollectionRound, category: str) -> dict[int, int]:
    """Number of sheets that somebody has begun, by version of the questionnaire."""
    rows = Submission.objects.visible_to(user, Permission.DESIGN).filter(round=round_, revision__gt=0)
    if category:
        rows = rows.filter(assignment__version__category=category)
    counted = rows.values_list("assignment__version").annotate(size=Count("pk")).order_by()
    return dict(counted)


def definitions_of(versions: Any) -> dict[int, Questionnaire]:
    """The parsed forms of some versions, in the order of the categories."""
    rows = QuestionnaireVersion.objects.defer("document").filter(pk__in=versions).order_by("category")
    return {row.pk: definition_for(row) for row in rows}


def rates(
    user: User, round_: CollectionRound, category: str, begun: dict[int, int], forms: dict[int, Questionnaire]
) -> tuple[list[RuleRate], list[RuleRate]]:
    """Rules that spoke, and the rules of these forms that never did."""
    found = _fired(user, round_, category)
    _add_reasons(_of(Explanation, user, category).filter(submission__round=round_), found)
    silent: dict[str, RuleRate] = {}
    for key, form in forms.items():
        for edit in form.edits:
            rate = found.get(edit.code) or silent.setdefault(edit.code, RuleRate(edit.code, edit.severity))
            rate.asked += begun[key]
            if rate.message is None:
                rate.message = message_with_names(form, edit)
        for code, item in form.items.items():
            for mark in (INVALID, MISSING):
                if built_in := found.get(mark + code):
                    built_in.asked += begun[key]
                    built_in.message = item.label
    return list(found.values()), sorted(silent.values(), key=lambda rate: rate.edit)


def _of(model: Any, user: User, category: str) -> "QuerySet[Any]":
    rows: QuerySet[Any] = model.objects.visible_to(user, Permission.DESIGN)
    if not category:
        return rows
    own = model is FindingTrace or model is SectionTime
    return rows.filter(**{"category" if own else "submission__assignment__version__category": category})


def _fired(user: User, round_: CollectionRound, category: str) -> dict[str, RuleRate]:
    rows = (
        _of(FindingTrace, user, category)
        .filter(round=round_)
        .values("edit")
        .annotate(
            severity=Max("severity"),
            fired=Count("pk"),
            changed=Count("pk", filter=Q(cleared_at__isnull=False)),
        )
        .order_by()
    )
    return {
        row["edit"]: RuleRate(row["edit"], row["severity"], fired=row["fired"], changed=row["changed"])
        for row in rows
    }


def _add_reasons(rows: "QuerySet[Explanation]", found: dict[str, RuleRate]) -> None:
    verdict = Explanation.Verdict
    counted = rows.values_list("edit").annotate(
        given=Count("pk"),
        accepted=Count("pk", filter=Q(verdict=verdict.ACCEPTED)),
        refused=Count("pk", filter=Q(verdict=verdict.REFUSED)),
    )
    for edit, given, accepted, refused in counted.order_by():
        if rate := found.get(edit):
            rate.explained, rate.accepted, rate.refused = given, accepted, refused


def ordered(found: list[RuleRate], order: str) -> list[RuleRate]:
    """Largest first, or by code."""
    if order == "edit":
        return sorted(found, key=lambda rate: rate.edit)
    name = {"changed": "changed_share", "explained": "explained_share"}.get(order, order)
    return sorted(found, key=lambda rate: (-(getattr(rate, name) or 0), -rate.fired, rate.edit))


def form_times(user: User, round_: CollectionRound) -> list[Times]:
    """Median time of each form."""
    rows = _of(SectionTime, user, "").filter(round=round_, section="")
    counted = rows.values_list("category").annotate(size=Count("pk"), median=Median("seconds"))
    return [Times(code, None, size, median) for code, size, median in counted.order_by("category")]


def section_times(
    user: User, round_: CollectionRound, category: str, forms: dict[int, Questionnaire]
) -> list[Times]:
    """Median time of each section of one category's form, in form order, and of the whole under ""."""
    rows = _of(SectionTime, user, category).filter(round=round_)
    counted = {
        code: (size, median)
        for code, size, median in rows.values_list("section")
        .annotate(size=Count("pk"), median=Median("seconds"))
        .order_by()
    }
    titles = {section.code: section.title for form in forms.values() for section in form.sections}
    shown = [Times(code, title, *counted[code]) for code, title in titles.items() if code in counted]
    return [*shown, Times("", None, *counted[""])] if "" in counted else shown
