"""Numbers as people write them: separators, exponents, multipliers (万, 亿), Chinese numerals, and what follows."""

import re
from dataclasses import dataclass, replace
from decimal import Decimal

from survey.notation.characters import clean_text
from survey.notation.errors import NotationError
from survey.notation.numerals import DIGITS, MYRIADS, NUMERALS, parse_numerals

LONGEST = 80
MULTIPLIERS = (("万亿", 12), ("亿", 8), ("万", 4), ("千", 3), ("百", 2))
PERCENT = "百分之"
_MINUS = str.maketrans({"\u2212": "-", "\u2013": "-", "\u2014": "-", "\ufe63": "-"})
_SEPARATORS = re.compile("[,' ]")
_NUMBER = re.compile(r"(?P<digits>[0-9][0-9.,' ]*|\.[0-9]+)(?P<rest>.*)", re.DOTALL)
_EXPONENT = re.compile(r"[eE](?P<power>[+-]?[0-9]{1,2})(?![0-9])")
_PLAIN = re.compile(r"[0-9]*\.?[0-9]+|[0-9]+\.")
# Groups of three with one kind of separator; a leading zero would be a decimal comma: 0,123.
_GROUPED = re.compile(r"[1-9][0-9]{0,2}([,' ])[0-9]{3}(?:\1[0-9]{3})*(?:\.[0-9]+)?")
_DECIMAL_COMMA = re.compile(r"[0-9]{1,3}(?:[.' ]?[0-9]{3})*,[0-9]+")
_CELL_EDGE = re.compile(r"[\n\r\t\v\f\x85\u2028\u2029]+")  # between cells or lines of a pasted text
_CURRENCY = re.compile(r"[¥￥$€£]|(?:RMB|CNY|USD)\b", re.IGNORECASE)
NOTHING = frozenset({"无", "没有", "暂无", "空", "-", "--", "/", "\\", "nil", "none", "null", "no", "n"})


@dataclass(frozen=True, slots=True)
class Written:
    """A number and the text that follows it.

    number : the number as written, multipliers included, exact
    scaled : whether it was written with 万 or 亿, so that a missing unit is the small one (元 and not 万元)
    suffix : the text behind it, the unit as a rule
    single : the number without its one multiplier, and ``suffix`` with it: "3.2亿元" is 3.2 and "亿元"; else None
    """

    number: Decimal
    suffix: str = ""
    scaled: bool = False
    single: tuple[Decimal, str] | None = None


def split_number(text: str) -> Written:
    """A number and its suffix. Raises NotationError, of which ``code`` says why the text is not read.

    ``several_values`` for line breaks and tabs (cells of a spreadsheet that were pasted into one), ``decimal_comma``
    with the number that was probably meant, ``separator``, ``numerals``, ``currency``, ``nothing``, ``too_large``,
    ``not_a_number``, ``control_characters``.
    """
    parts = [part.strip() for part in _CELL_EDGE.split(text.strip())]
    if sum(any(character.isdecimal() or character in DIGITS for character in part) for part in parts) > 1:
        raise NotationError("several_values", text=" | ".join(filter(None, parts))[:40])
    cleaned = clean_text(" ".join(parts)).translate(_MINUS)  # a number and its unit may come from two cells
    if cleaned.casefold() in NOTHING:
        raise NotationError("nothing", text=cleaned)
    if len(cleaned) > LONGEST:
        raise NotationError("too_large" if _NUMBER.fullmatch(cleaned) else "not_a_number", text=cleaned[:40])
    if _CURRENCY.search(cleaned):
        raise NotationError("currency", text=cleaned[:40])
    sign, unsigned = (cleaned[0], cleaned[1:]) if cleaned[:1] in ("+", "-") else ("", cleaned)
    if unsigned.startswith(PERCENT):
        written = replace(split_number(unsigned.removeprefix(PERCENT)), suffix="%")
    else:
        written = _chinese(unsigned) or _western(unsigned, cleaned)
    return _negative(written) if sign == "-" else written


def parse_decimal(text: str) -> Decimal:
    """A number without anything behind it. Raises NotationError."""
    written = split_number(text)
    if written.suffix:
        raise NotationError("not_a_number", text=text.strip()[:40])
    return written.number


def shifted(number: Decimal, power: int) -> Decimal:
    """``number`` times ten to ``power``, exactly: Decimal.scaleb rounds to the ambient precision."""
    sign, digits, exponent = number.as_tuple()
    return Decimal((sign, digits, int(exponent) + power))


def _negative(written: Written) -> Written:
    single = (-written.single[0], written.single[1]) if written.single else None
    return Written(-written.number, written.suffix, written.scaled, single)


def _chinese(text: str) -> Written | None:
    match = NUMERALS.match(text)
    if match is None:
        return None
    numerals = match[0]
    return Written(
        parse_numerals(numerals),
        text[match.end() :].strip(),
        scaled=any(character in MYRIADS for character in numerals),
    )


def _western(text: str, cleaned: str) -> Written:
    number, rest = _leading(text, cleaned)
    multiplier, unit = _multiplier(rest)
    if not multiplier:
        return Written(number, rest)
    single = (number, rest)
    total, power = shifted(number, multiplier), multiplier
    if not re.match(r"[0-9]", unit):
        return Written(total, unit, scaled=power >= 4, single=single)
    while re.match(r"[0-9]", unit):  # 1亿2000万, 3万2千
        part, rest = _leading(unit, cleaned)
        below, unit = _multiplier(rest)
        if not below or below >= power or shifted(part, below) >= Decimal(10) ** power:
            raise NotationError("numerals", text=cleaned[:40])
        total, power = total + shifted(part, below), below
    return Written(total, unit, scaled=True)


def _leading(text: str, cleaned: str) -> tuple[Decimal, str]:
    """The digits at the beginning as a number, and the text behind them."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise NotationError("not_a_number", text=cleaned[:40])
    digits, rest = match["digits"].strip(), match["rest"]
    if not _PLAIN.fullmatch(digits) and not _GROUPED.fullmatch(digits):
        raise _misplaced(digits, cleaned)
    number = Decimal(_SEPARATORS.sub("", digits))
    if exponent := _EXPONENT.match(rest):
        number, rest = shifted(number, int(exponent["power"])), rest[exponent.end() :]
    return number, rest.strip()


def _misplaced(digits: str, cleaned: str) -> NotationError:
    if _DECIMAL_COMMA.fullmatch(digits):
        whole, _comma, fraction = digits.rpartition(",")
        meant = f"{re.sub(r'[^0-9]', '', whole)}.{fraction}"
        return NotationError("decimal_comma", text=cleaned[:40], meant=meant)
    code = "separator" if "," in digits or "'" in digits else "blanks" if " " in digits else "not_a_number"
    return NotationError(code, text=cleaned[:40])


def _multiplier(text: str) -> tuple[int, str]:
    """Power of ten of the multipliers at the beginning, and the text behind them: "千万元" is 7 and "元"."""
    power = 0
    while True:
        for name, own in MULTIPLIERS:
            if text.startswith(name):
                power, text = power + own, text[len(name) :].strip()
                break
        else:
            return power, text
