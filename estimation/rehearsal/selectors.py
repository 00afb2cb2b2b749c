"""Estimates held against the truth that only a synthetic population has."""

from dataclasses import dataclass

from django.db import connection

from estimation.rehearsal.models import Rehearsal, TrueValue
from estimation.runs.models import EstimationRun

# Estimates that are worth a confidence interval: sampled, with some units, and of usable quality.
_JOINED = """
    FROM estimation_estimate e JOIN estimation_truevalue t USING (year, variable, statistic, domain_kind, domain_code)
    WHERE e.run_id = %(run)s
"""
_SAMPLED = "e.se > 1e-9 * abs(e.value) AND e.n >= %(minimum)s"
_COVERED = "t.value BETWEEN e.lower AND e.upper"
_STEPS = (0, 30, 100, 1000)  # positive answers behind an estimate


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many intervals of one kind cover the truth."""

    kind: str
    statistic: str
    sampled: int
    covered: int
    exact: int  # estimates without sampling error

    @property
    def share(self) -> float | None:
        """Covered over sampled."""
        return self.covered / self.sampled if self.sampled else None


@dataclass(frozen=True, slots=True)
class CoverageByAnswers:
    """How many intervals cover the truth, for estimates with so many positive answers; shares apart."""

    low: int
    high: int | None  # exclusive
    amounts: int
    amounts_covered: int
    shares: int
    shares_covered: int

    @property
    def amount_share(self) -> float | None:
        """Covered over sampled, of totals, means, ratios and growth."""
        return self.amounts_covered / self.amounts if self.amounts else None

    @property
    def share_share(self) -> float | None:
        """Covered over sampled, of proportions."""
        return self.shares_covered / self.shares if self.shares else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """One estimate beside the truth."""

    year: int
    variable: str
    statistic: str
    kind: str
    code: str
    value: float
    se: float | None
    lower: float | None
    upper: float | None
    n: int
    grade: str
    truth: float

    @property
    def covered(self) -> bool | None:
        """Does the interval hold the truth? None without sampling error."""
        if self.lower is None or self.upper is None or not self.se:
            return None
        return self.lower <= self.truth <= self.upper

    @property
    def deviation(self) -> float | None:
        """Relative difference from the truth."""
        return (self.value - self.truth) / abs(self.truth) if self.truth else None

    @property
    def errors(self) -> float | None:
        """Difference in standard errors."""
        return (self.value - self.truth) / self.se if self.se else None


def rehearsal() -> Rehearsal | None:
    """The newest build, or None outside a rehearsal."""
    return Rehearsal.objects.order_by("-built_at").first()


def has_truth() -> bool:
    """True when this database holds a synthetic population."""
    return TrueValue.objects.exists()


def coverage(run: EstimationRun, *, minimum: int = 30) -> list[Coverage]:
    """Covering intervals by kind of domain and statistic, for estimates with at least ``minimum`` units."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT e.domain_kind, e.statistic, count(*) FILTER (WHERE {_SAMPLED}),"
            f" count(*) FILTER (WHERE {_SAMPLED} AND {_COVERED}), count(*) FILTER (WHERE NOT e.se > 1e-9 * abs(e.value))"
            f" {_JOINED} GROUP BY 1, 2 ORDER BY 1, 2",
            {"run": run.pk, "minimum": minimum},
        )
        return [Coverage(*row) for row in cursor.fetchall()]


def coverage_by_answers(run: EstimationRun, *, minimum: int = 30) -> list[CoverageByAnswers]:
    """Covering intervals by the number of positive answers: few and skewed ones make intervals too short."""
    share = "e.statistic = 'proportion'"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT width_bucket(e.n_positive, %(steps)s),"
            f" count(*) FILTER (WHERE NOT {share}), count(*) FILTER (WHERE NOT {share} AND {_COVERED}),"
            f" count(*) FILTER (WHERE {share}), count(*) FILTER (WHERE {share} AND {_COVERED})"
            f" {_JOINED} AND {_SAMPLED} GROUP BY 1 ORDER BY 1",
            {"run": run.pk, "minimum": minimum, "steps": list(_STEPS)},
        )
        bounds = dict(enumerate(zip(_STEPS, (*_STEPS[1:], None), strict=True), start=1))
        return [CoverageByAnswers(*bounds[number], *counts) for number, *counts in cursor.fetchall()]


def comparisons(
    run: EstimationRun, *, statistic: str, kind: str, year: int, variable: str = "", limit: int = 400
) -> list[Comparison]:
    """Estimates beside the truth, in the order of the variables."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.year, e.variable, e.statistic, e.domain_kind, e.domain_code, e.value, e.se, e.lower, e.upper,"
            f" e.n, e.grade, t.value {_JOINED}"
            " AND e.statistic = %(statistic)s AND e.domain_kind = %(kind)s AND e.year = %(year)s"
            " AND (%(variable)s = '' OR e.variable = %(variable)s)"
            " ORDER BY e.variable, e.domain_code LIMIT %(limit)s",
            {
                "run": run.pk,
                "statistic": statistic,
                "kind": kind,
                "year": year,
                "variable": variable,
                "limit": limit,
            },
        )
        return [Comparison(*row) for row in cursor.fetchall()]
