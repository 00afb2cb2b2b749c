"""Writes of estimation runs: request, compute, store, cancel.

A run is a row identified by the hash of its inputs, computed by a job. Everything is computed in memory and replaces
the stored results in one transaction, so a run that is delivered twice, killed or repeated leaves one result.
"""

import resource
import sys
import time
from dataclasses import replace
from functools import partial
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from estimation.design.models import SampleDesign
from estimation.design.selectors import latest_design
from estimation.external.models import ExternalSeries
from estimation.runs import storage
from estimation.runs.compute.pipeline import Result, compute
from estimation.runs.compute.spec import CROSSED, DERIVED, RunSpec, digest
from estimation.runs.compute.summary import ExternalValue, Measured, RunSummary
from estimation.runs.extraction.selectors import read_year
from estimation.runs.models import EstimationRun
from estimation.runs.program import code_version
from survey import audit, clock
from survey.access.models import User
from survey.access.roles import Permission
from survey.access.scope import may
from survey.collection.models import CollectionRound
from survey.exceptions import PolicyDenied
from survey.jobs import services as jobs
from survey.jobs.models import Job
from survey.jobs.services import Report, Work
from survey.microdata.models import MicrodataVersion
from survey.microdata.services import freeze_version
from survey.sentences import Sentence

State = EstimationRun.State
HISTORY_YEARS = 10


def external_values(years: tuple[int, ...]) -> list[dict[str, Any]]:
    """The newest approved version of every external number of the years."""
    rows: dict[tuple[str, int], ExternalSeries] = {}
    approved = ExternalSeries.objects.filter(year__in=years, approved_at__isnull=False)
    for row in approved.order_by("code", "year", "version"):
        rows[row.code, row.year] = row
    return [
        {"code": code, "year": year, "version": row.version, "value": str(row.value), "unit": row.unit}
        for (code, year), row in sorted(rows.items())
    ]


@transaction.atomic
def request_run(
    *,
    round: CollectionRound,
    by: User | None,
    spec: RunSpec,
    microdata: MicrodataVersion | None = None,
    send: bool = True,
) -> tuple[EstimationRun, bool]:
    """The run of these inputs, and whether it has to be computed.

    Without ``microdata`` the accepted sheets are frozen now. The same inputs give the same row; a
    failed or cancelled run is queued again. ``by`` None is an operator or the sweep. Without ``send`` no message
    is sent to the workers: the caller computes it.
    Raises PermissionDenied, PolicyDenied (no design, nothing accepted, a snapshot of another round or without an item).
    """
    if by is not None and not may(by, Permission.RUN_ESTIMATION):
        raise PermissionDenied
    if microdata is not None and microdata.round_id != round.pk:
        raise PolicyDenied(_("The snapshot belongs to another round."))
    design = latest_design(round)
    if design is None:
        raise PolicyDenied(
            _("Round %(year)s has no sample design, so no weights can be made.") % {"year": round.year}
        )
    frozen = microdata or freeze_version(round=round, by=by)
    if frozen.size == 0:
        raise PolicyDenied(_("No sheet of round %(year)s has been accepted yet.") % {"year": round.year})
    asked = {*spec.variables, *(set(spec.crossed) - {*CROSSED, *DERIVED})}
    if unknown := asked - {entry["code"] for entry in frozen.layout.variables}:
        raise PolicyDenied(_("The snapshot has no item %(code)s.") % {"code": min(unknown)[:40]})
    earlier = CollectionRound.objects.filter(year=round.year - 1).first()
    previous, previous_design = _previous(earlier, by)
    # Figures and forecasts use more years than the two of the survey.
    external = external_values(tuple(range(round.year - HISTORY_YEARS, round.year + 1)))
    inputs = {
        "microdata": frozen.content_hash,
        "previous_microdata": previous.content_hash if previous else None,
        "design": _design_key(design),
        "previous_design": _design_key(previous_design),
        "external": external,
        "spec": spec.to_json(),
        "code": code_version(),
    }
    run, created = EstimationRun.objects.select_for_update().get_or_create(
        input_hash=digest(inputs),
        defaults={
            "round": round,
            "microdata": frozen,
            "previous_microdata": previous,
            "design": design,
            "previous_design": previous_design,
            "spec": spec.to_json(),
            "code_version": code_version(),
            "requested_by": by,
            "summary": RunSummary(external=tuple(ExternalValue(**value) for value in external)),
        },
    )
    if created or run.state in (State.FAILED, State.CANCELLED):
        run.state, run.error = State.QUEUED, Sentence()
        run.requested_at, run.requested_by = clock.present(), by
        run.job = jobs.enqueue("run", run.pk, by=by, send=send)
        run.save()
        audit.record(by=by, action="request_run", subject=run, round=round.year, input_hash=run.input_hash)
    return run, run.state == State.QUEUED


def _previous(
    earlier: CollectionRound | None, by: User | None
) -> tuple[MicrodataVersion | None, SampleDesign | None]:
    """Last year's accepted sheets and design; both or neither."""
    design = latest_design(earlier) if earlier else None
    if earlier is None or design is None:
        return None, None
    version = freeze_version(round=earlier, by=by)
    return (version, design) if version.size else (None, None)


