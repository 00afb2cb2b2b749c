"""The benchmark runs, and the work it times is the work it says; seconds are for the command to print."""

import io
import re
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command

from estimation.benchmark.country import make_country
from estimation.benchmark.peers import r_timings, svy_tasks
from estimation.benchmark.timings import Timing, core_tasks, growth_exponent, together
from estimation.management.commands import benchmark_estimation
from estimation.management.commands.benchmark_estimation import Command
from estimation.methods import bootstrap, ratio, total


def test_the_command_prints_every_task_and_the_peak():
    out = io.StringIO()
    call_command("benchmark_estimation", units=600, strata=60, items=3, repeats=1, no_peers=True, stdout=out)
    lines = out.getvalue().splitlines()
    for task in "abcdef":
        assert sum(bool(re.match(rf"{task}  .*( +\d+\.\d{{3}}){{3}}$", line)) for line in lines) == 1, lines
    assert any(line.startswith("a to e together") for line in lines)
    assert re.match(r"peak memory \d+ MB", lines[-1])


def test_tasks_give_the_estimates_they_are_named_after():
    country = make_country(900, 80, 2)
    tasks: dict[str, Callable[[], Any]] = core_tasks(country)
    sample = country.sample
    assert (tasks["a"]().se == total(sample, country.y).se).all()
    cells = tasks["c"]()[("region", "industry")]
    code = country.domains["region"] * (country.domains["industry"].max() + 1) + country.domains["industry"]
    alone = total(sample, country.y, domain=code, domains=len(cells.value))
    np.testing.assert_allclose(cells.se, alone.se, rtol=1e-9)
    regional = ratio(sample, country.y, country.x, domain=country.domains["region"])
    np.testing.assert_array_equal(tasks["d"]()[1].se, regional.se)
    estimated: Any = together(country)()
    tables, ratios, rates = estimated
    assert set(tables) == {"all", "region", "industry", "size", "category", ("region", "industry")}
    assert len(ratios) == len(rates) == 2
    assert tasks["f"]().replicates.shape == (500, 1, 2)


def test_memory_of_the_bootstrap_does_not_grow_with_the_replicates():
    country = make_country(4000, 100, 2)
    peaks = []
    for replicates in (100, 400):
        tracemalloc.start()
        bootstrap(country.sample, country.y, replicates=replicates, seed=1, chunk=50)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0], peaks
    assert peaks[1] < 400 * 4000 * 4, "the whole matrix of counts was held"


def test_exponent_of_growth():
    assert growth_exponent([10, 100, 1000], [0.2, 2.0, 20.0]) == pytest.approx(1.0)
    assert growth_exponent([10, 100], [1.0, 100.0]) == pytest.approx(2.0)


def test_other_software_is_timed_only_where_installed():
    country = make_country(300, 20, 2)
    result = r_timings(country, "a", 120.0)
    assert result is None or result["a"].smallest > 0
    tasks: dict[str, Callable[[], Any]] | None = svy_tasks(country)
    assert tasks is None or len(tasks["a"]()) == 2


def test_peers_are_compared_by_elapsed_and_by_processor_time():
    out = io.StringIO()
    own = {"a": Timing(0.5, 0.6, 0.1), "b": Timing(1.0, 1.0, 1.0)}
    Command(stdout=out)._ratios("svy", {"a": Timing(2.0, 2.0, 1.0)}, own)
    first, second = out.getvalue().splitlines()
    assert "2.000 s,     4.0 times as long" in first and "1.000 s of processor,    10.0 times" in first
    assert second.split() == ["svy", "b", "not", "finished", "in", "time"]


def test_the_scale_check_prints_each_size_and_the_exponent(monkeypatch):
    monkeypatch.setattr(benchmark_estimation, "SCALE", [2000, 20000])
    out = io.StringIO()
    call_command("benchmark_estimation", scale_check=True, strata=50, repeats=1, stdout=out)
    lines = out.getvalue().splitlines()
    assert [int(line.split()[0]) for line in lines[:2]] == [2000, 20000]
    assert re.match(r"processor time grows as units to the power of -?\d\.\d\d$", lines[2])
