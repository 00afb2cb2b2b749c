"""Queries of the state of the system. Nothing here reads answers, names or addresses of respondents."""

import platform
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.files.storage import storages
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, Max, Min, Q, QuerySet

from config.files.folder import FolderStorage
from config.files.places import FOLDERS
from config.health import BEAT, HEARTBEAT, MEMORY, age_of, broker, running_for
from survey import clock
from survey.access.models import User
from survey.audit import AuditEvent
from survey.backups import selectors as backup_rows
from survey.backups.stored_files.selectors import last_check
from survey.files import Store
from survey.jobs.models import Job
from survey.ledgers.content import LEDGERS
from survey.ledgers.selectors import last_verification
from survey.submissions.lifecycle.states import State
from survey.submissions.models import Submission

State_ = Job.State
OPEN = (State_.WAITING, State_.RUNNING)
FAILED_DAYS = 30  # failed jobs of so many days are listed
# States of a sheet that wait for a decision.
UNDECIDED = (State.SUBMITTED, State.NATIONAL_REVIEW)


@dataclass(frozen=True, slots=True)
class SheetQueue:
    """Sheets that wait for a decision, and since when the oldest does."""

    state: str
    count: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of files: the setting that names it, and the space of its disk in bytes."""

    store: Store
    setting: str
    path: str
    free: int
    total: int
    exists: bool = True  # it is made when the first file is written

    @property
    def percent_free(self) -> int:
        """Free share of the disk in percent."""
        return self.free * 100 // self.total if self.total else 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where the files of a store lie, and what the last comparison with the rows found there; None: none yet."""

    store: Store
    path: str
    folder: Folder | None  # None: the files lie in a bucket, whose space is that of its server
    count: int | None = None
    size: int | None = None
    missing: int | None = None
    orphans: int | None = None


@dataclass(frozen=True, slots=True)
class Replica:
    """A standby server of the database. Lags are None while nothing is written."""

    name: str
    lag_bytes: int | None
    lag_seconds: float | None


def jobs_by_state() -> dict[tuple[str, str], int]:
    """Number of jobs by (kind, state): the open ones, and those that ended within a day."""
    day = clock.present() - timedelta(days=1)
    rows = Job.objects.filter(Q(state__in=OPEN) | Q(finished_at__gt=day))
    return {
        (kind, state): count
        for kind, state, count in rows.values_list("kind", "state")
        .annotate(Count("pk"))
        .order_by("kind", "state")
    }


def oldest_waiting() -> dict[str, float]:
    """Seconds for which the oldest waiting job of each kind could have been started."""
    now = clock.present()
    rows = Job.objects.filter(state=State_.WAITING, available_at__lte=now)
    return {
        kind: (now - since).total_seconds()
        for kind, since in rows.values_list("kind").annotate(Min("available_at")).order_by("kind")
    }


def last_finished() -> dict[str, datetime]:
    """When a job of each kind was last finished."""
    rows = Job.objects.filter(state=State_.DONE, finished_at__isnull=False)
    return dict(rows.values_list("kind").annotate(Max("finished_at")).order_by("kind"))


def failed_jobs() -> "QuerySet[Job]":
    """Failed jobs of the last days that nobody has retried or discarded, newest first."""
    since = clock.present() - timedelta(days=FAILED_DAYS)
    return Job.objects.filter(state=State_.FAILED, finished_at__gt=since).order_by("-finished_at")


def requesters(jobs: "list[Job]") -> dict[int, User]:
    """The users who requested these jobs, by primary key."""
    return User.objects.in_bulk({job.requested_by for job in jobs if job.requested_by is not None})


def backups() -> dict[str, AuditEvent | None]:
    """The last backup that was made, and the last one that was restored on trial without a fault."""
    return {
        "made": backup_rows.last(backup_rows.MADE),
        "verified": backup_rows.last(backup_rows.VERIFIED),
    }


