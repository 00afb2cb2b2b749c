"""Missing units, return rates on the progress board, and query budgets."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from survey.collection.models import Disposition
from survey.fieldwork.progress import selectors as progress
from survey.fieldwork.progress.missing.selectors import missing
from survey.review import services
from survey.review.scores.models import ExpectedShare
from survey.review.scores.services import Expected
from survey.submissions.lifecycle.states import State
from survey.submissions.models import Filing
from tests.factories import make_sheet, make_unit

pytestmark = pytest.mark.django_db


def expect(sheet: Any, national: float, regional: float) -> Expected:
    return Expected(sheet.pk, "P01", 10.0, "previous", national, regional)


@pytest.fixture
def owing(world: Any) -> list[Any]:
    sheets = [
        make_sheet(make_unit("CAT12", region), state)
        for region, state in (
            ("320000", State.NOT_STARTED),
            ("320000", State.RETURNED),
            ("330000", State.IN_PROGRESS),
        )
    ]
    shares = [
        expect(sheet, *share)
        for sheet, share in zip(sheets, ((0.1, 0.2), (0.05, 0.4), (0.3, 0.9)), strict=True)
    ]
    services.receive_expected(round_=sheets[0].round, run=1, shares=shares)
    return sheets


def test_province_ranks_by_region_and_nation_by_nation(owing: list[Any], province: Any, nation: Any) -> None:
    round_ = owing[0].round
    own = [row.pk for row in missing(province, round_)]
    assert own[:2] == [owing[1].pk, owing[0].pk]
    assert owing[2].pk not in own
    assert [row.pk for row in missing(nation, round_)][:3] == [owing[2].pk, owing[0].pk, owing[1].pk]


def test_filed_and_ineligible_units_are_not_missing(owing: list[Any], province: Any) -> None:
    round_ = owing[0].round
    assignment = owing[0].assignment
    assignment.disposition = Disposition.CLOSED
    assignment.save()
    filed = make_sheet(make_unit("CAT12", "320000"), State.SUBMITTED)
    listed = {row.pk for row in missing(province, round_)}
    assert {owing[0].pk, filed.pk} & listed == set()
    assert {row.pk for row in missing(province, round_, state="returned")} == {owing[1].pk}
    services.receive_expected(round_=round_, run=2, shares=[])
    assert not ExpectedShare.objects.exists()


def test_return_rate_counts_returned_and_filed_again(province: Any, world: Any) -> None:
    for state in (State.SUBMITTED, State.SUBMITTED, State.RETURNED):
        sheet = make_sheet(make_unit("CAT12", "320000"), state)
    last = make_sheet(make_unit("CAT12", "320000"), State.SUBMITTED)
    first = Filing.objects.get(submission=last)
    first.pk, first.number = None, 2
    first._state.adding = True
    first.save(force_insert=True)
    total = progress.board(province, sheet.round).total
    assert (total.filed, total.returned, total.refiled) == (3, 1, 1)
    assert total.returned_rate == 0.5


def test_board_query_budget_and_scope(owing: list[Any], province: Any, world: Any, client: Any) -> None:
    client.cookies["django_language"] = "en"
    client.force_login(province)
    with CaptureQueriesContext(
        connection,
    ) as seen:
        text = client.get("/review/progress/").content.decode()
    assert len(seen) <= 30
    assert owing[1].unit.name in text
    assert 'class="curve"' in text
    assert "Share returned" in text
    client.force_login(world.users["designer"])
    text = client.get("/review/progress/").content.decode()
    assert owing[1].unit.name not in text
    client.force_login(province)
    with CaptureQueriesContext(connection) as seen:
        page = client.get("/review/progress/missing/").content.decode()
    assert len(seen) <= 30
    assert page.index(owing[1].unit.name) < page.index(owing[0].unit.name)
