"""Superpopulation units and the real draw: simple random samples by permanent random numbers, random response."""

import numpy as np

from estimation.methods.arrays import Bools, Floats, Ints
from estimation.rehearsal.population.frame import SMALL, TAKE_ALL, FramePlan, plan_frame
from estimation.rehearsal.population.sizes import LARGE, MEDIUM, MICRO, draw_industry
from estimation.rehearsal.population.sizes import SMALL as SMALL_SIZE
from estimation.rehearsal.population.special import (
    ORDER,
    SAMPLED,
    SpecialUnits,
    build_special,
    special_sections,
)
from estimation.rehearsal.population.streams import Streams
from estimation.rehearsal.population.units import (
    DATA,
    INVALID,
    NOT_DRAWN,
    OTHER,
    PUBLIC,
    UNFILED,
    VALID,
    Strata,
    Units,
)
from survey.classification import SECTIONS

_FIRST_CELL = 16 * 64  # response cells of ordinary enterprises follow those of the special categories
_LEFT_SHARE, _NEW_SHARE = 0.065, 0.06  # shares of ordinary enterprises that existed in one year only
_DRAWN_2024, _FILED_2024, _VALID_2024 = 0.94, 0.915, 0.885  # the earlier round, relative to its frame


def build_units(scale: float, streams: Streams) -> tuple[Units, Strata, FramePlan]:
    """All units of both years, the strata, and who was drawn, filed and valid in each year."""
    plan = plan_frame(scale, special_sections(scale), streams("frame"))
    special = build_special(plan.margins, plan.unfiled_by_category, streams("special"))
    m = len(special.category)
    region, section, level, exists = _enterprises(plan, streams("enterprises"))
    total = m + len(region)
    random_number = streams("random numbers").random(total)
    stratum, strata_keys = _stratum_codes(special, region, section, level)
    existed = np.concatenate([special.existed, exists], axis=1)
    population = np.stack([np.bincount(stratum[row], minlength=len(strata_keys)) for row in existed])
    cell = _response_cells(special, region, section, level)
    counts = _counts_2025(plan)
    cell_units = np.bincount(cell[existed[0]], minlength=len(counts))
    certain = np.zeros(len(counts), bool)
    certain[cell[strata_keys[stratum, 0] == 2]] = True
    status = np.zeros((2, total), np.int64)
    propensity = streams("response").random(total)
    drawn = np.zeros((2, len(strata_keys)), np.int64)
    for year in (1, 0):
        year_counts = counts if year else _counts_2024(counts, cell_units, certain)
        own = propensity if year else 0.6 * propensity + 0.4 * streams("response 2024").random(total)
        status[year] = _select(cell, existed[year], random_number, own, year_counts)
        drawn[year] = np.bincount(stratum[status[year] > NOT_DRAWN], minlength=len(strata_keys))
    category = np.concatenate([special.category, np.full(len(region), 13)])
    category[m:] = _label(plan, status[1, m:], region, section, level, streams("labels"))
    rng = streams("sizes")
    size = np.concatenate([_special_sizes(special, rng), _legal_size(level, rng)])
    full_section = np.concatenate([special.section, section])
    group = np.concatenate([special.group, np.where(category[m:] == 12, DATA, OTHER)])
    came = existed[1] & ~existed[0]
    units = Units(
        special=m,
        category=category,
        region=np.concatenate([special.region, region]),
        section=full_section,
        industry=draw_industry(full_section, SECTIONS, rng),
        size=size,
        group=group,
        stratum=stratum,
        take_all=strata_keys[stratum, 0] == 2,
        city=np.concatenate([special.city, np.full(len(region), -1)]),
        exists=existed,
        newly_founded=came & (rng.random(total) < 0.7),
        random_number=random_number,
        status=status,
        pilot=(category == 11) & (rng.random(total) < 0.085),
    )
    kind, key_category, key_region, key_section, key_size = strata_keys.T
    strata = Strata(kind, key_category, key_region, key_section, key_size, population, drawn)
    return units, strata, plan


def _enterprises(plan: FramePlan, rng: np.random.Generator) -> tuple[Ints, Ints, Ints, Bools]:
    """Region, section, level and existence (2, k) of the ordinary enterprises."""
    stay = plan.population.ravel()
    left = np.floor(stay * _LEFT_SHARE + rng.random(stay.size)).astype(np.int64)
    left[np.arange(stay.size) % 4 == TAKE_ALL] = 0
    counts = stay + left
    code = np.repeat(np.arange(stay.size), counts)
    rank = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    alive = rank < np.repeat(stay, counts)
    level = code % 4
    came = alive & (rng.random(len(code)) < np.where(level == TAKE_ALL, 0.01, _NEW_SHARE))
    return code // 72, code // 4 % 18, level, np.stack([~came, alive])


