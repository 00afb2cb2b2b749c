"""The Word edition: real heading styles, captions, tables with repeated heads, pictures with alternative texts. Pure."""

import io
import re
import zipfile
from collections.abc import Mapping
from typing import Any

import docx
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_TAB_ALIGNMENT, WD_TAB_LEADER
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from estimation.report.document import notes as word_notes
from estimation.report.grid import Grid, GridRow
from estimation.report.outline import FigurePart, Outline, Paragraph, Part, TablePart
from estimation.report.wording import HTML_LANGUAGES, word

ACCENT, SOFT = RGBColor(0x12, 0x46, 0x7F), RGBColor(0x4F, 0x5F, 0x6F)
SERIF, SANS = ("Times New Roman", "SimSun"), ("Arial", "Microsoft YaHei")
WIDTH, TALLEST = Mm(160), Mm(175)  # of a picture, so that it fits on a page with its heading and caption
TOGETHER = 36  # rows of a table that is kept on one page


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
    for at, section in enumerate(outline.sections):
        heading = document.add_heading(
            f"{section.number}{_gap(section.number, outline.language)}{section.heading}", section.level
        )
        heading.paragraph_format.page_break_before = section.level == 1
        _bookmark(heading, at, f"_Toc{at:04d}")
        for part in section.parts:
            _part(document, outline, part, pictures)
    word_notes.add_part(document, outline.footnotes)
    buffer = io.BytesIO()
    document.save(buffer)
    return settled(buffer.getvalue())


