"""Writes of the bootstrap of a run: request, compute a chunk, gather, cancel, resume.

A chunk is a row; the worker that computes it writes its replicates there, once. The last chunk to finish gathers all
rows into standard errors, in one transaction. A chunk that is delivered twice, or whose worker dies, changes nothing.
"""

import hashlib
import os
import socket
import time
from collections.abc import Callable

import numpy as np
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from estimation.methods.arrays import Floats
from estimation.methods.estimators.bootstrap import combine
from estimation.runs.bootstrap.models import Bootstrap, BootstrapChunk, ReplicateEstimate
from estimation.runs.bootstrap.selectors import frame_of, replicates_of
from estimation.runs.compute.cells import Cell
from estimation.runs.compute.replicates import chained
from estimation.runs.compute.spec import digest
from estimation.runs.compute.summary import RunSummary
from estimation.runs.messages import PROGRAM_CHANGED
from estimation.runs.models import Estimate, EstimationRun
from estimation.runs.program import code_version
from survey import audit, clock
from survey.access.models import User
from survey.access.roles import Permission
from survey.access.scope import may
from survey.exceptions import PolicyDenied
from survey.jobs import services as jobs
from survey.jobs.kinds import Cancelled
from survey.jobs.models import Job
from survey.jobs.services import Work
from survey.sentences import Sentence

State = EstimationRun.State
ACTIVE = (State.QUEUED, State.RUNNING)
CHUNK = 25
MOST = 5000
BEAT = min(3.0, settings.RUN_LOST_SECONDS / 3)  # seconds between two heartbeats
_INPUTS = (
    "run__round",
    "run__microdata__round",
    "run__microdata__layout",
    "run__design__round",
    "run__design",
)


@transaction.atomic
def request_bootstrap(
    *,
    run: EstimationRun,
    replicates: int,
    by: User | None,
    seed: int = 0,
    chunk: int = CHUNK,
    send: bool = True,
) -> tuple[Bootstrap, bool]:
    """The bootstrap of a run with so many replicates, and whether it has to be computed.

    ``by`` None is an operator. Without ``send`` no message is sent to the workers.
    Raises PermissionDenied, PolicyDenied (an unfinished run, an impossible number).
    """
    if by is not None and not may(by, Permission.RUN_ESTIMATION):
        raise PermissionDenied
    if run.state != State.FINISHED:
        raise PolicyDenied(_("Only a finished run can be replicated."))
    if not 2 <= replicates <= MOST or chunk < 1:
        raise PolicyDenied(_("The number of replicates must lie between 2 and %(most)s.") % {"most": MOST})
    row, created = Bootstrap.objects.select_for_update().get_or_create(
        run=run, replicates=replicates, seed=seed, code_version=code_version(), defaults={"requested_by": by}
    )
    if created:
        BootstrapChunk.objects.bulk_create(
            BootstrapChunk(bootstrap=row, first=first, count=min(chunk, replicates - first))
            for first in range(0, replicates, chunk)
        )
    elif row.state in (State.FAILED, State.CANCELLED):
        _reset(row, by)
    else:
        return row, False
    if send:
        enqueue_chunks(row)
    audit.record(by=by, action="request_bootstrap", subject=run, replicates=replicates, seed=seed)
    return row, True


@transaction.atomic
def restart_bootstrap(row: Bootstrap) -> Bootstrap:
    """Delete every replicate, to measure the time again; the measured times remain."""
    locked = Bootstrap.objects.select_for_update().get(pk=row.pk)
    _reset(locked, locked.requested_by)
    return locked


def enqueue_chunks(row: Bootstrap, *, queue: str = "") -> list[Job]:
    """A job for each chunk without result."""
    missing = row.chunks.filter(finished_at=None).order_by("first").values_list("pk", flat=True)
    return [jobs.enqueue("bootstrap_chunk", pk, queue=queue) for pk in missing]


def was_sent(row: Bootstrap) -> bool:
    """False while the message of a waiting chunk has not been sent, and is not sent after the transaction."""
    keys = [str(pk) for pk in row.chunks.values_list("pk", flat=True)]
    waiting = Job.objects.filter(kind="bootstrap_chunk", key__in=keys, state=Job.State.WAITING)
    return not waiting.filter(sent_at=None).exists() or jobs.will_be_sent()


def _reset(row: Bootstrap, by: User | None) -> None:
    row.chunks.update(rows=None, finished_at=None, seconds=None, worker="")
    ReplicateEstimate.objects.filter(bootstrap=row).delete()
    row.state, row.error, row.result_hash = State.QUEUED, Sentence(), ""
    row.started_at = row.finished_at = None
    row.requested_at, row.requested_by = clock.present(), by
    row.save()


@transaction.atomic
def cancel_bootstrap(row: Bootstrap, *, by: User) -> Bootstrap:
    """Stop a bootstrap: waiting chunks are not computed, a running chunk stops at its next replicate.

    Raises PermissionDenied, PolicyDenied when it has ended.
    """
    if not may(by, Permission.RUN_ESTIMATION):
        raise PermissionDenied
    locked = Bootstrap.objects.select_for_update().get(pk=row.pk)
    if locked.state not in ACTIVE:
        raise PolicyDenied(_("This bootstrap is over and cannot be cancelled."))
    locked.state, locked.finished_at = State.CANCELLED, clock.present()
    locked.save()
    audit.record(by=by, action="cancel_bootstrap", subject=locked.run, replicates=locked.replicates)
    return locked


