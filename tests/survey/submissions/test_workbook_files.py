"""Workbooks as people send them: number formats, formulas, other programs, changed layouts. Each is a case of its kind."""

import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from survey.exceptions import FileRefused
from survey.submissions.lifecycle.states import State
from survey.submissions.selectors import sheet
from survey.submissions.workbook import services as importing
from survey.submissions.workbook.choices import code_of, codes_in, is_ticked
from survey.submissions.workbook.layout import FIRST_LAYOUT, OPTION
from tests.factories import make_sheet
from tests.survey.spreadsheets import files
from tests.survey.submissions.test_workbook import answer, form_of, line, opened, table_of, written

FORM = "xl/worksheets/sheet1.xml"


@pytest.fixture
def row(world):
    return make_sheet(world.unit, State.IN_PROGRESS)


@pytest.fixture
def preview(row, world):
    """The preview of a file, or of a book of openpyxl."""

    def make(book):
        data = book if isinstance(book, bytes) else written(book)
        row.refresh_from_db()
        return importing.preview_workbook(row, by=world.users["respondent"], data=data)

    return make


def new_of(preview):
    return {entry.key: entry.new for entry in preview.differences}


def faults_of(preview):
    return [(fault.key, fault.place.address, fault.code) for fault in preview.faults]


def items_of(row, kind, unit=None):
    """Codes of the answered items of a type."""
    items = sheet(row).definition.items.items()
    return [
        code
        for code, item in items
        if item.type == kind
        and not item.computed
        and not item.read_only
        and (unit is None or item.unit == unit)
    ]


# ---- what a cell shows ---------------------------------------------------------------------------------------


def test_a_percent_cell_is_read_as_it_shows(row, preview):
    code = items_of(row, "ratio", "%")[0]
    book = opened(row)
    answer(book, code, 0.35, number_format="0%")
    assert new_of(preview(book))[code] == {"value": "35"}


def test_a_month_in_an_east_asian_built_in_format(row, preview):
    code = items_of(row, "date")[0]
    book = opened(row)
    answer(book, code, 43586, number_format='yyyy"年"m"月"')
    content = written(book)
    number = re.search(rb'numFmtId="(\d+)" formatCode="yyyy', _part(content, "xl/styles.xml"))[1]
    styles = {"xl/styles.xml": lambda part: re.sub(rb'(xf[^>]*numFmtId=)"%b"' % number, rb'\1"57"', part)}
    assert new_of(preview(files.edited(content, styles)))[code] == {"value": "2019-05"}


def _part(content, name):
    import zipfile

    return zipfile.ZipFile(io.BytesIO(content)).read(name)


def with_formula(row, code, result):
    """A workbook in which an answer is a formula with this result, as it stands in the file."""
    book = opened(row)
    answer(book, code, "=1.1*3")
    return files.edited(written(book), {FORM: files.replacing("<v></v>", result)})


def test_noise_of_binary_numbers_is_not_read(row, preview):
    assert new_of(preview(with_formula(row, "P01", "<v>3.3000000000000003</v>")))["P01"]["entered"] == "3.3"


def test_a_formula_without_a_result_is_an_error_at_its_cell_and_deletes_nothing(row, preview):
    result = preview(with_formula(row, "P01", "<v></v>"))
    position = f"E{line(opened(row), 'P01')}"
    assert faults_of(result) == [("P01", position, "uncalculated")]
    assert not result.deletions and not result.differences


@pytest.mark.parametrize(
    ("value", "number_format", "code"),
    [("#DIV/0!", None, "cell_error"), ("#N/A", None, "cell_error"), (45355, "m-d", "is_date")],
)
def test_errors_and_dates_in_place_of_numbers_are_errors_at_their_cells(
    row, preview, value, number_format, code
):
    book = opened(row)
    answer(book, "P01", value, number_format=number_format)
    assert [(fault.key, fault.code) for fault in preview(book).faults] == [("P01", code)]


def test_a_unit_that_stands_only_in_the_format_counts(row, preview):
    book = opened(row)
    answer(book, "P01", 3.2, number_format='0.0" PB"')
    assert new_of(preview(book))["P01"] == {"value": "3276.8", "entered": "3.2", "unit": "PB"}


def test_hidden_digits_are_named_beside_what_is_read(row, preview):
    book = opened(row)
    answer(book, "P01", 3.26, number_format="0.0")
    result = preview(book)
    assert new_of(result)["P01"]["entered"] == "3.3"
    assert [(entry.shown, entry.stored) for entry in result.rounded] == [("3.3", "3.26")]


# ---- formats -------------------------------------------------------------------------------------------------


def test_the_strict_class_and_printer_settings_are_read(row, preview):
    book = opened(row)
    answer(book, "P01", "77", "TB")
    content = files.strict(written(book))
    assert new_of(preview(content))["P01"]["entered"] == "77"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/printerSettings"
    printed = files.related(written(book), kind, "printerSettings1.bin", "application/octet-stream")
    assert new_of(preview(printed))["P01"]["entered"] == "77"


