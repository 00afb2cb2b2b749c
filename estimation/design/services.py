"""Writes of the sample design: build strata, draw a sample, hand it over."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from estimation.design import selectors
from estimation.design.allocation import Request, make_alternative
from estimation.design.messages import IN_ANOTHER_STATE, ROUND_HAS_BEGUN, STATES, refusal
from estimation.design.models import SampleDesign, SelectedUnit, Stratum
from estimation.design.moments import certain_cells, stratum_moments, treated
from estimation.design.records import Basis, CertainCells, DesignSummary, DrawnAllocation, Overlap
from estimation.design.stratify import REASONS, UNIT_REASONS, Frame, Rules, Stratified, stratify
from estimation.design.tables import grades, national_cv
from estimation.methods import select
from estimation.methods.arrays import Bools, Ints
from survey import audit, clock
from survey.access.models import User
from survey.access.roles import Permission
from survey.access.scope import may
from survey.classification import REGIONS
from survey.collection.models import CollectionRound
from survey.collection.services import assign_units
from survey.exceptions import PolicyDenied
from survey.frame.selectors import count_rows, frame_hash, frame_rows
from survey.submissions.lifecycle.services import create_sheets

State = SampleDesign.State


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON of a value."""
    return hashlib.sha256(
        json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    ).hexdigest()


def allow(by: User | None) -> None:
    """``by`` None is an operator at the command line."""
    if by is not None and not may(by, Permission.DESIGN_SAMPLE):
        raise PermissionDenied


@dataclass(frozen=True)
class _Source:
    """The frame now, its strata under some rules, and the hash of all that a draw depends on."""

    frame: Frame
    strata: Stratified
    content_hash: str


def _source(rules: Rules) -> _Source:
    rows, counts = frame_rows(), count_rows()
    frame = Frame.of(rows)
    return _Source(frame, stratify(frame, counts, rules), frame_hash(rows, counts))


@transaction.atomic
def build_design(*, round: CollectionRound, by: User | None, rules: Rules) -> SampleDesign:
    """A new draft: strata of the frame as it is now, with last year's means and spreads.

    Raises PermissionDenied, PolicyDenied (the round has begun, or its sample is handed over; the frame is empty).
    """
    allow(by)
    round = CollectionRound.objects.select_for_update().get(pk=round.pk)
    refuse_begun(round)
    if SampleDesign.objects.filter(round=round, state=State.HANDED_OVER).exists():
        raise PolicyDenied(_("The sample of this round has been handed over already."))
    source = _source(rules)
    frame, strata = source.frame, source.strata
    if not len(frame.key):
        raise PolicyDenied(_("The frame is empty. Import units first."))
    version, previous = selectors.basis_of(round)
    variables, values = selectors.values_of(frame, version)
    values = treated(frame, strata, values)
    moments = stratum_moments(strata, values)
    cells = certain_cells(frame, strata, moments, values)
    last = SampleDesign.objects.filter(round=round).aggregate(last=Max("number"))["last"] or 0
    basis = Basis(
        items=[variable.code for variable in variables],
        labels=[[variable.zh, variable.en] for variable in variables],
        main=strata.main.tolist(),
        cells=CertainCells(
            cells.key.tolist(), cells.size.tolist(), cells.mean.tolist(), cells.spread.tolist()
        ),
        year=version.round.year if version else None,
        version=version.number if version else None,
        microdata=version.content_hash if version else None,
        response=_response(version, previous),
        sample=SelectedUnit.objects.filter(design=previous).count() if previous else None,
    )
    design = SampleDesign.objects.create(
        round=round,
        number=last + 1,
        frame_hash=source.content_hash,
        previous=previous,
        rules=rules.to_json(),
        basis=basis,
        summary=_frame_summary(frame, strata),
        created_by=by,
        is_synthetic=settings.SYNTHETIC_BANNER,
        content_hash=digest(
            [
                round.year,
                rules.to_json(),
                source.content_hash,
                basis.microdata,
                [[*code, n] for code, n in zip(strata.codes(), strata.population.tolist(), strict=True)],
            ]
        ),
    )
    Stratum.objects.bulk_create(
        [
            Stratum(
                design=design,
                kind=code[0],
                category=code[1],
                region=code[2],
                section=code[3],
                size=code[4],
                population=int(strata.population[h]),
                listed=int(strata.listed[h]),
                drawn=0,
                take_all=bool(strata.take_all[h]),
                reason=REASONS[int(strata.reason[h])],
                mean=moments.mean[h].tolist(),
                spread=moments.spread[h].tolist(),
                borrowed=bool(moments.borrowed[h]),
            )
            for h, code in enumerate(strata.codes())
        ],
        batch_size=1_000,
    )
    audit.record(
        by=by,
        action="design_built",
        subject=design,
        year=round.year,
        number=design.number,
        content_hash=design.content_hash,
    )
    return design


