"""The design as arrays; their integer codes are indices of the lists in ``survey.classification``. Pure numpy."""

from dataclasses import dataclass

import numpy as np

from estimation.methods.arrays import Bools, Floats, Ints
from survey.classification import MACRO_REGIONS, REGIONS

KINDS: tuple[str, ...] = ("enterprise", "institution", "certainty")


@dataclass(frozen=True)
class Strata:
    """Design strata, arrays (H,). Codes that do not apply are -1.

    id : database key; kind : index in KINDS; category : 1..14; region, section, size : indices in the lists
    by_region : (H, R) drawn units of the take-all strata, by the region in which they were drawn; else 0
    """

    id: Ints
    kind: Ints
    category: Ints
    region: Ints
    section: Ints
    size: Ints
    population: Floats
    take_all: Bools
    by_region: Floats

    @property
    def count(self) -> int:
        """Number of strata H."""
        return len(self.id)


def counted_by_region(stratum: Ints, region: Ints, take_all: Bools) -> Floats:
    """(H, R) units of the take-all strata, by region.

    stratum, region : (m,) of the drawn units, -1 for none; take_all : (H,)
    """
    inside = (stratum >= 0) & (region >= 0)
    inside[inside] = take_all[stratum[inside]]
    key = stratum[inside] * len(REGIONS) + region[inside]
    counted = np.bincount(key, minlength=len(take_all) * len(REGIONS))
    return counted.reshape(-1, len(REGIONS)).astype(np.float64)


def macro_region_of(region: Ints) -> Ints:
    """Macro-region 0..3 of each region index, -1 for none."""
    table = np.full(len(REGIONS) + 1, -1, dtype=np.int64)
    for number, members in enumerate(MACRO_REGIONS):
        table[[REGIONS.index(code) for code in members]] = number
    return np.asarray(table[region])
