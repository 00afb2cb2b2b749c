"""One committed site and its backup for a module: everything that a backup holds, a little of each."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections, transaction
from django.test import override_settings

from estimation.design.models import SampleDesign
from estimation.report.files import storage as report_files
from estimation.report.files.bundle import manifest as report_manifest
from estimation.runs.models import EstimationRun
from survey.backups import storage
from survey.backups.services import Made, make_backup
from survey.collection.models import CollectionRound
from survey.jobs.models import Job
from survey.ledgers.sealing.services import seal
from survey.ledgers.storage import note_head
from survey.microdata.services import freeze_version
from survey.submissions.evidence.services import attach
from survey.submissions.lifecycle.states import State
from survey.submissions.models import Attachment
from tests.concurrency import rows_deleted_afterwards
from tests.estimation.public.small import put_out, small_content
from tests.factories import World, make_sheet, make_unit

ARGUMENTS = ("--by", "operator", "--reason", "the disk broke")
JOB_FILE = "1-" + "0" * 32


@dataclass
class Site:
    """The folders of a site, its backups and its keys."""

    folder: Path
    made: Made
    attachment: str

    @property
    def backups(self) -> Path:
        """The folder of all backups."""
        return self.folder / "backups"


@pytest.fixture(scope="module")
def site(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """Filings, accepted values, evidence, a file of a job, a release with its files, sealed and unsealed rows."""
    folder = tmp_path_factory.mktemp("site")
    with django_db_blocker.unblock(), folders_in(folder), rows_deleted_afterwards():
        attachment = build(folder)
        made = make_backup(folder / "backups", keys_to=folder / "keys", jobs=1)
        yield Site(folder, made, attachment)
        connections.close_all()


def folders_in(folder: Path) -> override_settings:
    """Settings of all folders, below one folder."""
    names = ("ATTACHMENT_ROOT", "JOB_FOLDER", "REPORT_ROOT", "AUDIT_FOLDER")
    return override_settings(**{name: folder / name.lower() for name in names})


def build(folder: Path) -> str:
    """The rows and files of the site. Returns the path of the evidence."""
    world = World.build()
    for state in (State.SUBMITTED, State.ACCEPTED):
        make_sheet(make_unit("CAT12"), state)
    round_ = CollectionRound.objects.get(year=2025)
    attach(
        make_sheet(world.unit, State.IN_PROGRESS),
        by=world.users["respondent"],
        name="证明.pdf",
        data=b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n",
    )
    (folder / "job_folder").mkdir()
    (folder / "job_folder" / JOB_FILE).write_bytes(b"an export")
    Job.objects.create(kind="export", state=Job.State.DONE, file=JOB_FILE)
    Job.objects.create(kind="mail")
    with transaction.atomic():
        microdata = freeze_version(round=round_, by=None)
    design = SampleDesign.objects.create(round=round_, content_hash="d" * 64, is_synthetic=True)
    run = EstimationRun.objects.create(
        round=round_, microdata=microdata, design=design, spec={}, input_hash="e" * 64, code_version="1"
    )
    release, content = put_out(run), small_content()
    files = {"page.html": b"<p>52.26</p>"}
    files["manifest.json"] = report_manifest(content, files)
    report_files.write(release.content_hash, files)
    seal("audit", partial_after=timedelta(0))
    seal("answers", partial_after=timedelta(0))
    make_sheet(make_unit("CAT12"), State.SUBMITTED)  # its events are not sealed yet
    return Attachment.objects.get().path


def databases() -> list[str]:
    """The database in use and those that a restore has made, if they exist."""
    with storage.maintenance() as server:
        rows = server.execute("SELECT datname FROM pg_database").fetchall()
    return [name for (name,) in rows if name.startswith(storage.present_name())]


def drop_all() -> None:
    """Drop them."""
    storage.close()
    for name in databases():
        storage.drop(name)


@pytest.fixture
def target(site: Site, tmp_path: Path) -> Iterator[Path]:
    """A site after a disaster: no database, empty folders, the keys of the environment."""
    with folders_in(tmp_path), storage.using(f"{storage.present_name()}_target"):
        yield tmp_path
        drop_all()


@pytest.fixture(scope="module")
def restored_site(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """Folders and database of a lost site that the command has restored, once for a module."""
    folder, name = tmp_path_factory.mktemp("restored"), f"{storage.present_name()}_restored"
    with folders_in(folder), storage.using(name):
        note_head("audit", 99, "f" * 64)  # what was sealed after the backup and is lost with the database
        with (folder / "printed").open("w") as printed:
            call_command("restore", *ARGUMENTS, "--from", str(site.backups), stdout=printed)
    yield folder, name
    with storage.using(name):
        drop_all()


@pytest.fixture
def restored(restored_site: tuple[Path, str]) -> Iterator[Path]:
    """The folders of the restored site; its database is the one in use."""
    folder, name = restored_site
    with folders_in(folder), storage.using(name):
        yield folder


@pytest.fixture
def copy(site: Site, tmp_path: Path) -> Path:
    """A copy of the backup that a test may damage."""
    return Path(shutil.copytree(site.made.path, tmp_path / "backups" / site.made.path.name))
