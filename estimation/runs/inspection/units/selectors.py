"""Reads of the units behind one number, from the frozen microdata of its run."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from estimation.runs.compute.cells import Cell
from estimation.runs.compute.contributions import Contributions, contributions_of, own_part
from estimation.runs.compute.levels import Prepared
from estimation.runs.compute.pipeline import prepare_years
from estimation.runs.compute.spec import RunSpec
from estimation.runs.extraction.selectors import read_year
from estimation.runs.models import Estimate, EstimationRun
from survey.access.models import User
from survey.access.roles import Permission
from survey.access.scope import may
from survey.frame.models import ReportingUnit

SHOWN = 50
STEPS = (1, 2, 3, 5, 10, 20, 50)
FEWEST = 3  # fewer units would disclose single units


@dataclass(frozen=True, slots=True)
class UnitRow:
    """One unit behind a number. Values of a year that does not apply are None."""

    rank: int
    unit: ReportingUnit
    weight: float | None
    collected: float | None
    used: float | None
    base: float | None
    filled: bool
    moved: bool
    old_weight: float | None
    old_collected: float | None
    old_used: float | None
    effect: float
    share: float


@dataclass(frozen=True, slots=True)
class UnitsBehind:
    """The displayed units behind an estimate.

    rows : the largest whose answers the reader may read; others : units not listed, with what they add
    steps : (k, share of the k largest); may_name : the reader may read sheets; few : fewer units than may be
    disclosed to others; agrees : the recomputed estimate equals the stored one; estimate : None for a desk that may not see
    estimates: then all other fields are of its own units only, as filed
    """

    estimate: Estimate | None
    units: int
    rows: tuple[UnitRow, ...]
    others: int
    others_effect: float
    others_share: float
    steps: tuple[tuple[int, float], ...]
    may_name: bool
    few: bool
    agrees: bool
    value: float


def stored(run: EstimationRun, cell: Cell) -> Estimate | None:
    """The stored estimate of a cell."""
    return Estimate.objects.filter(
        run=run,
        year=cell.year,
        variable=cell.variable,
        statistic=cell.statistic,
        domain_kind=cell.kind,
        domain_code=cell.code,
    ).first()


def desk_units(user: User) -> Any:
    """Keys of the units on the desk of this person."""
    return ReportingUnit.objects.visible_to(user, Permission.REVIEW).values_list("pk", flat=True)


def own_units_behind(run: EstimationRun, cell: Cell, user: User) -> UnitsBehind | None:
    """The units of a desk behind a total, by their own sums; None for other statistics and unknown totals."""
    if cell.statistic != "total" or stored(run, cell) is None:
        return None
    contributions = read_contributions(run, cell)
    if contributions is None:
        return None
    own = own_part(contributions, np.array(list(desk_units(user)), dtype=np.int64))
    rows = _rows(own, user)
    cumulative = own.cumulative
    return UnitsBehind(
        estimate=None,
        units=len(own.unit),
        rows=rows,
        others=len(own.unit) - len(rows),
        others_effect=own.value - sum(row.effect for row in rows),
        others_share=float(own.share.sum()) - sum(row.share for row in rows),
        steps=tuple((k, float(cumulative[k - 1])) for k in STEPS if k <= len(cumulative)),
        may_name=True,
        few=False,
        agrees=True,
        value=own.value,
    )


def read_prepared(run: EstimationRun, cell: Cell, *, years: int) -> list[Prepared]:
    """The items of a cell in the year of the cell and, for two ``years``, in the one before it, weighted and treated.

    ``run`` with its versions, their layouts and its designs selected. Empty where the run has no such items.
    """
    spec = RunSpec.from_json(run.spec)
    sources = [(run.microdata, run.design)]
    if run.previous_microdata is not None and run.previous_design is not None:
        sources.append((run.previous_microdata, run.previous_design))
    read = []
    for version, design in [source for source in sources if source[0].round.year <= cell.year][:years]:
        available = {entry["code"] for entry in version.layout.variables}
        codes = [code for code in cell.variables(spec) if code in available]
        if not codes:
            return []
        read.append(
            read_year(
                version, design, variables=codes, use_edited=spec.use_edited, use_imputed=spec.use_imputed
            )
        )
    return prepare_years(read[0], read[1] if len(read) > 1 else None, spec) if read else []


def read_contributions(run: EstimationRun, cell: Cell) -> Contributions | None:
    """Read the items of a cell from the frozen sheets, weight and treat them as the run did.

    ``run`` with its versions, their layouts and its designs selected.
    """
    prepared = read_prepared(run, cell, years=2 if cell.is_growth else 1)
    return contributions_of(prepared, RunSpec.from_json(run.spec), cell) if prepared else None


def units_behind(run: EstimationRun, cell: Cell, user: User) -> UnitsBehind | None:
    """The units behind a stored estimate as far as this user may see them, or None without the estimate."""
    estimate = stored(run, cell)
    contributions = read_contributions(run, cell) if estimate is not None else None
    if estimate is None or contributions is None:
        return None
    may_name = may(user, Permission.VIEW_SHEETS)
    few = not may_name and contributions.n < FEWEST
    rows = _rows(contributions, user) if may_name else ()
    total = float(contributions.effect.sum())
    cumulative = contributions.cumulative
    return UnitsBehind(
        estimate=estimate,
        units=len(contributions.unit),
        rows=rows,
        others=len(contributions.unit) - len(rows),
        others_effect=total - sum(row.effect for row in rows),
        others_share=float(contributions.share.sum()) - sum(row.share for row in rows),
        steps=() if few else tuple((k, float(cumulative[k - 1])) for k in STEPS if k <= len(cumulative)),
        may_name=may_name,
        few=few,
        agrees=_near(contributions.value, estimate.value),
        value=contributions.value,
    )


def _near(computed: float, other: float | None) -> bool:
    return other is not None and math.isclose(computed, other, rel_tol=1e-9, abs_tol=1e-12)


def _rows(contributions: Contributions, user: User) -> tuple[UnitRow, ...]:
    first = contributions.unit[:SHOWN].tolist()
    visible = ReportingUnit.objects.visible_to(user, Permission.VIEW_SHEETS).in_bulk(first)
    rows = []
    for position, key in enumerate(first):
        if key not in visible:
            continue
        now, before = contributions.now, contributions.before
        rows.append(
            UnitRow(
                position + 1,
                visible[key],
                _number(now.weight[position]),
                _number(now.collected[position]),
                _number(now.used[position]),
                _number(now.base[position]),
                bool(now.filled[position]),
                bool(now.moved[position]) and not math.isnan(now.used[position]),
                _number(before.weight[position]) if before else None,
                _number(before.collected[position]) if before else None,
                _number(before.used[position]) if before else None,
                float(contributions.effect[position]),
                float(contributions.share[position]),
            )
        )
    return tuple(rows)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
