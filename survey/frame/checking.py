"""Checks of the rows of a frame file. Pure: findings are codes; ``messages`` has their sentences."""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from survey.classification import CATEGORIES, ENTERPRISES, REGIONS, entries
from survey.frame.columns import column_positions, normalised_text
from survey.frame.parsing import LONGEST_CELL, SCIENTIFIC, Table, Value
from survey.frame.values import CellError, Parse, day, flag, integer, money
from survey.notation.characters import EDGES, invisible
from survey.questionnaires.credit_code import is_valid
from survey.questionnaires.lists.lookup import lookup_in
from survey.questionnaires.loader import load_codelist
from survey.spreadsheets.cells import Cell
from survey.untrusted.protocol import FileRefusedError

COUNTED = frozenset({"CAT03", "CAT04", "CAT08"})  # sampled by category and region
MOST_FINDINGS = 5_000
CODES = frozenset({"category", "region", "division_code", "industry", "institution_type"})
_FORMULA = re.compile(r"^[=+@\t\r]|^-(?![\d.])")
# Codes are written in groups: 9135 0100 M000 100Y 43.
_SPACED_CODE = re.compile(r"(?=.*\d)[0-9A-Z\s]+", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f<>]")


class UnitRow(NamedTuple):
    """A unit of the file, in the columns of the frame."""

    uscc: str
    name: str
    category: str
    region: str
    division_code: str
    industry: str
    section: str
    size_class: str
    institution_type: str
    employees: int | None
    turnover: Decimal | None
    assets: Decimal | None
    founded_on: dt.date | None
    is_head_platform: bool
    is_pilot_space: bool


class CountRow(NamedTuple):
    """A count of the business register: units of a category or of a section and size class, by region."""

    category: str
    region: str
    section: str
    size_class: str
    units: int


class Finding(NamedTuple):
    """A fault of one cell: line, column, value, code and parameters of the sentence."""

    line: int
    column: str
    value: str
    code: str
    parameters: dict[str, Any]


@dataclass
class Checked:
    """Valid rows with their lines, the first MOST_FINDINGS findings, and counts."""

    rows: list[tuple[int, Any]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    faults: int = 0
    faulty_rows: int = 0
    read: int = 0
    normalised: int = 0
    rounded: int = 0
    cleaned: int = 0
    ignored: list[str] = field(default_factory=list)

    def add_finding(self, line: int, column: str, value: str, code: str, /, **parameters: Any) -> None:
        """Add a finding; beyond MOST_FINDINGS only count it."""
        self.faults += 1
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(line, column, value[:80], code, parameters))


def check_table(kind: str, table: Table, report: Callable[[int], None] | None = None) -> Checked:
    """Check every row of the file; ``report`` is called with the number of rows read.

    Raises FileRefusedError when there are no rows or required columns are missing.
    """
    positions, missing, unknown = column_positions(kind, table.header)
    if missing:
        raise FileRefusedError("missing_columns", columns=missing, found=table.header[:20])
    checked = Checked(ignored=unknown)
    reader: Callable[[_Cells], Any] = _unit if kind == "units" else _count
    first_lines: dict[Any, int] = {}
    for line, cells in table.rows:
        checked.read += 1
        if report is not None and checked.read % 5_000 == 0:
            report(checked.read)
        before = checked.faults
        row = reader(_Cells(line, cells, positions, checked))
        if checked.faults > before:
            checked.faulty_rows += 1
            continue
        key = row[0] if kind == "units" else row[:4]
        if key in first_lines:
            checked.add_finding(
                line,
                "uscc" if kind == "units" else "region",
                key if kind == "units" else " ".join(key).strip(),
                "duplicate",
                line=first_lines[key],
            )
            checked.faulty_rows += 1
            continue
        first_lines[key] = line
        checked.rows.append((line, row))
    if not checked.read:
        raise FileRefusedError("no_rows")
    return checked


