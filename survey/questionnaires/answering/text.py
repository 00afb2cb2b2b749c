"""Reads typed answers: numbers with their unit, months, yes and no, lists of codes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal

from survey.notation import characters, dates, numbers
from survey.notation.errors import NotationError
from survey.questionnaires.answering import units
from survey.questionnaires.answering.errors import AnswerError
from survey.questionnaires.definition import Text

_YES = frozenset({"true", "yes", "y", "是", "有", "1"})
_NO = frozenset({"false", "no", "n", "否", "无", "0"})
SUGGESTED_DECIMALS = 2  # of an amount in a unit that is too small to be kept exactly


@dataclass(frozen=True, slots=True)
class ParsedNumber:
    """A number as written and the unit it was written in (None when the item has no choice)."""

    number: Decimal
    unit: str | None


@contextmanager
def _as_answer_error() -> Iterator[None]:
    """Errors of notation become errors of an answer, which have sentences in both languages."""
    try:
        yield
    except NotationError as error:
        raise AnswerError(error.code, **error.parameters) from None


def clean_text(text: str, *, multiline: bool = False) -> str:
    """Text as ``notation.characters.clean_text`` gives it. Raises AnswerError."""
    with _as_answer_error():
        return characters.clean_text(text, multiline=multiline)


def parse_number(
    text: str,
    unit: str = "",
    allowed: tuple[str, ...] = (),
    *,
    chosen: str | None = None,
    shown: Collection[str] = (),
) -> ParsedNumber:
    """A number with optional multiplier and unit. Raises AnswerError.

    ``unit`` is the unit of the item, ``allowed`` the units that may be entered, ``chosen`` the one picked beside the
    field and ``shown`` what may have stood there before, as far as that is known. A multiplier that names a unit of
    the item is read as that unit: 32亿 in a field of 亿个 is 32. A unit in the text is taken unless another one was
    picked.
    """
    if chosen is not None:
        chosen = _chosen_unit(chosen, unit, allowed)
    with _as_answer_error():
        written = numbers.split_number(text)
    number, own = _with_unit(written, unit, allowed, text.strip())
    if own and chosen and own != chosen and shown and chosen not in shown:
        raise AnswerError("two_units", text=text.strip()[:40], unit=_label(chosen))
    return ParsedNumber(number, own or chosen or (unit if allowed else None))


def _with_unit(
    written: numbers.Written, unit: str, allowed: tuple[str, ...], text: str
) -> tuple[Decimal, str | None]:
    """The number and the unit that its suffix names; None without a suffix, and for the item's own fixed unit."""
    enterable = _enterable(unit, allowed)
    if written.single and (code := units.find_unit(written.single[1], enterable)):
        return written.single[0], code
    if not written.suffix:
        small = units.smallest_unit(unit) if written.scaled and units.starts_with_multiplier(unit) else None
        return written.number, small
    if (code := units.find_unit(written.suffix, enterable)) is not None:
        return written.number, code
    if written.suffix == unit:
        return written.number, None
    if (other := units.unit_of_family(written.suffix, unit)) is not None:
        return _converted(written.number, other, unit, enterable)
    if units.is_unit(written.suffix):
        raise AnswerError("unknown_unit", unit=written.suffix[:20], allowed=_names(enterable))
    raise AnswerError("not_a_number", text=text[:40])


def _converted(
    number: Decimal, unit: str, stored: str, enterable: tuple[str, ...]
) -> tuple[Decimal, str | None]:
    """An amount in a unit of the family that is not offered (TFLOPS, MB), in the unit of the item."""
    value = units.convert(number, unit, stored)
    if units.decimals_of(value) <= units.STORED_DECIMALS:
        return value, stored
    smallest = enterable[0]
    amount = units.rounded(units.convert(number, unit, smallest), SUGGESTED_DECIMALS)
    written = f"{units.plain(number)} {unit}"
    meant = Text(
        *(
            units.with_label(units.format_number(amount), units.unit_label(smallest, code))
            for code in ("zh", "en")
        )
    )
    raise AnswerError("small_unit", text=written[:40], meant=meant, allowed=_names(enterable))


def _chosen_unit(chosen: str, unit: str, allowed: tuple[str, ...]) -> str | None:
    code = units.find_unit(chosen, _enterable(unit, allowed))
    if code is None:
        raise AnswerError("unknown_unit", unit=chosen[:20], allowed=_names(_enterable(unit, allowed)))
    return code


def _enterable(unit: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
    """Units that may be written: those of the item, or the offered ones of the family of its fixed unit."""
    if allowed:
        return allowed
    family = units.family_of(unit)
    return family.codes if family else ((unit,) if unit else ())


def _label(unit: str) -> Text:
    return Text(units.unit_label(unit, "zh"), units.unit_label(unit, "en") or unit)


def _names(codes: tuple[str, ...]) -> Text:
    labels = [_label(code) for code in codes]
    if not labels:
        return Text("（只填数字，不带单位）", "none (digits only)")
    return Text("、".join(label.zh for label in labels), ", ".join(label.en for label in labels))


def parse_bool(text: str) -> bool:
    """Yes or no in either language. Raises AnswerError."""
    folded = text.casefold()
    if folded in _YES:
        return True
    if folded in _NO:
        return False
    raise AnswerError("not_yes_no")


def parse_month(text: str) -> str:
    """A month as YYYY-MM; see ``notation.dates``. Raises AnswerError."""
    with _as_answer_error():
        return dates.parse_month(text)


def split_codes(text: str) -> list[str]:
    """Codes of a multiple choice written in one field."""
    return [code for code in re.split(r"[,;、\s]+", text) if code]
