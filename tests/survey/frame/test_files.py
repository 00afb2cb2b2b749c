"""Frame files as offices send them: titles, other sheets, legal names, invisible characters, formulas."""

import io

import openpyxl
import pytest

from survey.frame.checking import check_table
from survey.frame.comparing import compare_units
from survey.frame.messages import sentence
from survey.frame.parsing import read_table
from tests.survey.frame.test_checking import checked, csv_of, line
from tests.survey.spreadsheets.files import strict, xls_of, xlsx

CASE = "统一社会信用代码,单位详细名称,调查对象类别,省级地区代码,行业代码,单位规模,从业人员,营业收入（万元）,资产总计（万元）"
VALUES = [
    "91350100M000100Y43",
    "示例数据（集团）有限公司",
    "CAT13",
    "350000",
    "6513",
    "small",
    "120",
    "5600.00",
    "9000",
]


def case(**changed: str) -> bytes:
    """A file as an office sends it, with some values replaced by their position."""
    values = [changed.get(f"v{at}", value) for at, value in enumerate(VALUES)]
    return (CASE + "\n" + ",".join(f'"{value}"' for value in values)).encode()


def test_names_are_kept_as_they_are_and_compared_folded() -> None:
    row = checked(case()).rows[0][1]
    assert row.name == "示例数据（集团）有限公司"
    old = row._replace(name="示例数据(集团)有限公司")
    plan = compare_units([row], {row.uscc: (old, True)}, complete=False)
    assert (plan.changed, plan.unchanged, plan.respelled) == ([], 1, [row])
    assert compare_units([row], {row.uscc: (row, True)}, complete=False).respelled == []


def test_invisible_characters_are_named_by_position_or_removed_and_counted() -> None:
    inside = checked(case(v0="91350100M\u200b000100Y43")).findings
    assert [(finding.column, finding.code, finding.parameters["position"]) for finding in inside] == [
        ("uscc", "invisible", 10)
    ]
    assert "U+200B" in sentence("invisible", inside[0].parameters)
    assert [finding.code for finding in checked(case(v1="示例\u2060公司")).findings] == ["invisible"]
    at_the_end = checked(case(v0="91350100M000100Y43\u200b"))
    assert (at_the_end.faults, at_the_end.cleaned) == (0, 1)


@pytest.mark.parametrize(
    ("code", "division"),
    [("9135 0100 M000 100Y 43", "35 00 00"), ("９１３５０１００ Ｍ０００１００Ｙ４３", "350000")],
)
def test_codes_are_read_with_and_without_blanks(code: str, division: str) -> None:
    result = checked(csv_of(line(uscc=code, division_code=division, industry="65 13")))
    row = result.rows[0][1]
    assert (row.uscc, row.division_code, row.industry) == ("91350100M000100Y43", "350000", "6513")


def test_a_decimal_comma_is_never_dropped() -> None:
    result = checked(case(v7="5600,50"))
    assert [finding.column for finding in result.findings] == ["turnover"]


def test_blanks_in_numbers_are_no_blanks_of_codes() -> None:
    assert [finding.column for finding in checked(case(v6="12 34")).findings] == ["employees"]


@pytest.mark.parametrize("kind", ["xlsx", "strict", "xls"])
def test_the_header_is_found_below_titles_and_on_another_sheet(kind: str) -> None:
    rows = [["全国数据资源调查单位名录"], ["填报单位：某省数据局"], CASE.split(","), VALUES]
    if kind == "xls":
        content = xls_of({"填写说明": [["请按模板填写"]], "名录": rows})
    else:
        content = xlsx(("请按模板填写", None), 名录=rows)
        content = strict(content) if kind == "strict" else content
    table = read_table(content)
    assert (table.sheet, table.line, table.header[0]) == ("名录", 3, "统一社会信用代码")
    result = check_table("units", table)
    assert (result.faults, [number for number, _row in result.rows]) == (0, [4])


def test_cells_without_a_value_are_faults_and_never_blank() -> None:
    book = openpyxl.Workbook()
    for row in (CASE.split(","), VALUES):
        book.active.append(row)
    book.active["G2"], book.active["H2"] = "=100+20", "#DIV/0!"
    buffer = io.BytesIO()
    book.save(buffer)
    findings = checked(buffer.getvalue()).findings
    assert [(finding.column, finding.code) for finding in findings] == [
        ("employees", "uncalculated"),
        ("turnover", "cell_error"),
    ]


def test_the_header_may_be_in_traditional_characters() -> None:
    header = "統一社會信用代碼,單位詳細名稱,調查對象類別,省級地區代碼,行業代碼,單位規模"
    content = f"{header}\n91350100M000100Y43,臺灣數據有限公司,CAT13,350000,6513,small\n".encode("big5")
    table = read_table(content)
    assert table.encoding == "Big5"
    assert check_table("units", table).rows[0][1].name == "臺灣數據有限公司"
