"""Reading and checking of frame files in every format and encoding."""

import io
import zipfile

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from survey.frame.checking import check_table
from survey.frame.columns import UNIT_COLUMNS, template_rows
from survey.frame.comparing import compare_counts, compare_units
from survey.frame.files import csv_bytes, escape_formula, template_bytes
from survey.frame.messages import CELL, FILE, sentence
from survey.frame.parsing import read_table, text_of
from survey.untrusted.protocol import FileRefusedError
from tests.factories import make_uscc

HEADER = [column.code for column in UNIT_COLUMNS]
GOOD = template_rows("units")[1]


def line(**cells: str) -> list[str]:
    """A valid row with some cells replaced."""
    return [cells.get(code, value) for code, value in zip(HEADER, GOOD, strict=True)]


def csv_of(*rows: list[str], encoding: str = "utf-8") -> bytes:
    """A CSV file of rows."""
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in (HEADER, *rows)]
    return "\r\n".join(quoted).encode(encoding)


def checked(content: bytes, kind: str = "units"):
    """The check of a file."""
    return check_table(kind, read_table(content))


def codes(*rows: list[str]) -> list[tuple[str, str]]:
    """Columns and codes of the findings."""
    return [(finding.column, finding.code) for finding in checked(csv_of(*rows)).findings]


@pytest.mark.parametrize("kind", ["units", "counts"])
@pytest.mark.parametrize("form", ["csv", "xlsx", "parquet"])
def test_a_template_passes_its_own_check(kind: str, form: str) -> None:
    result = checked(template_bytes(kind, form), kind)
    assert (result.faults, len(result.rows)) == (0, 1)