def compute_chunk(work: Work) -> None:
    """Compute the chunk that is the key of a job and store it; the last chunk enqueues the gathering.

    The replicates do not depend on the worker. Raises PolicyDenied when the program has changed since.
    """
    chunk = BootstrapChunk.objects.select_related("bootstrap", *(f"bootstrap__{p}" for p in _INPUTS)).get(
        pk=int(work.job.key)
    )
    row = chunk.bootstrap
    if row.state not in ACTIVE or chunk.finished_at is not None:
        return
    now = clock.present()
    Bootstrap.objects.filter(pk=row.pk, state=State.QUEUED).update(state=State.RUNNING, started_at=now)
    if row.code_version != code_version():
        raise PolicyDenied(PROGRAM_CHANGED())
    begun = time.perf_counter()
    rows = frame_of(row.run).rows(
        seed=seed_of(row), first=chunk.first, count=chunk.count, beat=_beat(work, row.pk, chunk.count)
    )
    with work.store():
        locked = Bootstrap.objects.select_for_update(of=("self",)).get(pk=row.pk)
        if locked.state not in ACTIVE:
            raise Cancelled
        BootstrapChunk.objects.filter(pk=chunk.pk, finished_at=None).update(
            rows=_packed(rows),
            finished_at=clock.present(),
            seconds=round(time.perf_counter() - begun, 3),
            worker=_worker(),
        )
        if not locked.chunks.filter(finished_at=None).exists():
            jobs.enqueue("bootstrap_gather", row.pk, queue=work.job.queue)


def _worker() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"[:100]


def _beat(work: Work, bootstrap_id: int, count: int) -> Callable[[], None]:
    """A heartbeat every few seconds; raises Cancelled when the bootstrap was stopped."""
    last, done = time.monotonic(), 0

    def beat() -> None:
        nonlocal last, done
        done += 1
        if time.monotonic() - last < BEAT:
            return
        last = time.monotonic()
        work.progress(done, count)
        if not Bootstrap.objects.filter(pk=bootstrap_id, state__in=ACTIVE).exists():
            raise Cancelled

    return beat


def end_bootstrap(job: Job) -> None:
    """End the bootstrap of an abandoned chunk or gathering; its other chunks are skipped."""
    if job.state == Job.State.CANCELLED:
        return
    of = Q(pk=int(job.key)) if job.kind == "bootstrap_gather" else Q(chunks=int(job.key))
    Bootstrap.objects.filter(pk__in=Bootstrap.objects.filter(of).values("pk"), state__in=ACTIVE).update(
        state=State.FAILED, error=job.error, finished_at=clock.present()
    )


def seed_of(row: Bootstrap) -> int:
    """The seed of the replicates: from the run's inputs and the requested number."""
    return int(digest([row.run.input_hash, row.seed])[:16], 16)


def _packed(rows: Floats) -> bytes:
    return np.ascontiguousarray(rows, dtype=">f8").tobytes()


def external_of(run: EstimationRun) -> dict[str, float]:
    """External values of the run's own year."""
    summary: RunSummary = run.summary
    return summary.external_of(run.round.year)


def gather(work: Work) -> None:
    """Turn all chunks of the bootstrap that is the key of a job into standard errors."""
    with work.store():
        row = (
            Bootstrap.objects.select_for_update(of=("self",))
            .select_related("run__round", "run__microdata__round")
            .get(pk=int(work.job.key))
        )
        if row.state in ACTIVE and not row.chunks.filter(finished_at=None).exists():
            _combine(row)


def _combine(row: Bootstrap) -> None:
    frame, rows = frame_of(row.run), replicates_of(row)
    chains, chain_rows = chained(frame.cells, rows, external_of(row.run))
    value = frame.value
    _, chain_value = chained(frame.cells, value[None, :], external_of(row.run))
    cells, values = (*frame.cells, *chains), np.concatenate([value, chain_value[0]])
    every = np.concatenate([rows, chain_rows], axis=1)
    result = combine(values, every, level=frame.spec.level)
    lower, upper = result.percentiles()
    linear = _linear(row.run, cells)
    ReplicateEstimate.objects.bulk_create(
        (
            ReplicateEstimate(
                bootstrap=row,
                variable=cell.variable,
                statistic=cell.statistic,
                domain_kind=cell.kind,
                domain_code=cell.code,
                value=float(values[s]),
                se=float(result.se[s]),
                lower=float(lower[s]),
                upper=float(upper[s]),
                linear_se=linear.get(cell),
            )
            for s, cell in enumerate(cells)
            if values[s] != 0 or result.se[s] != 0
        ),
        batch_size=2000,
    )
    row.state, row.finished_at = State.FINISHED, clock.present()
    row.result_hash = hashlib.sha256(_packed(values) + _packed(every)).hexdigest()
    row.save()
    audit.record(by=row.requested_by, action="finish_bootstrap", subject=row.run, result_hash=row.result_hash)


def _linear(run: EstimationRun, cells: tuple[Cell, ...]) -> dict[Cell, float]:
    rows = Estimate.objects.filter(
        run=run,
        year=run.round.year,
        variable__in={cell.variable for cell in cells},
        se__isnull=False,
        statistic__in={cell.statistic for cell in cells},
        domain_kind__in={cell.kind for cell in cells},
    ).values_list("year", "variable", "statistic", "domain_kind", "domain_code", "se")
    return {
        Cell(year, variable, statistic, kind, code): se
        for year, variable, statistic, kind, code, se in rows
        if se is not None
    }
