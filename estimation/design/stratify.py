"""The frame parted into strata: who is taken whole and why, what is sampled, how large each stratum is. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from estimation.design.strata import KINDS
from estimation.methods.arrays import Bools, Floats, Ints
from survey.classification import CATEGORIES, REGIONS, SECTIONS, SIZE_OF, SIZES

ENTERPRISE, INSTITUTION, CERTAINTY = range(3)
REASONS = ("", "category", "platform", "threshold")
# Why one unit is taken whole; the two thresholds share their strata.
UNIT_REASONS = ("", "category", "platform", "employees", "turnover")
ALWAYS = ("CAT01", "CAT02", "CAT05", "CAT06", "CAT07", "CAT09", "CAT10", "CAT11", "CAT14")
_PLATFORM = CATEGORIES.index("CAT08")
_FREE = (CATEGORIES.index("CAT12"), CATEGORIES.index("CAT13"))


@dataclass(frozen=True, slots=True)
class Rules:
    """What is taken whole. Thresholds concern the sampled enterprises; None switches one off."""

    categories: tuple[str, ...] = ALWAYS
    leading_platforms: bool = True
    employees: int | None = 1000
    turnover: int | None = 400_000  # 10k yuan

    def to_json(self) -> dict[str, Any]:
        """Canonical parameters."""
        return {
            "categories": sorted(self.categories),
            "leading_platforms": self.leading_platforms,
            "employees": self.employees,
            "turnover": self.turnover,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Rules":
        """The rules that were stored."""
        return cls(tuple(data["categories"]), data["leading_platforms"], data["employees"], data["turnover"])


@dataclass(frozen=True)
class Frame:
    """Units in the order of their credit codes, arrays (n,). Codes are places in the lists, -1 none."""

    key: Ints
    code: tuple[str, ...]
    category: Ints
    region: Ints
    section: Ints
    size: Ints
    platform: Bools
    employees: Floats
    turnover: Floats
    prn: Floats

    @classmethod
    def of(cls, rows: Sequence[tuple[Any, ...]]) -> "Frame":
        """From rows of ``survey.frame.selectors.frame_rows``."""
        columns: list[Any] = list(zip(*rows, strict=True)) if rows else [()] * 10
        code, category, region, section, size, platform, employees, turnover, prn, key = columns

        def places(values: Sequence[str], known: Sequence[str]) -> Ints:
            table = {one: place for place, one in enumerate(known)}
            return np.array([table.get(one, -1) for one in values], dtype=np.int64)

        return cls(
            key=np.array(key, np.int64),
            code=tuple(code),
            category=places(category, CATEGORIES),
            region=places(region, REGIONS),
            section=places(section, SECTIONS),
            size=np.array([SIZES.index(SIZE_OF[one]) if one in SIZE_OF else -1 for one in size], np.int64),
            platform=np.array(platform, bool),
            employees=np.array(employees, np.float64),
            turnover=np.array(turnover, np.float64),
            prn=np.array(prn, np.float64),
        )

    @property
    def enterprise(self) -> Bools:
        """Units of categories 6 to 13."""
        return (self.category >= 5) & (self.category <= 12)


@dataclass(frozen=True)
class Stratified:
    """Strata in ascending order of their key, arrays (H,), and where every unit lies.

    key : (H, 5) kind, category, region, section, size; population N_h; listed M_h; reason : place in REASONS
    stratum : (n,) of every unit; unit_reason : (n,) place in UNIT_REASONS
    main : (H, 2) section and size that most listed units of a stratum have, for strata that name none
    """

    key: Ints
    population: Floats
    listed: Floats
    reason: Ints
    stratum: Ints
    unit_reason: Ints
    main: Ints

    @property
    def take_all(self) -> Bools:
        """Strata taken whole."""
        return np.asarray(self.key[:, 0] == CERTAINTY)

    def codes(self) -> list[tuple[str, str, str, str, str]]:
        """Keys as they are stored: kind, category, region, section, size."""
        lists = (KINDS, CATEGORIES, REGIONS, SECTIONS, SIZES)
        return [
            tuple(known[place] if place >= 0 else "" for known, place in zip(lists, row, strict=True))  # type: ignore[misc]
            for row in self.key.tolist()
        ]


def stratify(frame: Frame, counts: Sequence[tuple[str, str, str, str, int]], rules: Rules) -> Stratified:
    """Part the frame.

    ``counts`` (category, region, section, size, units) is what the business register counts: all enterprises of
    a cell, or all units of a category in a region. Listed units of other strata are taken off the count, and a
    stratum is never smaller than what is listed of it. Cells that nobody is listed of become strata, too: their
    units are a part of the population that nobody can stand for until the next import.
    """
    unit_reason = _unit_reasons(frame, rules)
    keys = _unit_keys(frame, unit_reason)
    counted = np.array([_count_key(row) for row in counts], dtype=np.int64).reshape(len(counts), 5)
    everything = np.concatenate([keys, counted])
    key, inverse = (
        np.unique(everything, axis=0, return_inverse=True) if len(everything) else (everything, keys[:, 0])
    )
    inverse = np.asarray(inverse).ravel()
    stratum, cell = inverse[: len(keys)], inverse[len(keys) :]
    listed = np.bincount(stratum, minlength=len(key)).astype(np.float64)
    population = listed.copy()
    amounts = np.array([row[4] for row in counts], dtype=np.float64)
    elsewhere = _elsewhere(frame, keys, key)
    population[cell] = np.maximum(amounts - elsewhere[cell], listed[cell])
    reason = np.zeros(len(key), np.int64)
    reason[stratum] = np.minimum(unit_reason, 3)
    kept = population > 0
    place = np.cumsum(kept) - 1
    return Stratified(
        key[kept],
        population[kept],
        listed[kept],
        reason[kept],
        place[stratum],
        unit_reason,
        _main(frame, stratum, key)[kept],
    )


def _unit_reasons(frame: Frame, rules: Rules) -> Ints:
    whole = np.isin(frame.category, [CATEGORIES.index(code) for code in rules.categories])
    platform = frame.platform & (frame.category == _PLATFORM) & rules.leading_platforms
    open_to_size = np.isin(frame.category, (_PLATFORM, *_FREE))
    people = open_to_size & (frame.employees >= (np.inf if rules.employees is None else rules.employees))
    money = open_to_size & (frame.turnover >= (np.inf if rules.turnover is None else rules.turnover))
    return np.select([whole, platform, people, money], [1, 2, 3, 4], 0).astype(np.int64)


def _unit_keys(frame: Frame, reason: Ints) -> Ints:
    none = np.full(len(reason), -1)
    free = np.isin(frame.category, _FREE)
    kind = np.where(reason > 0, CERTAINTY, np.where(free, ENTERPRISE, INSTITUTION))
    by_category = (reason == 1) | (reason == 2) | (kind == INSTITUTION)
    size = reason >= 3
    return np.stack(
        [
            kind,
            np.where(by_category, frame.category, none),
            np.where(kind == CERTAINTY, none, frame.region),
            np.where((kind == ENTERPRISE) | size, frame.section, none),
            np.where((kind == ENTERPRISE) | size, frame.size, none),
        ],
        axis=1,
    )


def _count_key(row: tuple[str, str, str, str, int]) -> tuple[int, int, int, int, int]:
    category, region, section, size, _units = row
    if category:
        return INSTITUTION, CATEGORIES.index(category), REGIONS.index(region), -1, -1
    return ENTERPRISE, -1, REGIONS.index(region), SECTIONS.index(section), SIZES.index(size)


def _elsewhere(frame: Frame, keys: Ints, key: Ints) -> Floats:
    """Listed units that a count of the stratum's cell includes although they lie in another stratum, (H,)."""
    result = np.zeros(len(key))
    enterprise = frame.enterprise & (keys[:, 0] != ENTERPRISE)
    cells = np.zeros((len(REGIONS) + 1, len(SECTIONS) + 1, len(SIZES) + 1))
    np.add.at(cells, (frame.region[enterprise], frame.section[enterprise], frame.size[enterprise]), 1)
    whole = keys[:, 0] == CERTAINTY
    groups = np.zeros((len(CATEGORIES), len(REGIONS) + 1))
    np.add.at(groups, (frame.category[whole], frame.region[whole]), 1)
    free, body = key[:, 0] == ENTERPRISE, key[:, 0] == INSTITUTION
    result[free] = cells[key[free, 2], key[free, 3], key[free, 4]]
    result[body] = groups[key[body, 1], key[body, 2]]
    return result


def _main(frame: Frame, stratum: Ints, key: Ints) -> Ints:
    """The commonest section and size of the enterprises of each stratum, where its key names none, (H, 2)."""
    main = key[:, 3:5].copy()
    for column, values, width in ((0, frame.section, len(SECTIONS)), (1, frame.size, len(SIZES))):
        known = frame.enterprise & (values >= 0)
        counted = np.bincount(stratum[known] * width + values[known], minlength=len(key) * width)
        table = counted.reshape(len(key), width)
        common = np.where(table.sum(axis=1) > 0, table.argmax(axis=1), -1)
        main[:, column] = np.where(main[:, column] >= 0, main[:, column], common)
    return main
