"""The pure parts worked by hand: strata and their counts, borrowed spreads, promised precision, tables that sum."""

import math

import numpy as np
import pytest

from estimation.design.allocation import AllocationError, Base, Request, make_alternative
from estimation.design.moments import certain_cells, stratum_moments
from estimation.design.stratify import CERTAINTY, ENTERPRISE, Frame, Rules, stratify
from estimation.design.tables import breakdown, grades, national_cv


def frame_row(
    code: str,
    category: str = "CAT13",
    region: str = "110000",
    section: str = "C",
    size: str = "small",
    *,
    platform: bool = False,
    employees: int = 10,
    turnover: float = 0.0,
    prn: float = 0.5,
) -> tuple[object, ...]:
    """A unit as the frame hands it out; its key is its code."""
    return code, category, region, section, size, platform, employees, turnover, prn, int(code)


def hand_base() -> Base:
    """Two sampled strata (N 100 and 50, S 10 and 40, mean 5 and 20) and one unit of 1000 taken with certainty."""
    return Base(
        items=("P01",),
        key=np.array([[ENTERPRISE, -1, 0, 2, 2], [ENTERPRISE, -1, 1, 8, 2], [CERTAINTY, 0, -1, -1, -1]]),
        population=np.array([100.0, 50.0, 1.0]),
        listed=np.array([80.0, 50.0, 1.0]),
        mean=np.array([[5.0], [20.0], [1000.0]]),
        spread=np.array([[10.0], [40.0], [0.0]]),
        main=np.array([[2, 2], [8, 2], [-1, -1]]),
        cell_key=np.array([[2, 0, -1, -1]]),
        cell_size=np.array([1.0]),
        cell_mean=np.array([[1000.0]]),
        cell_spread=np.array([[0.0]]),
    )


def test_the_promised_cv_is_the_textbooks() -> None:
    alternative = make_alternative(hand_base(), Request("proportional", n=31), response=1.0)
    assert alternative.n_h.tolist() == [20, 10, 1]
    first, second = (n**2 * (1 / drawn - 1 / n) * s**2 for n, drawn, s in ((100, 20, 10), (50, 10, 40)))
    total = 100 * 5 + 50 * 20 + 1000
    assert alternative.cv["nation"][0, 0] == pytest.approx(math.sqrt(first + second) / total, rel=1e-12)
    # Region 0 holds the first stratum and the unit taken with certainty.
    assert alternative.cv["region"][0, 0] == pytest.approx(math.sqrt(first) / 1500, rel=1e-12)
    assert alternative.cv["section"][8, 0] == pytest.approx(math.sqrt(second) / 1000, rel=1e-12)


def test_fewer_valid_answers_promise_less() -> None:
    base = hand_base()
    full, half = (
        make_alternative(base, Request("proportional", n=31), response=share) for share in (1.0, 0.5)
    )
    assert half.n_h.tolist() == full.n_h.tolist() and half.cv["nation"][0, 0] > full.cv["nation"][0, 0]


def test_neyman_goes_where_the_spread_is_and_never_beyond_the_list() -> None:
    base = hand_base()
    plain = make_alternative(base, Request("neyman", n=31), response=1.0)
    assert plain.n_h.tolist() == [10, 20, 1]  # 100 x 10 against 50 x 40
    proportional = make_alternative(base, Request("proportional", n=31), response=1.0)
    assert plain.cv["nation"][0, 0] < proportional.cv["nation"][0, 0]
    full = make_alternative(base, Request("neyman", n=131), response=1.0)
    assert full.n_h.tolist() == [80, 50, 1] and full.short == 1
    with pytest.raises(AllocationError) as refused:
        make_alternative(base, Request("neyman", n=132), response=1.0)
    assert refused.value.parameters == {"low": 5, "high": 131}


def test_tables_sum_and_say_what_belongs_nowhere() -> None:
    base = hand_base()
    both = [
        make_alternative(base, Request(method, n=31), response=1.0) for method in ("proportional", "neyman")
    ]
    for kind in ("region", "section", "size"):
        lines = breakdown(base, both, kind, 0)
        body, total = lines[:-1], lines[-1]
        assert total.population == 151 == sum(line.population for line in body)
        for index in range(2):
            assert sum(line.cells[index][0] for line in body) == total.cells[index][0] == 31
    assert [line.code for line in breakdown(base, both, "section", 0)] == ["C", "I", "-", ""]
    assert national_cv(base, both)[0][0] == "P01"
    # Nation, two regions, two sections and one size hold a total.
    assert sum(grades(base, both[0]).values()) == 6


