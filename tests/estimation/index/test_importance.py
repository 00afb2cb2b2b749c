"""Shapley values and cross-fitted importances against cases whose answer is known."""

import numpy as np
import pytest

from estimation.index.importance import importance, shapley_values


def test_shapley_values_of_a_linear_function_are_its_terms() -> None:
    rng = np.random.default_rng(1)
    x, background = rng.normal(size=(20, 4)), rng.normal(size=(20, 4))
    beta = np.array([2.0, -1.0, 0.0, 0.5])
    result = shapley_values(lambda rows: rows @ beta, x, background, rng=rng)
    np.testing.assert_allclose(result, beta * (x - background), atol=1e-12)


def test_shapley_values_add_up_and_share_an_interaction_evenly() -> None:
    rng = np.random.default_rng(2)
    x, background = np.ones((3, 2)), np.zeros((3, 2))
    result = shapley_values(lambda rows: rows[:, 0] * rows[:, 1], x, background, rng=rng)
    np.testing.assert_allclose(result, 0.5)  # an order and its reverse share the product exactly
    x, background = rng.normal(size=(30, 5)), rng.normal(size=(30, 5))

    def bent(rows: np.ndarray) -> np.ndarray:
        return np.sin(rows[:, 0]) * rows[:, 1] + np.maximum(rows[:, 2], 0) ** 2

    result = shapley_values(bent, x, background, rng=rng)
    np.testing.assert_allclose(result.sum(axis=1), bent(x) - bent(background), atol=1e-12)
    np.testing.assert_array_equal(result[:, 3:], 0)


def data(seed: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(600, 4))
    return x, 3 * x[:, 1] + np.where(x[:, 2] > 0, 2.0, 0.0) + noise * rng.normal(size=600)


def test_relevant_indicators_are_important_and_irrelevant_ones_are_not() -> None:
    result = importance(*data(3, 0.5), seed=9)
    assert result is not None and result.value is not None
    assert result.fit > 0.8 and result.rows == 600
    assert result.value.sum() == pytest.approx(1.0)
    assert list(np.argsort(-result.value)[:2]) == [1, 2] and result.value[[0, 3]].max() < 0.1
    assert all((spread >= 0).all() and spread.shape == (4,) for spread in result.spread.values())


def test_noise_has_no_fit() -> None:
    rng = np.random.default_rng(4)
    result = importance(rng.normal(size=(400, 5)), rng.normal(size=400), seed=1)
    assert result is not None and result.fits["trees"] <= 0 and result.fit < 0.02
    if result.fit <= 0:
        assert result.value is None


def test_the_same_seed_gives_the_same_bytes_and_units_of_measure_do_not_matter() -> None:
    x, y = data(5, 1.0)
    first, again, scaled = (importance(*arrays, seed=3) for arrays in ((x, y), (x, y), (x * 1024, y)))
    assert first is not None and again is not None and scaled is not None
    for name in first.by_model:
        assert first.by_model[name].tobytes() == again.by_model[name].tobytes()
        np.testing.assert_allclose(scaled.by_model[name], first.by_model[name], rtol=1e-6)


def test_too_few_or_constant_is_no_model() -> None:
    rng = np.random.default_rng(6)
    assert importance(rng.normal(size=(99, 3)), rng.normal(size=99), seed=0) is None
    assert importance(rng.normal(size=(200, 3)), np.ones(200), seed=0) is None
    with pytest.raises(ValueError):
        importance(np.full((200, 3), np.nan), np.ones(200), seed=0)
