"""Compiles CEL expressions with their dependencies and evaluates them when all inputs are available.

Rules of evaluation:
- numbers enter as doubles; integer literals are written as doubles for the author;
- an expression that reads a blank item is not evaluated, unless it calls answered("X") on it;
- comparisons of *computed* amounts ignore floating-point rounding (0.1 + 0.2 <= 0.3 holds); equality of
  amounts with a tolerance goes through near();
- division by zero and logarithms of zero make the expression "not evaluated".
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, Final

import cel

from survey.exceptions import DefinitionError
from survey.questionnaires.rules import functions, syntax
from survey.questionnaires.rules.syntax import (
    Binary,
    Call,
    Index,
    ListOf,
    Literal,
    MapOf,
    Name,
    Node,
    Ternary,
    Unary,
)

# The binding logs every exception of a called function before raising it; the error is reported from `evaluate`.
logging.getLogger("cel").setLevel(logging.CRITICAL)


class _Sentinel(Enum):
    NOT_EVALUATED = "not evaluated"


NOT_EVALUATED: Final = _Sentinel.NOT_EVALUATED
type NotEvaluated = _Sentinel

_REWRITTEN = {"<=": ("at_most", False), ">=": ("at_most", True), "<": ("below", False), ">": ("below", True)}
_NUMBER_CALLS = frozenset(
    name
    for name, signature in functions.SIGNATURES.items()
    if signature.result == "number" and name not in {"size", "count_rows"}
)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A checked expression. Sets are codes; `guarded` ones may be blank: they are arguments of answered().

    `needs`: what must be available before it is evaluated (items, tables, last year's items and tables).
    """

    text: str
    tree: Node
    program: Any
    variables: frozenset[str]
    tables: frozenset[str]
    previous: frozenset[str]
    previous_tables: frozenset[str]
    guarded: frozenset[str]
    previous_guarded: frozenset[str]
    functions: frozenset[str]
    needs: tuple[frozenset[str], frozenset[str], frozenset[str], frozenset[str]]

    @property
    def items(self) -> frozenset[str]:
        """Every item read in any way (unit_* variables are not items)."""
        read = self.variables | self.tables | self.previous | self.previous_tables
        named = read | self.guarded | self.previous_guarded
        return frozenset(name for name in named if not name.startswith("unit_"))

    @property
    def current_items(self) -> frozenset[str]:
        """Items of this year's sheet that are read."""
        named = self.variables | self.tables | self.guarded
        return frozenset(name for name in named if not name.startswith("unit_"))

    @property
    def reads_sheet(self) -> bool:
        """Whether the result depends on every number of the sheet."""
        return bool(self.functions & {"all_zero", "share_round"})


@lru_cache(maxsize=8192)
def compile_expression(text: str) -> Compiled:
    """Parse, find dependencies and compile. Raises DefinitionError("syntax" or "literal_argument")."""
    tree = syntax.parse_expression(text)
    calls = [node for node in syntax.walk(tree) if isinstance(node, Call) and node.target is None]
    try:
        program = cel.compile(syntax.write(_rewrite(tree)))
    except ValueError as error:
        raise DefinitionError("syntax", text, str(error).splitlines()[0]) from error
    variables = _free_variables(tree)
    tables = _literals(calls, functions.TABLE_FUNCTIONS - {"previous_sum_of"}, text)
    previous = _literals(calls, {"previous"}, text)
    previous_tables = _literals(calls, {"previous_sum_of"}, text)
    guarded = _literals(calls, {"answered"}, text)
    before = _literals(calls, {"has_previous"}, text)
    return Compiled(
        text=text,
        tree=tree,
        program=program,
        variables=variables,
        tables=tables,
        previous=previous,
        previous_tables=previous_tables,
        guarded=guarded,
        previous_guarded=before,
        functions=frozenset(call.name for call in calls),
        needs=(variables - guarded, tables - guarded, previous - before, previous_tables - before),
    )


def _literals(calls: Iterable[Call], names: Iterable[str], text: str) -> frozenset[str]:
    """First arguments of calls of `names`; they must be literal so that dependencies can be determined."""
    selected = set(names)
    codes: set[str] = set()
    for call in calls:
        if call.name not in selected:
            continue
        if not call.args or not isinstance(call.args[0], Literal) or not isinstance(call.args[0].value, str):
            raise DefinitionError("literal_argument", text, f"{call.name}() needs an item code in quotes")
        codes.add(call.args[0].value)
    return frozenset(codes)


def _free_variables(node: Node, bound: frozenset[str] = frozenset()) -> frozenset[str]:
    if isinstance(node, Name):
        return frozenset() if node.name in bound else frozenset({node.name})
    if isinstance(node, Call) and node.name in {"exists", "all"} and node.target is not None:
        first = node.args[0] if node.args else None
        inner = bound | {first.name} if isinstance(first, Name) else bound
        parts = [_free_variables(arg, inner) for arg in node.args[1:]]
        return frozenset().union(_free_variables(node.target, bound), *parts)
    return frozenset().union(*(_free_variables(child, bound) for child in syntax.children(node)))


