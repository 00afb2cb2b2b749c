"""The preview of an acceptance equals what a run after the acceptance finds."""

from typing import Any

import pytest
from django.utils import translation

from estimation.runs.models import Estimate
from estimation.scoring import services
from survey.review.bulk.whatif.selectors import what_if
from survey.submissions.models import Submission
from tests.estimation.scoring.town import Town


@pytest.fixture
def town(world: Any) -> Town:
    return Town()


def test_preview_equals_the_next_run(town: Town) -> None:
    sheets = [town.pending(value) for value in (500, 700)]
    before = town.run()
    services.score_round(town.round)
    with translation.override("en"):
        result = what_if(town.round, [sheet.pk for sheet in sheets])
    assert result is not None
    assert (result.scored, result.unscored) == (2, 0)
    Submission.objects.filter(pk__in=[sheet.pk for sheet in sheets]).update(state="accepted")
    after = town.run()
    for item in ("P01", "S02"):
        ((region, _name, regional),) = result.regions
        for moves, kind, code in ((result.nation, "nation", "all"), (regional, "region", region)):
            (move,) = [word for word in moves if word.item == item]
            old, new = (
                Estimate.objects.get(
                    run=run, year=2025, variable=item, statistic="total", domain_kind=kind, domain_code=code
                ).value
                for run in (before, after)
            )
            assert move.before == pytest.approx(old)
            assert move.after == pytest.approx(new)
    # 14/6 x 420 = 980; 14/8 x 1620 = 2835.
    assert any(
        "goes from 980 TB to 2,835 TB (+189.29%), that of Jiangsu moves by +189.29%" in word
        for word in result.words
    )


def test_no_preview_without_a_run_and_unscored_sheets_are_counted(town: Town) -> None:
    assert what_if(town.round, [1, 2]) is None
    town.run()
    services.score_round(town.round)
    later = town.pending(100)
    result = what_if(town.round, [later.pk])
    assert result is not None
    assert (result.scored, result.unscored, result.words) == (0, 1, [])
    assert all(move.change in (0.0, None) for move in result.nation)
