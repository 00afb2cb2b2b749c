"""Whole-number tables with given margins: largest remainder, raking, controlled rounding, region x category."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray
from scipy.sparse import coo_matrix

from estimation.methods.arrays import Floats, Ints
from estimation.rehearsal.population.regions import (
    HEAD_OFFICES,
    HEAD_PLATFORMS,
    INVALID_BY_CATEGORY,
    PLANNED_CITIES,
    PLATFORM_OFFICES,
    REGION_INDEX,
    REGIONS,
    VALID_BY_CATEGORY,
)

Numbers = NDArray[Any]
R, C = 32, 14


def largest_remainder(
    shares: Numbers, total: int, *, minimum: Ints | int = 0, cap: Ints | None = None
) -> Ints:
    """Whole numbers proportional to `shares` (k,) that add up to `total`, within `minimum` and `cap`.

    Raises ValueError if the bounds cannot hold the total.
    """
    shares = np.asarray(shares, float)
    low = np.broadcast_to(np.asarray(minimum, np.int64), shares.shape)
    high = np.full(shares.shape, 10**12) if cap is None else np.asarray(cap, np.int64)
    if low.sum() > total or high.sum() < total:
        raise ValueError(f"total {total} is outside the bounds {low.sum()}..{high.sum()}")
    weights = np.where(shares > 0, shares, 1e-12)
    lower, upper = 0.0, max(1.0, 2.0 * (total + 1) / weights[weights > 1e-9].min(initial=1e12))
    for _ in range(200):  # bisection on the common factor, bounds respected
        middle = (lower + upper) / 2
        lower, upper = (
            (middle, upper) if np.clip(weights * middle, low, high).sum() < total else (lower, middle)
        )
    exact = np.clip(weights * upper, low, high)
    result: Ints = np.maximum(np.floor(exact + 1e-9).astype(np.int64), low)
    order = np.argsort(-(exact - result), kind="stable")
    while (gap := total - int(result.sum())) != 0:
        step = 1 if gap > 0 else -1
        for index in order if gap > 0 else order[::-1]:
            if gap == 0:
                break
            if low[index] <= result[index] + step <= high[index]:
                result[index] += step
                gap -= step
    return result


def rake(seed: Numbers, rows: Numbers, columns: Numbers, *, rounds: int = 400) -> Floats:
    """Table with the interactions of `seed` (a, b) and the margins `rows` (a,) and `columns` (b,)."""
    table = np.array(seed, float)
    for _ in range(rounds):
        table *= np.divide(rows, table.sum(1), out=np.zeros_like(rows, float), where=table.sum(1) > 0)[
            :, None
        ]
        totals = table.sum(0)
        table *= np.divide(columns, totals, out=np.zeros_like(columns, float), where=totals > 0)
        if np.abs(table.sum(1) - rows).max(initial=0) < 1e-9:
            break
    return table


def controlled_rounding(table: Floats, rows: Ints, columns: Ints, *, minimum: Ints | None = None) -> Ints:
    """Whole numbers close to `table` (a, b) with exactly the margins `rows` and `columns`.

    Each cell moves to its floor or ceiling where that is possible. The transport problem has a whole-number
    optimum, so a linear programme suffices.
    """
    a, b = table.shape
    positive = table > 0
    base = np.floor(table + 1e-9)
    if minimum is not None:
        base = np.maximum(base, minimum)
    base = np.where(positive, base, 0)
    # Three layers per cell: take one back, take the rounding step, take more; each dearer than the last.
    index = np.flatnonzero(positive.ravel())
    fraction = (table - np.floor(table + 1e-9)).ravel()[index]
    lowest = np.zeros_like(base) if minimum is None else np.broadcast_to(minimum, base.shape)
    capacity = np.maximum(base - lowest, 0).ravel()[index]
    count = len(index)
    columns_of = np.tile(np.arange(count), 3)
    signs = np.concatenate([np.ones(count), np.ones(count), -np.ones(count)])
    variable = np.concatenate(
        [columns_of[:count], columns_of[:count] + count, columns_of[:count] + 2 * count]
    )
    row_of, column_of = index // b, index % b
    matrix = coo_matrix(
        (
            np.concatenate([signs, signs]),
            (
                np.concatenate([np.tile(row_of, 3), np.tile(column_of, 3) + a]),
                np.concatenate([variable, variable]),
            ),
        ),
        shape=(a + b, 3 * count),
    ).tocsr()
    need = np.concatenate([rows - base.sum(1), columns - base.sum(0)])
    cost = np.concatenate(
        [1 - fraction, 5 + 1 / (1 + base.ravel()[index]), 3 + 1 / (1 + base.ravel()[index])]
    )
    most = np.concatenate([np.ones(count), np.full(count, np.inf), capacity])
    bounds = np.column_stack([np.zeros_like(most), most])
    answer: Any = scipy.optimize.linprog(cost, A_eq=matrix, b_eq=need, bounds=bounds, method="highs")  # type: ignore[call-overload]  # HiGHS takes a sparse matrix, the stubs do not
    if not answer.success:
        raise ValueError(f"no whole-number table has these margins: {answer.message}")
    x = np.rint(answer.x).astype(np.int64)
    result = base.astype(np.int64).ravel()
    result[index] += x[:count] + x[count : 2 * count] - x[2 * count :]
    return result.reshape(a, b)


@dataclass(frozen=True, slots=True)
class Margins:
    """Counts by region (32) and category (14): valid, filed but invalid; head platforms by region."""

    valid: Ints
    invalid: Ints
    heads: Ints

    @property
    def filed(self) -> Ints:
        return self.valid + self.invalid


def _shares_of_offices(weights: dict[str, float]) -> Floats:
    row = np.zeros(R)
    for code, weight in weights.items():
        row[REGION_INDEX[code]] = weight
    return row


def _bureaus() -> Ints:
    counts = np.ones(R, np.int64)
    for _, _, province in PLANNED_CITIES:
        counts[REGION_INDEX[province]] += 1
    return counts


def _category_totals(scale: float) -> Ints:
    counts = np.array(VALID_BY_CATEGORY, np.int64)
    if scale >= 1:
        return counts
    total = max(round(counts.sum() * scale), 37 + 13 + 64)
    free = np.array([c for c in range(C) if c != 1])
    result = counts.copy()
    result[free] = largest_remainder(counts[free] * scale, total - 37, minimum=1)
    return result


def _seed(frame: Floats, data_frame: Floats) -> Floats:
    """Starting interactions of the free categories; `frame`, `data_frame` (32,) are enterprise counts."""
    shares = np.array([region.frame_share for region in REGIONS])
    valid = np.array([region.valid for region in REGIONS], float)
    seed = np.zeros((R, C))
    seed[:, 2] = 0.6 * valid / valid.sum() + 0.4 / R
    seed[:, 3] = (
        shares * 0.6
        + 1.0
        + 9.0 * (_shares_of_offices({"110000": 1, "310000": 0.6, "420000": 0.3, "610000": 0.4}))
    )
    seed[:, 7] = _shares_of_offices(PLATFORM_OFFICES) + 0.15
    seed[:, 8] = 1.0 + shares * 0.05
    seed[:, 9] = 3.0 + shares
    seed[:, 10] = 1.0 + shares
    seed[:, 11] = data_frame
    seed[:, 12] = frame - data_frame
    return seed / np.maximum(seed.sum(0), 1)


def build_margins(scale: float, frame: Floats, data_frame: Floats) -> Margins:
    """Region x category tables of valid and invalid units with the margins of Tables 3 and 4.

    `frame` and `data_frame` (32,) are the enterprises and the data enterprises in the frame; they shape the
    interactions, the margins are fixed. With `scale` below 1 both margins shrink by largest remainder.
    """
    by_category = _category_totals(scale)
    fixed = np.zeros((R, C), np.int64)
    fixed[:, 1] = _bureaus()
    for category, weights in HEAD_OFFICES.items():
        fixed[:, category - 1] = largest_remainder(
            _shares_of_offices(weights), int(by_category[category - 1])
        )
    printed = np.array([region.valid for region in REGIONS], np.int64)
    fixed_sum = fixed.sum(1)
    if scale < 1:
        printed = largest_remainder(printed * scale, int(by_category.sum()), minimum=fixed_sum + 1)
    free = [c for c in range(C) if c not in (0, 1, 4, 5, 6, 13)]
    rows, columns = printed - fixed_sum, by_category[free]
    table = rake(
        by_category[free] * _seed(frame, data_frame)[:, free], rows.astype(float), columns.astype(float)
    )
    valid = fixed.copy()
    valid[:, free] = controlled_rounding(table, rows, columns)
    heads_total = max(1, round(HEAD_PLATFORMS * min(scale, 1.0)))
    heads = largest_remainder(
        _shares_of_offices(PLATFORM_OFFICES), min(heads_total, int(by_category[7])), cap=valid[:, 7]
    )
    return Margins(valid=valid, invalid=_invalid(scale, valid), heads=heads)


def _invalid(scale: float, valid: Ints) -> Ints:
    rows = np.array([region.filed - region.valid for region in REGIONS], np.int64)
    columns = np.array(INVALID_BY_CATEGORY, np.int64)
    if scale < 1:
        total = max(1, round(columns.sum() * scale))
        rows = largest_remainder(rows * scale, total)
        columns = largest_remainder(columns * scale, total)
    seed = (valid + 0.05) * (columns > 0) * (rows > 0)[:, None]
    table = rake(seed, rows.astype(float), columns.astype(float), rounds=2000)
    return controlled_rounding(np.maximum(table, (seed > 0) * 1e-7), rows, columns)
