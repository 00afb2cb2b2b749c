"""The program that computes the numbers of a run, as a list of files and as one hash.

The hashed files are discovered, not listed: the modules of the computation and all project modules that they import,
directly or not, with the reading of microdata and of the drawn sample (their SQL and their decoding), and the installed
versions of the libraries that compute. Definitions of tables and of access do not affect the numbers and are excluded.
"""

import ast
from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENTRIES = (
    "estimation/methods",
    "estimation/runs/compute",
    "estimation/runs/extraction",
    "estimation/runs/bootstrap/selectors.py",
    # what ``survey.classification`` reads
    "survey/questionnaires/definitions/codelists/categories.yaml",
    "survey/questionnaires/definitions/codelists/industry_sections.yaml",
    "survey/questionnaires/definitions/codelists/regions.yaml",
    "survey/questionnaires/definitions/codelists/size_classes.yaml",
)
LIBRARIES = ("numpy", "scipy")


def makes_numbers(path: str) -> bool:
    """False for tables and for the rules of access, which the reading modules import for their types."""
    return not path.endswith("/models.py") and not path.startswith("survey/access/")


@lru_cache(maxsize=8)
def files_of(entries: tuple[str, ...] = ENTRIES, root: Path = ROOT) -> tuple[str, ...]:
    """Paths from the root, in order, of the entries (folders or files) and of the project modules that they import."""
    waiting = [path for entry in entries for path in _below(root, entry)]
    files: set[str] = set()
    while waiting:
        path = waiting.pop()
        if path not in files and makes_numbers(path):
            files.add(path)
            waiting += _imported(root, path)
    return tuple(sorted(files))


def _below(root: Path, entry: str) -> Iterator[str]:
    path_of_entry = root / entry
    for path in sorted(path_of_entry.rglob("*.py")) if path_of_entry.is_dir() else [path_of_entry]:
        yield path.relative_to(root).as_posix()


def _imported(root: Path, path: str) -> Iterator[str]:
    if not path.endswith(".py"):
        return
    for node in ast.walk(ast.parse((root / path).read_bytes())):
        if isinstance(node, ast.Import):
            yield from _files(root, (alias.name for alias in node.names))
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from _files(root, (node.module, *(f"{node.module}.{alias.name}" for alias in node.names)))


def _files(root: Path, names: Iterable[str]) -> Iterator[str]:
    """Files of the modules among the names, with those of the packages that contain them."""
    for name in names:
        parts = name.split(".")
        if parts[0] not in {"survey", "estimation"}:
            continue
        folders = ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]
        for path in (*(f"{folder}/__init__.py" for folder in folders), f"{folders[-1]}.py"):
            if (root / path).is_file():
                yield path


def program_hash(entries: tuple[str, ...], libraries: tuple[str, ...], root: Path = ROOT) -> str:
    """SHA-256 (hex) over paths and contents of the files and over names and versions of the libraries.

    The same on every machine with the same files and libraries, wherever the program is installed.
    """
    result = sha256()
    for path in files_of(entries, root):
        content = (root / path).read_bytes()
        result.update(f"{path}\0{len(content)}\0".encode())
        result.update(content)
    for name in libraries:
        result.update(f"{name}=={version(name)}\0".encode())
    return result.hexdigest()


@lru_cache(maxsize=1)
def code_version() -> str:
    """Hash of the program that computes a run: another program is another run."""
    return program_hash(ENTRIES, LIBRARIES)
