"""Raw texts of a request become numbers, dates and documents in forms, serializers and survey/request_values.py only."""

import ast
from collections.abc import Iterator

from tests.architecture.source import Source

READERS = {"survey/request_values.py", "config/api.py"}
RAW = {"GET", "POST", "COOKIES", "headers", "META", "body", "query_params"}
CONVERSIONS = {
    "int",
    "float",
    "complex",
    "Decimal",
    "Fraction",
    "fromisoformat",
    "strptime",
    "json.loads",
    "fromtimestamp",
}
DIGITS = {"isdigit", "isdecimal", "isnumeric"}
# These modules are about requests; digits of codes in definitions and files are asked about elsewhere.
MODULES = ("views.py", "api.py", "forms.py", "filters.py", "middleware.py")


def _is_raw(node: ast.AST) -> bool:
    """``request.GET`` and the like, also of ``self.request``."""
    if not isinstance(node, ast.Attribute) or node.attr not in RAW:
        return False
    owner = node.value
    return (isinstance(owner, ast.Name) and owner.id == "request") or (
        isinstance(owner, ast.Attribute) and owner.attr == "request"
    )


def _reads_raw(node: ast.AST, names: set[str]) -> bool:
    return any(
        _is_raw(inner) or (isinstance(inner, ast.Name) and inner.id in names) for inner in ast.walk(node)
    )


def _raw_names(function: ast.AST) -> set[str]:
    """Names that hold what ``.get`` of a raw mapping returned."""
    names: set[str] = set()
    for node in ast.walk(function):
        value = getattr(node, "value", None)
        if not isinstance(node, ast.Assign | ast.NamedExpr) or not isinstance(value, ast.Call):
            continue
        if isinstance(value.func, ast.Attribute) and _is_raw(value.func.value):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


def _faults(tree: ast.Module, path: str) -> Iterator[str]:
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        names = _raw_names(function)
        for node in ast.walk(function):
            if isinstance(node, ast.Subscript) and _is_raw(node.value) and isinstance(node.ctx, ast.Load):
                yield f"{path}: {function.name} reads a raw value that may be missing"
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            called = called if called == "json.loads" else called.rpartition(".")[2] or called
            if called in CONVERSIONS and any(_reads_raw(argument, names) for argument in node.args):
                yield f"{path}: {function.name} converts a raw value with {called}()"
            if called in DIGITS and path.endswith(MODULES):
                yield f"{path}: {function.name} asks {called}(), which int() does not follow"


def violations(source: Source) -> list[str]:
    """Conversions of raw values by hand."""
    return sorted(
        {fault for path, tree in source.trees() if path not in READERS for fault in _faults(tree, path)}
    )


def test_raw_values_are_converted_by_forms_and_readers_only() -> None:
    assert violations(Source.read()) == []


PLANTED = {
    "def f(request):\n    return int(request.GET.get('page'))": "converts a raw value with int()",
    "def f(request):\n    text = request.POST.get('day', '')\n    return date.fromisoformat(text)": "with fromisoformat()",
    "def f(request):\n    return json.loads(request.body)": "converts a raw value with json.loads()",
    "def f(self):\n    return float(self.request.query_params.get('share', '0'))": "with float()",
    "def f(request):\n    return request.POST['next']": "may be missing",
    "def f(text):\n    return text.isdigit()": "asks isdigit()",
    "def f(request):\n    return int(text) if (text := request.GET.get('year', '')) else 0": "with int()",
}


def test_planted_conversions_are_found() -> None:
    for text, expected in PLANTED.items():
        (violation,) = set(violations(Source({"survey/review/views.py": text})))
        assert expected in violation
