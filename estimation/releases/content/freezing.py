"""The last step before a content is frozen: remove digits that are not printed. Pure.

Files and the API then contain no more information than the printed table. The estimation run retains unrounded
values.
"""

import math
from collections.abc import Mapping
from dataclasses import replace

from estimation.releases.content.content import CellStatus, FrozenCell, Text
from estimation.releases.content.estimates import rounded

WEAK = "E"
NEVER_NEGATIVE = frozenset({"total", "mean", "ratio", "proportion", "multiple"})
NOTE = Text("误差较大，仅供参考", "large error, an indication only")


def as_printed(cell: FrozenCell) -> FrozenCell:
    """The cell with its value as printed, bounds to the same decimals, se to two significant digits, cv to 0.01 %."""
    if cell.status not in (CellStatus.SHOWN, CellStatus.NIL):
        return cell
    return replace(
        cell,
        value=_value(cell),
        se=_significant(cell.se),
        cv=_to(cell.cv, 4),
        lower=_to(cell.lower, cell.decimals),
        upper=_to(cell.upper, cell.decimals),
    )


def read(printed: str) -> float | None:
    """The number of a printed text, None when it is not a number."""
    try:
        return float(printed.lstrip("<>≥≤≈~约超近 ").replace(",", ""))
    except ValueError:
        return None


def freeze(cells: Mapping[str, FrozenCell]) -> dict[str, FrozenCell]:
    """All cells as they are published: with feasible bounds, and a note where the error is large and there is no other note."""
    return {key: _noted(as_printed(_possible(cell))) for key, cell in cells.items()}


def _possible(cell: FrozenCell) -> FrozenCell:
    """The interval without infeasible values: an amount below zero, a share of units above 100 %."""
    if cell.estimator not in NEVER_NEGATIVE or cell.value is None or cell.value < 0:
        return cell
    lower = None if cell.lower is None else max(cell.lower, 0.0)
    is_percentage = cell.estimator == "proportion" and cell.unit.zh == "%"
    upper = min(cell.upper, 100.0) if is_percentage and cell.upper is not None else cell.upper
    return replace(cell, lower=lower, upper=upper)


def _noted(cell: FrozenCell) -> FrozenCell:
    weak = cell.grade == WEAK and cell.status is CellStatus.SHOWN and cell.note is None
    return replace(cell, note=NOTE) if weak else cell


def _value(cell: FrozenCell) -> float | None:
    if cell.value is None:
        return None
    number = read(cell.printed)
    # An enumeration: its number is for ordering and is not printed.
    return _to(cell.value, cell.decimals) if number is None else _plain(number)


def _to(value: float | None, decimals: int) -> float | None:
    return None if value is None else _plain(float(rounded(value, decimals)))


def _significant(value: float | None) -> float | None:
    if value is None or value == 0.0:
        return value
    return _plain(float(rounded(value, 1 - math.floor(math.log10(abs(value))))))


def _plain(value: float) -> float:
    """Zero without a sign: the database drops the sign, which would change the hash of the content."""
    return value + 0.0
