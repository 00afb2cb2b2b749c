import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimation.methods import (
    SuppressionError,
    audit_suppression,
    suppress,
    suppress_in_turn,
    table_relations,
)


def table(rng, rows, columns, low=1):
    full = np.zeros((rows + 1, columns + 1))
    full[:-1, :-1] = rng.integers(low, 40, (rows, columns))
    full[-1, :-1], full[:-1, -1], full[-1, -1] = full[:-1, :-1].sum(0), full[:-1, :-1].sum(1), full.sum()
    return full.ravel(), np.arange(full.size).reshape(full.shape)


def protected(value, relations, pattern, primary, protection=0.1):
    """Whether nobody can bound a sensitive cell within the protection, by the attack of the auditor."""
    audit = audit_suppression(value, relations, pattern)
    required = protection * value[primary] * (1 - 1e-5)
    up, down = (audit.upper - value)[primary], (value - audit.lower)[primary]
    return bool(((up >= required) & (down >= required)).all())


def test_one_sensitive_cell_in_a_table_takes_the_cheapest_rectangle():
    value = np.array([20, 50, 10, 80, 8, 19, 22, 49, 17, 32, 12, 61, 45, 101, 44, 190.0])
    relations = table_relations([np.arange(16).reshape(4, 4)], 16)
    primary = np.arange(16) == 6
    result = suppress_in_turn(value, relations, primary, cost=value)
    assert np.flatnonzero(result.secondary).tolist() == [4, 8, 10]
    assert result.cost == suppress(value, relations, primary, cost=value).cost == 37.0
    assert not result.optimal, "nothing proves that it is the cheapest"


@pytest.mark.parametrize("seed", range(6))
def test_the_unit_of_measurement_does_not_matter(seed):
    """The same cells are withheld whether a table counts in units or in millions."""
    rng = np.random.default_rng(seed)
    value, ids = table(rng, 4, 4)
    relations = table_relations([ids], value.size)
    primary = np.isin(np.arange(value.size), rng.choice(ids[:-1, :-1].ravel(), 3, replace=False))
    patterns = [
        suppress_in_turn(value * unit, relations, primary, cost=value, protection=0.4).withheld.tolist()
        for unit in (1.0, 2.0**-20)
    ]
    assert patterns[0] == patterns[1]


@pytest.mark.parametrize("seed", range(6))
def test_small_tables_against_every_pattern(seed):
    rng = np.random.default_rng(seed)
    value, ids = table(rng, 2, 3)
    relations = table_relations([ids], value.size)
    primary = np.zeros(value.size, dtype=bool)
    primary[rng.choice([0, 1, 2, 4, 5, 6], 2, replace=False)] = True
    cost = rng.integers(1, 9, value.size).astype(float)
    result = suppress_in_turn(value, relations, primary, cost=cost)
    assert protected(value, relations, result.withheld, primary)
    free = np.flatnonzero(~primary)
    chosen = np.array(list(itertools.product([False, True], repeat=len(free))))
    chosen = chosen[np.argsort(chosen @ cost[free], kind="stable")]
    for take in chosen:  # the cheapest first
        pattern = primary.copy()
        pattern[free[take]] = True
        alone = (abs(relations) @ pattern.astype(float)) == 1.0
        if not alone.any() and protected(value, relations, pattern, primary):
            break
    best = cost[free[take]].sum()
    assert best <= result.cost <= 1.5 * best
    # Nothing is spare: no cell alone could be published again.
    for cell in np.flatnonzero(result.secondary):
        less = result.withheld & (np.arange(value.size) != cell)
        assert not protected(value, relations, less, primary)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.floats(0.02, 1.0))
def test_nothing_sensitive_can_be_bounded(seed, protection):
    rng = np.random.default_rng(seed)
    value, ids = table(rng, int(rng.integers(2, 7)), int(rng.integers(2, 6)), low=0)
    relations = table_relations([ids], value.size)
    inner = ids[:-1, :-1].ravel()
    primary = np.zeros(value.size, dtype=bool)
    primary[rng.choice(inner, min(len(inner), int(rng.integers(0, 5))), replace=False)] = True
    primary &= value > 0
    empty = value == 0
    try:
        result = suppress_in_turn(value, relations, primary, never=empty, protection=protection)
    except SuppressionError:
        with pytest.raises(SuppressionError):
            suppress(value, relations, primary, never=empty, protection=protection)
        return
    assert protected(value, relations, result.withheld, primary, protection)
    assert not (result.withheld & empty).any()
    if not primary.any():
        assert not result.withheld.any()


def test_margins_that_are_public_stay_public_and_what_was_withheld_is_used_first():
    rng = np.random.default_rng(3)
    value, ids = table(rng, 5, 5)
    relations = table_relations([ids], value.size)
    primary = np.isin(np.arange(value.size), [ids[1, 1], ids[3, 2]])
    margins = np.isin(np.arange(value.size), [*ids[-1], *ids[:, -1]])
    before = np.isin(np.arange(value.size), [ids[1, 4], ids[4, 1], ids[4, 4]])
    result = suppress_in_turn(value, relations, primary, never=margins, withheld_before=before)
    assert not (result.withheld & margins).any()
    assert (result.withheld & before).sum() == 3
    assert protected(value, relations, result.withheld, primary)
    fresh = suppress_in_turn(value, relations, primary, never=margins)
    assert (result.secondary & ~before).sum() <= fresh.secondary.sum()
    with pytest.raises(SuppressionError, match="give a sensitive cell away"):
        suppress_in_turn(value, relations, primary, never=~primary)
    with pytest.raises(SuppressionError, match=f"cell {ids[1, 1]} is sensitive and must be published"):
        suppress_in_turn(value, relations, primary, never=primary)


def test_a_table_of_national_size_is_protected_near_the_optimum():
    rng = np.random.default_rng(11)
    full = np.zeros((33, 19))
    full[:-1, :-1] = rng.lognormal(2, 2, (32, 18)) * (rng.random((32, 18)) >= 0.1)
    full[-1], full[:, -1] = full.sum(axis=0), full.sum(axis=1)
    full[-1, -1] = full[:-1, :-1].sum()
    value, ids = full.ravel(), np.arange(full.size).reshape(full.shape)
    relations = table_relations([ids], value.size)
    primary = np.zeros(value.size, dtype=bool)
    primary[rng.choice(ids[:-1, :-1].ravel(), 60, replace=False)] = True
    primary &= value > 0
    result = suppress_in_turn(value, relations, primary, never=value == 0)
    assert protected(value, relations, result.withheld, primary)
    assert result.secondary.sum() < primary.sum()
    again = suppress_in_turn(value, relations, primary, never=value == 0)
    assert (again.withheld == result.withheld).all()
