"""Stored files against rows: a missing and an orphaned file of every store is found, reported and shown."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connections

from config.files.faults import FilesUnavailable
from config.files.folder import FolderStorage
from survey.audit import AuditEvent
from survey.backups import tasks
from survey.backups.stored_files import selectors
from survey.files import Store
from survey.jobs.models import Job
from survey.jobs.services import run
from tests.concurrency import rows_deleted_afterwards
from tests.survey.backups.conftest import build, folders_in

FOLDERS = {
    Store.ATTACHMENTS: "attachment_root",
    Store.JOBS: "job_folder",
    Store.REPORTS: "report_root",
    Store.AUDIT: "audit_folder",
}


@pytest.fixture(scope="module")
def folder(
    django_db_setup: None, django_db_blocker: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """The files of a site: a little of each kind."""
    root = tmp_path_factory.mktemp("files")
    with django_db_blocker.unblock(), folders_in(root), rows_deleted_afterwards():  # type: ignore[attr-defined]  # a fixture of pytest-django
        build(root)
        yield root
        connections.close_all()


def files_of(folder: Path, store: Store) -> list[Path]:
    return sorted(path for path in (folder / FOLDERS[store]).rglob("*") if path.is_file())


def nightly() -> tuple[Job, AuditEvent]:
    """The work that beat requests."""
    tasks.check_files.apply()
    job = Job.objects.filter(kind="check_files").latest("pk")
    run(job.pk)
    job.refresh_from_db()
    event = selectors.last_check()
    assert event is not None
    return job, event


def test_a_site_without_differences(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("check_files")
    assert capsys.readouterr().out.count(" 0 missing, 0 orphans") == len(Store)
    job, event = nightly()
    assert (job.state, event.succeeded) == (Job.State.DONE, True)
    assert event.details["files"] == {store: len(files_of(folder, store)) for store in Store}
    assert min(event.details["files"].values()) > 0  # every store has a file


@pytest.mark.parametrize("store", Store)
def test_a_missing_file_is_found(folder: Path, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    path = next(path for path in files_of(folder, store) if path.name != "manifest.json")
    kept = path.read_bytes()
    path.unlink()
    try:
        with pytest.raises(CommandError):
            call_command("check_files")
        assert path.name in capsys.readouterr().out
        job, event = nightly()
    finally:
        path.write_bytes(kept)
    assert (job.state, event.succeeded) == (Job.State.FAILED, False)
    assert event.details["missing"] == {other: int(other is store) for other in Store}
    assert path.name in str(event.details["faults"])


@pytest.mark.parametrize("store", Store)
def test_an_orphan_is_found_when_it_is_older_than_an_hour(
    folder: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    old, recent = (folder / FOLDERS[store] / name for name in ("left.part", "recent.part"))
    try:
        for path in (old, recent):
            path.write_bytes(b"x")
        os.utime(old, (0, 0))
        job, event = nightly()
        assert (job.state, event.succeeded) == (Job.State.DONE, True)  # no row lacks its file
        assert event.details["orphans"] == {other: int(other is store) for other in Store}
        assert event.details["unnamed"] == [f"{store}/left.part"]
        call_command("check_files", "--remove-orphans")
        assert recent.exists() and old.exists() is (store is Store.AUDIT)
    finally:
        for path in (old, recent):
            path.unlink(missing_ok=True)


@pytest.mark.parametrize("store", [Store.ATTACHMENTS, Store.REPORTS])
def test_a_file_of_another_size_is_found(folder: Path, store: Store) -> None:
    path = next(path for path in files_of(folder, store) if path.name != "manifest.json")
    kept = path.read_bytes()
    path.write_bytes(b"cut")
    try:
        assert [path.name in str(fault) for fault in selectors.compare(store).faults] == [True]
    finally:
        path.write_bytes(kept)


def test_while_the_server_of_the_files_does_not_answer_nothing_is_said_to_be_missing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(storage: FolderStorage) -> Iterator[None]:
        raise FilesUnavailable
        yield

    monkeypatch.setattr(FolderStorage, "entries", down)
    before = AuditEvent.objects.count()
    tasks.check_files.apply()
    job = Job.objects.filter(kind="check_files").latest("pk")
    run(job.pk)
    job.refresh_from_db()
    assert (job.state, AuditEvent.objects.count()) == (Job.State.WAITING, before)  # tried again later
    job.delete()
