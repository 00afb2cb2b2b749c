"""Regular expressions are constants, or escape what is put into them; none comes from outside."""

import ast
import re

import pytest

from tests.architecture.source import Source
from tests.architecture.test_layout import ROOT

FUNCTIONS = {"compile", "match", "search", "fullmatch", "sub", "subn", "findall", "finditer", "split"}
SCRIPT = re.compile(r"\bRegExp\(|\.(?:match|matchAll|search|replaceAll)\((?!/|[\"'])")
REVIEWED = {"config/web/limits.py": "route.pattern"}  # constants of the table in the same module


def dynamic(tree: ast.Module) -> list[str]:
    """Expressions given to ``re`` that are neither constant nor escaped."""
    functions = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "re"
        for alias in node.names
    } & FUNCTIONS
    expressions = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called = node.func
        by_module = (
            isinstance(called, ast.Attribute)
            and isinstance(called.value, ast.Name)
            and called.value.id == "re"
            and called.attr in FUNCTIONS
        )
        if (by_module or (isinstance(called, ast.Name) and called.id in functions)) and not is_fixed(
            node.args[0]
        ):
            expressions.append(ast.unparse(node.args[0]))
    expressions += [
        ast.unparse(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword) and (node.arg or "").endswith(("__regex", "__iregex"))
    ]
    return expressions


def is_fixed(node: ast.expr) -> bool:
    """True for a constant text, the pattern of a compiled constant, an escaped text, and what is joined of them."""
    match node:
        case ast.Constant():
            return True
        case ast.JoinedStr():
            return all(
                is_fixed(part.value) if isinstance(part, ast.FormattedValue) else True for part in node.values
            )
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return is_fixed(left) and is_fixed(right)
        case ast.Attribute(value=ast.Name(id=name), attr="pattern"):
            return name.isupper()
        case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr="escape") | ast.Name(id="escape")):
            return True
    return False


def test_no_expression_is_made_of_foreign_text() -> None:
    dynamic_by_path = {
        path: expressions for path, tree in Source.read().trees() if (expressions := dynamic(tree))
    }
    assert dynamic_by_path == {path: [expression] for path, expression in REVIEWED.items()}


def test_scripts_make_no_expressions() -> None:
    scripts = [path for path in ROOT.glob("*/static/**/*.js") if "vendor" not in path.parts]
    assert len(scripts) > 4
    assert [path.name for path in scripts if SCRIPT.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(
    ("planted", "count"),
    [
        ("re.search(name, text)", 1),
        ("re.compile(f'^{name}$')", 1),
        ("re.sub('^' + name, '', text)", 1),
        ("from re import findall\nfindall(name, text)", 1),
        ("rows.filter(name__iregex=name)", 1),
        ("re.search(re.escape(name), text)", 0),
        ("re.compile(f'^{re.escape(name)}$')", 0),
        ("re.split(r'[,;]', name)", 0),
    ],
)
def test_a_planted_expression_is_found(planted: str, count: int) -> None:
    assert len(dynamic(ast.parse(planted))) == count
