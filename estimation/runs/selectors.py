"""Reads of runs: they cover the whole country, for users who may see estimates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Count, F, Func, QuerySet, Sum
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from estimation.runs.compute.pipeline import STAGES
from estimation.runs.compute.spec import DERIVED
from estimation.runs.models import Estimate, EstimationRun, StratumWeight, TreatedUnit
from estimation.runs.readable import readable_unit
from survey import clock
from survey.access.models import User
from survey.access.roles import Permission
from survey.frame.models import ReportingUnit
from survey.request_values import row_key

STAGE_LABELS = {
    "read": _("Read"),
    "weight": _("Weighting"),
    "treat": _("Treat"),
    "estimate": _("Estimate"),
    "assemble": _("Assemble"),
    "check": _("Check"),
    "store": _("Store"),
}
_LATE_HEARTBEAT = 15  # seconds; every stage of a national run has more frequent heartbeats
REASON_LABELS = {
    "raised": _("Raised to the lower cutoff"),
    "lowered": _("Lowered to the upper cutoff"),
    "dropped_low": _("Dropped, below the lower cutoff"),
    "dropped_high": _("Dropped, above the upper cutoff"),
    "certainty": _("Left alone: certainty unit"),
    "weight_one": _("Left alone: weight 1"),
}
STATISTIC_LABELS = {
    "total": _("Total"),
    "mean": _("Mean"),
    "proportion": _("Proportion"),
    "ratio": _("Ratio"),
    "panel_growth": _("Growth, fixed panel"),
    "panel_simple": _("Growth, panel totals"),
    "level_growth": _("Growth of the level"),
    "multiple": _("Multiple of means"),
}
CHAINED_LABELS = {  # statistics of the bootstrap only
    "share": _("Share of the nation"),
    "top_share": _("Share of the five largest regions"),
    "per_capita": _("Per head"),
}
PERCENTS = frozenset(
    {"proportion", "ratio", "panel_growth", "panel_simple", "level_growth", "share", "top_share"}
)
KIND_LABELS = {
    "nation": _("Nation"), "region": _("Regions"), "region_enterprise": _("Regions, enterprises"),
    "section": _("Industry sections"), "industry_group": _("Industry groups"), "size": _("Sizes"),
    "category": _("Categories"), "group": _("Groups of table 1"), "region_section": _("Region by section"),
}  # fmt: skip


def all_runs() -> QuerySet[EstimationRun]:
    """Every run, newest first, without the long documents."""
    return EstimationRun.objects.select_related(
        "round", "microdata", "design", "requested_by", "superseded_by", "job"
    ).order_by("-requested_at")


def finished_runs() -> QuerySet[EstimationRun]:
    """Runs with results, newest first."""
    return all_runs().filter(state=EstimationRun.State.FINISHED).order_by("-round__year", "-finished_at")


def runs_with_inputs() -> QuerySet[EstimationRun]:
    """Finished runs with the related rows that recomputing one of their estimates reads."""
    return finished_runs().select_related(
        "microdata__round",
        "microdata__layout",
        "previous_microdata__round",
        "previous_microdata__layout",
        "design__round",
        "previous_design__round",
    )


@dataclass(frozen=True, slots=True)
class VariableName:
    """The name of a stored variable, and its unit."""

    code: str
    zh: str
    en: str
    unit: str

    @property
    def label(self) -> str:
        """The name in the language of the page."""
        return self.en if (get_language() or "").startswith("en") else self.zh


def variables_of(run: EstimationRun) -> dict[str, VariableName]:
    """Names of the variables of a run by code; ratios and sums are looked up through ``name_of``."""
    return {
        entry["code"]: VariableName(entry["code"], entry["zh"], entry["en"], entry["unit"])
        for entry in run.microdata.layout.variables
    }


def name_of(names: Mapping[str, VariableName], code: str) -> VariableName:
    """The name of a stored variable, also of a ratio "D01/S02" and of a sum "P03+P04"."""
    if code in names:
        return names[code]
    for sign, printed in (("/", " ÷ "), ("+", " + ")):
        if sign in code:
            parts = [names.get(part, VariableName(part, part, part, "")) for part in code.split(sign)]
            return VariableName(
                code,
                printed.join(part.zh for part in parts),
                printed.join(part.en for part in parts),
                parts[0].unit if sign == "+" and code in DERIVED else "",
            )
    return VariableName(code, code, code, "")


def shown_unit(
    names: Mapping[str, VariableName], variable: str, statistic: str, largest: float
) -> tuple[str, float]:
    """The unit in which a row of a list shows its numbers, and the factor to it; shares and growth are percent."""
    stored = name_of(names, variable).unit
    if statistic in PERCENTS:
        return "%", 1.0
    if statistic in ("total", "mean"):
        return readable_unit(stored, largest)
    return (f"{stored}/人", 1.0) if statistic == "per_capita" else ("", 1.0)


def seconds_without_heartbeat(run: EstimationRun) -> int:
    """Seconds since the last heartbeat of a running run's worker; 0 below the threshold."""
    job = run.job
    if run.state != EstimationRun.State.RUNNING or job is None or job.heartbeat_at is None:
        return 0
    seconds = int((clock.present() - job.heartbeat_at).total_seconds())
    return seconds if seconds > _LATE_HEARTBEAT else 0


