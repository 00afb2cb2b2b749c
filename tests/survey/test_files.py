"""Files in an S3-compatible bucket: the whole way of evidence, files of the desks, releases and ledgers, and outages."""

import datetime as dt
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from django.core.exceptions import ImproperlyConfigured, SuspiciousOperation
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse

from config.environment import Environment, Files
from config.files import checks, places
from config.files.faults import FilesUnavailable
from estimation.report.files import storage as report_files
from survey import files
from survey.exceptions import FileMissing, StorageFull
from survey.fieldwork.exports import services as desk
from survey.files import Store
from survey.jobs.models import Job
from survey.jobs.services import run, sweep
from survey.ledgers import storage as ledger_files
from survey.review.filters import QueueFilter
from survey.submissions.lifecycle.states import State
from survey.submissions.models import Attachment
from tests.factories import make_sheet, make_unit
from tests.s3 import BUCKET, SECRET, S3Server

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"


def storages_of(variables: dict[str, str]) -> dict[str, Any]:
    class Given(Environment):
        ENVIRON = Files()

    Given.ENVIRON.env = variables
    return places.storages(Given())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    server = S3Server(tmp_path_factory.mktemp("s3"))
    server.start()
    server.wait()
    server.client().create_bucket(Bucket=BUCKET)
    yield server
    server.stop()


@pytest.fixture
def bucket(server: S3Server, settings: Any, tmp_path: Path) -> Iterator[S3Server]:
    """The site keeps its files in the bucket, and has folders in which nothing may appear."""
    settings.STORAGES = {**settings.STORAGES, **storages_of(server.environment())}
    for setting in places.FOLDERS.values():
        setattr(settings, setting, tmp_path / "local" / setting)
    if server.process is None:
        server.start()
        server.wait()
    for name in server.names():
        server.client().delete_object(Bucket=BUCKET, Key=name)
    yield server
    assert not (tmp_path / "local").exists()


@pytest.fixture
def sheet(world: Any) -> Any:
    return make_sheet(world.unit, State.IN_PROGRESS)


@pytest.fixture
def respondent(world: Any, client: Client) -> Client:
    client.force_login(world.users["respondent"])
    return client


def upload(client: Client, sheet: Any, content: bytes = PDF) -> Any:
    file = SimpleUploadedFile("台账.pdf", content)
    return client.post(reverse("sheet_evidence", args=[sheet.pk]), {"file": file})


def test_evidence_goes_into_the_bucket_and_comes_back(
    bucket: S3Server, sheet: Any, respondent: Client, django_capture_on_commit_callbacks: Any, capsys: Any
) -> None:
    content = PDF + b"0" * 3_000_000  # more than stays in memory when it is fetched
    assert upload(respondent, sheet, content).status_code == 302
    (row,) = Attachment.objects.all()
    assert bucket.names() == [f"site/attachments/{row.path}"] and row.size == len(content)
    answer = respondent.get(reverse("evidence_file", args=[row.pk]))
    assert answer.content == content and answer["Content-Disposition"].startswith("attachment;")
    call_command("check_files")
    assert "attachments: 1 files, 0 missing, 0 orphans" in capsys.readouterr().out
    with django_capture_on_commit_callbacks(execute=True):
        respondent.post(reverse("evidence_remove", args=[sheet.pk, row.pk]))
        assert len(bucket.names()) == 1  # until the commit
    assert bucket.names() == []


