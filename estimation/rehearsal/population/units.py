"""The arrays of the generated units and of the design: what the other modules of the rehearsal read."""

from dataclasses import dataclass

from estimation.methods.arrays import Bools, Floats, Ints

# Groups of Table 1 (a partition of the enterprises; "data enterprises" are DATA and HEAD together).
HEAD, CENTRAL, DATA, OTHER, PUBLIC = 0, 1, 2, 3, 4
# What became of a drawn unit.
NOT_DRAWN, UNFILED, INVALID, VALID = 0, 1, 2, 3

YEARS = (2024, 2025)


@dataclass(frozen=True, slots=True)
class Strata:
    """The design: H strata. Parts of the key that do not apply are -1.

    kind: 0 enterprise (region x section x size), 1 institution (category x region), 2 certainty.
    population, drawn, valid: (2, H) counts in 2024 and 2025.
    """

    kind: Ints
    category: Ints
    region: Ints
    section: Ints
    size: Ints  # 0 large, 1 medium, 2 small and micro
    population: Ints
    drawn: Ints


@dataclass(frozen=True, slots=True)
class Units:
    """The superpopulation: M units, the first `special` of which are of categories other than 12 and 13."""

    special: int
    category: Ints  # 1..14
    region: Ints  # 0..31
    section: Ints  # 0..17, 18 where the form has no industry
    industry: Ints
    size: Ints  # legal class 0..3, -1 for public bodies
    group: Ints  # HEAD .. PUBLIC
    stratum: Ints
    take_all: Bools
    city: Ints  # -1, or the number of the planned city whose bureau this is
    exists: Bools  # (2, M)
    newly_founded: Bools
    random_number: Floats
    status: Ints  # (2, M) NOT_DRAWN .. VALID
    pilot: Bools

    @property
    def count(self) -> int:
        return len(self.category)

    @property
    def enterprise(self) -> Bools:
        result: Bools = self.group != PUBLIC
        return result
