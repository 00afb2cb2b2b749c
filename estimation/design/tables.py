"""Alternatives side by side as tables that sum: sizes and expected precision of every published domain. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from estimation.design.allocation import KINDS_OF_DOMAIN, Alternative, Base
from estimation.methods.arrays import Floats
from survey.classification import REGIONS, SECTIONS, SIZES

_LABELS = {"nation": ("all",), "region": REGIONS, "section": SECTIONS, "size": SIZES}


@dataclass(frozen=True)
class Line:
    """One domain: its code ("" the sum, "-" units in none), N, listed units, and (n, share, cv) of each alternative."""

    code: str
    population: int
    listed: int
    cells: list[tuple[int, float, float | None]]


def breakdown(base: Base, alternatives: Sequence[Alternative], kind: str, item: int) -> list[Line]:
    """Lines of the domains of one kind, of the units in none of them, and of the sum.

    Each n comes with its share of the largest n.
    """
    count, domain = base.domains[kind]
    inside = domain >= 0
    population = np.bincount(domain[inside], weights=base.parts[inside], minlength=count)
    listed = np.bincount(domain[inside], weights=base.listed_parts[inside], minlength=count)
    largest = (
        max((int(alternative.units[kind].max(initial=0)) for alternative in alternatives), default=0) or 1
    )
    lines = [
        Line(
            label,
            int(population[d]),
            int(listed[d]),
            [
                (
                    int(alternative.units[kind][d]),
                    alternative.units[kind][d] / largest,
                    _finite(alternative.cv[kind], d, item),
                )
                for alternative in alternatives
            ],
        )
        for d, label in enumerate(_LABELS[kind])
        if population[d] > 0
    ]
    if kind == "nation":
        return lines
    rest = [alternative.n - int(alternative.units[kind].sum()) for alternative in alternatives]
    outside = ~inside
    if outside.any():
        lines.append(
            Line(
                "-",
                int(base.parts[outside].sum()),
                int(base.listed_parts[outside].sum()),
                [(n, n / largest, None) for n in rest],
            )
        )
    lines.append(
        Line(
            "",
            int(base.parts.sum()),
            int(base.listed_parts.sum()),
            [
                (alternative.n, 0.0, _finite(alternative.cv["nation"], 0, item))
                for alternative in alternatives
            ],
        )
    )
    return lines


def _finite(cv: Floats, domain: int, item: int) -> float | None:
    if cv.shape[1] == 0 or not np.isfinite(cv[domain, item]):
        return None
    return float(cv[domain, item])


def national_cv(base: Base, alternatives: Sequence[Alternative]) -> list[tuple[str, list[float | None]]]:
    """Each chief item with its national CV under every alternative."""
    return [
        (code, [_finite(alternative.cv["nation"], 0, item) for alternative in alternatives])
        for item, code in enumerate(base.items)
    ]


def grades(base: Base, alternative: Alternative) -> dict[str, int]:
    """Number of published domains and items per quality grade: A < 5 %, B < 10 %, C < 20 %, D < 35 %, E."""
    values = np.concatenate([alternative.cv[kind].ravel() for kind in KINDS_OF_DOMAIN])
    values = values[~np.isnan(values)]
    edges = np.searchsorted([0.05, 0.10, 0.20, 0.35], values, side="right")
    return dict(zip("ABCDE", np.bincount(edges, minlength=5).tolist(), strict=True))