def _stratum_codes(special: SpecialUnits, region: Ints, section: Ints, level: Ints) -> tuple[Ints, Ints]:
    """Stratum number of every unit, and the keys (H, 5): kind, category, region, section, size."""
    sampled = np.isin(special.category, SAMPLED) & ~special.head
    minus = np.full(len(special.category), -1)
    first = np.stack(
        [np.where(sampled, 1, 2), special.category, np.where(sampled, special.region, minus), minus, minus],
        axis=1,
    )
    take_all = level == TAKE_ALL
    minus = np.full(len(region), -1)
    second = np.stack(
        [
            np.where(take_all, 2, 0),
            minus,
            np.where(take_all, minus, region),
            section,
            np.where(take_all, 0, level - 1),
        ],
        axis=1,
    )
    # Which categories an ordinary stratum holds is not part of its key: 12 and 13 share the strata.
    keys = np.concatenate([first, second])
    packed = (
        ((keys[:, 0] * 16 + keys[:, 1] + 1) * 40 + keys[:, 2] + 1) * 400
        + (keys[:, 3] + 1) * 5
        + keys[:, 4]
        + 1
    )
    _, index, inverse = np.unique(packed, return_index=True, return_inverse=True)
    return inverse.astype(np.int64), keys[index]


def _response_cells(special: SpecialUnits, region: Ints, section: Ints, level: Ints) -> Ints:
    """Cell inside which response is random: it refines the stratum by region, as Table 4 fixes regional counts."""
    first = special.category * 64 + special.head * 32 + special.region
    return np.concatenate([first, _FIRST_CELL + (region * 18 + section) * 4 + level])


def _counts_2025(plan: FramePlan) -> Ints:
    """Valid, invalid and unfiled units per response cell, (cells, 3)."""
    counts = np.zeros((_FIRST_CELL + 32 * 72, 3), np.int64)
    tables = (plan.margins.valid, plan.margins.invalid, plan.unfiled_by_category)
    for column, (table, cube) in enumerate(
        zip(tables, (plan.valid, plan.invalid, plan.unfiled), strict=True)
    ):
        for category in ORDER:
            counts[category * 64 : category * 64 + 32, column] = table[:, category - 1]
        counts[_FIRST_CELL:, column] = cube.ravel()
    counts[8 * 64 : 8 * 64 + 32, 0] -= plan.margins.heads
    counts[8 * 64 + 32 : 8 * 64 + 64, 0] = plan.margins.heads
    return counts


def _counts_2024(counts: Ints, population: Ints, certainty: Bools) -> Ints:
    """The same for the earlier round: a smaller draw from the earlier frame, its own response."""
    drawn = np.where(certainty, population, np.minimum(np.ceil(counts.sum(1) * _DRAWN_2024), population))
    now = np.maximum(counts.sum(1), 1)
    complete = counts[:, 1:].sum(1) == 0
    filed = np.where(complete, drawn, np.rint(drawn * (counts[:, :2].sum(1) / now) * _FILED_2024 / 0.93))
    valid = np.where(complete, drawn, np.rint(drawn * (counts[:, 0] / now) * _VALID_2024 / 0.9))
    filed = np.clip(filed, 0, drawn)
    valid = np.clip(valid, 0, filed)
    return np.stack([valid, filed - valid, drawn - filed], axis=1).astype(np.int64)


def _select(cell: Ints, exists: Bools, random_number: Floats, response: Floats, counts: Ints) -> Ints:
    """Status of every unit: the units with the smallest random numbers are drawn, response is random."""
    status = np.full(len(cell), NOT_DRAWN)
    rank = _rank_in_cell(cell, random_number, exists)
    drawn = exists & (rank < counts.sum(1)[cell])
    order = _rank_in_cell(cell, response, drawn)
    valid = counts[:, 0][cell]
    filed = counts[:, :2].sum(1)[cell]
    status[drawn] = np.where(order < valid, VALID, np.where(order < filed, INVALID, UNFILED))[drawn]
    return status


def _rank_in_cell(cell: Ints, value: Floats, among: Bools) -> Ints:
    """Rank 0.. of `value` among the chosen units of each cell; huge outside."""
    index = np.flatnonzero(among)
    order = index[np.lexsort((value[index], cell[index]))]
    sizes = np.bincount(cell[order], minlength=int(cell.max()) + 1)
    rank = np.full(len(cell), np.iinfo(np.int64).max)
    rank[order] = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return rank


def _label(
    plan: FramePlan, status: Ints, region: Ints, section: Ints, level: Ints, rng: np.random.Generator
) -> Ints:
    """Category 12 or 13 of the ordinary enterprises: exact counts among filed units, random inside the cell."""
    data = rng.random(len(status)) < plan.data_share[region, section]
    cell = (region * 18 + section) * 4 + level
    for state, cube in ((VALID, plan.valid_data), (INVALID, plan.invalid_data)):
        among = status == state
        rank = _rank_in_cell(cell, rng.random(len(status)), among)
        data[among] = (rank < cube.ravel()[cell])[among]
    return np.where(data, 12, 13)


def _legal_size(level: Ints, rng: np.random.Generator) -> Ints:
    small = np.where(rng.random(len(level)) < 0.62, SMALL_SIZE, MICRO)
    return np.where(level == SMALL, small, np.where(level == 2, MEDIUM, LARGE))


def _special_sizes(special: SpecialUnits, rng: np.random.Generator) -> Ints:
    u = rng.random(len(special.category))
    drawn = np.where(u < 0.12, LARGE, np.where(u < 0.5, MEDIUM, np.where(u < 0.88, SMALL_SIZE, MICRO)))
    size = np.where(special.head | np.isin(special.category, (6, 7)), LARGE, drawn)
    return np.where(special.group == PUBLIC, -1, size)
