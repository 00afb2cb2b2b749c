"""Reading frozen sheets: a missing value stays missing on every way, and edited and imputed values replace collected."""

from typing import Any

import numpy as np
import pytest

from estimation.design.models import SampleDesign
from estimation.runs.extraction.selectors import read_year
from survey.collection.models import CollectionRound
from survey.microdata.models import Observation
from survey.microdata.selectors import item_values, observed
from survey.microdata.services import freeze_version
from tests.estimation.runs.country import Country, cells, file_accepted

CODES = ("P01", "S02", "D01", "T01")
NAN = float("nan")


@pytest.fixture
def frozen(world: object) -> dict[str, Any]:
    """The small country, with a unit whose storage is unknown and whose use is zero; edited and imputed values."""
    country = Country()
    jiangsu, zhejiang = country.units["jiangsu"], country.units["zhejiang"]
    filing = file_accepted(jiangsu[0], 2025, cells(P01=None, S02=0, D01=7, T01=None))
    round_ = CollectionRound.objects.get(year=2025)
    version = freeze_version(round=round_, by=None)
    position = {entry["code"]: place for place, entry in enumerate(version.layout.variables)}

    def changed(unit: Any, field: str, **values: float) -> None:
        row = [NAN] * len(position)
        for code, value in values.items():
            row[position[code]] = value
        Observation.objects.filter(unit=unit, filing__submission__round=round_).update(**{field: row})

    changed(jiangsu[1], "edited", P01=301.0)
    changed(jiangsu[1], "imputed", P01=302.0, S02=602.0)
    changed(zhejiang[0], "imputed", D01=11.0)
    units = [unit.pk for unit in (*jiangsu, *zhejiang)]
    return {"version": version, "units": units, "sheet": filing.submission_id}


# By unit: unknown storage; edited and imputed; imputed; as collected.
COLLECTED: list[list[float]] = [[NAN, 0, 7, NAN], [300, 600, 300, 1], [10, 20, 10, 0], [30, 60, 30, 0]]
EDITED: list[list[float]] = [COLLECTED[0], [301, 600, 300, 1], *COLLECTED[2:]]
IMPUTED: list[list[float]] = [COLLECTED[0], [302, 602, 300, 1], [10, 20, 11, 0], COLLECTED[3]]
BOTH: list[list[float]] = [COLLECTED[0], [301, 602, 300, 1], *IMPUTED[2:]]
READINGS: list[tuple[dict[str, bool], list[list[float]]]] = [
    ({"use_edited": False}, COLLECTED),
    ({}, EDITED),
    ({"use_edited": False, "use_imputed": True}, IMPUTED),
    ({"use_imputed": True}, BOTH),
]


def test_missing_values_stay_missing_and_changed_ones_replace_collected(frozen: dict[str, Any]) -> None:
    design = SampleDesign.objects.get(round__year=2025)
    for variables in ((), CODES):  # the whole layout, and a few items: two ways of reading
        for options, expected in READINGS:
            year = read_year(frozen["version"], design, variables=variables, **options)
            columns = [[item.code for item in year.items].index(code) for code in CODES]
            rows = np.searchsorted(year.unit, frozen["units"])
            assert np.array_equal(year.values[np.ix_(rows, columns)], expected, equal_nan=True)


def test_designs_read_edited_values_and_keep_missing_ones(frozen: dict[str, Any]) -> None:
    variables, rows = item_values(frozen["version"], CODES)
    order = [[variable.code for variable in variables].index(code) + 1 for code in CODES]
    values = {row[0]: [row[place] for place in order] for row in rows}
    assert np.array_equal([values[unit] for unit in frozen["units"]], EDITED, equal_nan=True)


def test_the_own_values_of_a_respondent_keep_missing_ones(frozen: dict[str, Any]) -> None:
    own = observed(frozen["sheet"], ("P01", "S02", "T01"))
    assert own is not None
    assert np.array_equal([own.values[code] for code in ("P01", "S02", "T01")], [NAN, 0, NAN], equal_nan=True)
