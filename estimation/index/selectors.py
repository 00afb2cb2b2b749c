"""Reads of the composite index: its input, and its newest result."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from estimation.index.compute import DomainIndicators
from estimation.index.indicators import INDICATORS, KINDS, variables
from estimation.index.models import IndexResult
from estimation.runs.bootstrap.models import Bootstrap
from estimation.runs.bootstrap.selectors import frame_of, replicates_of
from estimation.runs.compute.arrays import Year
from estimation.runs.compute.spec import RunSpec
from estimation.runs.extraction.selectors import read_year
from estimation.runs.models import Estimate, EstimationRun
from survey.classification import REGIONS, SECTIONS

CODES: dict[str, Sequence[str]] = {"region": REGIONS, "section": SECTIONS}


def newest_index(run: EstimationRun) -> IndexResult | None:
    """The index that was requested last."""
    return IndexResult.objects.filter(run=run).order_by("-requested_at", "-pk").first()


def finished_index(run: EstimationRun) -> IndexResult | None:
    """The newest finished index."""
    return (
        IndexResult.objects.filter(run=run, state=EstimationRun.State.FINISHED)
        .select_related("bootstrap")
        .order_by("-finished_at", "-pk")
        .first()
    )


def newest_replicates(run: EstimationRun) -> Bootstrap | None:
    """The finished bootstrap with the most replicates."""
    return run.bootstraps.filter(state=EstimationRun.State.FINISHED).order_by("-replicates", "-pk").first()


def domain_indicators(run: EstimationRun, kind: str, bootstrap: Bootstrap | None) -> DomainIndicators:
    """The indicators of every region or industry, with their replicates."""
    codes = CODES[kind]
    shape = (len(codes), len(INDICATORS))
    values, n, unreliable = np.zeros(shape), np.zeros(shape, dtype=np.int64), np.ones(shape, dtype=bool)
    row_of = {code: index for index, code in enumerate(codes)}
    column_of = {
        (indicator.variable, indicator.statistic): index for index, indicator in enumerate(INDICATORS)
    }
    rows = Estimate.objects.filter(
        run=run,
        year=run.round.year,
        domain_kind=kind,
        variable__in={indicator.variable for indicator in INDICATORS},
        statistic__in={indicator.statistic for indicator in INDICATORS},
    ).values_list("variable", "statistic", "domain_code", "value", "n", "grade")
    for variable, statistic, code, value, count, grade in rows:
        if (variable, statistic) in column_of and code in row_of and value is not None:
            at = (row_of[code], column_of[variable, statistic])
            values[at], n[at], unreliable[at] = value, count, grade == "E"
    return DomainIndicators(kind, tuple(codes), values, n, unreliable, _replicates(run, kind, bootstrap))


def _replicates(run: EstimationRun, kind: str, bootstrap: Bootstrap | None) -> Any:
    """(B, u, k); an indicator without replicates keeps 0, as its estimate does."""
    if bootstrap is None:
        return None
    rows, cells = replicates_of(bootstrap), frame_of(run).cells
    column_of = {(cell.variable, cell.statistic, cell.kind, cell.code): s for s, cell in enumerate(cells)}
    result = np.zeros((len(rows), len(CODES[kind]), len(INDICATORS)))
    for u, code in enumerate(CODES[kind]):
        for k, indicator in enumerate(INDICATORS):
            column = column_of.get((indicator.variable, indicator.statistic, kind, code))
            if column is not None:
                result[:, u, k] = rows[:, column]
    return result


def all_domains(run: EstimationRun, bootstrap: Bootstrap | None) -> list[DomainIndicators]:
    """The indicators of regions and of industries."""
    return [domain_indicators(run, kind, bootstrap) for kind in KINDS]


def respondent_year(run: EstimationRun) -> Year:
    """The frozen sheets of the run, with the items that the model reads."""
    spec = RunSpec.from_json(run.spec)
    available = {entry["code"] for entry in run.microdata.layout.variables}
    return read_year(
        run.microdata,
        run.design,
        variables=[code for code in variables() if code in available],
        use_edited=spec.use_edited,
        use_imputed=spec.use_imputed,
    )


@dataclass(frozen=True, slots=True)
class IndexRow:
    """One region or industry on the page."""

    code: str
    value: float
    rank: int
    geometric: float
    geometric_rank: int
    median: float
    low: float
    high: float
    method_low: float
    method_high: float
    thin: int
    scores: tuple[float, ...]


ORDERS = ("rank", "code", "geometric", "median", "low", "high", "thin")


def index_rows(document: dict[str, Any], kind: str, order: str) -> list[IndexRow]:
    """The domains of a stored document in the requested order."""
    stored = document["kinds"][kind]
    names = (
        "codes",
        "value",
        "rank",
        "geometric",
        "geometric_rank",
        "median",
        "low",
        "high",
        "method_low",
        "method_high",
        "thin",
        "scores",
    )
    rows = [IndexRow(*values) for values in zip(*(stored[name] for name in names), strict=True)]
    keys: dict[str, Any] = {
        "rank": lambda row: (row.rank, row.code),
        "code": lambda row: row.code,
        "geometric": lambda row: (row.geometric_rank, row.code),
        "median": lambda row: (row.median, row.code),
        "low": lambda row: (row.low, row.code),
        "high": lambda row: (row.high, row.code),
        "thin": lambda row: (-row.thin, row.code),
    }
    return sorted(rows, key=keys.get(order, keys["rank"]))
