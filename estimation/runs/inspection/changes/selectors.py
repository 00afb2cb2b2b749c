"""Change on last year of one item by region and section, from the stored totals of a run."""

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from estimation.runs.compute.cells import Cell
from estimation.runs.compute.contributions import own_sums
from estimation.runs.inspection.units.selectors import desk_units, read_prepared
from estimation.runs.models import Estimate, EstimationRun
from survey.classification import REGIONS, SECTIONS

UNUSUAL = 3.0  # robust standard deviations of log change from the median of all cells
FEWEST = 5  # minimum of cells with a change; with fewer no cell is unusual
# The median absolute deviation of a normal variable is this part of its standard deviation.
_MAD = 0.6745


@dataclass(frozen=True, slots=True)
class ChangeCell:
    """A total of both years. ``change`` is a share, ``score`` its robust distance from the changes of all cells."""

    code: str
    now: float | None
    before: float | None
    n: int
    change: float | None = None
    score: float | None = None

    @property
    def is_unusual(self) -> bool:
        """Whether its score is so large that its units should be reviewed."""
        return self.score is not None and abs(self.score) >= UNUSUAL


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A region with one cell per section, None where no unit answered in either year."""

    region: str
    cells: tuple[ChangeCell | None, ...]


def change_table(run: EstimationRun, variable: str) -> tuple[tuple[str, ...], list[ChangeRow]]:
    """The sections that occur, and the regions with their cells; both empty when the run has no crossed estimates."""
    year = run.round.year
    stored: dict[str, dict[int, tuple[float | None, int]]] = {}
    for at, code, value, n in Estimate.objects.filter(
        run=run,
        variable=variable,
        statistic="total",
        domain_kind="region_section",
        year__in=(year - 1, year),
        n__gt=0,
    ).values_list("year", "domain_code", "value", "n"):
        stored.setdefault(code, {})[at] = (value, n)
    return _table(
        score_changes({code: (years.get(year), years.get(year - 1)) for code, years in stored.items()})
    )


def _table(cells: Mapping[str, ChangeCell]) -> tuple[tuple[str, ...], list[ChangeRow]]:
    sections = tuple(letter for letter in SECTIONS if any(code.endswith(f".{letter}") for code in cells))
    rows = [
        ChangeRow(region, tuple(cells.get(f"{region}.{section}") for section in sections))
        for region in REGIONS
    ]
    return sections, [row for row in rows if any(row.cells)]


def desk_change_table(
    run: EstimationRun, variable: str, user: Any
) -> tuple[tuple[str, ...], list[ChangeRow]]:
    """``change_table`` of the units of one desk only: their weighted answers as filed, with scores within these units.

    ``run`` with its versions, their layouts and its designs selected.
    """
    year = run.round.year
    prepared = read_prepared(run, Cell(year, variable, "total", "region_section", ""), years=2)
    units = np.array(list(desk_units(user)), dtype=np.int64)
    now, *before = [own_sums(prepared_year, variable, units) for prepared_year in prepared] or [{}]
    last = before[0] if before else {}
    return _table(score_changes({code: (now.get(code), last.get(code)) for code in now.keys() | last.keys()}))


def score_changes(
    stored: Mapping[str, tuple[tuple[float | None, int] | None, tuple[float | None, int] | None]],
) -> dict[str, ChangeCell]:
    """Cells by code from (value, n) of this year and of last year.

    The score is a simple form of Hidiroglou and Berthelot's: log change minus the median of all cells, divided by
    the normalised median absolute deviation.
    """
    logs = {
        code: math.log(now[0] / before[0])
        for code, (now, before) in stored.items()
        if now and before and now[0] and before[0] and now[0] > 0 and before[0] > 0
    }
    middle = statistics.median(logs.values()) if logs else 0.0
    spread = (
        statistics.median(abs(log_change - middle) for log_change in logs.values()) / _MAD if logs else 0.0
    )
    judged = len(logs) >= FEWEST and spread > 0
    return {
        code: ChangeCell(
            code,
            now[0] if now else None,
            before[0] if before else None,
            now[1] if now else 0,
            math.expm1(logs[code]) if code in logs else None,
            (logs[code] - middle) / spread if judged and code in logs else None,
        )
        for code, (now, before) in stored.items()
    }


def most_unusual(rows: list[ChangeRow], shown: int = 10) -> list[ChangeCell]:
    """The unusual cells with the largest absolute scores, largest first."""
    cells = [cell for row in rows for cell in row.cells if cell is not None and cell.is_unusual]
    return sorted(cells, key=lambda cell: -abs(cell.score or 0.0))[:shown]
