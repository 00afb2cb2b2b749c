"""The Word edition: real heading styles, captions, tables with repeated heads, pictures with words for them. Pure."""

import io
import re
import zipfile
from collections.abc import Mapping
from typing import Any

import docx
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_BREAK
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from estimation.report.grid import Grid, GridRow
from estimation.report.outline import FigurePart, Outline, Paragraph, Part, TablePart
from estimation.report.wording import HTML_LANGUAGES, word

ACCENT, SOFT = RGBColor(0x12, 0x46, 0x7F), RGBColor(0x4F, 0x5F, 0x6F)
SERIF, SANS = ("Times New Roman", "SimSun"), ("Arial", "Microsoft YaHei")
WIDTH = Mm(160)


def word_document(outline: Outline, pictures: Mapping[str, bytes], *, issuer: str = "") -> bytes:
    """The bytes of the document. ``pictures`` : PNG by the code of the figure."""
    document = docx.Document()
    _styles(document, outline.language)
    _page(document, outline)
    properties = document.core_properties
    properties.title, properties.author, properties.comments = outline.title, issuer, outline.digest
    properties.language = HTML_LANGUAGES[outline.language]
    _cover(document, outline, issuer)
    _contents(document, outline)
    for section in outline.sections:
        heading = document.add_heading(
            f"{section.number}{_gap(section.number, outline.language)}{section.heading}", section.level
        )
        heading.paragraph_format.page_break_before = section.level == 1
        for part in section.parts:
            _part(document, outline, part, pictures)
    if outline.footnotes:
        document.add_heading(word("footnotes", outline.language), 1)
        for at, text in enumerate(outline.footnotes, 1):
            document.add_paragraph(f"[{at}] {text}", style="Note")
    buffer = io.BytesIO()
    document.save(buffer)
    return settled(buffer.getvalue())


