"""Bulk acceptance equals single acceptances, and accepts only sheets that the preview counted."""

import pytest

from survey import audit
from survey.access.models import RoleAssignment
from survey.access.roles import Role
from survey.audit import AuditEvent
from survey.exceptions import PolicyDenied, StaleRevision
from survey.microdata.models import Observation
from survey.review import services
from survey.review.bulk import services as bulk
from survey.review.bulk.models import BulkAcceptance
from survey.review.filters import QueueFilter
from survey.submissions.lifecycle.states import State
from survey.submissions.models import Submission, SubmissionEvent
from tests.factories import make_sheet, make_unit

pytestmark = pytest.mark.django_db
CAT12 = QueueFilter(category="CAT12")


def _sheets(count: int, state: State) -> list[Submission]:
    return [make_sheet(make_unit("CAT12", "320000"), state) for _ in range(count)]


def _written(sheets: list[Submission]) -> list[dict]:
    """Everything that an acceptance writes about each sheet, without ids, names and moments."""
    result = []
    for old in sheets:
        sheet = Submission.objects.get(pk=old.pk)
        event = SubmissionEvent.objects.filter(submission=sheet).latest("pk")
        trace = AuditEvent.objects.filter(subject_type="submission", subject_id=str(sheet.pk)).latest("pk")
        details = {key: value for key, value in trace.details.items() if key not in {"reason", "unit"}}
        seen = Observation.objects.filter(filing__submission=sheet).values(
            "layout",
            "round",
            "category",
            "region",
            "section",
            "size_class",
            "collected",
            "values_hash",
            "is_head_platform",
            "is_pilot_space",
            "edited",
            "imputed",
            "reasons",
        )
        result.append(
            {
                "state": sheet.state,
                "revision": sheet.revision,
                "decided": sheet.decided_at is not None,
                "begun": sheet.review_started_at == sheet.decided_at,
                "updated": sheet.updated_at == event.at,
                "own_unit": trace.details["unit"] == sheet.unit.uscc,
                "counts": (sheet.hard_count, sheet.soft_count, sheet.unexplained_count),
                "event": (
                    event.actor_id,
                    event.kind,
                    event.action,
                    event.item,
                    event.old,
                    event.new,
                    event.revision,
                    event.channel,
                ),
                "audit": (
                    trace.actor_id,
                    trace.actor_name,
                    trace.action,
                    trace.region_path,
                    trace.succeeded,
                    trace.address,
                    details,
                ),
                "observations": [repr(row | {"reasons": bytes(row["reasons"])}) for row in seen],
            }
        )
    return result


@pytest.mark.parametrize("state", [State.SUBMITTED, State.NATIONAL_REVIEW])
def test_transition_many_equals_transition_row_by_row(world, province, nation, state):
    user = province if state is State.SUBMITTED else nation
    single, many = _sheets(2, state), _sheets(2, state)
    for sheet in single:
        services.accept_submission(sheet, by=user)
    shown = bulk.preview(user, many[0].round, CAT12)
    assert shown.expected == 2
    bulk.bulk_accept(by=user, round=many[0].round, setting=CAT12, expected=2, mark=shown.mark)
    assert _written(many) == _written(single)


def test_bulk_refuses_when_the_count_changed(province):
    sheets = _sheets(2, State.SUBMITTED)
    shown = bulk.preview(province, sheets[0].round, CAT12)
    _sheets(1, State.SUBMITTED)
    with pytest.raises(StaleRevision):
        bulk.bulk_accept(by=province, round=shown.round, setting=CAT12, expected=shown.expected)
    assert set(Submission.objects.filter(pk__in=[s.pk for s in sheets]).values_list("state", flat=True)) == {
        State.SUBMITTED
    }
    assert not BulkAcceptance.objects.exists()


def test_bulk_refuses_other_sheets_of_the_same_count(province):
    first, _second = _sheets(2, State.SUBMITTED)
    shown = bulk.preview(province, first.round, CAT12)
    services.accept_submission(first, by=province)
    _sheets(1, State.SUBMITTED)
    with pytest.raises(StaleRevision):
        bulk.bulk_accept(
            by=province, round=shown.round, setting=CAT12, expected=shown.expected, mark=shown.mark
        )


def test_bulk_skips_open_comments_refused_reasons_and_own_sheets(province):
    plain, commented, refused, own = _sheets(4, State.SUBMITTED)
    services.raise_query(commented, by=province, text="请核实")
    Submission.objects.filter(pk=refused.pk).update(unexplained_count=1)
    RoleAssignment.objects.create(user=province, role=Role.RESPONDENT, region_id="320000", unit=own.unit)
    province.__dict__.pop("_grants", None)
    shown = bulk.preview(province, plain.round, CAT12)
    assert (shown.matched, shown.expected) == (4, 1)
    assert sorted(count for _sentence, count in shown.excluded) == [1, 1, 1]
    assert shown.by_category == {"CAT12": 1} and shown.by_region == {"320000": 1}
    act = bulk.bulk_accept(by=province, round=plain.round, setting=CAT12, expected=1, mark=shown.mark)
    assert (act.accepted, act.skipped) == (1, 3)
    states = {
        s.pk: s.state for s in Submission.objects.filter(pk__in=[plain.pk, commented.pk, refused.pk, own.pk])
    }
    assert states.pop(plain.pk) == State.NATIONAL_REVIEW
    assert set(states.values()) == {State.SUBMITTED}
    assert AuditEvent.objects.filter(action="bulk_accept", subject_id=str(act.pk)).count() == 1


def test_bulk_stays_in_scope_and_on_the_own_desk(world, province, nation):
    (inside,) = _sheets(1, State.SUBMITTED)
    make_sheet(make_unit("CAT12", "330000"), State.SUBMITTED)
    assert bulk.preview(province, inside.round, QueueFilter()).matched == 1
    for setting in (
        QueueFilter(state="national_review"),
        QueueFilter(state="filed"),
        QueueFilter(state="all"),
    ):
        with pytest.raises(PolicyDenied):
            bulk.preview(province, inside.round, setting)
    with pytest.raises(PolicyDenied):  # the nation cannot bulk accept sheets in provincial review
        bulk.preview(nation, inside.round, QueueFilter(state="submitted"))
    with pytest.raises(PolicyDenied):
        bulk.preview(world.users["methodologist"], inside.round, QueueFilter())


def test_every_audit_row_of_a_bulk_keeps_the_network_address(world, province):
    sheets = _sheets(2, State.SUBMITTED)
    latest = AuditEvent.objects.latest("pk").pk
    with audit.address("192.0.2.7"):
        bulk.bulk_accept(by=province, round=sheets[0].round, setting=CAT12, expected=2)
    rows = AuditEvent.objects.filter(pk__gt=latest)
    assert list(rows.values_list("address", flat=True)) == ["192.0.2.7"] * 3