def test_targets_are_met_by_the_smallest_sample() -> None:
    base = hand_base()
    result = make_alternative(base, Request("targets", nation=0.05), response=1.0)
    assert result.cv["nation"][0, 0] <= 0.05 + 1e-9
    for h in (0, 1):
        smaller = result.n_h.copy()
        smaller[h] -= 1
        variance = sum(
            n**2 * (1 / drawn - 1 / n) * s**2 for n, drawn, s in ((100, smaller[0], 10), (50, smaller[1], 40))
        )
        assert math.sqrt(variance) / 2500 > 0.05


def test_a_count_loses_the_units_that_lie_elsewhere() -> None:
    rows = [
        frame_row("1"),
        frame_row("2"),
        frame_row("3", employees=5000),
        frame_row("4", "CAT10"),
        frame_row("5", "CAT08", platform=True),
        frame_row("6", "CAT08"),
        frame_row("7", "CAT03", section="", size=""),
    ]
    counts = [
        ("", "110000", "C", "small", 10),
        ("", "120000", "C", "large", 7),
        ("CAT08", "110000", "", "", 9),
    ]
    result = stratify(Frame.of(rows), counts, Rules())
    sizes = dict(
        zip(result.codes(), zip(result.population.tolist(), result.listed.tolist(), strict=True), strict=True)
    )
    assert sizes[("enterprise", "", "110000", "C", "small")] == (6, 2)  # 10 less units 3, 4, 5 and 6
    assert sizes[("enterprise", "", "120000", "C", "large")] == (7, 0)  # nobody is listed
    assert sizes[("institution", "CAT08", "110000", "", "")] == (8, 1)  # 9 less the leading platform
    assert sizes[("institution", "CAT03", "110000", "", "")] == (1, 1)
    assert sizes[("certainty", "", "", "C", "small")] == (1, 1)
    assert result.unit_reason.tolist() == [0, 0, 3, 1, 2, 0, 0]
    assert result.listed.sum() == len(rows)


def test_a_stratum_is_never_smaller_than_its_list() -> None:
    result = stratify(Frame.of([frame_row("1"), frame_row("2")]), [("", "110000", "C", "small", 1)], Rules())
    assert result.population.tolist() == [2.0]


def test_few_answers_borrow_from_the_next_wider_class() -> None:
    rows = [frame_row(str(n + 1), region="110000") for n in range(6)] + [frame_row("9", region="120000")]
    frame = Frame.of(rows)
    result = stratify(frame, [], Rules())
    values = np.array([[1.0], [2.0], [3.0], [4.0], [5.0], [6.0], [100.0]])
    moments = stratum_moments(result, values)
    assert moments.mean[0, 0] == pytest.approx(3.5) and moments.spread[0, 0] == pytest.approx(math.sqrt(3.5))
    assert moments.borrowed.tolist() == [False, True]
    assert moments.mean[1, 0] == pytest.approx(values.mean())
    assert moments.spread[1, 0] == pytest.approx(values.std(ddof=1))


def test_take_all_units_are_in_every_breakdown() -> None:
    rows = [
        frame_row("1", "CAT07", section="D", size="large"),
        frame_row("2", "CAT07", "120000", "C", "large"),
    ]
    frame = Frame.of(rows)
    result = stratify(frame, [], Rules())
    values = np.array([[10.0], [np.nan]])
    moments = stratum_moments(result, values)
    cells = certain_cells(frame, result, moments, values)
    assert cells.key[:, 1:].tolist() == [[0, 3, 0], [1, 2, 0]]
    assert cells.mean[:, 0].tolist() == [
        10.0,
        10.0,
    ]  # what one has not answered, the stratum's mean stands for


def test_a_larger_sample_holds_the_smaller_one() -> None:
    from estimation.methods import select

    rng = np.random.default_rng(3)
    prn, stratum = rng.random(200), rng.integers(0, 4, 200)
    small, large = (select(prn, stratum, np.full(4, n), start=0.3) for n in (10, 20))
    assert (large[small]).all() and large.sum() == 80


def test_the_empty_frame_has_no_strata() -> None:
    result = stratify(Frame.of([]), [], Rules())
    assert result.key.shape == (0, 5) and result.codes() == []
