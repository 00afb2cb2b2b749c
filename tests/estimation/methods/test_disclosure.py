import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimation.methods import (
    Sensitivity,
    SuppressionError,
    audit_suppression,
    primary_cells,
    suppress,
    table_relations,
)


def test_primary_rules_by_hand():
    contribution = np.array([5, 5, 71, 29, 0.5, 60, 26, 10, 4, 40, 40, 20, 1, 0, 0, 0, 9.0])
    cell = np.array([0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 4, 5, 5, 5, -1])
    result = primary_cells(contribution, cell, cells=7)
    s = Sensitivity
    assert result.reason.tolist() == [s.FEW, s.ONE_DOMINATES, s.TWO_DOMINATE, s.SAFE, s.FEW, s.SAFE, s.SAFE]
    assert result.units.tolist() == [2, 3, 4, 3, 1, 3, 0]
    assert result.largest[1] == pytest.approx(71 / 100.5)
    assert result.two_largest[2] == pytest.approx(0.86)
    assert [int(reason) for reason in s] == [0, 1, 2, 3]
    # Shares that equal the limit are allowed.
    edge = primary_cells(np.array([70.0, 15, 15, 0]), np.zeros(4, dtype=int))
    assert edge.reason.tolist() == [s.SAFE]
    with pytest.raises(ValueError, match=r"contribution must not be negative: index 1 holds -1\.0"):
        primary_cells(np.array([1.0, -1.0]), np.zeros(2, dtype=int))


def table(rng, rows, columns):
    inner = rng.integers(1, 40, (rows, columns)).astype(float)
    full = np.zeros((rows + 1, columns + 1))
    full[:-1, :-1] = inner
    full[-1, :-1], full[:-1, -1], full[-1, -1] = inner.sum(axis=0), inner.sum(axis=1), inner.sum()
    return full.ravel(), np.arange(full.size).reshape(full.shape)


def solvable(relations, withheld):
    """Cells that linear algebra alone gives away: unit vectors in the row space of the withheld columns."""
    members = np.flatnonzero(withheld)
    matrix = relations.toarray()[:, members]
    rank = np.linalg.matrix_rank(matrix)
    units = np.eye(len(members))
    return [
        int(c)
        for c, e in zip(members, units, strict=True)
        if np.linalg.matrix_rank(np.vstack([matrix, e])) == rank
    ]


def test_one_sensitive_cell_in_a_table_takes_a_rectangle():
    value = np.array([20, 50, 10, 80, 8, 19, 22, 49, 17, 32, 12, 61, 45, 101, 44, 190.0])
    relations = table_relations([np.arange(16).reshape(4, 4)], 16)
    primary = np.zeros(16, dtype=bool)
    primary[6] = True
    result = suppress(value, relations, primary, cost=value)
    # Rectangles through (1, 2): with rows 0 or 2 and columns 0 or 1; 8 + 17 + 12 is the cheapest that can carry 2.2.
    assert np.flatnonzero(result.secondary).tolist() == [4, 8, 10]
    assert result.cost == 37.0 and result.optimal
    audit = audit_suppression(value, relations, result.withheld)
    assert not audit.recovered.any()
    # The cycle moves up by min(8, 12) and down by min(22, 17).
    assert (audit.lower[6], audit.upper[6]) == (pytest.approx(22 - 17), pytest.approx(22 + 8))
    naive = audit_suppression(value, relations, primary)
    assert naive.recovered.tolist() == primary.tolist()
    assert naive.lower[6] == naive.upper[6] == 22.0


@pytest.mark.parametrize("seed", range(6))
def test_cheapest_pattern_of_all_in_small_tables(seed):
    rng = np.random.default_rng(seed)
    value, ids = table(rng, 2, 3)
    relations = table_relations([ids], value.size)
    primary = np.zeros(value.size, dtype=bool)
    primary[rng.choice([0, 1, 2, 4, 5, 6], 2, replace=False)] = True
    cost = rng.integers(1, 9, value.size).astype(float)
    result = suppress(value, relations, primary, cost=cost)
    best = np.inf
    free = np.flatnonzero(~primary)
    for chosen in itertools.product([False, True], repeat=len(free)):
        pattern = primary.copy()
        pattern[free[np.array(chosen)]] = True
        price = cost[pattern & ~primary].sum()
        alone = (abs(relations) @ pattern.astype(float)) == 1.0
        if price < best and not alone.any():
            audit = audit_suppression(value, relations, pattern)
            required = 0.1 * value[primary] - 1e-9
            wide = (audit.upper - value)[primary] >= required
            if (wide & ((value - audit.lower)[primary] >= required)).all():
                best = price
    assert result.cost == pytest.approx(best)


