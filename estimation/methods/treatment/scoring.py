"""Selective editing: which submitted values are worth a telephone call."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from estimation.methods.arrays import Bools, Floats, Indices
from estimation.methods.cells import domain_codes
from estimation.methods.sample import as_codes, as_floats, as_matrix
from estimation.methods.treatment.winsorization import weighted_quantiles

# Median absolute deviation of a normal distribution in its standard deviations, inverted.
_NORMAL = 1.4826022185056018
_ZERO_COUNTS_AS = 1e-3


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of n units with k items.

    score : (n,) largest suspicion x impact over the items; item : (n,) the item it comes from
    suspicion : (n, k) distance of log(y / expected) from its class, in robust standard deviations
    impact : (n, k) weighted difference over the total, the larger of nation and own domain
    shift : (n, k) signed share of the national total that hangs on the difference, w (y - expected) / |total|
    slip_base, slip_power : (n, k) unit slips, y about base ** power times expected; 0 where there is none
    """

    score: Floats
    item: Indices
    suspicion: Floats
    impact: Floats
    shift: Floats
    slip_base: npt.NDArray[np.int16]
    slip_power: npt.NDArray[np.int8]


def score(
    y: npt.ArrayLike,
    expected: npt.ArrayLike,
    *,
    weight: npt.ArrayLike,
    group: npt.ArrayLike | None = None,
    total: npt.ArrayLike | None = None,
    domain: npt.ArrayLike | None = None,
    domain_total: npt.ArrayLike | None = None,
    minimum: int = 10,
    least_spread: float = 0.1,
    slip_tolerance: float = 0.2,
) -> Scores:
    """Rank submitted values by suspicion and by what they move.

    Parameters
    ----------
    y : (n,) or (n, k) non-negative submitted values
    expected : as y, from `expectation.expected_values` with `factor="median"`; NaN where there is none: such a
        value has score 0
    weight : (n,) estimation weights
    group : (n,) codes of the class in which distances are compared; a class of fewer than `minimum` values is
        compared with all units
    total : (k,) estimated national totals; None is sum w expected
    domain : (n,) codes of the unit's own domain, -1 for none; domain_total : (D, k), None as for `total`
    least_spread : smallest spread of the log distance, so that a class of copies does not suspect everybody
    slip_tolerance : largest distance of log(y / expected) from power x log(base) that is called a unit slip

    Returns
    -------
    Scores

    Raises
    ------
    ValueError : negative or infinite values, wrong shapes or codes, with the offending index.

    Notes
    -----
    A zero counts as a thousandth of the other value in the logarithm; two zeros agree. Bases are 1000 and 1024,
    powers 1 to 3 up and down; of two bases within the tolerance the nearer is named.

    References
    ----------
    Hidiroglou and Berthelot (1986); de Waal, Pannekoek and Scholtus (2011), chapter 6.
    """
    w = as_floats(weight, "weight", ndim=1)
    values = as_matrix(y, "y", len(w))
    model = np.asarray(expected, dtype=np.float64).reshape(len(w), -1)
    if model.shape != values.shape:
        raise ValueError(f"expected {model.shape} and y {values.shape} differ in shape")
    modelled = np.isfinite(model)
    for name, array in (("y", values), ("expected", np.where(modelled, model, 0.0))):
        if (array < 0).any():
            index = tuple(int(i) for i in np.argwhere(array < 0)[0])
            raise ValueError(f"{name} must not be negative: index {index} holds {array[index]}")
    ready = np.where(modelled, model, values)
    distance = _log_distance(values, ready)
    suspicion = _suspicion(distance, modelled, group, minimum, least_spread)
    difference = w[:, None] * (values - ready)
    national = (w @ ready)[None, :] if total is None else as_matrix(total, "total", values.shape[1]).T
    shift = difference / _positive(np.abs(national))
    impact = np.abs(shift)
    if domain is not None:
        impact = np.maximum(impact, _in_domain(difference, w, ready, domain, domain_total))
    impact = np.nan_to_num(impact)
    product = np.where(modelled, suspicion * impact, 0.0)
    base, power = _slips(distance, slip_tolerance)
    return Scores(
        score=product.max(axis=1),
        item=product.argmax(axis=1),
        suspicion=np.where(modelled, suspicion, 0.0),
        impact=impact,
        shift=shift,
        slip_base=base,
        slip_power=power,
    )


def _log_distance(values: Floats, expected: Floats) -> Floats:
    top = np.maximum(values, _ZERO_COUNTS_AS * expected)
    bottom = np.maximum(expected, _ZERO_COUNTS_AS * values)
    # Far from each other, but neither zero: the true distance.
    both = (values > 0) & (expected > 0)
    top, bottom = np.where(both, values, top), np.where(both, expected, bottom)
    return np.asarray(np.log(np.where(top > 0, top, 1.0)) - np.log(np.where(bottom > 0, bottom, 1.0)))


def _suspicion(
    distance: Floats,
    modelled: Bools,
    group: npt.ArrayLike | None,
    minimum: int,
    least_spread: float,
) -> Floats:
    n, items = distance.shape
    codes = np.zeros(n, dtype=np.intp) if group is None else np.asarray(group)
    size = int(codes.max(initial=0)) + 1 if codes.dtype.kind in "iu" else 1
    codes = as_codes(codes, "group", size=size, length=n)
    result = np.zeros_like(distance)
    for item in range(items):
        rows = np.flatnonzero(modelled[:, item])
        if len(rows) == 0:
            continue
        own = codes[rows]
        # The last code gathers the classes that are too small.
        group_code = np.where(np.bincount(own, minlength=size)[own] >= minimum, own, size)
        distances = distance[rows, item]
        for number in range(size + 1):
            inside = group_code == number
            if inside.any():
                compared = distances if number == size else distances[inside]
                centre = weighted_quantiles(compared, [0.5])[0, 0]
                spread = _NORMAL * weighted_quantiles(np.abs(compared - centre), [0.5])[0, 0]
                result[rows[inside], item] = np.abs(distances[inside] - centre) / max(spread, least_spread)
    return result


def _in_domain(
    difference: Floats,
    weight: Floats,
    expected: Floats,
    domain: npt.ArrayLike,
    domain_total: npt.ArrayLike | None,
) -> Floats:
    codes, size = domain_codes(
        domain, len(weight), None if domain_total is None else len(np.asarray(domain_total))
    )
    group_code = np.zeros(len(weight), dtype=np.intp) if codes is None else codes
    inside = group_code >= 0
    if domain_total is None:
        totals = np.zeros((size, expected.shape[1]))
        np.add.at(totals, group_code[inside], (weight[:, None] * expected)[inside])
    else:
        totals = as_matrix(domain_total, "domain_total", size)
    result = np.zeros_like(difference)
    result[inside] = np.abs(difference[inside]) / _positive(np.abs(totals))[group_code[inside]]
    return result


def _slips(distance: Floats, tolerance: float) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int8]]:
    base, power = np.zeros(distance.shape, dtype=np.int16), np.zeros(distance.shape, dtype=np.int8)
    nearest = np.full(distance.shape, tolerance)
    for candidate in (1000, 1024):
        step = np.log(candidate)
        exponent = np.clip(np.rint(distance / step), -3, 3)
        gap = np.abs(distance - exponent * step)
        hit = (exponent != 0) & (gap < nearest)
        base[hit], power[hit], nearest[hit] = candidate, exponent[hit].astype(np.int8), gap[hit]
    return base, power


def _positive(totals: Floats) -> Floats:
    """Totals with 0 as NaN: nothing is a share of nothing."""
    return np.where(totals > 0, totals, np.nan)
