"""Time of the numeric core at national size, beside the installed comparable software."""

import resource
from typing import Any

from django.core.management.base import CommandError, CommandParser

from estimation.benchmark.country import make_country
from estimation.benchmark.peers import r_timings, svy_tasks
from estimation.benchmark.timings import TASKS, Timing, core_tasks, growth_exponent, measure, together
from survey.management.base import SurveyCommand

SCALE = [40_000, 400_000, 4_000_000]
SCALE_ITEMS = 4


class Command(SurveyCommand):
    """``benchmark_estimation``: seconds of the tasks a to f, warm; ``--scale-check``: is time linear in units?"""

    # System checks would import every page of the project and dominate the peak memory.
    requires_system_checks = ()
    help = "Time the numeric core on an invented sample of national size, beside installed peers."

    def add_arguments(self, parser: CommandParser) -> None:
        """Size of the sample, repeats, peers."""
        parser.add_argument("--units", type=int, default=42_505)
        parser.add_argument("--strata", type=int, default=1_700)
        parser.add_argument("--items", type=int, default=40)
        parser.add_argument("--repeats", type=int, default=5)
        parser.add_argument("--tasks", default="abcdef", help="letters of the tasks, abcdef by default")
        parser.add_argument("--no-peers", action="store_true", help="this library alone")
        parser.add_argument("--peer-timeout", type=float, default=600.0, help="seconds for all tasks in R")
        parser.add_argument(
            "--peer-deff", action="store_true", help="ask R for design effects too (15 minutes)"
        )
        parser.add_argument("--scale-check", action="store_true", help="40 thousand to 4 million units")

    def handle(self, *args: Any, **options: Any) -> None:
        """Time, print, compare. Raises CommandError for impossible sizes."""
        sizes = {name: options[name] for name in ("units", "strata", "items", "repeats")}
        if min(sizes.values()) < 1 or sizes["units"] < 2 * sizes["strata"]:
            raise CommandError(
                "--units, --strata, --items and --repeats begin at 1, with two units a stratum."
            )
        if not options["tasks"] or not set(options["tasks"]) <= set(TASKS):
            raise CommandError(f"--tasks are letters of {''.join(TASKS)}.")
        if options["scale_check"]:
            self._scale(options["strata"], options["repeats"])
            return
        base = _peak_megabytes()
        country = make_country(options["units"], options["strata"], options["items"])
        data = _peak_megabytes()
        self.stdout.write(
            f"{options['units']} units, {options['strata']} strata, {options['items']} items; "
            f"warm, of {options['repeats']} runs; seconds"
        )
        self.stdout.write(f"{'task':52s} {'min':>8s} {'median':>8s} {'cpu':>8s}")
        own: dict[str, Timing] = {}
        work = core_tasks(country)
        for task in options["tasks"]:
            timing = measure(work[task], options["repeats"])
            own[task] = timing
            self._line(f"{task}  {TASKS[task]}", timing.smallest, timing.median, timing.processor)
        timing = measure(together(country), options["repeats"])
        self._line("a to e together, as one run", timing.smallest, timing.median, timing.processor)
        peak = _peak_megabytes()
        self.stdout.write(
            f"peak memory {peak:.0f} MB: {base:.0f} MB before, {data - base:.0f} MB for making the data, "
            f"{max(peak - data, 0):.0f} MB more for the work"
        )
        if not options["no_peers"]:
            self._peers(country, own, options)

    def _line(self, name: str, *seconds: float) -> None:
        self.stdout.write(f"{name:52s} " + " ".join(f"{value:8.3f}" for value in seconds))

    def _peers(self, country: Any, own: dict[str, Timing], options: dict[str, Any]) -> None:
        tasks = svy_tasks(country)
        if tasks is None:
            self.stdout.write("svy is not installed")
        else:
            # One run without warm-up: another task has loaded the package, and some tasks take a minute.
            self._ratios("svy", {task: measure(tasks[task], 1, warm=False) for task in own}, own)
        try:
            timings = r_timings(country, "".join(own), options["peer_timeout"], deff=options["peer_deff"])
        except RuntimeError as failure:  # the measurements above stay valid when a peer fails
            self.stderr.write(f"R survey failed: {failure}")
            return
        if timings is None:
            self.stdout.write("R with survey is not installed")
        else:
            self._ratios("R survey", timings, own)

    def _ratios(self, name: str, timings: dict[str, Timing], own: dict[str, Timing]) -> None:
        """Elapsed time beside elapsed time, and processor time beside processor time: other load on the
        machine changes the first only."""
        for task, timing in own.items():
            if task not in timings:
                self.stdout.write(f"{name:10s} {task} not finished in time")
                continue
            peer = timings[task]
            self.stdout.write(
                f"{name:10s} {task} {peer.smallest:9.3f} s, {peer.smallest / timing.smallest:7.1f} times as long; "
                f"{peer.processor:9.3f} s of processor, {peer.processor / max(timing.processor, 1e-9):7.1f} times"
            )

    def _scale(self, strata: int, repeats: int) -> None:
        seconds = []
        for units in SCALE:
            timing = measure(together(make_country(units, strata, SCALE_ITEMS)), repeats)
            # Processor time: other work on the machine does not count.
            seconds.append(timing.processor)
            self.stdout.write(
                f"{units:9d} units, {SCALE_ITEMS} items: a to e {timing.smallest:8.3f} s, processor "
                f"{timing.processor:8.3f} s, {1e9 * timing.processor / units:6.0f} ns per unit, "
                f"peak {_peak_megabytes():.0f} MB"
            )
        self.stdout.write(
            f"processor time grows as units to the power of {growth_exponent(SCALE, seconds):.2f}"
        )


def _peak_megabytes() -> float:
    """Largest resident memory of this process so far (Linux counts it in kB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
