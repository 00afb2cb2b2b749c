"""Small files that take much to read are refused by the limits of the child; this process stays small and goes on."""

import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils.translation import override

from estimation.external.parsing import series_lines
from survey.exceptions import FileRefused
from survey.frame import reading as frame
from survey.frame.columns import UNIT_COLUMNS
from survey.frame.models import FrameImport
from survey.frame.parsing import table_parts
from survey.frame.services import proceed, upload_frame
from survey.jobs.models import Job
from survey.submissions.evidence.file_kinds import kind_of
from survey.submissions.evidence.parsing import office_kind
from survey.submissions.lifecycle.states import State
from survey.submissions.workbook import reading as workbook
from survey.submissions.workbook.parsing import workbook_cells
from survey.untrusted.protocol import MEBIBYTE, FileRefusedError, Limits
from survey.untrusted.reading import read, read_value
from tests.factories import make_sheet
from tests.survey.untrusted import bombs, parsing

SMALL = Limits(processor_seconds=1, seconds=120, memory=96 * MEBIBYTE, output=16 * MEBIBYTE)
TOO_MUCH = {"file_too_slow", "file_too_complex"}


def memory(name):
    """A figure of the memory of this process in MiB."""
    return int(re.search(rf"{name}:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024


@pytest.mark.parametrize(
    ("parser", "bomb", "parameters", "codes"),
    [
        (workbook_cells, bombs.many_strings, {}, TOO_MUCH),
        (workbook_cells, bombs.many_cells, {}, TOO_MUCH),
        (workbook_cells, bombs.entities, {}, {"document_type"}),
        (workbook_cells, bombs.repeated_rows, {}, {"file_too_complex"}),
        (workbook_cells, bombs.many_paragraphs, {}, TOO_MUCH),
        (workbook_cells, bombs.chained_sectors, {}, {"damaged"}),
        (workbook_cells, bombs.many_references, {}, {"file_too_complex"}),
        (table_parts, bombs.many_strings, {}, TOO_MUCH),
        (table_parts, bombs.repeated_value, {}, {"file_too_complex"}),
        (
            series_lines,
            bombs.many_strings,
            {"workbook": True, "lines": 9},
            {"file_too_slow", "file_too_complex"},
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_bomb_is_refused_and_this_process_stays_small(parser, bomb, parameters, codes):
    content = bomb()
    assert len(content) < MEBIBYTE
    read_value(parsing.length, b"", SMALL)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = memory("VmRSS")
    with pytest.raises((FileRefused, FileRefusedError)) as refused:
        list(read(parser, content, SMALL, **parameters))
    error: Any = refused.value
    assert error.code in codes
    assert memory("VmHWM") - before < 48, "the file was read in this process"
    assert read_value(parsing.length, b"12", SMALL) == {"length": 2}


def test_a_declared_dimension_makes_no_rows():
    facts, *batches = read(table_parts, bombs.distant_row(), SMALL)
    assert (
        facts[2] == ["1"] and batches == []
    )  # the cell of the last row lies beyond the columns that are read
    assert len(read_value(series_lines, bombs.distant_row(), workbook=True, lines=50)) == 50


def test_a_directory_with_very_many_names_is_bounded():
    with pytest.raises(FileRefused):
        read_value(office_kind, bombs.many_members(), Limits(1, 60, 8 * MEBIBYTE, 1000))


@pytest.mark.parametrize("parser", [table_parts, partial(series_lines, workbook=True, lines=9)])
def test_archives_of_tables_with_many_parts_or_much_content_are_not_opened(parser):
    for content, code in ((bombs.many_parts(), "too_many_parts"), (bombs.zeros(), "unpacks_too_large")):
        with pytest.raises(FileRefusedError) as refused:
            list(parser(content))
        assert refused.value.code == code and refused.value.parameters["limit"]


def test_a_picture_is_stored_and_never_decoded():
    assert kind_of(bombs.declared_picture()) == "png"


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_page_of_a_workbook_answers_with_a_sentence(client, world, monkeypatch, language):
    monkeypatch.setattr(workbook, "LIMITS", SMALL)
    row = make_sheet(world.unit, State.IN_PROGRESS)
    user = world.users["respondent"]
    client.force_login(user)
    url = reverse("sheet_upload", args=[row.pk])
    client.cookies["django_language"] = language
    response = client.post(url, {"file": SimpleUploadedFile("x.xlsx", bombs.many_strings())})
    assert response.status_code == 422
    with override(language):
        assert re.search("文件过于复杂" if language != "en" else "too complex", response.content.decode())
    assert client.get(url).status_code == 200


def test_a_worker_ends_the_import_of_a_bomb_with_the_sentence(db, monkeypatch):
    monkeypatch.setattr(frame, "LIMITS", SMALL)
    content = bombs.repeated_value([column.code for column in UNIT_COLUMNS])
    row = upload_frame(by=None, kind="units", name="x.parquet", content=content)
    proceed(row)
    row.refresh_from_db()
    assert row.state == FrameImport.State.FAILED
    assert (row.job.state, row.job.error.code) == (Job.State.FAILED, "file_too_complex")


def test_refusals_of_the_parser_keep_their_sentences():
    with pytest.raises(FileRefusedError) as refused:
        frame.open_table(b"PK\x03\x04broken")
    assert refused.value.code == "damaged"
