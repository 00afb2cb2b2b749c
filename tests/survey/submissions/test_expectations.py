"""What stands beside an item: totals from the rules of the form, the usual range, a line through the years."""

from typing import Any

import pytest

from survey.questionnaires.loader import load_all
from survey.submissions.page import expectations
from survey.submissions.page.totals import Total, can_be_added_up, totals_of
from survey.submissions.page.unit_options import unit_options


@pytest.fixture(scope="module")
def form() -> Any:
    return load_all()["CAT13"]


def test_totals_come_from_the_hard_rules(form: Any) -> None:
    totals = {total.item: total for total in totals_of(form)}
    assert totals["P01"] == Total("P01", ("P02", "P03", "P04"))
    assert all(set(total.parts) <= set(form.items) for total in totals.values())


def test_a_total_is_added_up_where_its_parts_are_typed(form: Any) -> None:
    total = Total("P01", ("P02", "P03", "P04"))
    assert can_be_added_up(total, form, {"P01", "P02", "P03", "P04"})
    assert can_be_added_up(total, form, {"P01", "P02"})
    assert not can_be_added_up(total, form, {"P01"})
    assert not can_be_added_up(Total("P01", ("P02", "S02")), form, {"P01", "P02", "S02"})  # on another page


def test_units_have_their_exact_sizes_and_names() -> None:
    options = {option.code: option for option in unit_options(("GB", "PB", "%"), "PB", "zh-hans")}
    assert options["PB"].chosen and not options["GB"].chosen
    assert options["PB"].factor == str(1024**2 * int(options["GB"].factor))
    assert "拍字节" in options["PB"].names.split("|")
    assert options["%"].factor == options["%"].names == ""


@pytest.mark.parametrize(
    ("rule", "bounds"),
    [
        ('between(P01, 0.2 * previous("P01"), 5.0 * previous("P01"))', ("P01", "0.2", "5.0")),
        ('between(P01, 0.2 * previous("P02"), 5.0 * previous("P01"))', None),
    ],
)
def test_the_usual_range_is_the_one_of_the_rule(rule: str, bounds: Any) -> None:
    match = expectations._RANGE.fullmatch(rule)
    assert (match and match.groups()) == bounds
