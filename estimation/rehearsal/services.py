"""Build the rehearsal country in the database, in one transaction."""

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from django.db import transaction
from django.utils import timezone

from estimation.rehearsal.country import build_country as build_population
from estimation.rehearsal.country import cut_out
from estimation.rehearsal.models import Rehearsal
from estimation.rehearsal.population.targets import CONFLICTS
from estimation.rehearsal.sheets.filing_rows import RoundFacts
from estimation.rehearsal.storage import outcomes
from estimation.rehearsal.storage.accounts import DemoAccounts, create_accounts, demo_accounts
from estimation.rehearsal.storage.bulk import advance_sequences, empty_tables, without_foreign_keys
from estimation.rehearsal.storage.frame import (
    analyse,
    sign_designs,
    truth_lines,
    write_assignments,
    write_designs,
    write_external,
    write_truth,
    write_units,
)
from estimation.rehearsal.storage.live import settled_mask, write_live
from estimation.rehearsal.storage.members import choose_members
from estimation.rehearsal.storage.register import build_register
from estimation.rehearsal.storage.reserve import Reserve, keep_reserve, write_reserve
from estimation.rehearsal.storage.sheets import SheetWriter, filed_mask, write_filed
from estimation.rehearsal.storage.states import keys_of, write_events, write_submissions
from survey import audit
from survey.access.models import User
from survey.access.regions import load_regions
from survey.collection.models import CollectionRound
from survey.exceptions import PolicyDenied
from survey.microdata.projection import layout_variables
from survey.microdata.services import current_layout, freeze_version
from survey.questionnaires.loader import load_all
from survey.questionnaires.models import QuestionnaireVersion
from survey.questionnaires.services import publish_questionnaire

__all__ = ["DemoAccounts", "build_country", "demo_accounts"]

Progress = Callable[[str], None]
_BULK = (
    "survey_reportingunit",
    "survey_assignment",
    "survey_submission",
    "survey_submissionevent",
    "survey_filing",
    "survey_explanation",
    "survey_observation",
    "survey_reviewquery",
    "estimation_stratum",
    "estimation_selectedunit",
)
_NUMBERED = (*(t for t in _BULK if t != "survey_observation"), "estimation_truevalue")
_DAY = 86_400


def build_country(*, scale: float, seed: int, progress: Progress) -> Rehearsal:
    """Make the whole rehearsal country and store it; everything in it is marked synthetic.

    Tables are emptied first, so that an interrupted build leaves nothing behind. Raises PolicyDenied when the
    database holds anything real.
    """
    began = time.monotonic()
    _refuse_real_data()
    with transaction.atomic():
        empty_tables()
        writer, reserve = _prepare(scale, seed, progress)
        with without_foreign_keys(_BULK):
            write_units(writer)
            listed = write_reserve(reserve)
            write_assignments(writer)
            progress(
                f"{writer.members.count:,} units, {int(writer.members.asked.sum()):,} assignments, {listed:,} more in the frame"
            )
            for year in (0, 1):
                count = write_filed(writer, year)
                write_submissions(writer, year, settled_mask(writer, year))
                progress(f"{count:,} filed sheets of {2024 + year}")
            write_designs(writer)
        reviewer = create_accounts(writer)
        sign_designs()
        for year in (0, 1):
            write_events(writer, year, settled_mask(writer, year), reviewer)
        truths = write_truth(writer.truth)
        write_external()
        progress(f"events, design and {truths:,} true values")
        advance_sequences(_NUMBERED)
        versions = [
            freeze_version(round=writer.rounds[year], by=User.objects.get(pk=reviewer))
            for year in (2024, 2025)
        ]
        progress("microdata frozen: " + ", ".join(f"{version.size:,} valid" for version in versions))
        write_live(writer, reviewer)
        advance_sequences(_NUMBERED)
        rehearsal = _finish(writer, began, versions)
    analyse()
    progress(f"rehearsal country stored in {time.monotonic() - began:.0f} s")
    return rehearsal


