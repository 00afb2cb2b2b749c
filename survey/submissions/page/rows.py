"""The rows of a section as plain records, which templates lay out."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from survey.questionnaires.definition import Column, Item
from survey.questionnaires.edits import Finding
from survey.questionnaires.guidance.paragraphs import ItemTexts
from survey.submissions.page.expectations import Expectations
from survey.submissions.page.remarks import Suggestion
from survey.submissions.page.unit_options import UnitOption

TALL_TABLE = 8  # rows; taller tables have a sticky header, first column and totals


@dataclass(slots=True)
class Option:
    """One code that may be chosen."""

    code: str
    label: str
    chosen: bool = False


@dataclass(slots=True)
class Field:
    """An input with its texts, options and errors."""

    key: str
    id: str
    control: str  # number, radio, select, list, multi, month, text
    item: Item | Column
    text: str = ""
    units: list[UnitOption] = dataclasses.field(default_factory=list)
    unit: str = ""  # label of the only unit
    options: list[Option] = dataclasses.field(default_factory=list)
    missing: str = ""
    base: int = 0
    error: str = ""
    label: str = ""
    shown: str = ""  # the stored answer as a text with its unit
    factor: str = ""  # size of the only unit in the smallest one of its family
    last: str = ""  # last year's answer as it would be entered, of a fact that may be taken over
    last_unit: str = ""
    previous: str = ""  # last year's answer in words, of a cell of a table
    suggestions: list[Suggestion] = dataclasses.field(default_factory=list)  # of a cell of a table
    conflict: "ConflictView | None" = None
    refused: bool = False  # the text could not be read; ``shown`` is what is stored

    @property
    def described_by(self) -> str:
        """Ids of the elements that describe the input."""
        return f"error-{self.id} state-{self.id}" if self.error else f"state-{self.id}"

    @property
    def has_single_input(self) -> bool:
        """Whether a `label` element can refer to the input; radio buttons and checkboxes form a group with a legend."""
        return self.control not in ("radio", "multi", "none")


@dataclass(slots=True)
class ConflictView:
    """The three versions of a cell, as texts."""

    mine: str
    theirs: str
    base: str
    by: str
    own: bool = False  # changed by the reader in another window


@dataclass(slots=True)
class Grid:
    """A table item as fields, with totals that the server added up."""

    columns: list[tuple[str, str]]  # name and, for wide tables, unit
    rows: list[tuple[str, str, list[Field]]]
    totals: list[str]
    is_open: bool
    is_wide: bool = False
    most_rows: int = 0  # of an open table

    @property
    def is_tall(self) -> bool:
        """Whether the table scrolls below its own header."""
        return len(self.rows) > TALL_TABLE


@dataclass(slots=True)
class FindingView:
    """A finding in the language of the page with its explanation."""

    finding: Finding
    message: str
    explanation: Any  # the stored reason, if any
    refused: bool
    main: str = ""  # another item that shows the full finding

    @property
    def alone(self) -> "list[FindingView]":
        """For a form that explains this finding alone."""
        return [self]


@dataclass(slots=True)
class Row:
    """One item on the page."""

    item: Item
    id: str
    shown: bool
    field: Field | None = None
    grid: Grid | None = None
    value: str = ""  # text of a read-only or computed cell
    text: str = ""  # text of any cell, for read-only pages
    about: ItemTexts | None = None
    previous: str = ""
    change: str = ""  # on last year
    read_back: str = ""
    suggestions: list[Suggestion] = dataclasses.field(default_factory=list)
    findings: list[FindingView] = dataclasses.field(default_factory=list)
    queries: list[Any] = dataclasses.field(default_factory=list)  # comments of the reviewers
    notes: list[Any] = dataclasses.field(default_factory=list)  # remarks of colleagues
    note: str = ""  # remark of the reader
    from_register: bool = False  # the answer is the unchanged prefilled value
    errors: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    missing_reasons: list[Option] = dataclasses.field(default_factory=list)
    expectations: Expectations = dataclasses.field(default_factory=Expectations)

    @property
    def filled_rows(self) -> set[str]:
        """Ids of the table rows with a filled cell."""
        return (
            {id_ for id_, _label, row in self.grid.rows if any(f.shown for f in row)} if self.grid else set()
        )

    @property
    def conflicts(self) -> list[Field]:
        """Fields of this row that somebody else changed first."""
        fields = [self.field] if self.field else []
        if self.grid:
            fields = [field for _id, _label, row in self.grid.rows for field in row]
        return [field for field in fields if field.conflict]
