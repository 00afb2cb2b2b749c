"""Writes of the bootstrap of a run: request, compute a chunk, gather, cancel, resume.

A chunk is a row; whoever computes it writes its replicates there, once. The last one to finish gathers all rows
into standard errors, in one transaction. A chunk that is delivered twice, or whose worker dies, changes nothing.
"""

import hashlib
import logging
import os
import socket
import time
from collections.abc import Callable

import numpy as np
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.db.models import F, Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from estimation.design.strata import Floats
from estimation.methods.estimators.bootstrap import combine
from estimation.runs.bootstrap.models import Bootstrap, BootstrapChunk, ReplicateEstimate
from estimation.runs.bootstrap.selectors import frame_of, replicates_of
from estimation.runs.compute.contributions import Cell
from estimation.runs.compute.pipeline import Cancelled
from estimation.runs.compute.replicates import chained
from estimation.runs.compute.spec import digest
from estimation.runs.compute.summary import RunSummary
from estimation.runs.messages import CHUNK_LOST, PROGRAM_CHANGED, reason_of
from estimation.runs.models import Estimate, EstimationRun
from estimation.runs.program import code_version
from estimation.runs.services import ATTEMPTS, LOST_AFTER
from survey import audit
from survey.access.models import User
from survey.access.roles import Permission
from survey.access.scope import may
from survey.exceptions import PolicyDenied
from survey.sentences import Sentence

logger = logging.getLogger(__name__)
State = EstimationRun.State
ACTIVE = (State.QUEUED, State.RUNNING)
CHUNK = 25
MOST = 5000
BEAT = 3.0  # seconds between two signs of life
_INPUTS = (
    "run__round",
    "run__microdata__round",
    "run__microdata__layout",
    "run__design__round",
    "run__design",
)


@transaction.atomic
def request_bootstrap(
    *, run: EstimationRun, replicates: int, by: User | None, seed: int = 0, chunk: int = CHUNK
) -> tuple[Bootstrap, bool]:
    """The bootstrap of a run with so many replicates, and whether it has to be computed.

    ``by`` None is an operator. Raises PermissionDenied, PolicyDenied (an unfinished run, an impossible number).
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
    audit.record(by=by, action="request_bootstrap", subject=run, replicates=replicates, seed=seed)
    return row, True


@transaction.atomic
def restart_bootstrap(row: Bootstrap) -> Bootstrap:
    """Forget every replicate, to measure the time again; the measured times stay."""
    locked = Bootstrap.objects.select_for_update().get(pk=row.pk)
    _reset(locked, locked.requested_by)
    return locked


def _reset(row: Bootstrap, by: User | None) -> None:
    row.chunks.update(rows=None, finished_at=None, claimed_at=None, attempts=0, seconds=None, worker="")
    ReplicateEstimate.objects.filter(bootstrap=row).delete()
    row.state, row.error, row.cancel_requested, row.result_hash = State.QUEUED, Sentence(), False, ""
    row.started_at = row.finished_at = None
    row.requested_at, row.requested_by = timezone.now(), by
    row.save()


@transaction.atomic
def cancel_bootstrap(row: Bootstrap, *, by: User) -> Bootstrap:
    """Stop a bootstrap: chunks that wait are not computed, the one in work stops at its next replicate.

    Raises PermissionDenied, PolicyDenied when it is over.
    """
    if not may(by, Permission.RUN_ESTIMATION):
        raise PermissionDenied
    locked = Bootstrap.objects.select_for_update().get(pk=row.pk)
    if locked.state not in ACTIVE:
        raise PolicyDenied(_("This bootstrap is over and cannot be cancelled."))
    locked.state, locked.cancel_requested, locked.finished_at = State.CANCELLED, True, timezone.now()
    locked.save()
    audit.record(by=by, action="cancel_bootstrap", subject=locked.run, replicates=locked.replicates)
    return locked


def waiting_chunks(row: Bootstrap) -> list[int]:
    """Chunks that nobody has computed yet."""
    return list(row.chunks.filter(finished_at=None).order_by("first").values_list("pk", flat=True))


def compute_chunk(chunk_id: int) -> bool:
    """Compute one chunk and store it; gather when it was the last. False when there was nothing to compute.

    Safe to run twice and at the same time: the replicates are the same, and the first to store them wins.
    """
    chunk = BootstrapChunk.objects.select_related("bootstrap", *(f"bootstrap__{p}" for p in _INPUTS)).get(
        pk=chunk_id
    )
    row = chunk.bootstrap
    if row.state not in ACTIVE:
        return False
    if chunk.finished_at is not None:
        gather(row.pk)
        return False
    now = timezone.now()
    Bootstrap.objects.filter(pk=row.pk, state=State.QUEUED).update(state=State.RUNNING, started_at=now)
    BootstrapChunk.objects.filter(pk=chunk_id, finished_at=None).update(
        claimed_at=now, attempts=F("attempts") + 1, worker=_worker()
    )
    if row.code_version != code_version():
        _fail(row.pk, PROGRAM_CHANGED())
        return True
    begun = time.perf_counter()
    try:
        rows = frame_of(row.run).rows(
            seed=seed_of(row), first=chunk.first, count=chunk.count, beat=_beat(chunk_id, row.pk)
        )
    except Cancelled:
        return True
    except DatabaseError:
        raise
    except Exception as error:
        logger.exception("chunk %s of bootstrap %s failed", chunk.first, row.pk)
        _fail(row.pk, reason_of(error))
        return True
    BootstrapChunk.objects.filter(pk=chunk_id, finished_at=None, bootstrap__state__in=ACTIVE).update(
        rows=_packed(rows), finished_at=timezone.now(), seconds=round(time.perf_counter() - begun, 3)
    )
    gather(row.pk)
    return True


def _worker() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"[:100]


def _beat(chunk_id: int, bootstrap_id: int) -> Callable[[], None]:
    """A sign of life every few seconds; raises Cancelled when somebody stopped the bootstrap."""
    last = time.monotonic()

    def beat() -> None:
        nonlocal last
        if time.monotonic() - last < BEAT:
            return
        last = time.monotonic()
        BootstrapChunk.objects.filter(pk=chunk_id, finished_at=None).update(claimed_at=timezone.now())
        if not Bootstrap.objects.filter(pk=bootstrap_id, state__in=ACTIVE).exists():
            raise Cancelled

    return beat


def _fail(bootstrap_id: int, sentence: Sentence) -> None:
    Bootstrap.objects.filter(pk=bootstrap_id, state__in=ACTIVE).update(
        state=State.FAILED, error=sentence, finished_at=timezone.now()
    )


def seed_of(row: Bootstrap) -> int:
    """The seed of the replicates: of the run's inputs and the number that was asked for."""
    return int(digest([row.run.input_hash, row.seed])[:16], 16)


