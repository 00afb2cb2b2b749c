"""Strata, collapsing and weights of one year. Pure."""

from dataclasses import dataclass

import numpy as np

from estimation.design.strata import KINDS, Strata, macro_region_of
from estimation.methods.arrays import Floats, Ints
from estimation.methods.sample import StratifiedSample
from estimation.methods.weighting.collapsing import collapse
from estimation.methods.weighting.response import nonresponse_weights
from estimation.runs.compute.arrays import Year
from estimation.runs.compute.classes import Classes, response_classes
from estimation.runs.compute.spec import RunSpec
from survey.classification import CATEGORIES, MACRO_REGION_NAMES, REGIONS, SECTIONS, SIZES


@dataclass(frozen=True)
class Weighted:
    """One year with its weights.

    sample : strata after collapsing, population, weights; names : (H',) name of each estimation stratum
    key : (H',) sets of cells, as frozen sets of their keys: the same set in two years is one stratum
    classes : the C cells that were weighted, design strata or regions of take-all strata
    mapping : (C,) cell -> estimation stratum, -1 without respondents
    step : (C,) level to which a cell was collapsed ("", macro_region, nation, size)
    respondents : (C,) valid units per cell
    certainty : (n,) certainty units, which winsorization does not change
    outside : units outside the design; unrepresented : population without respondents
    """

    sample: StratifiedSample
    names: tuple[str, ...]
    key: tuple[frozenset[tuple[int, ...]], ...]
    classes: Classes
    mapping: Ints
    step: tuple[str, ...]
    respondents: Ints
    certainty: "np.ndarray[tuple[int], np.dtype[np.bool_]]"
    outside: int
    unrepresented: float
    excess: int

    def owner(self, stratum: Ints, region: Ints) -> Ints:
        """(m,) estimation stratum of units by design stratum and the region in which they were drawn, -1 for none."""
        cell = self.classes.of(stratum, region)
        return np.where(cell >= 0, np.append(self.mapping, -1)[cell], -1)


def weigh(year: Year, spec: RunSpec) -> Weighted:
    """Collapse thin cells along the path of the spec and give every valid unit its weight N_h / r_h."""
    classes = response_classes(year.strata, spec)
    strata = classes.cells
    design_cell = classes.of(year.stratum, year.drawn_in)
    outside = design_cell < 0
    # Units outside the design have weight 1, in a take-all stratum at the end of the list.
    cell = np.where(outside, strata.count, design_cell)
    respondents = np.bincount(cell, minlength=strata.count + 1)
    population = np.append(strata.population, float(outside.sum()))
    # The population is at least the number of respondents: a smaller register count is an error.
    excess = int((respondents > population).sum())
    population = np.maximum(population, respondents)
    largest = np.append(np.where(classes.is_split, spec.response_largest, np.inf), np.inf)
    paths = _paths(classes, spec.collapse_path)
    collapsed = collapse(cell, population, paths, minimum=spec.minimum_respondents, largest=largest)
    step = [""] * strata.count
    for record in collapsed.records:
        for member in record.members:
            if member < strata.count:
                step[member] = spec.collapse_path[record.level]
    weight = nonresponse_weights(collapsed.stratum, collapsed.population)
    sample = StratifiedSample(collapsed.stratum, collapsed.population, weight=weight, lonely=spec.lonely)
    take_all = np.append(strata.take_all | (strata.kind == KINDS.index("certainty")), True)
    names, key = _names(strata, collapsed.mapping, step, sample.strata)
    return Weighted(
        sample=sample,
        names=names,
        key=key,
        classes=classes,
        mapping=collapsed.mapping[: strata.count],
        step=tuple(step),
        respondents=respondents[: strata.count],
        certainty=take_all[cell],
        outside=int(outside.sum()),
        unrepresented=float(collapsed.unrepresented.sum()),
        excess=excess,
    )


def _paths(classes: Classes, names: tuple[str, ...]) -> list[Ints]:
    """Partitions of the cells and of the cell for units outside; a certainty stratum is collapsed with its own regions only."""
    strata = classes.cells
    macro = macro_region_of(strata.region)
    nothing = np.full(strata.count, -1)
    region_size = {
        "macro_region": (macro, strata.size),
        "nation": (nothing, strata.size),
        "size": (nothing, nothing),
    }
    certain = strata.kind == KINDS.index("certainty")
    own = np.where(certain, classes.stratum, -1)
    paths = []
    for name in names:
        region, size = region_size[name]
        parts = np.stack([strata.kind, strata.category, strata.section, region, size, own], axis=1)
        # The classes of a take-all stratum differ by region only; it is never joined to another stratum.
        parts[certain, :3] = parts[certain, 4] = -1
        codes = np.unique(parts, axis=0, return_inverse=True)[1].ravel() if strata.count else nothing
        paths.append(np.append(codes, codes.max(initial=-1) + 1))
    return paths


def _names(
    strata: Strata, mapping: Ints, step: list[str], count: int
) -> tuple[tuple[str, ...], tuple[frozenset[tuple[int, ...]], ...]]:
    members: list[list[int]] = [[] for _ in range(count)]
    for cell, owner in enumerate(mapping[: strata.count]):
        if owner >= 0:
            members[owner].append(cell)
    keys = np.stack(
        [strata.kind, strata.category, strata.region, strata.section, strata.size], axis=1
    ).tolist()
    macro = macro_region_of(strata.region)
    names = tuple(_name(strata, macro, cells, step) if cells else "outside the design" for cells in members)
    return names, tuple(frozenset(tuple(keys[cell]) for cell in cells) for cells in members)


def _name(strata: Strata, macro: Ints, cells: list[int], step: list[str]) -> str:
    """Name such as "C · east · large (3)": section or category, region, size, and number of design strata."""
    first = cells[0]
    parts = []
    if strata.category[first] > 0:
        parts.append(CATEGORIES[strata.category[first] - 1])
    if strata.section[first] >= 0:
        parts.append(SECTIONS[strata.section[first]])
    widest = max((step[cell] for cell in cells), key=("", "macro_region", "nation", "size").index)
    region = strata.region[first]
    if region >= 0:
        parts.append(
            {"": REGIONS[region], "macro_region": MACRO_REGION_NAMES[macro[first]]}.get(widest, "nation")
        )
    sizes = {int(strata.size[cell]) for cell in cells} - {-1}
    if sizes:
        parts.append("+".join(SIZES[size] for size in sorted(sizes)))
    if strata.kind[first] == KINDS.index("certainty"):
        parts.append("certainty")
    name = " · ".join(parts)
    return name if len(cells) == 1 else f"{name} ({len(cells)})"


def population_of(weighted: Weighted) -> Floats:
    """N_h of the estimation strata, (H',)."""
    return weighted.sample.population
