"""Repeated samples of the rehearsal population, and the figures made of them."""

import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from estimation.design.strata import counted_by_region
from estimation.rehearsal.country import build_country
from estimation.rehearsal.population.units import VALID
from estimation.runs.compute.spec import RunSpec
from estimation.runs.compute.weigh import weigh
from estimation.simulation.draws import Draws
from estimation.simulation.report import as_csv, as_json, lines_of, table
from estimation.simulation.study import ITEMS, Outcome, Study, estimate, run_study
from estimation.simulation.variants import CLASSES, DEFAULT, PLOTTED, POLICIES, RAW, TREATMENTS
from survey.microdata.projection import layout_variables
from survey.questionnaires.loader import load_all


@pytest.fixture(scope="module")
def country():
    return build_country(scale=0.02)


@pytest.fixture(scope="module")
def variables():
    return [v for v in layout_variables(load_all().values()) if v.code in ITEMS]


@pytest.fixture(scope="module")
def draws(country, variables):
    return Draws(country, variables)


def test_a_sample_has_the_counts_of_the_rehearsal_round_and_its_own_units(country, draws):
    first, second = draws.sample(1, 0), draws.sample(1, 1)
    units = country.units
    for year, index in zip(first, (1, 0), strict=True):
        rehearsal = np.flatnonzero(units.status[index] == VALID)
        # Who of categories 12 and 13 answers is random: both are drawn in the same strata.
        categories = (np.where(c == 13, 12, c) for c in (year.category, units.category[rehearsal]))
        ours, theirs = (np.bincount(c) for c in categories)
        np.testing.assert_array_equal(ours, theirs)
        np.testing.assert_array_equal(np.bincount(year.region), np.bincount(units.region[rehearsal]))
        assert units.exists[index, year.unit].all() and (np.diff(year.unit) > 0).all()
        assert (year.stratum >= 0).all() and year.strata.population.sum() == units.exists[index].sum()
        respondents = np.bincount(year.stratum, minlength=year.strata.count)
        assert (respondents <= year.strata.population).all()
    assert not np.array_equal(first[0].unit, second[0].unit)
    again = draws.sample(1, 1)
    np.testing.assert_array_equal(second[1].values, again[1].values)


def test_units_have_the_chance_that_their_cell_has(country, draws):
    units = country.units
    rounds = 400
    seen = np.zeros(units.count)
    for number in range(rounds):
        seen[draws.sample(5, number)[0].unit] += 1
    _, cell = np.unique(units.stratum * 64 + units.region, return_inverse=True)
    alive = units.exists[1]
    population = np.bincount(cell[alive], minlength=cell.max() + 1)
    valid = np.bincount(cell[units.status[1] == VALID], minlength=len(population))
    chance = (valid / np.maximum(population, 1))[cell]
    assert (seen[~alive] == 0).all()
    certain = alive & (chance == 1)
    assert certain.any() and (seen[certain] == rounds).all()
    open_ = alive & (chance > 0) & (chance < 1)
    score = (seen - rounds * chance)[open_] / np.sqrt(rounds * chance * (1 - chance))[open_]
    assert np.abs(score).max() < 6 and score.std() == pytest.approx(1.0, abs=0.05)


def test_two_years_of_a_sample_share_more_units_than_two_samples(draws):
    now, before = draws.sample(1, 0)
    other = draws.sample(1, 1)[1]
    shared = len(np.intersect1d(now.unit, before.unit))
    assert shared > 1.3 * len(np.intersect1d(now.unit, other.unit))


def test_values_are_those_of_the_population_where_the_form_asks(country, draws, variables):
    now, _ = draws.sample(1, 0)
    index = [item.code for item in now.items].index("P01")
    (variable,) = [v for v in variables if v.code == "P01"]
    requested = np.isin(now.category, [int(code[3:]) for code in variable.categories])
    np.testing.assert_array_equal(np.isnan(now.values[:, index]), ~requested)
    np.testing.assert_array_equal(now.values[requested, index], country.values["P01"][1, now.unit[requested]])


