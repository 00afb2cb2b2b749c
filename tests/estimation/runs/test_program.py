"""Which files the hash of the program covers: compared with the imports as another reader sees them."""

import re
import shutil
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from estimation.index.services import ENTRIES as INDEX_ENTRIES
from estimation.index.services import LIBRARIES as INDEX_LIBRARIES
from estimation.runs import program
from tests.architecture.source import ROOT, Source

READING = {
    "survey/microdata/columns/selectors.py",  # the SQL and the layout of binary rows
    "survey/microdata/variables.py",
    "estimation/runs/extraction/selectors.py",  # the decoding
    "estimation/design/drawn/selectors.py",  # strata and inclusion of the drawn sample
    "estimation/design/strata.py",
    "estimation/runs/bootstrap/selectors.py",
}


def closure(entries: tuple[str, ...]) -> set[str]:
    """Files that the entries import however indirectly, from the map of the contracts' tests."""
    source = Source.read()
    paths, imports = source.modules(), source.imports()
    waiting = [
        name for name, path in paths.items() if path.startswith(tuple(f"{entry}/" for entry in entries))
    ]
    waiting += [name for name, path in paths.items() if path in entries]
    result: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in result and program.makes_numbers(paths[name]):
            result.add(name)
            waiting += [target for target in imports[name] if target in paths]
    return {paths[name] for name in result}


@pytest.mark.parametrize("entries", [program.ENTRIES, INDEX_ENTRIES])
def test_the_hash_covers_what_the_computation_imports(entries: tuple[str, ...]) -> None:
    files = program.files_of(entries)
    missing = closure(entries) - set(files)
    assert missing == set()
    assert {
        path for path in set(files) - closure(entries) if not path.endswith(("/__init__.py", ".yaml"))
    } == set()
    assert set(files) >= READING
    assert list(files) == sorted(files)


def test_the_computation_imports_no_pages_and_writes() -> None:
    for path in (*program.files_of(), *program.files_of(INDEX_ENTRIES)):
        assert not path.endswith(("/views.py", "/api.py", "/forms.py", "/tasks.py", "/services.py")), path


def test_libraries_have_their_locked_versions() -> None:
    locked = {
        load["name"]: load.get("version") for load in tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    }
    assert {"numpy", "scipy"} <= set(program.LIBRARIES) < set(INDEX_LIBRARIES)
    assert {name: version(name) for name in INDEX_LIBRARIES} == {
        name: locked[name] for name in INDEX_LIBRARIES
    }


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The files of the program of a run in another place."""
    for path in program.files_of():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    return tmp_path


def hash_at(root: Path) -> str:
    """The hash of the copy, with its files found anew."""
    program.files_of.cache_clear()
    return program.program_hash(program.ENTRIES, program.LIBRARIES, root)


def test_the_hash_is_the_same_in_another_folder(copied: Path) -> None:
    assert hash_at(copied) == program.code_version()


def test_the_hash_covers_the_code_lists_of_the_classifications() -> None:
    named = set(re.findall(r'entries\("(\w+)"\)', (ROOT / "survey/classification.py").read_text()))
    assert "regions" in named
    assert {f"survey/questionnaires/definitions/codelists/{name}.yaml" for name in named} == {
        path for path in program.files_of() if path.endswith(".yaml")
    }


def test_a_renamed_file_is_another_program(copied: Path) -> None:
    file = copied / "estimation/methods/rounding.py"
    file.rename(file.with_name("roundings.py"))
    assert hash_at(copied) != program.code_version()


def test_a_new_import_of_the_computation_is_covered(copied: Path) -> None:
    helper = copied / "survey/microdata/decoding.py"
    helper.write_text("FACTOR = 1.0\n")
    with (copied / "survey/microdata/columns/selectors.py").open("a") as file:
        file.write("\nfrom survey.microdata.decoding import FACTOR\n")
    before = hash_at(copied)
    helper.write_text("FACTOR = 1.1\n")
    assert hash_at(copied) != before


@pytest.mark.parametrize("path", sorted(READING))
def test_a_changed_reading_is_another_program(copied: Path, path: str) -> None:
    with (copied / path).open("a") as file:
        file.write("# changed\n")
    assert hash_at(copied) != program.code_version()


def test_another_version_of_a_library_is_another_program(monkeypatch: pytest.MonkeyPatch) -> None:
    before = program.program_hash(program.ENTRIES, program.LIBRARIES)
    monkeypatch.setattr(program, "version", lambda name: "0.0")
    assert program.program_hash(program.ENTRIES, program.LIBRARIES) != before


def test_another_library_of_the_same_version_is_another_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "version", lambda name: "2.0")
    assert program.program_hash((), ("numpy",)) != program.program_hash((), ("scipy",))
