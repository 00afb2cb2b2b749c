"""The progress board counts every sheet in scope once."""

import pytest

from survey.collection.models import Assignment, CollectionRound, Disposition
from survey.fieldwork.progress.selectors import Tally, board, heat, queue_link
from survey.submissions.lifecycle.states import State
from tests.factories import make_sheet, make_unit

pytestmark = pytest.mark.django_db


def _board(user, **where):
    return board(user, CollectionRound.objects.get(year=2025), **where)


def test_tally_rates():
    tally = Tally()
    for state, count in (("not_started", 2), ("in_progress", 1), ("submitted", 3), ("accepted", 4)):
        tally.add(state, count)
    assert (tally.due, tally.started, tally.filed) == (10, 8, 7)
    assert tally.filed_rate == 0.7 and tally.accepted_rate == 0.4
    assert Tally().filed_rate is None


@pytest.mark.parametrize(
    ("rate", "step"), [(None, 0), (0, 0), (0.01, 1), (0.25, 2), (0.6, 3), (0.99, 4), (1, 5)]
)
def test_heat(rate, step):
    assert heat(rate) == step


def test_board_adds_up(world, province, nation):
    make_sheet(make_unit("CAT13", "320000"), State.ACCEPTED)
    make_sheet(make_unit("CAT13", "330000"), State.SUBMITTED)
    national = _board(nation)
    for tallies in (national.cells, national.regions, national.categories):
        assert sum(tally.due for tally in tallies.values()) == national.total.due
        assert sum(tally.filed for tally in tallies.values()) == national.total.filed == 2
    own = _board(province)
    assert set(own.regions) == {"320000"}
    assert own.total.accepted == 1
    assert _board(nation, region="330000").total.submitted == 1


def test_board_leaves_out_exempted_and_out_of_scope(nation):
    before = _board(nation).total.due
    make_sheet(make_unit("CAT13", "320000"), State.EXEMPTED)
    gone = make_unit("CAT13", "320000")
    make_sheet(gone)
    assert _board(nation).total.due == before + 1
    Assignment.objects.filter(unit=gone).update(disposition=Disposition.CLOSED)
    assert _board(nation).total.due == before


def test_board_of_a_respondent_is_empty(world):
    assert _board(world.users["respondent"]).total.due == 0


def test_cell_links_to_exactly_its_sheets(nation):
    round_ = CollectionRound.objects.get(year=2025)
    link = queue_link(round_, "accepted", region="320000", category="CAT13")
    assert link == "year=2025&state=accepted&category=CAT13&region=320000"
    assert queue_link(round_, "started") == ""


def test_board_page(client, world, province, nation, django_assert_max_num_queries):
    make_sheet(make_unit("CAT13", "320000"), State.ACCEPTED)
    for user in (province, nation, world.users["designer"]):
        client.force_login(user)
        client.get("/review/progress/")
        with django_assert_max_num_queries(20):
            assert client.get("/review/progress/").status_code == 200
    assert client.get("/review/progress/?region=320000").status_code == 200
    assert "review/?" not in client.get("/review/progress/").content.decode()  # a designer has no queue
    client.force_login(world.users["respondent"])
    assert client.get("/review/progress/").status_code == 404
