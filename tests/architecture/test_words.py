"""Names, comments and docstrings of the product use standard terms: words of a private vocabulary do not occur."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.test_layout import ROOT

# Folders that are free of these words; a folder is added when its last word is gone.
FOLDERS = (
    "config",
    "estimation/archive",
    "estimation/benchmark",
    "estimation/design",
    "estimation/external",
    "estimation/index",
    "estimation/management",
    "estimation/methods",
    "estimation/peers",
    "estimation/public",
    "estimation/rehearsal",
    "estimation/releases",
    "estimation/report",
    "estimation/results",
    "estimation/runs",
    "estimation/scoring",
    "estimation/simulation",
    "estimation/templatetags",
    "survey/access",
    "survey/audit_trail",
    "survey/collection",
    "survey/fieldwork",
    "survey/frame",
    "survey/jobs",
    "survey/management",
    "survey/microdata",
    "survey/questionnaires",
    "survey/review",
    "survey/submissions",
    "survey/templatetags",
    "tests/architecture",
    "tests/config",
    "tests/drills",
    "tests/e2e",
    "tests/survey/access",
    "tests/survey/collection",
    "tests/survey/frame",
    "tests/survey/jobs",
    "tests/survey/microdata",
    "tests/survey/questionnaires",
    "tests/survey/review",
    "tests/survey/submissions",
)
# Folders whose own modules are free of these words, regardless of the folders below them.
MODULES = ("survey", "tests", "tests/survey")
WORDS = re.compile(
    r"\b(?:houses?|rooms?|doors?|eyes|crowds?|hearts?|speaks?|speaking|spoke|spoken|silent|silence|things?"
    r"|casts?|casting|told|seats?)\b",
    re.IGNORECASE,
)
HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
LIBRARY_TERM = re.compile(r"from typing import .*\bcast\b|\bcast\(|from django\S* import .*\bCast\b|\bCast\(")


def private_words(source: str) -> Iterator[tuple[int, str]]:
    """(line, word) of each word of the list in names, comments and docstrings of a module.

    The parts of a name are words, joined by underscores or capital letters. Terms of ``typing``, Django, NumPy and
    the database are no violations.
    """
    before = ""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        text = ""
        if token.type == tokenize.COMMENT:
            text = token.string
        elif token.type == tokenize.NAME:
            library = token.string in {"cast", "Cast"} and (before == "." or LIBRARY_TERM.search(token.line))
            text = "" if library else HUMP.sub(" ", token.string).replace("_", " ")
        yield from ((token.start[0], word) for word in WORDS.findall(text))
        before = token.string
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from ((node.body[0].lineno, word) for word in WORDS.findall(ast.get_docstring(node) or ""))


def violations(folder: Path, pattern: str = "**/*.py") -> list[str]:
    """The words of the list in the modules of a folder that match a glob pattern, with file and line."""
    return [
        f"{path.relative_to(folder)}:{line} {word}"
        for path in sorted(folder.glob(pattern))
        for line, word in private_words(path.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize("folder", FOLDERS)
def test_names_comments_and_docstrings_use_standard_terms(folder: str) -> None:
    modules = list((ROOT / folder).rglob("*.py"))
    assert modules
    assert violations(ROOT / folder) == []


@pytest.mark.parametrize("folder", MODULES)
def test_modules_outside_of_packages_use_standard_terms(folder: str) -> None:
    assert violations(ROOT / folder, "*.py") == []


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("told_queries = 1\n", "told"),
        ("class RoomKey:\n    pass\n", "Room"),
        ("def f(silent: bool) -> None: ...\n", "silent"),
        ("x = 1  # every door is open\n", "door"),
        ('"""Pages of the room."""\n', "room"),
        ('def f() -> None:\n    """One\n\n    thing at a time."""\n', "thing"),
        ("cast = 1\n", "cast"),
    ],
)
def test_a_planted_word_is_found(tmp_path: Path, source: str, word: str) -> None:
    (tmp_path / "planted.py").write_text(source)
    (violation,) = violations(tmp_path)
    assert violation.endswith(f" {word}")


def test_terms_of_libraries_and_parts_of_words_are_no_violations() -> None:
    source = (
        "from typing import cast\nx = cast('int', y)\nz = Value(0).cast(int)\nsomething = nothing\nforecast = 'room'\n"
        "from django.db.models.functions import Cast\nw = Cast('key', field)\n"
    )
    assert list(private_words(source)) == []
