"""The estimates of a bootstrap replicate: totals with re-estimated cutoffs, ratios, proportions, and indicators of them.

Pure. A replicate is a function of the weights, so that ``estimation.methods.estimators.bootstrap`` computes it from
(seed, number) alone: the result depends neither on the size of a chunk nor on the number or order of the workers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from estimation.methods.arrays import Floats
from estimation.methods.estimators.bootstrap import bootstrap_part
from estimation.runs.compute.arrays import Domain, Year, domains_of
from estimation.runs.compute.cells import Cell
from estimation.runs.compute.cellsums import indicator
from estimation.runs.compute.pipeline import with_flow_basis
from estimation.runs.compute.spec import CROSSED, RunSpec
from estimation.runs.compute.treat import treat
from estimation.runs.compute.weigh import Weighted, weigh
from survey.classification import REGIONS, SECTIONS

AMOUNTS = CROSSED
YESNO = ("T01", "A01", "V05")
RATIO_NAMES = ("D01/S02", "A02/S02", "F04/F01", "V01/B10", "B17/B09")
KINDS = ("nation", "region", "section")
SHARED = ("P01", "F01", "S02")  # items whose national shares are computed
LARGEST = 5  # regions whose joint share measures concentration
PER_CAPITA = ("P01", "EXT-P01-OUTSIDE", "EXT-POP", 10_000.0)  # population is counted in ten thousands


def required_variables(available: Sequence[str], spec: RunSpec) -> list[str]:
    """Items that a replicate reads, of those that the layout has."""
    codes = [*AMOUNTS, *YESNO, *(part for name in RATIO_NAMES for part in name.split("/"))]
    if spec.flow_basis != "both":
        codes += ["F02", "F03"]
    return [code for code in dict.fromkeys(codes) if code in available]


@dataclass(frozen=True)
class Frame:
    """One year ready for replicates.

    member : (D, n) 0/1 matrix of all domains; cells : (S,) names of the numbers of a replicate, domain by domain:
    amounts, proportions, ratios
    """

    year: Year
    weighted: Weighted
    spec: RunSpec
    member: sparse.csr_array
    cells: tuple[Cell, ...]
    amounts: tuple[int, ...]
    yesno: tuple[int, ...]
    ratios: tuple[tuple[int, int], ...]

    @property
    def value(self) -> Floats:
        """(S,) of the full sample."""
        return self.statistic(self.weighted.sample.weight)

    def statistic(self, weight: Floats) -> Floats:
        """(S,) of a replicate with these weights (n,)."""
        factor = weight / self.weighted.sample.weight
        treated = treat(self.year, self.weighted, self.spec, factor)
        amounts = treated.values[:, list(self.amounts)]
        tops, bottoms = [], []
        for column in self.yesno:
            have = treated.answered[:, column]
            tops.append(np.where(have, treated.values[:, column], 0.0))
            bottoms.append(have.astype(np.float64))
        for a, b in self.ratios:
            both = treated.answered[:, a] & treated.answered[:, b]
            tops.append(np.where(both, treated.values[:, a], 0.0))
            bottoms.append(np.where(both, treated.values[:, b], 0.0))
        columns = np.column_stack([amounts, *tops, *bottoms])
        columns *= weight[:, None]
        sums = np.asarray(self.member @ columns)
        k, q = amounts.shape[1], len(tops)
        base = sums[:, k + q :]
        quotients = np.where(base > 0, sums[:, k : k + q] / np.where(base > 0, base, 1.0), 0.0)
        return np.concatenate([sums[:, :k], quotients], axis=1).ravel()

    def rows(self, *, seed: int, first: int, count: int, beat: Callable[[], None] | None = None) -> Floats:
        """Replicates first .. first + count - 1, (count, S). ``beat`` is called before each and may raise."""

        def statistic(weight: Floats) -> Floats:
            if beat is not None:
                beat()
            return self.statistic(weight)

        return bootstrap_part(self.weighted.sample, statistic, first=first, count=count, seed=seed)


def build_frame(year: Year, spec: RunSpec) -> Frame:
    """Weight a year and set up the estimates of its replicates."""
    year = with_flow_basis(year, spec)
    codes = {item.code: column for column, item in enumerate(year.items)}
    amounts = [code for code in AMOUNTS if code in codes]
    yesno = [code for code in YESNO if code in codes]
    ratios = [name for name in RATIO_NAMES if all(part in codes for part in name.split("/"))]
    domains = domains_of(year, KINDS, data_enterprises=spec.data_enterprises)
    cells = []
    for domain in domains:
        for label in domain.labels:
            names = [(code, "total") for code in amounts]
            names += [(code, "proportion") for code in yesno] + [(name, "ratio") for name in ratios]
            cells += [Cell(year.year, code, statistic, domain.kind, label) for code, statistic in names]
    pairs = [name.split("/") for name in ratios]
    return Frame(
        year,
        weigh(year, spec),
        spec,
        _member(domains),
        tuple(cells),
        tuple(codes[code] for code in amounts),
        tuple(codes[code] for code in yesno),
        tuple((codes[a], codes[b]) for a, b in pairs),
    )


def _member(domains: Sequence[Domain]) -> sparse.csr_array:
    return sparse.csr_array(
        sparse.vstack([indicator(domain.codes, len(domain.labels)) for domain in domains])
    )


def chained(
    cells: Sequence[Cell], rows: Floats, external: Mapping[str, float]
) -> tuple[tuple[Cell, ...], Floats]:
    """Indicators derived from several estimates, (B, C) from replicates (B, S): shares, concentration, per head.

    external : values of the year by code; an indicator whose parts are missing is omitted
    """
    column_of = {(cell.variable, cell.statistic, cell.kind, cell.code): s for s, cell in enumerate(cells)}
    year = cells[0].year if cells else 0
    names: list[Cell] = []
    columns: list[Floats] = []

    def add(variable: str, statistic: str, kind: str, code: str, top: Floats, bottom: Floats) -> None:
        names.append(Cell(year, variable, statistic, kind, code))
        columns.append(np.where(bottom > 0, top / np.where(bottom > 0, bottom, 1.0), 0.0))

    for variable in SHARED:
        if (variable, "total", "nation", "all") not in column_of:
            continue

        def total(kind: str, code: str, variable: str = variable) -> Floats:
            return rows[:, column_of[variable, "total", kind, code]]

        national, enterprises = total("nation", "all"), total("nation", "enterprise")
        add(variable, "share", "nation", "enterprise", enterprises, national)
        regions = np.stack([total("region", code) for code in REGIONS], axis=1)
        for r, code in enumerate(REGIONS):
            add(variable, "share", "region", code, regions[:, r], national)
        for code in SECTIONS:
            add(variable, "share", "section", code, total("section", code), enterprises)
        add(
            variable,
            "top_share",
            "nation",
            "all",
            np.sort(regions, axis=1)[:, -LARGEST:].sum(axis=1),
            national,
        )
    item, outside, people, factor = PER_CAPITA
    if (item, "total", "nation", "all") in column_of and {outside, people} <= external.keys():
        amount = rows[:, column_of[item, "total", "nation", "all"]] + external[outside]
        add(item, "per_capita", "nation", "all", amount, np.full(len(rows), external[people] * factor))
    return tuple(names), np.stack(columns, axis=1) if columns else np.zeros((len(rows), 0))
