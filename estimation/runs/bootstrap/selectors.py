"""Reads of the bootstrap of a run."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from django.db.models import Count, Q, Sum

from estimation.methods.arrays import Floats
from estimation.runs.bootstrap.models import Bootstrap, ReplicateEstimate
from estimation.runs.compute.replicates import Frame, build_frame, required_variables
from estimation.runs.compute.spec import RunSpec
from estimation.runs.extraction.selectors import read_year
from estimation.runs.models import EstimationRun

KINDS = ("nation", "region", "section")


@dataclass(frozen=True, slots=True)
class Progress:
    """Number of chunks, of finished chunks and of workers of a bootstrap, and the seconds of work."""

    chunks: int
    done: int
    workers: int
    seconds: float

    @property
    def percent(self) -> int:
        """Finished chunks in percent."""
        return round(100 * self.done / self.chunks) if self.chunks else 0


def newest_bootstrap(run: EstimationRun) -> Bootstrap | None:
    """The bootstrap that was requested last."""
    return run.bootstraps.select_related("requested_by").order_by("-requested_at", "-pk").first()


def progress_of(row: Bootstrap) -> Progress:
    """Progress of the chunks."""
    counted = row.chunks.aggregate(
        chunks=Count("pk"),
        done=Count("pk", filter=Q(finished_at__isnull=False)),
        workers=Count("worker", distinct=True, filter=~Q(worker="")),
        seconds=Sum("seconds"),
    )
    return Progress(counted["chunks"], counted["done"], counted["workers"], counted["seconds"] or 0.0)


def replicate_rows(row: Bootstrap, *, kind: str, statistic: str) -> list[tuple[ReplicateEstimate, Any]]:
    """Estimates with both errors and their ratio, in the order of statistic, variable and domain."""
    rows = ReplicateEstimate.objects.filter(bootstrap=row, domain_kind=kind)
    if statistic:
        rows = rows.filter(statistic=statistic)
    return [
        (estimate, estimate.se / estimate.linear_se if estimate.linear_se else None)
        for estimate in rows.order_by("statistic", "variable", "domain_code")[:600]
    ]


def replicate_errors(run: EstimationRun, *, variable: str, statistic: str, kind: str) -> dict[str, float]:
    """Errors of the newest finished bootstrap of a run by domain; it replicates the run's own year. Empty without one."""
    rows = ReplicateEstimate.objects.filter(
        bootstrap__run=run,
        bootstrap__state=EstimationRun.State.FINISHED,
        variable=variable,
        statistic=statistic,
        domain_kind=kind,
    ).order_by("bootstrap__requested_at", "bootstrap_id")
    return dict(rows.values_list("domain_code", "se"))


def replicate_statistics(row: Bootstrap) -> list[str]:
    """Statistics that the bootstrap contains."""
    return sorted(
        ReplicateEstimate.objects.filter(bootstrap=row).values_list("statistic", flat=True).distinct()
    )


def frame_of(run: EstimationRun) -> Frame:
    """The run's year, ready for replicates; cached for the next chunk of the same worker."""
    return _frame(run.pk, run.input_hash, run.code_version)


@lru_cache(maxsize=1)
def _frame(run_id: int, input_hash: str, version: str) -> Frame:
    run = EstimationRun.objects.select_related(
        "microdata__round", "microdata__layout", "design__round", "round"
    ).get(pk=run_id)
    spec = RunSpec.from_json(run.spec)
    available = [entry["code"] for entry in run.microdata.layout.variables]
    year = read_year(
        run.microdata,
        run.design,
        variables=required_variables(available, spec),
        use_edited=spec.use_edited,
        use_imputed=spec.use_imputed,
    )
    return build_frame(year, spec)


def replicates_of(row: Bootstrap) -> Floats:
    """(B, S) of a bootstrap whose chunks are all computed."""
    parts = row.chunks.order_by("first").values_list("count", "rows")
    return np.concatenate(
        [np.frombuffer(bytes(rows or b""), dtype=">f8").reshape(count, -1) for count, rows in parts]
    ).astype(np.float64)
