"""The page of the state of the system, and what is done with failed jobs."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from config import health
from survey.access.roles import Role
from survey.audit import AuditEvent, record
from survey.backups.messages import JOB, STORED_MISSING
from survey.backups.stored_files.messages import STORES
from survey.exceptions import PolicyDenied
from survey.files import Store
from survey.jobs.failures import services as failures
from survey.jobs.kinds import registered
from survey.jobs.messages import LOST
from survey.jobs.models import Job
from survey.jobs.services import enqueue, run
from survey.jobs.tasks import sweep
from survey.operations import presentation, selectors
from tests.factories import World
from tests.survey.jobs.conftest import register

__all__ = ["register"]
pytestmark = pytest.mark.django_db
State = Job.State


@pytest.fixture
def administrator(client: Client, world: World) -> Client:
    client.force_login(world.users[Role.SYSTEM_ADMINISTRATOR])
    return client


def failing(register: Any, world: World, **options: Any) -> Job:
    """A job of the designer that has failed."""

    def do(work: Any) -> None:
        raise ValueError("the disk of the report is full")

    register("flaky", do, **options)
    job = enqueue("flaky", "7", by=world.users[Role.DESIGNER], arguments={"n": 5}, send=False)
    assert run(job.pk)
    job.refresh_from_db()
    assert job.state == State.FAILED
    return job


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_page_shows_what_failed_and_why(
    language: str,
    administrator: Client,
    world: World,
    register: Any,
) -> None:
    failing(register, world)
    administrator.cookies["django_language"] = language
    text = administrator.get(reverse("system_state")).content.decode()
    assert "the disk of the report is full" in text
    assert str(world.users[Role.DESIGNER]) in text
    assert selectors.versions()["PostgreSQL"] in text
    assert 'value="retry"' in text and 'value="discard"' in text


def test_kinds_of_work_are_named(administrator: Client, world: World) -> None:
    job = enqueue("bootstrap_chunk", "7", send=False)
    Job.objects.filter(pk=job.pk).update(state=State.FAILED, error=LOST(count=3), finished_at=timezone.now())
    administrator.cookies["django_language"] = "en"
    text = administrator.get(reverse("system_state")).content.decode()
    assert text.count("Bootstrap: replicates") == 2
    assert [kind for kind in registered() if "_" in kind and kind in text] == []


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(12, "none yet; the web server was started 12 seconds ago"), (4_000, "none within an hour")],
    ids=["just started", "long ago"],
)
def test_without_a_sign_the_page_says_since_when(
    seconds: float, shown: str, administrator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.delete_many([health.BEAT, health.HEARTBEAT])
    monkeypatch.setattr(selectors, "running_for", lambda: seconds)
    administrator.cookies["django_language"] = "en"
    text = administrator.get(reverse("system_state")).content.decode()
    assert " ".join(text.split()).count(shown) == 2


def test_a_folder_that_is_not_there_yet_is_shown(
    administrator: Client, settings: Any, tmp_path: Path
) -> None:
    settings.JOB_FOLDER = tmp_path / "data" / "jobs"
    folders = {folder.store: folder for folder in selectors.folders()}
    assert set(folders) == set(Store) == set(STORES)
    folder = folders[Store.JOBS]
    assert not folder.exists and 0 < folder.free <= folder.total
    assert str(settings.JOB_FOLDER) in administrator.get(reverse("system_state")).content.decode()


def test_files_in_a_bucket_are_listed_by_their_prefix(administrator: Client, settings: Any) -> None:
    place = {
        "BACKEND": "config.files.bucket.BucketStorage",
        "OPTIONS": {"bucket_name": "survey", "location": "site/jobs", "endpoint_url": "https://s3.example"},
    }
    settings.STORAGES = {**settings.STORAGES, "jobs": place}
    record(by=None, action="files_checked", files={"jobs": 1234}, sizes={"jobs": 5 * 2**20})
    administrator.cookies["django_language"] = "en"
    text = " ".join(administrator.get(reverse("system_state")).content.decode().split())
    assert "s3://survey/site/jobs/" in text and "a bucket" in text and "1,234" in text and "5.0" in text
    assert Store.JOBS not in {folder.store for folder in selectors.folders()}


def test_what_the_last_comparison_of_files_found_is_shown(administrator: Client) -> None:
    administrator.cookies["django_language"] = "en"
    address = reverse("system_state")
    assert "not been compared" in administrator.get(address).content.decode()
    fault = STORED_MISSING(subject=JOB(number=5), file="5-abc").to_document()
    record(
        by=None,
        action="files_checked",
        succeeded=False,
        missing={"jobs": 7},
        orphans={"jobs": 0},
        faults=[fault],
        unnamed=["audit/left"],
    )
    text = administrator.get(address).content.decode()
    assert "<strong>7</strong>" in text and "Job no. 5: the stored file 5-abc is missing." in text
    assert "audit/left" in text


def test_a_failed_job_is_tried_again_with_what_it_was_given(
    administrator: Client,
    world: World,
    register: Any,
) -> None:
    job = failing(register, world)
    done: list[int] = []
    register("flaky", lambda work: done.append(work.job.arguments["n"]))
    administrator.post(reverse("system_job", args=[job.pk]), {"action": "retry"})
    job.refresh_from_db()
    assert (job.state, job.attempts, job.finished_at) == (State.WAITING, 0, None)
    assert not job.error
    assert run(job.pk) and done == [5]
    event = AuditEvent.objects.get(action="job_retried")
    assert (event.actor_id, event.subject_id) == (world.users[Role.SYSTEM_ADMINISTRATOR].pk, str(job.pk))


def test_a_discarded_job_leaves_the_list(administrator: Client, world: World, register: Any) -> None:
    job = failing(register, world)
    assert list(selectors.failed_jobs()) == [job]
    administrator.post(reverse("system_job", args=[job.pk]), {"action": "discard"})
    job.refresh_from_db()
    assert (job.state, job.arguments) == (State.CANCELLED, {})
    assert list(selectors.failed_jobs()) == []
    assert AuditEvent.objects.filter(action="job_discarded", subject_id=str(job.pk)).count() == 1
    with pytest.raises(PolicyDenied):
        failures.retry(job.pk, by=None)


def test_a_second_request_of_the_same_job_refuses_the_retry(world: World, register: Any) -> None:
    job = failing(register, world)
    enqueue("flaky", "7", send=False)
    with pytest.raises(PolicyDenied):
        failures.retry(job.pk, by=None)
    job.refresh_from_db()
    assert job.state == State.FAILED


def test_a_kind_that_cannot_wait_again_is_not_retried(world: World, register: Any) -> None:
    job = failing(register, world, ended=lambda row: None)
    assert not failures.can_retry(job)
    with pytest.raises(PolicyDenied):
        failures.retry(job.pk, by=None)
    waiting: list[int] = []
    register("flaky", lambda work: None, ended=lambda row: None, waits=lambda row: waiting.append(row.pk))
    failures.retry(job.pk, by=None)
    assert waiting == [job.pk]


def test_a_job_that_is_too_late_is_not_retried(world: World, register: Any) -> None:
    job = failing(register, world)
    job.not_after = timezone.now() - dt.timedelta(seconds=1)
    assert not failures.can_retry(job)


def test_what_a_failed_job_was_given_is_deleted_after_a_month(world: World, register: Any) -> None:
    job = failing(register, world)
    sweep.apply()
    job.refresh_from_db()
    assert job.arguments == {"n": 5}
    Job.objects.filter(pk=job.pk).update(finished_at=timezone.now() - failures.KEPT - dt.timedelta(minutes=1))
    sweep.apply()
    job.refresh_from_db()
    assert job.arguments == {}


def test_the_page_shows_the_last_backup_and_the_last_trial_restore(administrator: Client) -> None:
    address = reverse("system_state")
    assert administrator.get(address).context["backups"] == {"made": None, "verified": None}
    made = record(by=None, action="backup_made", size=3 * 2**20, missing=2)
    record(by=None, action="backup_made", succeeded=False)
    record(by=None, action="backup_verified", succeeded=False)
    assert administrator.get(address).context["backups"] == {"made": made, "verified": None}
    administrator.cookies["django_language"] = "en"
    text = administrator.get(address).content.decode()
    assert "3.0" in text and "2 files were missing" in text
    verified = record(by=None, action="backup_verified")
    assert administrator.get(address).context["backups"]["verified"] == verified


def test_other_roles_get_404(client: Client, world: World, register: Any) -> None:
    job = failing(register, world)
    for role in (Role.SECURITY_ADMINISTRATOR, Role.AUDIT_ADMINISTRATOR, Role.PUBLISHER):
        client.force_login(world.users[role])
        assert client.get(reverse("system_state")).status_code == 404
        assert client.post(reverse("system_job", args=[job.pk]), {"action": "retry"}).status_code == 404
    job.refresh_from_db()
    assert job.state == State.FAILED


@override_settings(CELERY_BROKER_URL="redis://127.0.0.1:1/0")
def test_the_page_is_there_while_the_broker_is_not(administrator: Client) -> None:
    context = administrator.get(reverse("system_state")).context
    assert context["queue"] is None and context["connections"]["used"] >= 1


def test_an_unapplied_migration_is_named() -> None:
    assert presentation.state_of_the_system()["unapplied"] == []
    newest = MigrationRecorder.Migration.objects.filter(app="survey").latest("name")
    name = newest.name
    newest.delete()
    assert f"survey.{name}" in presentation.state_of_the_system()["unapplied"]
