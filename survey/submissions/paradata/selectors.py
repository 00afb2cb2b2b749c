"""Paradata of a round: trigger rates by rule and completion times by section.

Only aggregates are returned: designers see no unit and no answer.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from django.core.cache import cache
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

FEWEST_FORMS = 10  # of which respondents see a median
CACHED_SECONDS = 3600
ORDERS = ("share", "fired", "changed", "explained", "accepted", "refused", "stops", "edit")


class Median(Aggregate):
    """The median, interpolated."""

    function = "percentile_cont"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field: ClassVar[Any] = FloatField()


@dataclass(slots=True)
class RuleRate:
    """Statistics of a rule. Counts are sheets; each sheet counts once."""

    edit: str
    severity: str
    message: Text | None = None  # of the rule; of a built-in rule the item label
    applicable: int = 0  # started sheets whose form has the rule
    fired: int = 0
    changed: int = 0  # cleared by changed answers
    explained: int = 0
    accepted: int = 0
    refused: int = 0

    @property
    def built_in(self) -> str:
        """The kind of a built-in rule: invalid, missing, or empty for other rules."""
        return (
            "invalid" if self.edit.startswith(INVALID) else "missing" if self.edit.startswith(MISSING) else ""
        )

    @property
    def share(self) -> float | None:
        """Hit rate: sheets where the rule fired, of the applicable sheets."""
        return self.fired / self.applicable if self.applicable else None

    @property
    def changed_share(self) -> float | None:
        """Share of the sheets where it fired that led to a changed answer."""
        return self.changed / self.fired if self.fired else None

    @property
    def explained_share(self) -> float | None:
        """Share of the sheets where it fired that were explained instead."""
        return self.explained / self.fired if self.fired else None

    @property
    def stops(self) -> int:
        """Sheets that it prevents from being filed."""
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
    """Rounds that have opened, newest first."""
    return list(CollectionRound.objects.exclude(state=CollectionRound.State.PLANNED).order_by("-year"))


def round_of_year(year: str, rounds: list[CollectionRound]) -> CollectionRound | None:
    """The round of a year, else the open one, else the newest."""
    named = [round_ for round_ in rounds if str(round_.year) == year]
    is_open = [round_ for round_ in rounds if round_.state == CollectionRound.State.OPEN]
    return next(iter(named or is_open or rounds), None)


def begun_by_form(user: User, round_: CollectionRound, category: str) -> dict[int, int]:
    """Number of started sheets by questionnaire version."""
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
    """Rules that fired, and the rules of these forms that never fired."""
    fired = _fired(user, round_, category)
    _add_reasons(_of(Explanation, user, category).filter(submission__round=round_), fired)
    never_fired: dict[str, RuleRate] = {}
    for key, form in forms.items():
        for edit in form.edits:
            rate = fired.get(edit.code) or never_fired.setdefault(
                edit.code, RuleRate(edit.code, edit.severity)
            )
            rate.applicable += begun[key]
            if rate.message is None:
                rate.message = message_with_names(form, edit)
        for code, item in form.items.items():
            for prefix in (INVALID, MISSING):
                if built_in := fired.get(prefix + code):
                    built_in.applicable += begun[key]
                    built_in.message = item.label
    return list(fired.values()), sorted(never_fired.values(), key=lambda rate: rate.edit)


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


def _add_reasons(rows: "QuerySet[Explanation]", rates_by_edit: dict[str, RuleRate]) -> None:
    verdict = Explanation.Verdict
    counted = rows.values_list("edit").annotate(
        explained=Count("pk"),
        accepted=Count("pk", filter=Q(verdict=verdict.ACCEPTED)),
        refused=Count("pk", filter=Q(verdict=verdict.REFUSED)),
    )
    for edit, explained, accepted, refused in counted.order_by():
        if rate := rates_by_edit.get(edit):
            rate.explained, rate.accepted, rate.refused = explained, accepted, refused


def ordered(rates: list[RuleRate], order: str) -> list[RuleRate]:
    """Largest first, or by code."""
    if order == "edit":
        return sorted(rates, key=lambda rate: rate.edit)
    name = {"changed": "changed_share", "explained": "explained_share"}.get(order, order)
    return sorted(rates, key=lambda rate: (-(getattr(rate, name) or 0), -rate.fired, rate.edit))


def form_times(user: User, round_: CollectionRound) -> list[Times]:
    """Median time of each form."""
    rows = _of(SectionTime, user, "").filter(round=round_, section="")
    counted = rows.values_list("category").annotate(size=Count("pk"), median=Median("seconds"))
    return [Times(code, None, size, median) for code, size, median in counted.order_by("category")]


def usual_minutes(category: str, year: int) -> dict[str, int]:
    """Median minutes that filed forms of a category took, by section code; "" is the whole form.

    National, and of at least FEWEST_FORMS forms: those of the year, else those of the year before. Takes no user: it shows
    no unit and no answer. Read once an hour.
    """
    key = f"usual-minutes:{category}:{year}"
    known: dict[str, int] | None = cache.get(key)
    if known is None:
        known = _median_minutes(category, year) or _median_minutes(category, year - 1)
        cache.set(key, known, CACHED_SECONDS)
    return known


def _median_minutes(category: str, year: int) -> dict[str, int]:
    rows = SectionTime.objects.filter(round__year=year, category=category)
    counted = rows.values_list("section").annotate(size=Count("pk"), median=Median("seconds")).order_by()
    return {section: max(1, round(median / 60)) for section, size, median in counted if size >= FEWEST_FORMS}


def section_times(
    user: User, round_: CollectionRound, category: str, forms: dict[int, Questionnaire]
) -> list[Times]:
    """Median time of each section of one category's form, in form order, and of the complete form under ""."""
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