def refuse_begun(round: CollectionRound) -> None:
    """A sample is handed over before its round opens. Raises PolicyDenied."""
    if round.state != CollectionRound.State.PLANNED:
        raise PolicyDenied(ROUND_HAS_BEGUN(year=round.year))


def _response(version: Any, previous: SampleDesign | None) -> float:
    """Share of last year's drawn units whose sheet became valid; 1 without a previous year."""
    if version is None or previous is None:
        return 1.0
    drawn = SelectedUnit.objects.filter(design=previous).count()
    return round(min(1.0, version.size / drawn), 4) if drawn else 1.0


def _frame_summary(frame: Frame, strata: Stratified) -> DesignSummary:
    reasons = np.bincount(strata.unit_reason, minlength=len(UNIT_REASONS))
    lost = (strata.listed == 0) & ~strata.take_all
    return DesignSummary(
        units=len(frame.key),
        strata=len(strata.key),
        population=int(strata.population.sum()),
        reasons=dict(zip(UNIT_REASONS[1:], reasons[1:].tolist(), strict=True)),
        unlisted_strata=int(lost.sum()),
        unlisted_population=int(strata.population[lost].sum()),
    )


@transaction.atomic
def draw_sample(
    design: SampleDesign, *, by: User | None, request: Request, response: float, start: float = 0.0
) -> SampleDesign:
    """Draw by permanent random numbers. A drawn design without approval can be drawn again.

    Raises PermissionDenied, PolicyDenied (state, round, another frame than the strata were built from, an
    allocation that is not possible).
    """
    allow(by)
    row = locked(design, (State.DRAFT, State.DRAWN))
    refuse_begun(row.round)
    source = _source(Rules.from_json(row.rules))
    if source.content_hash != row.frame_hash:
        raise PolicyDenied(_("The frame has changed since the strata were built. Build them again."))
    base = selectors.base_of(row)
    with refusal():
        alternative = make_alternative(base, request, response=response)
    if alternative.n == 0:
        raise PolicyDenied(_("The allocation draws nobody."))
    drawn = select(source.frame.prn, source.strata.stratum, alternative.n_h, start=start)
    row.allocation = DrawnAllocation(request, response, start)
    row.content_hash = _drawn_hash(row, source, alternative.n_h, drawn)
    row.summary = replace(
        row.summary,
        n=alternative.n,
        certain=base.certain,
        short=alternative.short,
        grades=grades(base, alternative),
        cv={code: cv[0] for code, cv in national_cv(base, [alternative])},
        overlap=_overlap(row.previous, source.frame, drawn),
    )
    row.state, row.drawn_by, row.drawn_at = State.DRAWN, by, clock.present()
    row.save()
    _store(row, source, alternative.n_h, drawn)
    audit.record(
        by=by,
        action="design_drawn",
        subject=row,
        year=row.round.year,
        number=row.number,
        units=alternative.n,
        content_hash=row.content_hash,
        allocation=row.allocation.to_document(),
    )
    return row


def _drawn_hash(row: SampleDesign, source: _Source, n_h: Ints, drawn: Bools) -> str:
    codes = "\n".join(source.frame.code[index] for index in np.flatnonzero(drawn))
    strata = [
        [*code, int(population), int(n)]
        for code, population, n in zip(source.strata.codes(), source.strata.population, n_h, strict=True)
    ]
    return digest(
        [
            row.round.year,
            row.rules,
            row.frame_hash,
            row.basis.microdata,
            row.allocation.to_document(),
            strata,
            hashlib.sha256(codes.encode()).hexdigest(),
        ]
    )


