from decimal import Decimal

import numpy as np
import pytest

from estimation.methods import (
    StratifiedSample,
    grade,
    grade_estimates,
    half_up,
    largest_share,
    moved_share,
    round_half_up,
    total,
)


def test_grades_change_at_their_thresholds():
    assert grade([0.0, 0.0499, 0.05, 0.0999, 0.1, 0.2, 0.3499, 0.35, 9.0, np.nan]).tolist() == list(
        "AABBCDDEEE"
    )
    assert grade([0.04, 0.06], thresholds=[0.01, 0.02, 0.03, 0.05]).tolist() == ["D", "E"]
    with pytest.raises(ValueError, match="ascending"):
        grade([0.1], thresholds=[0.2, 0.1, 0.3, 0.4])


def test_a_true_zero_of_a_take_all_stratum_has_grade_a_and_an_empty_domain_grade_e():
    sample = StratifiedSample(np.array([0, 0, 1, 1]), np.array([2.0, 9.0]))
    result = total(sample, np.array([0.0, 0.0, 1.0, 100.0]), domain=np.array([0, 0, 1, 1]), domains=3)
    assert grade_estimates(result)[:, 0].tolist() == ["A", "E", "E"]


def test_largest_share_and_moved_share_by_hand():
    # Weights 2, 2, 5: weighted values 2, 6, 20 -> 20 / 28; alone in domain 0: 6 / 8.
    sample = StratifiedSample(np.array([0, 0, 1]), np.array([4.0, 5.0]))
    y = np.array([1.0, 3.0, 4.0])
    assert largest_share(sample, y).item() == pytest.approx(20 / 28)
    by_domain = largest_share(sample, y, domain=np.array([0, 0, 2]))
    assert by_domain[[0, 2], 0].tolist() == pytest.approx([0.75, 1.0]) and np.isnan(by_domain[1, 0])
    treated = np.array([1.0, 2.0, 4.0])
    moved = moved_share(sample, y, treated, domain=np.array([0, 0, 1]))
    assert moved[:, 0].tolist() == pytest.approx([-0.25, 0.0])


@pytest.mark.parametrize(
    ("value", "digits", "printed"),
    [
        (2.675, 2, "2.68"),  # the nearest binary number is below the half
        (53.125, 2, "53.13"),
        (0.5, 0, "1"),
        (1.5, 0, "2"),
        (2.5, 0, "3"),
        (-2.5, 0, "-3"),
        (-0.001, 2, "0.00"),
        (1234.0, -2, "1.2E+3"),
        (1e-9, 4, "0.0000"),
        (12345678.905, 2, "12345678.91"),
    ],
)
def test_half_up(value, digits, printed):
    assert str(half_up(value, digits)) == printed


def test_half_up_of_arrays_keeps_the_shape_and_missing_values():
    result = round_half_up([[0.125, np.nan], [np.inf, 2.345]], 2)
    np.testing.assert_array_equal(result, [[0.13, np.nan], [np.inf, 2.35]])
    with pytest.raises(ValueError, match="cannot round nan"):
        half_up(float("nan"), 2)
    assert half_up(0.1 + 0.2, 1) == Decimal("0.3")
