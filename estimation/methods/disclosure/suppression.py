"""Secondary suppression: the cheapest further cells to withhold so that sums give nothing away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy
from scipy import sparse

from estimation.methods.arrays import Bools, Floats
from estimation.methods.disclosure.sensitivity import audit_suppression, checked_table, furthest
from estimation.methods.sample import as_floats, as_mask

# Movements are counted in units of the wanted one; more than this many of it is as good as unlimited.
_FAR = 1e3
_REACHED = 1.0 - 1e-6


class SuppressionError(ValueError):
    """No pattern protects the sensitive cells, given the cells that must be published."""


@dataclass(frozen=True, eq=False)
class Suppression:
    """A protecting pattern over C cells.

    withheld : (C,) cells to withhold; primary, secondary : (C,) its two parts
    cost : of the secondary cells; rounds : master problems solved
    optimal : False if a time limit stopped a master problem; the pattern protects all the same
    """

    withheld: Bools
    primary: Bools
    secondary: Bools
    cost: float
    rounds: int
    optimal: bool


class Problem(NamedTuple):
    """Checked arguments of a suppression, each (C,): values, marks, prices, and how far each cell must be able to move."""

    value: Floats
    sensitive: Bools
    never: Bools
    withheld_before: Bools
    price: Floats
    goal: Floats


def checked_problem(
    value: npt.ArrayLike,
    relations: sparse.csr_array,
    primary: npt.ArrayLike,
    cost: npt.ArrayLike | None,
    never: npt.ArrayLike | None,
    withheld_before: npt.ArrayLike | None,
    protection: float,
) -> Problem:
    """Check what `suppress` and `suppress_in_turn` are given, and fill in the defaults.

    Raises ValueError for what cannot be a table, a price or a protection, SuppressionError for a sensitive cell that
    must be published.
    """
    values, sensitive = checked_table(value, relations, primary, "primary")
    if not protection > 0.0:
        raise ValueError(f"protection must be positive, not {protection}")
    size = len(values)
    fixed = np.zeros(size, dtype=np.bool_) if never is None else as_mask(never, "never", size)
    old = (
        np.zeros(size, dtype=np.bool_)
        if withheld_before is None
        else as_mask(withheld_before, "withheld_before", size)
    )
    clash = np.flatnonzero(fixed & sensitive)
    if len(clash):
        raise SuppressionError(f"cell {int(clash[0])} is sensitive and must be published")
    positive = values[values > 0]
    least = float(positive.min()) if len(positive) else 1.0
    price = 1.0 + np.log1p(values / least) if cost is None else as_floats(cost, "cost", ndim=1, length=size)
    if (price <= 0).any():
        raise ValueError(f"cost must be positive: index {int(np.argmin(price))} holds {price.min()}")
    goal = protection * np.where(values > 0, values, least)
    return Problem(values, sensitive, fixed, old, price, goal)


def suppress(
    value: npt.ArrayLike,
    relations: sparse.csr_array,
    primary: npt.ArrayLike,
    *,
    cost: npt.ArrayLike | None = None,
    never: npt.ArrayLike | None = None,
    withheld_before: npt.ArrayLike | None = None,
    protection: float = 0.1,
    max_rounds: int = 200,
    seconds_per_round: float = 60.0,
) -> Suppression:
    """Choose secondary cells so that no sensitive cell can be computed closely from published ones.

    Parameters
    ----------
    value : (C,) non-negative cell values that add up in `relations`
    relations : (R, C) from `disclosure.table_relations`; all linked tables and releases at once
    primary : (C,) booleans, sensitive cells (`disclosure.primary_cells`)
    cost : (C,) positive price of withholding a cell; None is 1 + log(1 + value / smallest positive value)
    never : (C,) booleans, cells that must be published: empty ones, and those of earlier releases
    withheld_before : (C,) booleans, cells withheld already and free to stay so
    protection : a reader must not be able to bound a sensitive cell within this share of its value on either side
    max_rounds, seconds_per_round : limits of the search

    Returns
    -------
    Suppression

    Raises
    ------
    SuppressionError : what must be published gives a sensitive cell away.
    ValueError : negative values, sums that do not hold, bad shapes.

    Notes
    -----
    Integer program of Fischetti and Salazar-González: for each sensitive cell and direction there must be another
    table with the same published cells in which it moves by the protection. Tables are found by linear programs;
    one that fails gives a cut on the pattern by its dual, and the pattern is chosen again. Cells that a reader can
    recover although they are not sensitive are published in the end, for nothing is lost by it. Not covered: a
    single contributor who uses knowledge of its own value against its neighbours.

    References
    ----------
    Fischetti and Salazar-González (2001); Hundepool et al. (2012), section 4.4.
    """
    problem = checked_problem(value, relations, primary, cost, never, withheld_before, protection)
    values, sensitive, fixed, old, price, goal = problem
    search = _Search(values, relations, sensitive | old, sensitive, fixed, price, goal, seconds_per_round)
    rounds = 1
    while not search.holds(pattern := search.pattern()):
        if rounds == max_rounds:
            raise SuppressionError(f"no protecting pattern was found in {max_rounds} rounds")
        rounds += 1
    audit = audit_suppression(values, relations, pattern)
    pattern = pattern & ~(audit.recovered & ~sensitive)
    secondary = pattern & ~sensitive
    return Suppression(pattern, sensitive, secondary, float(price[secondary].sum()), rounds, search.optimal)


class _Search:
    """Master problem over patterns, grown by the cuts of failed protections."""

    def __init__(
        self,
        value: Floats,
        relations: sparse.csr_array,
        given: Bools,
        sensitive: Bools,
        never: Bools,
        price: Floats,
        goal: Floats,
        seconds: float,
    ) -> None:
        self.value, self.relations, self.price, self.goal = value, relations, price, goal
        self.sensitive = np.flatnonzero(sensitive)
        self.seconds = seconds
        self.optimal = True
        self.low = given & ~never
        self.high = ~never
        # A withheld cell alone in a sum is the total minus the rest: it needs company in each of its sums.
        self.cuts = [_company(relations)]
        self.bounds = [np.zeros(self.cuts[0].shape[0])]

    def pattern(self) -> Bools:
        """The cheapest pattern (C,) that satisfies all cuts so far."""
        rules = scipy.optimize.LinearConstraint(
            sparse.vstack(self.cuts, format="csr"), np.concatenate(self.bounds), np.inf
        )
        # Given cells cost nothing to withhold.
        solution = scipy.optimize.milp(
            np.where(self.low, 0.0, self.price),
            integrality=np.ones(len(self.price), dtype=np.intp),
            bounds=scipy.optimize.Bounds(self.low.astype(np.float64), self.high.astype(np.float64)),
            constraints=rules,
            options={"time_limit": self.seconds},
        )
        if solution.x is None:
            raise SuppressionError("the cells that must be published give a sensitive cell away")
        self.optimal &= solution.status == 0
        return np.asarray(solution.x > 0.5)

    def holds(self, pattern: Bools) -> bool:
        """Whether every sensitive cell can move both ways; else cuts are added."""
        open_up = {int(c) for c in self.sensitive}
        open_down = {int(c) for c in self.sensitive if self.value[c] > 0}
        cuts = []
        for up, waiting in ((True, open_up), (False, open_down)):
            while waiting:
                cell = waiting.pop()
                move, cut = self._attack(pattern, cell, up)
                if cut is not None:
                    cuts.append(cut)
                    continue
                # The table that was found may protect other cells, too, and so may its like for the way down.
                open_up -= {c for c in open_up if move[c] >= self.goal[c]}
                open_down -= {c for c in open_down if -move[c] >= self.goal[c]}
        if cuts:
            self.cuts.append(sparse.csr_array(np.stack(cuts)))
            self.bounds.append(np.ones(len(cuts)))
        return not cuts

    def _attack(self, pattern: Bools, cell: int, up: bool) -> tuple[Floats, Floats | None]:
        """Movement (C,) of another table that protects `cell`, or the cut (C,) >= 1 that it lacks."""
        unit = self.goal[cell]
        down_limit = np.minimum(self.value / unit, _FAR)
        limits = np.stack([-down_limit * pattern, _FAR * pattern], axis=1)
        distance, moves, reduced = furthest(self.relations, limits, cell, 1.0 if up else -1.0)
        if distance >= _REACHED:
            return moves * unit * (1.0 + 2e-6), None
        # Weak duality: the movement is at most sum (r+ U + r- L) x for the reduced costs r, in any pattern x.
        weight = np.maximum(reduced, 0.0) * _FAR + np.maximum(-reduced, 0.0) * down_limit
        weight[weight < 1e-9] = 0.0
        return moves, np.minimum(weight, 1.0)


def _company(relations: sparse.csr_array) -> sparse.csr_array:
    """Rows: for each cell in each sum, the other cells of the sum minus the cell itself, >= 0."""
    blocks = []
    for row in range(relations.shape[0]):
        members = relations.indices[relations.indptr[row] : relations.indptr[row + 1]]
        block = np.ones((len(members), len(members))) - 2.0 * np.eye(len(members))
        row_index = np.repeat(np.arange(len(members)), len(members))
        blocks.append(
            sparse.csr_array(
                (block.ravel(), (row_index, np.tile(members, len(members)))),
                shape=(len(members), relations.shape[1]),
            )
        )
    return sparse.vstack(blocks, format="csr") if blocks else sparse.csr_array((0, relations.shape[1]))
