"""Alternatives side by side as tables that sum: sizes and promised precision of every published domain. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from estimation.design.allocation import KINDS_OF_DOMAIN, Alternative, Base
from estimation.methods.arrays import Floats
from survey.classification import REGIONS, SECTIONS, SIZES

_LABELS = {"nation": ("all",), "region": REGIONS, "section": SECTIONS, "size": SIZES}


@dataclass(frozen=True)
class Line:
    """One domain: its code ("" the sum, "-" what belongs to none), N, units that are listed, (n, share, cv) of each."""

    code: str
    population: int
    listed: int
    cells: list[tuple[int, float, float | None]]


def breakdown(base: Base, alternatives: Sequence[Alternative], kind: str, item: int) -> list[Line]:
    """Domains of one kind, what belongs to none of them, and the sum; n is given beside its share of the largest."""
    count, domain = base.domains[kind]
    inside = domain >= 0
    population = np.bincount(domain[inside], weights=base.parts[inside], minlength=count)
    listed = np.bincount(domain[inside], weights=base.listed_parts[inside], minlength=count)
    largest = max((int(one.units[kind].max(initial=0)) for one in alternatives), default=0) or 1
    lines = [
        Line(
            label,
            int(population[d]),
            int(listed[d]),
            [
                (int(one.units[kind][d]), one.units[kind][d] / largest, _finite(one.cv[kind], d, item))
                for one in alternatives
            ],
        )
        for d, label in enumerate(_LABELS[kind])
        if population[d] > 0
    ]
    if kind == "nation":
        return lines
    rest = [one.n - int(one.units[kind].sum()) for one in alternatives]
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
            [(one.n, 0.0, _finite(one.cv["nation"], 0, item)) for one in alternatives],
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
        (code, [_finite(one.cv["nation"], 0, place) for one in alternatives])
        for place, code in enumerate(base.items)
    ]


def grades(base: Base, alternative: Alternative) -> dict[str, int]:
    """How many published domains and items get which quality grade: A < 5 %, B < 10 %, C < 20 %, D < 35 %, E."""
    values = np.concatenate([alternative.cv[kind].ravel() for kind in KINDS_OF_DOMAIN])
    values = values[~np.isnan(values)]
    edges = np.searchsorted([0.05, 0.10, 0.20, 0.35], values, side="right")
    return dict(zip("ABCDE", np.bincount(edges, minlength=5).tolist(), strict=True))
