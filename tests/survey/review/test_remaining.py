"""The stop rule: against an exhaustive search, by scope, and on the page."""

from itertools import groupby
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from survey.review import services
from survey.review.scores.selectors import depth, remaining
from survey.review.scores.services import ScoredItem, ScoredSheet
from survey.submissions.lifecycle.states import State
from tests.factories import make_sheet, make_unit

SHARES = st.lists(
    st.tuples(st.integers(1, 9), st.floats(0, 1), st.sampled_from(["P01", "S02", "X"])),
    unique_by=lambda row: (row[0], row[2]),
    max_size=20,
)


def test_depth_is_zero_without_unusual_values() -> None:
    assert depth([], {"P01": 0.02}, 0.1) == (0, {})


def test_depth_excludes_shares_within_the_allowance() -> None:
    # Allowed: 0.1 x 0.02 = 0.002. The two at the end add up to exactly that, so only the first needs review.
    shares = [(1, 9.0, "P01", 0.5), (2, 2.0, "P01", 0.0015), (3, 1.0, "P01", 0.0005)]
    assert depth(shares, {"P01": 0.02}, 0.1) == (1, {"P01": 0.002})


@given(rows=SHARES, part=st.floats(0.01, 1))
def test_depth_is_the_smallest_within_the_allowance(rows: list[tuple[int, float, str]], part: float) -> None:
    errors = {"P01": 0.5, "S02": 0.1}
    # The number of a sheet is its rank in the queue: sheet 1 has the highest score.
    shares = [(sheet, float(-sheet), item, share) for sheet, share, item in rows]
    ranked = sorted({sheet for sheet, _score, item, _share in shares if item in errors})

    def fits(k: int) -> bool:
        rest = sorted((i, s) for sheet, _score, i, s in shares if i in errors and sheet in ranked[k:])
        return all(
            sum(share for _item, share in group) <= part * errors[item] * (1 + 1e-12)
            for item, group in groupby(rest, key=lambda row: row[0])
        )

    result, remainder = depth(shares, errors, part)
    assert fits(result) and (result == 0 or not all(fits(k) for k in range(result)))
    assert result == 0 or not fits(result - 1) or sum(remainder.values()) > 0
    assert set(remainder) <= set(errors)


@pytest.fixture
def desks(world: Any) -> Any:
    """Three undecided sheets in Jiangsu, one in Zhejiang; the errors of a run."""
    jiangsu = [make_sheet(make_unit("CAT12", "320000"), State.SUBMITTED) for _number in range(3)]
    zhejiang = make_sheet(make_unit("CAT12", "330000"), State.SUBMITTED)
    for number, (sheet, region, national, own) in enumerate(
        [
            (jiangsu[0], "320000", 0.04, 0.3),
            (jiangsu[1], "320000", -0.0001, 0.001),
            (zhejiang, "330000", 0.0004, 0.01),
        ]
    ):
        item = ScoredItem(
            item="P01",
            value=2,
            expected=1,
            source="median",
            suspicion=5,
            national=national,
            regional=own,
            slip_base=0,
            slip_power=0,
        )
        services.receive_scores(
            run=1,
            sheets=[
                ScoredSheet(
                    submission=sheet.pk,
                    filing_number=1,
                    value=9.0 - number,
                    stratum="7",
                    region=region,
                    population=50,
                    respondents=9,
                    items=(item,),
                )
            ],
        )
    services.receive_background(
        round_=zhejiang.round,
        run=1,
        peers=[],
        cells=[],
        errors=[("", "P01", 0.01), ("320000", "P01", 0.05), ("330000", "P01", 0.2)],
    )
    return zhejiang.round


def test_nation_sees_all_domains_and_shares_are_absolute(desks: Any, nation: Any) -> None:
    domains = {domain.region: domain for domain in remaining(nation, desks)}
    assert (domains[""].undecided, domains[""].needed) == (4, 1)
    [total] = domains[""].totals
    assert (total.now, total.after, total.allowed) == pytest.approx((0.0405, 0.0005, 0.001))
    assert (domains["320000"].undecided, domains["320000"].needed) == (3, 1)
    assert (domains["330000"].undecided, domains["330000"].needed) == (1, 0)


def test_province_sees_its_own_domain_only(desks: Any, province: Any) -> None:
    assert [domain.region for domain in remaining(province, desks)] == ["320000"]


def test_page_in_both_languages_and_before_any_run(client: Client, world: Any, nation: Any) -> None:
    client.force_login(nation)
    assert (
        "No estimation run has provided sampling errors yet"
        in client.get(reverse("review_remaining"), headers={"Accept-Language": "en"}).content.decode()
    )


def test_page_shows_domains_that_may_stop(client: Client, desks: Any, nation: Any) -> None:
    client.force_login(nation)
    for language, stop in (("en", "may stop"), ("zh-hans", "可以停止")):
        body = client.get(reverse("review_remaining"), headers={"Accept-Language": language}).content.decode()
        assert body.count(f">{stop}<") == 1 and "4.05%" in body