def test_a_longer_study_begins_with_the_shorter_one_and_policies_change_errors_alone(country, variables):
    variants = (RAW, TREATMENTS[1], *POLICIES)
    short = run_study(country, variables, variants, samples=2, seed=3)
    long = run_study(country, variables, variants, samples=3, seed=3)
    for entry, other in zip(short.outcomes, long.outcomes, strict=True):
        np.testing.assert_array_equal(entry.value, other.value[:2])
    divided = run_study(country, variables, variants, samples=3, seed=3, workers=2)
    assert divided.units == long.units
    for entry, other in zip(divided.outcomes, long.outcomes, strict=True):
        np.testing.assert_array_equal(entry.value, other.value)
        np.testing.assert_array_equal(entry.se, other.se)
    certainty, adjust, average = (outcome for outcome in long.outcomes[2:])
    np.testing.assert_array_equal(certainty.value, adjust.value)
    np.testing.assert_array_equal(certainty.value, average.value)
    index = long.keys.index(("P01", "total", "nation", "all"))
    assert (certainty.se[:, index] < adjust.se[:, index]).all()
    assert (certainty.se[:, index] < average.se[:, index]).all()
    truth = country.values["P01"][1][country.units.exists[1]].sum()
    assert long.truth[index] == pytest.approx(truth)
    columns = estimate(*Draws(country, variables).sample(3, 1), RAW)
    names = list(
        zip(columns.year, columns.variable, columns.statistic, columns.kind, columns.code, strict=True)
    )
    row = names.index((2025, "P01", "total", "nation", "all"))
    assert columns.numbers["value"][row] == long.outcomes[0].value[1, index]


def test_optimal_cutoffs_lower_the_large_values_and_spare_certainty_units(draws):
    now, before = draws.sample(2, 0)
    raw, treated = estimate(now, before, RAW), estimate(now, before, TREATMENTS[-1])
    assert TREATMENTS[-1].spec.winsorization.method == "optimal"
    row = raw.statistic.index("total")
    assert (treated.numbers["value"][row:] <= raw.numbers["value"][row:] * (1 + 1e-12))[
        np.array(raw.statistic[row:]) == "total"
    ].all()
    assert np.nansum(treated.numbers["winsorized_share"]) < 0


def test_response_classes_represent_the_take_all_units_of_every_region(draws):
    year = draws.sample(2, 1)[0]
    counted = year.strata.by_region
    assert counted.sum() == year.strata.population[year.strata.take_all].sum()
    certain = year.strata.take_all[year.stratum]
    answered = counted_by_region(year.stratum, year.drawn_in, year.strata.take_all)
    heard = ((answered > 0) | (counted == 0)).all(axis=0)  # every class of the region has an answer
    assert heard.sum() > 3
    fits = []
    for variant in (RAW, *CLASSES):
        spec = replace(variant.spec, minimum_respondents=1, response_largest=1000.0)
        weight = weigh(year, spec).sample.weight[certain]
        represented = np.bincount(year.drawn_in[certain], weights=weight, minlength=counted.shape[1])
        fits.append(np.isclose(represented, counted.sum(axis=0))[heard])
    # Regions without respondents of a macro-region may weigh on one that answered.
    assert fits[0].sum() > 3 and fits[0].sum() > 2 * fits[1].sum()


def by_hand():
    """One total of truth 100 in four samples, raw and treated, and its growth of 25 %."""
    keys = (("P01", "total", "nation", "all"), ("P01", "panel_growth", "nation", "all"))
    value = np.array([[90.0, 0.25], [110.0, 0.25], [130.0, 0.35], [90.0, 0.15]])
    se = np.array([[10.0, 0.01], [10.0, 0.01], [10.0, 0.1], [1.0, 0.1]])
    treated = value - np.array([[0.0, 0.0], [10.0, 0.0], [20.0, 0.0], [0.0, 0.0]])
    outcomes = (Outcome("raw", value, se), Outcome("treated", treated, se))
    return Study(keys, np.array([100.0, 0.25]), outcomes, 0.95, 4, 10, 50)


