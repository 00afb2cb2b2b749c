"""Scores of the undecided sheets of a round, from its latest finished run, handed over to the review desks."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from django.db.models import Q

from estimation.design.drawn.selectors import selection_of
from estimation.design.strata import Strata
from estimation.methods.arrays import Floats, Ints
from estimation.runs.compute.arrays import Year
from estimation.runs.compute.spec import RunSpec, digest
from estimation.runs.compute.treat import Treated, treat
from estimation.runs.compute.weigh import Weighted, weigh
from estimation.runs.extraction.selectors import read_year
from estimation.runs.models import Estimate, EstimationRun
from estimation.scoring.judge import (
    SHOWN,
    SOURCES,
    UNUSUAL,
    ExpectedContributions,
    Judgement,
    Pending,
    TargetStrata,
    expected_contributions,
    judge,
    peer_quantiles,
    reported_items,
    target_strata,
    total_cells,
)
from survey.classification import CATEGORIES, REGIONS, SECTIONS
from survey.collection.models import CollectionRound
from survey.frame.models import ReportingUnit
from survey.jobs.models import Job
from survey.jobs.services import Work, enqueue_missing
from survey.review import services
from survey.review.scores import services as scores
from survey.review.scores.services import Expected, ScoredItem, ScoredSheet, Undecided, Unfiled


def latest_run(round: CollectionRound) -> EstimationRun | None:
    """The newest finished run of a round."""
    rows = EstimationRun.objects.filter(round=round, state=EstimationRun.State.FINISHED)
    return (
        rows.select_related(
            "microdata__round",
            "microdata__layout",
            "previous_microdata__round",
            "previous_microdata__layout",
            "design__round",
            "previous_design__round",
        )
        .order_by("-finished_at")
        .first()
    )


def score_round(round: CollectionRound) -> int:
    """Score the sheets without a score of the latest run: after a new run all, else newly filed ones.

    Returns the number of sheets that got a score. Running it again does nothing.
    """
    run = latest_run(round)
    if run is None:
        return 0
    ids = scores.unscored(round, run.pk)
    is_new = scores.background_run(round) != run.pk
    if not ids and not is_new:
        return 0
    spec = RunSpec.from_json(run.spec)
    now = read_year(run.microdata, run.design, use_edited=spec.use_edited, use_imputed=spec.use_imputed)
    weighted = weigh(now, spec)
    treated = treat(now, weighted, spec)
    if is_new:
        services.receive_background(
            round_=round,
            run=run.pk,
            peers=peer_quantiles(now),
            cells=total_cells(now, weighted, treated),
            errors=_errors(run),
        )
    before = None
    if run.previous_microdata is not None and run.previous_design is not None:
        before = read_year(run.previous_microdata, run.previous_design)
    if is_new:
        _hand_over_expected(round, run, now, before, weighted, treated)
    sheets = list(scores.undecided(ids, run.microdata.layout))
    if not sheets:
        return 0
    pending = replace(
        _pending(sheets, run, now.strata),
        values=np.array([sheet.values for sheet in sheets], dtype=np.float64),
    )
    target = target_strata(pending, weighted, now)
    judged = judge(now, before, weighted, treated, pending, target, _employees(now.unit, pending.unit))
    return services.receive_scores(run=run.pk, sheets=_sheets(sheets, now, target, judged))


def _errors(run: EstimationRun) -> list[tuple[str, str, float]]:
    """(region, item, relative standard error) of the shown totals, of the nation ("") and of the regions."""
    rows = (
        Estimate.objects.filter(
            run=run,
            year=run.microdata.round.year,
            statistic="total",
            variable__in=SHOWN,
            cv__gt=0,
        )
        .filter(Q(domain_kind="nation", domain_code="all") | Q(domain_kind="region"))
        .values_list("domain_kind", "domain_code", "variable", "cv")
    )
    return [("" if kind == "nation" else code, item, cv) for kind, code, item, cv in rows if cv]


def request_scores() -> list[Job]:
    """Request the scores of every opened round with sheets to score."""
    requested = []
    for round in CollectionRound.objects.exclude(state=CollectionRound.State.PLANNED):
        run = latest_run(round)
        if run is None:
            continue
        ids = sorted(scores.unscored(round, run.pk))
        if ids or scores.background_run(round) != run.pk:
            job = enqueue_missing("scores", f"{round.pk}:{run.pk}:{digest(ids)[:32]}")
            requested += [job] if job else []
    return requested


def do_scores(work: Work) -> None:
    """Score the round that the key of a job begins with."""
    score_round(CollectionRound.objects.get(pk=int(work.job.key.split(":")[0])))


def _hand_over_expected(
    round: CollectionRound,
    run: EstimationRun,
    now: Year,
    before: Year | None,
    weighted: Weighted,
    treated: Treated,
) -> None:
    """Hand over the expected contributions of the units that have not filed."""
    unfiled = scores.unfiled(round)
    pending = _pending(unfiled, run, now.strata)
    target = target_strata(pending, weighted, now)
    contributions = expected_contributions(
        now, before, weighted, treated, pending, target, _employees(now.unit, pending.unit)
    )
    services.receive_expected(
        round_=round,
        run=run.pk,
        shares=[expected for expected in map(_best, unfiled, *_rows(contributions)) if expected],
    )


def _rows(contributions: ExpectedContributions) -> tuple[list[ExpectedContributions], list[int]]:
    return [contributions] * len(contributions.expected), list(range(len(contributions.expected)))


def _best(unfiled: Unfiled, contributions: ExpectedContributions, row: int) -> Expected | None:
    """The item with the largest national share of a unit; None when it has no expected value."""
    national = contributions.national[row]
    if not np.isfinite(national).any():
        return None
    item = int(np.nanargmax(national))
    return Expected(
        submission=unfiled.submission,
        item=contributions.items[item],
        expected=float(contributions.expected[row, item]),
        source=SOURCES[contributions.source[row, item]],
        national=float(national[item]),
        regional=_share(contributions.regional[row, item]),
    )


def _pending(sheets: Sequence[Undecided | Unfiled], run: EstimationRun, strata: Strata) -> Pending:
    """Codes and design strata of sheets; their values are added by the caller."""
    unit = np.array([sheet.unit for sheet in sheets], dtype=np.int64)
    drawn = selection_of(run.design)
    position = drawn.rows_of(unit)
    row = np.append(np.searchsorted(strata.id, drawn.stratum), -1)[position]
    return Pending(
        unit=unit,
        category=_codes([sheet.category for sheet in sheets], CATEGORIES) + 1,
        region=_codes([sheet.region for sheet in sheets], REGIONS),
        section=_codes([sheet.section for sheet in sheets], SECTIONS),
        stratum=row,
        drawn_in=np.append(drawn.region, -1)[position],
        values=np.empty((len(sheets), 0)),
    )


def _codes(values: list[str], codelist: tuple[str, ...]) -> Ints:
    table = {code: index for index, code in enumerate(codelist)}
    return np.array([table.get(value, -1) for value in values], dtype=np.int64)


def _employees(*units: Ints) -> tuple[Floats, Floats]:
    employees = dict(ReportingUnit.objects.exclude(employees=None).values_list("pk", "employees"))
    valid, pending = (
        np.array([employees.get(unit, np.nan) for unit in keys.tolist()], dtype=np.float64) for keys in units
    )
    return valid, pending


def _sheets(
    undecided: list[Undecided], now: Year, target: TargetStrata, judged: Judgement
) -> list[ScoredSheet]:
    codes = [item.code for item in now.items]
    shown = [(column, code) for column, code in enumerate(codes) if code in SHOWN]
    result = []
    for row, sheet in enumerate(undecided):
        amounts = {code: sheet.values[column] for column, code in shown if np.isfinite(sheet.values[column])}
        result.append(
            ScoredSheet(
                submission=sheet.submission,
                filing_number=sheet.filing_number,
                value=float(judged.scores.score[row]),
                stratum=target.stratum[row],
                region=sheet.region,
                population=float(target.population[row]),
                respondents=int(target.respondents[row]),
                amounts=amounts,
                items=_items(judged, row, codes, sheet),
            )
        )
    return result


def _items(judged: Judgement, row: int, codes: list[str], sheet: Undecided) -> tuple[ScoredItem, ...]:
    scored = judged.scores
    return tuple(
        ScoredItem(
            item=codes[column],
            value=sheet.values[column],
            expected=float(judged.expected[row, column]),
            source=SOURCES[judged.source[row, column]],
            suspicion=float(scored.suspicion[row, column]),
            national=_share(scored.shift[row, column]),
            regional=_share(judged.regional[row, column]),
            slip_base=int(scored.slip_base[row, column]) if scored.suspicion[row, column] >= UNUSUAL else 0,
            slip_power=int(scored.slip_power[row, column]),
        )
        for column in reported_items(judged, row)
    )


def _share(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