def test_macros_and_links_are_refused_by_their_names(row, preview):
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    for kind, words in (("vbaProject", r"宏|macros"), ("externalLink", r"链接|links")):
        content = files.related(written(opened(row)), f"{office}/{kind}", "x.dat", "application/octet-stream")
        with pytest.raises(FileRefused, match=words):
            preview(content)


@pytest.mark.parametrize("kind", ["xls", "ods"])
def test_a_workbook_that_was_saved_in_another_format_is_read(row, preview, kind):
    book = opened(row)
    answer(book, "P01", "77", "TB")
    content = {"xls": as_xls, "ods": as_ods}[kind](book)
    result = preview(content)
    assert new_of(result)["P01"]["entered"] == "77"
    assert (
        [entry.key for entry in result.differences] == ["P01"] and not result.deletions and not result.faults
    )


def as_xls(book):
    """The texts of a book in the binary format."""
    import xlwt

    made = xlwt.Workbook()
    for page in book.worksheets:
        copy = made.add_sheet(page.title)
        for cells in page.iter_rows():
            for cell in cells:
                if cell.value is not None:
                    copy.write(cell.row - 1, cell.column - 1, cell.value)
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def as_ods(book):
    """The texts of a book as an OpenDocument spreadsheet."""
    from xml.sax.saxutils import escape

    tables = []
    for page in book.worksheets:
        rows = []
        for cells in page.iter_rows():
            texts = ("" if cell.value is None else escape(str(cell.value)) for cell in cells)
            inner = "".join(f"<table:table-cell><text:p>{text}</text:p></table:table-cell>" for text in texts)
            rows.append(f"<table:table-row>{inner}</table:table-row>")
        tables.append("".join(rows))
    return files.ods('</table:table><table:table table:name="x">'.join(tables))


# ---- layout --------------------------------------------------------------------------------------------------


def filled(row):
    """Answers that a change of the layout could lose."""
    row.answers |= {code: {"value": "5", "entered": "5", "unit": "TB"} for code in ("P01", "P02")}
    row.save()


@pytest.mark.parametrize("change", ["columns", "rows", "both"])
def test_inserted_columns_and_rows_are_found_by_their_marks(row, preview, change):
    filled(row)
    book = opened(row)
    for page in (form_of(book), table_of(book, "F11")):
        if change != "rows":
            page.insert_cols(4)
            page.insert_cols(1)
        if change != "columns":
            page.insert_rows(8)
            page.insert_rows(1)
    result = preview(book)
    assert result.is_empty and not result.content.missing


def test_a_missing_column_is_refused_by_its_name(row, preview):
    filled(row)
    book = opened(row)
    form_of(book).delete_cols(5)
    with pytest.raises(FileRefused, match=r"填报值|Answer"):
        preview(book)
    book = opened(row)
    table_of(book, "F11").delete_cols(3)
    with pytest.raises(FileRefused, match="F11"):
        preview(book)


def test_the_column_of_keys_is_needed(row, preview):
    book = opened(row)
    form_of(book).delete_cols(1)
    with pytest.raises(FileRefused):
        preview(book)


def test_a_removed_row_changes_nothing_and_is_named(row, preview):
    filled(row)
    book = opened(row)
    form_of(book).delete_rows(line(book, "P02"))
    result = preview(book)
    assert result.content.missing == ["P02"] and not result.deletions and not result.differences


def test_moved_cells_and_values_beside_no_question_are_named(row, preview):
    filled(row)
    book = opened(row)
    page = form_of(book)
    page.cell(line(book, "P01"), 2).value = "P02"
    last = page.max_row
    page.cell(last + 3, 5).value = "42"
    faults = {(fault.code, fault.place.address) for fault in preview(book).faults}
    assert faults == {("mixed_row", f"E{line(book, 'P01')}"), ("stray", f"E{last + 3}")}


def test_workbooks_of_the_first_layout_are_read_and_their_columns_found(row, preview):
    filled(row)
    for code in items_of(row, "multi"):  # written in one cell then
        row.answers.pop(code, None)
    row.save()

    def first():
        book = opened(row)
        page = form_of(book)
        page.title = "form"
        for column in range(1, 8):
            page.cell(1, column).value = None
        book["about"]["B1"].value = FIRST_LAYOUT
        for number in range(page.max_row, 1, -1):
            if OPTION in str(page.cell(number, 1).value or ""):
                page.delete_rows(number)
        answer(book, "P01", "9", "TB")
        return book

    assert new_of(preview(first()))["P01"]["entered"] == "9"
    book = first()
    form_of(book).insert_cols(4)
    result = preview(book)
    assert [entry.key for entry in result.differences] == ["P01"] and not result.deletions
    book = first()
    form_of(book).cell(5, 5).value = "x"
    with pytest.raises(FileRefused):
        preview(book)


