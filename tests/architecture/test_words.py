"""Names, comments and docstrings of the product use standard terms: words of a private vocabulary do not occur."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.test_layout import ROOT

FOLDERS = ("config", "estimation", "survey", "tests")
WORDS = re.compile(
    r"\b(?:houses?|rooms?|doors?|eyes|crowds?|hearts?|speaks?|speaking|spoke|spoken|silent|silence|things?"
    r"|casts?|casting|told|seats?)\b",
    re.IGNORECASE,
)
HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# Names say what a value is, not that it was found or that there is one of it.
NAME_WORDS = frozenset(
    {
        "found",
        "one",
        "said",
        "say",
        "says",
        "stories",
        "story",
        "stranger",
        "strangers",
        "tell",
        "tells",
        "told",
    }
)
# Names with such a word, with the reason.
NAMES = {
    "DISCLOSURE_ONE": "a setting of installations, beside DISCLOSURE_TWO: the share of one contributor",
    "ONE_DOMINATES": "a stored reason, beside TWO_DOMINATE",
    "WEIGHT_ONE": "the number: a design weight of 1",
    "not_found": "the standard term for the status 404",
    "one": "a key of stored rules, beside two: the share of one contributor",
}
# Modules that may use the name "one": the rules of the releases and those of the comparisons.
RULES = frozenset({"estimation/peers/compute.py", "estimation/releases/checks.py"})
TEMPLATE_NAMES = re.compile(r"\{%\s*for\s+([\w, ]+?)\s+in\b|\b(\w+)=|\bas\s+(\w+)")
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


def violations(folder: Path) -> list[str]:
    """The words of the list in the modules of a folder, with file and line."""
    return [
        f"{path.relative_to(folder)}:{line} {word}"
        for path in sorted(folder.rglob("*.py"))
        for line, word in private_words(path.read_text(encoding="utf-8"))
    ]


def bound_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, name) of everything that a module names, without test functions: their names are sentences."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if name.startswith("test_"):
                continue
            case (
                ast.FunctionDef(name=str(name))
                | ast.AsyncFunctionDef(name=str(name))
                | ast.ClassDef(name=str(name))
                | ast.arg(arg=str(name))
                | ast.Name(id=str(name), ctx=ast.Store())
                | ast.Attribute(attr=str(name), ctx=ast.Store())
                | ast.alias(asname=str(name))
                | ast.ExceptHandler(name=str(name))
                | ast.MatchAs(name=str(name))
                | ast.MatchStar(name=str(name))
            ):
                yield getattr(node, "lineno", 0), name


def with_vague_words(source: str) -> list[tuple[int, str]]:
    """(line, name) of the names of a module that have a word of ``NAME_WORDS``."""
    return [
        (line, name)
        for line, name in bound_names(ast.parse(source))
        if NAME_WORDS & set(HUMP.sub(" ", name).replace("_", " ").lower().split())
    ]


def vague_names(source: str, module: str = "") -> list[str]:
    """Names of a module with a word of ``NAME_WORDS``, with their lines, without the exceptions."""
    allowed = NAMES.keys() if module in RULES else NAMES.keys() - {"one"}
    return [f"{module}:{line} {name}" for line, name in with_vague_words(source) if name not in allowed]


def vague_variables(template: str) -> list[str]:
    """Variables that the tags of a template bind, of those in ``NAME_WORDS``."""
    tags = " ".join(re.findall(r"\{%.*?%\}", re.sub(r"([\"']).*?\1", "", template)))
    bound = [
        word for names in TEMPLATE_NAMES.findall(tags) for name in names for word in re.findall(r"\w+", name)
    ]
    return [word for word in bound if word in NAME_WORDS]


@pytest.mark.parametrize("folder", FOLDERS)
def test_names_say_what_a_value_is(folder: str) -> None:
    modules = [path for path in (ROOT / folder).rglob("*.py") if "migrations" not in path.parts]
    assert modules
    assert [
        name
        for path in sorted(modules)
        for name in vague_names(path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix())
    ] == []


def test_variables_of_templates_say_what_they_are() -> None:
    templates = sorted((ROOT / "templates").rglob("*.html"))
    assert templates
    assert [
        f"{path.relative_to(ROOT)}: {name}"
        for path in templates
        for name in vague_variables(path.read_text(encoding="utf-8"))
    ] == []


def test_every_exception_is_used() -> None:
    modules = (path for folder in ("config", "estimation") for path in (ROOT / folder).rglob("*.py"))
    texts = (path.read_text(encoding="utf-8") for path in modules)
    excepted = re.compile(rf"\b(?:{'|'.join(NAMES)})\b")
    used = {name for text in texts if excepted.search(text) for _line, name in with_vague_words(text)}
    assert NAMES.keys() <= used


@pytest.mark.parametrize("folder", FOLDERS)
def test_names_comments_and_docstrings_use_standard_terms(folder: str) -> None:
    modules = list((ROOT / folder).rglob("*.py"))
    assert modules
    assert violations(ROOT / folder) == []


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


@pytest.mark.parametrize(
    "source",
    [
        "found = []\n",
        "rows = [one.name for one in rows]\n",
        "def _tell_systemd() -> None: ...\n",
        "def f(say: str) -> None: ...\n",
        "class FoundRows:\n    pass\n",
        "self.strangers = set()\n",
        "match x:\n    case [one, *_]:\n        pass\n",
        "if told := read():\n    pass\n",
        "import rows as found\n",
    ],
)
def test_a_planted_name_is_found(source: str) -> None:
    assert len(vague_names(source, "survey/planted.py")) == 1


def test_calls_and_parts_of_words_are_no_vague_names() -> None:
    source = (
        "result = foundation(found=1)\nphone = soned.one\ndef test_the_one_that_is_found() -> None: ...\n"
    )
    assert vague_names(source) == []
    assert vague_names("class Guard:\n    one: float\n", "estimation/peers/compute.py") == []


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{% for one in rows %}{{ one.name }}{% endfor %}", "one"),
        ("{% for code, found in rows %}{% endfor %}", "found"),
        ("{% with one=row.name %}{% endwith %}", "one"),
        ("{% blocktranslate with found=rows|length %}{{ found }} rows{% endblocktranslate %}", "found"),
        ('{% translate "Rows" as found %}', "found"),
    ],
)
def test_a_planted_variable_of_a_template_is_found(template: str, name: str) -> None:
    assert vague_variables(template) == [name]
    assert vague_variables('{% translate "The one that was found as one" as title %}') == []


def test_terms_of_libraries_and_parts_of_words_are_no_violations() -> None:
    source = (
        "from typing import cast\nx = cast('int', y)\nz = Value(0).cast(int)\nsomething = nothing\nforecast = 'room'\n"
        "from django.db.models.functions import Cast\nw = Cast('key', field)\n"
    )
    assert list(private_words(source)) == []
