"""The document as a tree: one outline per language, the source of every edition. Pure.

PDF, page and Word print the same sections, the same numbering, the same text of every cell; an edition only
decides how these look.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from estimation.releases.content.content import (
    Block,
    CellStatus,
    Content,
    FrozenCell,
    FrozenFigure,
    FrozenTable,
    Text,
)
from estimation.report import structure
from estimation.report.annex import annex_parts
from estimation.report.grid import Grid, footnoted, grid_of, printed
from estimation.report.wording import word


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a paragraph. ``note`` is the number of a footnote that is called after it, or 0.

    call : 1 for the first call of that note, 2 for the second
    """

    text: str
    bold: bool = False
    note: int = 0
    call: int = 0


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of running text."""

    spans: tuple[Span, ...]
    kind: str = "paragraph"

    @property
    def text(self) -> str:
        """The text without markup."""
        return "".join(span.text for span in self.spans)


@dataclass(frozen=True, slots=True)
class TablePart:
    """A table with its number, such as 表1."""

    number: str
    grid: Grid
    kind: str = "table"


@dataclass(frozen=True, slots=True)
class FigurePart:
    """A figure with its number; the picture is found by ``code``, ``data`` is its table."""

    number: str
    code: str
    title: str
    unit: str
    alternative: str
    notes: tuple[str, ...]
    data: Grid
    kind: str = "figure"


type Part = Paragraph | TablePart | FigurePart


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the content below it until the next heading."""

    code: str
    level: int
    number: str  # printed before the heading, may be empty
    heading: str
    parts: tuple[Part, ...]

    @property
    def anchor(self) -> str:
        """The name of the section in links."""
        return self.code.replace(".", "-")


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """A number of the first page."""

    code: str
    label: str
    value: str
    unit: str
    growth: str  # with its sign, "" where there is none


@dataclass(frozen=True, slots=True)
class Footnote:
    """A note in the order of its first call, and how often it is called."""

    number: int
    text: str
    calls: int


@dataclass(frozen=True, slots=True)
class Outline:
    """The whole document in one language."""

    language: str
    title: str
    other_title: str
    year: int
    is_synthetic: bool
    sections: tuple[Section, ...]
    footnotes: tuple[Footnote, ...]
    key_figures: tuple[KeyFigure, ...]
    digest: str
    run: str
    code_version: str


@dataclass
class _Draft:
    code: str
    level: int
    heading: Text
    parts: list[Part] = field(default_factory=list)


KEY_FIGURES = ("SUP-01", "SUP-07", "SUP-10", "CIR-03", "CIR-05", "USE-01", "USE-03", "CIR-06")


def outline(content: Content, figures: Iterable[FrozenFigure], language: str) -> Outline:
    """The document of a content.

    figures : those of the content, completed (see ``figures.complete``), alternatives filled in
    language : zh or en
    """
    drafts = _drafts(content.blocks, language)
    _insert_tables_and_figures(drafts, content, list(figures), language)
    for number, part in annex_parts(content, language):
        label = f"{word('annex_table', language)}{gap(language)}{number}"
        drafts["annex.quality"].parts.append(
            Paragraph((Span(part),)) if isinstance(part, str) else TablePart(label, part)
        )
    sections, notes = called(
        _numbered(_without_empty(list(drafts.values())), language),
        [note.get(language) for note in content.footnotes],
    )
    return Outline(
        language=language,
        title=content.title.get(language),
        other_title=content.title.get("zh" if language == "en" else "en"),
        year=content.year,
        is_synthetic=content.is_synthetic,
        sections=sections,
        footnotes=notes,
        key_figures=key_figures(content, language),
        digest=content.digest(),
        run=content.run,
        code_version=content.code_version,
    )


def gap(language: str) -> str:
    """Between the word and the number of a caption."""
    return " " if language == "en" else ""


def paragraphs(body: str) -> list[Paragraph]:
    """Running text with ``**bold**`` and ``[^1]``, paragraphs parted by an empty line."""
    return [
        Paragraph(_spans(paragraph)) for paragraph in re.split(r"\n\s*\n", body.strip()) if paragraph.strip()
    ]


def _spans(text: str) -> tuple[Span, ...]:
    spans: list[Span] = []
    for piece in re.split(r"(\*\*.+?\*\*|\[\^\d+\])", " ".join(text.split())):
        if note := re.fullmatch(r"\[\^(\d+)\]", piece):
            before = spans.pop() if spans else Span("")
            spans.append(Span(before.text, before.bold, int(note[1])))
        elif piece.startswith("**") and piece.endswith("**") and len(piece) > 4:
            spans.append(Span(piece[2:-2], bold=True))
        elif piece:
            spans.append(Span(piece))
    return tuple(spans)


def called(
    sections: Iterable[Section], texts: Sequence[str]
) -> tuple[tuple[Section, ...], tuple[Footnote, ...]]:
    """Notes numbered by their first call, and the calls counted. A note that nothing calls is not printed."""
    order: dict[int, int] = {}
    times: Counter[int] = Counter()

    def numbered(span: Span) -> Span:
        if not 1 <= span.note <= len(texts):
            return replace(span, note=0)
        number = order.setdefault(span.note, len(order) + 1)
        times[number] += 1
        return replace(span, note=number, call=times[number])

    def noted(part: Part) -> Part:
        return replace(part, spans=tuple(map(numbered, part.spans))) if isinstance(part, Paragraph) else part

    with_notes = tuple(replace(section, parts=tuple(map(noted, section.parts))) for section in sections)
    notes = tuple(Footnote(number, texts[original - 1], times[number]) for original, number in order.items())
    return with_notes, notes


