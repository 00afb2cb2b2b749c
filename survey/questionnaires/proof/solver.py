"""Changes answers so that a rule becomes true or false, guided by the rule's syntax tree.

A heuristic for samples and tests: it moves one side of a comparison next to the other, splits totals
over their parts, fills tables. It may fail; callers check the result with the real edits.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from survey.exceptions import DefinitionError
from survey.questionnaires.answering.answers import DEFAULT_DECIMALS, Cell
from survey.questionnaires.answering.units import plain, rounded
from survey.questionnaires.definition import Column, Item, Questionnaire, UnitContext
from survey.questionnaires.routing import evaluate_sheet, expression_value, table_numbers
from survey.questionnaires.rules import syntax
from survey.questionnaires.rules.expressions import NOT_EVALUATED, Environment, compile_expression, evaluate
from survey.questionnaires.rules.functions import month_days
from survey.questionnaires.rules.plan import plan_of
from survey.questionnaires.rules.syntax import Binary, Call, Literal, Name, Node, Ternary, Unary
from survey.questionnaires.size import section_of

_OPPOSITE = {"<=": ">", ">=": "<", "<": ">=", ">": "<=", "==": "!=", "!=": "=="}
_VALID_CODE = "91350100M000100Y43"


def decimal_places(item: Item | Column) -> int:
    """Decimal places of sample numbers."""
    return DEFAULT_DECIMALS.get(item.type, 4) if item.decimals is None else item.decimals


def number_cell(item: Item | Column, number: float) -> Cell:
    """A cell of `number`, rounded to what the item takes and never negative."""
    exact = rounded(Decimal(repr(max(0.0, float(number)))), decimal_places(item))
    cell: Cell = {"value": plain(exact)}
    if item.type == "quantity":
        cell |= {"entered": plain(exact), "unit": item.unit}
    return cell


class Solver:
    """Changes one answers document in place."""

    def __init__(
        self,
        questionnaire: Questionnaire,
        answers: dict[str, Any],
        context: UnitContext,
        rng: random.Random,
        previous: dict[str, Any] | None = None,
    ) -> None:
        self.questionnaire = questionnaire
        self.answers = answers
        self.context = context
        self.rng = rng
        self.previous = previous
        self._environment: Environment | None = None

    # -- reading -------------------------------------------------------------

    @property
    def environment(self) -> Environment:
        """The values of the sheet that rules read."""
        if self._environment is None:
            sheet = evaluate_sheet(self.questionnaire, self.answers, self.context, self.previous)
            self._environment = sheet.environment
        return self._environment

    def value(self, node: Node) -> Any:
        """The value of a node, None when it cannot be evaluated."""
        try:
            result = evaluate(compile_expression(syntax.write(node)), self.environment)
        except DefinitionError:
            return None
        return None if result is NOT_EVALUATED else result

    def number(self, node: Node) -> float | None:
        """The value of a node if it is a number."""
        result = self.value(node)
        return float(result) if isinstance(result, int | float) and not isinstance(result, bool) else None

    def put(self, code: str, cell: Cell | None) -> bool:
        """Store a cell (None: make blank)."""
        item = self.questionnaire.items.get(code)
        if item is None or item.computed or (item.read_only and item.prefilled):
            return False
        if cell is None:
            self.answers.pop(code, None)
        else:
            self.answers[code] = cell
        self._refresh(item, cell)
        return True

    def _refresh(self, item: Item, cell: Cell | None) -> None:
        """Update the environment for a changed amount; discard it when relevance may change."""
        environment = self._environment
        if environment is None or cell is None:
            self._environment = None
        elif item.is_numeric and item.code in environment.values:
            environment.add(item.code, expression_value(item, cell))
        elif item.type == "table" and item.code in environment.tables:
            environment.add_table(item.code, table_numbers(item, cell))
        else:
            self._environment = None

    # -- truth ---------------------------------------------------------------

    def force(self, node: Node, truth: bool) -> bool:
        """Try to give a condition a truth value; whether something was changed."""
        match node:
            case Unary("!", operand):
                return self.force(operand, not truth)
            case Binary("&&" | "||" as op, left, right):
                return self._junction(left, right, truth, every=(op == "&&") == truth)
            case Ternary(condition, yes, no):
                return self.force(yes if self.value(condition) is True else no, truth)
            case Binary("in", left, right):
                return self._member(left, right, truth)
            case Binary(op, left, right) if op in _OPPOSITE:
                return self._compare(op if truth else _OPPOSITE[op], left, right)
            case Name(name):
                return self.put(name, {"value": truth})
            case Call():
                return self._call(node, truth)
            case _:
                return False

    def _junction(self, left: Node, right: Node, truth: bool, *, every: bool) -> bool:
        sides = [left, right]
        if every:
            changed = [self.force(side, truth) for side in sides if self.value(side) is not truth]
            return any(changed)
        self.rng.shuffle(sides)
        return any(self.force(side, truth) for side in sides)

    def _member(self, left: Node, right: Node, truth: bool) -> bool:
        if isinstance(left, Literal) and isinstance(right, Name):
            return self._switch_code(right.name, str(left.value), truth)
        allowed = self.value(right)
        if not isinstance(left, Name) or not isinstance(allowed, list):
            return False
        item = self.questionnaire.items.get(left.name)
        if item is None:
            return False
        answerable = [entry.code for entry in item.choices.entries] if item.choices else allowed
        codes = [code for code in answerable if (code in allowed) == truth]
        return bool(codes) and self.put(left.name, {"value": self.rng.choice(codes)})

    def _switch_code(self, name: str, code: str, truth: bool) -> bool:
        chosen = [other for other in (self.answers.get(name) or {}).get("value", []) if other != code]
        if truth:
            return self.put(name, {"value": [code]})
        item = self.questionnaire.items[name]
        entries = item.choices.entries if item.choices else ()
        others = [entry.code for entry in entries if entry.code != code]
        return self.put(name, {"value": chosen or others[:1]})

    def _call(self, call: Call, truth: bool) -> bool:
        args = call.args
        if call.name == "near":
            return self._near(args[0], args[1], self.number(args[2]) or 0.0, truth)
        if call.name == "between":
            return self._between(args[0], args[1], args[2], truth)
        if call.name == "answered" and isinstance(args[0], Literal):
            return self._answer(str(args[0].value), truth)
        if call.name == "valid_uscc" and isinstance(args[0], Name):
            return self.put(args[0].name, {"value": _VALID_CODE if truth else _VALID_CODE[:-1] + "0"})
        if call.name == "all_zero":
            return self._all_zero(truth)
        return False

    def _answer(self, code: str, truth: bool) -> bool:
        from survey.questionnaires.proof.samples import first_cell  # the two modules build on each other

        item = self.questionnaire.items.get(code)
        return item is not None and self.put(code, first_cell(item, self.rng) if truth else None)

    def _all_zero(self, truth: bool) -> bool:
        for code, item in self.questionnaire.items.items():
            if item.type in {"quantity", "money"} and plan_of(self.questionnaire).section_of.get(code) != "B":
                self.put(code, number_cell(item, 0.0 if truth else 7.0))
        return True

    # -- comparisons -----------------------------------------------------------

    def _compare(self, op: str, left: Node, right: Node) -> bool:
        sides = [(left, right, op), (right, left, {"<=": ">=", ">=": "<=", "<": ">", ">": "<"}.get(op, op))]
        self.rng.shuffle(sides)
        return any(self._move(side, other, comparison) for side, other, comparison in sides)

    def _move(self, side: Node, other: Node, op: str) -> bool:
        """Change `side` so that `side op other` holds."""
        target = self.value(other)
        if target is None:
            return False
        if isinstance(target, bool):
            return self.force(side, target if op == "==" else not target)
        if isinstance(target, str):
            return self._set_text(side, target, equal=op in {"==", "<=", ">="})
        lower, higher = self.rng.uniform(0.3, 0.9), self.rng.uniform(1.1, 2.0)
        factors = {"<=": lower, "<": lower, ">=": higher, ">": higher, "==": 1.0, "!=": 1.5}
        factor = factors[op]
        step = 0.0 if op == "==" else 3.0 if op in {">", ">=", "!="} else -1e-4 * (op == "<")
        return self.assign(side, float(target) * factor + step)

    def _set_text(self, side: Node, text: str, *, equal: bool) -> bool:
        if isinstance(side, Call) and side.name in {"prefix", "section_of"}:
            return self._set_coded(side, text, equal=equal)
        if not isinstance(side, Name):
            return False
        if equal:
            return self.put(side.name, {"value": text})
        item = self.questionnaire.items.get(side.name)
        if item is not None and item.choices is not None:
            others = [entry.code for entry in item.choices.entries if entry.code != text]
            return bool(others) and self.put(side.name, {"value": self.rng.choice(others)})
        return self.put(
            side.name, {"value": "2099-12" if item is not None and item.type == "date" else f"{text}X"}
        )

    def _set_coded(self, call: Call, text: str, *, equal: bool) -> bool:
        """Choose a code whose prefix or section is (not) `text`."""
        name = call.args[0]
        item = self.questionnaire.items.get(name.name) if isinstance(name, Name) else None
        if item is None or item.choices is None:
            return False
        for entry in self.rng.sample(item.choices.entries, len(item.choices.entries)):
            derived = section_of(entry.code) if call.name == "section_of" else entry.code[: len(text)]
            if (derived == text) == equal:
                return self.put(item.code, {"value": entry.code})
        return False

    def _near(self, left: Node, right: Node, tolerance: float, truth: bool) -> bool:
        sides = [(left, right), (right, left)]
        self.rng.shuffle(sides)
        for side, other in sides:
            target = self.number(other)
            if target is None:
                continue
            if self.assign(side, target if truth else target * 1.5 + 10 * tolerance + 5.0):
                return True
        return False

    def _between(self, x: Node, low: Node, high: Node, truth: bool) -> bool:
        bottom, top = self.number(low), self.number(high)
        if bottom is None or top is None:
            return False
        return self.assign(x, (bottom + top) / 2 if truth else top * 1.5 + 1.0)

    # -- numbers ---------------------------------------------------------------

    def assign(self, node: Node, target: float) -> bool:
        """Change items so that an arithmetic node has the value `target`."""
        match node:
            case Name(name):
                return self._assign_item(name, target)
            case Binary("+", left, right):
                return self._assign_sum(left, right, target)
            case Binary("-", left, right):
                return self._other(right, lambda value: self.assign(left, target + value))
            case Binary("*", left, right):
                return self._factor(left, right, target) or self._factor(right, left, target)
            case Binary("/", left, right):
                return self._other(right, lambda value: self.assign(left, target * value))
            case Ternary(condition, yes, no):
                return self.assign(yes if self.value(condition) is True else no, target)
            case Call("abs", args):
                return self.assign(args[0], target)
            case Call("ln", args):
                return target < 50 and self.assign(args[0], math.exp(target))
            case Call():
                return self._assign_table(node, target)
            case _:
                return False

    def _other(self, node: Node, change: Callable[[float], bool]) -> bool:
        value = self.number(node)
        return value is not None and change(value)

    def _factor(self, constant: Node, moved: Node, target: float) -> bool:
        value = self.number(constant)
        return value is not None and value != 0 and self.assign(moved, target / value)

    def _assign_item(self, name: str, target: float) -> bool:
        item = self.questionnaire.items.get(name)
        if item is None or not item.is_numeric or target < 0:
            return False
        if item.computed:
            return self.assign(compile_expression(item.computed).tree, target)
        return self.put(name, number_cell(item, target))

    def _assign_sum(self, left: Node, right: Node, target: float) -> bool:
        if isinstance(right, Literal) or isinstance(left, Literal):
            constant, moved = (right, left) if isinstance(right, Literal) else (left, right)
            return self._other(constant, lambda value: self.assign(moved, target - value))
        a, b = self.number(left), self.number(right)
        if a is None or b is None:
            return False
        first = target * a / (a + b) if a + b > 0 else target / 2
        if not self.assign(left, first):
            return self.assign(right, target - a)
        reached = self.number(left)
        return self.assign(right, target - (first if reached is None else reached))

    def _assign_table(self, call: Call, target: float) -> bool:
        first = call.args[0] if call.args else None
        item = self.questionnaire.items.get(str(first.value)) if isinstance(first, Literal) else None
        if item is None or item.type != "table" or item.rows is None or target < 0:
            return False
        if call.name == "cell":
            row = self.value(call.args[1])
            return isinstance(row, str) and self._put_cells(item, {row: {_text(call.args[2]): target}})
        if call.name == "diagonal_of":
            return self._put_cells(
                item,
                {row: {f"p{row}": target if index == 0 else 0.0} for index, row in enumerate(item.rows.ids)},
            )
        if call.name == "days_sum_of":
            days = {row: month_days(row, self.context.year) for row in item.rows.ids}
            each = target / sum(days.values())
            return self._put_cells(item, {row: {_text(call.args[1]): each} for row in days})
        if call.name == "sum_all":
            return self._spread_all(item, target)
        return call.name == "sum_of" and self._spread(item, _text(call.args[1]), target)

    def _spread(self, item: Item, column: str, target: float) -> bool:
        """Give a column a sum: nearly all rows but the own region's keep their share."""
        grid = item.rows
        ids = list(grid.ids) if grid is not None and grid.kind == "fixed" else ["1", "2"]
        usable = [row for row in ids if row != self.context.region][:3] or ids
        spec = item.column(column)
        if spec is None:
            return False
        shares = [target / len(usable)] * len(usable)
        rows = {row: {column: 0.0} for row in ids} | {
            row: {column: share} for row, share in zip(usable, shares, strict=True)
        }
        exact = Decimal(repr(round(target, decimal_places(spec))))
        rest = sum((Decimal(number_cell(spec, share)["value"]) for share in shares[:-1]), Decimal(0))
        rows[usable[-1]] = {column: float(max(exact - rest, Decimal(0)))}
        return self._put_cells(item, rows)

    def _spread_all(self, item: Item, target: float) -> bool:
        ids = item.rows.ids if item.rows else ()
        numeric = [
            column for column in item.columns if column.type in {"quantity", "money", "count", "ratio"}
        ]
        row = next((row for row in ids if row != self.context.region), None)
        column = next((column for column in numeric if column.code not in {f"p{row}", row}), None)
        if row is None or column is None:
            return False
        self.put(item.code, {"rows": {}})
        return self._put_cells(item, {row: {column.code: target}})

    def _put_cells(self, item: Item, changes: dict[str, dict[str, float]]) -> bool:
        stored = self.answers.get(item.code) or {}
        rows = {row: dict(cells) for row, cells in stored.get("rows", {}).items()}
        for row, cells in changes.items():
            for code, number in cells.items():
                column = item.column(code)
                if column is None:
                    continue
                if number == 0:
                    rows.get(row, {}).pop(code, None)
                else:
                    rows.setdefault(row, {})[code] = number_cell(column, number)
        rows = {row: cells for row, cells in rows.items() if cells}
        return self.put(item.code, {"rows": rows} if rows else None)


def _text(node: Node) -> str:
    return str(node.value) if isinstance(node, Literal) else ""
