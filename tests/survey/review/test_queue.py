"""The queue: scope, level, counts, order, neighbours, and how many queries it takes."""

import datetime as dt

import pytest
from django.utils import timezone

from survey.collection.models import CollectionRound
from survey.review import services
from survey.review.filters import QueueFilter
from survey.review.selectors import desk_of, neighbours, province_of, queue
from survey.submissions.lifecycle.states import State
from survey.submissions.models import Submission
from tests.factories import make_sheet, make_unit
from tests.survey.review.conftest import last_year

pytestmark = pytest.mark.django_db


def _round() -> CollectionRound:
    return CollectionRound.objects.get(year=2025)


def _ids(user, **setting) -> list[int]:
    return [row.pk for row in queue(user, _round(), QueueFilter(**setting)).page.object_list]


def test_province_of_reads_the_path():
    assert province_of("000000/320000/320200/") == "320000"
    assert province_of("000000/") == "000000"


def test_desks(world, province, nation):
    assert desk_of(province) == {State.SUBMITTED}
    assert desk_of(nation) == {State.NATIONAL_REVIEW}
    assert desk_of(world.users["methodologist"]) == frozenset()


def test_each_level_sees_its_own_desk_first(province, nation, filed, at_nation):
    outside = make_sheet(make_unit("CAT12", "330000"), State.SUBMITTED)
    assert _ids(province) == [filed.pk]
    assert _ids(nation) == [at_nation.pk]
    assert set(_ids(nation, state="submitted")) == {filed.pk, outside.pk}
    assert outside.pk not in _ids(province, state="all")


def test_counts_on_a_filter_follow_the_other_filters(province, filed):
    make_sheet(make_unit("CAT13", "320000"), State.SUBMITTED)
    commented = make_sheet(make_unit("CAT13", "320000"), State.SUBMITTED)
    services.raise_query(commented, by=province, text="请核实")
    result = queue(province, _round(), QueueFilter(category="CAT13"))
    assert result.total == 2
    assert result.facets["category"] == {"CAT12": 1, "CAT13": 2}
    assert result.facets["queries"] == {"open": 1, "none": 1}
    assert _ids(province, category="CAT13", queries="open") == [commented.pk]


def test_search_by_start_of_code_or_part_of_name(province, filed):
    other = make_sheet(make_unit("CAT13", "320000", name="长江流域计算中心"), State.SUBMITTED)
    assert _ids(province, search=other.unit.uscc[:12].lower()) == [other.pk]
    assert _ids(province, search="计算") == [other.pk]
    assert _ids(province, search="' OR 1=1 --") == []
    assert _ids(province, search="%") == []


def test_orders(province, filed):
    later = make_sheet(make_unit("CAT12", "320000"), State.SUBMITTED)
    Submission.objects.filter(pk=later.pk).update(soft_count=3)
    assert _ids(province) == [filed.pk, later.pk]
    assert _ids(province, order="findings") == [later.pk, filed.pk]
    assert _ids(province, findings="soft") == [later.pk]


def test_order_by_change_puts_the_largest_first(province, filed):
    grown = make_sheet(make_unit("CAT12", "320000"), State.SUBMITTED)
    last = last_year(grown.unit)
    answers = {**last.answers, "P01": {"value": "2"}}
    Submission.objects.filter(pk=last.pk).update(answers=answers)
    Submission.objects.filter(pk=grown.pk).update(answers={**grown.answers, "P01": {"value": "2000000"}})
    result = queue(province, _round(), QueueFilter(order="change"))
    assert [row.pk for row in result.page.object_list] == [grown.pk, filed.pk]
    assert result.page.object_list[0].change == pytest.approx(1_000_000)
    assert result.page.object_list[1].change is None


@pytest.mark.parametrize("order", ["oldest", "findings", "change"])
def test_neighbours_follow_the_queue_order(province, filed, order):
    for count in (0, 2):
        sheet = make_sheet(make_unit("CAT12", "320000"), State.SUBMITTED)
        Submission.objects.filter(pk=sheet.pk).update(soft_count=count)
    setting = QueueFilter(order=order)
    ids = _ids(province, order=order)
    rows = [Submission.objects.select_related("round").get(pk=pk) for pk in ids]
    if order != "change":
        around = [neighbours(province, setting, row) for row in rows]
        assert [pair.next for pair in around] == [*ids[1:], None]
        assert [pair.previous for pair in around] == [None, *ids[:-1]]
    services.accept_submission(rows[0], by=province)
    following = neighbours(province, setting, Submission.objects.get(pk=ids[0])).next
    assert following in ids[1:] if order != "change" else True


def test_queue_query_count_is_constant(province, filed, django_assert_max_num_queries, client):
    for _ in range(4):
        make_sheet(make_unit("CAT13", "320000"), State.SUBMITTED)
    client.force_login(province)
    client.get("/review/")
    with django_assert_max_num_queries(12):
        assert client.get("/review/").status_code == 200


def test_sheet_filed_again_is_marked(province, filed):
    from survey.submissions.lifecycle.services import transition
    from survey.submissions.lifecycle.states import Action

    services.return_submission(
        filed, by=province, reason="请核实", due_at=timezone.now() + dt.timedelta(days=3)
    )
    row = Submission.objects.get(pk=filed.pk)
    transition(row, Action.SUBMIT, by=None, shown_revision=row.revision)
    assert _ids(province, again="again") == [filed.pk]
    assert _ids(province, again="first") == []
