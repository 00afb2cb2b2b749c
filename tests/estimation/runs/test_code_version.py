"""The hash of the program in a run: another program is another run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from estimation.runs import program, services
from estimation.runs.compute.spec import RunSpec
from survey.collection.models import CollectionRound
from tests.conftest import ROOT
from tests.estimation.runs.country import Country

FOLDERS = ("estimation/methods", "estimation/runs/compute")
FILES = sorted(file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py"))


@pytest.fixture(autouse=True)
def _counted_anew() -> Iterator[None]:
    program.code_version.cache_clear()
    yield
    program.code_version.cache_clear()


def version_with(patch: pytest.MonkeyPatch, contents: dict[Path, bytes]) -> str:
    """The hash while these files have other contents."""
    original = Path.read_bytes
    with patch.context() as inside:
        inside.setattr(Path, "read_bytes", lambda path: contents.get(path) or original(path))
        program.code_version.cache_clear()
        return program.code_version()


def test_every_file_that_makes_numbers_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    before = program.code_version()
    assert len(before) == 64
    assert version_with(monkeypatch, {}) == before
    longer = {file: file.read_bytes() + b"\n" for file in FILES}
    assert [file for file in FILES if version_with(monkeypatch, {file: longer[file]}) == before] == []


def test_what_moves_to_the_next_file_is_another_program(monkeypatch: pytest.MonkeyPatch) -> None:
    before = program.code_version()
    first, second = FILES[-2:]
    text = first.read_bytes()
    moved = {first: text[:-40], second: text[-40:] + second.read_bytes()}
    assert version_with(monkeypatch, moved) != before


def test_another_program_is_another_run(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    Country()
    data: dict[str, Any] = {"round": CollectionRound.objects.get(year=2025), "by": None, "spec": RunSpec()}
    first, _waits = services.request_run(**data)
    assert first.code_version == program.code_version()
    monkeypatch.setattr(services, "code_version", lambda: "f" * 64)
    second, waits = services.request_run(**data)
    assert waits and second.pk != first.pk
    assert (second.code_version, second.microdata) == ("f" * 64, first.microdata)
    assert first.input_hash != second.input_hash
