import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimation.methods import collapse, collapsing_path, nonresponse_weights

# The machine is shared: a slow example is not a wrong one.
NO_DEADLINE = settings(deadline=None)

# Two macro-regions of three regions, two industries, two sizes: cell = ((region * 2) + industry) * 2 + size.
REGION, INDUSTRY, SIZE = (a.ravel() for a in np.indices((6, 2, 2)))
MACRO = REGION // 3
PATH = collapsing_path(REGION, MACRO, INDUSTRY, SIZE)


def cell(region, industry, size):
    return (region * 2 + industry) * 2 + size


def respondents(counts):
    return np.repeat(np.arange(24), counts)


def test_nothing_thin_nothing_collapsed():
    counts = np.full(24, 3)
    result = collapse(respondents(counts), np.full(24, 9.0), PATH)
    assert result.records == () and result.unresolved == ()
    assert result.mapping.tolist() == list(range(24))


def test_a_thin_cell_takes_the_neighbour_with_fewest_respondents_in_its_macro_region():
    counts = np.full(24, 5)
    counts[cell(0, 1, 0)] = 1
    counts[cell(2, 1, 0)] = 3
    result = collapse(respondents(counts), np.full(24, 9.0), PATH)
    (record,) = result.records
    assert record.members == (cell(0, 1, 0), cell(2, 1, 0))
    assert record.thin == (cell(0, 1, 0),)
    assert (record.level, record.population, record.respondents) == (0, 18.0, 4)
    assert result.mapping[cell(0, 1, 0)] == result.mapping[cell(2, 1, 0)]
    assert len(result.population) == 23


def test_thin_cells_of_a_macro_region_join_each_other_first():
    counts = np.full(24, 5)
    counts[[cell(0, 0, 0), cell(1, 0, 0)]] = 1
    result = collapse(respondents(counts), np.full(24, 9.0), PATH)
    assert result.records[0].members == (cell(0, 0, 0), cell(1, 0, 0))
    everything = collapse(respondents(counts), np.full(24, 9.0), PATH, partners="all")
    assert everything.records[0].members == (cell(0, 0, 0), cell(1, 0, 0), cell(2, 0, 0))


def test_the_path_goes_on_to_the_nation_and_then_to_size_but_never_to_industry():
    counts = np.zeros(24, dtype=int)
    counts[cell(0, 0, 0)] = 1  # industry 0, size 0: one respondent in the nation
    counts[cell(4, 0, 1)] = 6
    counts[cell(5, 1, 1)] = 1  # industry 1: one respondent at all
    population = np.where(np.isin(np.arange(24), [cell(0, 0, 0), cell(4, 0, 1), cell(5, 1, 1)]), 50.0, 0.0)
    result = collapse(respondents(counts), population, PATH)
    assert [(r.level, r.members) for r in result.records] == [(2, (cell(0, 0, 0), cell(4, 0, 1)))]
    assert result.unresolved == (int(result.mapping[cell(5, 1, 1)]),)


def test_empty_cells_with_population_are_represented_or_named():
    counts = np.zeros(24, dtype=int)
    counts[cell(1, 0, 0)] = 4
    population = np.zeros(24)
    population[[cell(0, 0, 0), cell(1, 0, 0), cell(3, 1, 1)]] = [7.0, 20.0, 11.0]
    result = collapse(respondents(counts), population, PATH)
    assert result.population.tolist() == [27.0]
    assert result.unrepresented[cell(3, 1, 1)] == 11.0 and result.unrepresented.sum() == 11.0
    assert result.mapping[cell(3, 1, 1)] == -1


def test_a_take_all_stratum_is_neither_thin_nor_a_preferred_partner():
    counts = np.full(24, 5)
    population = np.full(24, 9.0)
    counts[cell(0, 0, 0)], population[cell(0, 0, 0)] = 1, 1.0
    counts[cell(1, 0, 0)] = 1
    result = collapse(respondents(counts), population, PATH)
    assert [r.members for r in result.records] == [(cell(1, 0, 0), cell(2, 0, 0))]


def test_wrong_input_is_refused():
    with pytest.raises(ValueError, match=r"cell 1 has 2 respondents and a population of 1\.0"):
        collapse(np.array([1, 1]), np.array([1.0, 1.0]), [])
    with pytest.raises(ValueError, match="path 1 splits a class of path 0 at cell 0"):
        collapse(np.array([0]), np.array([3.0, 3.0]), [np.array([0, 0]), np.array([0, 1])])


@NO_DEADLINE
@given(
    st.lists(st.integers(0, 4), min_size=24, max_size=24),
    st.lists(st.integers(0, 9), min_size=24, max_size=24),
    st.sampled_from(["fewest", "all"]),
)
def test_every_unit_is_represented_once_and_industries_never_mix(counts, extra, partners):
    r = np.array(counts)
    population = (r + np.array(extra)).astype(float)
    stratum = respondents(r)
    result = collapse(stratum, population, PATH, partners=partners)
    assert result.population.sum() + result.unrepresented.sum() == population.sum()
    assert (result.mapping[stratum] == result.stratum).all()
    for h in range(len(result.population)):
        assert len(np.unique(INDUSTRY[result.mapping == h])) == 1
        assert result.population[h] == population[result.mapping == h].sum()
        answered = (result.stratum == h).sum()
        assert answered >= 2 or answered == result.population[h] or h in result.unresolved
    if len(stratum):
        weight = nonresponse_weights(result.stratum, result.population)
        assert weight.sum() == pytest.approx(result.population.sum())
    again = collapse(result.stratum, result.population, []) if len(stratum) else result
    assert again.unresolved == result.unresolved


def test_a_cell_that_weighs_more_than_it_may_is_joined():
    # Two classes of a stratum: 9 units with 3 answers weigh 3, 8 units with 2 answers weigh 4.
    stratum = np.array([0] * 3 + [1] * 2 + [2] * 5)
    population = np.array([9.0, 8.0, 6.0])
    together = [np.zeros(3, dtype=int)]
    free = collapse(stratum, population, together)
    assert free.records == () and free.mapping.tolist() == [0, 1, 2]
    bound = collapse(stratum, population, together, largest=3.0)
    assert bound.mapping.tolist() == [0, 0, 1]
    assert (bound.records[0].members, bound.records[0].thin) == ((0, 1), (1,))
    assert bound.unresolved == (0,)  # 17 / 5 is still too much, and there is no further step
    own = collapse(stratum, population, together, largest=np.array([2.0, np.inf, np.inf]))
    assert own.mapping.tolist() == [0, 0, 1] and own.unresolved == (0,)
    with pytest.raises(ValueError, match="largest must be at least 1: cell 1"):
        collapse(stratum, population, together, largest=np.array([2.0, 0.5, 1.0]))