def _design_key(design: SampleDesign | None) -> list[Any] | None:
    return None if design is None else [design.round.year, design.number, design.content_hash]


@transaction.atomic
def cancel_run(run: EstimationRun, *, by: User) -> EstimationRun:
    """Stop a run: immediately while it waits, at its next step while it is computed.

    Raises PermissionDenied, PolicyDenied when it has ended.
    """
    if not may(by, Permission.RUN_ESTIMATION):
        raise PermissionDenied
    if run.job_id is None or not jobs.cancel(run.job_id):
        raise PolicyDenied(_("This run is over and cannot be cancelled."))
    audit.record(by=by, action="cancel_run", subject=run, input_hash=run.input_hash)
    run.refresh_from_db()
    return run


def execute_run(run_id: int, *, report: Report | None = None) -> bool:
    """Compute a queued run in this process. False when it could not be claimed."""
    job_id = EstimationRun.objects.values_list("job_id", flat=True).get(pk=run_id)
    return job_id is not None and jobs.run(job_id, report=report)


def do_run(work: Work) -> None:
    """Compute the run of a job and store it."""
    run = EstimationRun.objects.select_related(
        "microdata__round",
        "microdata__layout",
        "previous_microdata__round",
        "previous_microdata__layout",
        "design__round",
        "previous_design__round",
        "round",
    ).get(job=work.job)
    EstimationRun.objects.filter(pk=run.pk).update(state=State.RUNNING, started_at=clock.present())
    beat = _Stages(work)
    result = _computed(run, beat)
    beat("store", 84)
    with work.store():
        _store(run, result, beat)


def end_run(job: Job) -> None:
    """Set the run of a job without result to the state of the job."""
    state = State.CANCELLED if job.state == Job.State.CANCELLED else State.FAILED
    EstimationRun.objects.filter(job=job).update(state=state, error=job.error, finished_at=clock.present())


def wait_again(job: Job) -> None:
    """Set the run of a requeued job back to queued."""
    EstimationRun.objects.filter(job=job).update(state=State.QUEUED)


def _computed(run: EstimationRun, beat: "_Stages") -> Result:
    spec = RunSpec.from_json(run.spec)
    read = partial(read_year, use_edited=spec.use_edited, use_imputed=spec.use_imputed)
    beat("read", 1)
    now = read(run.microdata, run.design, variables=spec.variables)
    before = None
    if run.previous_microdata is not None and run.previous_design is not None:
        beat("read", 8)
        before = read(run.previous_microdata, run.previous_design)
    return compute(now, before, spec, beat)


def _store(run: EstimationRun, result: Result, beat: "_Stages") -> None:
    row = EstimationRun.objects.get(pk=run.pk)
    storage.replace_results(row, result)
    row.state, row.finished_at, row.result_hash = State.FINISHED, clock.present(), result.content_hash
    row.summary = replace(result.summary, external=row.summary.external)
    row.measured, row.supersedes = beat.measured(), _current(row.round)
    row.save()
    audit.record(by=row.requested_by, action="finish_run", subject=row, result_hash=row.result_hash)


def _current(round: CollectionRound) -> EstimationRun | None:
    """The finished run of a round that no other has superseded. Locks the round, so that two do not supersede it."""
    CollectionRound.objects.select_for_update().get(pk=round.pk)
    return EstimationRun.objects.filter(round=round, state=State.FINISHED, superseded_by__isnull=True).first()


class _Stages:
    """Reports stage and percentage to the job, and measures the time of each stage."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.seconds: dict[str, float] = {}
        self.stage, self.since = "read", time.perf_counter()
        self.begun = self.since
        self.percent = 0

    def __call__(self, stage: str, percent: int) -> None:
        """Send a heartbeat. Raises Cancelled, or LostClaim when another worker has claimed the job."""
        self._turn(stage)
        self.percent = max(self.percent, percent)  # the stages of the two years interleave
        self.work.progress(self.percent, stage=stage)

    def _turn(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[self.stage] = self.seconds.get(self.stage, 0.0) + now - self.since
        self.stage, self.since = stage, now

    def measured(self) -> Measured:
        """Seconds of every stage and the peak memory of this process."""
        self._turn(self.stage)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return Measured(
            {stage: round(seconds, 3) for stage, seconds in self.seconds.items()},
            round(time.perf_counter() - self.begun, 3),
            round(peak / (1 << 20 if sys.platform == "darwin" else 1 << 10), 1),
        )


def stale_rounds() -> list[CollectionRound]:
    """Rounds with a design whose sheets were decided after their newest run was requested."""
    from survey.microdata.selectors import latest_decision

    stale = []
    for round in CollectionRound.objects.exclude(state=CollectionRound.State.PLANNED):
        decided = latest_decision(round)
        newest = EstimationRun.objects.filter(round=round).order_by("-requested_at").first()
        if decided and latest_design(round) and (newest is None or newest.requested_at < decided):
            stale.append(round)
    return stale