# ---- deletions -----------------------------------------------------------------------------------------------


def test_deletions_are_counted_and_confirmed_apart(client, world, row, preview):
    filled(row)
    by = world.users["respondent"]
    client.force_login(by)
    book = opened(row)
    answer(book, "P01", None)
    answer(book, "P02", "6", "TB")
    page = client.post(
        reverse("sheet_upload", args=[row.pk]), {"file": SimpleUploadedFile("x.xlsx", written(book))}
    )
    shown = page.context["preview"]
    assert ([entry.key for entry in shown.deletions], list(new_of(shown))) == (["P01"], ["P02"])
    assert 'name="delete"' in page.content.decode() and f"E{line(book, 'P01')}" in page.content.decode()
    done = {"token": shown.token, "seen": row.revision}
    client.post(reverse("sheet_apply", args=[row.pk]), done)
    row.refresh_from_db()
    assert (row.answers["P01"]["entered"], row.answers["P02"]["entered"]) == ("5", "6")
    again = preview(book)
    client.post(
        reverse("sheet_apply", args=[row.pk]), {"token": again.token, "seen": row.revision, "delete": "1"}
    )
    row.refresh_from_db()
    assert "P01" not in row.answers


def test_the_errors_of_all_cells_are_in_the_preview_with_their_addresses(client, world, row):
    client.force_login(world.users["respondent"])
    book = opened(row)
    answer(book, "P01", "-5")
    answer(book, "P02", "#DIV/0!")
    table = table_of(book, "F11")
    table.cell(6, 3).value = "many"
    page = client.post(
        reverse("sheet_upload", args=[row.pk]), {"file": SimpleUploadedFile("x.xlsx", written(book))}
    ).content.decode()
    for title, place in (
        (form_of(book).title, f"E{line(book, 'P01')}"),
        (form_of(book).title, f"E{line(book, 'P02')}"),
        (table.title, "C6"),
    ):
        assert f"{title} {place}" in page


# ---- choices -------------------------------------------------------------------------------------------------


def multiple(row):
    """A multiple choice with rows to tick."""
    return next(
        item
        for item in sheet(row).definition.items.values()
        if item.type == "multi" and item.choices and len(item.choices.entries) > 2
    )


def test_a_multiple_choice_is_ticked_or_written(row, preview):
    item = multiple(row)
    first, second, third = item.choices.entries[:3]
    row.answers.pop(item.code, None)
    row.save()
    book = opened(row)
    answer(book, f"{item.code}{OPTION}{first.code}", "√")
    answer(book, f"{item.code}{OPTION}{second.code}", "否")
    assert new_of(preview(book))[item.code] == {"value": [first.code]}
    book = opened(row)
    answer(book, item.code, f"{second.label.zh}；{third.code} {third.label.zh}")
    assert new_of(preview(book))[item.code] == {"value": [second.code, third.code]}
    row.answers[item.code] = {"value": [first.code, third.code]}
    row.save()
    assert preview(opened(row)).is_empty
    book = opened(row)
    answer(book, f"{item.code}{OPTION}{third.code}", None)
    assert new_of(preview(book))[item.code] == {"value": [first.code]}


def test_a_mark_that_may_mean_both_is_asked_about(row, preview):
    item = multiple(row)
    book = opened(row)
    answer(book, f"{item.code}{OPTION}{item.choices.entries[0].code}", "×")
    result = preview(book)
    assert [fault.code for fault in result.faults] == ["not_a_tick"] and not result.differences


def test_an_option_whose_row_was_removed_changes_no_answer(row, preview):
    item = multiple(row)
    entry = item.choices.entries[0]
    row.answers[item.code] = {"value": [entry.code]}
    row.save()
    book = opened(row)
    form_of(book).delete_rows(line(book, f"{item.code}{OPTION}{entry.code}"))
    result = preview(book)
    assert not result.differences and not result.deletions and result.content.missing == [item.code]


def test_options_are_found_by_code_label_and_both(row):
    choices = multiple(row).choices
    entry, other = choices.entries[:2]
    for text in (entry.code, entry.label.zh, entry.label.en.upper(), f"{entry.code} {entry.label.zh}"):
        assert code_of(choices, text) == entry.code
    assert codes_in(choices, f"{entry.label.zh}、{other.label.en}") == [entry.code, other.code]
    assert codes_in(choices, f"{entry.code},{other.code}") == [entry.code, other.code]
    assert codes_in(choices, "不在表内") == ["不在表内"]
    assert [is_ticked(text) for text in ("✓", "是", "", "否", "×", "x")] == [
        True,
        True,
        False,
        False,
        None,
        None,
    ]