def settled(packed: bytes) -> bytes:
    """A zip with its entries in order and without times, so that the same document has the same bytes."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(packed)) as archive,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as repacked,
    ):
        names = sorted(archive.namelist(), key=lambda name: (name != "[Content_Types].xml", name))
        for name in names:
            data = archive.read(name)
            if name == "docProps/core.xml":
                data = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2000-01-01T00:00:00Z", data)
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            repacked.writestr(entry, data)
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
    for level, size in ((1, 10.5), (2, 10), (3, 9.5)):
        line = styles.add_style(f"toc {level}", 1)
        line.base_style = styles["Normal"]
        _fonts(line, SANS, size, bold=level == 1, colour=ACCENT if level == 1 else None)
        line.paragraph_format.left_indent = Mm(6 * (level - 1))
        line.paragraph_format.space_before, line.paragraph_format.space_after = (
            Pt(5 if level == 1 else 0),
            Pt(0),
        )
        line.paragraph_format.line_spacing = 1.15
        line.paragraph_format.tab_stops.add_tab_stop(WIDTH, WD_TAB_ALIGNMENT.RIGHT, WD_TAB_LEADER.DOTS)
    for level, size in ((1, 20), (2, 14), (3, 12)):
        heading = styles[f"Heading {level}"]
        _fonts(heading, SANS, size, bold=True, colour=ACCENT)
        heading.paragraph_format.space_before, heading.paragraph_format.space_after = Pt(14), Pt(8)
        heading.paragraph_format.keep_with_next = True
    _fonts(styles["Title"], SANS, 30, bold=True, colour=ACCENT)
    _fonts(styles["Caption"], SANS, 9.5, bold=True, colour=ACCENT)
    styles["Caption"].paragraph_format.keep_with_next = True
    styles["Caption"].paragraph_format.space_before = Pt(12)
    note = styles.add_style("Note", 1)
    note.base_style = styles["Normal"]
    _fonts(note, SANS, 8, colour=SOFT)
    word_notes.add_styles(document, SANS)
    table = styles.add_style("Table Text", 1)
    _fonts(table, SANS, 8.5)
    table.paragraph_format.space_after = Pt(0)
    language_element = styles.element.find(f".//{qn('w:lang')}")
    if language_element is not None:
        language_element.set(qn("w:val"), "en-GB")
        language_element.set(qn("w:eastAsia"), "zh-CN")


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
    _field_char(paragraph, "begin")
    _instruction(paragraph, instruction)
    _field_char(paragraph, "separate")
    paragraph.add_run(shown)
    _field_char(paragraph, "end")


def _field_char(paragraph: Any, kind: str) -> None:
    field_char = OxmlElement("w:fldChar")
    field_char.set(qn("w:fldCharType"), kind)
    paragraph.add_run()._r.append(field_char)


def _instruction(paragraph: Any, instruction: str) -> None:
    code = OxmlElement("w:instrText")
    code.set(qn("xml:space"), "preserve")
    code.text = f" {instruction} "
    paragraph.add_run()._r.append(code)


def _bookmark(paragraph: Any, number: int, name: str) -> None:
    """A bookmark around the content of a paragraph."""
    start, end = OxmlElement("w:bookmarkStart"), OxmlElement("w:bookmarkEnd")
    for boundary in (start, end):
        boundary.set(qn("w:id"), str(number))
    start.set(qn("w:name"), name)
    paragraph._p.insert(1 if paragraph._p.pPr is not None else 0, start)
    paragraph._p.append(end)


def _cover(document: Any, outline: Outline, issuer: str) -> None:
    """The year, the title without it, the other language, the authority at the foot, and the facts on the next page."""
    language = outline.language
    year = document.add_paragraph(str(outline.year), style="Title")
    _plain_title(year, space_before=Mm(48))
    year.runs[0].font.size, year.runs[0].font.bold, year.runs[0].font.color.rgb = Pt(60), False, SOFT
    title = document.add_paragraph(bare_title(outline.title), style="Title")
    _plain_title(title, space_before=Mm(6))
    other = document.add_paragraph(style="Table Text")
    run = other.add_run(outline.other_title)
    run.font.size, run.font.color.rgb = Pt(13), SOFT
    other.paragraph_format.space_before = Mm(4)
    if outline.is_synthetic:
        notice = document.add_paragraph(style="Table Text")
        notice.add_run(word("synthetic_long", language)).font.size = Pt(10)
        notice.paragraph_format.space_before = Mm(10)
        _shaded(notice, "FFF7D6")
    if issuer:
        by = document.add_paragraph(style="Table Text")
        by.add_run(issuer).font.size = Pt(15)
        by.paragraph_format.space_before = Mm(72)
    about = document.add_paragraph(style="Table Text")
    about.paragraph_format.page_break_before = True
    about.add_run(word("about", language)).bold = True
    for text in (
        word("cite", language).format(title=outline.title),
        word("symbols", language),
        f"{word('frozen', language)} {outline.digest}",
        f"{word('code_version', language)} {outline.code_version[:12]}",
    ):
        document.add_paragraph(text, style="Note")


def bare_title(title: str) -> str:
    """A title without the year at its end."""
    return re.sub(r"\s*[（(]?\d{4}年?[)）]?\s*$", "", title) or title


def _plain_title(paragraph: Any, *, space_before: Any) -> None:
    """A title line without the rule that the style of the library draws below it."""
    paragraph.paragraph_format.space_before, paragraph.paragraph_format.space_after = space_before, Pt(0)
    borders = OxmlElement("w:pBdr")
    rule = OxmlElement("w:bottom")
    rule.set(qn("w:val"), "nil")
    borders.append(rule)
    paragraph._p.get_or_add_pPr().insert_element_before(
        borders, "w:shd", "w:tabs", "w:spacing", "w:ind", "w:jc", "w:rPr"
    )


def _shaded(paragraph: Any, colour: str) -> None:
    shade = OxmlElement("w:shd")
    for key, value in (("val", "clear"), ("color", "auto"), ("fill", colour)):
        shade.set(qn(f"w:{key}"), value)
    paragraph._p.get_or_add_pPr().insert_element_before(
        shade, "w:tabs", "w:spacing", "w:ind", "w:jc", "w:rPr"
    )


def _contents(document: Any, outline: Outline) -> None:
    """Links with page references, which the reader's program counts when it opens or prints the document.

    One contents field around all lines would leave the page numbers empty in programs that do not rebuild it by
    themselves; references are counted by all of them.
    """
    title = document.add_paragraph(word("contents", outline.language), style="Title")
    _plain_title(title, space_before=Pt(0))
    title.paragraph_format.page_break_before = True
    title.runs[0].font.size = Pt(22)
    for at, section in enumerate(outline.sections):
        line = document.add_paragraph(style=f"toc {section.level}")
        link = OxmlElement("w:hyperlink")
        link.set(qn("w:anchor"), f"_Toc{at:04d}")
        before = len(line._p)
        line.add_run(f"{section.number}{_gap(section.number, outline.language)}{section.heading}")
        line.add_run().add_tab()
        _field(line, f"PAGEREF _Toc{at:04d} \\h", "")
        for element in list(line._p)[before:]:
            link.append(element)
        line._p.append(link)
    settings = document.settings.element
    update = OxmlElement("w:updateFields")
    update.set(qn("w:val"), "true")
    settings.insert(0, update)


def _part(document: Any, outline: Outline, part: Part, pictures: Mapping[str, bytes]) -> None:
    if isinstance(part, Paragraph):
        paragraph = document.add_paragraph(style="Report Text")
        for span in part.spans:
            paragraph.add_run(span.text).bold = span.bold
            if span.note:
                word_notes.call(paragraph, span.note, span.call)
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
    if shape.height > TALLEST:
        shape.width, shape.height = round(shape.width * TALLEST / shape.height), TALLEST
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
    narrow = 34 if len(grid.heads) > 6 else 70 if len(grid.heads) <= 3 else 46
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
        _set_row_property(table.rows[at], "w:tblHeader")
    for at, row in enumerate(grid.rows, heads):
        _set_row_property(table.rows[at], "w:cantSplit")
        _row(document, cells[at], row, size, [*widths])
    if len(grid.rows) <= TOGETHER:
        for line in cells[:-1]:
            for cell in line:
                cell.paragraphs[0].paragraph_format.keep_with_next = True
    for line in cells[heads - 1 :]:
        for cell, width in zip(line, widths, strict=True):
            cell.width = width


def _row(document: Any, cells: Any, row: GridRow, size: float, widths: list[Any]) -> None:
    _fill(document, cells[0], "　" * row.level + row.label, size, bold=row.is_total)
    for at, cell in enumerate(row.cells, 1):
        _fill(document, cells[at], cell.text, size, bold=row.is_total, right=True, superscript=cell.mark)


def _fill(
    document: Any,
    cell: Any,
    text: str,
    size: float,
    *,
    bold: bool = False,
    right: bool = False,
    centre: bool = False,
    superscript: str = "",
) -> None:
    cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
    paragraph = cell.paragraphs[0]
    paragraph.style = document.styles["Table Text"]
    run = paragraph.add_run(text)
    run.bold, run.font.size = bold, Pt(size)
    if superscript:
        paragraph.add_run(superscript).font.superscript = True
    if right:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    elif centre:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER


def _set_row_property(row: Any, name: str) -> None:
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
    # The schema fixes the order of these elements; Word rejects a file in another order.
    table._tbl.tblPr.insert_element_before(borders, "w:shd", "w:tblLayout", "w:tblCellMar", "w:tblLook")