def _is_computed(node: Node) -> bool:
    """Whether a value is the result of arithmetic and may carry rounding of doubles."""
    if isinstance(node, Binary):
        return node.op in syntax.ARITHMETIC
    if isinstance(node, Call):
        return node.target is None and node.name in _NUMBER_CALLS
    if isinstance(node, Ternary):
        return _is_computed(node.yes) or _is_computed(node.no)
    return isinstance(node, Unary) and _is_computed(node.operand)


def _rewrite(node: Node) -> Node:
    """The tree that is executed: doubles for integers, guarded division, comparisons with a tolerance."""
    match node:
        case Literal(value) if isinstance(value, int) and not isinstance(value, bool):
            return Literal(float(value))
        case Index(target, index):
            return Index(_rewrite(target), index)
        case Call(name, args, target):
            inner = None if target is None else _rewrite(target)
            return Call(name, tuple(_rewrite(arg) for arg in args), inner)
        case ListOf(items):
            return ListOf(tuple(_rewrite(item) for item in items))
        case MapOf(pairs):
            return MapOf(tuple((key, _rewrite(value)) for key, value in pairs))
        case Unary(op, operand):
            return Unary(op, _rewrite(operand))
        case Ternary(condition, yes, no):
            return Ternary(_rewrite(condition), _rewrite(yes), _rewrite(no))
        case Binary(op, left, right):
            return _rewrite_binary(op, left, right)
        case _:
            return node


def _rewrite_binary(op: str, left: Node, right: Node) -> Node:
    a, b = _rewrite(left), _rewrite(right)
    if op in {"/", "%"}:
        return Call("divide" if op == "/" else "modulo", (a, b))
    if op in syntax.COMPARISONS and op != "in" and (_is_computed(left) or _is_computed(right)):
        if op in _REWRITTEN:
            name, swapped = _REWRITTEN[op]
            return Call(name, (b, a) if swapped else (a, b))
        equal = Call("same", (a, b))
        return equal if op == "==" else Unary("!", equal)
    return Binary(op, a, b)


class Environment:
    """The values that expressions of one sheet can read; computed items are added as they are evaluated.

    `values`: item or unit_* name -> float, bool, str or list of str; blank items are absent.
    `tables`: item -> row -> column -> Decimal. `previous`...: the same of last year's sheet.
    `numbers`: the amounts that all_zero() and share_round() use.
    """

    def __init__(
        self,
        values: Mapping[str, Any],
        tables: Mapping[str, functions.TableNumbers] | None = None,
        previous: Mapping[str, Any] | None = None,
        previous_tables: Mapping[str, functions.TableNumbers] | None = None,
        numbers: Mapping[str, Decimal] | None = None,
        year: int = 2025,
    ) -> None:
        self.values: dict[str, Any] = dict(values)
        self.tables: dict[str, functions.TableNumbers] = dict(tables or {})
        self.previous: dict[str, Any] = dict(previous or {})
        self.previous_tables = dict(previous_tables or {})
        self.numbers: dict[str, Decimal] = dict(numbers or {})
        self.functions = functions.SheetFunctions(
            self.values, self.tables, self.previous, self.previous_tables, self._all_numbers, year
        )
        self.context = cel.Context(self.values, self.functions.table())

    def add(self, name: str, value: Any, number: Decimal | None = None) -> None:
        """Make an item readable."""
        self.values[name] = value
        self.context.add_variable(name, value)
        if number is not None:
            self.numbers[name] = number

    def add_table(self, name: str, rows: functions.TableNumbers) -> None:
        """Make a table readable by the table functions."""
        self.tables[name] = rows

    def _all_numbers(self) -> list[Decimal]:
        return list(self.numbers.values())

    def has_inputs(self, compiled: Compiled) -> bool:
        """Whether everything that the expression needs is available."""
        readable = (self.values, self.tables, self.previous, self.previous_tables)
        return all(
            not needed or needed <= available.keys()
            for needed, available in zip(compiled.needs, readable, strict=True)
        )


def evaluate(compiled: Compiled, values: Environment | Mapping[str, Any]) -> Any:
    """The value of an expression, or NOT_EVALUATED when it reads a blank or has no answer.

    Raises DefinitionError("cannot_run") when the expression itself is at fault (types clash).
    """
    environment = values if isinstance(values, Environment) else Environment(values)
    if not environment.has_inputs(compiled):
        return NOT_EVALUATED
    environment.functions.undefined = False
    try:
        result = compiled.program.execute(environment.context)
    except (RuntimeError, TypeError, ValueError, LookupError, ArithmeticError) as error:
        if _reads_blank(compiled, environment):
            return NOT_EVALUATED
        raise DefinitionError("cannot_run", compiled.text, str(error).splitlines()[0]) from error
    if environment.functions.undefined or result != result:
        return NOT_EVALUATED
    return result


def _reads_blank(compiled: Compiled, environment: Environment) -> bool:
    """Whether a guarded item is blank, so that an error means "unknown" and not a faulty rule."""
    present = environment.values.keys() | environment.tables.keys()
    before = environment.previous.keys() | environment.previous_tables.keys()
    return not (compiled.guarded <= present and compiled.previous_guarded <= before)
