"""Two-sided winsorization (双侧缩尾) and trimming (截断): cutoffs per group, a reason code per unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from estimation.methods.arrays import Bools, Floats, Indices
from estimation.methods.sample import as_codes, as_floats, as_mask


class Reason(IntEnum):
    """Why a unit was or was not treated."""

    WITHIN = 0  # between the cutoffs
    RAISED = 1  # below the lower cutoff, moved up to it
    LOWERED = 2  # above the upper cutoff, moved down to it
    DROPPED_LOW = 3  # below the lower cutoff, trimmed
    DROPPED_HIGH = 4  # above the upper cutoff, trimmed
    NOT_POSITIVE = 5  # zero (or negative): only positive values are treated
    EXEMPT = 6  # certainty unit, stands for itself
    WEIGHT_ONE = 7  # design weight 1, stands for itself
    NO_CUTOFF = 8  # no value to compute cutoffs from, in its group or any parent


@dataclass(frozen=True, eq=False)
class Treatment:
    """What was done to n values in G groups.

    values : (n,) treated values; NaN where trimming dropped the unit
    keep : (n,) False where trimming dropped the unit from the item
    reason : (n,) codes of `Reason`
    lower, upper : (G,) cutoffs used by each group, NaN if none
    counted : (G,) values of the class from which the cutoffs come
    depth : (G,) 0 if the group's own values were used, 1 for its first parent, and so on; -1 if no cutoffs
    """

    values: Floats
    keep: Bools
    reason: npt.NDArray[np.int8]
    lower: Floats
    upper: Floats
    counted: Indices
    depth: Indices

    @property
    def treated(self) -> Bools:
        """(n,) True where the value was changed or dropped."""
        return (self.reason >= Reason.RAISED) & (self.reason <= Reason.DROPPED_HIGH)


def winsorize(
    y: npt.ArrayLike,
    group: npt.ArrayLike,
    *,
    lower: float = 0.01,
    upper: float = 0.99,
    weight: npt.ArrayLike | None = None,
    exempt: npt.ArrayLike | None = None,
    positive_only: bool = True,
    design_weight: npt.ArrayLike | None = None,
    parent: Sequence[npt.ArrayLike] = (),
    minimum: int = 20,
    exempt_in_cutoffs: bool = True,
) -> Treatment:
    """Move values outside the cutoffs of their group to the cutoffs.

    Parameters
    ----------
    y : (n,) float without NaN
    group : (n,) integer codes 0..G-1, the treatment class
    lower, upper : probabilities of the cutoffs; 0 and 1 switch a side off
    weight : (n,) weights of the quantiles, None for equal weights
    exempt : (n,) booleans, units that are not treated (certainty)
    positive_only : quantiles and treatment concern positive values alone
    design_weight : (n,) estimation weights; a unit of weight 1 stands for itself and is not treated
    parent : wider classes, fine to coarse, each (n,) integer codes; every group lies in one class of each
    minimum : with parents, a class with fewer values uses the next one; the last is used whatever its count
    exempt_in_cutoffs : whether values of untreated units enter the quantiles

    Returns
    -------
    Treatment

    Raises
    ------
    ValueError : NaN, weight <= 0, bad codes, or a group that crosses a parent's border, with the offending
        index.

    Notes
    -----
    Weighted type-7 quantile: values sorted (stable), p_i = (w_1 + ... + w_{i-1}) / (w_1 + ... + w_{m-1}),
    linear
    interpolation; with equal weights this is NumPy's and R's default. `y` is never changed in place.

    References
    ----------
    Hyndman and Fan (1996), definition 7; Kokic and Bell (1994).
    """
    plan = _plan(
        y,
        group,
        lower,
        upper,
        weight,
        exempt,
        positive_only,
        design_weight,
        parent,
        minimum,
        exempt_in_cutoffs,
    )
    values = plan.y.copy()
    values[plan.low] = plan.lower[plan.group[plan.low]]
    values[plan.high] = plan.upper[plan.group[plan.high]]
    keep = np.ones(len(values), dtype=np.bool_)
    return plan.treatment(values, keep, Reason.RAISED, Reason.LOWERED)


def trim(
    y: npt.ArrayLike,
    group: npt.ArrayLike,
    *,
    lower: float = 0.01,
    upper: float = 0.99,
    weight: npt.ArrayLike | None = None,
    exempt: npt.ArrayLike | None = None,
    positive_only: bool = True,
    design_weight: npt.ArrayLike | None = None,
    parent: Sequence[npt.ArrayLike] = (),
    minimum: int = 20,
    exempt_in_cutoffs: bool = True,
) -> Treatment:
    """Drop units outside the cutoffs of their group from the item.

    Parameters, Raises : as `winsorize`. A dropped unit has `keep` False and value NaN: it belongs in no
        domain of
    this item, and an estimator that meets it anyway refuses.
    """
    plan = _plan(
        y,
        group,
        lower,
        upper,
        weight,
        exempt,
        positive_only,
        design_weight,
        parent,
        minimum,
        exempt_in_cutoffs,
    )
    keep = ~(plan.low | plan.high)
    return plan.treatment(np.where(keep, plan.y, np.nan), keep, Reason.DROPPED_LOW, Reason.DROPPED_HIGH)


def weighted_quantiles(
    y: npt.ArrayLike,
    probs: Sequence[float],
    *,
    group: npt.ArrayLike | None = None,
    groups: int | None = None,
    weight: npt.ArrayLike | None = None,
) -> Floats:
    """Weighted type-7 quantiles (G, P) of values (n,) per group; NaN for a group without values.

    Definition in `winsorize`. Raises ValueError with the offending index for NaN, weight <= 0, probs
    outside 0..1.
    """
    values = as_floats(y, "y", ndim=1)
    code_array = np.zeros(len(values), dtype=np.intp) if group is None else np.asarray(group)
    size = groups if groups is not None else int(code_array.max(initial=0)) + 1
    codes = as_codes(code_array, "group", size=size, length=len(values))
    w = _positive_weights(weight, "weight", len(values))
    for index, p in enumerate(probs):
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"probs must lie between 0 and 1: index {index} holds {p}")
    return _quantiles(values, codes, size, w, np.asarray(probs, dtype=np.float64))


@dataclass(frozen=True, eq=False)
class _Plan:
    y: Floats
    group: Indices
    low: Bools
    high: Bools
    reason: npt.NDArray[np.int8]
    lower: Floats
    upper: Floats
    counted: Indices
    depth: Indices

    def treatment(self, values: Floats, keep: Bools, low: Reason, high: Reason) -> Treatment:
        reason = self.reason.copy()
        reason[self.low] = low
        reason[self.high] = high
        return Treatment(values, keep, reason, self.lower, self.upper, self.counted, self.depth)


def _plan(
    y: npt.ArrayLike,
    group: npt.ArrayLike,
    lower: float,
    upper: float,
    weight: npt.ArrayLike | None,
    exempt: npt.ArrayLike | None,
    positive_only: bool,
    design_weight: npt.ArrayLike | None,
    parent: Sequence[npt.ArrayLike],
    minimum: int,
    exempt_in_cutoffs: bool,
) -> _Plan:
    values = as_floats(y, "y", ndim=1)
    n = len(values)
    if not 0.0 <= lower < upper <= 1.0:
        raise ValueError(f"cutoffs need 0 <= lower < upper <= 1, not {lower} and {upper}")
    codes, groups = _classes(group, "group", n)
    w = _positive_weights(weight, "weight", n)
    exempted = np.zeros(n, dtype=np.bool_) if exempt is None else as_mask(exempt, "exempt", n)
    certain = np.zeros(n, dtype=np.bool_)
    if design_weight is not None:
        certain = _positive_weights(design_weight, "design_weight", n) <= 1.0
    eligible = values > 0 if positive_only else np.ones(n, dtype=np.bool_)
    used = eligible if exempt_in_cutoffs else eligible & ~exempted & ~certain
    cutoffs, counted, depth = _group_cutoffs(
        values, codes, groups, used, w, np.array([lower, upper]), parent, minimum
    )
    has_cutoff = (depth >= 0)[codes]
    treatable = eligible & ~exempted & ~certain & has_cutoff
    reason = np.full(n, Reason.WITHIN, dtype=np.int8)
    for mask, code in (
        (~has_cutoff, Reason.NO_CUTOFF),
        (certain, Reason.WEIGHT_ONE),
        (exempted, Reason.EXEMPT),
        (~eligible, Reason.NOT_POSITIVE),
    ):
        reason[mask] = code
    low = treatable & (values < cutoffs[codes, 0])
    high = treatable & (values > cutoffs[codes, 1])
    return _Plan(values, codes, low, high, reason, cutoffs[:, 0], cutoffs[:, 1], counted, depth)


def _group_cutoffs(
    values: Floats,
    codes: Indices,
    groups: int,
    used: Bools,
    weight: Floats,
    probs: Floats,
    parent: Sequence[npt.ArrayLike],
    minimum: int,
) -> tuple[Floats, Indices, Indices]:
    """Cutoffs (G, 2), the count behind them (G,) and the depth of the class used (G,)."""
    cutoffs = np.full((groups, 2), np.nan)
    counted = np.zeros(groups, dtype=np.intp)
    depth = np.full(groups, -1, dtype=np.intp)
    rows = np.flatnonzero(used)
    open_groups = np.ones(groups, dtype=np.bool_)
    levels: list[tuple[Indices, int]] = [(codes, groups)]
    levels += [_classes(p, f"parent {i}", len(values)) for i, p in enumerate(parent)]
    for number, (classes, size) in enumerate(levels):
        owner = _owner(codes, groups, classes, number)
        count = np.bincount(classes[rows], minlength=size)
        enough = minimum if number + 1 < len(levels) else 1
        # A code without units has no class; it stays without cutoffs.
        ready = open_groups & (owner >= 0)
        ready[ready] = count[owner[ready]] >= max(enough, 1)
        if ready.any():
            # Only classes that somebody takes cutoffs from are sorted; a parent often serves few groups.
            needed = np.zeros(size, dtype=np.bool_)
            needed[owner[ready]] = True
            inside = rows[needed[classes[rows]]]
            table = _quantiles(values[inside], classes[inside], size, weight[inside], probs)
            cutoffs[ready] = table[owner[ready]]
            counted[ready] = count[owner[ready]]
            depth[ready] = number
            open_groups &= ~ready
    return cutoffs, counted, depth


def _owner(codes: Indices, groups: int, classes: Indices, number: int) -> Indices:
    """The class (G,) of each group, -1 for a group without units."""
    owner = np.full(groups, -1, dtype=np.intp)
    owner[codes] = classes
    crossing = np.flatnonzero(owner[codes] != classes)
    if len(crossing):
        unit = int(crossing[0])
        raise ValueError(f"group {int(codes[unit])} crosses a border of parent {number - 1}: see unit {unit}")
    return owner


def _quantiles(values: Floats, codes: Indices, size: int, weight: Floats, probs: Floats) -> Floats:
    result = np.full((size, len(probs)), np.nan)
    if len(values) == 0:
        return result
    order = _sorted_within(values, codes, size)
    v, c, w = values[order], codes[order], weight[order]
    count = np.bincount(c, minlength=size)
    last = np.cumsum(count) - 1
    first = last - count + 1
    present = np.flatnonzero(count)
    before = np.concatenate([[0.0], np.cumsum(w)])
    start, end = before[first[present]], before[last[present]]
    # Target on the running sum of weights; the last unit's own weight is not part of the scale.
    target = start[:, None] + probs * (end - start)[:, None]
    position = np.searchsorted(before[:-1], target, side="right") - 1
    low = np.clip(position, first[present, None], last[present, None])
    high = np.minimum(low + 1, last[present, None])
    step = (target - before[low]) / w[low]
    fraction = np.where(high > low, np.clip(step, 0.0, 1.0), 0.0)
    result[present] = v[low] + fraction * (v[high] - v[low])
    return result


def _sorted_within(values: Floats, codes: Indices, size: int) -> Indices:
    """The order by code and then by value, equal values in the order given, as by lexsort."""
    by_value = np.argsort(values, kind="stable")
    # Short integers are sorted by counting, in a fraction of the time.
    short = codes[by_value].astype(np.int16) if size <= np.iinfo(np.int16).max else codes[by_value]
    return np.asarray(by_value[np.argsort(short, kind="stable")])


def _classes(codes: npt.ArrayLike, name: str, n: int) -> tuple[Indices, int]:
    array = np.asarray(codes)
    size = int(array.max(initial=0)) + 1 if array.dtype.kind in "iu" else 1
    return as_codes(array, name, size=size, length=n), size


def _positive_weights(weight: npt.ArrayLike | None, name: str, n: int) -> Floats:
    if weight is None:
        return np.ones(n)
    array = as_floats(weight, name, ndim=1, length=n)
    bad = np.flatnonzero(array <= 0)
    if len(bad):
        raise ValueError(f"{name} must be positive: index {int(bad[0])} holds {array[bad[0]]}")
    return array
