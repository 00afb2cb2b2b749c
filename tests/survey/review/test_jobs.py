"""Export and letter jobs: content, permissions, cancellation and expiry."""

import csv
import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone, translation
from openpyxl import load_workbook

from survey.access.activation.services import check_code
from survey.access.models import RoleAssignment
from survey.audit import AuditEvent
from survey.exceptions import PolicyDenied
from survey.fieldwork.exports import selectors as exports
from survey.fieldwork.exports import services as jobs
from survey.fieldwork.exports.letters import services as letters
from survey.fieldwork.models import DeskJob
from survey.frame.files import escape_formula
from survey.jobs.models import Job
from survey.jobs.services import claim, run, sweep
from survey.questionnaires.loader import load_questionnaire
from survey.review.filters import QueueFilter
from survey.submissions.lifecycle.states import State
from survey.submissions.models import Filing
from tests.factories import make_sheet, make_unit, make_user

pytestmark = pytest.mark.django_db
EVERYTHING = QueueFilter(state="filed")


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> None:
    settings.JOB_FOLDER = tmp_path / "jobs"
    settings.SYNTHETIC_BANNER = True


@pytest.fixture
def sheets(world: Any) -> list[Any]:
    """Two filed sheets in Jiangsu, of different forms, and one in Zhejiang."""
    return [
        make_sheet(make_unit(category, region), State.SUBMITTED)
        for category, region in (("CAT12", "320000"), ("CAT03", "320000"), ("CAT12", "330000"))
    ]


def done(by: Any, kind: str, round_: Any, setting: QueueFilter = EVERYTHING) -> DeskJob:
    job = jobs.request_job(by=by, kind=kind, round_=round_, setting=setting)
    assert run(job.job_id)
    job.refresh_from_db()
    return job


def fetched(job: DeskJob, by: Any) -> io.BytesIO:
    """The content of a finished file."""
    with jobs.fetch_job(job, by=by) as file:
        return io.BytesIO(file.read())


def table(job: DeskJob, by: Any) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    with zipfile.ZipFile(fetched(job, by)) as bundle:
        return tuple(  # type: ignore[return-value]  # two files
            list(csv.DictReader(io.StringIO(bundle.read(name).decode("utf-8-sig"))))
            for name in ("data.csv", "codebook.csv")
        )


def test_csv_contains_the_sheets_in_scope(sheets: list[Any], province: Any) -> None:
    job = done(province, "export_csv", sheets[0].round)
    assert (job.job.state, job.rows, job.job.percent) == ("done", 2, 100)
    assert job.name.startswith("synthetic-ndrs-2025-csv-")
    data, codebook = table(job, province)
    assert {row["uscc"] for row in data} == {sheet.unit.uscc for sheet in sheets[:2]}
    filed = Filing.objects.get(submission=sheets[0]).answers
    row = next(row for row in data if row["uscc"] == sheets[0].unit.uscc)
    assert row["P01"] == filed["P01"]["value"]
    entries = {entry["column"]: entry for entry in codebook}
    assert set(data[0]) == set(entries)
    assert (entries["P01"]["type"], entries["P01"]["unit"]) == ("number", "TB")
    with zipfile.ZipFile(fetched(job, province)) as bundle:
        assert "Synthetic" in bundle.read("SYNTHETIC.txt").decode()


def test_formulas_are_neutralised_and_codes_stay_text(sheets: list[Any], province: Any) -> None:
    unit = sheets[0].unit
    unit.name, unit.uscc = '=HYPERLINK("http://x")', "123200001234567890"
    unit.save()
    data, codebook = table(done(province, "export_csv", sheets[0].round), province)
    row = next(row for row in data if row["uscc"] == unit.uscc)  # unchanged, for programs
    assert row["uscc_grouped"] == "12 320000 123456789 0"  # and grouped, so that spreadsheets do not round it
    assert "15" in next(entry["note"] for entry in codebook if entry["column"] == "uscc_grouped")
    assert '\'=HYPERLINK("http://x")' in {row["name"] for row in data}
    job = done(province, "export_xlsx", sheets[0].round)
    book = load_workbook(fetched(job, province))
    rows = list(book["data"].iter_rows())
    cells = next(row for row in rows if row[0].value == unit.uscc)
    assert [(cell.data_type, cell.value) for cell in cells[:2]] == [("s", unit.uscc), ("s", unit.name)]
    heads = [cell.value for cell in rows[0]]
    amount = cells[heads.index("P01")]
    assert amount.data_type == "n"
    assert amount.value == pytest.approx(
        float(Filing.objects.get(submission=sheets[0]).answers["P01"]["value"])
    )
    assert [cell.value for cell in book["codebook"][2]] == list(exports.CODEBOOK_HEADER)
    assert [escape_formula(text) for text in ("+1", "-a", "@x", "\tz", "plain")] == [
        "'+1",
        "'-a",
        "'@x",
        "'\tz",
        "plain",
    ]


