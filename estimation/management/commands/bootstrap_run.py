"""Bootstrap a run over Celery workers of its own and measure the time with different numbers of them."""

import os
import subprocess
import sys
import time
from typing import Any

from django.core.management.base import CommandError, CommandParser

from config.celery import app
from estimation.runs.bootstrap import services as services_bootstrap
from estimation.runs.bootstrap.models import Bootstrap
from estimation.runs.bootstrap.timings import Timing, Timings
from estimation.runs.models import EstimationRun
from survey.exceptions import SurveyError
from survey.management.base import SurveyCommand


class Command(SurveyCommand):
    """``bootstrap_run --round 2025 --replicates 500 --workers 1 2``: the same replicates with 1 and 2 workers."""

    help = "Replicate the newest finished run of a round with so many worker processes, and say the seconds."

    def add_arguments(self, parser: CommandParser) -> None:
        """The run and what to measure."""
        parser.add_argument("--round", type=int, required=True, help="year of the round")
        parser.add_argument("--run", type=int, help="key of a run; else the newest finished one")
        parser.add_argument("--replicates", type=int, default=500)
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--workers", type=int, nargs="+", default=[1], help="such as: 1 2")
        parser.add_argument(
            "--limit", type=int, default=1800, help="seconds after which one measurement is given up"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure each number of workers in turn."""
        runs = EstimationRun.objects.filter(state="finished", round__year=options["round"])
        if options["run"]:
            runs = runs.filter(pk=options["run"])
        run = runs.order_by("-finished_at").first()
        if run is None:
            raise CommandError(f"There is no finished run of round {options['round']}.")
        if min(options["workers"]) < 1:
            raise CommandError("At least one worker is needed.")
        try:
            row, _waits = services_bootstrap.request_bootstrap(
                run=run, replicates=options["replicates"], seed=options["seed"], by=None, send=False
            )
        except SurveyError as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(
            f"run {run.pk}, {row.replicates} replicates in {row.chunks.count()} chunks, {os.cpu_count()} cores"
        )
        hashes, seconds = set(), []
        for workers in options["workers"]:
            row = services_bootstrap.restart_bootstrap(row)
            seconds.append(self._measure(row, workers, options["limit"]))
            row.refresh_from_db()
            hashes.add(row.result_hash)
            measured: Timings = row.timings
            row.timings = Timings((*measured.measured, Timing(workers, round(seconds[-1], 2))))
            row.save(update_fields=["timings"])
            used = row.chunks.values_list("worker", flat=True).distinct().count()
            work = sum(seconds or 0.0 for seconds in row.chunks.values_list("seconds", flat=True))
            self.stdout.write(
                f"{workers} worker(s): {seconds[-1]:7.2f} s, chunks by {used} process(es), {work:.2f} s of work, "
                f"ratio {seconds[0] / seconds[-1]:.2f}, result {row.result_hash[:12]}"
            )
        if len(hashes) > 1:
            raise CommandError("The results differ between the numbers of workers.")

    def _measure(self, row: Bootstrap, workers: int, limit: int) -> float:
        """Seconds from sending the group to the stored result; starting the workers is not counted."""
        queue = f"bootstrap-{row.pk}-{workers}-{os.getpid()}"
        children = [self._worker(queue, number) for number in range(workers)]
        try:
            self._wait_for(queue, workers, children)
            begun = time.perf_counter()
            services_bootstrap.enqueue_chunks(row, queue=queue)
            if not services_bootstrap.was_sent(row):
                raise CommandError("The broker does not answer.")
            while time.perf_counter() - begun < limit:
                row.refresh_from_db()
                if row.state not in services_bootstrap.ACTIVE:
                    break
                time.sleep(0.05)
            seconds = time.perf_counter() - begun
        finally:
            for child in children:
                child.terminate()
            for child in children:
                child.wait(timeout=30)
        if row.state != EstimationRun.State.FINISHED:
            raise CommandError(f"The bootstrap is {row.state}. {row.error}")
        return seconds

    def _worker(self, queue: str, number: int) -> "subprocess.Popen[bytes]":
        """One worker process on a queue of its own, with one thread, so that only the number of workers differs."""
        command = [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "celery",
            "--quiet",
            "-A",
            "config",
            "worker",
            "--pool",
            "solo",
            "-Q",
            queue,
            "-n",
            f"{queue}-{number}@%h",
            "--loglevel",
            "ERROR",
            "--without-gossip",
            "--without-mingle",
        ]
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        return subprocess.Popen(command, env={**os.environ, **threads}, stdout=subprocess.DEVNULL)  # noqa: S603 own command

    def _wait_for(self, queue: str, workers: int, children: "list[subprocess.Popen[bytes]]") -> None:
        """Wait until every worker answers."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if any(child.poll() is not None for child in children):
                break
            answers = app.control.ping(timeout=1.0) or []
            if sum(name.startswith(queue) for answer in answers for name in answer) == workers:
                return
        raise CommandError("The workers did not start.")
