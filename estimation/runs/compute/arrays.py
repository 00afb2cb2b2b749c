"""The arrays that a run works on: one year of answers and the domains of estimation. Pure numpy."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from estimation.design.strata import Strata
from estimation.methods.arrays import Bools, Floats, Ints
from survey.classification import (
    CATEGORIES,
    CENTRAL_ENTERPRISES,
    DATA_ENTERPRISES,
    ENTERPRISES,
    INDUSTRY,
    REGIONS,
    SECONDARY,
    SECTIONS,
    SIZES,
    category_numbers,
)

# Numbers of the categories of enterprises, of data enterprises, of operators and central enterprises.
_ENTERPRISES = category_numbers(ENTERPRISES)
_DATA_ENTERPRISES = category_numbers(DATA_ENTERPRISES)
_CENTRAL = category_numbers(CENTRAL_ENTERPRISES)


@dataclass(frozen=True)
class Item:
    """A variable of the pipeline. ``asked`` (15,) is True at the numbers of the asking categories."""

    code: str
    unit: str
    kind: str
    required: bool
    asked: Bools

    @property
    def is_amount(self) -> bool:
        """True for additive quantities."""
        return self.kind in ("quantity", "money", "count")

    @property
    def is_yesno(self) -> bool:
        """True for yes/no items: their mean is a proportion."""
        return self.kind == "yesno"


@dataclass(frozen=True)
class Year:
    """Valid units of one year, in ascending order of the unit id, arrays (n,).

    category : 1..14; region, section, size : indices in the lists, -1 none; stratum : row of ``strata``, -1
    for a unit outside the design; drawn_in : index of the region in which it was drawn, -1 unknown
    newly_founded : not in last year's frame; values : (n, k), NaN missing
    """

    year: int
    unit: Ints
    category: Ints
    region: Ints
    section: Ints
    size: Ints
    head: Bools
    pilot: Bools
    newly_founded: Bools
    stratum: Ints
    drawn_in: Ints
    strata: Strata
    items: tuple[Item, ...]
    values: Floats

    @property
    def n(self) -> int:
        """Number of units."""
        return len(self.unit)

    @property
    def enterprise(self) -> Bools:
        """Units of the categories of enterprises."""
        return np.isin(self.category, _ENTERPRISES)

    def on_form(self) -> Bools:
        """(n, k) True where the form of the unit's category asks the item."""
        table = (
            np.stack([item.asked for item in self.items], axis=1) if self.items else np.zeros((15, 0), bool)
        )
        return np.asarray(table[self.category])


@dataclass(frozen=True)
class Domain:
    """A classification of the units: codes (n,) into ``labels``, -1 outside."""

    kind: str
    labels: tuple[str, ...]
    codes: Ints


def group_masks(year: Year, *, data_enterprises: str = "categories") -> dict[str, Bools]:
    """The groups of table 1, which overlap."""
    enterprise = year.enterprise
    if data_enterprises == "section":
        data = enterprise & (year.section == SECTIONS.index("I"))
    else:
        data = np.isin(year.category, _DATA_ENTERPRISES)
    head = year.head & enterprise
    return {
        "head_platform": head,
        "central_soe": np.isin(year.category, _CENTRAL),
        "data_ent": data,
        "sample_ent": enterprise,
        "other_ent": enterprise & ~head,
        "pilot_space": year.pilot & (year.category == 11),
    }


def domains_of(year: Year, kinds: tuple[str, ...], *, data_enterprises: str = "categories") -> list[Domain]:
    """The requested classifications. Overlapping domains come as several classifications of one kind."""
    enterprise = year.enterprise
    inside = np.where(enterprise, 0, -1)
    section = np.where(enterprise, year.section, -1)
    industrial = np.isin(section, [SECTIONS.index(section_code) for section_code in INDUSTRY])
    sector = np.select([section < 0, section == 0, section <= SECTIONS.index(SECONDARY[-1])], [-1, 0, 1], 2)
    groups = group_masks(year, data_enterprises=data_enterprises)
    table: Mapping[str, list[Domain]] = {
        "nation": [
            Domain("nation", ("all",), np.zeros(year.n, np.int64)),
            Domain("nation", ("enterprise", "public"), np.where(enterprise, 0, 1)),
        ],
        "region": [Domain("region", REGIONS, year.region)],
        "region_enterprise": [Domain("region_enterprise", REGIONS, np.where(enterprise, year.region, -1))],
        "section": [Domain("section", SECTIONS, section)],
        "industry_group": [
            Domain("industry_group", ("primary", "secondary", "tertiary"), sector),
            Domain("industry_group", ("industry",), np.where(industrial, 0, -1)),
        ],
        "size": [Domain("size", SIZES, np.where(enterprise, year.size, -1))],
        "category": [Domain("category", CATEGORIES, year.category - 1)],
        "group": [
            # Head platforms and the rest partition the enterprises; the others overlap with both.
            Domain(
                "group",
                ("head_platform", "other_ent"),
                np.where(groups["head_platform"], 0, np.where(groups["other_ent"], 1, -1)),
            ),
            Domain(
                "group",
                ("central_soe", "pilot_space"),
                np.where(groups["central_soe"], 0, np.where(groups["pilot_space"], 1, -1)),
            ),
            Domain("group", ("data_ent",), np.where(groups["data_ent"], 0, -1)),
            Domain("group", ("sample_ent",), inside),
        ],
    }
    return [domain for kind in kinds for domain in table[kind]]


def crossed_domain(year: Year) -> Domain:
    """Region by section, enterprises only: "320000.C"."""
    labels = tuple(f"{region}.{section}" for region in REGIONS for section in SECTIONS)
    classified = year.enterprise & (year.region >= 0) & (year.section >= 0)
    return Domain(
        "region_section", labels, np.where(classified, year.region * len(SECTIONS) + year.section, -1)
    )
