"""Reads of the composite index: what it is made from, and its newest result."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from estimation.index.compute import Places
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
    """The index that was asked for last."""
    return IndexResult.objects.filter(run=run).order_by("-requested_at", "-pk").first()


def finished_index(run: EstimationRun) -> IndexResult | None:
    """The newest index that is there."""
    return (
        IndexResult.objects.filter(run=run, state=EstimationRun.State.FINISHED)
        .select_related("bootstrap")
        .order_by("-finished_at", "-pk")
        .first()
    )


def newest_replicates(run: EstimationRun) -> Bootstrap | None:
    """The finished bootstrap with the most replicates."""
    return run.bootstraps.filter(state=EstimationRun.State.FINISHED).order_by("-replicates", "-pk").first()


def places_of(run: EstimationRun, kind: str, bootstrap: Bootstrap | None) -> Places:
    """The indicators of every region or industry, with their replicates."""
    codes = CODES[kind]
    shape = (len(codes), len(INDICATORS))
    values, n, poor = np.zeros(shape), np.zeros(shape, dtype=np.int64), np.ones(shape, dtype=bool)
    where = {code: place for place, code in enumerate(codes)}
    which = {(one.variable, one.statistic): place for place, one in enumerate(INDICATORS)}
    rows = Estimate.objects.filter(
        run=run,
        year=run.round.year,
        domain_kind=kind,
        variable__in={one.variable for one in INDICATORS},
        statistic__in={one.statistic for one in INDICATORS},
    ).values_list("variable", "statistic", "domain_code", "value", "n", "grade")
    for variable, statistic, code, value, count, grade in rows:
        if (variable, statistic) in which and code in where and value is not None:
            at = (where[code], which[variable, statistic])
            values[at], n[at], poor[at] = value, count, grade == "E"
    return Places(kind, tuple(codes), values, n, poor, _replicates(run, kind, bootstrap))


def _replicates(run: EstimationRun, kind: str, bootstrap: Bootstrap | None) -> Any:
    """(B, u, k); an indicator that the bootstrap does not hold keeps 0, as its estimate does."""
    if bootstrap is None:
        return None
    rows, cells = replicates_of(bootstrap), frame_of(run).cells
    place = {(cell.variable, cell.statistic, cell.kind, cell.code): s for s, cell in enumerate(cells)}
    found = np.zeros((len(rows), len(CODES[kind]), len(INDICATORS)))
    for u, code in enumerate(CODES[kind]):
        for k, one in enumerate(INDICATORS):
            column = place.get((one.variable, one.statistic, kind, code))
            if column is not None:
                found[:, u, k] = rows[:, column]
    return found


def all_places(run: EstimationRun, bootstrap: Bootstrap | None) -> list[Places]:
    """Regions and industries."""
    return [places_of(run, kind, bootstrap) for kind in KINDS]


def respondent_year(run: EstimationRun) -> Year:
    """The frozen sheets of the run, with the items that the model reads."""
    spec = RunSpec.from_json(run.spec)
    known = {entry["code"] for entry in run.microdata.layout.variables}
    return read_year(
        run.microdata,
        run.design,
        variables=[code for code in variables() if code in known],
        use_edited=spec.use_edited,
        use_imputed=spec.use_imputed,
    )


@dataclass(frozen=True, slots=True)
class PlaceRow:
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


def place_rows(document: dict[str, Any], kind: str, order: str) -> list[PlaceRow]:
    """The places of a stored document in the wanted order."""
    held = document["kinds"][kind]
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
    rows = [PlaceRow(*one) for one in zip(*(held[name] for name in names), strict=True)]
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
