"""How far the largest units make the totals of a run up, for every domain whose totals are published. Pure numpy.

Weighted totals follow Hundepool et al. (2012), section 4.2: a unit of weight two or more stands beside a twin of
its own size, and shares are taken of the estimated total.
"""

from dataclasses import dataclass

import numpy as np

from estimation.methods.arrays import Floats, Ints
from estimation.runs.compute.arrays import crossed_domain, domains_of
from estimation.runs.compute.levels import Prepared
from estimation.runs.compute.spec import DERIVED, RunSpec

KINDS = ("region", "region_enterprise", "section", "industry_group", "category", "group")
_BATCH = 16  # items looked at together: their values fit the cache of a processor


@dataclass(frozen=True, slots=True)
class Concentration:
    """Contributors of a total, and the shares of the largest and of the two largest."""

    units: int
    largest: float
    two_largest: float


@dataclass(frozen=True)
class ContributorColumns:
    """Concentration of every total that has a contributor, as columns of one length."""

    variable: list[str]
    kind: list[str]
    code: list[str]
    units: list[int]
    largest: list[float]
    two_largest: list[float]


@dataclass(frozen=True)
class Shares:
    """Contributors, and the shares of the largest and of the two largest, of k items in D domains, arrays (D, k)."""

    units: Ints
    largest: Floats
    two_largest: Floats


def contributors_of(prepared: Prepared, spec: RunSpec) -> ContributorColumns:
    """Of a year's totals, from the values and weights of the run; crossed domains for the crossed items."""
    columns = prepared.where("amount").tolist()
    amounts = [
        (column, prepared.codes[column]) for column in columns if prepared.codes[column] not in DERIVED
    ]
    crossed = [(column, name) for column, name in amounts if name in spec.crossed]
    result = ContributorColumns([], [], [], [], [], [])
    weight = prepared.weighted.sample.weight
    domains = domains_of(prepared.year, KINDS, data_enterprises=spec.data_enterprises)
    for domain, items in (
        *((domain, amounts) for domain in domains),
        (crossed_domain(prepared.year), crossed),
    ):
        for start in range(0, len(items), _BATCH):
            batch = items[start : start + _BATCH]
            values = np.take(prepared.treated.values, [column for column, _name in batch], axis=1)
            shares = shares_of(values, weight, domain.codes, len(domain.labels))
            stored = shares.units > 0
            index, item = np.nonzero(stored)
            result.variable.extend(batch[i][1] for i in item.tolist())
            result.kind.extend([domain.kind] * len(index))
            result.code.extend(domain.labels[d] for d in index.tolist())
            result.units.extend(shares.units[stored].tolist())
            result.largest.extend(shares.largest[stored].tolist())
            result.two_largest.extend(shares.two_largest[stored].tolist())
    return result


def shares_of(values: Floats, weight: Floats, codes: Ints, size: int) -> Shares:
    """From values (n, k), weights and codes (n,), -1 outside. Who reports nothing contributes nothing."""
    inside = np.flatnonzero(codes >= 0)
    order = inside[np.argsort(codes[inside], kind="stable")]
    shape = (size, values.shape[1])
    units, largest, two_largest = np.zeros(shape, np.int64), np.zeros(shape), np.zeros(shape)
    if len(order):
        amount = values[order]
        amount = np.where(amount > 0.0, amount, 0.0)
        times = weight[order, None]
        stored, start, number = np.unique(codes[order], return_index=True, return_counts=True)
        total = np.add.reduceat(amount * np.maximum(times, 1.0), start, axis=0)
        first = np.maximum.reduceat(amount, start, axis=0)
        is_first = amount == np.repeat(first, number, axis=0)
        # Beside the largest unit stands its twin, another one of its size, or the next in order.
        others = np.where(is_first, np.where(times >= 2.0, amount, 0.0), amount)
        second = np.maximum.reduceat(others, start, axis=0)
        second = np.where(np.add.reduceat(is_first, start, axis=0, dtype=np.int64) > 1, first, second)
        divisor = np.where(total > 0.0, total, 1.0)
        units[stored] = np.add.reduceat(amount > 0.0, start, axis=0, dtype=np.int64)
        largest[stored], two_largest[stored] = first / divisor, (first + second) / divisor
    return Shares(units, largest, two_largest)
