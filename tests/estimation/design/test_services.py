"""Strata, draw, approval by a second person, hand-over: what each does, refuses and leaves behind."""

from dataclasses import replace
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from estimation.design import selectors
from estimation.design.allocation import Request
from estimation.design.approval.services import approve_design, withdraw_design
from estimation.design.models import SampleDesign, SelectedUnit, Stratum
from estimation.design.services import build_design, draw_sample, hand_over, redraw_hash
from estimation.design.stratify import Rules
from survey.audit import AuditEvent
from survey.collection.models import Assignment, CollectionRound
from survey.exceptions import PolicyDenied
from survey.frame.models import ReportingUnit
from survey.submissions.models import Submission
from tests.estimation.design.population import Population
from tests.factories import make_unit

pytestmark = pytest.mark.django_db
State = SampleDesign.State


def codes(design: SampleDesign) -> list[str]:
    """Credit codes of the drawn."""
    return list(
        SelectedUnit.objects.filter(design=design).order_by("unit__uscc").values_list("unit__uscc", flat=True)
    )


def test_strata_hold_everybody_once_and_count_what_the_register_counts(population: Population) -> None:
    draft = population.draft()
    strata = Stratum.objects.filter(design=draft)
    assert sum(strata.values_list("listed", flat=True)) == ReportingUnit.objects.filter(left_on=None).count()
    cell = strata.get(kind="enterprise", region="330000", section="I", size="small")
    # Small and micro are one size; two units of last year's country lie there, too.
    assert cell.population == 200 and cell.listed == 10
    # The unit of 5,000 employees is counted in its cell and lies in another stratum.
    medium = strata.get(kind="enterprise", region="320000", section="I", size="medium")
    assert medium.population == 99
    reasons = dict(strata.filter(kind="certainty").values_list("reason", "listed"))
    assert reasons == {"category": 1, "platform": 1, "threshold": 1}
    assert draft.summary.reasons == {"category": 1, "platform": 1, "employees": 1, "turnover": 0}
    assert strata.get(kind="institution", category="CAT03", region="320000").population == 5


def test_thresholds_move_units_between_strata(population: Population) -> None:
    free = population.draft(Rules(employees=None, turnover=None, leading_platforms=False))
    assert Stratum.objects.filter(design=free, reason="threshold").count() == 0
    money = population.draft(Rules(employees=None, turnover=6000))
    assert money.summary.reasons["turnover"] > 50
    assert free.content_hash != money.content_hash


def test_last_years_spread_is_used_and_borrowed_where_answers_are_few(population: Population) -> None:
    draft = population.draft()
    assert draft.basis.items == list(dict.fromkeys(draft.basis.items)) and len(draft.basis.items) == 5
    assert draft.basis.year == 2025 and 0 < draft.basis.response <= 1
    strata = list(Stratum.objects.filter(design=draft, kind="enterprise"))
    assert all(len(stratum.spread) == 5 for stratum in strata)
    # Four units a cell, two of them answered; last year's country adds two answers to one small cell.
    own = [(stratum.region, stratum.section, stratum.size) for stratum in strata if not stratum.borrowed]
    assert own == [("320000", "I", "small"), ("330000", "I", "small")]
    assert all(stratum.spread[draft.basis.items.index("P01")] > 0 for stratum in strata)


def test_the_same_draw_twice_is_the_same_to_the_unit(population: Population) -> None:
    request = Request("neyman", n=70)
    first = draw_sample(population.draft(), by=population.first, request=request, response=0.9, start=0.25)
    drawn = codes(first)
    again = draw_sample(first, by=population.first, request=request, response=0.9, start=0.25)
    assert codes(again) == drawn and again.content_hash == first.content_hash
    assert redraw_hash(again) == again.content_hash
    other = draw_sample(population.draft(), by=population.second, request=request, response=0.9, start=0.25)
    assert codes(other) == drawn and other.content_hash == first.content_hash
    assert len(drawn) == 70 == sum(Stratum.objects.filter(design=again).values_list("drawn", flat=True))


@pytest.mark.parametrize(
    "changed",
    [
        {"request": Request("neyman", n=60)},
        {"request": Request("proportional", n=61)},
        {"request": Request("proportional", n=60, minimum=1)},
        {"request": Request("power", n=60)},
        {"request": Request("power", n=60, power=0.3)},
        {"request": Request("neyman", n=60, item="P01")},
        {"start": 0.5},
        {"response": 0.8},
    ],
)
def test_every_parameter_is_in_the_hash(population: Population, changed: dict[str, Any]) -> None:
    draft = population.draft()
    plain: dict[str, Any] = {"request": Request("proportional", n=60), "response": 0.9, "start": 0.0}
    first = draw_sample(draft, by=population.first, **plain).content_hash
    second = draw_sample(draft, by=population.first, **{**plain, **changed}).content_hash
    assert first != second
    back = draw_sample(draft, by=population.first, **plain).content_hash
    assert back == first


