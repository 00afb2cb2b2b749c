"""Bias, error and coverage of the methods on a population with known true values."""

import os
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from estimation.rehearsal.country import DEFAULT_SEED, build_country
from estimation.simulation.plot import draw
from estimation.simulation.report import SCOPES, as_csv, as_json, lines_of, table
from estimation.simulation.study import run_study
from estimation.simulation.variants import CLASSES, DEFAULT, PLOTTED, POLICIES, RAW, TREATMENTS
from survey.management.base import SurveyCommand
from survey.microdata.projection import layout_variables
from survey.questionnaires.loader import load_all

_VARIANTS = {
    "treatments": TREATMENTS,
    "policies": (RAW, *POLICIES),
    "classes": (RAW, *CLASSES),
    "all": (*TREATMENTS, *POLICIES, *CLASSES),
}


class Command(SurveyCommand):
    """``simulate --samples 1000``: bias, mean squared error and coverage, treated and raw, by lonely policy."""

    help = (
        "Draw repeated samples from the rehearsal population and compare the run's estimates with the truth."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Size of the study, variants, and output files."""
        parser.add_argument("--samples", type=int, default=1000)
        parser.add_argument("--scale", type=float, default=1.0, help="share of the national size, 0 to 1")
        parser.add_argument("--seed", type=int, default=1, help="of the samples")
        parser.add_argument("--population-seed", type=int, default=DEFAULT_SEED)
        parser.add_argument("--variants", choices=sorted(_VARIANTS), default="all")
        parser.add_argument(
            "--workers",
            type=int,
            default=os.process_cpu_count() or 1,
            help="processes; a core each by default",
        )
        parser.add_argument("--scope", choices=sorted(SCOPES.values()), default="nation", help="of the table")
        parser.add_argument("--csv", type=Path, help="all figures as CSV into this file")
        parser.add_argument("--json", type=Path, help="all figures as JSON into this file")
        parser.add_argument("--plot", type=Path, help="national totals as SVG into this file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Simulate, print, write."""
        _check(options)
        try:
            country = build_country(seed=options["population_seed"], scale=options["scale"])
            study = run_study(
                country,
                layout_variables(load_all().values()),
                _VARIANTS[options["variants"]],
                samples=options["samples"],
                seed=options["seed"],
                workers=options["workers"],
                progress=self._progress,
            )
        except ValueError as refusal:
            raise CommandError(str(refusal)) from refusal
        lines = lines_of(study)
        self.stdout.write(
            f"synthetic rehearsal population of {study.population:,} units, {study.samples} samples of "
            f"{study.units:,} valid units, {study.level:.0%} intervals, seed {options['seed']}"
        )
        self.stdout.write(table(lines, scope=options["scope"]))
        for path, text in ((options["csv"], as_csv(lines)), (options["json"], as_json(study, lines))):
            if path is not None:
                path.write_text(text + "\n" * (not text.endswith("\n")), encoding="utf-8")
        if options["plot"] is not None:
            present = {line.variant for line in lines}
            variants = [name for name in PLOTTED if name in present]
            svg = draw(lines, variants=variants, default=DEFAULT, samples=study.samples)
            options["plot"].write_text(svg, encoding="utf-8")

    def _progress(self, done: int) -> None:
        if done % 50 == 0:
            self.stderr.write(f"{done} samples")


def _check(options: dict[str, Any]) -> None:
    """Refuse what would fail only after the population is built, or after hours of samples."""
    for name, least in (("samples", 2), ("seed", 0), ("population_seed", 0), ("workers", 1)):
        if options[name] < least:
            raise CommandError(f"--{name.replace('_', '-')} must be at least {least}, not {options[name]}")
    for name in ("csv", "json", "plot"):
        if options[name] is not None and not options[name].parent.is_dir():
            raise CommandError(f"--{name}: there is no folder {options[name].parent}")
