"""The rehearsal's first publication: aggregation, draft, validation, release, as an office would do it.

It goes through the same services as people do. A draft that the checks refuse (a small country may be too thin
for its own arithmetic) stays a draft, and the reason is said.
"""

import time

from estimation.rehearsal.services import Progress
from estimation.releases.models import Release
from estimation.releases.services import prepare_release, rehearse_publication
from estimation.runs.compute.spec import RunSpec
from estimation.runs.models import EstimationRun
from estimation.runs.services import execute_run, request_run
from survey.collection.models import CollectionRound
from survey.exceptions import PolicyDenied


def publish_first_release(*, year: int, progress: Progress) -> Release | None:
    """Run the aggregation of a year and publish its report. None when the checks keep the draft back."""
    began = time.monotonic()
    run, _waits = request_run(
        round=CollectionRound.objects.get(year=year), by=None, spec=RunSpec(), send=False
    )
    if run.state != EstimationRun.State.FINISHED:
        execute_run(run.pk)
        run.refresh_from_db()
    if run.state != EstimationRun.State.FINISHED:
        progress(f"the first run of {year} is {run.state}: {run.error}")
        return None
    progress(f"{run.summary.estimates:,} estimates of {year}")
    release = prepare_release(run=run, by=None)
    try:
        release = rehearse_publication(release)
    except PolicyDenied as refusal:
        progress(f"the report of {year} stays a draft: {refusal.sentence}")
        return None
    progress(f"report of {year} published in {time.monotonic() - began:.0f} s")
    return release