def key_figures(content: Content, language: str) -> tuple[KeyFigure, ...]:
    """The chief numbers of the year with their growth, those that the content shows."""
    key_figures = []
    for code in KEY_FIGURES:
        cell = content.cells.get(f"{code}.{content.year}")
        if cell is None or cell.status not in (CellStatus.SHOWN, CellStatus.NIL):
            continue
        growth = content.cells.get(f"{code}.{content.year}.growth")
        key_figures.append(
            KeyFigure(code, cell.label.get(language), printed(cell), cell.unit.get(language), _signed(growth))
        )
    return tuple(key_figures)


def _signed(cell: FrozenCell | None) -> str:
    if cell is None or cell.status is not CellStatus.SHOWN or cell.value is None:
        return ""
    return f"{'+' if cell.value > 0 else ''}{printed(cell)}%"


def _drafts(blocks: Iterable[Block], language: str) -> dict[str, _Draft]:
    """Every standard section with its passages; passages of other sections are added after their nearest standard section."""
    drafts = {
        section.code: _Draft(section.code, section.level, section.heading) for section in structure.SECTIONS
    }
    seen: set[str] = set()
    for block in blocks:
        code = structure.ALIASES.get(block.place, block.place)
        if code not in drafts:
            drafts = _with_added(drafts, code, block.heading)
        draft = drafts[code]
        if code not in seen and block.heading.get(language).strip():
            draft.heading = block.heading
        elif block.heading.get(language).strip() and block.body.get(language).strip():
            draft.parts.append(
                Paragraph((Span(structure.unnumbered(block.heading.get(language)), bold=True),))
            )
        seen.add(code)
        draft.parts += paragraphs(block.body.get(language))
    return drafts


def _with_added(drafts: Mapping[str, _Draft], code: str, heading: Text) -> dict[str, _Draft]:
    """A section outside the standard structure, placed after the last section below its nearest standard parent."""
    parent = code
    while "." in parent and parent not in drafts:
        parent = parent.rpartition(".")[0]
    has_parent = parent in drafts
    level = min(drafts[parent].level + 1, 3) if has_parent else 1
    added = _Draft(code, level, heading)
    order = list(drafts)
    inside = [code for code in order if code == parent or code.startswith(f"{parent}.")]
    position = order.index(inside[-1]) + 1 if has_parent else order.index("annex.quality")
    order.insert(position, code)
    return {code: drafts.get(code, added) for code in order}


def _insert_tables_and_figures(
    drafts: Mapping[str, _Draft], content: Content, figures: list[FrozenFigure], language: str
) -> None:
    by_code = {figure.code: figure for figure in figures}
    placed = [code for code in structure.FIGURE_SECTIONS if code in by_code]
    ordered = placed + [code for code in by_code if code not in structure.FIGURE_SECTIONS]
    at: dict[str, list[FigurePart]] = {}
    for code in ordered:
        figure = by_code[code]
        at.setdefault(structure.FIGURE_SECTIONS.get(code, "annex.quality"), []).append(
            _figure(content, figure, language)
        )
    number = 0
    for code, draft in drafts.items():
        for part in at.get(code, []):
            number += 1
            draft.parts.append(_renumbered(part, f"{word('figure', language)}{gap(language)}{number}"))
    for table in content.tables:
        section_code = structure.TABLE_SECTIONS.get(table.code)
        if section_code is None:
            section = structure.CLOSING_TABLES.get(table.code, "annex.tables")
            filled = [code for code in drafts if code.startswith(f"{section}.") and drafts[code].parts]
            section_code = filled[-1] if filled else section
        drafts[section_code].parts.append(
            TablePart(table_number(table, language), grid_of(content, table, language))
        )


def table_number(table: FrozenTable, language: str) -> str:
    """表1 for T1; the tables of chapter 1 have no number, as in the published report."""
    match = re.fullmatch(r"T(\d+)", table.code)
    return f"{word('table', language)}{gap(language)}{match[1]}" if match else ""


def _figure(content: Content, figure: FrozenFigure, language: str) -> FigurePart:
    return FigurePart(
        number="",
        code=figure.code,
        title=figure.title.get(language),
        unit=figure.unit.get(language),
        alternative=figure.alternative.get(language),
        notes=tuple(note.get(language) for note in figure.notes),
        data=footnoted(content, figure, language),
    )


def _renumbered(part: FigurePart, number: str) -> FigurePart:
    return FigurePart(number, part.code, part.title, part.unit, part.alternative, part.notes, part.data)


def _without_empty(drafts: list[_Draft]) -> list[_Draft]:
    """Without sections that have neither content nor subsections."""
    full = [draft.code for draft in drafts if draft.parts]
    return [
        draft
        for draft in drafts
        if any(
            section_code == draft.code or section_code.startswith(f"{draft.code}.") for section_code in full
        )
    ]


def _numbered(drafts: list[_Draft], language: str) -> tuple[Section, ...]:
    sections: list[Section] = []
    counts = {1: 0, 2: 0, 3: 0}
    numbers = {1: "", 2: ""}
    for draft in drafts:
        level = draft.level
        counts |= {lower: 0 for lower in (2, 3) if lower > level}
        number = ""
        if level > 1 or draft.code.startswith("chapter"):
            counts[level] += 1
            chapter = str(counts[1]) if draft.code.startswith("chapter") else "A"
            number = structure.numeral(
                level, counts[level], chapter, numbers[2] if level == 3 else chapter, language
            )
            numbers |= {level: number} if level < 3 else {}
        elif draft.code == "appendix":
            number = word_of_appendix(language)
        heading = structure.unnumbered(draft.heading.get(language))
        sections.append(Section(draft.code, level, number, heading, tuple(draft.parts)))
    return tuple(sections)


def word_of_appendix(language: str) -> str:
    """The word before the heading of the appendix."""
    return "Appendix" if language == "en" else "附录"
