"""Units of measurement and exact conversion.

Data volumes are binary (1 PB = 1024 TB) as in the national report; computing power, tokens and
money are decimal. All factors are products of powers of 2 and 10, so every conversion has a finite
decimal expansion and is computed exactly.
"""

from __future__ import annotations

import decimal
from dataclasses import dataclass
from decimal import Decimal

from survey.questionnaires.definition import Text

# Orders of magnitude from a thousand on.
MAGNITUDES: tuple[Text, ...] = (
    Text("千", "thousands"),
    Text("万", "tens of thousands"),
    Text("十万", "hundreds of thousands"),
    Text("百万", "millions"),
    Text("千万", "tens of millions"),
    Text("亿", "hundreds of millions"),
    Text("十亿", "billions"),
    Text("百亿", "tens of billions"),
    Text("千亿", "hundreds of billions"),
    Text("万亿", "trillions"),
    Text("十万亿", "tens of trillions"),
    Text("百万亿", "hundreds of trillions"),
    Text("千万亿", "quadrillions"),
    Text("亿亿", "tens of quadrillions"),
)
LEAST_POWER = 3
_EXACT = decimal.Context(prec=160, traps=[decimal.Inexact, decimal.InvalidOperation, decimal.DivisionByZero])


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: `factor` is its size in the smallest unit of its family."""

    code: str
    label: Text
    factor: Decimal
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Family:
    """Units that convert into each other; `canonical` is the one stored by default."""

    name: str
    canonical: str
    units: tuple[Unit, ...]
    written: tuple[Unit, ...] = ()  # understood in a text, and not offered

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes of the offered units from the smallest to the largest."""
        return tuple(unit.code for unit in self.units)


def _binary(code: str, zh: str, power: int) -> Unit:
    return Unit(code, Text(code, code), Decimal(1024) ** power, (zh, zh[0], code[0], f"{code[0]}iB"))


FAMILIES: dict[str, Family] = {
    "data": Family("data", "TB", (
        _binary("GB", "吉字节", 0),
        _binary("TB", "太字节", 1),
        _binary("PB", "拍字节", 2),
        _binary("EB", "艾字节", 3),
        _binary("ZB", "泽字节", 4),
    ), written=(
        Unit("B", Text("B", "B"), Decimal(1024) ** -3, ("字节", "byte", "bytes")),
        _binary("KB", "千字节", -2),
        Unit("MB", Text("MB", "MB"), Decimal(1024) ** -1, ("兆字节", "兆", "M", "MiB")),
        _binary("YB", "尧字节", 5),
    )),
    "compute": Family("compute", "PFLOPS", (
        Unit("PFLOPS", Text("PFLOPS", "PFLOPS"), Decimal(1), ("P", "拍", "PFLOP/s", "PFLOPs")),
        Unit("EFLOPS", Text("EFLOPS", "EFLOPS"), Decimal(1000), ("E", "艾", "EFLOP/s", "EFLOPs")),
    ), written=(
        Unit("GFLOPS", Text("GFLOPS", "GFLOPS"), Decimal(10) ** -6, ("G",)),
        Unit("TFLOPS", Text("TFLOPS", "TFLOPS"), Decimal(10) ** -3, ("T", "TFLOP/s")),
        Unit("ZFLOPS", Text("ZFLOPS", "ZFLOPS"), Decimal(10) ** 6),
    )),
    "tokens": Family("tokens", "亿个", (
        Unit("个", Text("个", ""), Decimal(1), ("token", "tokens")),
        Unit("万个", Text("万个", "ten thousand"), Decimal(10) ** 4, ("万",)),
        Unit("亿个", Text("亿个", "hundred million"), Decimal(10) ** 8, ("亿",)),
        Unit("万亿个", Text("万亿个", "trillion"), Decimal(10) ** 12, ("万亿",)),
    )),
    "money": Family("money", "万元", (
        Unit("元", Text("元", "yuan"), Decimal(1), ("圆",)),
        Unit("万元", Text("万元", "10,000 yuan"), Decimal(10) ** 4, ("万",)),
        Unit("亿元", Text("亿元", "100 million yuan"), Decimal(10) ** 8, ("亿",)),
    ), written=(
        Unit("千元", Text("千元", "thousand yuan"), Decimal(10) ** 3),
        Unit("百万元", Text("百万元", "million yuan"), Decimal(10) ** 6),
    )),
    "calls": Family("calls", "万次", (
        Unit("次", Text("次", "calls"), Decimal(1)),
        Unit("万次", Text("万次", "ten thousand calls"), Decimal(10) ** 4, ("万",)),
        Unit("亿次", Text("亿次", "100 million calls"), Decimal(10) ** 8, ("亿",)),
    )),
    "connections": Family("connections", "万户", (
        Unit("户", Text("户", "connections"), Decimal(1)),
        Unit("万户", Text("万户", "ten thousand connections"), Decimal(10) ** 4, ("万",)),
        Unit("亿户", Text("亿户", "100 million connections"), Decimal(10) ** 8, ("亿",)),
    )),
}  # fmt: skip

