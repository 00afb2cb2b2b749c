"""The same tasks with other software, where it is installed: the Python package svy and R with survey."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from estimation.benchmark.country import Country
from estimation.benchmark.timings import REPLICATES, Timing

R_SCRIPT = Path(__file__).with_name("survey.R")


def svy_tasks(country: Country) -> dict[str, Callable[[], object]] | None:
    """Tasks a to f with svy, None if it is not installed."""
    if importlib.util.find_spec("svy") is None:
        return None
    polars: Any = importlib.import_module("polars")
    svy: Any = importlib.import_module("svy")
    sample = country.sample
    items = country.y.shape[1]
    columns: dict[str, Any] = {"h": country.stratum, "w": sample.weight, "unit": np.arange(sample.n)}
    columns["size_of_stratum"] = country.population[country.stratum]
    columns |= country.domains
    columns |= {f"y{j}": country.y[:, j] for j in range(items)}
    columns |= {f"x{j}": country.x[:, j] for j in range(items)}
    panel = country.panel[:, None]
    columns |= {f"now{j}": (country.y * panel)[:, j] for j in range(items)}
    columns |= {f"old{j}": (country.previous * panel)[:, j] for j in range(items)}
    design = svy.Design(stratum="h", wgt="w", pop_size="size_of_stratum", singleton="center")
    frame = polars.DataFrame(columns)
    survey = svy.Sample(frame, design)
    y, x, now, old = ([f"{name}{j}" for j in range(items)] for name in ("y", "x", "now", "old"))
    estimate = survey.estimation

    def ratios(top: list[str], bottom: list[str], by: str) -> object:
        return [
            estimate.ratio(t, b, by=d, deff="wor")
            for d in (None, by)
            for t, b in zip(top, bottom, strict=True)
        ]

    def replicated() -> object:
        # Replicate weights need each unit declared as its own cluster.
        clusters = svy.Design(stratum="h", wgt="w", psu="unit", singleton="center")
        with_weights = svy.Sample(frame, clusters).weighting.create_bs_wgts(n_reps=REPLICATES)
        return with_weights.estimation.total(y, method="replication")

    return {
        "a": lambda: estimate.total(y, deff="wor"),
        "b": lambda: [estimate.total(y, by=d, deff="wor") for d in country.domains],
        "c": lambda: estimate.total(y, by=["region", "industry"], deff="wor"),
        "d": lambda: ratios(y, x, "region"),
        "e": lambda: ratios(now, old, "industry"),
        "f": replicated,
    }


def r_timings(
    country: Country, tasks: str, timeout: float, *, deff: bool = False
) -> dict[str, Timing] | None:
    """Times per task with R and survey, one run each, with or without design effects; None if not installed.

    Tasks that do not end within `timeout` seconds in all are missing from the result. Raises RuntimeError with
    the error output of R when it fails.
    """
    program = shutil.which("Rscript")
    if program is None:
        return None
    probe = [program, "-e", "stopifnot(requireNamespace('survey', quietly = TRUE))"]
    if subprocess.run(probe, capture_output=True, check=False).returncode != 0:  # noqa: S603 fixed arguments
        return None
    with tempfile.TemporaryDirectory() as folder:
        _write(country, Path(folder))
        command = [program, str(R_SCRIPT), folder, str(country.y.shape[1]), tasks, str(REPLICATES)]
        command.append("deff" if deff else "plain")
        out = Path(folder) / "seconds.txt"
        try:
            subprocess.run(command, capture_output=True, check=True, timeout=timeout)  # noqa: S603 arguments of ours
        except subprocess.TimeoutExpired:
            pass
        except subprocess.CalledProcessError as failure:
            message = failure.stderr.decode()[-2000:] or f"Rscript ended with {failure.returncode}"
            raise RuntimeError(message) from failure
        lines = out.read_text().split("\n") if out.exists() else []
    rows = [line.split() for line in lines if line]
    return {
        task: Timing(float(elapsed), float(elapsed), float(processor)) for task, elapsed, processor in rows
    }


def _write(country: Country, folder: Path) -> None:
    panel = country.panel[:, None]
    integers = [country.stratum, *country.domains.values()]
    matrices = {
        "y": country.y,
        "x": country.x,
        "now": country.y * panel,
        "old": country.previous * panel,
    }
    np.stack(integers, axis=1).astype(np.int32).T.tofile(folder / "codes.bin")
    size = country.population[country.stratum]
    size.tofile(folder / "population.bin")
    for name, matrix in matrices.items():
        matrix.T.tofile(folder / f"{name}.bin")
