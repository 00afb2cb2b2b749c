"""The state of the system as metrics of Prometheus, and the parts of its page."""

from collections.abc import Callable, Iterator
from typing import Any

from django.db import Error as DatabaseFault
from prometheus_client.metrics_core import Metric
from redis.exceptions import RedisError

from config.monitoring.metrics import gauge
from survey import clock
from survey.backups.stored_files.messages import STORES
from survey.backups.stored_files.selectors import last_check
from survey.jobs.kinds import label_of, registered
from survey.operations import selectors
from survey.sentences import Sentence

FAULTS = (DatabaseFault, RedisError, OSError)


def metrics() -> list[Metric]:
    """What is read when Prometheus asks. A part whose server does not answer is left out and marked as down."""
    result: list[Metric] = []
    up: dict[tuple[str, ...], float] = {}
    for name, part in PARTS.items():
        try:
            result += list(part())
        except FAULTS:
            up[(name,)] = 0
        else:
            up[(name,)] = 1
    return [
        *result,
        gauge("survey_part_up", "1 for a part of these metrics that could be read.", ("part",), up),
    ]


def _jobs() -> Iterator[Metric]:
    by_state = selectors.jobs_by_state()
    yield gauge(
        "survey_jobs",
        "Jobs by kind and state: open ones, and those that ended within a day.",
        ("kind", "state"),
        by_state,  # type: ignore[arg-type]  # pairs are tuples
    )
    ages = dict.fromkeys(registered(), 0.0) | selectors.oldest_waiting()
    yield gauge(
        "survey_job_oldest_waiting_seconds",
        "For how long the oldest waiting job of a kind could have been started.",
        ("kind",),
        {(kind,): age for kind, age in ages.items()},
    )
    yield gauge(
        "survey_job_last_finished_timestamp_seconds",
        "When a job of a kind was last finished.",
        ("kind",),
        {(kind,): at.timestamp() for kind, at in selectors.last_finished().items()},
    )


def _sheets() -> Iterator[Metric]:
    queues = selectors.sheet_queues()
    now = clock.present()
    yield gauge(
        "survey_sheets_undecided",
        "Sheets that wait for a decision.",
        ("state",),
        {(queue.state,): queue.count for queue in queues},
    )
    yield gauge(
        "survey_sheets_oldest_seconds",
        "For how long the oldest undecided sheet waits.",
        ("state",),
        {(queue.state,): (now - queue.oldest).total_seconds() if queue.oldest else 0 for queue in queues},
    )


def _database() -> Iterator[Metric]:
    by_state, limit = selectors.database_connections()
    yield gauge(
        "survey_database_connections",
        "Connections to the database of all hosts, by state.",
        ("state",),
        {(state,): count for state, count in by_state.items()},
    )
    yield gauge("survey_database_connections_limit", "max_connections of the server.", (), {(): limit})
    yield gauge("survey_database_size_bytes", "Size of the database.", (), {(): selectors.database_size()})
    replicas = selectors.replicas()
    yield gauge(
        "survey_replication_lag_bytes",
        "Log that a standby server has not replayed.",
        ("standby",),
        {(replica.name,): replica.lag_bytes for replica in replicas if replica.lag_bytes is not None},
    )
    yield gauge(
        "survey_replication_lag_seconds",
        "Time by which a standby server replays later.",
        ("standby",),
        {(replica.name,): replica.lag_seconds for replica in replicas if replica.lag_seconds is not None},
    )


def _processes() -> Iterator[Metric]:
    never = float("inf")
    yield gauge(
        "survey_heartbeat_age_seconds",
        "Time since beat asked for a heartbeat, and since a worker gave one; infinite: not within an hour.",
        ("process",),
        {(name,): never if age is None else age for name, age in selectors.heartbeats().items()},
    )
    yield gauge(
        "survey_broker_queue_messages",
        "Messages that wait in the default queue of the broker.",
        (),
        {(): selectors.broker_queue()},
    )