def test_check_files_compares_the_bucket_with_the_rows(
    bucket: S3Server, sheet: Any, respondent: Client, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(respondent, sheet)
    row = Attachment.objects.get()
    files.write(Store.ATTACHMENTS, "1/left", b"x")
    monkeypatch.setattr("survey.backups.stored_files.selectors.GRACE", dt.timedelta(minutes=-1))
    call_command("check_files", "--remove-orphans")
    assert "orphan: 1/left" in capsys.readouterr().out
    assert bucket.names() == [f"site/attachments/{row.path}"]
    files.write(Store.ATTACHMENTS, row.path, b"cut")
    with pytest.raises(CommandError):
        call_command("check_files")
    files.delete(Store.ATTACHMENTS, row.path)
    answer = respondent.get(reverse("evidence_file", args=[row.pk]))
    assert answer.status_code == 410 and "文件" in answer.content.decode()


def test_a_stopped_server_refuses_clearly_and_nothing_is_half_done(
    bucket: S3Server, sheet: Any, respondent: Client
) -> None:
    upload(respondent, sheet)
    row = Attachment.objects.get()
    bucket.stop()
    for answer in (upload(respondent, sheet), respondent.get(reverse("evidence_file", args=[row.pk]))):
        assert answer.status_code == 503 and answer["Retry-After"] == "15"
        assert "系统" in answer.content.decode()
    assert Attachment.objects.count() == 1
    assert respondent.get("/health/files/").status_code == 503
    bucket.start()
    bucket.wait()
    assert respondent.get("/health/files/").json() == {"files": "ok"}
    assert upload(respondent, sheet).status_code == 302
    assert respondent.get(reverse("evidence_file", args=[row.pk])).content == PDF
    assert bucket.names() == sorted(f"site/attachments/{row.path}" for row in Attachment.objects.all())


@pytest.fixture
def request_of_a_desk(world: Any) -> Any:
    filed = make_sheet(make_unit("CAT12", "320000"), State.SUBMITTED)
    return desk.request_job(
        by=world.users["provincial_administrator"],
        kind="export_xlsx",
        round_=filed.round,
        setting=QueueFilter(state="filed"),
    )


def test_a_file_of_a_desk_waits_for_the_server_and_is_made_once(
    bucket: S3Server, request_of_a_desk: Any, world: Any, client: Client
) -> None:
    job = request_of_a_desk.job
    bucket.stop()
    assert run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.file) == ("waiting", "")  # put back, to be tried again
    bucket.start()
    bucket.wait()
    Job.objects.filter(pk=job.pk).update(available_at=job.requested_at)
    assert run(job.pk)
    job.refresh_from_db()
    assert (job.state, bucket.names()) == ("done", [f"site/jobs/{job.file}"])
    client.force_login(world.users["provincial_administrator"])
    answer = client.get(f"/files/{request_of_a_desk.pk}/")
    content = answer.getvalue()
    request_of_a_desk.refresh_from_db()
    assert len(content) == request_of_a_desk.size == int(answer["Content-Length"]) and content[:2] == b"PK"
    assert answer["Content-Disposition"].startswith("attachment;")
    Job.objects.filter(pk=job.pk).update(expires_at=job.requested_at)
    sweep()
    assert bucket.names() == []


def test_releases_are_read_only_when_they_are_complete(bucket: S3Server) -> None:
    digest = "ab" * 32
    content = {"manifest.json": b'{"files": [{"path": "zh/report.pdf"}]}', "zh/report.pdf": PDF}
    files.write(
        Store.REPORTS, f"{report_files.folder(digest)}/zh/report.pdf", PDF
    )  # a worker that was killed
    assert report_files.manifest_of(digest) is None and report_files.read(digest, "zh/report.pdf") is None
    report_files.write(digest, content)
    assert report_files.read(digest, "zh/report.pdf") == PDF
    assert report_files.read(digest, "../../attachments/1") is None


def test_heads_of_the_ledgers_are_noted_in_the_bucket(bucket: S3Server) -> None:
    assert ledger_files.noted_heads() == {}
    files.write(Store.AUDIT, "heads.json", b'{"audit": {"number": 1, "hash": "a"}}')  # of an earlier version
    assert ledger_files.noted_heads()["audit"]["number"] == 1
    ledger_files.note_head("audit", 2, "b")
    ledger_files.note_head("answers", 5, "c")
    noted = ledger_files.noted_heads()
    assert (noted["audit"]["number"], noted["answers"]["number"]) == (2, 5)


def test_names_that_lead_out_of_the_prefix_are_refused(bucket: S3Server) -> None:
    with pytest.raises(SuspiciousOperation):
        files.read(Store.JOBS, "../attachments/1/x")


