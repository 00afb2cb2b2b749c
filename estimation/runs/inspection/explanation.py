"""Why an estimate differs between two runs: by unit and by reason. Pure numpy."""

from dataclasses import dataclass

import numpy as np

from estimation.methods.arrays import Floats, Ints
from estimation.runs.compute.cells import Cell
from estimation.runs.compute.contributions import Contributions, Side

REASONS = ("entered", "left", "answer", "treatment", "weight", "same")


@dataclass(frozen=True)
class Explanation:
    """Units (m,) of either run, largest absolute change first.

    change : contribution of each unit to the difference of the two estimates; reason : index in REASONS
    exact : the changes add up to the difference; not for the growth of a ratio, whose parts are linearised
    """

    unit: Ints
    change: Floats
    reason: Ints
    exact: bool

    def by_reason(self) -> list[tuple[str, int, float]]:
        """Reason, units, and the sum of their changes; reasons without units are omitted."""
        return [
            (name, int((self.reason == index).sum()), float(self.change[self.reason == index].sum()))
            for index, name in enumerate(REASONS)
            if (self.reason == index).any()
        ]


def explain(first: Contributions, second: Contributions, cell: Cell) -> Explanation:
    """Compare the units behind one cell of two runs.

    For a quotient R = Y / X the change of a unit is [w (y - R_1 x) of the second run less that of the first] / X_2,
    which adds up to R_2 - R_1 exactly.
    """
    unit = np.union1d(first.unit, second.unit)
    old, new = _Spread(first, unit), _Spread(second, unit)
    if cell.is_quotient and cell.statistic != "multiple":
        base = float(np.nansum(second.now.weight * second.now.base))
        change = (new.residual(first.value) - old.residual(first.value)) / (base or 1.0)
    else:
        change = new.effect - old.effect
    reason = np.select(
        [
            ~old.there,
            ~new.there,
            old.differs(new, "collected"),
            old.differs(new, "used"),
            old.differs(new, "weight"),
        ],
        range(5),
        5,
    )
    order = np.lexsort((unit, -np.abs(change)))
    difference = second.value - first.value
    total = float(change.sum())
    exact = bool(
        np.isclose(total, difference, rtol=1e-9, atol=1e-9 * max(abs(first.value), abs(second.value)))
    )
    return Explanation(unit[order], change[order], reason[order].astype(np.int64), exact)


class _Spread:
    """The contributions of one run, aligned to the units of both."""

    def __init__(self, contributions: Contributions, unit: Ints) -> None:
        self.position = np.searchsorted(unit, contributions.unit)
        self.size = len(unit)
        self.there = np.zeros(self.size, dtype=bool)
        self.there[self.position] = True
        self.contributions = contributions
        self.effect = self._put(contributions.effect)

    def _put(self, values: Floats) -> Floats:
        spread = np.zeros(self.size)
        spread[self.position] = np.nan_to_num(values)
        return spread

    def residual(self, value: float) -> Floats:
        """w (y - R x), 0 where the unit is missing."""
        side = self.contributions.now
        return self._put(side.weight * (side.used - value * side.base))

    def _columns(self, name: str) -> list[Floats]:
        sides: list[Side] = [
            self.contributions.now,
            *([self.contributions.before] if self.contributions.before else []),
        ]
        columns = [self._put(getattr(side, name)) for side in sides]
        if name == "used":
            columns += [self._put(side.base) for side in sides]
        return columns

    def differs(self, other: "_Spread", name: str) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
        """Units whose values differ in either year."""
        pairs = zip(self._columns(name), other._columns(name), strict=True)
        return np.asarray(np.logical_or.reduce([a != b for a, b in pairs]))