def _packed(rows: Floats) -> bytes:
    return np.ascontiguousarray(rows, dtype=">f8").tobytes()


def external_of(run: EstimationRun) -> dict[str, float]:
    """External values of the run's own year."""
    summary: RunSummary = run.summary
    return summary.external_of(run.round.year)


@transaction.atomic
def gather(bootstrap_id: int) -> bool:
    """Turn all chunks into standard errors; False while one is missing or when somebody else has done it."""
    row = (
        Bootstrap.objects.select_for_update(of=("self",))
        .select_related("run__round", "run__microdata__round")
        .get(pk=bootstrap_id)
    )
    if row.state not in ACTIVE or row.chunks.filter(finished_at=None).exists():
        return False
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
    row.state, row.finished_at = State.FINISHED, timezone.now()
    row.result_hash = hashlib.sha256(_packed(values) + _packed(every)).hexdigest()
    row.save()
    audit.record(by=row.requested_by, action="finish_bootstrap", subject=row.run, result_hash=row.result_hash)
    return True


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


def lost_chunks() -> list[int]:
    """Give up what died too often; keys of the chunks whose worker went silent or whose message was lost."""
    now = timezone.now()
    active = Bootstrap.objects.filter(state__in=ACTIVE)
    silent = Q(claimed_at__lt=now - LOST_AFTER)
    for row in active.filter(chunks__attempts__gte=ATTEMPTS).distinct():
        if row.chunks.filter(silent, attempts__gte=ATTEMPTS, finished_at=None).exists():
            _fail(row.pk, CHUNK_LOST(count=ATTEMPTS))
    again: list[int] = []
    for row in active.all():
        last = row.chunks.aggregate(beat=Max("claimed_at"), done=Max("finished_at"))
        quiet = max(one for one in (row.requested_at, last["beat"], last["done"]) if one is not None)
        missing = row.chunks.filter(finished_at=None)
        if not missing.exists():  # everything is computed and whoever gathered it died
            again += row.chunks.values_list("pk", flat=True)[:1]
        elif quiet < now - LOST_AFTER:
            again += missing.values_list("pk", flat=True)
        else:
            again += missing.filter(silent).values_list("pk", flat=True)
    return sorted(set(again))