def stage_list(run: EstimationRun) -> list[dict[str, Any]]:
    """Stages of a run for the page: name, state, seconds."""
    seconds = run.measured.seconds
    current = STAGES.index(run.stage) if run.stage in STAGES else -1
    finished = run.state == EstimationRun.State.FINISHED
    return [
        {
            "label": STAGE_LABELS[stage],
            "done": finished or index < current,
            "current": run.state == EstimationRun.State.RUNNING and index == current,
            "seconds": seconds.get(stage),
        }
        for index, stage in enumerate(STAGES)
    ]


def treated_of(
    run: EstimationRun, user: User, *, variable: str = "", reason: str = ""
) -> QuerySet[TreatedUnit]:
    """Values outside the cutoffs, largest effect first, of units whose answers this user may read."""
    units = ReportingUnit.objects.visible_to(user, Permission.VIEW_SHEETS)
    rows = TreatedUnit.objects.filter(run=run, unit__in=units).select_related("unit")
    if variable:
        rows = rows.filter(variable=variable)
    if reason:
        rows = rows.filter(reason=reason)
    return rows.order_by(Func(F("effect"), function="abs").desc(), "pk")


def treated_summary(run: EstimationRun) -> list[dict[str, Any]]:
    """Per variable of the run's own year: values changed and unchanged, and their effect on the total."""
    rows = (
        TreatedUnit.objects.filter(run=run, year=run.round.year)
        .values("variable")
        .annotate(count=Count("pk"), effect=Sum("effect"))
        .order_by("variable")
    )
    moved = dict(
        TreatedUnit.objects.filter(run=run, year=run.round.year)
        .exclude(effect=0)
        .values_list("variable")
        .annotate(count=Count("pk"))
    )
    totals = dict(
        Estimate.objects.filter(
            run=run, year=run.round.year, statistic="total", domain_kind="nation", domain_code="all"
        ).values_list("variable", "winsorized_share")
    )
    return [
        {**row, "moved": moved.get(row["variable"], 0), "share": totals.get(row["variable"])} for row in rows
    ]


def weights_of(run: EstimationRun, *, year: int, collapsed: bool = False) -> QuerySet[StratumWeight]:
    """Strata with their weights; largest weight first, or only the collapsed ones."""
    rows = StratumWeight.objects.filter(run=run, year=year).select_related("stratum")
    if collapsed:
        rows = rows.exclude(collapsed_step="")
    return rows.order_by(F("weight").desc(nulls_first=True), "pk")


@dataclass(frozen=True, slots=True)
class Difference:
    """One cell of two runs."""

    year: int
    variable: str
    statistic: str
    kind: str
    code: str
    first: float | None
    second: float | None
    first_n: int | None
    second_n: int | None
    change: float | None

    @property
    def is_percent(self) -> bool:
        """True where values are shares or rates."""
        return self.statistic in PERCENTS


def differences(
    first: EstimationRun, second: EstimationRun, *, statistic: str, kind: str, limit: int = 300
) -> tuple[list[Difference], int, int]:
    """Cells of two runs side by side, largest relative change first; the number that differ, and the number of cells."""
    inner = """
        SELECT coalesce(a.year, b.year) AS year, coalesce(a.variable, b.variable) AS variable,
               coalesce(a.statistic, b.statistic) AS statistic, coalesce(a.domain_kind, b.domain_kind) AS kind,
               coalesce(a.domain_code, b.domain_code) AS code, a.value AS first, b.value AS second,
               a.n AS first_n, b.n AS second_n,
               CASE WHEN a.value IS NULL OR b.value IS NULL THEN NULL
                    WHEN a.value = b.value THEN 0
                    ELSE (b.value - a.value) / greatest(abs(a.value), 1e-300) END AS change
        FROM (SELECT * FROM estimation_estimate WHERE run_id = %(first)s AND statistic = %(statistic)s
              AND domain_kind = %(kind)s) a
        FULL JOIN (SELECT * FROM estimation_estimate WHERE run_id = %(second)s AND statistic = %(statistic)s
              AND domain_kind = %(kind)s) b
        ON a.year = b.year AND a.variable = b.variable AND a.domain_code = b.domain_code
    """
    parameters: dict[str, Any] = {
        "first": first.pk,
        "second": second.pk,
        "statistic": statistic,
        "kind": kind,
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*), count(*) FILTER (WHERE change IS DISTINCT FROM 0) FROM ({inner}) cells",  # noqa: S608 constant text
            parameters,
        )
        total, differ = cursor.fetchone()
        cursor.execute(
            f"SELECT * FROM ({inner}) cells WHERE change IS DISTINCT FROM 0"  # noqa: S608 constant text
            " ORDER BY abs(change) DESC NULLS FIRST, year DESC, variable, code LIMIT %(limit)s",
            parameters,
        )
        return [Difference(*row) for row in cursor.fetchall()], int(differ), int(total)


def estimates_of(run: EstimationRun, **filters: Any) -> QuerySet[Estimate]:
    """Stored estimates of a run by equal values of year, variable, statistic, domain_kind, domain_code."""
    return Estimate.objects.filter(run=run, **{name: value for name, value in filters.items() if value})


def statistics_of(run: EstimationRun, variable: str) -> Sequence[str]:
    """Statistics that a variable has in a run, in the usual order."""
    available = set(
        Estimate.objects.filter(run=run, variable=variable, domain_kind="nation").values_list(
            "statistic", flat=True
        )
    )
    return [statistic for statistic in STATISTIC_LABELS if statistic in available]


def choose_run(key: str = "") -> EstimationRun | None:
    """The run with this key, else the newest finished run."""
    runs = finished_runs().select_related("microdata__layout")
    if key:
        return runs.filter(pk=row_key(key) or 0).first()
    return runs.first()
