"""Scores on the pages: order, filter, and descriptions in both languages."""

from typing import Any

import pytest
from django.utils import translation

from survey.review import services
from survey.review.filters import QueueFilter
from survey.review.scores.models import ItemScore, PeerQuantiles
from survey.review.scores.peers import MARGIN, WIDTH, box
from survey.review.scores.selectors import peers_of
from survey.review.scores.services import ScoredItem, ScoredSheet
from survey.review.scores.wording import share
from survey.review.selectors import neighbours, queue
from survey.submissions.lifecycle.states import State
from tests.factories import make_sheet, make_unit

pytestmark = pytest.mark.django_db


def scored(sheet: Any, value: float, *items: ScoredItem) -> None:
    sheet_score = ScoredSheet(
        submission=sheet.pk,
        filing_number=1,
        value=value,
        stratum="7",
        region="320000",
        population=50,
        respondents=9,
        items=items,
    )
    services.receive_scores(run=1, sheets=[sheet_score])


def slip(national: float | None = 0.0124, regional: float | None = 0.083, **more: Any) -> ScoredItem:
    values = {"value": 1024_000.0, "expected": 1000.0, "suspicion": 12.5, **more}
    return ScoredItem(
        item="P01",
        source="previous",
        national=national,
        regional=regional,
        **{"slip_base": 1024, "slip_power": 1, **values},
    )


@pytest.fixture
def three(world: Any) -> list[Any]:
    """Sheets that were filed in this order; the second has the largest score, the third has none."""
    sheets = [make_sheet(make_unit("CAT12", "320000"), State.SUBMITTED) for _ in range(3)]
    scored(sheets[0], 0.1)
    scored(sheets[1], 2.0, slip())
    return sheets


def test_queue_is_ordered_by_score_with_the_unscored_last(three: list[Any], province: Any) -> None:
    result = queue(province, three[0].round, QueueFilter())
    assert [row.pk for row in result.page.object_list] == [three[1].pk, three[0].pk, three[2].pk]
    oldest = queue(province, three[0].round, QueueFilter(order="oldest"))
    assert [row.pk for row in oldest.page.object_list] == [sheet.pk for sheet in three]


def test_neighbours_follow_the_score(three: list[Any], province: Any) -> None:
    near = neighbours(province, QueueFilter(), three[0])
    assert (near.previous, near.next) == (three[1].pk, three[2].pk)
    assert neighbours(province, QueueFilter(), three[2]).next is None


def test_filter_by_effect_with_counts(three: list[Any], province: Any) -> None:
    result = queue(province, three[0].round, QueueFilter(effect="slip"))
    assert [row.pk for row in result.page.object_list] == [three[1].pk]
    assert result.facets["effect"] == {"slip": 1, "little": 2}


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        (
            "en",
            [
                "Instead of the expected 1,000 TB (last year&#x27;s value times the growth of its class), this value "
                "raises the national total by 1.24% and that of Jiangsu by 8.30%.",
                "The value is about 1,024 times the expected one: probably a wrong unit.",
            ],
        ),
        (
            "zh-hans",
            [
                "与预期值1,000 TB（上年值×同类增速）相比，本值使全国总量增加1.24%，使江苏总量增加8.30%。",
                "本值约为预期值的1,024倍，疑似计量单位错误。",
            ],
        ),
    ],
)
def test_sheet_page_describes_the_effect_of_the_value(
    three: list[Any], province: Any, client: Any, language: str, sentences: list[str]
) -> None:
    client.force_login(province)
    client.cookies["django_language"] = language
    text = client.get(f"/review/{three[1].pk}/").content.decode()
    for sentence in sentences:
        assert sentence in text
    only = client.get(f"/review/{three[1].pk}/?show=effect").content.decode()
    assert 'id="item-P01"' in only
    assert 'id="item-B01"' not in only


def test_a_score_of_an_older_filing_is_not_shown(three: list[Any], province: Any, client: Any) -> None:
    three[1].filings.update(number=2)
    client.force_login(province)
    client.cookies["django_language"] = "en"
    text = client.get(f"/review/{three[1].pk}/").content.decode()
    assert "This version has not been scored" in text
    assert "raises the national total" not in text


def test_effect_without_totals_states_the_expected_value(three: list[Any]) -> None:
    scored(three[2], 0.0, slip(None, None, value=10.0, slip_base=0))
    item = ItemScore.objects.get(sheet_id=three[2].pk)
    with translation.override("en"):
        text = services_moves(item)
    assert text == "Expected were 1,000 TB (source). There is no total of this item yet."


def services_moves(item: ItemScore) -> str:
    from survey.review.scores.wording import moves

    return moves(item, unit="TB", source="source", region="Jiangsu")


def test_share_formats_small_and_large_values() -> None:
    with translation.override("en"):
        assert [share(value) for value in (0.00001, -0.5, 12.0)] == ["less than 0.01%", "50.00%", "1,200%"]


def test_box_positions_and_description() -> None:
    with translation.override("en"):
        result = box(50_000, [10, 100, 1_000, 10_000, 20_000], 31, "TB")
    assert result is not None
    positions = [result.low, result.left, result.middle, result.right, result.high, result.value]
    assert positions == sorted(positions)
    assert (positions[0], positions[-1]) == (MARGIN, WIDTH - MARGIN)
    assert result.is_outside
    assert result.words == (
        "Of 31 similar units half lie between 100 and 10,000 TB, nine in ten between 10 and 20,000; the median is "
        "1,000. This value is 50 times the median."
    )
    assert box(0, [1, 2, 3, 4, 5], 10, "TB") is None


def test_closest_peer_group_is_used(three: list[Any]) -> None:
    for group, middle in (("CAT12", 1.0), ("CAT12/small", 2.0)):
        PeerQuantiles.objects.create(
            round=three[0].round,
            run=1,
            group=group,
            item="P01",
            size=10,
            quantiles=[middle, middle, middle, middle, middle],
        )
    three[0].unit.size_class = "micro"
    assert peers_of(three[0])["P01"].group == "CAT12/small"
    three[0].unit.size_class = "large"
    assert peers_of(three[0])["P01"].group == "CAT12"