def test_csv_metadata_follows_csvw(sheets: list[Any], province: Any) -> None:
    job = done(province, "export_csv", sheets[0].round)
    with zipfile.ZipFile(fetched(job, province)) as bundle:
        about = json.loads(bundle.read("data.csv-metadata.json"))
        heads = next(csv.reader(io.StringIO(bundle.read("data.csv").decode("utf-8-sig"))))
    columns = about["tableSchema"]["columns"]
    assert [column["titles"][0] for column in columns] == heads
    types = {column["titles"][0]: column["datatype"] for column in columns}
    assert (types["uscc"], types["P01"], types["P01__status"]) == ("string", "decimal", "integer")


def test_missing_reasons_are_in_every_format(sheets: list[Any], province: Any) -> None:
    filing = Filing.objects.get(submission=sheets[0])
    answers = filing.answers | {
        "S05": {"missing": "unknown"},
        "S06": {"missing": "not_applicable"},
        "S07": {"value": "0"},
        "F10": {"rows": {"group": {"volume": {"missing": "unknown"}}}},
    }
    answers.pop("B14", None)
    other = next(
        code for code in load_questionnaire("CAT03").items if code not in load_questionnaire("CAT12").items
    )
    Filing.objects.filter(pk=filing.pk).update(answers=answers)
    expected = {"S05": "2", "S06": "1", "S07": "0", "B14": "3", other: "5", "P01": "0"}
    data, codebook = table(done(province, "export_csv", sheets[0].round), province)
    row = next(row for row in data if row["uscc"] == sheets[0].unit.uscc)
    assert {code: row[f"{code}__status"] for code in expected} == expected
    assert (row["S05"], row["S06"], row["S07"], row[other]) == ("", "", "0", "")
    assert row["cell_marks"] == "F10/group/volume=2"
    assert "2 不掌握 not known" in next(e["note"] for e in codebook if e["column"] == "S05__status")
    job = done(province, "export_parquet", sheets[0].round)
    with zipfile.ZipFile(fetched(job, province)) as bundle:
        parquet = pq.read_table(io.BytesIO(bundle.read("data.parquet")))
    index = parquet.column("uscc").to_pylist().index(sheets[0].unit.uscc)
    assert {code: str(parquet.column(f"{code}__status")[index].as_py()) for code in expected} == expected
    job = done(province, "export_xlsx", sheets[0].round)
    book = load_workbook(fetched(job, province), read_only=True)
    heads, *lines = book["data"].iter_rows(values_only=True)
    line = next(values for values in lines if values[0] == sheets[0].unit.uscc)
    assert {code: str(line[heads.index(f"{code}__status")]) for code in expected} == expected


def test_parquet_has_types_and_codebook_metadata(sheets: list[Any], province: Any) -> None:
    job = done(province, "export_parquet", sheets[0].round, QueueFilter(state="filed", category="CAT12"))
    with zipfile.ZipFile(fetched(job, province)) as bundle:
        parquet = pq.read_table(io.BytesIO(bundle.read("data.parquet")))
    assert parquet.num_rows == 1
    assert str(parquet.schema.field("uscc").type) == "string"
    assert str(parquet.schema.field("P01").type) == "double"
    inside = json.loads(parquet.schema.metadata[b"codebook"])
    assert len(inside) == parquet.num_columns


def test_only_the_owner_downloads_and_every_step_is_audited(
    sheets: list[Any], province: Any, nation: Any, client: Any
) -> None:
    job = done(province, "export_csv", sheets[0].round)
    client.force_login(nation)
    assert client.get(f"/files/{job.pk}/").status_code == 404
    client.force_login(province)
    answer = client.get(f"/files/{job.pk}/")
    assert answer["Content-Disposition"] == f'attachment; filename="{job.name}"'
    assert b"".join(answer.streaming_content)[:2] == b"PK"
    actions = list(
        AuditEvent.objects.filter(subject_type="deskjob").order_by("pk").values_list("action", flat=True)
    )
    assert actions == ["job_requested", "job_finished", "job_fetched"]
    RoleAssignment.objects.filter(user=province).update(ended_at=timezone.now())
    client.force_login(province)
    assert client.get(f"/files/{job.pk}/").status_code == 404