def sheet_queues() -> list[SheetQueue]:
    """The two queues of review over all rounds."""
    rows = {
        state: (count, oldest)
        for state, count, oldest in Submission.objects.filter(state__in=UNDECIDED)
        .values_list("state")
        .annotate(Count("pk"), Min("updated_at"))
    }
    return [SheetQueue(state, *rows.get(state, (0, None))) for state in UNDECIDED]


def database_connections() -> tuple[dict[str, int], int]:
    """Connections to this database by state, and the limit of the server."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(state, 'other'), count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() GROUP BY 1 ORDER BY 1"
        )
        by_state = dict(cursor.fetchall())
        cursor.execute("SELECT current_setting('max_connections')::int")
        return by_state, cursor.fetchone()[0]


def database_size() -> int:
    """Bytes of this database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


def replicas() -> list[Replica]:
    """Standby servers. Their lags are only visible to roles with pg_monitor."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(application_name, ''),"
            " CASE WHEN pg_is_in_recovery() THEN NULL"
            "      ELSE pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint END,"
            " extract(epoch FROM replay_lag)::float FROM pg_stat_replication ORDER BY 1"
        )
        return [Replica(*row) for row in cursor.fetchall()]


def unsealed_seconds() -> dict[str, float]:
    """Age of the oldest row of each ledger that came after its last block: the lag of sealing."""
    ages = {}
    with connection.cursor() as cursor:
        for ledger in LEDGERS.values():
            cursor.execute(
                f"SELECT coalesce(extract(epoch FROM clock_timestamp() - min(at)), 0)::float FROM {ledger.table}"  # noqa: S608 a table of ours
                " WHERE id > (SELECT coalesce(max(high), 0) FROM survey_ledgerblock WHERE ledger = %s)",
                [ledger.name],
            )
            ages[ledger.name] = max(0.0, cursor.fetchone()[0])
    return ages


def verification() -> tuple[datetime, int] | None:
    """When the ledgers were last verified, and how many faults were found (100 at most are counted); None: never."""
    row = last_verification()
    if row is None:
        return None
    return row.at, len(row.details.get("faults", [])) or int(not row.succeeded)


def broker_queue() -> int:
    """Messages that wait in the default queue of the broker. Raises RedisError."""
    return int(broker(settings.CELERY_BROKER_URL).llen("celery"))


def heartbeats() -> dict[str, float | None]:
    """Seconds since the last sign of beat and of a worker; None: none within an hour. Raises RedisError."""
    return {"beat": age_of(BEAT), "worker": age_of(HEARTBEAT)}


def started_since() -> float | None:
    """Seconds since this web server was started; None after an hour, when it would have seen signs of the others."""
    seconds = running_for()
    return seconds if seconds < MEMORY else None


def folders() -> list[Folder]:
    """Folders of files with the space of their disks. One that is not there yet will lie on the disk of its parent.

    Empty when files lie in a bucket.
    """
    result = []
    for store in Store:
        if not isinstance(storages[store], FolderStorage):
            continue
        name = FOLDERS[store]
        path = Path(getattr(settings, name)).absolute()
        space = shutil.disk_usage(next(part for part in (path, *path.parents) if part.is_dir()))
        result.append(Folder(store, name, str(path), space.free, space.total, exists=path.is_dir()))
    return result


def places() -> list[Place]:
    """Folders and prefixes of the bucket. Files were counted by the last comparison: a list of a bucket takes long."""
    by_store = {folder.store: folder for folder in folders()}
    check = last_check()
    facts = check.details if check else {}
    result = []
    for store in Store:
        folder = by_store.get(store)
        storage: Any = storages[store]
        counts = [facts.get(name, {}).get(store) for name in ("files", "sizes", "missing", "orphans")]
        result.append(Place(store, folder.path if folder else storage.place(), folder, *counts))
    return result


def unapplied_migrations() -> list[str]:
    """Migrations of the program that the database has not had."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _backwards in plan]


def versions() -> Mapping[str, str]:
    """Versions of the program and of what it runs on."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        database = cursor.fetchone()[0]
    return {
        "program": settings.VERSION,
        "Python": platform.python_version(),
        "Django": django.get_version(),
        "PostgreSQL": database,
    }
