"""Spreadsheets of every format give the same cells, and are refused by their right names; all in the limited child."""

import io

import openpyxl
import pytest
import xlwt

from survey.spreadsheets.messages import FILE
from survey.spreadsheets.parsing import open_book
from survey.untrusted.protocol import FileRefusedError
from survey.untrusted.reading import read
from tests.survey.spreadsheets import files
from tests.survey.spreadsheets.parsing import first_sheet

SHEET = "xl/worksheets/sheet1.xml"
MACROS = "http://schemas.microsoft.com/office/2006/relationships/vbaProject"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def cells(content):
    """The cells of the first column, blanks left out."""
    _facts, *rows = read(first_sheet, content)
    return [row[0] for _number, row in rows]


def refusal(content):
    with pytest.raises(FileRefusedError) as refused:
        list(read(first_sheet, content))
    assert refused.value.code in FILE
    return refused.value.code


def test_values_of_an_office_open_workbook():
    content = files.xlsx(
        ("文本", None),
        ("350000", "@"),
        (0.35, "0%"),
        (3.3000000000000003, None),
        (3.2, '0.0" PB"'),
        (43586, 'yyyy"年"m"月"'),
        (True, None),
        ("#N/A", None),
    )
    assert cells(content) == [
        "文本",
        "350000",
        ["number", "35%"],
        ["number", "3.3"],
        ["number", "3.2 PB"],
        ["date", "2019-05-01"],
        ["boolean", "TRUE"],
        ["error", "#N/A"],
    ]
    assert cells(files.strict(content)) == cells(content)


def test_a_format_that_a_workbook_only_numbers_is_known():
    content = files.xlsx((43586, "yyyy-mm-dd"))
    edit = files.replacing('numFmtId="164" formatCode', 'numFmtId="200" formatCode')
    styles = {"xl/styles.xml": lambda part: edit(part).replace(b'numFmtId="164"', b'numFmtId="57"')}
    assert cells(files.edited(content, styles)) == [["date", "2019-05-01"]]


def test_a_workbook_of_the_date_system_of_1904():
    content = files.xlsx((42124, "yyyy-mm-dd"))
    edits = {"xl/workbook.xml": files.replacing("<workbookPr/>", '<workbookPr date1904="1"/>')}
    assert cells(files.edited(content, edits)) == [["date", "2019-05-01"]]
    assert cells(files.xls((42124, "yyyy-mm-dd"), since_1904=True)) == [["date", "2019-05-01"]]


@pytest.mark.parametrize(
    ("result", "cell"),
    [
        ("<v></v>", ["uncalculated", "=10+2.5"]),
        ("", ["uncalculated", "=10+2.5"]),
        ("<v>0</v>", ["uncalculated", "=10+2.5"]),  # written by a program that does not calculate
        ("<v>12.5</v>", ["number", "12.5"]),
    ],
)
def test_a_formula_without_a_result_is_not_blank(result, cell):
    content = files.xlsx(("=10+2.5", None))
    edits = {SHEET: files.replacing("<v></v>", result)}
    assert cells(files.edited(content, edits)) == [cell]


def test_zero_is_a_result_when_the_program_has_calculated():
    content = files.xlsx(("=1-1", None))
    edits = {
        SHEET: files.replacing("<v></v>", "<v>0</v>"),
        "xl/workbook.xml": files.replacing(' fullCalcOnLoad="1"', ""),
    }
    assert cells(files.edited(content, edits)) == [["number", "0"]]


def test_shared_texts_are_read_without_phonetic_guides_and_escapes():
    strings = (
        '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><r><t>数</t></r><r><t>据</t></r>'
        '<rPh sb="0" eb="1"><t>shu</t></rPh></si><si><t>a_x000A_b</t></si></sst>'
    )
    content = files.related(
        files.xlsx(("x", None), ("y", None)),
        f"{OFFICE}/sharedStrings",
        "sharedStrings.xml",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml",
    )
    edits = {
        "xl/sharedStrings.xml": lambda _part: strings.encode(),
        SHEET: lambda part: part.replace(b't="inlineStr"><is><t>x</t></is>', b't="s"><v>0</v>').replace(
            b't="inlineStr"><is><t>y</t></is>', b't="s"><v>1</v>'
        ),
    }
    assert cells(files.edited(content, edits)) == ["数据", "a\nb"]


@pytest.mark.parametrize(
    ("kind", "target", "content_type"),
    [
        (
            f"{OFFICE}/printerSettings",
            "printerSettings1.bin",
            "application/vnd.openxmlformats-officedocument.x",
        ),
        (f"{OFFICE}/oleObject", "embeddings.bin", "application/vnd.openxmlformats-officedocument.oleObject"),
        (
            f"{OFFICE}/customProperty",
            "customProperty1.bin",
            "application/vnd.openxmlformats-officedocument.c",
        ),
        (f"{OFFICE}/image", "media.png", "image/png"),
    ],
)
def test_parts_that_are_not_needed_are_dropped(kind, target, content_type):
    assert cells(files.related(files.xlsx(("x", None)), kind, target, content_type)) == ["x"]


