"""The tables of config/SECURITY.md: every requirement once, in one of four states, with evidence that exists."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.architecture.test_layout import ROOT

# OWASP ASVS 5.0: section -> numbers of its requirements of levels 1 and 2.
REQUIRED = {
    "1.1": "1 2",
    "1.2": "1 2 3 4 5 6 7 8 9",
    "1.3": "1 2 3 4 5 6 7 8 9 10 11",
    "1.4": "1 2 3",
    "1.5": "1 2",
    "2.1": "1 2 3",
    "2.2": "1 2 3",
    "2.3": "1 2 3 4",
    "2.4": "1",
    "3.2": "1 2",
    "3.3": "1 2 3 4",
    "3.4": "1 2 3 4 5 6",
    "3.5": "1 2 3 4 5",
    "3.7": "1 2",
    "4.1": "1 2 3",
    "4.2": "1",
    "4.3": "1 2",
    "4.4": "1 2 3 4",
    "5.1": "1",
    "5.2": "1 2 3",
    "5.3": "1 2",
    "5.4": "1 2 3",
    "6.1": "1 2 3",
    "6.2": "1 2 3 4 5 6 7 8 9 10 11 12",
    "6.3": "1 2 3 4",
    "6.4": "1 2 3 4",
    "6.5": "1 2 3 4 5",
    "6.6": "1 2 3",
    "6.8": "1 2 3 4",
    "7.1": "1 2 3",
    "7.2": "1 2 3 4",
    "7.3": "1 2",
    "7.4": "1 2 3 4 5",
    "7.5": "1 2",
    "7.6": "1 2",
    "8.1": "1 2",
    "8.2": "1 2 3",
    "8.3": "1",
    "8.4": "1",
    "9.1": "1 2 3",
    "9.2": "1 2 3 4",
    "10.1": "1 2",
    "10.2": "1 2",
    "10.3": "1 2 3 4",
    "10.4": "1 2 3 4 5 6 7 8 9 10 11",
    "10.5": "1 2 3 4 5",
    "10.6": "1 2",
    "10.7": "1 2 3",
    "11.1": "1 2",
    "11.2": "1 2 3",
    "11.3": "1 2 3",
    "11.4": "1 2 3 4",
    "11.5": "1",
    "11.6": "1",
    "12.1": "1 2 3",
    "12.2": "1 2",
    "12.3": "1 2 3 4",
    "13.1": "1",
    "13.2": "1 2 3 4 5",
    "13.3": "1 2",
    "13.4": "1 2 3 4 5",
    "14.1": "1 2",
    "14.2": "1 2 3 4",
    "14.3": "1 2 3",
    "15.1": "1 2 3",
    "15.2": "1 2 3",
    "15.3": "1 2 3 4 5 6 7",
    "16.1": "1",
    "16.2": "1 2 3 4 5",
    "16.3": "1 2 3 4",
    "16.4": "1 2 3",
    "16.5": "1 2 3",
    "17.1": "1",
    "17.2": "1 2 3 4",
    "17.3": "1 2",
}
STATES = {"met", "partly", "deviation", "not applicable"}
TABLES = ("config/security/ASVS.md", "config/security/PROTECTION.md")
CODE = re.compile(r"`([^`]+)`")
PATH = re.compile(r"^[\w.-]+/[\w./-]*$|^[\w-]+\.(?:md|toml|lock)$|^\.[\w./-]+$")


@dataclass(frozen=True, slots=True)
class Row:
    """One requirement: its number, its state, and what is said to prove it."""

    number: str
    state: str
    evidence: str

    def faults(self, root: Path) -> list[str]:
        """What is wrong with the row."""
        named = [code.partition("::") for code in CODE.findall(self.evidence)]
        paths = [(path, name) for path, _separator, name in named if PATH.match(path)]
        faults = [f"{self.number}: {path} is missing" for path, _name in paths if not (root / path).exists()]
        faults += [
            f"{self.number}: {name} is not in {path}"
            for path, name in paths
            if name and (root / path).exists() and not has(root / path, name)
        ]
        if self.state not in STATES:
            faults.append(f"{self.number}: {self.state} is no state")
        if self.state == "met" and not paths:
            faults.append(f"{self.number}: met without evidence")
        return faults


def has(path: Path, name: str) -> bool:
    """True when a file has this name: in a test file as a test, elsewhere anywhere."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return f"def {name}(" in text if name.startswith("test_") else name in text


def rows(text: str) -> list[Row]:
    """The rows of all tables with five columns, without their heads."""
    cells = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return [Row(row[0], row[2], row[4]) for row in cells if row[0] != "requirement"]


def required() -> list[str]:
    """Numbers of the requirements of levels 1 and 2."""
    return [f"V{section}.{number}" for section, numbers in REQUIRED.items() for number in numbers.split()]


def number_faults(table: list[Row]) -> list[str]:
    """Requirements that are missing, unknown or named twice."""
    counts, wanted = Counter(row.number for row in table), set(required())
    return sorted(
        [f"{number} is missing" for number in wanted - counts.keys()]
        + [f"{number} is no requirement" for number in counts.keys() - wanted]
        + [f"{number} occurs {count} times" for number, count in counts.items() if count > 1]
    )


def text_of(name: str) -> str:
    """A table as text."""
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_requirement_occurs_once() -> None:
    assert len(required()) == 253
    assert number_faults(rows(text_of(TABLES[0]))) == []
    numbers = Counter(row.number for row in rows(text_of(TABLES[1])))
    assert len(numbers) > 40
    assert set(numbers.values()) == {1}


@pytest.mark.parametrize("name", TABLES)
def test_evidence_exists(name: str) -> None:
    assert [fault for row in rows(text_of(name)) for fault in row.faults(ROOT)] == []


def test_the_head_counts_what_the_tables_say() -> None:
    head = text_of("config/SECURITY.md")
    for name in TABLES:
        counts = Counter(row.state for row in rows(text_of(name)))
        counted = ", ".join(
            f"{counts[state]} {state}" for state in ("met", "partly", "deviation", "not applicable")
        )
        assert f"`{name}`: {counted}" in head


def test_every_deviation_stands_in_the_head() -> None:
    head = text_of("config/SECURITY.md")
    table = rows(text_of(TABLES[0]))
    deviations = [row.number.removeprefix("V") for row in table if row.state == "deviation"]
    partly = [row.number.removeprefix("V") for row in table if row.state == "partly"]
    assert len(deviations) > 5
    assert [
        n for n in deviations + partly if not re.search(rf"(?<![\d.]){re.escape(n)}(?![\d.]\d)", head)
    ] == []


PLANTED = {
    "a missing file": ("`config/settings.py`", "`config/no_settings.py`", "config/no_settings.py is missing"),
    "a missing name": (
        "`config/settings.py::SECURE_CSP`",
        "`config/settings.py::NO_SUCH`",
        "NO_SUCH is not in config/settings.py",
    ),
    "a state of its own": ("| met |", "| nearly |", "nearly is no state"),
    "met without evidence": ("`config/settings.py`", "the settings", "met without evidence"),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_fault_is_found(planted: str) -> None:
    good, bad, expected = PLANTED[planted]
    sentence = good if good.startswith("`") else "`config/settings.py`"
    line = f"| V1.1.1 | 1 | met | Words | {sentence} |"
    assert rows(line)[0].faults(ROOT) == []
    assert rows(line.replace(good, bad))[0].faults(ROOT) == [f"V1.1.1: {expected}"]


def test_a_missing_and_a_doubled_requirement_are_found() -> None:
    table = rows(text_of(TABLES[0]))
    assert number_faults([row for row in table if row.number != "V6.2.5"]) == ["V6.2.5 is missing"]
    assert number_faults([*table, table[0]]) == [f"{table[0].number} occurs 2 times"]
    assert number_faults([*table, Row("V99.1.1", "met", "")]) == ["V99.1.1 is no requirement"]