def redraw_hash(design: SampleDesign) -> str | None:
    """The content hash of the draw repeated from its parameters; None when the frame has changed."""
    source = _source(Rules.from_json(design.rules))
    if source.content_hash != design.frame_hash:
        return None
    parameters: DrawnAllocation = design.allocation
    if parameters.request is None:
        return None
    alternative = make_alternative(
        selectors.base_of(design), parameters.request, response=parameters.response
    )
    drawn = select(source.frame.prn, source.strata.stratum, alternative.n_h, start=parameters.start)
    return _drawn_hash(design, source, alternative.n_h, drawn)


def _store(row: SampleDesign, source: _Source, n_h: Ints, drawn: Bools) -> None:
    """Store n_h in the strata and insert the drawn units by COPY."""
    strata = list(Stratum.objects.filter(design=row).order_by("pk"))
    for stratum, n in zip(strata, n_h.tolist(), strict=True):
        stratum.drawn = n
    Stratum.objects.bulk_update(strata, ["drawn"], batch_size=1_000)
    SelectedUnit.objects.filter(design=row).delete()
    keys = [stratum.pk for stratum in strata]
    frame, h = source.frame, source.strata.stratum
    chance = n_h / np.maximum(source.strata.population, 1)
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY estimation_selectedunit (design_id, stratum_id, unit_id, region, probability, random_number)"
            " FROM STDIN"
        ) as copy,
    ):
        for index in np.flatnonzero(drawn).tolist():
            copy.write_row(
                (
                    row.pk,
                    keys[h[index]],
                    int(frame.key[index]),
                    REGIONS[frame.region[index]] if frame.region[index] >= 0 else "",
                    float(chance[h[index]]),
                    float(frame.prn[index]),
                )
            )


def _overlap(previous: SampleDesign | None, frame: Frame, drawn: Bools) -> Overlap | None:
    """Drawn units that were in last year's sample as well, in total and by region."""
    if previous is None:
        return None
    before = np.array(
        list(SelectedUnit.objects.filter(design=previous).values_list("unit_id", flat=True)), dtype=np.int64
    )
    again = drawn & np.isin(frame.key, before)
    regions = [
        [code, int(new), int(old)]
        for code, new, old in zip(
            REGIONS,
            np.bincount(frame.region[drawn], minlength=32),
            np.bincount(frame.region[again], minlength=32),
            strict=True,
        )
        if new
    ]
    return Overlap(
        year=previous.round.year,
        before=len(before),
        units=int(again.sum()),
        gone=int(len(before) - np.isin(before, frame.key).sum()),
        regions=regions,
    )


def locked(design: SampleDesign, states: Sequence[str]) -> SampleDesign:
    """The design under its row lock. Raises PolicyDenied when it is in another state."""
    row = (
        SampleDesign.objects.select_for_update(of=("self",))
        .select_related("round", "previous__round")
        .get(pk=design.pk)
    )
    if row.state not in states:
        raise PolicyDenied(IN_ANOTHER_STATE(state=STATES[row.state]()))
    return row


@transaction.atomic
def hand_over(
    design: SampleDesign, *, by: User | None, beat: Callable[[int], None] = lambda percent: None
) -> tuple[SampleDesign, int]:
    """Every drawn unit becomes an assignment with an empty sheet. Returns how many are new; repeating adds none.

    One transaction; `beat` receives the progress. Raises PermissionDenied, PolicyDenied (not approved, the round has
    begun, a questionnaire is not published).
    """
    allow(by)
    row = locked(design, (State.APPROVED, State.HANDED_OVER))
    refuse_begun(row.round)
    beat(2)
    units = list(
        SelectedUnit.objects.filter(design=row).order_by("unit_id").values_list("unit_id", flat=True)
    )
    beat(5)
    added = assign_units(units, row.round, by=by, source=str(row))
    beat(55)
    create_sheets(row.round)
    beat(95)
    if row.state == State.APPROVED:
        row.state, row.handed_over_by, row.handed_over_at = State.HANDED_OVER, by, clock.present()
        row.save(update_fields=["state", "handed_over_by", "handed_over_at"])
        audit.record(
            by=by,
            action="design_handed_over",
            subject=row,
            year=row.round.year,
            units=len(units),
            added=added,
            content_hash=row.content_hash,
        )
    return row, added