class _Cells:
    """The cells of a row by column code; faults are added to the result of the check."""

    def __init__(self, line: int, cells: list[Value], positions: dict[str, int], checked: Checked) -> None:
        self.line, self.cells, self.positions, self.checked = line, cells, positions, checked

    def value(self, column: str) -> Value:
        """The value of a cell; empty when the file lacks the column."""
        position = self.positions.get(column)
        return self.cells[position] if position is not None and position < len(self.cells) else ""

    def text(self, column: str) -> str:
        """The text of a cell: names as they are written, codes without blanks, other texts with full-width forms folded."""
        value = self.value(column)
        written = (value if isinstance(value, str) else value.text).strip()
        raw = written.strip(EDGES).strip()
        self.checked.cleaned += raw != written
        if column == "name" or raw.isascii():
            result = raw
        else:
            result = normalised_text(raw)
            self.checked.normalised += result != raw
        is_code = column == "uscc" or (column in CODES and _SPACED_CODE.fullmatch(result) is not None)
        return "".join(result.split()) if is_code else result

    def read(self, column: str, parse: Parse) -> Any:
        """The parsed cell, or None after a finding."""
        value, text = self.value(column), self.text(column)
        try:
            if not isinstance(value, str):
                self._check_cell(value)
            if len(text) > LONGEST_CELL:
                raise CellError("too_long", limit=LONGEST_CELL)
            if hidden := invisible(value if isinstance(value, str) else value.text):
                position, name = hidden
                raise CellError("invisible", position=position, character=name)
            if _FORMULA.match(text):
                raise CellError("formula")
            return parse(text)
        except CellError as error:
            self.checked.add_finding(self.line, column, text, error.code, **error.parameters)
            return None

    def _check_cell(self, cell: Cell) -> None:
        """Refuse a cell without a value; count one that shows fewer digits than it stores."""
        if cell.kind == "error":
            raise CellError("cell_error", error=cell.text)
        if cell.kind == "uncalculated":
            raise CellError("uncalculated")
        self.checked.rounded += 1


def _unit(cells: _Cells) -> UnitRow | None:
    lists = code_lists()
    read, add_finding = cells.read, cells.checked.add_finding
    uscc, name = read("uscc", _credit_code), read("name", _name)
    category, region = read("category", lists.category), read("region", lists.region)
    industry = read("industry", lists.industry)
    size = read("size_class", lists.size)
    employees, turnover, assets = (
        read(column, integer("employees") if column == "employees" else money(column))
        for column in ("employees", "turnover", "assets")
    )
    head, pilot = read("is_head_platform", flag), read("is_pilot_space", flag)
    if category in ENTERPRISES:
        for column, value in (("industry", industry), ("size_class", size)):
            if value == "":
                add_finding(cells.line, column, "", "needed_of_enterprises")
    elif category and size:
        add_finding(cells.line, "size_class", size, "only_enterprises")
    if head and category != "CAT08":
        add_finding(cells.line, "is_head_platform", cells.text("is_head_platform"), "only_platforms")
    division = read("division_code", lists.division)
    if region and division and not _inside(division, region):
        add_finding(cells.line, "division_code", division, "division_elsewhere", region=region)
    kind = read("institution_type", lists.institution)
    founded = read("founded_on", day)
    return UnitRow(
        uscc or "",
        name or "",
        category or "",
        region or "",
        division or region or "",
        industry or "",
        lists.section_of(industry or ""),
        size or "",
        kind or "",
        employees,
        turnover,
        assets,
        founded,
        bool(head),
        bool(pilot),
    )


def _count(cells: _Cells) -> CountRow | None:
    lists = code_lists()
    read, add_finding = cells.read, cells.checked.add_finding
    category = read("category", lambda text: lists.category(text) if text else "")
    region = read("region", lists.region)
    section, size = read("section", lists.section), read("size_class", lists.size)
    units = read("units", integer("units", needed=True))
    if category:
        if category not in COUNTED:
            add_finding(cells.line, "category", category, "not_counted")
        if section or size:
            add_finding(cells.line, "section", section or size, "either_category_or_cell")
    elif category == "":
        for column, value in (("section", section), ("size_class", size)):
            if value == "":
                add_finding(cells.line, column, "", "needed_of_enterprises")
    return CountRow(category or "", region or "", section or "", size or "", units or 0)


def _inside(division: str, region: str) -> bool:
    return division[:2] == region[:2]