# Units without a family: counts and rates. Their English names are needed in messages.
PLAIN_UNITS: dict[str, Text] = {
    "": Text("", ""),
    "%": Text("%", "%"),
    "人": Text("人", "persons"),
    "家": Text("家", "organisations"),
    "项": Text("项", "entries"),
    "笔": Text("笔", "deals"),
    "TB/人": Text("TB/人", "TB per person"),
    "标准机架": Text("标准机架", "standard racks"),
}

STORED_DECIMALS = 12  # places of a canonical quantity: 0.01 GB is exact in TB
_UNITS: dict[str, tuple[Family, Unit]] = {
    unit.code: (family, unit) for family in FAMILIES.values() for unit in (*family.units, *family.written)
}
_NAMES = frozenset(
    name.casefold() for _family, unit in _UNITS.values() for name in (unit.code, *unit.aliases)
) | {name for name in PLAIN_UNITS if name}


def base_code(unit: str) -> str:
    """The unit without a precision note: "PFLOPS(FP16)" -> "PFLOPS"."""
    return unit.split("(", 1)[0].split("（", 1)[0].strip()


def family_of(unit: str) -> Family | None:
    """The family a unit belongs to; None for units that do not convert (%, 家, 万次 ...)."""
    entry = _UNITS.get(base_code(unit))
    return entry[0] if entry else None


def unit_label(unit: str, language: str) -> str:
    """How a unit is written in a language; a precision note stays. In English 个 has no word: 5 个 is 5."""
    entry = _UNITS.get(base_code(unit))
    if entry or unit in PLAIN_UNITS:
        text, note = (entry[1].label, unit[len(base_code(unit)) :]) if entry else (PLAIN_UNITS[unit], "")
        return (text.en if language.lower().startswith("en") else text.zh) + note
    over, _, under = unit.partition("/")  # "TB/人" is "TB / persons"
    return f"{unit_label(over, language)} / {unit_label(under, language)}" if under else unit


def with_label(number: str, label: str) -> str:
    """A number and its unit; a unit that begins with a digit is set off: "3 × 10,000 yuan"."""
    return f"{number} × {label}" if label[:1].isdigit() else f"{number} {label}".strip()


def find_unit(text: str, allowed: tuple[str, ...]) -> str | None:
    """The code among `allowed` that a respondent means by `text` (code or alias, case ignored)."""
    folded = text.strip().casefold()
    for code in allowed:
        entry = _UNITS.get(base_code(code))
        names = (code, base_code(code), *(entry[1].aliases if entry else ()))
        if folded in {name.casefold() for name in names}:
            return code
    return None


def is_unit(text: str) -> bool:
    """Whether a text is the name of any unit."""
    return text.strip().casefold() in _NAMES


def unit_of_family(text: str, unit: str) -> str | None:
    """The unit of the family of ``unit``, offered or not, that a text names; None for others."""
    family = family_of(unit)
    return (
        find_unit(text, tuple(other.code for other in (*family.units, *family.written))) if family else None
    )


def starts_with_multiplier(unit: str) -> bool:
    """Whether the name of a unit holds a multiplier (万元): a number that has its own (2亿) is of the smaller unit."""
    return base_code(unit)[:1] in ("万", "亿")


def smallest_unit(unit: str) -> str | None:
    """The smallest unit of the family: 元 for 万元; None without a family."""
    family = family_of(unit)
    return family.codes[0] if family else None


def decimals_of(value: Decimal) -> int:
    """Decimal places that a number needs."""
    return len(plain(value).partition(".")[2])