def test_linked_tables_and_releases_share_cells():
    rng = np.random.default_rng(2)
    # Region x industry and region x size share the regions' totals and the grand total.
    by_industry, ids = table(rng, 4, 4)
    parts = rng.dirichlet(np.ones(3), 4) * by_industry.reshape(5, 5)[:4, 4:]
    second = np.concatenate([parts, parts.sum(axis=0, keepdims=True)])
    value = np.concatenate([by_industry, second.ravel()])
    linked = np.concatenate([25 + np.arange(15).reshape(5, 3), ids[:, 4:]], axis=1)
    relations = table_relations([ids, linked], len(value))
    assert relations.shape == (5 + 5 + 5 + 4, 40)
    primary = np.zeros(len(value), dtype=bool)
    primary[[0, 26, 33]] = True
    result = suppress(value, relations, primary)
    audit = audit_suppression(value, relations, result.withheld)
    assert not audit.recovered.any()
    assert (audit.upper[primary] >= value[primary] * 1.1 - 1e-6).all()
    assert (audit.lower[primary] <= value[primary] * 0.9 + 1e-6).all()
    assert solvable(relations, result.withheld) == []
    # An earlier release published every total: they stay published, and inner cells do the work.
    totals = np.isin(np.arange(40), np.concatenate([ids[:, 4], ids[4], 25 + np.arange(12, 15)]))
    retained = suppress(value, relations, primary, never=totals)
    assert not (retained.withheld & totals).any()
    assert not audit_suppression(value, relations, retained.withheld).recovered.any()
    again = suppress(value, relations, primary, withheld_before=retained.withheld)
    assert again.withheld[primary].all()
    with pytest.raises(SuppressionError, match="give a sensitive cell away"):
        suppress(value, relations, primary, never=~primary)
    with pytest.raises(SuppressionError, match="cell 26 is sensitive and must be published"):
        suppress(value, relations, primary, never=np.arange(40) == 26)


def test_a_table_of_national_size_is_protected():
    rng = np.random.default_rng(11)
    inner = rng.lognormal(2, 2, (32, 18))
    inner[rng.random(inner.shape) < 0.1] = 0.0
    full = np.zeros((33, 19))
    full[:-1, :-1] = inner
    full[-1], full[:, -1] = full.sum(axis=0), full.sum(axis=1)
    full[-1, -1] = inner.sum()
    value, ids = full.ravel(), np.arange(full.size).reshape(full.shape)
    relations = table_relations([ids], value.size)
    primary = np.zeros(value.size, dtype=bool)
    primary[rng.choice(ids[:-1, :-1].ravel(), 60, replace=False)] = True
    primary &= value > 0
    result = suppress(value, relations, primary, never=value == 0, seconds_per_round=5.0)
    audit = audit_suppression(value, relations, result.withheld)
    assert not audit.recovered.any() and solvable(relations, result.withheld) == []
    assert (audit.upper[primary] - value[primary] >= 0.0999 * value[primary]).all()
    assert result.secondary.sum() < primary.sum()


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.floats(0.01, 1.0))
def test_nothing_withheld_can_be_recovered(seed, protection):
    rng = np.random.default_rng(seed)
    value, ids = table(rng, int(rng.integers(2, 5)), int(rng.integers(2, 5)))
    relations = table_relations([ids], value.size)
    primary = np.zeros(value.size, dtype=bool)
    inner = ids[:-1, :-1].ravel()
    primary[rng.choice(inner, min(len(inner), int(rng.integers(0, 4))), replace=False)] = True
    result = suppress(value, relations, primary, protection=protection)
    audit = audit_suppression(value, relations, result.withheld)
    assert not audit.recovered.any() and solvable(relations, result.withheld) == []
    assert (audit.upper[primary] - value[primary] >= 0.999 * protection * value[primary]).all()
    if not primary.any():
        assert not result.withheld.any()


def test_every_number_can_be_that_of_a_total():
    assert table_relations([np.array([1, 2, 0])], 3).toarray().tolist() == [[-1, 1, 1]]
    with pytest.raises(ValueError, match="table 0 has parts"):
        table_relations([np.array([1, 2, -1])], 3)


def test_only_the_targets_of_an_attack_are_bounded():
    value, ids = table(np.random.default_rng(3), 3, 3)
    relations, withheld = table_relations([ids], value.size), np.zeros(value.size, dtype=bool)
    withheld[ids[:2, :2]] = True
    withheld[ids[2, 2]] = True  # a sum of its own: the published cells give it away
    targets = np.arange(value.size) == ids[0, 0]
    every, some = (audit_suppression(value, relations, withheld, targets=t) for t in (None, targets))
    others = withheld & ~targets
    assert (some.lower[others] == 0).all() and np.isinf(some.upper[others]).all()
    assert (some.lower[targets], some.upper[targets]) == (every.lower[targets], every.upper[targets])
    assert np.isfinite(every.upper[withheld]).all()
    assert every.recovered[ids[2, 2]] and not some.recovered.any()


def test_bad_tables_are_refused():
    relations = table_relations([np.arange(3)], 3)
    three = table_relations([np.arange(3), np.arange(3, 6), np.arange(6, 9)], 9)
    with pytest.raises(ValueError, match=r"relation 1 does not hold: parts and total differ by 2\.0"):
        suppress(np.array([1.0, 2, 3, 1, 2, 5, 1, 2, 6]), three, np.zeros(9, dtype=bool))
    with pytest.raises(ValueError, match=r"relation 0 does not hold: parts and total differ by 1\.0"):
        suppress(np.array([1.0, 2.0, 4.0]), relations, np.zeros(3, dtype=bool))
    with pytest.raises(ValueError, match="without a total"):
        table_relations([np.array([0, 1, -1])], 3)