def _ledgers() -> Iterator[Metric]:
    yield gauge(
        "survey_ledger_unsealed_seconds",
        "Age of the oldest row of a ledger (audit, answers) that is not in a signed block yet.",
        ("ledger",),
        {(name,): age for name, age in selectors.unsealed_seconds().items()},
    )
    verified = selectors.verification()
    yield gauge(
        "survey_ledger_verification_faults",
        "Faults that the last verification of the ledgers found, 100 at most.",
        (),
        {(): verified[1]} if verified else {},
    )
    yield gauge(
        "survey_ledger_verified_timestamp_seconds",
        "When the ledgers were last verified; 0: never.",
        (),
        {(): verified[0].timestamp() if verified else 0},
    )


def _backups() -> Iterator[Metric]:
    yield gauge(
        "survey_backup_last_timestamp_seconds",
        "When a backup was last made, and when one was last restored on trial without a fault; 0: never.",
        ("what",),
        {(what,): event.at.timestamp() if event else 0 for what, event in selectors.backups().items()},
    )


def _folders() -> Iterator[Metric]:
    folders = selectors.folders()
    yield gauge(
        "survey_folder_free_bytes",
        "Free space of the disk of a folder.",
        ("folder",),
        {(folder.setting,): folder.free for folder in folders},
    )
    yield gauge(
        "survey_folder_size_bytes",
        "Size of the disk of a folder.",
        ("folder",),
        {(folder.setting,): folder.total for folder in folders},
    )


def _files() -> Iterator[Metric]:
    check = last_check()
    facts = check.details if check else {}
    for name, text in (
        (
            "missing",
            "Files that rows name and that are missing or have another size, at the last comparison.",
        ),
        ("orphans", "Files older than an hour that no row names, at the last comparison."),
        ("files", "Files of a store, at the last comparison."),
    ):
        counts: dict[tuple[str, ...], float] = {
            (str(store),): float(number) for store, number in facts.get(name, {}).items()
        }
        yield gauge(f"survey_stored_{name}", text, ("store",), counts)
    yield gauge(
        "survey_stored_files_checked_timestamp_seconds",
        "When stored files were last compared with the rows that name them; 0: never.",
        (),
        {(): check.at.timestamp() if check else 0},
    )


PARTS: dict[str, Callable[[], Iterator[Metric]]] = {
    "jobs": _jobs,
    "sheets": _sheets,
    "database": _database,
    "processes": _processes,
    "ledgers": _ledgers,
    "folders": _folders,
    "files": _files,
    "backups": _backups,
}


def attempt[T](function: Callable[[], T]) -> T | None:
    """The result of a query, or None when its server does not answer: the page shows the other parts."""
    try:
        return function()
    except FAULTS:
        return None


def _differences() -> dict[str, Any]:
    """When stored files were last compared with rows, and what was found."""
    check = attempt(last_check)
    facts = check.details if check else {}
    return {
        "checked": check,
        "check_faults": [Sentence.from_document(fault) for fault in facts.get("faults", [])],
        "check_unnamed": facts.get("unnamed", []),
    }


def state_of_the_system() -> dict[str, Any]:
    """The parts of the page, except the failed jobs."""
    connections = attempt(selectors.database_connections)
    counts = attempt(selectors.jobs_by_state) or {}
    ages = attempt(selectors.oldest_waiting) or {}
    finished = attempt(selectors.last_finished) or {}
    kinds = {*registered(), *(kind for kind, _state in counts), *finished}
    states = list(selectors.State_)
    return {
        "versions": attempt(selectors.versions),
        "connections": connections and {"used": sum(connections[0].values()), "limit": connections[1]},
        "size": attempt(selectors.database_size),
        "replicas": attempt(selectors.replicas) or [],
        "unapplied": attempt(selectors.unapplied_migrations),
        "heartbeats": attempt(selectors.heartbeats),
        "started": selectors.started_since(),
        "unsealed": attempt(selectors.unsealed_seconds),
        "queue": attempt(selectors.broker_queue),
        "sheets": attempt(selectors.sheet_queues) or [],
        "places": [(place, STORES[place.store]) for place in attempt(selectors.places) or []],
        **_differences(),
        "backups": attempt(selectors.backups),
        "states": states,
        "kinds": [
            {
                "name": label_of(kind),
                "counts": [(state.label, counts.get((kind, state), 0)) for state in states],
                "waiting": round(ages.get(kind, 0)),
                "finished": finished.get(kind),
            }
            for kind in sorted(kinds, key=label_of)
        ],
    }
