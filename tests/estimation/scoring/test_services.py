"""Scores from a finished run to the desks, worked by hand."""

import math
from typing import Any

import pytest

from estimation.runs.models import Estimate
from estimation.scoring import services
from estimation.scoring.tasks import sweep_scores
from survey.review.scores.models import ExpectedShare, ItemScore, PeerQuantiles, SheetScore, TotalCell
from survey.review.scores.services import ScoredSheet, receive_scores
from survey.submissions.models import Submission
from tests.background import do_waiting
from tests.estimation.runs.country import cells, file_accepted
from tests.estimation.scoring.town import Town
from tests.factories import make_assignment


@pytest.fixture
def town(world: Any) -> Town:
    return Town()


def test_unit_slip_is_scored_as_by_hand(town: Town) -> None:
    slipped, plain = town.pending(80 * 1024, before=40), town.pending(80, before=40)
    run = town.run()
    assert services.score_round(town.round) == 2
    result = SheetScore.objects.get(pk=slipped.pk)
    top = result.items.get(rank=1)
    # Growth of the class is 2, so 80 was expected. The sheet alone would weigh 14 / 7; the total is 14/6 x 420.
    assert (top.item, top.expected, top.source, result.run) == ("P01", 80, "previous", run.pk)
    assert top.national == pytest.approx(2 * (80 * 1024 - 80) / 980)
    assert top.regional == pytest.approx(top.national)
    # Six units lie on the median and the spread has its floor of 0.1.
    assert top.suspicion == pytest.approx(math.log(1024) / 0.1)
    assert result.value == pytest.approx(top.suspicion * top.national)
    assert (top.slip_base, top.slip_power, result.has_slip) == (1024, 1, True)
    assert (result.population, result.respondents, result.amounts["P01"]) == (14, 6, 80 * 1024)
    plain_score = SheetScore.objects.get(pk=plain.pk)
    assert (plain_score.value, plain_score.reach, plain_score.has_slip) == (0, 0, False)
    assert not plain_score.items.filter(item="P01").exists()


def test_newcomer_is_compared_by_size(town: Town) -> None:
    sheet = town.pending(700)
    town.run()
    services.score_round(town.round)
    item = ItemScore.objects.get(sheet_id=sheet.pk, item="P01")
    # Ten employees each: the median of 20, 40, ... 120 per unit is 70.
    assert (item.expected, item.source) == (pytest.approx(70), "size")


def test_zero_of_an_amount_that_others_lack_is_no_slip(town: Town) -> None:
    sheet = town.pending(0)
    town.run()
    services.score_round(town.round)
    assert SheetScore.objects.get(pk=sheet.pk).has_slip is False
    assert not ItemScore.objects.filter(sheet_id=sheet.pk, item="P01").exists()


def test_an_unknown_value_is_no_zero(town: Town) -> None:
    """It is neither scored nor shown, and says nothing about what other units report."""
    file_accepted(town.units[0], 2025, cells(P01=None, S02=0))
    reference = town.unit()
    town.draw(reference)
    make_assignment(reference, 2025)
    file_accepted(reference, 2024, cells(P01=100, S02=0))
    sheet, new_unit = town.pending(None, before=40), town.pending(700)
    town.run()
    services.score_round(town.round)
    assert "P01" not in SheetScore.objects.get(pk=sheet.pk).amounts
    assert not ItemScore.objects.filter(sheet_id=sheet.pk, item="P01").exists()
    # The median of the other five, 40 to 120, is 80; all of them doubled.
    assert ItemScore.objects.get(sheet_id=new_unit.pk, item="P01").expected == pytest.approx(80)
    assert ExpectedShare.objects.get(submission__unit=reference).expected == pytest.approx(200)


def test_sweep_scores_only_what_is_new(town: Town) -> None:
    first = town.pending(200, before=40)
    assert services.score_round(town.round) == 0  # no run yet
    town.run()
    sweep_scores()
    do_waiting("scores")
    assert list(SheetScore.objects.values_list("submission", "filing_number")) == [(first.pk, 1)]
    assert services.request_scores() == []
    second = town.pending(90, before=40)
    town.file_again(first, 80)
    assert len(services.request_scores()) == 1 and len(services.request_scores()) == 1  # the same job
    do_waiting("scores")
    assert set(SheetScore.objects.values_list("submission", "filing_number")) == {
        (first.pk, 2),
        (second.pk, 1),
    }
    later = town.run(minimum=21)
    assert len(services.request_scores()) == 1 and len(services.request_scores()) == 1  # the same job
    do_waiting("scores")
    assert set(SheetScore.objects.values_list("run", flat=True)) == {later.pk}
    assert set(TotalCell.objects.values_list("run", flat=True)) == {later.pk}


def test_stored_cells_add_up_to_the_published_totals(town: Town) -> None:
    run = town.run()
    services.score_round(town.round)
    for item in ("P01", "S02"):
        cells = TotalCell.objects.filter(round=town.round, region="320000")
        total = sum(cell.population / cell.respondents * cell.sums[item] for cell in cells)
        for kind, code in (("nation", "all"), ("region", "320000")):
            published = Estimate.objects.get(
                run=run, year=2025, variable=item, statistic="total", domain_kind=kind, domain_code=code
            )
            assert total == pytest.approx(published.value)


def test_peers_need_ten_positive_values(town: Town) -> None:
    town.run()
    services.score_round(town.round)
    assert not PeerQuantiles.objects.exists()
    for value in (10, 20, 30, 40):
        sheet = town.pending(value, state="accepted")
        Submission.objects.filter(pk=sheet.pk).update(decided_at=sheet.filed_at)
    town.run()
    services.score_round(town.round)
    row = PeerQuantiles.objects.get(group="CAT13/small", item="P01")
    assert (row.size, row.quantiles[2]) == (10, 40)
    assert PeerQuantiles.objects.filter(group="CAT13", item="P01").exists()


def test_a_sheet_decided_during_scoring_gets_no_score(town: Town) -> None:
    sheet = town.pending(200)
    Submission.objects.filter(pk=sheet.pk).update(state="accepted")
    data = ScoredSheet(
        submission=sheet.pk,
        filing_number=1,
        value=1,
        stratum="0",
        region="320000",
        population=14,
        respondents=6,
    )
    assert receive_scores(run=1, sheets=[data]) == 0
    assert not SheetScore.objects.exists()


def test_units_that_have_not_filed_are_expected_by_their_past_or_their_size(town: Town) -> None:
    reference, unknown = town.unit(), town.unit(employees=20)
    for unit in (reference, unknown):
        town.draw(unit)
        make_assignment(unit, 2025)
    file_accepted(reference, 2024, cells(P01=100, S02=0))
    town.run()
    services.score_round(town.round)
    rows = {row.submission.unit_id: row for row in ExpectedShare.objects.all()}
    # Sums doubled from 210 to 420; each would weigh 14 / 7 in a total of 980.
    own = rows[reference.pk]
    assert (own.item, own.source, own.expected) == ("P01", "previous", pytest.approx(200))
    assert own.national == pytest.approx(2 * 200 / 980)
    assert own.regional == pytest.approx(own.national)
    other = rows[unknown.pk]
    assert (other.source, other.expected) == ("size", pytest.approx(420 / 60 * 20))
