"""Response classes: the cells in which valid units represent the others. Pure.

A take-all stratum is national, but its response rate differs between regions. Its population in each region is
known, so nonresponse can be adjusted for by region; then each region of the stratum is a stratum of the estimation,
and its variance is that of the answers inside it.
"""

from dataclasses import dataclass, replace

import numpy as np

from estimation.design.strata import KINDS, Strata
from estimation.methods.arrays import Bools, Floats, Ints
from estimation.runs.compute.spec import RunSpec
from survey.classification import REGIONS


@dataclass(frozen=True)
class Classes:
    """Cells of weighting in the order of the strata, arrays (C,).

    cells : as strata, a response class with its region; stratum : row of the design stratum; is_split : the cell is a
    response class of it; table : (H, R + 1) cell of a unit by stratum and region, the last column for none
    """

    cells: Strata
    stratum: Ints
    is_split: Bools
    table: Ints

    def of(self, stratum: Ints, region: Ints) -> Ints:
        """Cell of units by stratum and the region in which they were drawn, (m,); -1 outside the design."""
        return np.where(stratum >= 0, self.table[np.maximum(stratum, 0), region], -1)


def response_classes(strata: Strata, spec: RunSpec) -> Classes:
    """The strata; take-all strata are split by region if the spec requires it and all their units have a region."""
    certain = strata.kind == KINDS.index("certainty")
    located = strata.by_region.sum(axis=1) == strata.population
    split = certain & (strata.region < 0) & located & (spec.response_classes == "region")
    occupied = (strata.by_region > 0) & split[:, None]
    # An unsplit stratum keeps one cell; a split stratum has a cell for each region with units.
    width = np.where(split, occupied.sum(axis=1), 1)
    stratum = np.repeat(np.arange(strata.count), width)
    is_split = split[stratum]
    table = np.repeat((np.cumsum(width) - width)[:, None], len(REGIONS) + 1, axis=1)
    row, region = np.nonzero(occupied)
    table[split] = -1
    table[row, region] = np.flatnonzero(is_split)
    cell_region = strata.region[stratum].copy()
    cell_region[is_split] = region
    population: Floats = strata.population[stratum].copy()
    population[is_split] = strata.by_region[row, region]
    cells = replace(
        strata,
        id=strata.id[stratum],
        kind=strata.kind[stratum],
        category=strata.category[stratum],
        region=cell_region,
        section=strata.section[stratum],
        size=strata.size[stratum],
        population=population,
        take_all=strata.take_all[stratum],
        by_region=strata.by_region[stratum],
    )
    return Classes(cells, stratum, is_split, table)
