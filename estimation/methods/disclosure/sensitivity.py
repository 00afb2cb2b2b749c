"""Disclosure control: sensitive cells, the sums that link published tables, and the auditor's attack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import scipy
from scipy import sparse

from estimation.methods.arrays import Bools, Floats, Indices
from estimation.methods.sample import as_codes, as_floats, as_mask


class Sensitivity(IntEnum):
    """Why a cell is withheld in the first place."""

    SAFE = 0
    FEW = 1  # fewer contributors than the minimum
    ONE_DOMINATES = 2  # the largest contributor holds more than its limit
    TWO_DOMINATE = 3  # the two largest together do


@dataclass(frozen=True, eq=False)
class PrimaryCells:
    """Sensitive cells among C.

    withheld : (C,); reason : (C,) codes of `Sensitivity`; units : (C,) contributors
    total : (C,) sum of contributions; largest, two_largest : (C,) shares of the total, 0 where it is 0
    """

    withheld: Bools
    reason: npt.NDArray[np.int8]
    units: Indices
    total: Floats
    largest: Floats
    two_largest: Floats


@dataclass(frozen=True, eq=False)
class Audit:
    """What a reader can compute about withheld cells from all published ones.

    lower, upper : (C,) limits that follow; equal to the value for a published cell
    recovered : (C,) withheld cells whose limits meet
    """

    lower: Floats
    upper: Floats
    recovered: Bools


def primary_cells(
    contribution: npt.ArrayLike,
    cell: npt.ArrayLike,
    *,
    cells: int | None = None,
    minimum: int = 3,
    largest_limit: float = 0.70,
    two_largest_limit: float = 0.85,
) -> PrimaryCells:
    """Cells that would disclose values of single units (primary sensitive cells).

    Parameters
    ----------
    contribution : (m,) non-negative value of each contributor to a cell
    cell : (m,) integer codes 0..C-1, -1 for none
    cells : C, when the last cells may be empty
    minimum : fewest contributors of a published cell; a cell without any is safe, there is nothing in it
    largest_limit, two_largest_limit : largest allowed share of the largest and of the two largest contributors

    Raises
    ------
    ValueError : a negative or missing contribution or a bad code, with its index.

    References
    ----------
    Hundepool et al. (2012), chapter 4 (threshold and concentration rules).
    """
    amount = as_floats(contribution, "contribution", ndim=1)
    _refuse(amount < 0, "contribution must not be negative", amount)
    codes = np.asarray(cell)
    size = cells if cells is not None else int(codes.max(initial=0)) + 1
    codes = as_codes(codes, "cell", size=size, length=len(amount), lowest=-1)
    inside = codes >= 0
    cell_code, amount = codes[inside], amount[inside]
    units = np.bincount(cell_code, minlength=size)
    total = np.bincount(cell_code, weights=amount, minlength=size)
    order = np.lexsort((-amount, cell_code))
    sorted_amount = np.append(amount[order], 0.0)
    first = np.cumsum(units) - units
    top = np.where(units > 0, sorted_amount[np.minimum(first, len(amount))], 0.0)
    second = np.where(units > 1, sorted_amount[np.minimum(first + 1, len(amount))], 0.0)
    divisor = np.where(total > 0, total, 1.0)
    largest, both = top / divisor, (top + second) / divisor
    reason = np.zeros(size, dtype=np.int8)
    reason[both > two_largest_limit] = Sensitivity.TWO_DOMINATE
    reason[largest > largest_limit] = Sensitivity.ONE_DOMINATES
    reason[(units > 0) & (units < minimum)] = Sensitivity.FEW
    return PrimaryCells(reason > 0, reason, units, total, largest, both)


def table_relations(tables: Sequence[npt.ArrayLike], cells: int) -> sparse.csr_array:
    """The sums that bind published cells, (R, C): each row is parts minus total and gives 0.

    Parameters
    ----------
    tables : arrays of cell numbers 0..C-1, one axis per classification, the last entry of every axis being its
        total. A cell that appears in several tables, or in a later release, links them by its number; -1 is a
        cell that does not exist.
    cells : C

    Raises
    ------
    ValueError : a number outside -1..C-1; a total of -1 over existing parts.
    """
    rows: list[Indices] = []
    signs: list[Floats] = []
    for number, table in enumerate(tables):
        ids = np.asarray(table)
        flat = as_codes(ids.ravel(), f"table {number}", size=cells, lowest=-1).reshape(ids.shape)
        for axis in range(flat.ndim):
            lines = np.moveaxis(flat, axis, -1).reshape(-1, flat.shape[axis])
            for line in lines:
                parts = line[:-1][line[:-1] >= 0]
                if len(parts) == 0:
                    continue
                if line[-1] < 0:
                    raise ValueError(f"table {number} has parts {parts.tolist()[:5]} without a total")
                rows.append(np.append(parts, line[-1]))
                signs.append(np.append(np.ones(len(parts)), -1.0))
    if not rows:
        return sparse.csr_array((0, cells))
    ends = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    return sparse.csr_array((np.concatenate(signs), np.concatenate(rows), ends), shape=(len(rows), cells))


def audit_suppression(
    value: npt.ArrayLike,
    relations: sparse.csr_array,
    withheld: npt.ArrayLike,
    *,
    targets: npt.ArrayLike | None = None,
    tolerance: float = 1e-6,
) -> Audit:
    """Attack a pattern: the range of every withheld cell that the published cells allow.

    Parameters
    ----------
    value : (C,) non-negative values that add up in `relations`
    relations : (R, C) from `table_relations`
    withheld : (C,) booleans
    targets : (C,) booleans, withheld cells whose range is wanted; None is all of them. The others keep limits of
        0 and inf, which nobody tried to narrow
    tolerance : a cell is recovered when its range is narrower than this share of its value

    Returns
    -------
    Audit; two linear programs per withheld cell over the cells it hangs together with, knowing that values are
    not negative. `upper` is inf where nothing bounds a cell.

    Raises
    ------
    ValueError : a negative value; sums that do not hold, with the row.
    """
    values, mask = checked_table(value, relations, withheld, "withheld")
    audited = mask if targets is None else mask & as_mask(targets, "targets", len(values))
    lower, upper = np.where(mask, 0.0, values), np.where(mask, np.inf, values)
    for members in linked_groups(relations, mask):
        rows = relations[:, members].tocsr()
        rows = rows[np.diff(rows.indptr) > 0]
        start = values[members]
        for position, c in enumerate(members):
            if not audited[c]:
                continue
            # In deviations from the truth, in units of the cell itself: small cells keep their digits.
            unit = start[position] if start[position] > 0 else max(float(start.max()), 1.0)
            for sign in (1.0, -1.0):
                limits = np.stack([-start / unit, np.full(len(start), np.inf)], axis=1)
                move = furthest(rows, limits, position, sign)[0] * unit
                if sign > 0:
                    upper[c] = values[c] + move
                else:
                    lower[c] = max(values[c] - move, 0.0)
    width = upper - lower
    recovered = mask & (width <= tolerance * np.where(values > 0, values, 1.0))
    return Audit(lower, upper, recovered)


def linked_groups(relations: sparse.csr_array, withheld: Bools) -> list[Indices]:
    """Withheld cells grouped by the sums they share; each group is attacked alone."""
    members = np.flatnonzero(withheld)
    touching = relations[:, members].astype(bool).astype(np.int8)
    count, label = sparse.csgraph.connected_components(touching.T @ touching, directed=False)
    return [members[label == group] for group in range(count)]


def checked_table(
    value: npt.ArrayLike, relations: sparse.csr_array, mask: npt.ArrayLike, name: str
) -> tuple[Floats, Bools]:
    """Non-negative values (C,) whose sums hold, and a mask (C,); else ValueError."""
    values = as_floats(value, "value", ndim=1, length=relations.shape[1])
    _refuse(values < 0, "value must not be negative", values)
    gap = np.abs(relations @ values)
    wrong = np.flatnonzero(gap > 1e-6 * np.maximum(abs(relations) @ values, 1.0))
    if len(wrong):
        raise ValueError(f"relation {int(wrong[0])} does not hold: parts and total differ by {gap[wrong[0]]}")
    return values, as_mask(mask, name, len(values))


def furthest(
    rows: sparse.csr_array, limits: Floats, position: int, sign: float
) -> tuple[float, Floats, Floats]:
    """How far one cell can move up (+1) or down (-1) while the sums hold and moves stay within limits (C, 2).

    Returns the distance (inf if nothing stops it), the moves (C,) and the reduced costs (C,) of the linear program.
    """
    goal = np.zeros(len(limits))
    goal[position] = -sign
    # The stubs of SciPy declare neither sparse matrices nor arrays of bounds here; the solver takes both.
    equal: dict[str, Any] = {"A_eq": rows, "b_eq": np.zeros(rows.shape[0])} if rows.shape[0] else {}
    solution: Any = scipy.optimize.linprog(goal, bounds=cast("Any", limits), method="highs", **equal)
    if solution.status == 3:
        return np.inf, goal, goal
    if not solution.success:
        raise ArithmeticError(f"the linear program of cell {position} failed: {solution.message}")
    price = rows.T @ solution.eqlin.marginals if rows.shape[0] else np.zeros(len(goal))
    return max(-float(solution.fun), 0.0), np.asarray(solution.x), np.asarray(price - goal)


def _refuse(bad: Bools, message: str, values: Floats) -> None:
    if bad.any():
        index = int(np.flatnonzero(bad)[0])
        raise ValueError(f"{message}: index {index} holds {values[index]}")
