"""Formulas of the registry: arithmetic over references in braces, checked for units. Pure.

A reference names, in braces,

``SUP-08``, ``SUP-08@-1``, ``SUP-01.growth``   another published number, this year or years before, as printed
``P01/total/section/C``, ``.../C@-1``          a stored estimate: variable / statistic / kind / code of the domain
``EXT-POP``, ``EXT-POP@-1``                    a value of an external series

Only + - * / and numbers are understood; anything else is refused when the registry is read. A value carries
its unit, so the result is converted to the printed unit of the registry without written conversion factors.
"""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from estimation.units import PURE, Unit

_REFERENCE = re.compile(r"\{\s*([^{}]+?)\s*\}")
_SHAPE = re.compile(r"(?P<name>[^@]+?)(?:@(?P<offset>-\d{1,2}))?")


class FormulaError(Exception):
    """A formula that cannot be used; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference of a formula. ``name`` : a code, or variable/statistic/kind/code; ``offset`` : years, 0 or below."""

    kind: Literal["number", "estimate", "external"]
    name: str
    offset: int = 0

    def __str__(self) -> str:
        return f"{self.name}@{self.offset}" if self.offset else self.name

    @property
    def estimate(self) -> tuple[str, str, str, str]:
        """Variable, statistic, domain kind, domain code; the variable itself may hold a slash."""
        parts = self.name.rsplit("/", 3)
        return parts[0], parts[1], parts[2], parts[3]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value in base units with its unit's dimension and its slope for every reference."""

    value: float
    unit: Unit
    slopes: Mapping[Reference, float]


@dataclass(frozen=True, slots=True)
class Formula:
    """A parsed formula."""

    text: str
    references: tuple[Reference, ...]
    tree: ast.expr

    def evaluate(self, look_up: Callable[[Reference], tuple[float, Unit]]) -> Quantity:
        """The value in base units. Raises FormulaError for a unit clash, ZeroDivisionError."""
        return _value(self.tree, self.references, look_up)


@lru_cache(maxsize=2000)
def parse_formula(text: str) -> Formula:
    """Read a formula. Raises FormulaError with a message for anything but arithmetic over references."""
    references: list[Reference] = []

    def name(match: re.Match[str]) -> str:
        reference = parse_reference(match[1])
        if reference not in references:
            references.append(reference)
        return f" _{references.index(reference)} "

    plain = _REFERENCE.sub(name, text).strip()
    try:
        tree = ast.parse(plain, mode="eval").body
    except SyntaxError as error:
        raise FormulaError(f"not a formula: {text}") from error
    for node in _nodes(tree):
        if isinstance(node, ast.Constant) and not (
            isinstance(node.value, (int, float)) and not isinstance(node.value, bool)
        ):
            raise FormulaError(f"only numbers may stand in a formula: {text}")
        if isinstance(node, ast.Name) and not re.fullmatch(r"_\d+", node.id):
            raise FormulaError(f"a name without braces in a formula: {node.id}")
    if not references:
        raise FormulaError(f"a formula that refers to nothing: {text}")
    return Formula(text, tuple(references), tree)


def parse_reference(text: str) -> Reference:
    """Read what stands between braces. Raises FormulaError."""
    match = _SHAPE.fullmatch(text)
    if match is None:
        raise FormulaError(f"not a reference: {text}")
    name, offset = match["name"], int(match["offset"] or 0)
    if name.startswith("EXT-"):
        return Reference("external", name, offset)
    if "/" in name:
        if name.count("/") < 3:
            raise FormulaError(f"an estimate is variable/statistic/kind/code: {text}")
        return Reference("estimate", name, offset)
    return Reference("number", name, offset)


_ALLOWED = (
    ast.BinOp,
    ast.UnaryOp,
    ast.USub,
    ast.Add,
    ast.Sub,
    ast.Mult,
    ast.Div,
    ast.Constant,
    ast.Name,
    ast.Load,
)


def _nodes(tree: ast.expr) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED):
            raise FormulaError(f"not allowed in a formula: {type(node).__name__}")
        yield node


def _value(
    node: ast.expr, names: tuple[Reference, ...], look_up: Callable[[Reference], tuple[float, Unit]]
) -> Quantity:
    if isinstance(node, ast.Constant):
        return Quantity(float(node.value), PURE, {})  # type: ignore[arg-type]  # checked when it was read
    if isinstance(node, ast.Name):
        reference = names[int(node.id[1:])]
        value, unit = look_up(reference)
        return Quantity(value * unit.factor, Unit(unit.dims), {reference: unit.factor})
    if isinstance(node, ast.UnaryOp):
        inner = _value(node.operand, names, look_up)
        return Quantity(-inner.value, inner.unit, {key: -slope for key, slope in inner.slopes.items()})
    if not isinstance(node, ast.BinOp):
        raise FormulaError(f"not allowed in a formula: {type(node).__name__}")
    left, right = _value(node.left, names, look_up), _value(node.right, names, look_up)
    if isinstance(node.op, (ast.Add, ast.Sub)):
        return _sum(left, right, 1.0 if isinstance(node.op, ast.Add) else -1.0)
    return _product(left, right, 1 if isinstance(node.op, ast.Mult) else -1)


def _sum(left: Quantity, right: Quantity, sign: float) -> Quantity:
    if not left.unit.fits(right.unit):
        raise FormulaError(f"units clash: {left.unit} and {right.unit}")
    slopes = _mixed(left, right, 1.0, sign)
    return Quantity(left.value + sign * right.value, left.unit, slopes)


def _product(left: Quantity, right: Quantity, sign: int) -> Quantity:
    unit = left.unit.times(right.unit, sign)
    if sign > 0:
        return Quantity(left.value * right.value, unit, _mixed(left, right, right.value, left.value))
    value = left.value / right.value
    return Quantity(value, unit, _mixed(left, right, 1.0 / right.value, -value / right.value))


def _mixed(left: Quantity, right: Quantity, a: float, b: float) -> dict[Reference, float]:
    slopes = {key: a * slope for key, slope in left.slopes.items()}
    for key, slope in right.slopes.items():
        slopes[key] = slopes.get(key, 0.0) + b * slope
    return slopes
