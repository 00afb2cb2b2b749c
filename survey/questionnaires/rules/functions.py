"""Functions that rules may call, with their signatures and what they do.

Argument kinds: number, string, bool, list, any; and literal codes that the checker resolves: item,
table, column, row. A function that has no answer (division by zero, logarithm of zero) sets
`Environment.undefined`, and the whole expression counts as not evaluated.
"""

from __future__ import annotations

import calendar
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

from survey.questionnaires.credit_code import is_valid
from survey.questionnaires.size import section_of, size_class

# Answers are exact decimals but rules see doubles: 0.1 + 0.2 <= 0.3 must hold. Differences below
# this are rounding, not respondents' errors.
ABSOLUTE_SLACK = 1e-9
RELATIVE_SLACK = 1e-13

type TableNumbers = Mapping[str, Mapping[str, Decimal]]


@dataclass(frozen=True, slots=True)
class Signature:
    """Kinds of the arguments and of the result."""

    arguments: tuple[str, ...]
    result: str


SIGNATURES: dict[str, Signature] = {
    # Items, tables and last year's values; their literal arguments are dependencies.
    "answered": Signature(("item",), "bool"),
    "previous": Signature(("item",), "item"),
    "has_previous": Signature(("item",), "bool"),
    "sum_of": Signature(("table", "column"), "number"),
    "previous_sum_of": Signature(("table", "column"), "number"),
    "sum_all": Signature(("table",), "number"),
    "diagonal_of": Signature(("table",), "number"),
    "max_of": Signature(("table", "column"), "number"),
    "max_step": Signature(("table", "column"), "number"),
    "days_sum_of": Signature(("table", "column"), "number"),
    "cell": Signature(("table", "row", "column"), "number"),
    "count_rows": Signature(("table",), "number"),
    # Numbers.
    "near": Signature(("number", "number", "number"), "bool"),
    "between": Signature(("number", "number", "number"), "bool"),
    "abs": Signature(("number",), "number"),
    "ln": Signature(("number",), "number"),
    "log_ratio": Signature(("number", "number"), "number"),
    "min_of": Signature(("number", "number"), "number"),
    "max_number": Signature(("number", "number"), "number"),
    # Text.
    "prefix": Signature(("string", "number"), "string"),
    # Domain.
    "section_of": Signature(("string",), "string"),
    "size_class": Signature(("string", "number", "number", "number"), "string"),
    "valid_uscc": Signature(("string",), "bool"),
    # The whole sheet.
    "all_zero": Signature((), "bool"),
    "share_round": Signature((), "number"),
    # CEL's own, as far as rules need them.
    "size": Signature(("any",), "number"),
    "string": Signature(("any",), "string"),
    "double": Signature(("any",), "number"),
    # Written by the compiler in place of operators; not for authors.
    "at_most": Signature(("any", "any"), "bool"),
    "below": Signature(("any", "any"), "bool"),
    "same": Signature(("any", "any"), "bool"),
    "divide": Signature(("number", "number"), "number"),
    "modulo": Signature(("number", "number"), "number"),
}
METHODS: dict[str, Signature] = {
    "startsWith": Signature(("string",), "bool"),
    "endsWith": Signature(("string",), "bool"),
    "contains": Signature(("any",), "bool"),
    "matches": Signature(("string",), "bool"),
    "size": Signature((), "number"),
    "exists": Signature(("variable", "bool"), "bool"),
    "all": Signature(("variable", "bool"), "bool"),
}
INTERNAL = frozenset({"at_most", "below", "same", "divide", "modulo"})
TABLE_FUNCTIONS = frozenset(name for name, signature in SIGNATURES.items() if "table" in signature.arguments)
BUILT_IN = frozenset({"size", "string", "double"})


def _slack(a: float, b: float) -> float:
    return ABSOLUTE_SLACK + RELATIVE_SLACK * max(abs(a), abs(b))


def _numbers(a: Any, b: Any) -> bool:
    return isinstance(a, int | float) and isinstance(b, int | float)


def near(a: float, b: float, tolerance: float) -> bool:
    """Whether two amounts are equal up to `tolerance` (absolute, in the unit of the amounts)."""
    return abs(a - b) <= abs(tolerance) + _slack(a, b)


def at_most(a: Any, b: Any) -> bool:
    """a <= b for computed amounts, ignoring rounding of doubles."""
    return bool(a <= b + _slack(a, b)) if _numbers(a, b) else bool(a <= b)


def below(a: Any, b: Any) -> bool:
    """a < b for computed amounts, ignoring rounding of doubles."""
    return bool(a < b - _slack(a, b)) if _numbers(a, b) else bool(a < b)


def same(a: Any, b: Any) -> bool:
    """a == b for computed amounts, ignoring rounding of doubles."""
    return near(a, b, 0.0) if _numbers(a, b) else bool(a == b)


def between(x: float, low: float, high: float) -> bool:
    """low <= x <= high."""
    return at_most(low, x) and at_most(x, high)


def prefix(text: str, length: float) -> str:
    """The first characters of a code."""
    return text[: int(length)]


def month_days(row_id: str, year: int) -> int:
    """Days of the month named by a row id ("1", "01", "m01", "2025-01")."""
    digits = "".join(character for character in row_id if character.isdigit())
    return calendar.monthrange(year, int(digits[-2:]))[1]


