"""The questionnaire as a workbook: download, preview, apply, and refused files."""

import zipfile
from decimal import Decimal
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from openpyxl import load_workbook

from survey.exceptions import FileRefused, PolicyDenied
from survey.questionnaires.loader import load_questionnaire
from survey.submissions.lifecycle import services
from survey.submissions.lifecycle.states import State
from survey.submissions.models import SubmissionEvent
from survey.submissions.selectors import sheet
from survey.submissions.workbook import services as importing
from survey.submissions.workbook.presentation import write_workbook
from survey.submissions.workbook.reading import LARGEST_FILE, read_workbook
from tests.factories import make_sheet, make_unit, make_user


@pytest.fixture
def row(world):
    return make_sheet(world.unit, State.IN_PROGRESS)


@pytest.fixture
def by(world):
    return world.users["respondent"]


def opened(row, language="zh-hans"):
    row.refresh_from_db()
    return load_workbook(BytesIO(write_workbook(sheet(row), language)))


def written(book):
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()


def form_of(book):
    """The worksheet of the questions."""
    return book.worksheets[0]


def table_of(book, code):
    """The worksheet of a table."""
    return next(page for page in book.worksheets if page["A1"].value == code)


def line(book, key):
    """Row number of an item, or of an option, on the form."""
    return next(cell.row for cell in form_of(book)["A"] if cell.value == key)


def answer(book, key, value, unit=None, number_format=None):
    cell = form_of(book).cell(line(book, key), 5)
    cell.value = value
    if number_format:
        cell.number_format = number_format
    if unit:
        form_of(book).cell(cell.row, 6).value = unit


def refusal(data, definition=None):
    with pytest.raises(FileRefused) as refused:
        read_workbook(data, definition or load_questionnaire("CAT12"))
    return str(refused.value.sentence)


def test_an_untouched_workbook_changes_nothing(row, by):
    preview = importing.preview_workbook(row, by=by, data=written(opened(row)))
    assert preview.is_empty and preview.unchanged > 60


@pytest.mark.parametrize("category", ["CAT01", "CAT06", "CAT14"])
def test_every_answer_survives_the_round_trip(world, category):
    """All kinds of cells, tables of 32 x 32 and open tables included, in both languages."""
    unit = make_unit(category, "110000")
    submission = make_sheet(unit, State.IN_PROGRESS)
    person = make_user("respondent", unit=unit)
    for language in ("zh-hans", "en"):
        preview = importing.preview_workbook(
            submission, by=person, data=write_workbook(sheet(submission), language)
        )
        assert preview.is_empty, [*preview.differences, *preview.result.errors.items()]


def test_workbook_has_metadata_and_locks_all_but_the_answers(row):
    book = opened(row)
    facts = {line[0].value: line[1].value for line in book["about"].iter_rows()}
    assert facts["uscc"] == row.unit.uscc and facts["revision"] == str(row.revision)
    assert facts["definition"] == sheet(row).definition.content_hash
    assert book["about"].sheet_state == "hidden" and form_of(book).protection.sheet
    position = line(book, "P01")
    assert not form_of(book).cell(position, 5).protection.locked
    assert form_of(book).cell(position, 3).protection.locked
    assert "P01" in {cell.value for cell in form_of(book)["B"]}
    rules = form_of(book).data_validations.dataValidation
    assert any(
        form_of(book).cell(position, 6).coordinate in rule.sqref for rule in rules
    )  # the unit is chosen
    assert book.sheetnames[0] == "报表" and {"lists", "about"} <= set(book.sheetnames)
    assert table_of(book, "F10").title.startswith("F10 ")
    assert opened(row, "en").sheetnames[0] == "Questionnaire"


def test_typed_number_notations_are_parsed(row, by):
    book = opened(row)
    answer(book, "P01", "３.2 PB")
    answer(book, "P02", 1234.5, "GB")
    answer(book, "V01", "不掌握")
    table = table_of(book, "F11")
    table.cell(6, 3).value = "1,200 GB"
    preview = importing.preview_workbook(row, by=by, data=written(book))
    new = {difference.key: difference.new for difference in preview.differences}
    assert new["P01"] == {"value": "3276.8", "entered": "3.2", "unit": "PB"}
    assert new["P02"] == {"value": "1.20556640625", "entered": "1234.5", "unit": "GB"}
    assert new["V01"] == {"missing": "unknown"}
    key = f"F11/{table.cell(6, 1).value}/{table.cell(1, 3).value}"
    assert Decimal(new[key]["entered"]) == 1200
    assert any(difference.edit == "MIS-V01" for difference in preview.appeared)


def test_preview_writes_nothing_and_apply_writes_the_changes(row, by):
    book = opened(row)
    answer(book, "P01", "77", "TB")
    before, events = row.revision, SubmissionEvent.objects.count()
    preview = importing.preview_workbook(row, by=by, data=written(book))
    row.refresh_from_db()
    assert (row.revision, SubmissionEvent.objects.count()) == (before, events)
    result = importing.apply_workbook(row, by=by, token=preview.token, revision=before)
    row.refresh_from_db()
    assert row.answers["P01"]["value"] == "77" and result.changed == ("P01",)
    event = SubmissionEvent.objects.get(submission=row, item="P01", kind="value")
    assert (event.channel, event.actor) == ("excel", by)