def test_rules_frame_and_round_are_in_the_hash_too(population: Population) -> None:
    plain: dict[str, Any] = {"request": Request("proportional", n=60), "response": 0.9}
    first = draw_sample(population.draft(), by=population.first, **plain).content_hash
    rules = draw_sample(population.draft(Rules(employees=999)), by=population.first, **plain).content_hash
    make_unit("CAT13", "320000")
    frame = draw_sample(population.draft(), by=population.first, **plain).content_hash
    population.round = population.plan(2027)
    later = draw_sample(population.draft(), by=population.first, **plain).content_hash
    assert len({first, rules, frame, later}) == 4


def test_probabilities_are_n_over_N_and_the_smallest_numbers_are_drawn(population: Population) -> None:
    drawn = population.drawn()
    cell = Stratum.objects.get(design=drawn, kind="enterprise", region="440000", section="C", size="small")
    computed = SelectedUnit.objects.filter(design=drawn, stratum=cell)
    assert {row.probability for row in computed} == {cell.drawn / cell.population}
    inside = ReportingUnit.objects.filter(region_id="440000", section="C", size_class__in=["small", "micro"])
    smallest = list(inside.order_by("random_number").values_list("pk", flat=True)[: cell.drawn])
    assert sorted(computed.values_list("unit_id", flat=True)) == sorted(smallest)
    certain = SelectedUnit.objects.filter(design=drawn, stratum__take_all=True)
    assert {row.probability for row in certain} == {1.0} and certain.count() == 3
    everybody = SelectedUnit.objects.filter(design=drawn).select_related("unit")
    assert all(row.region == row.unit.region_id for row in everybody)


def test_the_overlap_with_last_years_sample_is_counted(population: Population) -> None:
    drawn = population.drawn()
    before = set(SelectedUnit.objects.filter(design=drawn.previous).values_list("unit_id", flat=True))
    now = set(SelectedUnit.objects.filter(design=drawn).values_list("unit_id", flat=True))
    overlap = drawn.summary.overlap
    assert (overlap.year, overlap.before, overlap.units) == (2025, len(before), len(before & now))
    assert sum(new for _code, new, _old in overlap.regions) == len(now)


def test_an_older_frame_cannot_be_drawn_from(population: Population) -> None:
    draft = population.draft()
    make_unit("CAT13", "320000")
    with pytest.raises(PolicyDenied):
        draw_sample(draft, by=population.first, request=Request("proportional", n=60), response=1.0)
    drawn = population.drawn()
    assert redraw_hash(drawn) == drawn.content_hash
    ReportingUnit.objects.filter(pk=population.units[0].pk).update(employees=51)
    assert redraw_hash(drawn) is None


@pytest.mark.parametrize("n", [1, 10**9])
def test_an_impossible_size_is_refused_with_the_bounds(population: Population, n: int) -> None:
    with pytest.raises(PolicyDenied, match=r"\d"):
        draw_sample(
            population.draft(), by=population.first, request=Request("proportional", n=n), response=1.0
        )


def test_who_drew_cannot_approve(population: Population) -> None:
    drawn = population.drawn()
    with pytest.raises(PolicyDenied):
        approve_design(drawn, by=population.first, content_hash=drawn.content_hash)
    assert (
        approve_design(drawn, by=population.second, content_hash=drawn.content_hash).state == State.APPROVED
    )
    assert selectors.latest_design(population.round) == drawn


def test_the_database_itself_wants_a_second_person(population: Population) -> None:
    drawn = population.drawn()
    rows = SampleDesign.objects.filter(pk=drawn.pk)
    for by in (population.first, None):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(state="approved", approved_by=by, approved_at=drawn.drawn_at)
    rows.update(state="approved", approved_by=population.second, approved_at=drawn.drawn_at)


def test_only_what_was_shown_is_approved(population: Population) -> None:
    drawn = population.drawn()
    shown = drawn.content_hash
    draw_sample(drawn, by=population.first, request=Request("proportional", n=66), response=0.9)
    with pytest.raises(PolicyDenied):
        approve_design(drawn, by=population.second, content_hash=shown)


def test_who_draws_again_becomes_the_first_person(population: Population) -> None:
    drawn = population.drawn()
    again = draw_sample(drawn, by=population.second, request=Request("proportional", n=66), response=0.9)
    with pytest.raises(PolicyDenied):
        approve_design(again, by=population.second, content_hash=again.content_hash)
    approve_design(again, by=population.first, content_hash=again.content_hash)


def test_a_sample_without_a_signature_cannot_be_approved(population: Population) -> None:
    drawn = draw_sample(population.draft(), by=None, request=Request("proportional", n=60), response=1.0)
    with pytest.raises(PolicyDenied):
        approve_design(drawn, by=population.second, content_hash=drawn.content_hash)