@pytest.mark.parametrize(
    ("kind", "target", "content_type", "code"),
    [
        (MACROS, "project.dat", "application/octet-stream", "macros"),
        (f"{OFFICE}/x", "any.xml", "application/vnd.ms-office.vbaProject", "macros"),
        (f"{OFFICE}/xlMacrosheet", "sheet9.xml", "application/vnd.ms-excel.macrosheet+xml", "macros"),
        (f"{OFFICE}/externalLink", "any.dat", "application/octet-stream", "external_links"),
    ],
)
def test_macros_and_links_are_refused_by_their_names_whatever_their_files_are_called(
    kind, target, content_type, code
):
    assert refusal(files.related(files.xlsx(("x", None)), kind, target, content_type)) == code


def test_values_of_a_binary_workbook():
    content = files.xls(
        ("文本", None),
        (0.35, "0%"),
        (3.3000000000000003, None),
        (3.2, '0.0" PB"'),
        (43586, "57"),
        (43586, "31"),
        (43586, "yyyy-mm-dd"),
        (True, None),
        ("3", '@" PB"'),
        (xlwt.Formula("1.1*3"), None),
        formats={"57": 57, "31": 31},
    )
    assert cells(content) == [
        "文本",
        ["number", "35%"],
        ["number", "3.3"],
        ["number", "3.2 PB"],
        ["date", "2019-05-01"],
        ["date", "2019-05-01"],
        ["date", "2019-05-01"],
        ["boolean", "TRUE"],
        "3 PB",
        ["uncalculated", "="],
    ]


def test_values_of_an_open_document():
    content = files.ods(
        files.ods_cell("数据<text:s text:c='2'/>x"),
        files.ods_cell("35%", "percentage", office__value="0.35"),
        files.ods_cell("3,3", "float", office__value="3.3000000000000003"),
        files.ods_cell("1.234,50", "float", office__value="1234.5"),
        files.ods_cell("1,234.5 PB", "float", office__value="1234.5"),
        files.ods_cell("3.3", "float", office__value="3.26"),
        files.ods_cell("(5)", "float", office__value="-5"),
        files.ods_cell("2019年5月", "date", office__date_value="2019-05-01"),
        files.ods_cell("TRUE", "boolean", office__boolean_value="true"),
        files.ods_cell(
            "#DIV/0!", table__formula="of:=1/0", office__string_value="", calcext__value_type="error"
        ),
        files.ods_cell("", "", table__formula="of:=1+1"),
    )
    assert cells(content) == [
        "数据  x",
        ["number", "35%"],
        ["number", "3.3"],
        ["number", "1234.5"],
        ["number", "1234.5 PB"],
        ["number", "3.3", "3.26"],
        ["number", "-5"],
        ["date", "2019-05-01"],
        ["boolean", "TRUE"],
        ["error", "#DIV/0!"],
        ["uncalculated", "=1+1"],
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", "，", "^"])
@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("gbk", "GB18030"),
        ("gb18030", "GB18030"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("big5", "Big5"),
    ],
)
def test_texts_in_the_encodings_of_offices_with_any_separator(encoding, name, separator):
    if encoding == "big5":
        lines = [["統一社會信用代碼", "單位名稱"], ["A1", "臺灣數據有限公司"]]
    else:
        lines = [["统一社会信用代码", "单位名称"], ["A1", "某某数据有限公司"]]
    content = "\r\n".join(separator.join(line) for line in lines).encode(encoding)
    facts, *rows = read(first_sheet, content)
    assert facts[:2] == ["csv", name] and [row for _number, row in rows] == lines


def test_a_separator_that_the_file_names_and_one_inside_quotes():
    assert [row for _n, row in list(read(first_sheet, b"sep=;\na;b\n1,5;2\n"))[1:]] == [
        ["a", "b"],
        ["1,5", "2"],
    ]
    assert [row for _n, row in list(read(first_sheet, b'a\tb\n"1,2,3,4"\t2\n'))[1:]] == [
        ["a", "b"],
        ["1,2,3,4", "2"],
    ]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"PK\x03\x04broken", "damaged"),
        (files.edited(files.xlsx(("x", None)), {SHEET: lambda part: part[:-40]}), "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "damaged"),
        (b"<html><table><tr><td>1</td></tr></table>", "markup"),
        (b"%PDF-1.7", "not_a_table"),
        (b"uscc\n\xff\xfe\xff\xff\x81", "encoding"),
        (files.ods("x", **{"Basic/Standard/Module1.xml": b"<x/>"}), "macros"),
    ],
)
def test_files_that_are_not_read_are_refused_by_their_right_names(content, code):
    assert refusal(content) == code


def test_rows_of_every_sheet_are_numbered_from_one():
    second = '</table:table><table:table table:name="b">'
    content = files.ods(files.ods_cell("x"), files.ods_cell("y"), second, files.ods_cell("z"))
    assert [[n for n, _cells in sheet.rows()] for sheet in open_book(content).sheets] == [[1, 2], [1]]


def test_an_open_document_without_macros_lists_its_empty_libraries():
    lists = {"Basic/script-lc.xml": b"<x/>", "Basic/Standard/script-lb.xml": b"<x/>"}
    assert cells(files.ods(files.ods_cell("x"), **lists)) == ["x"]


def test_a_password_is_named():
    manifest = b'<m:manifest xmlns:m="urn:m"><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>'
    assert refusal(files.ods(files.ods_cell("x"), **{"META-INF/manifest.xml": manifest})) == "encrypted"


def test_hidden_sheets_are_known():
    book = openpyxl.Workbook()
    book.create_sheet("x").sheet_state = "hidden"
    buffer = io.BytesIO()
    book.save(buffer)
    assert [sheet.is_visible for sheet in open_book(buffer.getvalue()).sheets] == [True, False]
