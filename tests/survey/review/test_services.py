"""Comments, verdicts and decisions on one sheet."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from survey.access.models import RoleAssignment
from survey.access.roles import Role
from survey.audit import AuditEvent
from survey.exceptions import PolicyDenied, StaleRevision
from survey.microdata.models import Observation
from survey.review import services
from survey.submissions.comments.models import ReviewQuery
from survey.submissions.lifecycle.services import recall, reply, transition
from survey.submissions.lifecycle.states import Action, State
from survey.submissions.models import Submission
from tests.factories import make_sheet, make_unit, make_user

SOON = timezone.now() + dt.timedelta(days=365)
pytestmark = pytest.mark.django_db


def _state(sheet: Submission) -> str:
    return Submission.objects.get(pk=sheet.pk).state


# Levels of decision
def test_acceptance_by_province_and_nation(filed, province, nation):
    assert services.accept_submission(filed, by=province).state == State.NATIONAL_REVIEW
    assert not Observation.objects.filter(unit=filed.unit).exists()
    assert services.accept_submission(filed, by=nation).state == State.ACCEPTED
    assert Observation.objects.get(unit=filed.unit).filing == filed.filings.get()


def test_province_may_not_decide_at_the_national_level(at_nation, province):
    with pytest.raises(PermissionDenied):
        services.accept_submission(at_nation, by=province)
    with pytest.raises(PermissionDenied):
        services.return_submission(at_nation, by=province, reason="x", due_at=SOON)
    with pytest.raises(PermissionDenied):
        services.raise_query(at_nation, by=province, text="为什么")
    assert _state(at_nation) == State.NATIONAL_REVIEW


def test_other_province_may_not_decide(world, filed):
    other = world.users["outside_administrator"]
    for act in (
        lambda: services.accept_submission(filed, by=other),
        lambda: services.raise_query(filed, by=other, text="为什么"),
        lambda: services.return_submission(filed, by=other, reason="x", due_at=SOON),
    ):
        with pytest.raises(PermissionDenied):
            act()


def test_methodologist_reads_but_decides_nothing(world, filed):
    user = world.users[Role.METHODOLOGIST.value]
    assert services.begin_review(filed, by=user) is False
    with pytest.raises(PermissionDenied):
        services.accept_submission(filed, by=user)


def test_bureau_does_not_review_itself(world):
    bureau = make_unit("CAT02", "320000")
    sheet = make_sheet(bureau, State.NATIONAL_REVIEW)
    user = make_user(Role.PROVINCIAL_ADMINISTRATOR, "320000")
    with pytest.raises(PermissionDenied):
        services.accept_submission(sheet, by=user)
    assert not Submission.objects.visible_to(user).filter(pk=sheet.pk).exists()


def test_nobody_decides_on_the_sheet_they_fill(filed):
    user = make_user(Role.PROVINCIAL_ADMINISTRATOR, "320000")
    RoleAssignment.objects.create(user=user, role=Role.RESPONDENT, region_id="320000", unit=filed.unit)
    with pytest.raises(PolicyDenied):
        services.accept_submission(filed, by=user)
    with pytest.raises(PolicyDenied):
        services.raise_query(filed, by=user, text="为什么")


def test_sheet_of_a_national_category_is_never_accepted_by_a_province(province, nation):
    sheet = make_sheet(make_unit("CAT07", "320000", review_region_id="320000"), State.NATIONAL_REVIEW)
    Submission.objects.filter(pk=sheet.pk).update(state=State.SUBMITTED)
    with pytest.raises(PolicyDenied):
        services.accept_submission(sheet, by=province)
    sheet.refresh_from_db()
    assert services.obstacles(sheet, Action.ACCEPT, province)
    assert sheet.state == State.SUBMITTED


# Comments
def test_open_comment_stops_acceptance_until_it_is_closed(filed, province):
    query = services.raise_query(filed, by=province, item="P01", text="单位是 TB 吗？")
    with pytest.raises(PolicyDenied):
        services.accept_submission(filed, by=province)
    services.close_query(query, by=province)
    assert services.accept_submission(filed, by=province).state == State.NATIONAL_REVIEW


def test_comment_survives_return_answer_and_reopening(filed, province):
    query = services.raise_query(filed, by=province, item="P01", text="单位是 TB 吗？")
    services.return_submission(filed, by=province, reason="请核实单位", due_at=SOON)
    filler = make_user(Role.RESPONDENT, unit=filed.unit)
    reply(filed, by=filler, query_id=query.pk, text="是，已核对", corrected=False)
    query.refresh_from_db()
    assert query.state == ReviewQuery.State.ANSWERED
    with pytest.raises(PolicyDenied):  # the sheet is with the respondent: the reviewer waits
        services.close_query(query, by=province)
    row = Submission.objects.get(pk=filed.pk)
    transition(row, Action.SUBMIT, by=None, shown_revision=row.revision)
    services.reopen_query(query, by=province, text="请再看一次附表")
    query.refresh_from_db()
    assert query.state == ReviewQuery.State.OPEN and "附表" in query.text and query.closed_at is None
    services.close_query(query, by=province)
    actions = list(filed.events.filter(new__query=query.pk).values_list("action", flat=True))
    assert actions == ["query", "reply", "query_reopen", "query_close"]


def test_comment_needs_text_and_an_item_of_the_form(filed, province):
    for wrong in ({"text": "  "}, {"text": "x" * 2001}, {"text": "为什么", "item": "ZZ99"}):
        with pytest.raises(PolicyDenied):
            services.raise_query(filed, by=province, **wrong)
    assert not filed.queries.exists()


# Verdicts
def test_refused_reason_prevents_acceptance_until_accepted(filed, explained, province):
    services.judge_explanation(filed, by=province, edit=explained.edit, verdict="refused")
    filed.refresh_from_db()
    assert filed.unexplained_count >= 1
    with pytest.raises(PolicyDenied):
        services.accept_submission(filed, by=province)
    assert _state(filed) == State.SUBMITTED
    services.judge_explanation(filed, by=province, edit=explained.edit, verdict="accepted")
    explained.refresh_from_db()
    assert explained.verdict == "accepted" and explained.verdict_by == province


def test_verdict_needs_a_reason_about_these_numbers(filed, explained, province):
    with pytest.raises(PolicyDenied):
        services.judge_explanation(filed, by=province, edit=explained.edit, verdict="maybe")
    explained.fingerprint = "0" * 64
    explained.save()
    with pytest.raises(StaleRevision):
        services.judge_explanation(filed, by=province, edit=explained.edit, verdict="accepted")


# Decisions
@pytest.mark.parametrize(
    ("reason", "due_at"), [("", SOON), ("  ", SOON), ("请核实", None), ("请核实", timezone.now())]
)
def test_return_needs_a_reason_and_a_future_date(filed, province, reason, due_at):
    with pytest.raises(PolicyDenied):
        services.return_submission(
            filed, by=province, reason=reason, due_at=due_at, queries=[("P01", "为什么这么大")]
        )
    assert _state(filed) == State.SUBMITTED
    assert not filed.queries.exists()  # the comment of the refused return is rolled back


def test_return_stores_reason_date_and_comments(filed, province):
    row = services.return_submission(
        filed,
        by=province,
        reason="请核实",
        due_at=SOON,
        queries=[("P01", "为什么这么大"), ("", "请补充联系人")],
    )
    assert (row.state, row.return_reason, row.return_due_at) == (State.RETURNED, "请核实", SOON)
    assert list(filed.queries.values_list("item", flat=True)) == ["P01", ""]


def test_decision_on_a_version_that_was_not_shown_is_refused(filed, province):
    with pytest.raises(StaleRevision):
        services.accept_submission(filed, by=province, shown_filing=7)
    with pytest.raises(StaleRevision):
        services.return_submission(filed, by=province, reason="x", due_at=SOON, shown_filing=7)
    assert _state(filed) == State.SUBMITTED
    assert services.accept_submission(filed, by=province, shown_filing=1).state == State.NATIONAL_REVIEW


def test_send_back_reopen_invalidate_reinstate(at_nation, nation, province):
    with pytest.raises(PolicyDenied):
        services.send_back(at_nation, by=nation, reason=" ")
    assert services.send_back(at_nation, by=nation, reason="请省级再核").state == State.SUBMITTED
    services.accept_submission(at_nation, by=province)
    services.accept_submission(at_nation, by=nation)
    with pytest.raises(PolicyDenied):
        services.invalidate(at_nation, by=nation, reason_code="because")
    with pytest.raises(PermissionDenied):
        services.invalidate(at_nation, by=province, reason_code="not_credible")
    assert services.invalidate(at_nation, by=nation, reason_code="not_credible").state == State.INVALIDATED
    assert services.reinstate(at_nation, by=nation, reason="申诉成立").state == State.NATIONAL_REVIEW
    services.accept_submission(at_nation, by=nation)
    with pytest.raises(PermissionDenied):
        services.reopen(at_nation, by=province, reason="x", due_at=SOON)
    assert services.reopen(at_nation, by=nation, reason="单位更正", due_at=SOON).state == State.RETURNED


def test_every_decision_leaves_an_event_and_an_audit_row(filed, province):
    services.raise_query(filed, by=province, text="请核实")
    services.return_submission(filed, by=province, reason="请核实", due_at=SOON)
    assert filed.events.filter(actor=province, action="return", reason="请核实").count() == 1
    rows = AuditEvent.objects.filter(subject_id=str(filed.pk), actor_id=province.pk)
    assert set(rows.values_list("action", flat=True)) >= {"review_query", "sheet_return"}


# Beginning of the review
def test_opening_on_the_own_desk_ends_recall(filed, province):
    filler = make_user(Role.RESPONDENT, unit=filed.unit)
    assert services.begin_review(filed, by=province) is True
    assert services.begin_review(filed, by=province) is False
    with pytest.raises(PolicyDenied):
        recall(filed, by=filler)


def test_reading_by_another_level_does_not_begin_the_review(filed, nation):
    assert services.begin_review(filed, by=nation) is False
    filed.refresh_from_db()
    assert filed.review_started_at is None
    assert recall(filed, by=make_user(Role.RESPONDENT, unit=filed.unit)).state == State.IN_PROGRESS
