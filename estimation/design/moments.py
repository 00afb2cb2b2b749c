"""Mean and spread of the chief items in every stratum, from last year's accepted sheets. Pure."""

from dataclasses import dataclass

import numpy as np

from estimation.design.stratify import Frame, Stratified
from estimation.methods import winsorize
from estimation.methods.arrays import Bools, Floats, Ints

FEWEST = 5  # answers that a stratum needs for a spread of its own


@dataclass(frozen=True)
class Moments:
    """mean, spread : (H, k); borrowed : (H,) True where they are those of a wider class."""

    mean: Floats
    spread: Floats
    borrowed: Bools


@dataclass(frozen=True)
class Cells:
    """Take-all units, by stratum, region, section and size: key (C, 4), size (C,), mean and spread (C, k)."""

    key: Ints
    size: Floats
    mean: Floats
    spread: Floats


def treated(frame: Frame, strata: Stratified, values: Floats) -> Floats:
    """Values (n, k) with the largest percent of each section moved to the cutoff, as a run does; NaN stays.

    Take-all units have weight 1 and are not changed.
    """
    result = values.copy()
    exempt = strata.take_all[strata.stratum]
    for item in range(values.shape[1]):
        have = ~np.isnan(values[:, item])
        if not have.any():
            continue
        group = (frame.section[have] + 1).astype(np.intp)
        result[have, item] = winsorize(
            values[have, item], group, exempt=exempt[have], parent=[np.zeros(int(have.sum()), np.intp)]
        ).values
    return result


def stratum_moments(strata: Stratified, values: Floats) -> Moments:
    """Own mean and standard deviation where enough units answered, else those of the next wider class.

    Classes: the stratum; category, section and size in all regions; kind and size; kind; all units. The spread of a
    wider class includes the differences between its strata, so borrowed values are conservative.
    """
    key = strata.key
    classes = [
        np.arange(len(key)),
        _codes(key[:, [0, 1, 3, 4]]),
        _codes(key[:, [0, 4]]),
        _codes(key[:, [0]]),
        np.zeros(len(key), np.int64),
    ]
    shape = (len(key), values.shape[1])
    mean, spread, assigned = np.zeros(shape), np.zeros(shape), np.zeros(shape, bool)
    for level, codes in enumerate(classes):
        n, m, s = _class_moments(codes[strata.stratum], int(codes.max(initial=-1)) + 1, values)
        # A take-all stratum needs no spread: its own mean is used however few units answered.
        enough = np.where((strata.take_all & (level == 0))[:, None], n[codes] >= 1, n[codes] >= FEWEST)
        use = ~assigned & enough
        mean, spread = np.where(use, m[codes], mean), np.where(use, s[codes], spread)
        assigned |= use
        if level == 0:
            own = assigned.copy()
    return Moments(mean, spread, ~own.all(axis=1))


def certain_cells(frame: Frame, strata: Stratified, moments: Moments, values: Floats) -> Cells:
    """Contribution of the take-all units to every region, section and size."""
    certain = strata.take_all[strata.stratum]
    parts = np.stack([strata.stratum, frame.region, frame.section, frame.size], axis=1)[certain]
    key, inverse = np.unique(parts, axis=0, return_inverse=True)
    inverse = np.asarray(inverse).ravel()
    n, mean, spread = _class_moments(inverse, len(key), values[certain])
    size = np.bincount(inverse, minlength=len(key)).astype(np.float64)
    mean = np.where(n >= 1, mean, moments.mean[key[:, 0]])
    spread = np.where(n >= FEWEST, spread, moments.spread[key[:, 0]])
    return Cells(key, size, mean, spread)


def _codes(parts: Ints) -> Ints:
    if len(parts) == 0:
        return np.zeros(0, np.int64)
    return np.asarray(np.unique(parts, axis=0, return_inverse=True)[1]).ravel()


def _class_moments(codes: Ints, classes: int, values: Floats) -> tuple[Floats, Floats, Floats]:
    """n, mean and standard deviation (divisor n - 1) per class and item, each (classes, k)."""
    shape = (classes, values.shape[1])
    n, mean, spread = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for item in range(values.shape[1]):
        have = ~np.isnan(values[:, item])
        at, y = codes[have], values[have, item]
        n[:, item] = np.bincount(at, minlength=classes)
        mean[:, item] = np.bincount(at, weights=y, minlength=classes) / np.maximum(n[:, item], 1)
        # Deviations from the mean, not squares minus a square: volumes span twelve orders of magnitude.
        squares = np.bincount(at, weights=(y - mean[at, item]) ** 2, minlength=classes)
        spread[:, item] = np.sqrt(squares / np.maximum(n[:, item] - 1, 1))
    return n, mean, spread