@pytest.mark.parametrize(
    ("encoding", "detected"),
    [("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("gbk", "GB18030"), ("utf-16", "UTF-16")],
)
def test_encodings_are_detected(encoding: str, detected: str) -> None:
    table = read_table(csv_of(line(name="龙泉数据有限公司"), encoding=encoding))
    assert table.encoding == detected
    assert check_table("units", table).rows[0][1].name == "龙泉数据有限公司"


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"uscc": "91350100M000100Y44"}, [("uscc", "check_digit")]),
        ({"uscc": "91350100M000100Y4"}, [("uscc", "code_length")]),
        ({"uscc": "9.135E+17"}, [("uscc", "code_as_number")]),
        ({"uscc": ""}, [("uscc", "needed")]),
        ({"name": '=HYPERLINK("http://x")'}, [("name", "formula")]),
        ({"name": "@SUM(A1)"}, [("name", "formula")]),
        ({"name": "<script>alert(1)</script>"}, [("name", "characters")]),
        ({"name": "x" * 400}, [("name", "too_long")]),
        ({"category": "CAT99"}, [("category", "unknown_category")]),
        ({"region": "990000"}, [("region", "unknown_region")]),
        ({"division_code": "110000"}, [("division_code", "division_elsewhere")]),
        ({"division_code": "329999"}, [("division_code", "near_division")]),
        ({"division_code": "没有这里"}, [("division_code", "unknown_division")]),
        ({"industry": "0199"}, [("industry", "near_industry")]),
        ({"industry": "没有这样的"}, [("industry", "unknown_industry")]),
        ({"industry": ""}, [("industry", "needed_of_enterprises")]),
        ({"size_class": "huge"}, [("size_class", "unknown_size")]),
        ({"employees": "1" + "0" * 30}, [("employees", "too_big")]),
        ({"employees": "-3"}, [("employees", "negative")]),
        ({"employees": "1.5"}, [("employees", "not_whole")]),
        ({"employees": "many"}, [("employees", "not_a_number")]),
        ({"turnover": "NaN"}, [("turnover", "not_a_number")]),
        ({"turnover": "5600,50"}, [("turnover", "decimal_comma")]),
        ({"turnover": "12 34"}, [("turnover", "blanks")]),
        ({"turnover": "0,5"}, [("turnover", "decimal_comma")]),
        ({"turnover": "80 PB"}, [("turnover", "unknown_unit")]),
        ({"employees": "1,20"}, [("employees", "decimal_comma")]),
        ({"turnover": "1e400"}, [("turnover", "not_a_number")]),
        ({"founded_on": "2012-02-30"}, [("founded_on", "bad_date")]),
        ({"is_pilot_space": "perhaps"}, [("is_pilot_space", "not_a_flag")]),
        ({"is_head_platform": "1"}, [("is_head_platform", "only_platforms")]),
        ({"category": "CAT03"}, [("size_class", "only_enterprises")]),
    ],
)
def test_faults_are_reported_once_with_their_column(
    cells: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    assert codes(line(**cells)) == expected


def test_a_finding_names_line_value_and_a_sentence() -> None:
    finding = checked(csv_of(line(), line(uscc="91350100M000100Y44"))).findings[0]
    assert (finding.line, finding.value) == (3, "91350100M000100Y44")
    assert "%(" not in sentence(finding.code, finding.parameters)


def test_every_sentence_can_be_formatted() -> None:
    values = {
        "limit": 3,
        "length": 17,
        "line": 5,
        "region": "320000",
        "columns": ["uscc"],
        "found": ["x"],
        "near": "x",
        "error": "#N/A",
        "position": 3,
        "character": "x",
    }
    for code, text in {**CELL, **FILE}.items():
        used = {name: value for name, value in values.items() if f"%({name})s" in str(text)}
        assert "%(" not in sentence(code, used)


def test_duplicates_name_the_first_line() -> None:
    findings = checked(csv_of(line(), line(name="另一家公司"))).findings
    assert [(finding.line, finding.code, finding.parameters) for finding in findings] == [
        (3, "duplicate", {"line": 2})
    ]


def test_full_width_characters_names_and_dates_are_normalised() -> None:
    result = checked(
        csv_of(
            line(
                uscc="９１３５０１００Ｍ０００１００Ｙ４３",
                category="13",
                region="福建",
                size_class="小型",
                employees="１,２００",
                founded_on="2012年5月1日",
                is_pilot_space="否",
            )
        )
    )
    row = result.rows[0][1]
    assert result.faults == 0 and result.normalised == 2
    assert (row.uscc, row.category, row.region, row.size_class) == (
        "91350100M000100Y43",
        "CAT13",
        "350000",
        "small",
    )
    assert (row.employees, str(row.founded_on), row.section) == (1200, "2012-05-01", "I")


def test_headers_may_be_chinese_and_unknown_columns_are_reported() -> None:
    header = [
        "统一社会信用代码",
        "单位详细名称*",
        "调查对象类别",
        "省级地区代码",
        "行业代码",
        "单位规模",
        "备注",
    ]
    text = (
        ",".join(header)
        + "\n"
        + ",".join(["91350100M000100Y43", "某公司", "CAT13", "350000", "6513", "小型", "x"])
    )
    result = checked(text.encode("gbk"))
    assert result.faults == 0 and result.ignored == ["备注"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b" \r\n ", "empty"),
        (b"# only a remark\n", "missing_columns"),
        (b"uscc,name\n", "missing_columns"),
        (",".join(HEADER).encode(), "no_rows"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "damaged"),
        (b"%PDF-1.7 text", "not_a_table"),
        (b"a\0b,c\n1,2\n", "not_a_table"),
        (b"PK\x03\x04broken", "damaged"),
        (b"PAR1broken", "damaged"),
        (b"uscc\n\xff\xfe\xff\xff\x81", "encoding"),
        (b",".join(b"x" for _ in range(80)), "too_many_columns"),
    ],
)
def test_files_that_cannot_be_read_are_refused(content: bytes, code: str) -> None:
    with pytest.raises(FileRefusedError) as refused:
        checked(content)
    assert refused.value.code == code
    assert "%(" not in sentence(code, refused.value.parameters)


def test_a_quote_that_never_closes_is_refused_with_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "\n".join(['"' + "x" * 200_000])
    with pytest.raises(FileRefusedError) as refused:
        checked((",".join(HEADER) + "\n" + rows).encode())
    assert refused.value.code == "broken_csv"
    assert refused.value.parameters == {"line": 2}


def test_an_archive_that_unpacks_to_too_much_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("survey.frame.parsing.LARGEST_UNPACKED", 1_000_000)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 5_000_000)
    assert len(buffer.getvalue()) < 10_000
    with pytest.raises(FileRefusedError) as refused:
        read_table(buffer.getvalue())
    assert refused.value.code == "unpacks_too_large"


