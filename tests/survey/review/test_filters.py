"""Queue filters convert to and from query strings and drop invalid values."""

from survey.review.filters import QueueFilter
from survey.submissions.lifecycle.states import FILED, State

DESK = frozenset({State.SUBMITTED})


def test_filter_round_trips_through_its_query_string():
    setting = QueueFilter.read({"state": "filed", "category": "CAT12", "search": "演练", "order": "findings"})
    from urllib.parse import parse_qsl

    assert QueueFilter.read(dict(parse_qsl(setting.encoded))) == setting


def test_default_filter_has_an_empty_query_string():
    assert QueueFilter().encoded == ""
    assert QueueFilter.read({"year": "2025"}).is_plain
    assert not QueueFilter.read({"category": "CAT01"}).is_plain


def test_read_drops_invalid_values():
    setting = QueueFilter.read(
        {"state": "' or 1=1", "order": "x", "year": "20x5", "search": "a\x00b" + "c" * 99}
    )
    assert setting.state == "" and setting.order == "score" and setting.year == ""
    assert len(setting.search) <= 60 and "\x00" not in setting.search


def test_states_of_the_desk_and_of_groups():
    assert QueueFilter().states(DESK) == DESK
    assert QueueFilter(state="filed").states(DESK) == FILED
    assert QueueFilter(state="all").states(DESK) == frozenset(State)
    assert QueueFilter(state="returned").states(DESK) == {State.RETURNED}
