"""Decision notes: four headings each, numbers without gaps, every note in the index of its folder."""

import re
import shutil
from pathlib import Path

import pytest

from tests.architecture.test_layout import ROOT

FOLDERS = ("survey/decisions", "estimation/decisions")
HEADINGS = ["Context", "Decision", "Evidence", "Consequence"]


def faults(folder: Path) -> list[str]:
    """What is wrong with the notes of a folder, one sentence each."""
    violations = []
    index = (folder / "README.md").read_text(encoding="utf-8")
    notes = sorted(path for path in folder.iterdir() if path.name != "README.md")
    for number, note in enumerate(notes, start=1):
        if not re.fullmatch(rf"{number:04d}-[a-z0-9-]+\.md", note.name):
            violations.append(f"{note.name}: the name should begin with {number:04d}-")
            continue
        text = note.read_text(encoding="utf-8")
        title = re.match(rf"# {number}\. (.+)\n", text)
        if not title or f"| {number} | [{title[1]}]({note.name}) |" not in index:
            violations.append(f"{note.name}: number, title and the line of the index differ")
        parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
        if parts[1::2] != HEADINGS or not all(part.strip() for part in parts[2::2]):
            violations.append(f"{note.name}: needs {', '.join(HEADINGS)}, each with a text")
    if index.count(".md) |") != len(notes):
        violations.append("README.md: the index lists another number of notes")
    return violations


@pytest.mark.parametrize("folder", FOLDERS)
def test_decision_notes_have_their_form(folder: str) -> None:
    assert len(list((ROOT / folder).glob("*.md"))) > 20
    assert faults(ROOT / folder) == []


def test_planted_faults_are_found(tmp_path: Path) -> None:
    folder = tmp_path / "decisions"
    shutil.copytree(ROOT / FOLDERS[0], folder)
    notes = sorted(folder.glob("0*.md"))
    notes[-1].rename(folder / "0099-gap.md")
    notes[0].write_text(notes[0].read_text().replace("## Evidence", "## Proof"))
    notes[1].write_text(notes[1].read_text().replace("# 2. ", "# 2. Another "))
    notes[2].write_text(
        re.sub(r"## Consequence\n.+", "## Consequence\n", notes[2].read_text(), flags=re.DOTALL)
    )
    (folder / "README.md").write_text((folder / "README.md").read_text() + "| 3 | [Twice](0003-twice.md) |\n")
    assert [fault.split(":")[0] for fault in faults(folder)] == [
        notes[0].name,
        notes[1].name,
        notes[2].name,
        "0099-gap.md",
        "README.md",
    ]
