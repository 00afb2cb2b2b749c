"""The instrument as frozen records: questionnaire > section > item, edit rules, code lists.

Pure: no Django, no files. The records hold everything that a published version contains, so that a sheet
of 2025 is read by the definition it was filled with after the YAML files have changed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

ITEM_TYPES = (
    "quantity",
    "money",
    "count",
    "ratio",
    "yesno",
    "choice",
    "multi",
    "date",
    "text",
    "table",
)
NUMERIC_TYPES = frozenset({"quantity", "money", "count", "ratio"})
SEVERITIES = ("hard", "soft", "notice")
SCOPES = ("sheet", "previous", "register")


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence or name in both languages of the survey."""

    zh: str
    en: str

    def get(self, language: str) -> str:
        """The text in `language` ("zh-hans", "en", ...); Chinese unless English is asked for and there is one."""
        return self.en if self.en and language.lower().startswith("en") else self.zh

    def __bool__(self) -> bool:
        return bool(self.zh or self.en)


@dataclass(frozen=True, slots=True)
class CodeEntry:
    """One code of a list; `parent` is the code above it.

    `pinyin` is the reading of the Chinese name, words apart, syllables joined by hyphens: "gu-lou qu".
    """

    code: str
    label: Text
    parent: str | None = None
    group: str | None = None  # macro region of a region, subject group of a category
    evidence: bool = False  # a reason that counts only with an attached document
    pinyin: str = ""