def test_figures_by_hand():
    raw, treated, growth, _ = lines_of(by_hand())
    assert (raw.bias, raw.rmse) == (pytest.approx(0.05), pytest.approx(0.12**0.5 / 2))
    assert raw.bias_error == pytest.approx(np.std([90, 110, 130, 90], ddof=1) / 100 / 2)
    # 130 lies 3 se above the truth, and the last 90 ten se below it.
    assert (raw.coverage, treated.coverage) == (0.5, 0.75)
    assert raw.coverage_error == pytest.approx(0.25)
    # Treated: 90, 100, 110, 90.
    assert treated.bias == pytest.approx(-0.025)
    assert treated.mse_ratio == pytest.approx((100 + 0 + 100 + 100) / (100 + 100 + 900 + 100))
    assert raw.se_ratio == pytest.approx(7.75 / np.std([90, 110, 130, 90], ddof=1))
    # Growth: errors of 1 + rate, 1.25.
    assert growth.rmse == pytest.approx((0.02 / 4) ** 0.5 / 1.25)
    assert growth.coverage == 1.0


def test_several_domains_are_summarised_and_missing_estimates_omitted():
    study = by_hand()
    keys = tuple(("P01", "total", "region", str(code)) for code in (1, 2, 3))
    value = np.array([[100.0, 80.0, np.nan], [100.0, 80.0, 5.0], [100.0, 80.0, 5.0], [100.0, 80.0, 5.0]])
    outcome = Outcome("raw", value, np.full_like(value, 5.0))
    (line,) = lines_of(Study(keys, np.full(3, 100.0), (outcome,), 0.95, 4, 10, 50))
    assert (line.scope, line.domains, line.coverage) == ("regions", 2, 0.5)
    assert line.bias == pytest.approx(0.1) and np.isnan(line.truth)
    lines = lines_of(study)
    assert len(as_csv(lines).splitlines()) == 1 + len(lines) == 5
    document = json.loads(as_json(study, [line]))
    assert document["synthetic"] and document["lines"][0]["truth"] is None
    assert "P01 total, nation" in table(lines) and "regions" not in table(lines)


def test_the_command_prints_writes_and_repeats_itself(tmp_path):
    def run():
        out = io.StringIO()
        files = {name: tmp_path / f"study.{name}" for name in ("csv", "json", "plot")}
        call_command(
            "simulate",
            samples=2,
            scale=0.02,
            seed=4,
            variants="treatments",
            stdout=out,
            stderr=io.StringIO(),
            **files,
        )
        return out.getvalue(), *(path.read_text() for path in files.values())

    text, csv_text, json_text, svg = run()
    assert text.startswith("synthetic rehearsal population")
    assert re.search(r"^  1 % and 99 % +-?\d", text, re.MULTILINE)
    assert len(csv_text.splitlines()) - 1 == len(json.loads(json_text)["lines"])
    assert svg.startswith("<svg") and svg.rstrip().endswith("</svg>")
    assert "synthetic" in svg and "MSE-optimal" in svg
    assert run() == (text, csv_text, json_text, svg)


def test_a_study_too_small_is_refused():
    with pytest.raises(CommandError, match="samples must be at least 2, not 1"):
        call_command("simulate", samples=1, scale=0.02)
    with pytest.raises(CommandError, match="scale must lie in"):
        call_command("simulate", samples=2, scale=2.0)


def test_the_default_of_a_run_is_among_the_variants():
    (default,) = [variant for variant in TREATMENTS if variant.name == DEFAULT]
    assert default.spec.winsorization == RunSpec().winsorization
    assert (default.spec.lonely, default.spec.minimum_respondents) == (
        RunSpec().lonely,
        RunSpec().minimum_respondents,
    )
    assert default.spec.response_classes == RunSpec().response_classes == RAW.spec.response_classes
    assert DEFAULT in PLOTTED and set(PLOTTED) <= {variant.name for variant in TREATMENTS}
