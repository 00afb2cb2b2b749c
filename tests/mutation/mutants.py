"""The possible changes of a source file, and one of them made. The operators are those of Cosmic Ray."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from importlib.machinery import SourceFileLoader
from pathlib import Path
from random import Random
from types import CodeType
from typing import Any

from cosmic_ray.ast import ast_nodes, get_ast_from_path
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

# Cosmic Ray also turns + into <<, < into `is` and the like. Such changes break on the first call of a line: they ask
# whether it is run at all, which coverage says already, and would be four fifths of all.
OPERATORS = (
    *(f"ReplaceBinaryOperator_{pair}" for pair in ("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul")),
    *(f"ReplaceBinaryOperator_{pair}" for pair in ("FloorDiv_Mul", "Mod_Mul", "Pow_Mul")),
    *(f"ReplaceBinaryOperator_{pair}" for pair in ("BitAnd_BitOr", "BitOr_BitAnd", "BitXor_BitOr")),
    *(f"ReplaceComparisonOperator_{pair}" for pair in ("Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt")),
    *(f"ReplaceComparisonOperator_{pair}" for pair in ("Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is")),
    *(f"ReplaceUnaryOperator_Delete_{sign}" for sign in ("Not", "USub", "Invert")),
    "AddNot",
    "NumberReplacer",
    "RemoveDecorator",
    "ReplaceAndWithOr",
    "ReplaceOrWithAnd",
    "ReplaceTrueWithFalse",
    "ReplaceFalseWithTrue",
    "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak",
    "ZeroIterationForLoop",
)


@dataclass(frozen=True, slots=True, order=True)
class Mutant:
    """The ``occurrence``-th place of a file where an operator applies."""

    path: str
    line: int
    column: int
    operator: str
    occurrence: int


def mutants_of(root: Path, path: Path) -> Iterator[Mutant]:
    """Every possible change of one file below ``root`` that could change what the program does."""
    nodes = list(ast_nodes(get_ast_from_path(path)))
    ignored = list(_without_behaviour(path.read_text()))
    for name in OPERATORS:
        operator = get_operator(f"core/{name}")()
        positions = [start for node in nodes for start, _end in operator.mutation_positions(node)]
        for occurrence, (line, column) in enumerate(positions):
            if any(start <= (line, column) < end for start, end in ignored):
                continue
            yield Mutant(str(path.relative_to(root)), line, column, name, occurrence)


def _without_behaviour(source: str) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Start and end of annotations, names of types, ``@dataclass(frozen=..., slots=...)`` and ``zip(..., strict=...)``.

    Both arguments only refuse what a correct program never does.
    """
    for node in ast.walk(ast.parse(source)):
        result: list[ast.expr | None] = []
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            result = [node.returns]
        elif isinstance(node, ast.arg | ast.AnnAssign):
            result = [node.annotation]
        elif isinstance(node, ast.TypeAlias):
            result = [node.value]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "zip":
            result = [keyword.value for keyword in node.keywords if keyword.arg == "strict"]
        elif isinstance(node, ast.ClassDef):
            result = [decorator for decorator in node.decorator_list if "dataclass" in ast.unparse(decorator)]
        for decorator in result:
            if (
                decorator is not None
                and decorator.end_lineno is not None
                and decorator.end_col_offset is not None
            ):
                yield (
                    (decorator.lineno, decorator.col_offset),
                    (decorator.end_lineno, decorator.end_col_offset),
                )


def all_mutants(root: Path, folders: list[str]) -> list[Mutant]:
    """Every possible change below these folders, in a fixed order."""
    files = sorted(file for folder in folders for file in (root / folder).rglob("*.py"))
    return sorted(mutant for file in files for mutant in mutants_of(root, file))


def sampled(mutants: list[Mutant], share: float, seed: str) -> list[Mutant]:
    """A simple random sample without replacement, the same for the same seed and sources.

    In random order: the first of them are a smaller sample.
    """
    return Random(seed).sample(mutants, round(share * len(mutants)))


def lines_of_statement(root: Path, mutant: Mutant) -> tuple[int, int]:
    """First and last line of the statement of a mutant, of compound ones without their body."""
    result = (mutant.line, mutant.line)
    for node in ast.walk(ast.parse((root / mutant.path).read_text())):
        if isinstance(node, ast.stmt | ast.excepthandler):
            body = getattr(node, "body", None)
            end = body[0].lineno - 1 if body else node.end_lineno
            first, last = node.lineno, max(node.lineno, end or node.lineno)
            if first <= mutant.line <= last:
                result = (first, last)  # inner statements come later
    return result


def runs_during_import(root: Path, mutant: Mutant) -> bool:
    """Whether the place is in no body of a function: constants, attributes of classes, defaults, decorators."""
    for node in ast.walk(ast.parse((root / mutant.path).read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first: Any = node.body[0]
            begins = min([first.lineno, *(outer.lineno for outer in getattr(first, "decorator_list", []))])
            if begins <= mutant.line <= (node.end_lineno or begins):
                return False
    return True


def changed(root: Path, mutant: Mutant) -> tuple[str, str]:
    """The changed source, and the changed lines as they are shown."""
    operator = get_operator(f"core/{mutant.operator}")()
    before = (root / mutant.path).read_text()
    after = mutate_code(before, operator, mutant.occurrence)
    if after is None:
        raise LookupError(f"{mutant} is nowhere in its file")
    lines = list(unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""))[3:]
    return after, "\n".join(f"{line[0]} {line[1:].strip()}" for line in lines)


def import_changed(path: Path, source: str) -> None:
    """From now on importing this file runs another source. The file itself stays as it is."""
    original = SourceFileLoader.get_code

    def get_code(loader: SourceFileLoader, name: str) -> CodeType | None:
        if Path(loader.path) == path:
            return compile(source, str(path), "exec", dont_inherit=True)
        return original(loader, name)

    SourceFileLoader.get_code = get_code  # type: ignore[assignment, method-assign]  # replaced on purpose
