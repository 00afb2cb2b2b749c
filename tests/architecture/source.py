"""The program as a map from module names to what they import, read from its files without running them."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ("config", "survey", "estimation")


@cache
def parsed(text: str) -> ast.Module:
    """Syntax tree of one file. Files are parsed once, also when many maps share them."""
    return ast.parse(text)


@cache
def _statements(text: str) -> frozenset[tuple[str, str]]:
    """(module, imported name) of every import statement that can run, also inside functions.

    The name is empty for ``import x``. What only the type checker reads (``if TYPE_CHECKING``) is left out.
    """
    statements: set[tuple[str, str]] = set()
    tree = parsed(text)
    unread = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for branch in node.body
        for inner in ast.walk(branch)
    }
    for node in ast.walk(tree):
        if node in unread:
            continue
        if isinstance(node, ast.Import):
            statements |= {(alias.name, "") for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError("relative import: write the whole name")
            statements |= {(node.module or "", alias.name) for alias in node.names}
    return frozenset(statements)


@dataclass(frozen=True)
class Source:
    """Files of the program by their path from the root of the repository ('/' between folders)."""

    texts: Mapping[str, str]

    @classmethod
    def read(cls, root: Path = ROOT, folders: tuple[str, ...] = PROGRAM) -> "Source":
        """Every Python file below the folders, migrations left out."""
        paths = sorted(path for folder in folders for path in (root / folder).rglob("*.py"))
        return cls(
            {
                path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
                for path in paths
                if "migrations" not in path.parts
            }
        )

    def planted(self, path: str, text: str) -> "Source":
        """A copy with ``text`` appended to the file, which is created if it does not exist."""
        return Source({**self.texts, path: self.texts.get(path, "") + "\n" + text + "\n"})

    def modules(self) -> dict[str, str]:
        """Dotted name -> path of its file."""
        return {_dotted(path): path for path in self.texts}

    def imports(self) -> dict[str, set[str]]:
        """Dotted name -> what it imports.

        Modules of the program by their names, everything else with the imported name behind a dot
        (``django.db.models.TextChoices``).
        """
        modules = self.modules()
        return {
            name: {
                _target(module, imported, modules)
                for module, imported in _statements(self.texts[path])
                if module != "__future__"
            }
            for name, path in modules.items()
        }

    def packages(self) -> set[str]:
        """Dotted names of the folders that hold modules."""
        return {name.rpartition(".")[0] for name, path in self.modules().items()} - {""} | {
            name for name, path in self.modules().items() if path.endswith("/__init__.py")
        }

    def trees(self) -> Iterator[tuple[str, ast.Module]]:
        """Path and syntax tree of every file."""
        for path, text in self.texts.items():
            yield path, parsed(text)


def _dotted(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _target(module: str, imported: str, modules: Mapping[str, str]) -> str:
    dotted = f"{module}.{imported}" if imported else module
    if dotted in modules:
        return dotted
    return module if module in modules else dotted