def test_the_deployment_check_knows_a_good_bucket_from_bad_ones(bucket: S3Server, settings: Any) -> None:
    assert checks.files(None) == [] and bucket.names() == []
    with pytest.raises(ClientError):
        bucket.client().head_object(Bucket="nobody", Key="x")
    wrong = {"FILES_URL": "s3://nobody"}, {"S3_SECRET_KEY": f"{SECRET}!"}
    for variables in wrong:
        settings.STORAGES = {**settings.STORAGES, **storages_of(bucket.environment() | variables)}
        assert [fault.id for fault in checks.files(None)] == ["config.E006"] * 4
        with pytest.raises(FilesUnavailable):
            files.read(Store.JOBS, "x")  # no bucket is not a missing file
    place = {"OPTIONS": {"endpoint_url": "http://192.0.2.1:9000"}}
    assert next(checks.faults_of("jobs", place, []))[0] == "is reached without TLS"


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers of servers with a quota, as Ceph and MinIO document them: no server of the tests has one."""

    status, code = 200, ""

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = f"<Error><Code>{self.code}</Code><Message>full</Message></Error>".encode()
        self.send_response(self.status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_DELETE(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Print nothing."""


@pytest.mark.parametrize(
    ("status", "code"), [(403, "QuotaExceeded"), (507, "XMinioStorageFull")], ids=["ceph", "minio"]
)
def test_a_full_quota_is_507(status: int, code: str, settings: Any, sheet: Any, respondent: Client) -> None:
    Answers.status, Answers.code = status, code
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as quota:
        threading.Thread(target=quota.serve_forever, daemon=True).start()
        variables = {"FILES_URL": "s3://b", "S3_ACCESS_KEY": "a", "S3_SECRET_KEY": "b"}
        variables["S3_ENDPOINT"] = f"http://127.0.0.1:{quota.server_port}"
        settings.STORAGES = {**settings.STORAGES, **storages_of(variables)}
        with pytest.raises(StorageFull) as refused:
            files.write(Store.JOBS, "x", b"x")
        assert refused.value.status == 507
        answer = upload(respondent, sheet)
        assert answer.status_code == 422 and "空间" in answer.content.decode()
        quota.shutdown()
    assert not Attachment.objects.exists()


@pytest.mark.parametrize(
    "address", ["https://s3.example.org/b", "s3://", "s3://b?x=1"], ids=["https", "no bucket", "query"]
)
def test_other_addresses_of_files_are_refused(address: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="FILES_URL"):
        storages_of({"FILES_URL": address})


def test_the_secret_key_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{SECRET}\n")
    variables = {"FILES_URL": "s3://b/p", "S3_ENDPOINT": "https://s3.example.org", "S3_ACCESS_KEY": "a"}
    result = storages_of({**variables, "S3_SECRET_KEY_FILE": str(tmp_path / "key")})
    options = result["jobs"]["OPTIONS"]
    assert (options["secret_key"], options["location"]) == (SECRET, "p/jobs")
    with pytest.raises(ImproperlyConfigured, match="S3_ENDPOINT"):
        storages_of({"FILES_URL": "s3://b"})


def test_folders_are_the_default_and_have_no_addresses(settings: Any, tmp_path: Path) -> None:
    settings.JOB_FOLDER = tmp_path / "jobs"
    settings.STORAGES = {**settings.STORAGES, **storages_of({})}
    files.write(Store.JOBS, "a/b", b"1")
    files.write(Store.JOBS, "a/b", b"22")
    assert [(entry.name, entry.size) for entry in files.entries(Store.JOBS)] == [("a/b", 2)]
    assert (tmp_path / "jobs" / "a" / "b").stat().st_mode & 0o077 == 0
    with pytest.raises(SuspiciousOperation):
        files.write(Store.JOBS, "../b", b"x")
    with pytest.raises(NotImplementedError):
        storages["jobs"].url("a/b")
    files.delete(Store.JOBS, "a/b")
    with pytest.raises(FileMissing):
        files.read(Store.JOBS, "a/b")
