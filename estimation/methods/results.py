"""Frozen result records shared by the methods."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import special

from estimation.methods.arrays import Floats, Indices
from estimation.methods.cells import Cells

type IntervalBasis = Literal["normal", "design"]


@dataclass(frozen=True, eq=False)
class Estimates:
    """Estimates of k items in D domains, each array `(D, k)` unless said otherwise.

    value, se, cv : estimate, standard error, se / |value| (NaN where the value is 0)
    lower, upper : limits of the interval at `level`
    deff : design effect against simple random sampling without replacement (NaN where undefined)
    n : sampled units in the domain
    positive : of these, units with a positive value (of the numerator, for a ratio)
    weight : (D,) sum of weights in the domain, the estimated number of units
    df : (D,) design degrees of freedom, units minus strata in the domain
    """

    value: Floats
    se: Floats
    cv: Floats
    lower: Floats
    upper: Floats
    deff: Floats
    n: Indices
    positive: Indices
    weight: Floats
    df: Floats
    level: float
    basis: IntervalBasis

    @property
    def variance(self) -> Floats:
        """Square of the standard error."""
        return self.se**2

    def interval(self, level: float, df: IntervalBasis = "normal") -> Estimates:
        """The same estimates with other limits."""
        lower, upper = limits(self.value, self.se, self.df, level, df)
        return replace(self, lower=lower, upper=upper, level=level, basis=df)

    def domain(self, index: int) -> Estimates:
        """One domain alone, arrays (1, k)."""
        row = slice(index, index + 1) if index >= 0 else slice(index, index + 1 or None)
        return replace(
            self,
            **{
                name: getattr(self, name)[row]
                for name in ("value", "se", "cv", "lower", "upper", "deff", "n", "positive", "weight", "df")
            },
        )


def limits(
    value: Floats, se: Floats, df: Floats, level: float, basis: IntervalBasis
) -> tuple[Floats, Floats]:
    """Symmetric interval limits: normal quantile, or Student t on the design degrees of freedom."""
    if not 0.0 < level < 1.0:
        raise ValueError(f"level must lie between 0 and 1, not {level}")
    upper_tail = 0.5 + level / 2.0
    if basis == "normal":
        half = se * float(special.ndtri(upper_tail))
    elif basis == "design":
        usable = np.where(df > 0, df, 1.0)
        quantile = np.where(df > 0, special.stdtrit(usable, upper_tail), np.nan)
        half = se * quantile[:, None]
    else:
        raise ValueError(f"df must be 'normal' or 'design', not {basis!r}")
    return value - half, value + half


def coefficient_of_variation(value: Floats, se: Floats) -> Floats:
    """se / |value|, NaN where the value is zero."""
    safe = np.where(value == 0.0, np.nan, np.abs(value))
    return np.asarray(se / safe)


def make_estimates(
    value: Floats,
    variance: Floats,
    deff: Floats,
    cells: Cells,
    *,
    positive: Indices,
    weight: Floats,
    level: float,
    basis: IntervalBasis,
) -> Estimates:
    """Assemble a record: value, variance, deff, positive (D, k), weight (D,)."""
    se = np.sqrt(variance)
    n = cells.units_per_domain
    df = (n - cells.strata_per_domain).astype(np.float64)
    lower, upper = limits(value, se, df, level, basis)
    return Estimates(
        value=value,
        se=se,
        cv=coefficient_of_variation(value, se),
        lower=lower,
        upper=upper,
        deff=deff,
        n=np.broadcast_to(n[:, None], value.shape).copy(),
        positive=positive,
        weight=weight,
        df=df,
        level=level,
        basis=basis,
    )