@dataclass(frozen=True, slots=True)
class Retired:
    """A code of an earlier edition: its name, the last edition that had it, the codes that stand for it now."""

    code: str
    name: str
    last: str
    now: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Codelist:
    """A named list of codes in one edition; only `entries` may be answered.

    `headings` are the levels above the entries, `retired` the codes of earlier editions with their successors.
    With `path` the name of an entry is said with the names above it (江苏省南京市鼓楼区), with `romanised`
    the English name of an entry is the Latin spelling of the Chinese one. Long lists are `tabular`: a file with
    one line per code. Versions that were published while the long lists were not yet
    complete have an `open_prefix` and a `code_length`: they also accept codes of that length that are not
    listed when a listed code has the same first digits.
    """

    name: str
    entries: tuple[CodeEntry, ...]
    open_prefix: int = 0
    code_length: int = 0
    title: Text = Text("", "")
    source: str = ""
    edition: str = ""
    valid_from: str = ""
    licence: str = ""
    path: bool = False
    romanised: bool = False
    tabular: bool = False
    headings: tuple[CodeEntry, ...] = ()
    retired: tuple[Retired, ...] = ()
    _by_code: Mapping[str, CodeEntry] = field(init=False, repr=False)
    _above: Mapping[str, CodeEntry] = field(init=False, repr=False)
    _retired: Mapping[str, Retired] = field(init=False, repr=False)
    _prefixes: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        by_code = {entry.code: entry for entry in self.entries}
        object.__setattr__(self, "_by_code", by_code)
        object.__setattr__(self, "_above", {entry.code: entry for entry in self.headings} | by_code)
        object.__setattr__(self, "_retired", {old.code: old for old in self.retired})
        prefixes = frozenset(entry.code[: self.open_prefix] for entry in self.entries if self.open_prefix)
        object.__setattr__(self, "_prefixes", prefixes)

    def get(self, code: str) -> CodeEntry | None:
        """The listed entry of `code`, or None."""
        return self._by_code.get(code)

    def retired_code(self, code: str) -> Retired | None:
        """What became of a code of an earlier edition, or None."""
        return self._retired.get(code)

    def accepts(self, code: str) -> bool:
        """Whether `code` may be answered."""
        return code in self._by_code or self._accepts_unlisted(code)

    def _accepts_unlisted(self, code: str) -> bool:
        return (
            self.open_prefix > 0
            and len(code) == self.code_length
            and code.isascii()
            and code.isdigit()
            and code[: self.open_prefix] in self._prefixes
        )

    def above(self, entry: CodeEntry) -> list[CodeEntry]:
        """The entries and headings above an entry, the highest first."""
        chain: list[CodeEntry] = []
        parent = self._above.get(entry.parent or "")
        while parent is not None and parent not in chain:
            chain.append(parent)
            parent = self._above.get(parent.parent or "")
        return chain[::-1]

    def label(self, code: str, language: str) -> str:
        """The name of `code`, which may be one of an earlier edition; the code itself when it has no name."""
        entry = self._by_code.get(code)
        if entry is not None:
            return self.name_of(entry, language)
        if code in self._retired:
            return self._retired[code].name
        return self._label_of_unlisted(code, language)

    def name_of(self, entry: CodeEntry, language: str) -> str:
        """The name of an entry, in lists with a `path` together with the names above it."""
        names = [above.label.get(language) for above in self.above(entry)] if self.path else []
        names.append(entry.label.get(language))
        return ", ".join(reversed(names)) if language.lower().startswith("en") else "".join(names)

    def _label_of_unlisted(self, code: str, language: str) -> str:
        for end in range(len(code) - 1, 0, -1) if self._accepts_unlisted(code) else ():
            entry = self._by_code.get(code[:end]) or self._by_code.get(code[:end].ljust(len(code), "0"))
            if entry is not None:
                return f"{code} ({entry.label.get(language)})"
        return code


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; answered like an item of the same type."""

    code: str
    label: Text
    type: str
    unit: str = ""
    units: tuple[str, ...] = ()
    decimals: int | None = None
    codelist: str | None = None
    choices: Codelist | None = field(default=None, repr=False, compare=False)
    signed: bool = False
    required: bool = False

    @property
    def is_numeric(self) -> bool:
        """Whether the cells are numbers."""
        return self.type in NUMERIC_TYPES


@dataclass(frozen=True, slots=True)
class Row:
    """A fixed row of a table."""

    id: str
    label: Text


@dataclass(frozen=True, slots=True)
class Grid:
    """The rows of a table: `fixed` rows with stable ids, or `open` rows added by the respondent."""

    kind: str
    entries: tuple[Row, ...] = ()
    row_list: str | None = None
    max_rows: int = 50
    column_total: bool = False

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the fixed rows, in order."""
        return tuple(row.id for row in self.entries)


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example: the given facts, an expression of amounts such as `1.2 PB + 820 TB`, and the answer."""

    text: Text
    answer: str
    working: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the dictionary. Expressions are CEL text; see expressions.py."""

    code: str
    label: Text
    type: str
    unit: str = ""
    units: tuple[str, ...] = ()
    unit_note: Text = Text("", "")
    period: str = "none"
    definition: Text = Text("", "")
    includes: Text = Text("", "")
    excludes: Text = Text("", "")
    example: Example | None = None
    where: Text = Text("", "")  # the system, department and document that the number is taken from
    feeds: tuple[str, ...] = ()
    codelist: str | None = None
    choices: Codelist | None = field(default=None, repr=False, compare=False)
    columns: tuple[Column, ...] = ()
    rows: Grid | None = None
    required: bool = True
    relevance: str | None = None
    computed: str | None = None
    read_only: bool = False
    prefilled: str | None = None
    decimals: int | None = None
    signed: bool = False
    # Missing reasons that may be answered ("not_applicable", "unknown"); None allows both.
    marks: tuple[str, ...] | None = None
    measure: bool = False
    previous: bool = False
    source: str = ""

    @property
    def is_numeric(self) -> bool:
        """Whether the answer is one number."""
        return self.type in NUMERIC_TYPES

    def column(self, code: str) -> Column | None:
        """The column `code` of a table item, or None."""
        return next((column for column in self.columns if column.code == code), None)


