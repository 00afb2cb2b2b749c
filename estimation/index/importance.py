"""Importance of each indicator for an external measure: cross-fitted models, Shapley values on held-out folds.

Pure. The only module that imports scikit-learn.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import ElasticNetCV
from sklearn.model_selection import KFold
from threadpoolctl import threadpool_limits

from estimation.methods.arrays import Floats

FOLDS = 5
PAIRS = 4  # permutations, each with its reverse
EXPLAINED = 400  # held-out rows of a fold whose predictions are decomposed
FEWEST = 100


@dataclass(frozen=True, eq=False)
class Importance:
    """Importance of k indicators for an external measure.

    rows : respondents used; fits : model -> held-out R^2 over all folds; by_model : model -> (k,) mean absolute
    Shapley value on held-out rows, sum 1; spread : model -> (k,) its standard deviation over the folds
    value : (k,) mean of the models that explain something, weighted by their R^2, or None; fit : the best R^2
    """

    rows: int
    fits: dict[str, float]
    by_model: dict[str, Floats]
    spread: dict[str, Floats]

    @property
    def fit(self) -> float:
        """The best held-out R^2; not positive when no model explains the measure."""
        return max(self.fits.values())

    @property
    def value(self) -> Floats | None:
        """(k,) importance, or None when no model has a positive R^2 on held-out folds."""
        good = {name: fit for name, fit in self.fits.items() if fit > 0}
        if not good:
            return None
        total = sum(good.values())
        return np.asarray(np.sum([fit / total * self.by_model[name] for name, fit in good.items()], axis=0))


def importance(x: npt.ArrayLike, y: npt.ArrayLike, *, seed: int) -> Importance | None:
    """Cross-fit boosted trees and an elastic net and decompose their held-out predictions.

    Parameters
    ----------
    x : (m, k) indicators of respondents; y : (m,) the external measure; both finite

    Returns
    -------
    Importance, or None with fewer than 100 respondents or a constant measure.

    Notes
    -----
    Each of five folds is predicted by models fitted on the other four. Shapley values are interventional: absent
    indicators come from a random training row; they are sampled over pairs of a random order and its reverse, and
    exact for the linear model. The same seed gives the same bytes: one thread, no time of day.

    References
    ----------
    Strumbelj and Kononenko (2014); Lundberg and Lee (2017); Zou and Hastie (2005); Friedman (2001).
    """
    features, target = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if not np.isfinite(features).all() or not np.isfinite(target).all():
        raise ValueError("indicators and measure must be finite")
    if len(target) < FEWEST or np.ptp(target) == 0:
        return None
    spread = features.std(axis=0)
    features = (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    rng = np.random.default_rng(seed)
    predicted = {"trees": np.empty(len(target)), "elastic_net": np.empty(len(target))}
    parts: dict[str, list[Floats]] = {name: [] for name in predicted}
    folds = KFold(FOLDS, shuffle=True, random_state=seed % 2**32)
    with threadpool_limits(limits=1):
        for train, test in folds.split(features):
            trees = HistGradientBoostingRegressor(
                max_iter=120,
                learning_rate=0.06,
                max_depth=4,
                min_samples_leaf=20,
                early_stopping=False,
                random_state=seed % 2**32,
            ).fit(features[train], target[train])
            net = ElasticNetCV(l1_ratio=0.5, cv=3, alphas=30, max_iter=5000).fit(
                features[train], target[train]
            )
            predicted["trees"][test] = trees.predict(features[test])
            predicted["elastic_net"][test] = net.predict(features[test])
            rows = features[test][:EXPLAINED]
            background = features[rng.choice(train, len(rows))]
            shapley = shapley_values(trees.predict, rows, background, rng=rng)
            parts["trees"].append(np.abs(shapley).mean(axis=0))
            linear = np.asarray(net.coef_) * (rows - features[train].mean(axis=0))
            parts["elastic_net"].append(np.abs(linear).mean(axis=0))
    variance = float(((target - target.mean()) ** 2).mean())
    fits = {
        name: 1.0 - float(((target - values) ** 2).mean()) / variance for name, values in predicted.items()
    }
    shares = {name: np.stack([_normalised(fold) for fold in values]) for name, values in parts.items()}
    return Importance(
        len(target),
        fits,
        {name: _normalised(values.mean(axis=0)) for name, values in shares.items()},
        {name: np.asarray(values.std(axis=0, ddof=1)) for name, values in shares.items()},
    )


def shapley_values(
    predict: Callable[[Floats], Floats], x: Floats, background: Floats, *, rng: np.random.Generator
) -> Floats:
    """Shapley values (m, k) of the predictions of x (m, k) against background rows (m, k), sampled over orders.

    They add up to predict(x) - predict(background) exactly, row by row, whatever the orders.
    """
    k = x.shape[1]
    total = np.zeros(x.shape)
    start = predict(background)
    for _pair in range(PAIRS):
        order = rng.permutation(k)
        for permutation in (order, order[::-1]):
            current, before = background.copy(), start
            for j in permutation:
                current[:, j] = x[:, j]
                after = predict(current)
                total[:, j] += after - before
                before = after
    return total / (2 * PAIRS)


def _normalised(values: Floats) -> Floats:
    total = float(values.sum())
    return values / total if total > 0 else np.full(len(values), 1.0 / len(values))
