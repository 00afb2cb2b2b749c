"""Parses typed text: full-width digits, separators, Chinese multipliers, units in the field."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal

from survey.questionnaires.answering import units
from survey.questionnaires.answering.errors import AnswerError

_MINUS = str.maketrans({"\u2212": "-", "\u2013": "-", "\u2014": "-", "\ufe63": "-"})
_NUMBER = re.compile(r"(?P<sign>[+-]?)(?P<digits>[0-9][0-9,.' ]*|\.[0-9]+)(?P<rest>.*)", re.DOTALL)
_PLAIN = re.compile(r"[0-9]*\.?[0-9]+|[0-9]+\.")
_GROUPED = re.compile(r"[0-9]{1,3}(?:[,' ][0-9]{3})+(?:\.[0-9]+)?")
_MULTIPLIERS = (("万亿", 12), ("亿", 8), ("万", 4), ("千", 3), ("百", 2))
_MONTH = re.compile(r"(?P<year>[12][0-9]{3})[-/.年 ]?(?P<month>0?[1-9]|1[0-2])月?")
_DAY = re.compile(r"(?P<month>[12][0-9]{3}-[01][0-9])-[0-3][0-9]")
_YES = frozenset({"true", "yes", "y", "是", "有", "1"})
_NO = frozenset({"false", "no", "n", "否", "无", "0"})
_LONGEST_NUMBER = 80
# Direction embeddings and overrides display a text differently from how it is stored; directional marks are needed.
_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True)
class ParsedNumber:
    """A number as written and the unit it was written in (None when the item has no choice)."""

    number: Decimal
    unit: str | None


def clean_text(text: str, *, multiline: bool = False) -> str:
    """Text without surrounding space and with full-width forms folded.

    Free text (`multiline`) keeps its own characters and line breaks. Raises AnswerError for control
    characters, which would break exports and hide content.
    """
    if text.isascii() and text.isprintable():
        return text.strip() if multiline else " ".join(text.split())
    # Raised, circled and fractional figures are not folded: 10² would become 102.
    folds = not multiline and all(unicodedata.category(character) != "No" for character in text)
    text = unicodedata.normalize("NFKC" if folds else "NFC", text)
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\ufeff", "").replace("\u200b", "")
    allowed = {"\n", "\t"} if multiline else {"\t"}
    for character in text:
        # Cc: control; Cs: lone surrogates, which PostgreSQL cannot store; Cn would refuse new emoji.
        hidden = unicodedata.category(character) in {"Cc", "Cs"} or character in _OVERRIDES
        if hidden and character not in allowed:
            raise AnswerError("control_characters")
    return text.strip() if multiline else " ".join(text.split())


def parse_number(
    text: str, unit: str = "", allowed: tuple[str, ...] = (), *, chosen: str | None = None
) -> ParsedNumber:
    """A number with optional multiplier and unit. Raises AnswerError.

    `unit` is the unit of the item, `allowed` the units that may be entered, `chosen` the one picked
    beside the field. A multiplier that names a unit of the item is read as that unit: 32亿 in a field of 亿个 is 32.
    """
    cleaned = clean_text(text).translate(_MINUS)
    if chosen is not None:
        chosen = _chosen_unit(chosen, unit, allowed)
    match = _NUMBER.fullmatch(cleaned)
    if match is None or len(cleaned) > _LONGEST_NUMBER:
        raise AnswerError("too_large" if match else "not_a_number", text=cleaned[:40])
    digits = match["digits"].strip()
    if not _PLAIN.fullmatch(digits) and not _GROUPED.fullmatch(digits):
        raise AnswerError("separator" if "," in digits else "not_a_number", text=cleaned[:40])
    number = Decimal(match["sign"] + re.sub(r"[,' ]", "", digits))
    power, written = _read_suffix(match["rest"].strip(), unit, allowed, cleaned)
    return ParsedNumber(_shifted(number, power), written or chosen or (unit if allowed else None))


def _shifted(number: Decimal, power: int) -> Decimal:
    # Decimal.scaleb rounds to the ambient precision; rebuilding the tuple is exact.
    sign, digits, exponent = number.as_tuple()
    return Decimal((sign, digits, int(exponent) + power))


def _read_suffix(suffix: str, unit: str, allowed: tuple[str, ...], text: str) -> tuple[int, str | None]:
    """Power of ten and unit of the text that follows the digits."""
    if not suffix:
        return 0, None
    code = units.find_unit(suffix, _enterable(unit, allowed))
    if code is not None:
        return 0, code
    if suffix == unit:
        return 0, None
    for name, power in _MULTIPLIERS:
        if suffix.startswith(name):
            inner, written = _read_suffix(suffix[len(name) :].strip(), unit, allowed, text)
            return power + inner, written
    if units.family_of(suffix.upper()) is not None:
        raise AnswerError("unknown_unit", unit=suffix[:20], allowed=_names(unit, allowed))
    raise AnswerError("not_a_number", text=text[:40])


def _chosen_unit(chosen: str, unit: str, allowed: tuple[str, ...]) -> str | None:
    code = units.find_unit(chosen, _enterable(unit, allowed))
    if code is None:
        raise AnswerError("unknown_unit", unit=chosen[:20], allowed=_names(unit, allowed))
    return code


def _enterable(unit: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
    """Units that may be written: those of the item, or the whole family of its fixed unit."""
    if allowed:
        return allowed
    family = units.family_of(unit)
    return family.codes if family else ((unit,) if unit else ())


def _names(unit: str, allowed: tuple[str, ...]) -> str:
    return ", ".join(_enterable(unit, allowed)) or "-"


def parse_bool(text: str) -> bool:
    """Yes or no in either language. Raises AnswerError."""
    folded = text.casefold()
    if folded in _YES:
        return True
    if folded in _NO:
        return False
    raise AnswerError("not_yes_no")


def parse_month(text: str) -> str:
    """A month as YYYY-MM from 2019-05, 2019/5, 2019年5月, 201905 or a full date. Raises AnswerError."""
    day = _DAY.fullmatch(text)
    match = _MONTH.fullmatch(day["month"] if day else text)
    if match is None or not 1800 <= int(match["year"]) <= 2100:
        raise AnswerError("bad_date")
    return f"{match['year']}-{int(match['month']):02d}"


def split_codes(text: str) -> list[str]:
    """Codes of a multiple choice written in one field."""
    return [code for code in re.split(r"[,;、\s]+", text) if code]
