"""The transition table against the function: every state, action and role."""

import datetime as dt
import itertools
from io import StringIO

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.utils import timezone

from survey.audit import AuditEvent
from survey.exceptions import PolicyDenied, StaleRevision
from survey.submissions.lifecycle import services, transitions
from survey.submissions.lifecycle.states import OWNERS, TRANSITIONS, Action, Owner, State
from survey.submissions.lifecycle.transitions import reaches, transition
from survey.submissions.models import Attachment, Submission, SubmissionEvent
from tests.factories import SIGNATORIES, complete_answers, make_assignment, make_sheet, make_user

ACTORS = {
    Owner.RESPONDENT: {"respondent"},
    Owner.PROVINCE: {"provincial_administrator", "reviewer"},
    Owner.NATION: {"reviewer"},
}
EVERYBODY = (
    "respondent",
    "outside_respondent",
    "provincial_administrator",
    "outside_administrator",
    "reviewer",
    "designer",
    "methodologist",
    "publisher",
    "system_administrator",
)


def put(sheet: Submission, state: State) -> Submission:
    """Set a state directly, with the fields that the constraints require."""
    Submission.objects.filter(pk=sheet.pk).update(
        state=state,
        filed_at=timezone.now(),
        exempt_reason="closed",
        invalid_reason="not_credible",
        signatories=SIGNATORIES,
        review_started_at=None,
    )
    return Submission.objects.get(pk=sheet.pk)


def attempt(sheet: Submission, action: Action, by):
    """The outcome of an action: 'moved', 'policy' or 'forbidden'."""
    code = "not_credible" if action is Action.INVALIDATE else "closed"
    try:
        transition(
            sheet,
            action,
            by=by,
            reason="请核实",
            reason_code=code,
            shown_revision=sheet.revision,
            due_at=timezone.now() + dt.timedelta(days=5),
        )
    except PermissionDenied:
        return "forbidden"
    except (PolicyDenied, StaleRevision):
        return "policy"
    return "moved"


def test_every_state_has_an_owner_and_a_transition():
    assert set(OWNERS) == set(State)
    assert {origin for origin, _action in TRANSITIONS} == set(State)


@pytest.mark.parametrize("state", list(State))
def test_transition_table_by_actor(world, state):
    """Only the actors of the table have permission; without an entry the state does not change."""
    world.sheet.answers = complete_answers(world.unit)
    world.sheet.save()
    for action, who in itertools.product(Action, EVERYBODY):
        sheet = put(world.sheet, state)
        outcome = attempt(sheet, action, world.users[who])
        now = Submission.objects.get(pk=sheet.pk).state
        entry = TRANSITIONS.get((state, action))
        if entry is None:
            assert outcome in {"forbidden", "policy"} and now == state, (action, who)
        elif who not in ACTORS[entry.level]:
            assert outcome == "forbidden" and now == state, (action, who)
        elif {"reviewed_by_nation", "accepted_with_others"} & set(entry.policies):
            # The unit's category is reviewed by its province; no bulk acceptance exists.
            assert outcome == "policy" and now == state, (action, who)
        else:
            assert outcome == "moved" and now == entry.target, (action, who)


def test_move_writes_event_and_audit_together(world):
    sheet = make_sheet(world.unit, State.SUBMITTED)
    by = world.users["provincial_administrator"]
    transition(sheet, Action.RETURN, by=by, reason="核实单位", due_at=timezone.now() + dt.timedelta(days=3))
    event = SubmissionEvent.objects.filter(submission=sheet, kind="state").latest("id")
    assert (event.old, event.new, event.actor, event.reason) == ("submitted", "returned", by, "核实单位")
    audit = AuditEvent.objects.filter(action="sheet_return").latest("id")
    assert audit.actor_id == by.pk and audit.subject_id == str(sheet.pk)
    sheet.refresh_from_db()
    assert sheet.return_reason == "核实单位" and sheet.return_due_at


def test_an_action_does_not_fail_when_it_cannot_be_counted(
    world, monkeypatch, django_capture_on_commit_callbacks
):
    """It is committed already: an error would ask the user to do it again."""

    def fail(*_counted):
        raise OSError("no space for the file of the counters")

    monkeypatch.setattr(transitions, "count_actions", fail)
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        moved = transition(world.sheet, Action.SAVE, by=world.users["respondent"])
    assert callbacks and moved.state == State.IN_PROGRESS


def test_national_category_goes_straight_to_the_nation(world):
    sheet = make_sheet(world.national, State.IN_PROGRESS)
    by = world.users["national_respondent"]
    with pytest.raises(PolicyDenied):
        transition(sheet, Action.SUBMIT, by=by, shown_revision=sheet.revision)
    moved = transition(sheet, Action.SUBMIT_NATIONAL, by=by, shown_revision=sheet.revision)
    assert moved.state == State.NATIONAL_REVIEW
    assert services.recall(moved, by=by).state == State.IN_PROGRESS