def _credit_code(text: str) -> str:
    code = text.upper()
    if not code:
        raise CellError("needed")
    if SCIENTIFIC.fullmatch(code):
        raise CellError("code_as_number")
    if len(code) != 18:
        raise CellError("code_length", length=len(code))
    if not is_valid(code):
        raise CellError("check_digit")
    return code


def _name(text: str) -> str:
    """A name as it is written: brackets, letters and blanks of a legal name are not changed."""
    if len(text) < 2:
        raise CellError("needed")
    if _CONTROL.search(text):
        raise CellError("characters")
    if len(text) > 120:
        raise CellError("too_long", limit=120)
    return text


class CodeLists:
    """The code lists of the survey, as maps of code, number or name to code."""

    def __init__(self) -> None:
        self._categories = {**_names("categories"), **{str(n): code for n, code in enumerate(CATEGORIES, 1)}}
        self._categories |= {f"{n:02d}": code for n, code in enumerate(CATEGORIES, 1)}
        provinces = [entry for entry in entries("regions") if entry.code in REGIONS]
        self._regions = {entry.code: entry.code for entry in provinces}
        for entry in provinces:
            self._regions |= dict.fromkeys((entry.zh, entry.en, f"{entry.zh}省", f"{entry.zh}市"), entry.code)
            self._regions[entry.code[:2]] = entry.code
        self._sizes, self._institutions = _names("size_classes"), _names("institution_types")
        self._sections = _names("industry_sections")
        self._divisions = {entry.code: entry.parent for entry in entries("industry_divisions")}

    def category(self, text: str) -> str:
        """CAT01 to CAT14."""
        return _look_up(self._categories, text.upper() if text.isascii() else text, "category", needed=True)

    def region(self, text: str) -> str:
        """A provincial-level code."""
        return _look_up(self._regions, text, "region", needed=True)

    def division(self, text: str) -> str:
        """The code of a division, from its code or name."""
        return _listed("divisions", text, "division")

    def industry(self, text: str) -> str:
        """The code of an industry class, from its code or name; spreadsheets drop the zero before a code."""
        without_zero = text.isascii() and text.isdigit() and len(text) == 3
        return _listed("industries", text.zfill(4) if without_zero else text, "industry")

    def section_of(self, industry: str) -> str:
        """The letter of an industry class."""
        return self._divisions.get(industry[:2], "")

    def section(self, text: str) -> str:
        """A to R."""
        code = _look_up(
            self._sections, text.upper() if text.isascii() and len(text) == 1 else text, "section"
        )
        if code > "R":
            raise CellError("unknown_section")
        return code

    def size(self, text: str) -> str:
        """One of the four legal classes."""
        return _look_up(self._sizes, text.lower() if text.isascii() else text, "size")

    def institution(self, text: str) -> str:
        """Kind of institution."""
        return _look_up(self._institutions, text, "institution")


def _listed(codelist: str, text: str, what: str) -> str:
    if not text:
        return ""
    lookup = lookup_in(load_codelist(codelist))
    resolution = lookup.resolve(text)
    if resolution.candidates:
        raise CellError(f"near_{what}", near=lookup.describe(resolution.candidates, "zh"))
    if not resolution.code:
        raise CellError(f"unknown_{what}")
    return resolution.code


def _names(codelist: str) -> dict[str, str]:
    codes: dict[str, str] = {}
    for entry in load_codelist(codelist).entries:
        codes |= dict.fromkeys(
            (entry.code, entry.label.zh, entry.label.en, entry.label.en.lower()), entry.code
        )
    return codes


def _look_up(table: dict[str, str], text: str, what: str, *, needed: bool = False) -> str:
    if not text:
        if needed:
            raise CellError("needed")
        return ""
    code = table.get(text)
    if code is None:
        raise CellError(f"unknown_{what}")
    return code


@lru_cache(maxsize=1)
def code_lists() -> CodeLists:
    """The code lists, read once per process."""
    return CodeLists()


def rows_only(rows: Iterable[tuple[int, Any]]) -> Iterator[Any]:
    """The rows without their lines."""
    return (row for _line, row in rows)
