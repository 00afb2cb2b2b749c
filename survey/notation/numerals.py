"""Chinese numerals, plain (三千二百) and financial (叁仟贰佰), where they mean one number only."""

import re
from decimal import Decimal

from survey.notation.errors import NotationError

DIGITS = {
    **{character: value for value, character in enumerate("零一二三四五六七八九")},
    **{character: value for value, character in enumerate("〇壹贰叁肆伍陆柒捌玖")},
    "两": 2,
    "兩": 2,
    "貳": 2,
    "參": 3,
    "陸": 6,
}
TENS = {"十": 1, "拾": 1, "百": 2, "佰": 2, "千": 3, "仟": 3}
MYRIADS = {"万": 4, "萬": 4, "亿": 8, "億": 8}
_ZERO = "零〇"
_POINT = "点點"
NUMERALS = re.compile(f"[{re.escape(''.join((*DIGITS, *TENS, *MYRIADS)))}{re.escape(_POINT)}]+")


def parse_numerals(text: str) -> Decimal:
    """The number of a text of Chinese numerals. Raises NotationError ``numerals`` when it could be another one.

    Colloquial short forms (三万五 is 35,000, 三千五 is 3,500) and rows of digits (一二) are not read.
    """
    whole, point, fraction = _divided(text)
    if point and not (fraction and all(character in DIGITS for character in fraction)):
        raise NotationError("numerals", text=text[:40])
    value = Decimal(_whole(whole, text))
    if not fraction:
        return value
    digits = "".join(str(DIGITS[character]) for character in fraction)
    return value + Decimal(f"0.{digits}")


def parse_digits(text: str) -> str:
    """Digits written one by one as in years: 二〇二五 is 2025. Other characters stay as they are."""
    return "".join(str(DIGITS[character]) if character in DIGITS else character for character in text)


def _divided(text: str) -> tuple[str, str, str]:
    for point in _POINT:
        if point in text:
            return text.partition(point)
    return text, "", ""


def _whole(text: str, written: str) -> int:
    """A whole number: sections of four digits, each with its 万 or 亿."""
    for powers in (("亿", "億"), ("万", "萬")):
        position = max(text.rfind(character) for character in powers)
        if position >= 0:
            upper, lower = text[:position], text[position + 1 :]
            power = MYRIADS[text[position]]
            high = _whole(upper, written)
            low = _whole(lower, written) if lower else 0
            short = lower and len(lower) == 1 and lower in DIGITS  # 三万五
            if short or not high or low >= 10**power:
                raise NotationError("numerals", text=written[:40])
            return int(high * 10**power + low)
    return _section(text, written)


def _section(text: str, written: str) -> int:
    """A number below 10,000."""
    total, digit, last_power, zero = 0, None, 4, False
    for character in text:
        if character in TENS:
            power = TENS[character]
            if power >= last_power or (digit == 0) or (digit is None and power != 1):
                raise NotationError("numerals", text=written[:40])
            total += (1 if digit is None else digit) * 10**power
            digit, last_power, zero = None, power, False
        elif character in DIGITS and digit is None:
            if character in _ZERO and len(text) > 1:
                zero = True
            else:
                digit = DIGITS[character]
        else:
            raise NotationError("numerals", text=written[:40])
    if not text or (digit is not None and last_power in (2, 3) and not zero):  # 三千五, 一百二
        raise NotationError("numerals", text=written[:40])
    return total + (digit or 0)