def settled(packed: bytes) -> bytes:
    """A zip with its entries in order and without times, so that the same document has the same bytes."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(packed)) as given,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        names = sorted(given.namelist(), key=lambda name: (name != "[Content_Types].xml", name))
        for name in names:
            data = given.read(name)
            if name == "docProps/core.xml":
                data = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2000-01-01T00:00:00Z", data)
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            made.writestr(entry, data)
    return buffer.getvalue()


def _gap(number: str, language: str) -> str:
    return " " if number and (language == "en" or number[-1] not in "、）") else ""


def _fonts(style: Any, pair: tuple[str, str], size: float, *, bold: bool = False, colour: Any = None) -> None:
    style.font.name, style.font.size, style.font.bold = pair[0], Pt(size), bold
    style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), pair[1])
    if colour is not None:
        style.font.color.rgb = colour


def _styles(document: Any, language: str) -> None:
    styles = document.styles
    _fonts(styles["Normal"], SERIF, 10.5)
    normal = styles["Normal"].paragraph_format
    normal.line_spacing, normal.space_after, normal.widow_control = 1.5, Pt(4), True
    if language == "zh":
        body = styles.add_style("Report Text", 1)
        body.base_style = styles["Normal"]
        indent = OxmlElement("w:ind")
        indent.set(qn("w:firstLineChars"), "200")
        body.element.get_or_add_pPr().append(indent)
    else:
        styles.add_style("Report Text", 1).base_style = styles["Normal"]
    for level, size in ((1, 20), (2, 14), (3, 12)):
        heading = styles[f"Heading {level}"]
        _fonts(heading, SANS, size, bold=True, colour=ACCENT)
        heading.paragraph_format.space_before, heading.paragraph_format.space_after = Pt(14), Pt(8)
        heading.paragraph_format.keep_with_next = True
    _fonts(styles["Title"], SANS, 30, bold=True, colour=ACCENT)
    _fonts(styles["Caption"], SANS, 9.5, bold=True, colour=ACCENT)
    styles["Caption"].paragraph_format.keep_with_next = True
    note = styles.add_style("Note", 1)
    note.base_style = styles["Normal"]
    _fonts(note, SANS, 8, colour=SOFT)
    table = styles.add_style("Table Text", 1)
    _fonts(table, SANS, 8.5)
    table.paragraph_format.space_after = Pt(0)
    language_mark = styles.element.find(f".//{qn('w:lang')}")
    if language_mark is not None:
        language_mark.set(qn("w:val"), "en-GB")
        language_mark.set(qn("w:eastAsia"), "zh-CN")


def _page(document: Any, outline: Outline) -> None:
    section = document.sections[0]
    section.page_width, section.page_height, section.orientation = Mm(210), Mm(297), WD_ORIENT.PORTRAIT
    section.left_margin = section.right_margin = Mm(25)
    section.top_margin, section.bottom_margin = Mm(28), Mm(24)
    section.different_first_page_header_footer = True
    head = section.header.paragraphs[0]
    head.style = document.styles["Note"]
    head.text = outline.title
    if outline.is_synthetic:
        head.add_run(f"　·　{word('synthetic', outline.language)}").bold = True
        first = section.first_page_header.paragraphs[0]
        first.style = document.styles["Note"]
        first.add_run(word("synthetic", outline.language)).bold = True
    foot = section.footer.paragraphs[0]
    foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _field(foot, "PAGE", "1")


def _field(paragraph: Any, instruction: str, shown: str) -> None:
    for kind, text in (("begin", ""), ("", instruction), ("separate", ""), ("text", shown), ("end", "")):
        run = paragraph.add_run()
        if kind in ("begin", "separate", "end"):
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
            run._r.append(mark)
        elif kind == "text":
            run.text = text
        else:
            code = OxmlElement("w:instrText")
            code.set(qn("xml:space"), "preserve")
            code.text = f" {text} "
            run._r.append(code)


def _cover(document: Any, outline: Outline, issuer: str) -> None:
    language = outline.language
    if issuer:
        document.add_paragraph(issuer, style="Note")
    for _ in range(5):
        document.add_paragraph()
    document.add_paragraph(outline.title, style="Title")
    document.add_paragraph(outline.other_title)
    if outline.is_synthetic:
        document.add_paragraph(word("synthetic_long", language), style="Note")
    document.add_paragraph(word("symbols", language), style="Note")
    document.add_paragraph(f"{word('frozen', language)} {outline.digest}", style="Note")


def _contents(document: Any, outline: Outline) -> None:
    title = document.add_paragraph(word("contents", outline.language), style="Title")
    title.paragraph_format.page_break_before = True
    lines = [
        f"{'　' * (one.level - 1)}{one.number} {one.heading}" for one in outline.sections if one.level < 3
    ]
    paragraph = document.add_paragraph()
    _field(paragraph, 'TOC \\o "1-3" \\h \\z \\u', "")
    shown = paragraph.runs[3]
    for at, line in enumerate(lines):
        if at:
            shown.add_break(WD_BREAK.LINE)
        shown.add_text(line)


def _part(document: Any, outline: Outline, part: Part, pictures: Mapping[str, bytes]) -> None:
    if isinstance(part, Paragraph):
        paragraph = document.add_paragraph(style="Report Text")
        for span in part.spans:
            paragraph.add_run(span.text).bold = span.bold
            if span.note:
                paragraph.add_run(f"[{span.note}]").font.superscript = True
    elif isinstance(part, TablePart):
        document.add_paragraph(f"{part.number}　{part.grid.title}".strip("　"), style="Caption")
        _table(document, part.grid)
        _notes(document, outline.language, part.grid.notes)
    elif isinstance(part, FigurePart):
        _picture(document, part, pictures[part.code])
        unit = f"　{word('unit', outline.language)}{part.unit}" if part.unit else ""
        caption = document.add_paragraph(f"{part.number}　{part.title}{unit}", style="Caption")
        caption.paragraph_format.keep_with_next = False
        _notes(document, outline.language, part.notes)


def _notes(document: Any, language: str, notes: tuple[str, ...]) -> None:
    if notes:
        joint = "" if language == "zh" else " "
        document.add_paragraph(word("note", language) + joint.join(notes), style="Note")


def _picture(document: Any, part: FigurePart, png: bytes) -> None:
    shape = document.add_picture(io.BytesIO(png), width=WIDTH)
    described = shape._inline.docPr
    described.set("descr", part.alternative)
    described.set("title", part.title)
    document.paragraphs[-1].paragraph_format.keep_with_next = True


def _table(document: Any, grid: Grid) -> None:
    has_spans = any(text for text, _ in grid.spans)
    heads = 2 if has_spans else 1
    table = document.add_table(rows=heads + len(grid.rows), cols=1 + len(grid.heads))
    table.alignment, table.autofit = WD_TABLE_ALIGNMENT.CENTER, False
    _rules(table)
    narrow = 34 if len(grid.heads) > 6 else 70 if len(grid.heads) <= 3 else 52
    widths = [Mm(narrow)] + [Mm((160 - narrow) / len(grid.heads))] * len(grid.heads)
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width
    cells = [row.cells for row in table.rows]
    size = 7 if len(grid.heads) > 6 else 8.5
    if has_spans:
        at = 1
        for text, count in grid.spans:
            target = cells[0][at]
            if text and count > 1:
                target = target.merge(cells[0][at + count - 1])
            _fill(document, target, text, size, bold=True, centre=True)
            at += count
    _fill(document, cells[heads - 1][0], grid.stub, size, bold=True)
    for at, head in enumerate(grid.heads, 1):
        _fill(document, cells[heads - 1][at], head, size, bold=True, right=True)
    for at in range(heads):
        _mark_row(table.rows[at], "w:tblHeader")
    for at, row in enumerate(grid.rows, heads):
        _mark_row(table.rows[at], "w:cantSplit")
        _row(document, cells[at], row, size, [*widths])
    for line in cells:
        for cell, width in zip(line, widths, strict=True):
            cell.width = width


def _row(document: Any, cells: Any, row: GridRow, size: float, widths: list[Any]) -> None:
    _fill(document, cells[0], "　" * row.level + row.label, size, bold=row.is_total)
    for at, cell in enumerate(row.cells, 1):
        _fill(document, cells[at], cell.text, size, bold=row.is_total, right=True, mark=cell.mark)


def _fill(
    document: Any, cell: Any, text: str, size: float, *, bold: bool = False, right: bool = False,
    centre: bool = False, mark: str = "",
) -> None:  # fmt: skip
    paragraph = cell.paragraphs[0]
    paragraph.style = document.styles["Table Text"]
    run = paragraph.add_run(text)
    run.bold, run.font.size = bold, Pt(size)
    if mark:
        paragraph.add_run(mark).font.superscript = True
    if right:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    elif centre:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER


def _mark_row(row: Any, name: str) -> None:
    row._tr.get_or_add_trPr().append(OxmlElement(name))


def _rules(table: Any) -> None:
    """Rules above and below in the accent, thin lines between rows, none upright."""
    borders = OxmlElement("w:tblBorders")
    for side, size, colour in (
        ("top", "12", "12467F"),
        ("bottom", "12", "12467F"),
        ("insideH", "2", "CFD8E2"),
    ):
        rule = OxmlElement(f"w:{side}")
        for key, value in (("val", "single"), ("sz", size), ("space", "0"), ("color", colour)):
            rule.set(qn(f"w:{key}"), value)
        borders.append(rule)
    table._tbl.tblPr.append(borders)
