"""Writes of the composite index: request, compute, resume."""

from functools import lru_cache
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from estimation.index import selectors
from estimation.index.compute import index_document, respondents
from estimation.index.models import IndexResult
from estimation.runs import program
from estimation.runs.compute.spec import digest
from estimation.runs.models import EstimationRun
from survey import audit, clock
from survey.access.models import User
from survey.access.roles import Permission
from survey.access.scope import may
from survey.exceptions import PolicyDenied
from survey.jobs.models import Job
from survey.jobs.services import Work, enqueue
from survey.sentences import Sentence

State = EstimationRun.State
ENTRIES = (
    *program.ENTRIES,
    *(f"estimation/index/{name}.py" for name in ("compute", "importance", "selectors")),
)
LIBRARIES = (*program.LIBRARIES, "scikit-learn", "threadpoolctl")


@lru_cache(maxsize=1)
def code_version() -> str:
    """Hash of the program that computes an index: the program of a run and the modules of the index."""
    return program.program_hash(ENTRIES, LIBRARIES)


@transaction.atomic
def request_index(
    *, run: EstimationRun, by: User | None, seed: int = 0, again: bool = True
) -> tuple[IndexResult, bool]:
    """The index of a run with its current replicates, and whether it has to be computed.

    A failed index is computed again unless ``again`` is false. ``by`` None is the sweep or an operator.
    Raises PermissionDenied, PolicyDenied (an unfinished run).
    """
    if by is not None and not may(by, Permission.RUN_ESTIMATION):
        raise PermissionDenied
    if run.state != State.FINISHED:
        raise PolicyDenied(_("Only a finished run has an index."))
    bootstrap = selectors.newest_replicates(run)
    inputs = {
        "run": run.result_hash,
        "inputs": run.input_hash,
        "seed": seed,
        "code": code_version(),
        "replicates": bootstrap.result_hash if bootstrap else None,
    }
    row, created = IndexResult.objects.select_for_update(of=("self",)).get_or_create(
        input_hash=digest(inputs),
        defaults={"run": run, "bootstrap": bootstrap, "seed": seed, "requested_by": by},
    )
    if created or (again and row.state == State.FAILED):
        row.state, row.error, row.requested_at, row.requested_by = (
            State.QUEUED,
            Sentence(),
            clock.present(),
            by,
        )
        row.job = enqueue("index", row.pk, by=by)
        row.save()
        audit.record(by=by, action="request_index", subject=run, input_hash=row.input_hash)
    return row, row.state == State.QUEUED


def compute_index(work: Work) -> None:
    """Compute the index of a job and store it."""
    row = IndexResult.objects.select_related(
        "run__round", "run__microdata__round", "run__microdata__layout", "run__design__round", "bootstrap"
    ).get(job=work.job)
    IndexResult.objects.filter(pk=row.pk).update(state=State.RUNNING, started_at=clock.present())
    document = computed(row)
    with work.store():
        IndexResult.objects.filter(pk=row.pk).update(
            state=State.FINISHED, document=document, result_hash=digest(document), finished_at=clock.present()
        )
        audit.record(
            by=row.requested_by, action="finish_index", subject=row.run, result_hash=digest(document)
        )


def end_index(job: Job) -> None:
    """Set the index of an abandoned job to failed."""
    IndexResult.objects.filter(job=job).update(state=State.FAILED, error=job.error)


def wait_again(job: Job) -> None:
    """Set the index of a requeued job back to queued."""
    IndexResult.objects.filter(job=job).update(state=State.QUEUED)


def computed(row: IndexResult) -> dict[str, Any]:
    """The document of an index: deterministic from the run, its replicates and the seed."""
    from estimation.index.importance import (
        importance,
    )  # imported here so that pages do not load scikit-learn

    seed = int(digest([row.run.input_hash, "index", row.seed])[:8], 16)
    features, outside = respondents(selectors.respondent_year(row.run))
    learned = importance(features, outside, seed=seed)
    return index_document(selectors.all_domains(row.run, row.bootstrap), learned, seed=seed)


def request_missing() -> list[IndexResult]:
    """Request the index of every round's newest run; a failed index is not requested again."""
    newest = (
        EstimationRun.objects.filter(state=State.FINISHED)
        .order_by("round_id", "-finished_at")
        .distinct("round_id")
    )
    requested = [request_index(run=run, by=None, again=False) for run in newest.select_related("round")]
    return [row for row, waits in requested if waits]
