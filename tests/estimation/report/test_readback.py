"""What was written is read back: every number that a reader sees equals its frozen cell, and none is missing."""

import io
import json
import re
import zipfile
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import docx
import openpyxl
import pytest
from pypdf import PdfReader

from estimation.releases.content.content import CellStatus, Content
from estimation.releases.services import prepare_release
from estimation.report.document.typeset import typeset
from estimation.report.figures.charts import chart
from estimation.report.figures.drawing import draw
from estimation.report.figures.figures import complete
from estimation.report.files.bundle import build
from estimation.report.files.observations import number_of
from estimation.report.grid import grid_of, grouped
from estimation.report.outline import outline
from tests.estimation.releases.stage import finished_run
from tests.estimation.report.sample import WITHHELD, content

LANGUAGES = ("zh", "en")


@pytest.fixture(scope="module")
def release_content() -> Content:
    return content()


@pytest.fixture(scope="module")
def files(release_content: Content) -> dict[str, bytes]:
    return build(release_content, issuer={"zh": "调查办公室", "en": "Survey Office"}, moment=1_764_000_000)


def without_spaces(text: str) -> str:
    """Without the spaces that a typesetter puts between scripts."""
    return re.sub(r"\s+", "", text)


def table_keys(release_content: Content) -> list[str]:
    return [key for table in release_content.tables for row in table.rows for key in row.keys]


def text_keys(release_content: Content) -> list[str]:
    return [key for block in release_content.blocks for key in block.keys]


def pdf_text(files: dict[str, bytes], language: str) -> str:
    reader = PdfReader(io.BytesIO(files[f"{language}/report-2025.pdf"]))
    return "\n".join(page.extract_text() for page in reader.pages)


@pytest.mark.parametrize("language", LANGUAGES)
def test_pdf_prints_every_row_of_every_table_as_frozen(
    release_content: Content, files: dict[str, bytes], language: str
) -> None:
    text = without_spaces(pdf_text(files, language))
    missing = []
    for table in release_content.tables:
        grid = grid_of(release_content, table, language)
        for row in grid.rows:
            expected = without_spaces(row.label) + "".join(
                without_spaces(cell.text + cell.mark) for cell in row.cells
            )
            if expected not in text:
                missing.append((table.code, row.label, expected))
    assert missing == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_pdf_prints_every_number_of_the_text(
    release_content: Content, files: dict[str, bytes], language: str
) -> None:
    text = without_spaces(pdf_text(files, language))
    for block in release_content.blocks:
        for paragraph in block.body.get(language).split("\n\n"):
            plain = without_spaces(re.sub(r"\*\*", "", paragraph))
            # A footnote call stands in the text as its number.
            plain = re.sub(r"\[\^(\d+)\]", r"\1", plain)
            assert plain in without_furniture(text, plain), (block.place, plain[:40])