def test_cell_changed_since_the_download_is_a_conflict(world, row, by):
    book = opened(row)
    answer(book, "P01", "77", "TB")
    answer(book, "P02", "5", "TB")
    colleague = make_user("respondent", unit=world.unit)
    services.autosave(
        row,
        by=colleague,
        changes={"P01": {"value": "9", "unit": "TB"}, "P03": {"value": "4", "unit": "TB"}},
        base_revision=row.revision,
    )
    row.refresh_from_db()
    preview = importing.preview_workbook(row, by=by, data=written(book))
    assert [entry.key for entry in preview.conflicts] == ["P01"]
    assert [entry.key for entry in preview.differences] == [
        "P02"
    ]  # P03 is unchanged in the file: the colleague's value is retained
    seen = row.revision
    importing.apply_workbook(row, by=by, token=preview.token, revision=seen, take=["P01"])
    row.refresh_from_db()
    assert [row.answers[code]["value"] for code in ("P01", "P02", "P03")] == ["77", "5", "4"]


def test_preview_token_belongs_to_its_user(world, row, by):
    preview = importing.preview_workbook(row, by=by, data=written(opened(row)))
    colleague = make_user("respondent", unit=world.unit)
    with pytest.raises(PolicyDenied):
        importing.apply_workbook(row, by=colleague, token=preview.token, revision=0)
    with pytest.raises(PolicyDenied):
        importing.apply_workbook(row, by=by, token="made-up", revision=0)


def test_text_that_looks_like_a_formula_stays_text(row):
    row.answers["B14"] = {"value": "=1+1"}
    row.save()
    book = opened(row)
    cell = form_of(book).cell(line(book, "B14"), 5)
    assert (cell.value, cell.data_type) == ("=1+1", "s")


def test_other_units_years_and_versions_are_refused(world, row, by):
    other = make_sheet(world.outside, State.IN_PROGRESS)
    with pytest.raises(FileRefused, match=r"单位|unit"):
        importing.preview_workbook(row, by=by, data=write_workbook(sheet(other), "en"))
    bureau = make_sheet(world.bureau, State.IN_PROGRESS)
    with pytest.raises(FileRefused):
        importing.preview_workbook(row, by=by, data=write_workbook(sheet(bureau), "en"))
    book = opened(row)
    for cell in book["about"]["A"]:
        if cell.value == "layout":
            book["about"].cell(cell.row, 2).value = "ndrs-workbook-0"
    with pytest.raises(FileRefused):
        importing.preview_workbook(row, by=by, data=written(book))


def package(**parts):
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in {"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>", **parts}.items():
            file.writestr(name, content)
    return stream.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a zip",
        package(**{"xl/vbaProject.bin": b"x"}),
        package(**{"xl/externalLinks/a.xml": b"x"}),
        package(**{"xl/workbook.xml": b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x/>'}),
        package(**{"xl/bomb.xml": b"0" * (61 * 1024 * 1024)}),
        b"PK" + b"0" * LARGEST_FILE,
    ],
    ids=["empty", "text", "macros", "links", "entities", "bomb", "large"],
)
def test_dangerous_and_foreign_files_are_not_opened(data):
    assert refusal(data)


def test_foreign_workbook_is_refused(row):
    book = opened(row)
    del book["about"]
    assert refusal(written(book))
    assert refusal(package())


def test_workbook_pages(client, row, by):
    client.force_login(by)
    answer_ = client.get(reverse("sheet_workbook", args=[row.pk]))
    assert answer_.headers["Content-Disposition"].endswith(f'{row.unit.uscc}.xlsx"')
    book = load_workbook(BytesIO(answer_.content))
    answer(book, "P01", "-5")
    answer(book, "P02", "6", "TB")
    url = reverse("sheet_upload", args=[row.pk])
    shown = client.post(url, {"file": SimpleUploadedFile("x.xlsx", written(book))})
    assert shown.status_code == 200
    page = shown.content.decode()
    assert "P02" in page and "不能填写负数" in page
    token = shown.context["preview"].token
    done = client.post(reverse("sheet_apply", args=[row.pk]), {"token": token, "seen": row.revision})
    assert done.url == reverse("sheet_findings", args=[row.pk])
    row.refresh_from_db()
    assert row.answers["P02"]["value"] == "6"
    assert client.post(url, {"file": SimpleUploadedFile("x.xlsx", b"junk")}).status_code == 422
    assert client.post(url, {}).status_code == 422


def test_the_form_has_headings_of_breakdowns_and_says_where_a_number_is_found(row):
    book = opened(row)
    form = form_of(book)
    labels = {form.cell(number, 3).value: number for number in range(1, form.max_row + 1)}
    heading = next(number for label, number in labels.items() if label and label.startswith("按来源分"))
    assert form.cell(heading + 1, 2).value == "P02" and not form.cell(heading, 1).value
    hint = form.cell(line(book, "P02"), 7).value
    assert "填报示例" in hint and "去哪里找这个数" in hint and "SUP-02" not in hint
