"""Rounds and units: dispositions, extensions, exemptions, scope."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from survey.audit import AuditEvent
from survey.collection import services
from survey.collection.models import Assignment, CollectionRound
from survey.exceptions import PolicyDenied
from survey.submissions.lifecycle.states import State
from survey.submissions.models import Submission


@pytest.fixture
def desk(client, world):
    client.force_login(world.users["provincial_administrator"])
    return client


def assignment(world):
    return Assignment.objects.get(unit=world.unit, round__year=2025)


def test_unit_list_shows_the_province_and_filters(desk, world):
    page = desk.get(reverse("unit_list")).content.decode()
    assert world.unit.name in page and world.outside.name not in page and world.national.name not in page
    answer = desk.get(reverse("unit_list"), {"query": world.unit.uscc[:10], "state": "not_started"})
    assert world.unit.name in answer.content.decode()
    none = desk.get(reverse("unit_list"), {"state": "accepted", "year": "abc", "page": "x"})
    assert none.status_code == 200 and world.unit.name not in none.content.decode()


def test_unit_outside_the_scope_answers_404(desk, world):
    outside = Assignment.objects.get(unit=world.outside)
    for name in ("unit_disposition", "unit_extend", "unit_exempt", "unit_code"):
        assert desk.post(reverse(name, args=[outside.pk])).status_code == 404
    assert desk.get(reverse("unit_detail", args=[outside.pk])).status_code == 404


def test_disposition_is_recorded_with_reason_and_actor(desk, world):
    row = assignment(world)
    url = reverse("unit_disposition", args=[row.pk])
    assert desk.post(url, {"disposition": "closed", "reason": ""}).status_code == 422
    assert desk.post(url, {"disposition": "moon", "reason": "注销登记"}).status_code == 422
    closed = {"disposition": "closed", "reason": "已于三月注销登记"}
    assert desk.post(url, closed).status_code == 422
    assert desk.post(url, {**closed, "evidence": "市监局注销通知书"}).status_code == 302
    row.refresh_from_db()
    assert row.disposition == "closed" and row.disposition_by == world.users["provincial_administrator"]
    assert AuditEvent.objects.filter(action="assignment_disposition", subject_id=str(row.pk)).exists()


def test_extension_must_end_after_the_deadline(desk, world):
    row = assignment(world)
    url = reverse("unit_extend", args=[row.pk])
    early = (timezone.localdate() + dt.timedelta(days=1)).isoformat()
    late = (row.round.due_at + dt.timedelta(days=9)).date().isoformat()
    assert desk.post(url, {"until": early, "reason": "系统迁移"}).status_code == 422
    assert desk.post(url, {"until": "x", "reason": "系统迁移中"}).status_code == 422
    assert desk.post(url, {"until": late, "reason": "核心系统迁移"}).status_code == 302
    row.refresh_from_db()
    assert timezone.localdate(row.extended_until).isoformat() == late


def test_exemption_and_its_revocation(desk, world):
    row = assignment(world)
    url = reverse("unit_exempt", args=[row.pk])
    desk.post(url, {"reason_code": "made_up"})
    assert Submission.objects.get(assignment=row).state == State.NOT_STARTED
    desk.post(url, {"reason_code": "merged"})
    assert Submission.objects.get(assignment=row).state == State.EXEMPTED
    desk.post(url)
    assert Submission.objects.get(assignment=row).state == State.NOT_STARTED


def test_new_activation_code_is_shown_once(desk, world):
    row = assignment(world)
    page = desk.post(reverse("unit_code", args=[row.pk])).content.decode()
    code = world.unit.activation_codes.get()
    assert code.code_hash not in page and page.count("-") > 3
    assert desk.get(reverse("unit_detail", args=[row.pk])).status_code == 200


def test_pages_of_rounds(client, world):
    client.force_login(world.users["designer"])
    assert client.get(reverse("rounds")).status_code == 200
    assert client.get(reverse("round_detail", args=[2025])).status_code == 200
    assert client.get(reverse("round_detail", args=[1999])).status_code == 404


def test_only_designers_open_and_close_rounds(client, world):
    client.force_login(world.users["provincial_administrator"])
    assert client.post(reverse("round_state", args=[2025]), {"to": "closed"}).status_code == 404
    client.force_login(world.users["designer"])
    client.post(reverse("round_state", args=[2025]), {"to": "closed"})
    row = CollectionRound.objects.get(year=2025)
    assert row.state == "closed"
    with pytest.raises(PolicyDenied):
        services.open_round(row, by=world.users["designer"])
    with pytest.raises(PermissionDenied):
        services.close_round(row, by=world.users["respondent"])


def test_assigning_a_unit_again_returns_its_assignment(world):
    row = assignment(world)
    assert services.assign(world.unit, row.round, by=world.users["designer"]) == row
    with pytest.raises(PermissionDenied):
        services.assign(world.unit, row.round, by=world.users["respondent"])


def test_questionnaire_pages(client, world):
    client.force_login(world.users["designer"])
    assert client.get(reverse("questionnaires")).status_code == 200
    version = assignment(world).version
    page = client.get(reverse("questionnaire_detail", args=[version.pk])).content.decode()
    assert version.content_hash in page and "P01-H1" in page


def test_dispositions_that_remove_a_unit_require_evidence(world):
    by = world.users["provincial_administrator"]
    assignment = world.sheet.assignment
    with pytest.raises(PolicyDenied):
        services.record_disposition(assignment, by=by, disposition="closed", reason="已注销登记")
    row = services.record_disposition(
        assignment,
        by=by,
        disposition="closed",
        reason="已注销登记",
        evidence="市监局注销通知 2026-18，存处档案室",
    )
    assert (row.disposition, row.disposition_evidence) == ("closed", "市监局注销通知 2026-18，存处档案室")
    refused = services.record_disposition(assignment, by=by, disposition="refused", reason="三次上门均拒绝")
    assert (refused.disposition, refused.disposition_evidence) == ("refused", "")


def test_an_extension_stores_reason_and_approver(world):
    by = world.users["provincial_administrator"]
    until = timezone.now() + dt.timedelta(days=90)
    row = services.extend(world.sheet.assignment, by=by, until=until, reason="机房搬迁需要时间")
    row.refresh_from_db()
    assert (row.extended_until, row.extension_reason, row.extended_by) == (until, "机房搬迁需要时间", by)