class SheetFunctions:
    """The functions of one sheet, bound to its tables, last year's values and answered items."""

    def __init__(
        self,
        values: Mapping[str, Any],
        tables: Mapping[str, TableNumbers],
        previous: Mapping[str, Any],
        previous_tables: Mapping[str, TableNumbers],
        numbers: Callable[[], list[Decimal]],
        year: int,
    ) -> None:
        self.values = values
        self.tables = tables
        self.previous_values = previous
        self.previous_tables = previous_tables
        self.numbers = numbers
        self.year = year
        self.undefined = False

    def table(self) -> dict[str, Callable[..., Any]]:
        """Name -> callable, for the CEL context."""
        bound = {
            name: getattr(self, name)
            for name in SIGNATURES
            if name not in BUILT_IN and hasattr(type(self), name) and name != "table"
        }
        free: dict[str, Callable[..., Any]] = {
            "near": near,
            "at_most": at_most,
            "below": below,
            "same": same,
            "between": between,
            "abs": abs,
            "min_of": min,
            "max_number": max,
            "valid_uscc": is_valid,
            "prefix": prefix,
            "section_of": section_of,
        }
        return bound | free

    def answered(self, code: str) -> bool:
        return code in self.values or code in self.tables

    def has_previous(self, code: str) -> bool:
        return code in self.previous_values or code in self.previous_tables

    def previous(self, code: str) -> Any:
        return self.previous_values.get(code)

    def sum_of(self, code: str, column: str) -> float:
        return float(sum(self._all_known(_cells(self.tables.get(code, {}), column)), Decimal(0)))

    def previous_sum_of(self, code: str, column: str) -> float:
        return float(sum(self._all_known(_cells(self.previous_tables.get(code, {}), column)), Decimal(0)))

    def _all_known(self, numbers: list[Decimal]) -> list[Decimal]:
        """The numbers; empty and `undefined` set when a cell is answered "not known" (NaN)."""
        if any(number.is_nan() for number in numbers):
            self.undefined = True
            return []
        return numbers

    def sum_all(self, code: str) -> float:
        """Every number of the table."""
        rows = self.tables.get(code, {}).values()
        return float(
            sum(self._all_known([number for cells in rows for number in cells.values()]), Decimal(0))
        )

    def diagonal_of(self, code: str) -> float:
        """Sum of the cells whose column is the region of their row ("p320000" of row "320000")."""
        rows = self.tables.get(code, {})
        diagonal = [cells.get(row, cells.get(f"p{row}", Decimal(0))) for row, cells in rows.items()]
        return float(sum(self._all_known(diagonal), Decimal(0)))

    def max_of(self, code: str, column: str) -> float:
        return float(max(self._all_known(_cells(self.tables.get(code, {}), column)), default=Decimal(0)))

    def max_step(self, code: str, column: str) -> float:
        """The largest ratio of a row to the row before it (rows in their fixed order)."""
        cells = self._all_known(_cells(self.tables.get(code, {}), column))
        steps = [later / earlier for earlier, later in pairwise(cells) if earlier > 0]
        return float(max(steps, default=Decimal(1)))

    def days_sum_of(self, code: str, column: str) -> float:
        """Sum over months of the daily mean times the days of the month in the survey year."""
        rows = self.tables.get(code, {})
        parts = [cells[column] * month_days(row, self.year) for row, cells in rows.items() if column in cells]
        return float(sum(self._all_known(parts), Decimal(0)))

    def cell(self, code: str, row: str, column: str) -> float:
        return float(sum(self._all_known([self.tables.get(code, {}).get(row, {}).get(column, Decimal(0))])))

    def count_rows(self, code: str) -> float:
        return float(len(self.tables.get(code, {})))

    def divide(self, a: float, b: float) -> float:
        if b == 0:
            self.undefined = True
            return 0.0
        return a / b

    def modulo(self, a: float, b: float) -> float:
        if b == 0:
            self.undefined = True
            return 0.0
        return a % b

    def ln(self, x: float) -> float:
        if x <= 0:
            self.undefined = True
            return 0.0
        return math.log(x)

    def log_ratio(self, a: float, b: float) -> float:
        if a <= 0 or b <= 0:
            self.undefined = True
            return 0.0
        return math.log(a / b)

    def size_class(self, industry: str, employees: float, turnover: float, assets: float) -> str:
        # Python 3.13 gives the shortest text of a double, so the answers' decimals come back exactly.
        exact = [Decimal(repr(float(number))) for number in (employees, turnover, assets)]
        return size_class(industry, *exact)[0]

    def all_zero(self) -> bool:
        numbers = self.numbers()
        return bool(numbers) and not any(numbers)

    def share_round(self) -> float:
        """Share of the non-zero numbers of at least three digits that end in 00 or more zeros."""
        digits = [str(abs(number.to_integral_value())) for number in self.numbers() if number]
        long = [text for text in digits if len(text) >= 3]
        if len(long) < 10:
            return 0.0
        return sum(text.endswith("00") for text in long) / len(long)


def _cells(rows: TableNumbers, column: str) -> list[Decimal]:
    return [cells[column] for cells in rows.values() if column in cells]