def without_furniture(text: str, expected: str) -> str:
    """The text, where a paragraph may break over a page: then its halves must both be there."""
    if expected in text:
        return text
    for at in range(8, len(expected) - 8):
        if expected[:at] in text and expected[at:] in text:
            return expected
    return text


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_number_in_the_pdf_is_of_unknown_origin(
    release_content: Content, files: dict[str, bytes], language: str
) -> None:
    """Every number with decimals is a cell's, or an error or bound of a cell in the quality annex."""
    allowed_numbers: set[str] = set()
    for cell in release_content.cells.values():
        allowed_numbers |= set(re.findall(r"\d[\d,]*\.\d+", cell.printed)) | set(
            re.findall(r"\d[\d,]*\.\d+", grouped(cell.printed))
        )
        for bound in (cell.lower, cell.upper):
            if bound is not None:
                allowed_numbers.add(f"{bound:,.{cell.decimals}f}")
        if cell.cv is not None:
            allowed_numbers.add(f"{cell.cv * 100:.2f}")
    allowed_numbers |= {str(identity["difference"]) for identity in release_content.identities}
    # Ticks of axes, the version of the program, and numbered headings of the English edition.
    allowed = re.compile(r"^(?:\d{1,2}\.\d|0\.1\.0|\d\.\d(?:\.\d)?)$")
    numbers = re.findall(r"(?<![\d.,A-Za-z])\d[\d,]*\.\d+(?:\.\d+)?(?![\d])", pdf_text(files, language))
    assert len(numbers) > 300
    assert (
        sorted(
            {
                identity
                for identity in numbers
                if identity not in allowed_numbers and not allowed.match(identity)
            }
        )
        == []
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_pdf_is_tagged_bookmarked_and_marked_as_synthetic(files: dict[str, bytes], language: str) -> None:
    reader = PdfReader(io.BytesIO(files[f"{language}/report-2025.pdf"]))
    root: Any = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"].startswith(language)
    assert b"pdfuaid:part" in root["/Metadata"].get_object().get_data()
    assert len(reader.outline) >= 6
    mark = {"zh": "合成数据", "en": "Syntheticdata"}[language]
    pages = [without_spaces(page.extract_text()) for page in reader.pages]
    assert [at for at, text in enumerate(pages) if mark not in text and "合成数据" not in text] in ([], [1])
    assert {"zh": "演练", "en": "rehearsal"}[language] in pages[1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_workbook_holds_the_printed_numbers_as_numbers(
    release_content: Content, files: dict[str, bytes], language: str
) -> None:
    book = openpyxl.load_workbook(io.BytesIO(files[f"{language}/report-2025.xlsx"]))
    seen = 0
    for table in release_content.tables:
        sheet = book[table.code]
        for at, row in enumerate(table.rows, 8):
            for column, key in enumerate(row.keys, 2):
                cell, result = release_content.cells[key], sheet.cell(at, column)
                value = number_of(cell)
                if value is None:
                    assert result.value == ("×" if cell.status is CellStatus.WITHHELD else "—")
                else:
                    assert result.value == value
                    assert result.data_type == "n"
                    positions = len(cell.printed.partition(".")[2])
                    assert result.number_format == "#,##0" + ("." + "0" * positions if positions else "")
                    seen += 1
    assert seen > 250
    assert not [
        cell for sheet in book for line in sheet.iter_rows() for cell in line if cell.data_type == "f"
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_word_tables_equal_the_cells(
    release_content: Content, files: dict[str, bytes], language: str
) -> None:
    document = docx.Document(io.BytesIO(files[f"{language}/report-2025.docx"]))
    result = {tuple(cell.text for cell in row.cells) for table in document.tables for row in table.rows}
    for table in release_content.tables:
        for row in grid_of(release_content, table, language).rows:
            expected = ("　" * row.level + row.label, *(cell.text + cell.mark for cell in row.cells))
            assert expected in result
    body = without_spaces("".join(paragraph.text for paragraph in document.paragraphs))
    for key in text_keys(release_content):
        assert without_spaces(release_content.cells[key].printed) in body
    assert {element.style.name for element in document.paragraphs} >= {
        "Heading 1",
        "Heading 2",
        "Heading 3",
        "Caption",
    }
    order = ["tblStyle", "tblW", "jc", "tblBorders", "tblLayout", "tblLook"]
    looks = [[element.tag.rpartition("}")[2] for element in table._tbl.tblPr] for table in document.tables]
    assert all(result == [name for name in order if name in result] for result in looks)
    pictures = document.element.body.findall(".//{*}docPr")
    assert len(pictures) == 9
    assert all(len(element.get("descr")) > 30 for element in pictures)


class Entries(HTMLParser):
    """Text of every cell that names its key."""

    def __init__(self) -> None:
        super().__init__()
        self.cells: list[tuple[str, str]] = []
        self.key = ""
        self.text = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag == "td":
            self.key, self.text = dict(attributes).get("data-key") or "", ""

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "td" and self.key:
            self.cells.append((self.key, self.text))
            self.key = ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_shows_every_cell_under_its_key(
    release_content: Content, files: dict[str, bytes], language: str
) -> None:
    parser = Entries()
    parser.feed(files[f"{language}/report-2025.html"].decode())
    shown: dict[str, set[str]] = {}
    for key, text in parser.cells:
        shown.setdefault(key, set()).add(text)
    for key in table_keys(release_content):
        cell = release_content.cells[key]
        expected = {"withheld": "×", "absent": "—"}.get(cell.status, grouped(cell.printed))
        assert expected in shown[key]


def test_withheld_cells_have_a_mark_and_no_number(files: dict[str, bytes]) -> None:
    row = json.loads(files["content.json"])["cells"][WITHHELD]
    assert (row["value"], row["se"], row["lower"], row["upper"], row["printed"]) == (
        None,
        None,
        None,
        None,
        "×",
    )
    line = next(
        text_line for text_line in files["csv/T2.csv"].decode().splitlines() if text_line.startswith("H,")
    )
    assert line.split(",")[4] == "×"
    status = next(
        text_line
        for text_line in files["sdmx/data.csv"].decode().splitlines()
        if ",T2_flow_eb,H," in text_line
    )
    assert ",2025,,EB,,Q," in status


def test_a_withheld_cell_that_still_holds_a_number_stops_the_build(release_content: Content) -> None:
    leaking = replace(release_content.cells[WITHHELD], value=3.3)
    with pytest.raises(ValueError, match=WITHHELD):
        build(replace(release_content, cells={**release_content.cells, WITHHELD: leaking}))


@pytest.mark.django_db
def test_the_report_of_a_run_is_printed_completely(world: Any) -> None:
    """From the stored estimates of a small country, its own passages and withheld cells, to the printed pages."""
    built = Content.from_document(prepare_release(run=finished_run(), by=None).content)
    assert any(cell.status is CellStatus.WITHHELD for cell in built.cells.values())
    document = outline(built, complete(built), "zh")
    pictures = {figure.code: draw(chart(built, figure, "zh")) for figure in complete(built)}
    reader = PdfReader(io.BytesIO(typeset(built, document, pictures)))
    text = without_spaces("\n".join(page.extract_text() for page in reader.pages))
    for table in built.tables:
        for row in grid_of(built, table, "zh").rows:
            expected = without_spaces(row.label) + "".join(
                without_spaces(cell.text + cell.mark) for cell in row.cells
            )
            assert expected in text, (table.code, row.label)
    parts: list[Any] = [part for section in document.sections for part in section.parts]
    paragraphs = [part for part in parts if part.kind == "paragraph"]
    assert len(paragraphs) > 20
    for paragraph in paragraphs:
        # A footnote call stands in the text as its number.
        expected = without_spaces(
            "".join(f"{section.text}{section.note or ''}" for section in paragraph.spans)
        )
        assert expected in without_furniture(text, expected), expected[:40]


@pytest.mark.parametrize("language", LANGUAGES)
def test_footnotes_are_called_in_every_edition_and_lead_back(
    release_content: Content, files: dict[str, bytes], language: str
) -> None:
    notes = [footnote.get(language) for footnote in release_content.footnotes]
    page = files[f"{language}/report-2025.html"].decode()
    for number, text in enumerate(notes, 1):
        assert f'href="#note-{number}" id="call-{number}-1"' in page
        assert re.search(
            rf'id="note-{number}">{re.escape(text)} <a href="#call-{number}-1" role="doc-backlink"', page
        )
    with zipfile.ZipFile(io.BytesIO(files[f"{language}/report-2025.docx"])) as package:
        body = package.read("word/document.xml").decode()
        retained = package.read("word/footnotes.xml").decode()
    assert re.findall(r'<w:footnoteReference w:id="(\d+)"/>', body) == [
        str(at) for at in range(1, len(notes) + 1)
    ]
    assert all(text in retained for text in notes)
    printed = without_spaces(pdf_text(files, language))
    assert all(without_spaces(text) in printed for text in notes)
