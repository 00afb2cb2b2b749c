"""Stratification of the frame: take-all units and their reasons, sampled strata, population counts. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from estimation.design.strata import KINDS
from estimation.methods.arrays import Bools, Floats, Ints
from survey.classification import CATEGORIES, REGIONS, SECTIONS, SIZE_OF, SIZES

ENTERPRISE, INSTITUTION, CERTAINTY = range(3)
REASONS = ("", "category", "platform", "threshold")
# Why a unit is a take-all unit; the two thresholds share their strata.
UNIT_REASONS = ("", "category", "platform", "employees", "turnover")
ALWAYS = ("CAT01", "CAT02", "CAT05", "CAT06", "CAT07", "CAT09", "CAT10", "CAT11", "CAT14")
_PLATFORM = CATEGORIES.index("CAT08")
_FREE = (CATEGORIES.index("CAT12"), CATEGORIES.index("CAT13"))


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules of the take-all units. Thresholds apply to the sampled enterprises; None disables a threshold."""

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
        """Rules from their stored parameters."""
        return cls(tuple(data["categories"]), data["leading_platforms"], data["employees"], data["turnover"])


@dataclass(frozen=True)
class Frame:
    """Units in the order of their credit codes, arrays (n,). Codes are indices in the lists, -1 none."""

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

        def indices(values: Sequence[str], codelist: Sequence[str]) -> Ints:
            table = {code: index for index, code in enumerate(codelist)}
            return np.array([table.get(code, -1) for code in values], dtype=np.int64)

        return cls(
            key=np.array(key, np.int64),
            code=tuple(code),
            category=indices(category, CATEGORIES),
            region=indices(region, REGIONS),
            section=indices(section, SECTIONS),
            size=np.array(
                [SIZES.index(SIZE_OF[size_code]) if size_code in SIZE_OF else -1 for size_code in size],
                np.int64,
            ),
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
    """Strata in ascending order of their key, arrays (H,), and the stratum of every unit.

    key : (H, 5) kind, category, region, section, size; population N_h; listed M_h; reason : index in REASONS
    stratum : (n,) of every unit; unit_reason : (n,) index in UNIT_REASONS
    main : (H, 2) section and size that most listed units of a stratum have, for strata whose key has none
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
        """True for take-all strata, (H,)."""
        return np.asarray(self.key[:, 0] == CERTAINTY)

    def codes(self) -> list[tuple[str, str, str, str, str]]:
        """Keys as they are stored: kind, category, region, section, size."""
        codelists = (KINDS, CATEGORIES, REGIONS, SECTIONS, SIZES)
        return [
            tuple(
                codelist[index] if index >= 0 else "" for codelist, index in zip(codelists, row, strict=True)
            )  # type: ignore[misc]  # five codelists, five codes
            for row in self.key.tolist()
        ]


def stratify(frame: Frame, counts: Sequence[tuple[str, str, str, str, int]], rules: Rules) -> Stratified:
    """Stratify the frame.

    ``counts`` (category, region, section, size, units) are the counts of the business register: all enterprises of
    a cell, or all units of a category in a region. Listed units of other strata are subtracted from the count, and a
    stratum is never smaller than what is listed of it. Cells without listed units become strata, too: their
    units are a part of the population that no sampled unit can represent until the next import.
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
    occupied = population > 0
    position = np.cumsum(occupied) - 1
    return Stratified(
        key[occupied],
        population[occupied],
        listed[occupied],
        reason[occupied],
        position[stratum],
        unit_reason,
        _main(frame, stratum, key)[occupied],
    )


def _unit_reasons(frame: Frame, rules: Rules) -> Ints:
    category = np.isin(frame.category, [CATEGORIES.index(code) for code in rules.categories])
    platform = frame.platform & (frame.category == _PLATFORM) & rules.leading_platforms
    open_to_size = np.isin(frame.category, (_PLATFORM, *_FREE))
    people = open_to_size & (frame.employees >= (np.inf if rules.employees is None else rules.employees))
    money = open_to_size & (frame.turnover >= (np.inf if rules.turnover is None else rules.turnover))
    return np.select([category, platform, people, money], [1, 2, 3, 4], 0).astype(np.int64)


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
    """Listed units that a count of the stratum's cell includes although they belong to another stratum, (H,)."""
    result = np.zeros(len(key))
    enterprise = frame.enterprise & (keys[:, 0] != ENTERPRISE)
    cells = np.zeros((len(REGIONS) + 1, len(SECTIONS) + 1, len(SIZES) + 1))
    np.add.at(cells, (frame.region[enterprise], frame.section[enterprise], frame.size[enterprise]), 1)
    certain = keys[:, 0] == CERTAINTY
    groups = np.zeros((len(CATEGORIES), len(REGIONS) + 1))
    np.add.at(groups, (frame.category[certain], frame.region[certain]), 1)
    free, body = key[:, 0] == ENTERPRISE, key[:, 0] == INSTITUTION
    result[free] = cells[key[free, 2], key[free, 3], key[free, 4]]
    result[body] = groups[key[body, 1], key[body, 2]]
    return result


def _main(frame: Frame, stratum: Ints, key: Ints) -> Ints:
    """The most frequent section and size of the enterprises of each stratum whose key has none, (H, 2)."""
    main = key[:, 3:5].copy()
    for column, values, width in ((0, frame.section, len(SECTIONS)), (1, frame.size, len(SIZES))):
        valid = frame.enterprise & (values >= 0)
        counted = np.bincount(stratum[valid] * width + values[valid], minlength=len(key) * width)
        table = counted.reshape(len(key), width)
        common = np.where(table.sum(axis=1) > 0, table.argmax(axis=1), -1)
        main[:, column] = np.where(main[:, column] >= 0, main[:, column], common)
    return main
