"""Rounding to printed digits, half up, once, when a number is published."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import numpy.typing as npt

from estimation.methods.arrays import Floats


def half_up(value: float, digits: int) -> Decimal:
    """`value` to `digits` decimals, halves away from zero, as the exact printed number.

    Notes
    -----
    Works on the shortest decimal that names the float, the number a reader would type: 2.675 is 2.68
    although the
    nearest binary number lies below the half. `digits` may be negative (tens, hundreds).

    Raises
    ------
    ValueError : value is NaN or infinite.
    """
    number = float(value)
    if not np.isfinite(number):
        raise ValueError(f"cannot round {number}")
    exact = Decimal(repr(number))
    rounded = exact.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
    return abs(rounded) if rounded == 0 else rounded


def round_half_up(values: npt.ArrayLike, digits: int) -> Floats:
    """Array of the same shape rounded by `half_up`; NaN and infinities pass through."""
    array = np.asarray(values, dtype=np.float64)
    flat = [float(half_up(v, digits)) if np.isfinite(v) else float(v) for v in array.ravel()]
    return np.array(flat, dtype=np.float64).reshape(array.shape)
