"""A parser of CEL text that finds faults and dependencies without evaluating anything.

The CEL library compiles and executes; it reports neither types nor which item `previous("P01")` reads.
The parser covers what rules use: literals, names, calls, methods, lists, maps, indexing, the operators and
the conditional. Anything else is a syntax error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from survey.exceptions import DefinitionError

_TOKEN = re.compile(
    r"""\s+|//[^\n]*
    |(?P<float>\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)
    |(?P<int>\d+)
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<op>\|\||&&|==|!=|<=|>=|[-+*/%<>!?:()\[\]{},.])""",
    re.VERBOSE,
)
_BINARY = (("||",), ("&&",), ("==", "!=", "<", "<=", ">", ">=", "in"), ("+", "-"), ("*", "/", "%"))
COMPARISONS = frozenset(_BINARY[2])
ARITHMETIC = frozenset(_BINARY[3] + _BINARY[4])
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant: float, int, str, bool or None."""

    value: float | int | str | bool | None


@dataclass(frozen=True, slots=True)
class Name:
    """A variable."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """name(args) or, with a target, target.name(args)."""

    name: str
    args: tuple[Node, ...]
    target: Node | None = None


@dataclass(frozen=True, slots=True)
class ListOf:
    """[a, b, c]"""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class MapOf:
    """{key: value, ...}: a small table of constants inside a rule."""

    pairs: tuple[tuple[Node, Node], ...]


@dataclass(frozen=True, slots=True)
class Index:
    """target[index]"""

    target: Node
    index: Node


@dataclass(frozen=True, slots=True)
class Unary:
    """!a or -a"""

    op: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary:
    """a op b"""

    op: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Ternary:
    """condition ? yes : no"""

    condition: Node
    yes: Node
    no: Node


type Node = Literal | Name | Call | ListOf | MapOf | Index | Unary | Binary | Ternary


def parse_expression(text: str) -> Node:
    """The syntax tree of CEL text. Raises DefinitionError("syntax")."""
    return _Parser(text).parse()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.position = 0

    def parse(self) -> Node:
        node = self.ternary()
        if self.position < len(self.tokens):
            raise self.fault(f"unexpected {self.tokens[self.position][1]!r}")
        return node

    def fault(self, message: str) -> DefinitionError:
        return DefinitionError("syntax", self.text, message)

    def peek(self) -> str | None:
        if self.position >= len(self.tokens):
            return None
        kind, text = self.tokens[self.position]
        return text if kind in {"op", "name"} else None

    def take(self, text: str) -> bool:
        if self.peek() == text:
            self.position += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.take(text):
            actual = self.tokens[self.position][1] if self.position < len(self.tokens) else "the end"
            raise self.fault(f"expected {text!r} but found {actual!r}")

    def ternary(self) -> Node:
        condition = self.binary(0)
        if not self.take("?"):
            return condition
        yes = self.binary(0)
        self.expect(":")
        return Ternary(condition, yes, self.ternary())

    def binary(self, level: int) -> Node:
        if level == len(_BINARY):
            return self.unary()
        node = self.binary(level + 1)
        while (op := self.peek()) in _BINARY[level]:
            self.position += 1
            node = Binary(str(op), node, self.binary(level + 1))
        return node

    def unary(self) -> Node:
        for op in ("!", "-"):
            if self.take(op):
                return Unary(op, self.unary())
        return self.member()

    def member(self) -> Node:
        node = self.primary()
        while True:
            if self.take("."):
                kind, name = (
                    self.tokens[self.position] if self.position < len(self.tokens) else ("", "the end")
                )
                if kind != "name":
                    raise self.fault(f"expected a method name but found {name!r}")
                self.position += 1
                self.expect("(")
                node = Call(name, self.arguments(")"), node)
            elif self.take("["):
                node = Index(node, self.ternary())
                self.expect("]")
            else:
                return node

    def arguments(self, end: str) -> tuple[Node, ...]:
        nodes: list[Node] = []
        if self.take(end):
            return ()
        while True:
            nodes.append(self.ternary())
            if self.take(end):
                return tuple(nodes)
            self.expect(",")

    def primary(self) -> Node:
        if self.position >= len(self.tokens):
            raise self.fault("the expression ends too early")
        kind, text = self.tokens[self.position]
        self.position += 1
        if kind == "float":
            return Literal(float(text))
        if kind == "int":
            return Literal(int(text))
        if kind == "string":
            return Literal(_unescaped(text[1:-1]))
        if kind == "name":
            return self.named(text)
        if text == "(":
            node = self.ternary()
            self.expect(")")
            return node
        if text == "[":
            return ListOf(self.arguments("]"))
        if text == "{":
            return self.map()
        raise self.fault(f"unexpected {text!r}")

    def map(self) -> Node:
        pairs: list[tuple[Node, Node]] = []
        while not self.take("}"):
            if pairs:
                self.expect(",")
            key = self.ternary()
            self.expect(":")
            pairs.append((key, self.ternary()))
        return MapOf(tuple(pairs))

    def named(self, name: str) -> Node:
        constants: dict[str, bool | None] = {"true": True, "false": False, "null": None}
        if name in constants:
            return Literal(constants[name])
        if self.take("("):
            return Call(name, self.arguments(")"))
        return Name(name)


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise DefinitionError(
                "syntax", text, f"unexpected character {text[position]!r} at {position + 1}"
            )
        if match.lastgroup:
            tokens.append((match.lastgroup, match.group()))
        position = match.end()
    return tokens


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), text)


def children(node: Node) -> tuple[Node, ...]:
    """The direct parts of a node."""
    match node:
        case Call(_, args, target):
            return args if target is None else (target, *args)
        case ListOf(items):
            return items
        case MapOf(pairs):
            return tuple(part for pair in pairs for part in pair)
        case Index(target, index):
            return (target, index)
        case Unary(_, operand):
            return (operand,)
        case Binary(_, left, right):
            return (left, right)
        case Ternary(condition, yes, no):
            return (condition, yes, no)
        case _:
            return ()


def walk(node: Node) -> list[Node]:
    """The node and everything below it, in reading order."""
    nodes = [node]
    for child in children(node):
        nodes.extend(walk(child))
    return nodes


def write(node: Node) -> str:
    """CEL text of a tree, fully parenthesised."""
    match node:
        case Literal(value):
            return _written_literal(value)
        case Name(name):
            return name
        case Call(name, args, target):
            prefix = f"{write(target)}." if target is not None else ""
            return f"{prefix}{name}({', '.join(write(arg) for arg in args)})"
        case ListOf(items):
            return f"[{', '.join(write(item) for item in items)}]"
        case MapOf(pairs):
            return "{" + ", ".join(f"{write(key)}: {write(value)}" for key, value in pairs) + "}"
        case Index(target, index):
            return f"{write(target)}[{write(index)}]"
        case Unary(op, operand):
            return f"{op}({write(operand)})"
        case Binary(op, left, right):
            return f"({write(left)} {op} {write(right)})"
        case Ternary(condition, yes, no):
            return f"({write(condition)} ? {write(yes)} : {write(no)})"


def _written_literal(value: float | int | str | bool | None) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + escaped.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r") + '"'
    return repr(value)