@dataclass(frozen=True, slots=True)
class Edit:
    """A rule that must hold. `values` are extra named numbers of the message: (name, expression)."""

    code: str
    severity: str
    expression: str
    items: tuple[str, ...]
    message: Text
    when: str | None = None
    scope: str = "sheet"
    values: tuple[tuple[str, str], ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A page of the form."""

    code: str
    title: Text
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Parts of a total that stand under one heading. Those of `adds_up` together are the total; others may overlap."""

    code: str
    total: str
    items: tuple[str, ...]
    adds_up: bool
    heading: Text


@dataclass(frozen=True, eq=False)
class Questionnaire:
    """One self-contained form. Two are equal when their content hashes are."""

    category: str
    form_no: str
    title: Text
    header: Mapping[str, Any]
    sections: tuple[Section, ...]
    items: Mapping[str, Item]
    edits: tuple[Edit, ...]
    codelists: Mapping[str, Codelist]
    content_hash: str
    breakdowns: tuple[Breakdown, ...] = ()
    uses: Mapping[str, Text] = field(default_factory=dict)  # names of what the items feed

    def __post_init__(self) -> None:
        for name in ("header", "items", "codelists", "uses"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        section_by_item = {code: section for section in self.sections for code in section.items}
        object.__setattr__(self, "_section_by_item", section_by_item)
        object.__setattr__(self, "_edits", {edit.code: edit for edit in self.edits})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Questionnaire) and other.content_hash == self.content_hash

    def __hash__(self) -> int:
        return hash(self.content_hash)

    def item(self, code: str) -> Item:
        """The item `code`. Raises KeyError when it is not on this form."""
        return self.items[code]

    def edit(self, code: str) -> Edit:
        """The edit rule `code`. Raises KeyError."""
        edits: dict[str, Edit] = self.__dict__["_edits"]
        return edits[code]

    def section(self, code: str) -> Section:
        """The section `code`. Raises KeyError."""
        for section in self.sections:
            if section.code == code:
                return section
        raise KeyError(code)

    def uses_of(self, item: Item) -> list[Text]:
        """What an item is used for, by name; codes without a name are left out."""
        return list(dict.fromkeys(self.uses[code] for code in item.feeds if code in self.uses))

    def breakdown_of(self, item_code: str) -> Breakdown | None:
        """The breakdown that an item is a part of, or None."""
        return next((breakdown for breakdown in self.breakdowns if item_code in breakdown.items), None)

    def section_of(self, item_code: str) -> Section:
        """The section that shows an item. Raises KeyError."""
        section_by_item: dict[str, Section] = self.__dict__["_section_by_item"]
        return section_by_item[item_code]


@dataclass(frozen=True, slots=True)
class UnitContext:
    """Register values of the reporting unit; rules read them as unit_<field>."""

    category: str
    year: int
    uscc: str = ""
    name: str = ""
    region: str = ""
    division_code: str = ""
    industry: str = ""
    section: str = ""
    institution_type: str = ""
    is_head_platform: bool = False
    is_pilot_space: bool = False
    reference_date: dt.date | None = None

    def variables(self) -> dict[str, Any]:
        """Values of the unit_* variables: strings, booleans, the year as a double, dates as ISO text."""
        end = self.reference_date or dt.date(self.year, 12, 31)
        return {
            "unit_category": self.category,
            "unit_year": float(self.year),
            "unit_uscc": self.uscc,
            "unit_name": self.name,
            "unit_region": self.region,
            "unit_division_code": self.division_code,
            "unit_industry": self.industry,
            "unit_section": self.section,
            "unit_institution_type": self.institution_type,
            "unit_is_head_platform": self.is_head_platform,
            "unit_is_pilot_space": self.is_pilot_space,
            "unit_reference_date": end.isoformat(),
        }


UNIT_VARIABLES: Mapping[str, str] = MappingProxyType(
    {
        name: {str: "string", bool: "bool", float: "number"}[type(value)]
        for name, value in UnitContext(category="", year=2000).variables().items()
    }
)
