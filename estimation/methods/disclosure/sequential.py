"""Secondary suppression one sensitive cell at a time: for tables on which the integer program takes too long."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import scipy
from scipy import sparse

from estimation.methods.arrays import Bools, Floats, Indices
from estimation.methods.disclosure.sensitivity import furthest
from estimation.methods.disclosure.suppression import Suppression, SuppressionError, checked_problem

# Movements are counted in units of the wanted one, as in the integer program.
_FAR = 1e3
_REACHED = 1.0 - 1e-6
_NOTHING = 1e-7


def suppress_in_turn(
    value: npt.ArrayLike,
    relations: sparse.csr_array,
    primary: npt.ArrayLike,
    *,
    cost: npt.ArrayLike | None = None,
    never: npt.ArrayLike | None = None,
    withheld_before: npt.ArrayLike | None = None,
    protection: float = 0.1,
) -> Suppression:
    """Protect the sensitive cells one after the other, each by the cheapest movement, then take back what is spare.

    Parameters, result and errors are those of `suppression.suppress`; ``rounds`` counts linear programs and
    ``optimal`` is True only when nothing further had to be withheld.

    Notes
    -----
    For each sensitive cell and direction a linear program looks for another table with the same published cells in
    which it moves by the protection, at the least cost of the cells that move; those that are withheld already
    move for nothing. In a two-way table the movement is a cycle, the rectangle of the hypercube method being the
    shortest. The largest cell comes first, because its movement often carries smaller ones. Afterwards each further
    cell, the dearest first, is published again if every movement that used it can go another way. Deterministic:
    no clock and no random numbers. The pattern protects always; it is not the cheapest one.

    References
    ----------
    Kelly, Golden and Assad (1992); Robertson (1993); Fischetti and Salazar-González (2001), section 5.
    """
    problem = checked_problem(value, relations, primary, cost, never, withheld_before, protection)
    values, sensitive, fixed, old, price, goal = problem
    given = sensitive | (old & ~fixed)
    search = _SequentialSearch(values, relations, given, sensitive, fixed, price, goal)
    search.protect()
    search.take_back()
    secondary = search.withheld & ~sensitive
    spent = secondary & ~given
    return Suppression(
        search.withheld,
        sensitive,
        secondary,
        float(price[secondary].sum()),
        search.programs,
        not spent.any(),
    )


class _SequentialSearch:
    """The pattern as it grows and shrinks, with the movement (C,) that protects each cell in each direction."""

    def __init__(
        self,
        value: Floats,
        relations: sparse.csr_array,
        given: Bools,
        sensitive: Bools,
        never: Bools,
        price: Floats,
        goal: Floats,
    ) -> None:
        self.value, self.relations, self.price, self.goal, self.given = value, relations, price, goal, given
        self.free = np.flatnonzero(~never)
        rows = relations[:, self.free].tocsr()
        self.rows = rows[np.diff(rows.indptr) > 0]
        self.both = sparse.hstack([self.rows, -self.rows], format="csr")
        self.withheld = given.copy()
        self.moves: dict[tuple[int, float], Floats] = {}
        self.programs = 0
        order = np.flatnonzero(sensitive)
        self.order = order[np.argsort(-value[order], kind="stable")].tolist()

    def pairs(self) -> list[tuple[int, float]]:
        """Sensitive cells with the directions in which they must be able to move."""
        return [
            (cell, sign) for cell in self.order for sign in (1.0, -1.0) if sign > 0 or self.value[cell] > 0
        ]

    def protect(self) -> None:
        """A movement for every pair; what moves is withheld."""
        for cell, sign in self.pairs():
            # A movement that was found for another cell, or turned round, may do for this one.
            carried = self._carried(self.moves.values(), (cell, sign))
            self.moves[cell, sign] = self._cheapest(cell, sign) if carried is None else carried
            self.withheld |= np.abs(self.moves[cell, sign]) > 0

    def _cheapest(self, cell: int, sign: float) -> Floats:
        """The cheapest movement (C,) of a table in which ``cell`` moves by its goal. Raises SuppressionError."""
        unit, count = self.goal[cell], len(self.free)
        position = int(np.searchsorted(self.free, cell))
        # Cells that are withheld anyway move for next to nothing: for nothing they would move without need.
        rate = np.where(self.withheld, 1e-6 * self.price.min(), self.price)[self.free]
        upper = np.concatenate([np.full(count, _FAR), np.minimum(self.value[self.free] / unit, _FAR)])
        lower = np.zeros(2 * count)
        upper[[position, count + position]] = 0.0
        forward = position if sign > 0 else count + position
        lower[forward] = upper[forward] = 1.0
        self.programs += 1
        # The stubs of SciPy declare neither sparse matrices nor arrays of bounds here; the solver takes both.
        count_of_sums = self.both.shape[0]
        equal: dict[str, Any] = {"A_eq": self.both, "b_eq": np.zeros(count_of_sums)} if count_of_sums else {}
        limits = cast("Any", np.stack([lower, upper], axis=1))
        solution: Any = scipy.optimize.linprog(
            np.concatenate([rate, rate]), bounds=limits, method="highs", **equal
        )
        if solution.status == 2:
            raise SuppressionError("the cells that must be published give a sensitive cell away")
        if not solution.success:
            raise ArithmeticError(f"the linear program of cell {cell} failed: {solution.message}")
        return self._whole(self.free, solution.x[:count] - solution.x[count:], unit)

    def _whole(self, members: Indices, moved: Floats, unit: float) -> Floats:
        full = np.zeros(len(self.value))
        full[members] = np.where(np.abs(moved) > _NOTHING, moved, 0.0) * unit
        return full

    def take_back(self) -> None:
        """Publish further cells again that are not needed, the dearest first."""
        spare = np.flatnonzero(self.withheld & ~self.given)
        for cell in spare[np.argsort(-self.price[spare], kind="stable")].tolist():
            using = [pair for pair, move in self.moves.items() if move[cell] != 0.0]
            trial = self.withheld.copy()
            trial[cell] = False
            ways: dict[tuple[int, float], Floats] = {}
            for pair in using:
                way = self._carried(ways.values(), pair)
                way = self._within(trial, *pair) if way is None else way
                if way is None:
                    break
                ways[pair] = way
            else:
                self.withheld = trial
                self.moves |= ways

    def _carried(self, moves: Iterable[Floats], pair: tuple[int, float]) -> Floats | None:
        """One of some movements, or its reverse where no value falls below zero, that does for a pair."""
        cell, sign = pair
        for move in moves:
            reach = sign * move[cell]
            if abs(reach) >= _REACHED * self.goal[cell]:
                if reach > 0:
                    return move
                if (move <= self.value).all():
                    return -move
        return None

    def _within(self, pattern: Bools, cell: int, sign: float) -> Floats | None:
        """A movement (C,) that stays inside a pattern, or None."""
        members = np.flatnonzero(pattern)
        unit, position = self.goal[cell], int(np.searchsorted(members, cell))
        rows = self.relations[:, members].tocsr()
        rows = rows[np.diff(rows.indptr) > 0]
        limits = np.stack(
            [-np.minimum(self.value[members] / unit, _FAR), np.full(len(members), _FAR)], axis=1
        )
        limits[position] = (-min(self.value[cell] / unit, 1.0), 1.0)  # further than wanted is of no use
        self.programs += 1
        distance, moved, _price = furthest(rows, limits, position, sign)
        return self._whole(members, moved, unit) if distance >= _REACHED else None
