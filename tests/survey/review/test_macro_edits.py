"""Checks across respondents: findings of each rule, and their visibility by scope."""

from typing import Any

import pytest

from survey.review.ledger import services as macro_edits
from survey.review.ledger.models import MacroFinding
from survey.submissions.lifecycle.states import State
from survey.submissions.models import Submission
from tests.factories import make_sheet, make_unit

pytestmark = pytest.mark.django_db
ITEMS = ["P01", "P02", "P03", "P04", "S01", "S02", "F01", "MD01", "MG08", "MR02"]


def put(category: str, region: str, **answers: Any) -> Submission:
    """A filed sheet with exactly these answers."""
    sheet = make_sheet(make_unit(category, region), State.IN_PROGRESS)
    cells = {code: cell if isinstance(cell, dict) else {"value": str(cell)} for code, cell in answers.items()}
    Submission.objects.filter(pk=sheet.pk).update(state="submitted", answers=cells, filed_at=sheet.updated_at)
    return Submission.objects.get(pk=sheet.pk)


def swept(sheet: Submission) -> dict[str, list[MacroFinding]]:
    macro_edits.sweep(sheet.round, ITEMS)
    by_rule: dict[str, list[MacroFinding]] = {}
    for row in MacroFinding.objects.order_by("rule", "key"):
        by_rule.setdefault(row.rule, []).append(row)
    return by_rule


def ids(row: MacroFinding) -> set[int]:
    return set(row.members.values_list("submission", flat=True))


def test_x07_group_and_subsidiary_with_the_wide_perimeter(world: Any) -> None:
    head = put("CAT07", "110000", B18="2", P01="5")
    child = put("CAT13", "320000", B14=head.unit.uscc.lower(), P01="3")
    put("CAT13", "320000", B14="913200000000000000", P01="4")
    (row,) = swept(head)["X07"]
    assert (row.key, ids(row)) == (head.unit.uscc, {head.pk, child.pk})
    Submission.objects.filter(pk=head.pk).update(answers={**head.answers, "B18": {"value": "1"}})
    assert "X07" not in swept(head)


@pytest.mark.parametrize(("office", "fires"), [("100", True), ("250", False), ("0", False)])
def test_x08_operated_and_authorised_public_data(world: Any, office: str, fires: bool) -> None:
    bureau = put("CAT02", "320000", MG08=office, P01="7")
    first, second = (put("CAT10", "320000", MD01=value, P01=value) for value in ("120", "80"))
    put("CAT10", "330000", MD01="999", P01="9")
    findings = swept(bureau)
    assert ("X08" in findings) is fires
    if fires:
        (row,) = findings["X08"]
        assert row.region == "320000"
        assert row.numbers == {"units": 200.0, "office": 100.0, "gap": 1.0}
        assert ids(row) == {bureau.pk, first.pk, second.pk}


def test_x09_computing_capacity_by_region(world: Any) -> None:
    bureau = put("CAT02", "320000", MR02="100", P01="7")
    rows = {"rows": {"320000": {"capacity": {"value": "140"}}, "330000": {"capacity": {"value": "5"}}}}
    put("CAT06", "110000", K07=rows, P01="8")
    (row,) = swept(bureau)["X09"]
    assert row.numbers == {"units": 140.0, "office": 100.0, "gap": pytest.approx(0.4)}
    Submission.objects.filter(pk=bureau.pk).update(answers={"MR02": {"value": "120"}})
    assert "X09" not in swept(bureau)


def test_x09_shortfall_is_reported_for_outlying_regions_only(world: Any) -> None:
    # Nine regions whose units report a fifth to a quarter of the department's figure, and one with 1 per cent.
    regions = [
        "110000",
        "120000",
        "130000",
        "140000",
        "150000",
        "210000",
        "220000",
        "230000",
        "310000",
        "320000",
    ]
    placed = [20, 21, 22, 23, 24, 25, 20, 22, 24, 1]
    for region in regions:
        last = put("CAT02", region, MR02="100", P01="7")
    rows = {"rows": {code: {"capacity": {"value": str(n)}} for code, n in zip(regions, placed, strict=True)}}
    put("CAT06", "110000", K07=rows, P01="8")
    assert [row.region for row in swept(last)["X09"]] == ["320000"]
    # With few regions a shortfall is no finding.
    few = MacroFinding.objects.count()
    Submission.objects.filter(unit__category="CAT02", unit__region__in=regions[:5]).update(state="returned")
    assert few
    assert "X09" not in swept(last)


def test_x10_all_zero_and_x11_copies(world: Any) -> None:
    numbers = {"P01": "10", "P02": "6", "P03": "4", "S01": "9", "S02": "8.50"}
    original = put("CAT13", "320000", B09="3", **numbers)
    copy = put("CAT13", "330000", B09="99", **{**numbers, "S02": "8.5"})
    put("CAT13", "320000", **{**numbers, "S02": "8.6"})
    zero = put("CAT13", "320000", P01="0", S02="0.0")
    short = {"P01": "1", "P02": "1"}
    put("CAT13", "320000", **short)
    put("CAT13", "330000", **short)
    findings = swept(original)
    (copies,) = findings["X11"]
    assert ids(copies) == {original.pk, copy.pk}
    assert [ids(row) for row in findings["X10"]] == [{zero.pk}]


def test_a_province_sees_its_members_and_no_sums_of_others(world: Any, province: Any, nation: Any) -> None:
    numbers = {"P01": "10", "P02": "6", "P03": "4", "S01": "9", "S02": "8"}
    own, other = (put("CAT13", region, **numbers) for region in ("320000", "330000"))
    put("CAT02", "330000", MG08="1", P01="1")
    put("CAT10", "330000", MD01="9", P01="2")
    swept(own)
    (visible,) = macro_edits.findings_of(province, own.round)
    assert ([member.submission_id for member in visible.members], visible.outside) == ([own.pk], 1)
    assert {row.finding.rule for row in macro_edits.findings_of(nation, own.round)} == {"X08", "X11"}
    assert other.pk in {
        m.submission_id for t in macro_edits.findings_of(nation, own.round) for m in t.members
    }


def test_sweep_runs_only_after_a_change(world: Any) -> None:
    sheet = put("CAT13", "320000", P01="0")
    assert macro_edits.sweep_open_rounds(ITEMS) == 1
    assert not macro_edits.is_stale(sheet.round)
    assert macro_edits.sweep_open_rounds(ITEMS) == 0
    Submission.objects.filter(pk=sheet.pk).update(
        answers={"P01": {"value": "1"}}, updated_at=sheet.round.macro_looks.get().at
    )
    sheet.refresh_from_db()
    make_sheet(make_unit("CAT13", "320000"), State.IN_PROGRESS)
    assert macro_edits.is_stale(sheet.round)
    assert macro_edits.sweep_open_rounds(ITEMS) == 0
    assert not MacroFinding.objects.exists()


def test_page(world: Any, province: Any, client: Any) -> None:
    sheet = put("CAT13", "320000", P01="0", S02="0")
    client.force_login(province)
    client.cookies["django_language"] = "en"
    assert (
        "No respondents of your area contradict each other" in client.get("/review/macro/").content.decode()
    )
    macro_edits.sweep_open_rounds(ITEMS)
    page = client.get("/review/macro/?rule=X10").content.decode()
    assert sheet.unit.name in page
    assert "Every amount of this sheet is zero" in page
    assert sheet.unit.name not in client.get("/review/macro/?rule=X11").content.decode()