def test_one_approved_design_a_round(population: Population) -> None:
    first = population.approved()
    second = population.drawn()
    with pytest.raises(PolicyDenied):
        approve_design(second, by=population.second, content_hash=second.content_hash)
    withdraw_design(first, by=population.second, reason="抽样框更新后重新抽取")
    approve_design(second, by=population.second, content_hash=second.content_hash)


def test_a_design_is_withdrawn_with_a_reason_and_stays(population: Population) -> None:
    approved = population.approved()
    with pytest.raises(PolicyDenied):
        withdraw_design(approved, by=population.second, reason="  x ")
    row = withdraw_design(approved, by=population.second, reason="抽样框更新后重新抽取")
    assert row.state == State.WITHDRAWN and SelectedUnit.objects.filter(design=row).exists()
    for act in (
        lambda: withdraw_design(row, by=population.second, reason="抽样框更新后重新抽取"),
        lambda: hand_over(row, by=population.second),
        lambda: draw_sample(row, by=population.second, request=Request(n=60), response=1.0),
    ):
        with pytest.raises(PolicyDenied):
            act()
    assert selectors.latest_design(population.round) is None


def test_a_hand_over_asks_every_drawn_unit_once(population: Population) -> None:
    row, added = hand_over(population.approved(), by=population.first)
    requested = Assignment.objects.filter(round=population.round)
    assert row.state == State.HANDED_OVER and added == 60 == requested.count()
    assert {assignment.version.year for assignment in requested.select_related("version")} == {2026}
    assert all(
        assignment.version.category == assignment.unit.category
        for assignment in requested.select_related("version", "unit")
    )
    assert Submission.objects.filter(round=population.round, state="not_started").count() == 60
    assert hand_over(row, by=population.second)[1] == 0
    assert Submission.objects.filter(round=population.round).count() == 60
    with pytest.raises(PolicyDenied):
        withdraw_design(row, by=population.second, reason="抽样框更新后重新抽取")
    with pytest.raises(PolicyDenied):
        population.draft()


@pytest.mark.parametrize("state", ["open", "closed"])
def test_a_round_that_has_begun_takes_no_sample(population: Population, state: str) -> None:
    approved = population.approved()
    CollectionRound.objects.filter(pk=population.round.pk).update(state=state)
    with pytest.raises(PolicyDenied, match="2026"):
        hand_over(approved, by=population.first)
    with pytest.raises(PolicyDenied, match="2026"):
        population.draft()
    assert not Assignment.objects.filter(round=population.round).exists()


def test_a_missing_questionnaire_is_named_and_nobody_is_asked(population: Population) -> None:
    approved = population.approved()
    from survey.questionnaires.models import QuestionnaireVersion

    QuestionnaireVersion.objects.filter(year=2026, category="CAT03").delete()
    with pytest.raises(PolicyDenied, match="CAT03"):
        hand_over(approved, by=population.first)
    approved.refresh_from_db()
    assert approved.state == State.APPROVED and not Assignment.objects.filter(round=population.round).exists()


def test_every_step_leaves_an_audit_row_with_the_hash(population: Population) -> None:
    row = population.handed_over()
    trail = AuditEvent.objects.filter(subject_type="sampledesign", subject_id=str(row.pk)).order_by("pk")
    assert list(trail.values_list("action", flat=True)) == [
        "design_built",
        "design_drawn",
        "design_approved",
        "design_handed_over",
    ]
    assert {event.details["content_hash"] for event in trail[1:]} == {row.content_hash}


def test_others_may_not(population: Population, world: Any) -> None:
    approved = population.approved()
    for role in ("publisher", "reviewer", "provincial_administrator", "respondent", "auditor"):
        somebody = world.users.get(role, world.users["audit_administrator"])
        for act in (
            lambda: build_design(round=population.round, by=somebody, rules=Rules()),  # noqa: B023 called at once
            lambda: draw_sample(approved, by=somebody, request=Request(n=60), response=1.0),  # noqa: B023 called at once
            lambda: approve_design(approved, by=somebody, content_hash=""),  # noqa: B023 called at once
            lambda: withdraw_design(approved, by=somebody, reason="x" * 10),  # noqa: B023 called at once
            lambda: hand_over(approved, by=somebody),  # noqa: B023 called at once
        ):
            with pytest.raises(PermissionDenied):
                act()


def test_the_smallest_sample_for_targets_keeps_them(population: Population) -> None:
    loose = Request("targets", nation=0.3)
    drawn = draw_sample(population.draft(), by=population.first, request=loose, response=1.0)
    assert all(cv <= 0.3 + 1e-9 for cv in drawn.summary.cv.values())
    tight = draw_sample(drawn, by=population.first, request=replace(loose, nation=0.05), response=1.0)
    assert tight.summary.n > 0 and tight.summary.short > 0  # the list is too short for 5 %
    with pytest.raises(PolicyDenied):
        draw_sample(drawn, by=population.first, request=Request("targets"), response=1.0)
