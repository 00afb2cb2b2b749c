"""Values of the cells of a frame file. Pure: faults are codes; ``messages`` has their sentences."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from survey.notation.dates import parse_day
from survey.notation.errors import NotationError
from survey.questionnaires.answering.errors import AnswerError
from survey.questionnaires.answering.text import parse_number
from survey.questionnaires.answering.units import FAMILIES, convert

LARGEST = {"employees": 10_000_000, "turnover": 10**12, "assets": 10**13, "units": 10**9}
# By column: its unit, and the units that may be written.
UNITS: dict[str, tuple[str, tuple[str, ...]]] = {
    "employees": ("人", ()),
    "units": ("家", ()),
    "turnover": ("万元", FAMILIES["money"].codes),
    "assets": ("万元", FAMILIES["money"].codes),
}
_TRUE, _FALSE = {"1", "是", "true", "yes", "y", "t"}, {"", "0", "否", "false", "no", "n", "f"}
type Parse = Callable[[str], Any]


class CellError(Exception):
    """The value of a cell is not valid."""

    def __init__(self, code: str, **parameters: Any) -> None:
        super().__init__(code)
        self.code, self.parameters = code, parameters


def number(text: str, column: str) -> Decimal:
    """A number as the pages of the questionnaire read it, in the unit of the column."""
    unit, offered = UNITS[column]
    try:
        parsed = parse_number(text, unit, offered)
    except AnswerError as error:
        raise CellError(error.code, **error.stored_params()) from None
    value = convert(parsed.number, parsed.unit, unit) if parsed.unit else parsed.number
    if value < 0:
        raise CellError("negative")
    if value > LARGEST[column]:
        raise CellError("too_big", limit=LARGEST[column])
    return value


def integer(column: str, *, needed: bool = False) -> Parse:
    """A parser of whole numbers; blank is None, or a fault where a value is needed."""

    def parse(text: str) -> int | None:
        if not text:
            if needed:
                raise CellError("needed")
            return None
        result = number(text, column)
        if result != result.to_integral_value():
            raise CellError("not_whole")
        return int(result)

    return parse


def money(column: str) -> Parse:
    """A parser of amounts in 10,000 yuan with two decimals; blank is None."""

    def parse(text: str) -> Decimal | None:
        return number(text, column).quantize(Decimal("0.01")) if text else None

    return parse


def day(text: str) -> dt.date | None:
    """A date; blank is None."""
    try:
        return parse_day(text) if text else None
    except NotationError as error:
        raise CellError(error.code) from None


def flag(text: str) -> bool:
    """Yes or no; blank is no."""
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise CellError("not_a_flag")
