"""Who appears in the database: sampled units of both years, demonstration units, and what state each sheet is in."""

from dataclasses import dataclass

import numpy as np

from estimation.methods.arrays import Bools, Ints
from estimation.rehearsal.country import Country
from estimation.rehearsal.population.regions import REGION_INDEX
from estimation.rehearsal.population.units import INVALID, NOT_DRAWN, UNFILED, VALID
from estimation.rehearsal.storage.outcomes import (
    ACCEPTED,
    CLOSED,
    DUPLICATE,
    EXEMPTED,
    IN_PROGRESS,
    INVALIDATED,
    NATIONAL_REVIEW,
    NOT_LOCATED,
    NOT_STARTED,
    OUT_OF_SCOPE,
    REFUSED,
    RETURNED,
    SUBMITTED,
)
from survey.classification import NATIONAL_CATEGORIES, category_numbers

COMPLETE = (
    1,
    2,
    5,
    6,
    7,
    9,
    14,
)  # categories in which every drawn unit filed: their demonstration unit is extra


@dataclass(frozen=True, slots=True)
class Members:
    """The units of the database, arrays (d,), in the order of their keys 1..d.

    row : unit of the population that it is, or whose values it borrows
    extra : stands outside the population and the design (demonstration or over-coverage)
    asked : (2, d) has a sheet in 2024 and in 2025; outcome : what its sheet of 2025 shows; last : status in 2024
    demo : the unit of the account of its category
    """

    row: Ints
    extra: Bools
    asked: Bools
    outcome: Ints
    last: Ints
    demo: Bools

    @property
    def count(self) -> int:
        """Number of units."""
        return len(self.row)


def choose_members(country: Country) -> Members:
    """All drawn units, with states for those that did not file in 2025, plus the extra units."""
    units = country.units
    rng = country.streams("cast")
    drawn = np.flatnonzero((units.status != NOT_DRAWN).any(0))
    status = units.status[:, drawn]
    outcome = np.where(status[1] == VALID, ACCEPTED, np.where(status[1] == INVALID, INVALIDATED, NOT_STARTED))
    open_units = np.flatnonzero(status[1] == UNFILED)
    outcome[open_units] = rng.choice(
        [NOT_STARTED, IN_PROGRESS, EXEMPTED, REFUSED, NOT_LOCATED],
        len(open_units),
        p=[0.4, 0.3, 0.05, 0.15, 0.1],
    )
    has_last = status[0, open_units] == VALID
    _show(outcome, open_units, units.category[drawn], units.region[drawn], has_last, rng)
    demo = np.zeros(len(drawn), bool)
    extra_rows, extra_outcomes, extra_demo = _extras(country, drawn, outcome, open_units, has_last, demo, rng)
    size = len(extra_rows)
    extra_asked = np.stack([np.zeros(size, bool), np.ones(size, bool)])
    return Members(
        row=np.concatenate([drawn, extra_rows]),
        extra=np.concatenate([np.zeros(len(drawn), bool), np.ones(size, bool)]),
        asked=np.concatenate([status != NOT_DRAWN, extra_asked], axis=1),
        outcome=np.concatenate([outcome, extra_outcomes]),
        last=np.concatenate([status[0], np.full(size, NOT_DRAWN)]),
        demo=np.concatenate([demo, extra_demo]),
    )


def _show(
    outcome: Ints,
    pool: Ints,
    category: Ints,
    region: Ints,
    has_last: Bools,
    rng: np.random.Generator,
) -> None:
    """Put up to about 300 sheets in review: some of every category and province, units with last year's sheet first."""
    order = np.lexsort((rng.random(len(pool)), ~has_last))
    target = min(max(36, min(300, len(pool) // 8)), len(pool) // 2)
    chosen: list[int] = []
    for pass_ in range(2):
        seen: dict[tuple[int, int], int] = {}
        for index in order:
            unit = int(pool[index])
            key = (int(category[unit]) if pass_ == 0 else 0, int(region[unit]))
            if unit in chosen or len(chosen) >= target:
                continue
            if seen.get(key, 0) < (3 if pass_ == 0 else target):
                seen[key] = seen.get(key, 0) + 1
                chosen.append(unit)
    states = [SUBMITTED, NATIONAL_REVIEW, RETURNED, SUBMITTED, SUBMITTED, RETURNED]
    for number, unit in enumerate(chosen):
        outcome[unit] = states[number % len(states)]


def _extras(
    country: Country,
    drawn: Ints,
    outcome: Ints,
    open_units: Ints,
    has_last: Bools,
    demo: Bools,
    rng: np.random.Generator,
) -> tuple[Ints, Ints, Bools]:
    """Demonstration units of categories without an open unit, and units that the frame held in error."""
    category = country.units.category[drawn]
    rows: list[int] = []
    outcomes: list[int] = []
    for number in range(1, 15):
        candidates = open_units[category[open_units] == number]
        candidates = candidates[
            np.isin(outcome[candidates], (NOT_STARTED, IN_PROGRESS, REFUSED, NOT_LOCATED, EXEMPTED))
        ]
        state = NOT_STARTED if number % 2 else IN_PROGRESS
        if number not in COMPLETE and len(candidates):
            # Best a unit with last year's sheet, in one of the provinces whose account is printed.
            printed = np.isin(
                country.units.region[drawn[candidates]], [REGION_INDEX["320000"], REGION_INDEX["330000"]]
            )
            unit = candidates[np.argmax(2 * np.isin(candidates, open_units[has_last]) + printed)]
            demo[unit], outcome[unit] = True, state
            continue
        pool = np.flatnonzero(category == number)
        rows.append(int(drawn[rng.choice(pool)]))
        outcomes.append(state)
    demos = len(rows)
    for number in category_numbers(
        NATIONAL_CATEGORIES
    ):  # something for the national desk in every category that reports straight to it
        rows.append(int(drawn[rng.choice(np.flatnonzero(category == number))]))
        outcomes.append(NATIONAL_REVIEW)
    enterprises = np.flatnonzero(category >= 12)
    errors = max(3, round(len(drawn) * 0.006))
    rows += drawn[rng.choice(enterprises, errors, replace=False)].tolist()
    outcomes += rng.choice([CLOSED, OUT_OF_SCOPE, DUPLICATE], errors, p=[0.55, 0.35, 0.1]).tolist()
    flags = np.zeros(len(rows), bool)
    flags[:demos] = True
    return np.array(rows, np.int64), np.array(outcomes, np.int64), flags