def test_a_parquet_file_that_unpacks_to_too_much_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"uscc": ["x" * 1000] * 5000}), buffer, use_dictionary=False)
    monkeypatch.setattr("survey.frame.parsing.LARGEST_UNPACKED", 1_000_000)
    with pytest.raises(FileRefusedError) as refused:
        read_table(buffer.getvalue())
    assert refused.value.code == "unpacks_too_large"


def test_another_kind_of_archive_is_no_table() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(FileRefusedError) as refused:
        read_table(buffer.getvalue())
    assert refused.value.code == "not_a_table"


def test_files_with_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("survey.frame.parsing.MOST_ROWS", 2)
    with pytest.raises(FileRefusedError) as refused:
        checked(csv_of(line(), line(), line()))
    assert refused.value.code == "too_many_rows"


def test_a_workbook_with_numbers_and_dates() -> None:
    book = openpyxl.Workbook()
    book.active.append(["# a remark above the header"])
    book.active.append(HEADER)
    cells = line()
    book.active.append([*cells[:8], 120.0, *cells[9:]])
    buffer = io.BytesIO()
    book.save(buffer)
    result = checked(buffer.getvalue())
    assert result.faults == 0 and result.rows[0] == (3, result.rows[0][1])
    assert result.rows[0][1].employees == 120


def test_counts_are_of_two_kinds() -> None:
    text = (
        "region,section,size_class,category,units\n320000,I,small,,1200\n320000,,,CAT03,70\n"
        "320000,I,,,5\n320000,I,small,CAT03,5\n320000,,,CAT01,5\n320000,Z,small,,5\n"
    )
    result = checked(text.encode(), "counts")
    assert [tuple(row) for _line, row in result.rows] == [
        ("", "320000", "I", "small", 1200),
        ("CAT03", "320000", "", "", 70),
    ]
    assert [(finding.line, finding.code) for finding in result.findings] == [
        (4, "needed_of_enterprises"),
        (5, "either_category_or_cell"),
        (6, "not_counted"),
        (7, "unknown_section"),
    ]


@given(st.text(max_size=30))
def test_no_text_becomes_a_formula(text: str) -> None:
    assert not escape_formula(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert csv_bytes([[text]]).startswith(b"\xef\xbb\xbf")


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        checked(content)
    except FileRefusedError as refused:
        assert refused.code in FILE  # noqa: PT017 a refusal is one of two valid results


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=50)
@given(st.lists(st.lists(st.text(max_size=12), min_size=14, max_size=14), max_size=2))
def test_arbitrary_cells_are_checked(rows: list[list[str]]) -> None:
    buffer = io.BytesIO()
    table = {name: [row[index] for row in rows] for index, name in enumerate(HEADER)}
    pq.write_table(pa.table({name: pa.array(cells, pa.string()) for name, cells in table.items()}), buffer)
    if rows:
        result = checked(buffer.getvalue())
        assert len(result.rows) + result.faulty_rows == result.read == len(rows)


def test_text_of_numbers_and_blanks() -> None:
    assert text_of(9.135e17) == "9.135E+17"
    assert text_of(12.0) == "12"
    assert text_of(None) == ""


def test_columns_that_the_file_lacks_are_unchanged() -> None:
    old = checked(csv_of(line(employees="55"))).rows[0][1]
    new = old._replace(name="新名称有限公司", employees=None)
    plan = compare_units([new], {old.uscc: (old, True)}, complete=False, columns=frozenset({"uscc", "name"}))
    assert plan.changed == [(old._replace(name="新名称有限公司"), [("name", old.name, "新名称有限公司")])]


def test_the_hash_of_a_plan_depends_on_every_change() -> None:
    row = checked(csv_of(line())).rows[0][1]
    other = row._replace(uscc=make_uscc())
    plans = [
        compare_units([row], {}, complete=False),
        compare_units([other], {}, complete=False),
        compare_units([row], {row.uscc: (row._replace(name="旧名"), True)}, complete=False),
        compare_units([row], {row.uscc: (row, False)}, complete=False),
        compare_units([], {row.uscc: (row, True)}, complete=True),
        compare_units([row], {row.uscc: (row, True)}, complete=False),
        compare_counts([], {("", "320000", "I", "small"): 5}, complete=True),
    ]
    assert len({plan.content_hash() for plan in plans}) == len(plans)