def _refuse_real_data() -> None:
    if (
        User.objects.filter(is_synthetic=False).exists()
        or CollectionRound.objects.filter(is_synthetic=False).exists()
    ):
        raise PolicyDenied(
            "This database holds real users or rounds; the rehearsal country needs an empty one."
        )


def _prepare(scale: float, seed: int, progress: Progress) -> tuple[SheetWriter, Reserve]:
    """Base tables, the population, and what the frame lists besides those who are asked."""
    load_regions()
    forms = load_all()
    versions: dict[tuple[int, str], QuestionnaireVersion] = {}
    for form in forms.values():
        versions[(2025, form.category)] = version = publish_questionnaire(form, year=2025, by=None)[0]
        # The same checked document served the earlier round.
        fields = ("category", "form_no", "title_zh", "title_en", "document", "content_hash")
        versions[(2024, form.category)] = QuestionnaireVersion.objects.create(
            year=2024, **{field: getattr(version, field) for field in fields}
        )
    progress(f"{len(versions)} questionnaires published")
    rounds = {year: _round(year) for year in (2024, 2025)}
    country = build_population(seed, scale)
    progress(f"population of {country.units.count:,} generated")
    variables = layout_variables(forms.values())
    truth = truth_lines(country, variables)
    members = choose_members(country)
    reserve = keep_reserve(country, members)
    # From here on only the units that appear matter; the rest of the population is let go.
    country = cut_out(country, members.row, members.extra)
    members = replace(members, row=np.arange(members.count))
    now = int(timezone.now().timestamp())
    facts = {
        0: RoundFacts(
            rounds[2024].pk,
            2024,
            int(rounds[2024].opens_at.timestamp()),
            int(rounds[2024].closes_at.timestamp()) - _DAY,
        ),
        1: RoundFacts(rounds[2025].pk, 2025, int(rounds[2025].opens_at.timestamp()), now - _DAY),
    }
    writer = SheetWriter(
        country=country,
        members=members,
        register=build_register(country, members),
        forms=dict(forms),
        variables=variables,
        layout=current_layout(),
        rounds=rounds,
        versions=versions,
        keys=keys_of(members.asked),
        facts=facts,
        truth=truth,
    )
    return writer, reserve


def _round(year: int) -> CollectionRound:
    """2025 is open around the day of the build; 2024 is closed. Days begin and end as in an office."""
    today = timezone.localtime().replace(hour=9, minute=0, second=0, microsecond=0)
    is_open = year == 2025
    opens = today - dt.timedelta(days=45 if is_open else 410)
    working_hours = dt.timedelta(hours=9)
    return CollectionRound.objects.create(
        year=year,
        state=CollectionRound.State.OPEN if is_open else CollectionRound.State.CLOSED,
        reference_date=dt.date(year, 12, 31),
        opens_at=opens,
        due_at=opens + dt.timedelta(days=75 if is_open else 40) + working_hours,
        closes_at=opens + dt.timedelta(days=90 if is_open else 60) + working_hours,
        is_synthetic=True,
    )


def _finish(writer: SheetWriter, began: float, versions: list[Any]) -> Rehearsal:
    counts = np.bincount(
        writer.members.outcome[writer.members.asked[1]], minlength=len(outcomes.OUTCOMES)
    ).tolist()
    filed = int(filed_mask(writer.members, 1).sum())
    rehearsal = Rehearsal.objects.create(
        seed=writer.country.seed,
        scale=writer.country.scale,
        seconds=round(time.monotonic() - began, 1),
        notes={
            "conflicts": [{"subject": subject, "choice": choice} for subject, choice in CONFLICTS],
            "sheets_2025": dict(zip(outcomes.OUTCOMES, counts, strict=True)),
            "filed_2025": filed,
            "valid": {str(version.round.year): version.size for version in versions},
            "population": int(writer.country.strata.population[1].sum()),
            "extra_units": int(writer.members.extra.sum()),
        },
    )
    audit.record(
        by=None,
        action="build_rehearsal",
        subject=rehearsal,
        seed=writer.country.seed,
        scale=writer.country.scale,
    )
    return rehearsal