def test_provincial_desk_does_not_reach_the_national_level(world):
    sheet = make_sheet(world.bureau, State.NATIONAL_REVIEW)
    with pytest.raises(PermissionDenied):
        transition(sheet, Action.ACCEPT_FINALLY, by=world.users["provincial_administrator"])


def test_nobody_decides_on_a_sheet_that_they_fill(world):
    sheet = make_sheet(world.unit, State.SUBMITTED)
    by = world.users["provincial_administrator"]
    by.assignments.create(role="respondent", region_id="320000", unit=world.unit)
    by = type(by).objects.get(pk=by.pk)
    with pytest.raises(PolicyDenied):
        transition(sheet, Action.ACCEPT, by=by)


def test_category_grant_is_limited_to_its_category(world):
    narrow = make_user("provincial_administrator", "320000")
    narrow.assignments.update(category="CAT03")
    sheet = make_sheet(world.unit, State.SUBMITTED)
    from survey.access.roles import Permission

    assert not reaches(sheet, Permission.REVIEW, Owner.PROVINCE, narrow)


def test_open_comment_stops_acceptance(world):
    sheet = make_sheet(world.unit, State.SUBMITTED)
    query = sheet.queries.create(item="P01", text="是否为PB？")
    by = world.users["provincial_administrator"]
    with pytest.raises(PolicyDenied):
        transition(sheet, Action.ACCEPT, by=by)
    query.state = "closed"
    query.save()
    assert transition(sheet, Action.ACCEPT, by=by).state == State.NATIONAL_REVIEW


def test_recall_only_until_review_begins(world):
    sheet = make_sheet(world.unit, State.SUBMITTED)
    Submission.objects.filter(pk=sheet.pk).update(review_started_at=timezone.now())
    assert services.refusals(Submission.objects.get(pk=sheet.pk), Action.RECALL, world.users["respondent"])
    with pytest.raises(PolicyDenied):
        services.recall(sheet, by=world.users["respondent"])


def test_return_needs_reason_and_future_date(world):
    sheet = make_sheet(world.unit, State.SUBMITTED)
    by = world.users["provincial_administrator"]
    soon = timezone.now() + dt.timedelta(days=1)
    for arguments in (
        {"reason": " ", "due_at": soon},
        {"reason": "核实", "due_at": None},
        {"reason": "核实", "due_at": timezone.now() - dt.timedelta(minutes=1)},
    ):
        with pytest.raises(PolicyDenied):
            transition(sheet, Action.RETURN, by=by, **arguments)


def test_reason_codes_come_from_the_lists(world):
    sheet = make_sheet(world.unit, State.SUBMITTED)
    with pytest.raises(PolicyDenied):
        transition(sheet, Action.INVALIDATE, by=world.users["reviewer"], reason_code="made_up")
    moved = transition(sheet, Action.INVALIDATE, by=world.users["reviewer"], reason_code="not_credible")
    assert moved.invalid_reason == "not_credible"
    back = transition(moved, Action.REINSTATE, by=world.users["reviewer"], reason="补充材料可信")
    assert back.state == State.NATIONAL_REVIEW and back.invalid_reason == ""


def test_a_reason_with_evidence_counts_only_with_a_document(world):
    sheet = make_sheet(world.unit)
    with pytest.raises(PolicyDenied, match=r"evidence|证明"):
        transition(sheet, Action.EXEMPT, by=None, reason_code="other")
    Attachment.objects.create(
        submission=sheet,
        purpose=Attachment.Purpose.DESK,
        name="proof.pdf",
        kind="pdf",
        size=1,
        sha256="0" * 64,
        path="proof.pdf",
        uploaded_by=world.users["reviewer"],
    )
    assert transition(sheet, Action.EXEMPT, by=None, reason_code="other").state == State.EXEMPTED


def test_the_first_move_writes_what_the_register_knows_once(world):
    sheet = services.create_sheet(make_assignment(world.unit))
    assert sheet == services.create_sheet(sheet.assignment) and sheet.answers == {}
    begun = transition(sheet, Action.SAVE, by=None)
    prefilled = SubmissionEvent.objects.filter(submission=begun, action="prefill")
    assert {event.item for event in prefilled} == set(begun.answers) != set()
    begun.answers = {}
    begun.save()
    assert transition(begun, Action.SAVE, by=None).answers == {}


def test_returned_sheet_stays_open_until_its_own_date(world):
    from survey.collection.models import CollectionRound

    sheet = make_sheet(world.unit, State.RETURNED)
    now = timezone.now()
    CollectionRound.objects.filter(year=2025).update(
        due_at=now - dt.timedelta(days=3), closes_at=now - dt.timedelta(days=2)
    )
    assert services.can(Submission.objects.get(pk=sheet.pk), Action.SAVE, world.users["respondent"])


def test_diagram_names_every_state():
    out = StringIO()
    call_command("print_states", "--dot", stdout=out)
    assert all(state.value in out.getvalue() for state in State)
    out = StringIO()
    call_command("print_states", stdout=out)
    assert len(out.getvalue().splitlines()) == len(TRANSITIONS) + 1
