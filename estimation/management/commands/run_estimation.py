"""Compute a round at the command line, in this process."""

import time
from typing import Any

from django.core.management.base import CommandError, CommandParser

from estimation.runs import services
from estimation.runs.compute.spec import RunSpec, Winsorization
from estimation.runs.models import EstimationRun
from survey.collection.models import CollectionRound
from survey.exceptions import SurveyError
from survey.management.base import SurveyCommand


class Command(SurveyCommand):
    """``run_estimation --round 2025``: freeze, compute, store, and print the time of each stage."""

    help = "Freeze the accepted sheets of a round and compute every estimate of it."

    def add_arguments(self, parser: CommandParser) -> None:
        """The round and the main parameters."""
        parser.add_argument("--round", type=int, required=True, help="year of the round")
        parser.add_argument("--method", choices=["winsorize", "optimal", "trim", "none"], default="winsorize")
        parser.add_argument("--lower", type=float, default=Winsorization().lower)
        parser.add_argument("--upper", type=float, default=Winsorization().upper)
        parser.add_argument("--flow-basis", choices=["both", "provided", "obtained"], default="both")

    def handle(self, *args: Any, **options: Any) -> None:
        """Request the run and execute it here."""
        round_ = CollectionRound.objects.filter(year=options["round"]).first()
        if round_ is None:
            raise CommandError(f"There is no round {options['round']}.")
        started = time.perf_counter()
        try:
            treatment = Winsorization(options["method"], options["lower"], options["upper"])
            spec = RunSpec(winsorization=treatment, flow_basis=options["flow_basis"])
            run, waits = services.request_run(round=round_, by=None, spec=spec, send=False)
        except (SurveyError, ValueError) as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"run {run.pk} {run.input_hash[:12]} freeze {time.perf_counter() - started:.2f} s")
        if not waits:
            self.stdout.write(f"these inputs have a run already; it is {run.state}")
            return
        services.execute_run(run.pk, report=self._progress)
        run.refresh_from_db()
        self._report(run, time.perf_counter() - started)

    def _progress(self, stage: str, percent: int) -> None:
        self.stdout.write(f"{percent:3d} % {stage}")

    def _report(self, run: EstimationRun, seconds: float) -> None:
        if run.state != EstimationRun.State.FINISHED:
            raise CommandError(f"The run is {run.state}. {run.error}")
        for stage, spent in run.measured.seconds.items():
            self.stdout.write(f"{stage:10s} {spent:7.2f} s")
        self.stdout.write(
            f"all        {seconds:7.2f} s, peak {run.measured.peak_mb:.0f} MB, "
            f"{run.summary.estimates} estimates, result {run.result_hash[:12]}"
        )
        for check in run.summary.checks:
            if not check.holds:
                self.stdout.write(self.style.ERROR(f"check failed: {check}"))
