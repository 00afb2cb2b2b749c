"""Reads for the methods page of a run, from the stored rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Case, Count, F, QuerySet, Sum, When
from django.utils.translation import gettext_lazy as _

from estimation.runs.compute.spec import RunSpec
from estimation.runs.models import Cutoff, Estimate, EstimationRun, StratumWeight
from estimation.runs.selectors import treated_summary

_DRAWN = Case(When(region="", then=F("stratum__drawn")), default=F("population"))
PRINTED = ("total", "ratio", "proportion")
PRINTED_KINDS = ("nation", "group", "industry_group", "section", "region")
_MEANING: tuple[tuple[str, Any, Any], ...] = (
    ("winsorization.method", _("Extreme values"),
     _("winsorize moves a positive value to the cutoff of its class, optimal lowers it towards the cutoff of least error,"
       " trim drops it, none leaves it")),
    ("winsorization.lower", _("Lower quantile"), _("cutoff below which positive values are raised")),
    ("winsorization.upper", _("Upper quantile"), _("cutoff above which positive values are lowered")),
    ("winsorization.minimum", _("Positive values a class needs"),
     _("a class with fewer takes the cutoffs of its category group, then those of all units")),
    ("winsorization.weighted", _("Weighted quantiles"), _("whether cutoffs are quantiles of the population or of the sample")),
    ("lonely", _("Stratum with one answer"),
     _("adjust centres it on the grand mean, average gives it the mean of the others, certainty adds nothing, fail stops")),
    ("collapse_path", _("Collapsing path"), _("steps by which thin strata are joined; the industry never")),
    ("minimum_respondents", _("Respondents a stratum needs"), _("fewer are joined along the path, unless all were asked")),
    ("response_classes", _("Units without answer in take-all strata"),
     _("region: those of their region stand for them, stratum: those of the whole nation")),
    ("response_largest", _("Largest weight there"),
     _("a region whose answers would weigh more, or are too few, is joined to its macro-region, then to the nation")),
    ("item_nonresponse", _("Required amount that is missing"),
     _("stratum_mean fills it with the mean of its stratum, zero with nothing")),
    ("flow_basis", _("Circulated data counted"), _("at both ends of a flow, at the provider, or at the receiver")),
    ("data_enterprises", _("Data enterprises"), _("categories 8 to 12, or industry section I")),
    ("growth_form", _("Growth on the fixed panel"),
     _("stratified weighs class rates by last year's levels, combined divides the panel totals")),
    ("use_edited", _("Edited values"), _("whether a value that was edited in review replaces the collected one")),
    ("use_imputed", _("Imputed values"), _("whether an imputed value replaces a missing one")),
    ("level", _("Interval level"), _("probability of the intervals, with normal quantiles")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a run with its meaning."""

    name: str
    label: Any
    value: str
    meaning: Any


def parameters(run: EstimationRun) -> list[Parameter]:
    """Every parameter that has a meaning for a reader, with the value that the run used."""
    spec = RunSpec.from_json(run.spec).to_json()
    rows = []
    for name, label, meaning in _MEANING:
        value: Any = spec
        for part in name.split("."):
            value = value[part]
        text = " → ".join(value) if isinstance(value, list) else str(value)
        rows.append(Parameter(name, label, text, meaning))
    return rows


def treatment_effects(run: EstimationRun) -> list[dict[str, Any]]:
    """Per item of the run's own year: values treated, national total before and after."""
    totals = dict(
        Estimate.objects.filter(
            run=run, year=run.round.year, statistic="total", domain_kind="nation", domain_code="all"
        ).values_list("variable", "value")
    )
    rows = []
    for row in treated_summary(run):
        after, share = totals.get(row["variable"]), row["share"]
        before = after / (1.0 + share) if after is not None and share is not None and share > -1.0 else None
        rows.append({**row, "before": before, "after": after})
    return rows


def cutoffs_of(run: EstimationRun, variable: str, year: int) -> QuerySet[Cutoff]:
    """Cutoffs of an item by class."""
    return Cutoff.objects.filter(run=run, variable=variable, year=year).order_by("treatment_class")


def cutoff_variables(run: EstimationRun) -> list[str]:
    """Items that have cutoffs."""
    return sorted(Cutoff.objects.filter(run=run).values_list("variable", flat=True).distinct())


def collapsing(run: EstimationRun, year: int) -> tuple[list[Any], QuerySet[StratumWeight]]:
    """Number of design strata collapsed at each step, and these strata."""
    rows = StratumWeight.objects.filter(run=run, year=year).exclude(collapsed_step="")
    steps = list(
        rows.values("collapsed_step")
        .annotate(strata=Count("pk"), population=Sum("population"), respondents=Sum("respondents"))
        .order_by("collapsed_step")
    )
    return steps, rows.select_related("stratum").order_by("estimation_stratum", "pk")


