"""Imputation of missing items: deterministic by default, random hot deck with a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from estimation.methods.arrays import Bools, Floats, Indices
from estimation.methods.sample import as_floats, as_mask
from estimation.methods.treatment.expectation import Source, class_levels, expected_values, sparse_floats


@dataclass(frozen=True, eq=False)
class Imputed:
    """Completed values of n units.

    values : (n,) given values, and imputed ones where `imputed`; NaN where nothing could or should be imputed
    imputed : (n,) flags; source : (n,) codes of `expectation.Source`, NONE for answers
    depth : (n,) 0 if the unit's own class served, 1 its first parent, ...; -1 where nothing was imputed
    donor : (n,) index of the unit whose value was taken, -1 for none
    """

    values: Floats
    imputed: Bools
    source: npt.NDArray[np.int8]
    depth: npt.NDArray[np.int8]
    donor: Indices

    def share(self, weight: npt.ArrayLike) -> float:
        """Share of the weighted total that is imputed, weight (n,); NaN for a total of 0."""
        w = as_floats(weight, "weight", ndim=1, length=len(self.values))
        amount = np.nan_to_num(w * self.values)
        total = float(amount.sum())
        return float(amount[self.imputed].sum()) / total if total != 0.0 else float("nan")


def impute(
    y: npt.ArrayLike,
    group: npt.ArrayLike,
    *,
    previous: npt.ArrayLike | None = None,
    size: npt.ArrayLike | None = None,
    weight: npt.ArrayLike | None = None,
    parent: Sequence[npt.ArrayLike] = (),
    allowed: npt.ArrayLike | None = None,
    minimum: int = 5,
    method: Literal["deterministic", "hot_deck"] = "deterministic",
    seed: int | None = None,
) -> Imputed:
    """Fill in missing values of one item.

    Parameters
    ----------
    y : (n,) values, NaN where missing
    group : (n,) integer codes of the imputation class; parent : wider classes, fine to coarse
    previous, size, weight, minimum : as `expectation.expected_values`
    allowed : (n,) booleans, units whose item may be imputed by its definition; None is all
    method : "deterministic" takes the expected value; "hot_deck" the value of a random answering unit of the class,
        each with the same chance
    seed : needed by "hot_deck", and refused otherwise

    Returns
    -------
    Imputed; answers are never changed.

    Raises
    ------
    ValueError : as `expected_values`; a seed that is missing or not needed.

    References
    ----------
    de Waal, Pannekoek and Scholtus (2011), chapters 7 and 10; Andridge and Little (2010).
    """
    values = sparse_floats(y, "y").copy()
    n = len(values)
    missing = np.isnan(values)
    if allowed is not None:
        missing &= as_mask(allowed, "allowed", n)
    donor = np.full(n, -1, dtype=np.intp)
    if method == "deterministic":
        if seed is not None:
            raise ValueError("seed belongs to method='hot_deck'")
        expected = expected_values(
            y, group, previous=previous, size=size, weight=weight, parent=parent, minimum=minimum
        )
        source, depth, filled = expected.source.copy(), expected.depth.copy(), expected.value
    elif method == "hot_deck":
        if seed is None:
            raise ValueError("method='hot_deck' needs a seed")
        donor, depth = _donors(~np.isnan(values), missing, group, parent, minimum, seed)
        source = np.where(donor >= 0, Source.DONOR, Source.NONE).astype(np.int8)
        filled = np.where(donor >= 0, values[donor], np.nan)
    else:
        raise ValueError(f"method must be 'deterministic' or 'hot_deck', not {method!r}")
    done = missing & (source != Source.NONE)
    values[done] = filled[done]
    source[~done], depth[~done] = Source.NONE, -1
    return Imputed(values, done, source, depth, donor)


def _donors(
    answered: Bools,
    missing: Bools,
    group: npt.ArrayLike,
    parent: Sequence[npt.ArrayLike],
    minimum: int,
    seed: int,
) -> tuple[Indices, npt.NDArray[np.int8]]:
    """A random answering unit of the finest class with enough of them, per missing unit."""
    n = len(answered)
    donor, depth = np.full(n, -1, dtype=np.intp), np.full(n, -1, dtype=np.int8)
    # One number per unit, drawn whether it is needed or not: another unit's answer changes no other draw.
    draw = np.random.default_rng(seed).random(n)
    for number, (codes, size) in enumerate(class_levels(group, parent, n)):
        donors = np.flatnonzero(answered)
        donors = donors[np.argsort(codes[donors], kind="stable")]
        count = np.bincount(codes[donors], minlength=size)
        first = np.cumsum(count) - count
        ready = np.flatnonzero(missing & (donor < 0) & (count >= max(minimum, 1))[codes])
        position = first[codes[ready]] + np.floor(draw[ready] * count[codes[ready]]).astype(np.intp)
        donor[ready], depth[ready] = donors[position], number
    return donor, depth