def convert(value: Decimal, from_unit: str, to_unit: str) -> Decimal:
    """Exact conversion. Raises ValueError when the units are of different families."""
    source, target = base_code(from_unit), base_code(to_unit)
    if source == target:
        return value
    if source not in _UNITS or target not in _UNITS or _UNITS[source][0] is not _UNITS[target][0]:
        raise ValueError(f"no conversion from {from_unit!r} to {to_unit!r}")
    scaled = _EXACT.multiply(value, _UNITS[source][1].factor)
    return _EXACT.divide(scaled, _UNITS[target][1].factor)


def plain(value: Decimal) -> str:
    """Canonical text of a number: no exponent, no trailing zeros, no minus zero."""
    if value == 0:
        return "0"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def rounded(value: Decimal, decimals: int) -> Decimal:
    """`value` rounded half up, the rule of the survey's publications."""
    digits = max(28, value.adjusted() + decimals + 4)
    step = Decimal(1).scaleb(-decimals)
    return value.quantize(step, rounding=decimal.ROUND_HALF_UP, context=decimal.Context(prec=digits))


def format_number(value: Decimal, decimals: int | None = None, *, fixed: bool = False) -> str:
    """Number for people: thousands separators, at most `decimals` places (None: all of them).

    `fixed` keeps trailing zeros (money columns line up); otherwise they are dropped.
    """
    shown = value if decimals is None else rounded(value, decimals)
    if fixed and decimals is not None:
        return format(shown, f",.{decimals}f")
    text = plain(shown)
    integer, dot, rest = text.partition(".")
    return f"{int(integer):,}{dot}{rest}" if not integer.startswith("-0") else f"{integer}{dot}{rest}"


def best_unit(value: Decimal, unit: str) -> str:
    """The unit of the same family in which `value` reads best: the largest that keeps it >= 1."""
    family = family_of(unit)
    if family is None or value == 0:
        return unit
    codes = [code for code in family.codes if abs(convert(value, unit, code)) >= 1]
    return codes[-1] if codes else family.codes[0]


def read_back(value: Decimal, unit: str, language: str, to: str | None = None) -> str:
    """An amount as the respondent can check it, with its order of magnitude: "3.2 PB = 3,276.8 TB (thousands of TB)".

    `value` is in `unit`; `to` is the unit of the right side (default: the stored unit of the family,
    or, when `unit` is that already, the unit in which the amount reads best).
    """
    left = with_label(format_number(value), unit_label(unit, language))
    if unit == "%":
        return f"{left} = {format_number(value / 100)}"
    words = magnitude(value, unit, language)
    if words:
        words = f" ({words})" if language.startswith("en") else f"（{words}）"
    return f"{left}{_other_side(value, unit, language, to)}{words}"


def _other_side(value: Decimal, unit: str, language: str, to: str | None) -> str:
    """ " = 3,276.8 TB"; empty where the amount has no better unit."""
    family = family_of(unit)
    if family is None:
        return ""
    target = to or family.canonical
    if base_code(target) == base_code(unit):
        target = best_unit(value, unit)
    if base_code(target) == base_code(unit):
        return ""
    other = convert(value, unit, target)
    places = (
        4 if not other or rounded(other, 4) else 1 - other.adjusted()
    )  # two digits of a very small amount
    shown = format_number(other, places)
    sign = "=" if rounded(other, places) == other else "≈"
    return f" {sign} {with_label(shown, unit_label(target, language))}"


def magnitude(value: Decimal, unit: str, language: str) -> str:
    """The order of magnitude in words: "千万元级", "tens of millions of yuan"; empty below a thousand.

    Amounts in decimal units (万元, 亿个) are named in the smallest unit of their family, others in their own.
    """
    if starts_with_multiplier(unit) and (smallest := smallest_unit(unit)):
        value, unit = convert(value, unit, smallest), smallest
    power = value.adjusted() if value else 0
    if power < LEAST_POWER:
        return ""
    power = min(power, len(MAGNITUDES) + LEAST_POWER - 1)
    name = MAGNITUDES[power - LEAST_POWER]
    label = unit_label(base_code(unit), language)
    if language.startswith("en"):
        return f"{name.en} of {label}" if label else name.en
    return f"{name.zh} {label} 级" if label.isascii() and label else f"{name.zh}{label}级"
