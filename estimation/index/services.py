"""Writes of the composite index: request, compute, resume."""

import logging
from datetime import timedelta
from functools import lru_cache
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from estimation.index import selectors
from estimation.index.compute import index_document, respondents
from estimation.index.models import IndexResult
from estimation.runs import program
from estimation.runs.compute.spec import digest
from estimation.runs.messages import reason_of
from estimation.runs.models import EstimationRun
from survey import audit
from survey.access.models import User
from survey.access.roles import Permission
from survey.access.scope import may
from survey.exceptions import PolicyDenied
from survey.sentences import Sentence

logger = logging.getLogger(__name__)
State = EstimationRun.State
LOST_AFTER = timedelta(
    minutes=10
)  # an index takes seconds; the longest silence of a living worker is far below
ENTRIES = (
    *program.ENTRIES,
    *(f"estimation/index/{name}.py" for name in ("compute", "importance", "selectors")),
)
LIBRARIES = (*program.LIBRARIES, "scikit-learn", "threadpoolctl")


@lru_cache(maxsize=1)
def code_version() -> str:
    """Hash of the program that computes an index: that of a run, and what is added to it."""
    return program.program_hash(ENTRIES, LIBRARIES)


@transaction.atomic
def request_index(*, run: EstimationRun, by: User | None, seed: int = 0) -> tuple[IndexResult, bool]:
    """The index of a run with the replicates that it has, and whether it has to be computed.

    ``by`` None is the sweep or an operator. Raises PermissionDenied, PolicyDenied (an unfinished run).
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
    if not created and row.state == State.FAILED:
        row.state, row.error, row.requested_at, row.requested_by = (
            State.QUEUED,
            Sentence(),
            timezone.now(),
            by,
        )
        row.save()
        created = True
    if created:
        audit.record(by=by, action="request_index", subject=run, input_hash=row.input_hash)
    return row, row.state == State.QUEUED


def compute_index(index_id: int) -> bool:
    """Compute a queued index and store it. False when it was not there to be claimed; safe to deliver twice."""
    claimed = IndexResult.objects.filter(pk=index_id, state=State.QUEUED).update(
        state=State.RUNNING, started_at=timezone.now()
    )
    if not claimed:
        return False
    row = IndexResult.objects.select_related(
        "run__round", "run__microdata__round", "run__microdata__layout", "run__design__round", "bootstrap"
    ).get(pk=index_id)
    try:
        document = computed(row)
    except DatabaseError:
        raise
    except Exception as error:
        logger.exception("index %s failed", index_id)
        IndexResult.objects.filter(pk=index_id, state=State.RUNNING).update(
            state=State.FAILED, error=reason_of(error)
        )
        return True
    with transaction.atomic():
        stored = IndexResult.objects.filter(pk=index_id, state=State.RUNNING).update(
            state=State.FINISHED, document=document, result_hash=digest(document), finished_at=timezone.now()
        )
        if stored:
            audit.record(
                by=row.requested_by, action="finish_index", subject=row.run, result_hash=digest(document)
            )
    return True


def computed(row: IndexResult) -> dict[str, Any]:
    """The document of an index: deterministic from the run, its replicates and the seed."""
    from estimation.index.importance import (
        importance,
    )  # scikit-learn is loaded where it computes, not by pages

    seed = int(digest([row.run.input_hash, "index", row.seed])[:8], 16)
    features, outside = respondents(selectors.respondent_year(row.run))
    learned = importance(features, outside, seed=seed)
    return index_document(selectors.all_places(row.run, row.bootstrap), learned, seed=seed)


def waiting_indices() -> list[int]:
    """Put back what its worker left, ask for the index of every round's newest run, and list what waits."""
    now = timezone.now()
    IndexResult.objects.filter(state=State.RUNNING, started_at__lt=now - LOST_AFTER).update(
        state=State.QUEUED
    )
    newest = (
        EstimationRun.objects.filter(state=State.FINISHED)
        .order_by("round_id", "-finished_at")
        .distinct("round_id")
    )
    for run in newest.select_related("round"):
        request_index(run=run, by=None)
    return list(IndexResult.objects.filter(state=State.QUEUED).values_list("pk", flat=True))
