"""Static type checking of rules: a type clash is a fault of the definition, not of a sheet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from survey.questionnaires.definition import UNIT_VARIABLES, Codelist, Item
from survey.questionnaires.rules.functions import INTERNAL, METHODS, SIGNATURES, Signature
from survey.questionnaires.rules.syntax import (
    ARITHMETIC,
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

ITEM_KINDS = {
    "quantity": "number", "money": "number", "count": "number", "ratio": "number", "yesno": "bool",
    "choice": "string", "multi": "list", "date": "string", "text": "string", "table": "table",
}  # fmt: skip
ANY = "any"


@dataclass(slots=True)
class TypeCheck:
    """Infers the kind of an expression over `items`; `faults` collects (fault code, message)."""

    items: Mapping[str, Item]
    faults: list[tuple[str, str]] = field(default_factory=list)
    bound: dict[str, str] = field(default_factory=dict)

    def kind(self, node: Node) -> str:
        """The kind of a node: number, string, bool, list, null, map or any."""
        match node:
            case Literal(value):
                return _literal_kind(value)
            case Name(name):
                return self._name(name)
            case Call():
                return self._call(node)
            case ListOf(items):
                for item in items:
                    self.kind(item)
                return "list"
            case MapOf(pairs):
                kinds = {self.kind(value) for _, value in pairs}
                return f"map of {kinds.pop()}" if len(kinds) == 1 else "map of any"
            case Index(target, index):
                self.kind(index)
                kind = self.kind(target)
                return kind.removeprefix("map of ") if kind.startswith("map of ") else ANY
            case Unary(op, operand):
                return self._expect(operand, "bool" if op == "!" else "number", f"operand of {op}")
            case Ternary(condition, yes, no):
                self._expect(condition, "bool", "condition before ?")
                return self._same(yes, no, "branches of ? :")
            case Binary(op, left, right):
                return self._binary(op, left, right)

    def fault(self, code: str, message: str) -> None:
        """Record a fault once."""
        if (code, message) not in self.faults:
            self.faults.append((code, message))

    def _name(self, name: str) -> str:
        if name in self.bound:
            return self.bound[name]
        if name in UNIT_VARIABLES:
            return UNIT_VARIABLES[name]
        if name not in self.items:
            self.fault("unknown_item", f"{name} is not an item of the form")
            return ANY
        kind = ITEM_KINDS[self.items[name].type]
        if kind == "table":
            self.fault("type_clash", f"{name} is a table; use sum_of() or cell()")
            return ANY
        return kind

    def _expect(self, node: Node, expected: str, what: str) -> str:
        kind = self.kind(node)
        if kind not in {expected, ANY}:
            self.fault("type_clash", f"{what} is a {kind}, not a {expected}")
        return expected

    def _same(self, left: Node, right: Node, what: str) -> str:
        a, b = self.kind(left), self.kind(right)
        if ANY not in (a, b) and "null" not in (a, b) and a != b:
            self.fault("type_clash", f"{what} are a {a} and a {b}")
        return b if a in {ANY, "null"} else a

    def _binary(self, op: str, left: Node, right: Node) -> str:
        if op in {"&&", "||"}:
            self._expect(left, "bool", f"left side of {op}")
            return self._expect(right, "bool", f"right side of {op}")
        if op == "in":
            return self._membership(left, right)
        kind = self._same(left, right, f"sides of {op}")
        if op in ARITHMETIC:
            if kind not in {"number", ANY} and not (op == "+" and kind == "string"):
                self.fault("type_clash", f"{op} needs numbers, not a {kind}")
            return kind
        if op in {"<", "<=", ">", ">="} and kind not in {"number", "string", ANY}:
            self.fault("type_clash", f"{op} cannot compare a {kind}")
        for name, value in ((left, right), (right, left)):
            self._check_code(name, [value])
        return "bool"

    def _membership(self, left: Node, right: Node) -> str:
        kind = self.kind(right)
        self.kind(left)
        if kind not in {"list", ANY} and not kind.startswith("map of "):
            self.fault("type_clash", f"right side of in is a {kind}, not a list")
        if isinstance(right, ListOf):
            self._check_code(left, list(right.items))
            for item in right.items:
                self._same(left, item, "element and list of in")
        self._check_code(right, [left])
        return "bool"

    def _check_code(self, name: Node, values: list[Node]) -> None:
        """A code compared with a coded item must be one that can be answered."""
        codelist = self._codelist(name)
        if codelist is None:
            return
        for value in values:
            if (
                isinstance(value, Literal)
                and isinstance(value.value, str)
                and not codelist.accepts(value.value)
            ):
                self.fault("unknown_code", f"{value.value!r} is not in code list {codelist.name}")

    def _codelist(self, node: Node) -> Codelist | None:
        if isinstance(node, Call) and node.name == "previous" and node.args:
            first = node.args[0]
            node = Name(first.value) if isinstance(first, Literal) and isinstance(first.value, str) else node
        return self.items[node.name].choices if isinstance(node, Name) and node.name in self.items else None

    def _call(self, call: Call) -> str:
        if call.target is not None:
            return self._method(call)
        signature = SIGNATURES.get(call.name)
        if signature is None or call.name in INTERNAL:
            self.fault("unknown_function", f"there is no function {call.name}()")
            return ANY
        if len(call.args) != len(signature.arguments):
            self.fault("wrong_arguments", f"{call.name}() takes {len(signature.arguments)} arguments")
            return signature.result if signature.result != "item" else ANY
        item = self._arguments(call, signature)
        if signature.result == "item":
            return ITEM_KINDS[item.type] if item else ANY
        return signature.result

    def _arguments(self, call: Call, signature: Signature) -> Item | None:
        """Check arguments; the item that a literal first argument names."""
        item: Item | None = None
        for kind, argument in zip(signature.arguments, call.args, strict=True):
            if kind in {"item", "table"}:
                item = self._literal_item(call.name, kind, argument)
            elif kind == "column":
                self._column(item, argument)
            elif kind == "row":
                self._row(item, argument)
            elif kind == ANY:
                self.kind(argument)
            else:
                self._expect(argument, kind, f"argument of {call.name}()")
        return item

    def _literal_item(self, name: str, kind: str, argument: Node) -> Item | None:
        if not isinstance(argument, Literal) or not isinstance(argument.value, str):
            self.fault("literal_argument", f"{name}() needs an item code in quotes")
            return None
        item = self.items.get(argument.value)
        if item is None:
            self.fault("unknown_item", f"{argument.value} is not an item of the form")
        elif kind == "table" and item.type != "table":
            self.fault("type_clash", f"{name}() needs a table, {item.code} is a {item.type}")
        elif name == "previous" and item.type == "table":
            self.fault("type_clash", f"{item.code} is a table; use previous_sum_of()")
        return item

    def _column(self, table: Item | None, argument: Node) -> None:
        if not isinstance(argument, Literal) or not isinstance(argument.value, str):
            self.fault("literal_argument", "a column code must be in quotes")
        elif table is not None and table.type == "table" and table.column(argument.value) is None:
            self.fault("unknown_column", f"table {table.code} has no column {argument.value}")

    def _row(self, table: Item | None, argument: Node) -> None:
        self._expect(argument, "string", "row of cell()")
        if table is None or table.rows is None or not isinstance(argument, Literal):
            return
        if table.rows.kind == "fixed" and argument.value not in table.rows.ids:
            self.fault("unknown_row", f"table {table.code} has no row {argument.value}")

    def _method(self, call: Call) -> str:
        signature = METHODS.get(call.name)
        target = self.kind(call.target) if call.target is not None else ANY
        if signature is None:
            self.fault("unknown_function", f"there is no method .{call.name}()")
            return ANY
        if len(call.args) != len(signature.arguments):
            self.fault("wrong_arguments", f".{call.name}() takes {len(signature.arguments)} arguments")
        elif signature.arguments and signature.arguments[0] == "variable":
            self._macro(call, target)
        else:
            if call.name != "size" and target not in {"string", ANY}:
                self.fault("type_clash", f".{call.name}() needs a string, not a {target}")
            for kind, argument in zip(signature.arguments, call.args, strict=True):
                self._expect(argument, kind, f"argument of .{call.name}()")
        return signature.result

    def _macro(self, call: Call, target: str) -> None:
        variable, condition = call.args
        if not isinstance(variable, Name) or target not in {"list", ANY}:
            self.fault("type_clash", f".{call.name}() needs a list and a variable name")
            return
        inner = TypeCheck(self.items, self.faults, {**self.bound, variable.name: "string"})
        inner._expect(condition, "bool", f"condition of .{call.name}()")


def _literal_kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, int | float) else "string"
