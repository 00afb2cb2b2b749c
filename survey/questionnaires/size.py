"""Size class of an enterprise by the 2017 statistical rules (国统字〔2017〕213号).

X = employees (persons), Y = turnover (10,000 yuan), Z = assets (10,000 yuan).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

type SizeClass = Literal["large", "medium", "small", "micro"]
CLASSES: tuple[SizeClass, ...] = ("large", "medium", "small")


@dataclass(frozen=True, slots=True)
class Rule:
    """Lower bounds (large, medium, small) of one or two indicators for a group of industries."""

    name: str
    bounds: tuple[tuple[str, tuple[int, int, int]], ...]


def _rule(name: str, **bounds: tuple[int, int, int]) -> Rule:
    return Rule(name, tuple(bounds.items()))


AGRICULTURE = _rule("agriculture", Y=(20000, 500, 50))
INDUSTRY = _rule("industry", X=(1000, 300, 20), Y=(40000, 2000, 300))
CONSTRUCTION = _rule("construction", Y=(80000, 6000, 300), Z=(80000, 5000, 300))
WHOLESALE = _rule("wholesale", X=(200, 20, 5), Y=(40000, 5000, 1000))
RETAIL = _rule("retail", X=(300, 50, 10), Y=(20000, 500, 100))
TRANSPORT = _rule("transport", X=(1000, 300, 20), Y=(30000, 3000, 200))
STORAGE = _rule("storage", X=(200, 100, 20), Y=(30000, 1000, 100))
POST = _rule("post", X=(1000, 300, 20), Y=(30000, 2000, 100))
HOTELS = _rule("accommodation_catering", X=(300, 100, 10), Y=(10000, 2000, 100))
TRANSMISSION = _rule("information_transmission", X=(2000, 100, 10), Y=(100000, 1000, 100))
SOFTWARE = _rule("software", X=(300, 100, 10), Y=(10000, 1000, 50))
REAL_ESTATE = _rule("real_estate_development", Y=(200000, 1000, 100), Z=(10000, 5000, 2000))
PROPERTY = _rule("property_management", X=(1000, 300, 100), Y=(5000, 1000, 500))
BUSINESS = _rule("leasing_business", X=(300, 100, 10), Z=(120000, 8000, 100))
OTHER = _rule("other", X=(300, 100, 10))
# The 2017 rules exclude these; the survey needs a class for every enterprise and uses employees.
FALLBACK = _rule("outside_rules_by_employees", X=(300, 100, 10))

_BY_DIVISION: dict[int, Rule] = {
    51: WHOLESALE,
    52: RETAIL,
    53: FALLBACK,
    59: STORAGE,
    60: POST,
    61: HOTELS,
    62: HOTELS,
    63: TRANSMISSION,
    64: TRANSMISSION,
    65: SOFTWARE,
    71: BUSINESS,
    72: BUSINESS,
    85: OTHER,
}
_BY_RANGE: tuple[tuple[int, int, Rule], ...] = (
    (1, 5, AGRICULTURE), (6, 46, INDUSTRY), (47, 50, CONSTRUCTION), (54, 58, TRANSPORT),
    (66, 69, FALLBACK), (73, 82, OTHER), (83, 84, FALLBACK), (86, 90, OTHER), (91, 97, FALLBACK),
)  # fmt: skip


def rule_of(industry_code: str) -> Rule:
    """The rule of a GB/T 4754-2017 code (2 to 4 digits). Raises ValueError for no such division."""
    digits = industry_code.strip()
    if not (digits.isascii() and digits.isdigit() and 2 <= len(digits) <= 4):
        raise ValueError(f"not an industry code: {industry_code!r}")
    division = int(digits[:2])
    if division == 70:
        return _real_estate(digits)
    if division in _BY_DIVISION:
        return _BY_DIVISION[division]
    for first, last, rule in _BY_RANGE:
        if first <= division <= last:
            return rule
    raise ValueError(f"no industry division {digits[:2]}")


def _real_estate(code: str) -> Rule:
    if code.startswith("701"):
        return REAL_ESTATE
    if code.startswith("702"):
        return PROPERTY
    # 7040 (letting of own property) is outside the rules; 7030 and 7090 count as "other".
    return FALLBACK if code.startswith("704") else OTHER


def size_class(
    industry_code: str,
    employees: Decimal | int,
    turnover: Decimal | int | None = None,
    assets: Decimal | int | None = None,
) -> tuple[SizeClass, str]:
    """Size class and its basis ("industry: X>=1000, Y>=40000").

    From the largest class down: the first whose every lower bound is reached, else micro. An
    enterprise with 5,000 employees but small turnover therefore falls to the class both reach.
    Amounts in 10,000 yuan. Raises ValueError when a needed amount is missing or the code unknown.
    """
    rule = rule_of(industry_code)
    measured = {"X": employees, "Y": turnover, "Z": assets}
    for indicator, _ in rule.bounds:
        if measured[indicator] is None:
            raise ValueError(f"{rule.name} needs {indicator}")
    for index, name in enumerate(CLASSES):
        if all(_reaches(measured[indicator], bounds, index) for indicator, bounds in rule.bounds):
            return name, _basis(rule, index)
    return "micro", _basis(rule, None)


# The last two-digit division of every section of GB/T 4754-2017.
_SECTIONS = (
    (5, "A"), (12, "B"), (43, "C"), (46, "D"), (50, "E"), (52, "F"), (60, "G"), (62, "H"), (65, "I"),
    (69, "J"), (70, "K"), (72, "L"), (75, "M"), (79, "N"), (82, "O"), (83, "P"), (85, "Q"), (90, "R"),
    (96, "S"), (97, "T"),
)  # fmt: skip


def section_of(industry_code: str) -> str:
    """The section letter (A-T) of a GB/T 4754-2017 code; "" when its division does not exist."""
    digits = industry_code.strip()[:2]
    division = int(digits) if len(digits) == 2 and digits.isascii() and digits.isdigit() else 0
    if division < 1:
        return ""
    return next((letter for last, letter in _SECTIONS if division <= last), "")


def _reaches(value: Decimal | int | None, bounds: Sequence[int], index: int) -> bool:
    return value is not None and value >= bounds[index]


def _basis(rule: Rule, index: int | None) -> str:
    if index is None:
        parts = [f"{indicator}<{bounds[-1]}" for indicator, bounds in rule.bounds]
        return f"{rule.name}: {' or '.join(parts)}"
    return f"{rule.name}: {', '.join(f'{indicator}>={bounds[index]}' for indicator, bounds in rule.bounds)}"
