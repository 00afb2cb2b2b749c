"""Files of a release: by command, by task, by download; only who may, and the same bytes every time."""

import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from estimation.releases.models import Release
from estimation.report import selectors, services, tasks
from estimation.report.files import storage
from survey.audit import AuditEvent
from survey.exceptions import PolicyDenied
from survey.jobs.models import Job
from tests.background import do_waiting
from tests.estimation.public.small import put_out, small_content
from tests.estimation.releases.stage import finished_run
from tests.estimation.report.built import built_files, store_files
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def release(world: Any) -> Release:
    return put_out(finished_run())


def unpublish(release: Release, **fields: Any) -> Release:
    data = {"state": "scheduled", "published_at": None, "embargo_until": timezone.now() + timedelta(hours=1)}
    Release.objects.filter(pk=release.pk).update(**{**data, **fields})
    release.refresh_from_db()
    return release


def test_command_writes_every_format_with_its_hash(release: Release, tmp_path: Path) -> None:
    out = tmp_path / "report"
    call_command("release_report", round=2025, out=out)
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["content_sha256"] == release.content_hash
    named = {entry["path"] for entry in manifest["files"]}
    assert {
        f"{language}/report-2025.{kind}"
        for language in ("zh", "en")
        for kind in ("pdf", "html", "docx", "xlsx")
    } <= named
    assert {
        "csv/cells.csv",
        "csv/csv-metadata.json",
        "sdmx/structure.json",
        "sdmx/data.csv",
        "content.json",
    } <= named
    for entry in manifest["files"]:
        assert hashlib.sha256((out / entry["path"]).read_bytes()).hexdigest() == entry["sha256"], entry[
            "path"
        ]
    on_disk = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert on_disk == named | {"manifest.json"}


def test_command_refuses_what_is_not_public(release: Release, tmp_path: Path) -> None:
    unpublish(release)
    with pytest.raises(CommandError, match="no published release"):
        call_command("release_report", round=2025, out=tmp_path / "x")
    with pytest.raises(CommandError, match="is not public"):
        call_command("release_report", round=2025, release=1, out=tmp_path / "x")
    with pytest.raises(CommandError, match="no release 7"):
        call_command("release_report", round=2025, release=7, out=tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_published_before_the_end_of_its_embargo_is_not_public(release: Release) -> None:
    unpublish(release, state="published", published_at=timezone.now())
    assert not selectors.is_public(release)
    Release.objects.update(embargo_until=timezone.now() - timedelta(seconds=1))
    assert selectors.is_public(release)


def test_the_same_content_gives_the_same_bytes(release: Release) -> None:
    first, second = services.files_of(release), services.files_of(release)
    assert [path for path in first if first[path] != second[path]] == []


def test_content_that_was_touched_is_not_printed(release: Release) -> None:
    document = release.content
    document["cells"]["SUP-01.2025"]["printed"] = "99.99"
    Release.objects.filter(pk=release.pk).update(content=document)
    with pytest.raises(PolicyDenied, match=r"hash|校验码"):
        services.build_files(release)


def test_the_task_builds_ahead_of_publication_and_once(release: Release, report_root: Path) -> None:
    unpublish(release)
    tasks.build_missing_reports()
    do_waiting("report")
    index = report_root / storage.folder(release.content_hash)
    written = (index / "manifest.json").stat().st_mtime_ns
    assert selectors.releases_without_files() == []
    tasks.build_missing_reports()
    assert do_waiting("report") == []
    services.build_files(release)
    assert (index / "manifest.json").stat().st_mtime_ns == written
    assert not list(report_root.rglob("*.part"))


def test_a_release_that_cannot_be_printed_is_not_tried_for_ever(release: Release) -> None:
    document = release.content
    document["cells"]["SUP-01.2025"]["printed"] = "99.99"
    Release.objects.filter(pk=release.pk).update(content=document)
    for _sweep in range(3):
        tasks.build_missing_reports()
        do_waiting("report")
    (job,) = Job.objects.filter(kind="report")
    assert (job.state, job.attempts) == ("failed", 1)


def test_drafts_are_not_built(release: Release) -> None:
    unpublish(release, state="draft")
    assert selectors.releases_without_files() == []


def test_download_before_publication_is_for_the_office_and_recorded(release: Release, client: Any) -> None:
    unpublish(release)
    address = reverse("release_file", args=[release.pk, "zh/report-2025.pdf"])
    client.force_login(make_user("designer"))
    assert client.get(address).status_code == 404
    client.force_login(make_user("publisher"))
    page = client.get(reverse("release_files", args=[release.pk])).content.decode()
    assert "release_file" not in page and "/files/zh/" not in page  # not made yet
    store_files(release)
    page = client.get(reverse("release_files", args=[release.pk])).content.decode()
    assert address in page
    answer = client.get(address)
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="report-2025.pdf"'
    assert answer.content.startswith(b"%PDF-")
    event = AuditEvent.objects.get(action="report_taken_early")
    assert event.details["file"] == "zh/report-2025.pdf"


@pytest.mark.parametrize("name", ["../../manage.py", "zh/../../../x", "/etc/passwd", "nothing.pdf"])
def test_no_address_leads_out_of_the_folder(release: Release, report_root: Path, name: str) -> None:
    (report_root.parent / "x").write_text("secret")
    store_files(release)
    assert selectors.file_of(release, name) is None


def test_small_content_without_most_tables_is_printed_too(release: Release) -> None:
    files = built_files(release)
    assert small_content().title.en.encode() in files["en/report-2025.html"]
    assert "figures/regions.zh.svg" in files


def test_each_language_names_the_authority_its_own_way(release: Release, settings: Any) -> None:
    settings.SURVEY_AUTHORITY, settings.SURVEY_AUTHORITY_EN = "某局", "Some Bureau"
    files = services.files_of(release)
    assert "某局" in files["zh/report-2025.html"].decode()
    english = files["en/report-2025.html"].decode()
    assert "Some Bureau" in english and "某局" not in english
