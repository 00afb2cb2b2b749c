"""Selection by permanent random numbers: repeatable to the unit, with overlap from year to year."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from estimation.methods.arrays import Bools, Floats
from estimation.methods.sample import as_codes, as_floats


def permanent_random_numbers(identifiers: Iterable[str], seed: str) -> Floats:
    """One number in [0, 1) per unit for life, (n,), from its identifier and the survey's seed.

    Notes
    -----
    The first 53 bits of BLAKE2b(identifier, key = seed), over 2^53: a unit keeps its number whatever else
    is in
    the frame and whatever the order of the frame.
    """
    key = hashlib.blake2b(seed.encode()).digest()
    numbers = [
        int.from_bytes(hashlib.blake2b(unit.encode(), key=key, digest_size=8).digest(), "big") >> 11
        for unit in identifiers
    ]
    return np.array(numbers, dtype=np.float64) / 2.0**53


def select(
    prn: npt.ArrayLike, stratum: npt.ArrayLike, n_h: npt.ArrayLike, *, start: npt.ArrayLike = 0.0
) -> Bools:
    """Draw the n_h units of each stratum that follow the start point on the circle of random numbers.

    Parameters
    ----------
    prn : (n,) permanent random numbers in [0, 1)
    stratum : (n,) integer codes 0..H-1
    n_h : (H,) integers
    start : start point in [0, 1), scalar or (H,); moving it spreads the burden

    Returns
    -------
    (n,) booleans. Equal numbers are taken in the order of the frame.

    Raises
    ------
    ValueError : a number outside [0, 1), n_h above the stratum's units, with the offending index.

    References
    ----------
    Ohlsson (1995), Coordination of samples using permanent random numbers.
    """
    sample_sizes = as_codes(n_h, "n_h", size=np.iinfo(np.intp).max)
    codes = as_codes(stratum, "stratum", size=len(sample_sizes))
    numbers = as_floats(prn, "prn", ndim=1, length=len(codes))
    _within_circle(numbers, "prn")
    origin = np.broadcast_to(np.asarray(start, dtype=np.float64), sample_sizes.shape)
    _within_circle(origin, "start")
    present = np.bincount(codes, minlength=len(sample_sizes))
    short = np.flatnonzero(sample_sizes > present)
    if len(short):
        h = int(short[0])
        raise ValueError(f"stratum {h} has {int(present[h])} units where n_h asks for {int(sample_sizes[h])}")
    # Compare on two keys, not on (prn - start) mod 1: the subtraction would round neighbours together.
    passed = numbers < origin[codes]
    order = np.lexsort((numbers, passed, codes))
    first = np.concatenate([[0], np.cumsum(present)[:-1]])
    rank = np.arange(len(codes)) - first[codes[order]]
    drawn = np.zeros(len(codes), dtype=np.bool_)
    drawn[order] = rank < sample_sizes[codes[order]]
    return drawn


def _within_circle(values: Floats, name: str) -> None:
    bad = np.flatnonzero(~((values >= 0.0) & (values < 1.0)))
    if len(bad):
        raise ValueError(f"{name} must lie in [0, 1): index {int(bad[0])} holds {values[bad[0]]}")
