"""Making generated values meet given totals: by a common factor, by a shift of log-odds, by exact counts."""

from collections.abc import Sequence

import numpy as np

from estimation.methods.arrays import Bools, Floats, Ints


def cell_sums(values: Floats, cell: Ints, cells: int) -> Floats:
    """Sum of `values` (n,) inside each of `cells` cells."""
    return np.bincount(cell, weights=values, minlength=cells)


def scale_to(raw: Floats, cell: Ints, targets: Floats) -> Floats:
    """`raw` (n,) times one factor per cell so that cell c sums to `targets[c]`; empty cells stay empty."""
    sums = cell_sums(raw, cell, len(targets))
    factor = np.divide(targets, sums, out=np.zeros(len(targets)), where=sums > 0)
    return raw * factor[cell]


def fit_share(base: Floats, logit: Floats, cell: Ints, targets: Floats, *, rounds: int = 60) -> Floats:
    """Parts of `base` (n,) between 0 and base: base * expit(logit + c[cell]) with cell sums `targets`.

    Targets are clipped to a millionth..99.9 % of the base of the cell, so a target that cannot be met shows as a
    difference of the sums and never as a value outside its bounds. Solved by safeguarded Newton steps.
    """
    cells = len(targets)
    total = cell_sums(base, cell, cells)
    goal = np.clip(targets, 1e-6 * total, 0.999 * total)
    shift = np.zeros(cells)
    low, high = np.full(cells, -40.0), np.full(cells, 40.0)
    share = np.zeros_like(base)
    for _ in range(rounds):
        share = 1.0 / (1.0 + np.exp(-(logit + shift[cell])))
        part = base * share
        value = cell_sums(part, cell, cells)
        if np.all(np.abs(value - goal) <= 1e-11 * np.maximum(total, 1e-300)):
            break
        slope = cell_sums(part * (1.0 - share), cell, cells)
        above = value > goal
        high, low = np.where(above, shift, high), np.where(above, low, shift)
        step = shift - np.divide(value - goal, slope, out=np.zeros(cells), where=slope > 0)
        shift = np.where((step > low) & (step < high), step, (low + high) / 2)
    return base * share


def pick_exact(score: Floats, cell: Ints, counts: Ints) -> Bools:
    """Flags for exactly `counts[c]` units of each cell: those with the highest score (random scores: at random)."""
    order = np.lexsort((-score, cell))
    sizes = np.bincount(cell, minlength=len(counts))
    start = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    rank = np.arange(len(cell)) - np.repeat(start, sizes)
    chosen = np.zeros(len(cell), bool)
    chosen[order] = rank < np.minimum(counts, sizes)[cell[order]]
    return chosen


def whole_numbers(expected: Floats, rng: np.random.Generator, *, minimum: int = 0) -> Floats:
    """Random whole numbers near `expected` (n,) whose sum is its rounded sum; each is at least `minimum`.

    Systematic rounding along a random order. With a minimum, only the excess over it is rounded, shrunk so
    that the sum still holds (the sum is n * minimum when even that exceeds it).
    """
    if len(expected) == 0:
        return expected.copy()
    total = round(float(expected.sum()))
    excess = np.maximum(expected - minimum, 0.0)
    goal = max(total - minimum * len(expected), 0)
    if excess.sum() > 0:
        excess *= goal / excess.sum()
    order = rng.permutation(len(expected))
    bounds = np.floor(np.cumsum(excess[order]) + rng.random())
    bounds[-1] = goal if excess.sum() > 0 else 0
    result = np.empty(len(expected))
    result[order] = np.diff(np.concatenate([[0.0], np.minimum(bounds, bounds[-1])]))
    return result + minimum


def grouped(*keys: tuple[Ints, int]) -> tuple[Ints, int]:
    """One cell number from several keys; each key is (codes, number of codes)."""
    cell, cells = np.zeros(len(keys[0][0]), np.int64), 1
    for codes, size in keys:
        cell, cells = cell * size + codes, cells * size
    return cell, cells


def proportional(raw: Floats, cell: Ints, cells: int, total: float) -> Floats:
    """Targets per cell proportional to the raw sums, adding up to `total`."""
    sums = cell_sums(raw, cell, cells)
    return sums * (total / sums.sum()) if sums.sum() > 0 else sums


def solve_tilt(
    base: Floats, scores: Sequence[Floats], goals: Sequence[float], *, rounds: int = 200
) -> Floats:
    """Weights base * exp(t . score), rescaled to the sum of base, whose means of `scores` are `goals`.

    Raises ValueError when no tilt reaches the goals.
    """
    matrix = np.column_stack([np.asarray(score, float) for score in scores])
    centre, spread = matrix.mean(0), matrix.std(0)
    standard = (matrix - centre) / spread
    target = (np.asarray(goals, float) - centre) / spread
    tilt = np.zeros(matrix.shape[1])
    for _ in range(rounds):
        log_weight = np.log(base) + standard @ tilt
        weight = np.exp(log_weight - log_weight.max())
        weight /= weight.sum()
        mean = weight @ standard
        if np.abs(mean - target).max() < 1e-12:
            return weight * base.sum()
        covariance = (standard * weight[:, None]).T @ standard - np.outer(mean, mean)
        tilt += np.clip(np.linalg.solve(covariance + 1e-12 * np.eye(len(tilt)), target - mean), -0.5, 0.5)
    raise ValueError(f"the goals {list(goals)} cannot be reached together")