def test_cancel_while_waiting_and_while_running(
    sheets: list[Any], province: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    waiting = jobs.request_job(by=province, kind="export_csv", round_=sheets[0].round, setting=EVERYTHING)
    assert jobs.cancel_job(waiting, by=province).job.state == "cancelled"
    assert not run(waiting.job_id)
    running = jobs.request_job(by=province, kind="export_csv", round_=sheets[0].round, setting=EVERYTHING)
    before = exports.fields_of

    def interrupted(ids: Any) -> Any:
        jobs.cancel_job(running, by=province)
        return before(ids)

    monkeypatch.setattr(exports, "fields_of", interrupted)
    assert run(running.job_id)
    running.refresh_from_db()
    assert (running.job.state, running.job.file) == ("cancelled", "")
    assert list((tmp_path / "jobs").rglob("*")) == []
    with pytest.raises(PolicyDenied):
        jobs.cancel_job(running, by=province)


def test_files_expire_and_those_of_lost_jobs_are_removed(
    sheets: list[Any], province: Any, tmp_path: Path
) -> None:
    job = done(province, "export_csv", sheets[0].round)
    path = tmp_path / "jobs" / job.job.file
    with jobs.fetch_job(job, by=province) as file:
        assert file.read(2) == b"PK" and path.exists()
    Job.objects.filter(pk=job.job_id).update(expires_at=timezone.now() - timedelta(seconds=1))
    job.refresh_from_db()
    with pytest.raises(PolicyDenied):
        jobs.fetch_job(job, by=province)
    lost = jobs.request_job(by=province, kind="letters", round_=sheets[0].round, setting=EVERYTHING)
    for _attempt in range(3):  # three workers are killed while they write codes in plain
        work = claim(lost.job_id)
        assert work is not None
        work.keep(io.BytesIO(b"%PDF-"))
        letters_file = tmp_path / "jobs" / work.file_name
        assert letters_file.exists()
        Job.objects.filter(pk=lost.job_id).update(leased_until=timezone.now() - timedelta(hours=1))
        sweep()
        assert not letters_file.exists()
    assert not path.exists()
    job.refresh_from_db()
    lost.refresh_from_db()
    assert (job.job.state, lost.job.state) == ("expired", "failed")
    assert "3" in str(lost.job.error)


def test_requests_are_limited(sheets: list[Any], province: Any, world: Any) -> None:
    for _number in range(jobs.MAX_OPEN_JOBS):
        jobs.request_job(by=province, kind="export_csv", round_=sheets[0].round, setting=EVERYTHING)
    with pytest.raises(PolicyDenied):
        jobs.request_job(by=province, kind="export_csv", round_=sheets[0].round, setting=EVERYTHING)
    with pytest.raises(PolicyDenied):
        jobs.request_job(by=world.users["reviewer"], kind="tape", round_=sheets[0].round, setting=EVERYTHING)
    with pytest.raises(PermissionDenied):
        jobs.request_job(
            by=world.users["methodologist"], kind="letters", round_=sheets[0].round, setting=EVERYTHING
        )


def test_letters_have_one_page_per_unit_with_a_valid_code(
    sheets: list[Any], province: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make_user("respondent", unit=sheets[1].unit)
    seen: list[dict[str, str]] = []
    typeset = letters.typeset

    def watched(pages: list[dict[str, str]]) -> bytes:
        seen.extend(pages)
        return typeset(pages)

    monkeypatch.setattr(letters, "typeset", watched)
    # A name with markup of the typesetter must be printed literally.
    sheets[0].unit.name = "演练#panic(1)*公司_$x"
    sheets[0].unit.save()
    job = done(province, "letters", sheets[0].round, QueueFilter(category="CAT12"))
    assert job.job.state == "done", job.job.error
    content = fetched(job, province).read()
    assert content.startswith(b"%PDF-")
    names = {page["uscc"]: page for page in seen}
    assert sheets[0].unit.uscc in names
    assert {sheets[1].unit.uscc, sheets[2].unit.uscc} & set(names) == set()
    assert job.rows == len(seen)
    assert job.job.expires_at is not None
    assert job.job.expires_at - timezone.now() < timedelta(hours=25)
    page = names[sheets[0].unit.uscc]
    assert check_code(credit_code=page["uscc"], code=page["code"], address=None).unit_id == sheets[0].unit_id


def test_letters_without_units_fail_with_a_message(sheets: list[Any], province: Any) -> None:
    job = done(province, "letters", sheets[0].round, QueueFilter(category="CAT09"))
    assert (job.job.state, job.job.error.code) == ("failed", "letters_for_nobody")
    texts = []
    for language in ("en", "zh-hans"):
        with translation.override(language):
            texts.append(str(job.job.error))
    assert texts == ["Every unit of this filter has an account already.", "所选范围内的单位均已开通账户。"]


def test_page_requests_shows_progress_and_cancels(sheets: list[Any], province: Any, client: Any) -> None:
    client.force_login(province)
    client.cookies["django_language"] = "en"
    client.post("/files/", {"kind": "export_csv", "year": "2025", "state": "filed"})
    job = DeskJob.objects.get()
    page = client.get("/files/").content.decode()
    assert 'hx-trigger="every 3s"' in page
    assert f"/files/{job.pk}/cancel/" in page
    client.post(f"/files/{job.pk}/cancel/")
    job.refresh_from_db()
    assert job.job.state == "cancelled"
    assert 'hx-trigger="every 3s"' not in client.get("/files/").content.decode()
