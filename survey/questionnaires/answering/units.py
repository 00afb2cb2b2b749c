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

    @property
    def codes(self) -> tuple[str, ...]:
        """Unit codes from the smallest to the largest."""
        return tuple(unit.code for unit in self.units)


def _binary(code: str, zh: str, power: int) -> Unit:
    return Unit(code, Text(code, code), Decimal(1024) ** power, (zh, code[0]))


FAMILIES: dict[str, Family] = {
    "data": Family("data", "TB", (
        _binary("GB", "吉字节", 0),
        _binary("TB", "太字节", 1),
        _binary("PB", "拍字节", 2),
        _binary("EB", "艾字节", 3),
        _binary("ZB", "泽字节", 4),
    )),
    "compute": Family("compute", "PFLOPS", (
        Unit("PFLOPS", Text("PFLOPS", "PFLOPS"), Decimal(1), ("P",)),
        Unit("EFLOPS", Text("EFLOPS", "EFLOPS"), Decimal(1000), ("E",)),
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
    )),
}  # fmt: skip

# Units without a family: counts and rates. Their English names are needed in messages.
PLAIN_UNITS: dict[str, Text] = {
    "": Text("", ""),
    "%": Text("%", "%"),
    "人": Text("人", "persons"),
    "家": Text("家", "organisations"),
    "项": Text("项", "entries"),
    "次": Text("次", "times"),
    "笔": Text("笔", "deals"),
    "TB/人": Text("TB/人", "TB per person"),
    "亿次": Text("亿次", "100 million calls"),
    "万次": Text("万次", "ten thousand calls"),
    "万户": Text("万户", "ten thousand connections"),
    "标准机架": Text("标准机架", "standard racks"),
}

_UNITS: dict[str, tuple[Family, Unit]] = {
    unit.code: (family, unit) for family in FAMILIES.values() for unit in family.units
}


def base_code(unit: str) -> str:
    """The unit without a precision note: "PFLOPS(FP16)" -> "PFLOPS"."""
    return unit.split("(", 1)[0].split("（", 1)[0].strip()


def family_of(unit: str) -> Family | None:
    """The family a unit belongs to; None for units that do not convert (%, 家, 万次 ...)."""
    entry = _UNITS.get(base_code(unit))
    return entry[0] if entry else None


def unit_label(unit: str, language: str) -> str:
    """How a unit is written in a language; a precision note stays."""
    entry = _UNITS.get(base_code(unit))
    if entry:
        return entry[1].label.get(language) + unit[len(base_code(unit)) :]
    if unit in PLAIN_UNITS:
        return PLAIN_UNITS[unit].get(language)
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
    """An amount with its conversion, shown to the respondent: "3.2 PB = 3,276.8 TB".

    `value` is in `unit`; `to` is the unit of the right side (default: the stored unit of the family,
    or, when `unit` is that already, the unit in which the amount reads best).
    """
    left = with_label(format_number(value), unit_label(unit, language))
    family = family_of(unit)
    if family is None:
        return left
    target = to or family.canonical
    if base_code(target) == base_code(unit):
        target = best_unit(value, unit)
    if base_code(target) == base_code(unit):
        return left
    other = convert(value, unit, target)
    shown = format_number(other, 4)
    sign = "=" if rounded(other, 4) == other else "≈"
    return f"{left} {sign} {with_label(shown, unit_label(target, language))}"
