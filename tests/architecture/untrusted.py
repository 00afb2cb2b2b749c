"""Finds parsers of files outside the modules that run in a child process.

A file that came from outside is parsed in a child with limits (``survey.untrusted.reading``). Modules named
``parsing`` hold the parsers; only they call the libraries in ``READERS``, and a parser is handed to ``read`` or
``read_value`` and never called by another module.
"""

import ast
from collections.abc import Iterator, Mapping

from tests.architecture.source import Source

# Calls by their last name, or the last two where one is too common.
READERS = frozenset(
    {
        "load_workbook",
        "open_workbook",
        "CompDoc",
        "iterparse",
        "ParserCreate",
        "ParquetFile",
        "ParquetDataset",
        "read_table",
        "read_parquet",
        "read_csv",
        "read_feather",
    }
    | {
        "csv.reader",
        "csv.DictReader",
        "pickle.load",
        "pickle.loads",
        "Image.open",
        "open_heif",
        "PdfReader",
        "read_excel",
    }
    | {
        "ElementTree.parse",
        "ElementTree.fromstring",
        "ET.parse",
        "ET.fromstring",
        "etree.parse",
        "etree.fromstring",
    }
    | {
        "minidom.parse",
        "minidom.parseString",
        "tarfile.open",
        "zipfile.Path",
        "gzip.decompress",
        "zlib.decompress",
    }
)
ARCHIVES = frozenset({"ZipFile", "GzipFile", "LZMAFile", "BZ2File"})  # reading unless their mode writes
RUNNERS = frozenset({"read", "read_value"})


def parsers_in_this_process(source: Source) -> list[str]:
    """Calls that parse a file outside a ``parsing`` module, and parsers that are called instead of handed over."""
    violations = []
    for path, tree in source.trees():
        if path.endswith("/parsing.py"):
            continue
        parsers = set(_parsers(tree))
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            name = _name(node.func)
            if name in parsers:
                violations.append(f"{path} calls the parser {name}")
            elif _reads(node, name):
                violations.append(f"{path} reads a file with {name}")
    return sorted(set(violations))


def _parsers(tree: ast.Module) -> Iterator[str]:
    """Functions that a module imports from a ``parsing`` module, by the name that they have there."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith(".parsing"):
            yield from (alias.asname or alias.name for alias in node.names if alias.name.islower())


def _name(function: ast.expr) -> str:
    """``csv.reader`` of a call, or its last name."""
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        return f"{function.value.id}.{function.attr}"
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _reads(call: ast.Call, name: str) -> bool:
    last = name.rpartition(".")[2]
    if last in ARCHIVES:
        mode = call.args[1] if len(call.args) > 1 else _keywords(call).get("mode")
        return not (isinstance(mode, ast.Constant) and str(mode.value)[:1] in {"w", "x", "a"})
    return name in READERS or last in READERS


def _keywords(call: ast.Call) -> Mapping[str, ast.expr]:
    return {word.arg: word.value for word in call.keywords if word.arg}