@dataclass(frozen=True, slots=True)
class WeightFacts:
    """Distribution of the units' weights. ``effective`` is the effective size (sum w)^2 / sum w^2 (Kish)."""

    pairs: tuple[tuple[float, int], ...]
    units: int
    total: float
    lowest: float
    median: float
    high: float
    largest: float
    effective: float

    @property
    def effect(self) -> float:
        """Design effect of unequal weights."""
        return self.units / self.effective


def weight_facts(run: EstimationRun, year: int) -> WeightFacts | None:
    """The weights of the responding units, or None without units."""
    rows = StratumWeight.objects.filter(run=run, year=year, respondents__gt=0).order_by("weight")
    pairs = tuple(
        (weight, units) for weight, units in rows.values_list("weight", "respondents") if weight is not None
    )
    units = sum(count for _w, count in pairs)
    if not units:
        return None
    total = sum(weight * count for weight, count in pairs)
    squares = sum(weight**2 * count for weight, count in pairs)
    return WeightFacts(
        pairs,
        units,
        total,
        pairs[0][0],
        _at(pairs, 0.5 * units),
        _at(pairs, 0.95 * units),
        pairs[-1][0],
        total**2 / squares,
    )


def _at(pairs: Sequence[tuple[float, int]], count: float) -> float:
    """Weight of the unit at a position in ascending order."""
    passed = 0
    for weight, units in pairs:
        passed += units
        if passed >= count:
            return weight
    return pairs[-1][0]


def grades_by_kind(run: EstimationRun) -> list[tuple[str, dict[str, int], int]]:
    """Kind of domain, estimates by grade, number of estimates."""
    counts: dict[str, dict[str, int]] = {}
    rows = Estimate.objects.filter(run=run).values_list("domain_kind", "grade").annotate(count=Count("pk"))
    for kind, grade, count in rows.order_by("domain_kind", "grade"):
        counts.setdefault(kind, dict.fromkeys("ABCDE", 0))[grade or "E"] += count
    return [(kind, grades, sum(grades.values())) for kind, grades in counts.items()]


def worst(run: EstimationRun, limit: int = 20) -> list[Estimate]:
    """The least precise of the printed estimates."""
    rows = Estimate.objects.filter(
        run=run, year=run.round.year, statistic__in=PRINTED, domain_kind__in=PRINTED_KINDS, cv__isnull=False
    )
    return list(rows.order_by("-cv", "variable", "domain_code")[:limit])


@dataclass(frozen=True, slots=True)
class Response:
    """Drawn and valid units of a group of strata."""

    kind: str
    category: str
    section: str
    size: str
    strata: int
    population: int
    drawn: int
    valid: int

    @property
    def rate(self) -> float | None:
        """Valid over drawn units; units that answered without being drawn can raise it above 1."""
        return self.valid / self.drawn if self.drawn else None


def response(run: EstimationRun, year: int) -> list[Response]:
    """Response by category of institutions, by section and size of enterprises, and of the certainty classes."""
    keys = ("stratum__kind", "stratum__category", "stratum__section", "stratum__size")
    rows = (
        StratumWeight.objects.filter(run=run, year=year)
        .values(*keys)
        .annotate(
            strata=Count("stratum", distinct=True),
            drawn=Sum(_DRAWN),
            population=Sum("population"),
            valid=Sum("respondents"),
        )
        .order_by(*keys)
    )
    return [Response(*row) for row in rows.values_list(*keys, "strata", "population", "drawn", "valid")]


def summed(rows: Sequence[Response]) -> Response:
    """All groups together."""
    counts = [[row.strata, row.population, row.drawn, row.valid] for row in rows]
    return (
        Response("", "", "", "", *(sum(column) for column in zip(*counts, strict=True)))
        if rows
        else Response("", "", "", "", 0, 0, 0, 0)
    )


def lowest_response(run: EstimationRun, year: int, limit: int = 20) -> list[StratumWeight]:
    """The strata and response classes with at least five drawn units and the lowest response rates."""
    weights = StratumWeight.objects.filter(run=run, year=year, stratum__drawn__gte=5).select_related(
        "stratum"
    )
    rows = [row for row in weights if row.drawn >= 5]
    rows.sort(key=lambda row: (row.respondents / row.drawn, -row.population, row.pk))
    return rows[:limit]


def design_effects(run: EstimationRun) -> list[tuple[str, str, int, float, float, float]]:
    """Kind of domain, statistic, estimates, quartiles of the design effect."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT domain_kind, statistic, count(*), percentile_cont(0.25) WITHIN GROUP (ORDER BY deff),"
            " percentile_cont(0.5) WITHIN GROUP (ORDER BY deff), percentile_cont(0.75) WITHIN GROUP (ORDER BY deff)"
            " FROM estimation_estimate WHERE run_id = %s AND year = %s AND deff IS NOT NULL AND statistic = ANY(%s)"
            " GROUP BY 1, 2 ORDER BY 1, 2",
            [run.pk, run.round.year, list(PRINTED)],
        )
        return list(cursor.fetchall())
