"""Every file that a text of the repository names exists: in Markdown, comments and docstrings."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache, cached_property
from pathlib import Path

from tests.architecture.test_layout import ROOT, tracked

SUFFIXES = "md|yaml|yml|json|toml|lock|py|html|typ|css|js|svg|csv|txt|R|po|xlsx|parquet|sh|docx|pdf"
FILE_NAME = re.compile(rf"(?<![\w./<>*{{}}-])[\w.-][\w./-]*\.(?:{SUFFIXES})(?![\w*-]|\.\w)")
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
DOTTED = re.compile(r"\b(?:survey|estimation|config|tests)(?:\.[a-zA-Z_]\w*)+")
# Documents of the people who planned the system, which its readers do not have.
OUTSIDE = re.compile(r"\bissue (?:text|\d+)|\breference, section|\bmethodology[,:]|/work/", re.IGNORECASE)
COMMENTS = {
    ".html": re.compile(r"\{#.*?#\}|<!--.*?-->", re.DOTALL),
    ".css": re.compile(r"/\*.*?\*/", re.DOTALL),
    ".js": re.compile(r"/\*.*?\*/|(?<![:'\"])//[^\n]*", re.DOTALL),
    ".typ": re.compile(r"(?<![:'\"])//[^\n]*"),
    ".yaml": re.compile(r"(?:^|\s)#[^\n]*"),
    ".yml": re.compile(r"(?:^|\s)#[^\n]*"),
    ".toml": re.compile(r"(?:^|\s)#[^\n]*"),
    ".R": re.compile(r"#[^\n]*"),
    "": re.compile(r"(?:^|\s)#[^\n]*"),
}
# Names that stand for any file in an example, and those that CONTRIBUTING lets a newcomer make.
EXAMPLES = {"c.py", "test_security_spending.py", "counts.html", "test_counts.py", "test_differences.py"}


class Repository:
    """The files below a folder, and what its program itself calls files (what it writes or offers)."""

    def __init__(self, root: Path, files: list[Path]) -> None:
        self.root = root
        self.texts = [path for path in files if path.suffix in {".md", ".py"} or path.suffix in COMMENTS]
        names = [path.relative_to(root).as_posix() for path in files]
        self.paths = {path for name in names for path in (name, *_folders(name))}
        self.endings = {(ending, "") for name in names for ending in _endings(name)}
        self.endings |= {(end, above) for name in names for end in _endings(name) for above in _folders(name)}
        ignored = (root / ".gitignore").read_text().split()
        self.ignored = tuple(name.strip("/") for name in ignored if "*" not in name)

    @cached_property
    def literals(self) -> str:
        """All string constants of the program (without tests and docstrings), one after another."""
        program = [path for path in self.texts if path.suffix == ".py" and self._is_product(path)]
        return "\n".join(text for path in program for text in _literals(path))

    def _is_product(self, path: Path) -> bool:
        return path.relative_to(self.root).parts[0] != "tests"

    def knows(self, name: str, beside: Path) -> bool:
        """True for a file or folder of the repository, an ignored one, or a name that the program uses.

        The end of a path is enough: in Markdown below the folder of the text, elsewhere in the whole repository.
        """
        name = name.removeprefix("./").rstrip("/")
        if name in self.paths or name.rpartition("/")[2] in EXAMPLES or name.split("/")[0] in self.ignored:
            return True
        folder = beside.parent.relative_to(self.root).as_posix()
        if beside.suffix != ".md" or folder.startswith(".") or name.startswith("test_"):
            folder = ""
        if (name, folder) in self.endings or (beside.parent / name).exists():
            return True
        if beside.suffix == ".py" and any(name in text for text in _literals(beside)):
            return True
        return name in self.literals

    def knows_module(self, dotted: str) -> bool:
        """True when the longest part that can be a module is one and its source has the next name."""
        parts = dotted.split(".")
        folder = self.root
        for position, part in enumerate(parts):
            if (folder / part).is_dir():
                folder /= part
                continue
            source = folder / f"{part}.py"
            rest = parts[position + 1 :] if source.exists() else parts[position:]
            source = source if source.exists() else folder / "__init__.py"
            return not rest or (source.exists() and rest[0] in source.read_text(encoding="utf-8"))
        return True


def _endings(name: str) -> Iterator[str]:
    """``a/b/c.py``: itself, ``b/c.py`` and ``c.py``, and the same for its folders."""
    parts = name.split("/")
    for end in range(1, len(parts) + 1):
        yield from ("/".join(parts[start:end]) for start in range(end))


def _folders(name: str) -> Iterator[str]:
    """``a/b/c.py``: the folders above it, ``a`` and ``a/b``."""
    parts = name.split("/")
    yield from ("/".join(parts[:end]) for end in range(1, len(parts)))


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _docstrings(path: Path) -> list[ast.Constant]:
    """Strings that stand alone as a statement, wherever."""
    statements = [node.value for node in ast.walk(_parsed(path)) if isinstance(node, ast.Expr)]
    return [node for node in statements if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def _literals(path: Path) -> Iterator[str]:
    documentation = {id(node) for node in _docstrings(path)}
    for node in ast.walk(_parsed(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.value


def passages(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of everything that is written for readers: the whole Markdown, comments, docstrings."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        yield from enumerate(text.splitlines(), start=1)
    elif path.suffix == ".py":
        yield from ((node.lineno, str(node.value)) for node in _docstrings(path))
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string
    else:
        for match in COMMENTS[path.suffix].finditer(text):
            yield text.count("\n", 0, match.start()) + 1, match[0]


def named_files(path: Path, text: str) -> Iterator[str]:
    """File names in a passage; in Markdown also targets of links and folders written as code."""
    yield from FILE_NAME.findall(text)
    if path.suffix == ".md":
        for target in LINK.findall(text):
            if "://" not in target and not target.startswith(("#", "mailto:")):
                yield target.split("#")[0]
        for code in CODE.findall(text):
            yield from (word for word in code.split() if re.fullmatch(r"\.?\w[\w./-]*/", word))


def faults(repository: Repository) -> list[str]:
    """``file:line: name`` of everything named that is not there."""
    violations = []
    for path in repository.texts:
        for line, text in passages(path):
            location = f"{path.relative_to(repository.root)}:{line}"
            named = [name for name in named_files(path, text) if not repository.knows(name, path)]
            named += [name for name in DOTTED.findall(text) if not _exists(repository, name)]
            named += OUTSIDE.findall(text)
            violations += [f"{location}: {name}" for name in named]
    return violations


def _exists(repository: Repository, dotted: str) -> bool:
    return bool(re.search(rf"\.(?:{SUFFIXES})$", dotted)) or repository.knows_module(dotted)


def test_every_file_that_a_text_names_exists() -> None:
    files = tracked()
    repository = Repository(ROOT, files)
    assert len(repository.texts) > 500
    assert faults(repository) == []


def test_a_reference_to_a_missing_file_is_caught(tmp_path: Path) -> None:
    (tmp_path / "survey").mkdir()
    (tmp_path / ".gitignore").write_text(".local/\n")
    (tmp_path / "README.md").write_text(
        "Start with `survey/states.py`, see [map](survey/map.md) and [here](README.md), data in `.local/`.\n"
        "`missing/folder/` and survey.states.MOVES and survey.gone.MOVES.\n"
    )
    (tmp_path / "survey" / "states.py").write_text(
        '"""Moves (house.md 5b); writes out.csv, never in.csv."""\n'
        "MOVES = {}  # as the issue text says, and plan.yaml\n"
        'NAME = "out.csv"\n'
    )
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    violations = faults(Repository(tmp_path, sorted(files)))
    assert violations == [
        "README.md:1: survey/map.md",
        "README.md:1: survey/map.md",
        "README.md:2: missing/folder/",
        "README.md:2: survey.gone.MOVES",
        "survey/states.py:1: house.md",
        "survey/states.py:1: in.csv",
        "survey/states.py:2: plan.yaml",
        "survey/states.py:2: issue text",
    ]
