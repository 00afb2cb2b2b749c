"""How far the largest units make a total up, for every domain of the releases. Arrays, no database.

Weighted totals follow Hundepool et al. (2012), section 4.2: a unit of weight two or more stands beside a twin of
its own size, and shares are taken of the estimated total.
"""

from dataclasses import dataclass

import numpy as np

from estimation.methods import primary_cells
from estimation.methods.arrays import Floats, Ints
from estimation.runs.compute.arrays import Year, crossed_domain, domains_of
from estimation.runs.compute.spec import RunSpec
from estimation.runs.compute.treat import treat
from estimation.runs.compute.weigh import weigh

KINDS = ("region", "region_enterprise", "section", "industry_group", "category", "group")


@dataclass(frozen=True, slots=True)
class Concentration:
    """Contributors of a total, and the shares of the largest and of the two largest."""

    units: int
    largest: float
    two_largest: float


def concentrations(year: Year, spec: RunSpec) -> dict[tuple[str, str, str], Concentration]:
    """By (variable, domain kind, domain code), from the values that the run used."""
    weighted = weigh(year, spec)
    values = treat(year, weighted, spec).values
    weight = weighted.sample.weight
    result: dict[tuple[str, str, str], Concentration] = {}
    domains = [*domains_of(year, KINDS, data_enterprises=spec.data_enterprises), crossed_domain(year)]
    for domain in domains:
        for column, item in enumerate(year.items):
            if item.is_amount and (domain.kind in KINDS or item.code in spec.crossed):
                for code, concentration in zip(
                    domain.labels,
                    concentration_of(values[:, column], weight, domain.codes, len(domain.labels)),
                    strict=True,
                ):
                    result[item.code, domain.kind, code] = concentration
    return result


def concentration_of(value: Floats, weight: Floats, codes: Ints, size: int) -> list[Concentration]:
    """One a domain, from values and weights (n,) and codes (n,), -1 outside."""
    inside = np.flatnonzero((codes >= 0) & (value > 0))
    amount, cell_code, times = value[inside], codes[inside], weight[inside]
    twins = times >= 2.0
    cells = primary_cells(
        np.concatenate([amount, amount[twins]]), np.concatenate([cell_code, cell_code[twins]]), cells=size
    )
    units = np.bincount(cell_code, minlength=size)
    total = np.bincount(cell_code, weights=amount * np.maximum(times, 1.0), minlength=size)
    share = cells.total / np.where(total > 0, total, 1.0)
    return [
        Concentration(int(n), float(largest), float(two))
        for n, largest, two in zip(units, cells.largest * share, cells.two_largest * share, strict=True)
    ]
