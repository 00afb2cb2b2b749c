"""Accepting a sheet accepts its explanations, singly or in bulk, and an undo withdraws both."""

from typing import Any

import pytest

from survey.audit import AuditEvent
from survey.exceptions import PolicyDenied, StaleRevision
from survey.review import services
from survey.review.bulk import services as bulk
from survey.review.bulk.models import BulkAcceptance
from survey.review.bulk.undo import services as undo
from survey.review.filters import QueueFilter
from survey.submissions.lifecycle.states import Action, State
from survey.submissions.lifecycle.transitions import transition
from survey.submissions.models import Explanation, Submission, SubmissionEvent
from survey.submissions.selectors import sheet
from tests.factories import make_sheet, make_unit
from tests.survey.review.conftest import last_year

pytestmark = pytest.mark.django_db
CAT12 = QueueFilter(category="CAT12")


def filed_with_reason() -> Submission:
    """A filed and explained sheet whose value is a hundred times last year's."""
    row = make_sheet(make_unit("CAT12", "320000"), State.IN_PROGRESS)
    last = last_year(row.unit)
    small = format(float(row.answers["S02"]["value"]) / 100 + 0.01, ".4f")
    last.filings.update(answers={**last.answers, "S02": {"value": small}})
    for finding in sheet(Submission.objects.get(pk=row.pk)).soft:
        Explanation.objects.create(
            submission=row,
            edit=finding.edit,
            fingerprint=finding.fingerprint,
            reason_code="other",
            text="新的数据中心在三月投入使用",
        )
    row = Submission.objects.get(pk=row.pk)
    return transition(row, Action.SUBMIT, by=None, shown_revision=row.revision)


def written(row: Submission) -> list[tuple[Any, ...]]:
    """Verdicts of a sheet with their events and audit rows, without ids and moments."""
    events = SubmissionEvent.objects.filter(submission=row).order_by("pk")
    trail = AuditEvent.objects.filter(subject_id=str(row.pk), action="review_verdict").order_by("pk")
    return [
        *row.explanations.order_by("edit").values_list("edit", "verdict", "verdict_by"),
        *((e.kind, e.action, e.item, e.new, e.revision, e.channel) for e in events if e.action == "verdict"),
        *((a.actor_name, a.region_path, a.details["item"], a.details["channel"]) for a in trail),
    ]


def test_acceptance_accepts_the_unjudged_reasons(province: Any) -> None:
    row = filed_with_reason()
    count = row.explanations.count()
    assert count
    services.accept_submission(row, by=province, shown_reasons=count)
    assert Submission.objects.get(pk=row.pk).state == State.NATIONAL_REVIEW
    reasons = list(row.explanations.all())
    assert {(reason.verdict, reason.verdict_by) for reason in reasons} == {("accepted", province)}
    assert all(reason.verdict_at for reason in reasons)
    actions = list(
        SubmissionEvent.objects.filter(submission=row).order_by("pk").values_list("action", flat=True)
    )
    assert actions[-count - 1 :] == ["verdict"] * count + ["accept"]


def test_single_and_bulk_acceptance_write_the_same(province: Any) -> None:
    single, many = filed_with_reason(), filed_with_reason()
    services.accept_submission(single, by=province)
    seen = bulk.preview(province, many.round, CAT12)
    assert (seen.expected, seen.reasons) == (1, many.explanations.count())
    bulk.bulk_accept(by=province, round=many.round, setting=CAT12, expected=1, mark=seen.mark)
    assert written(many) == written(single) != []
    assert AuditEvent.objects.get(action="bulk_accept").details["reasons"] == seen.reasons


def test_refused_reason_prevents_acceptance_and_stores_no_verdict(province: Any) -> None:
    row = filed_with_reason()
    edit = row.explanations.latest("pk").edit
    services.judge_explanation(row, by=province, edit=edit, verdict="refused")
    with pytest.raises(PolicyDenied):
        services.accept_submission(row, by=province)
    assert not row.explanations.filter(verdict="accepted").exists()
    assert bulk.preview(province, row.round, CAT12).reasons == 0


def test_acceptance_is_refused_when_reasons_were_judged_meanwhile(province: Any) -> None:
    row = filed_with_reason()
    shown = row.explanations.count()
    for reason in row.explanations.all():
        services.judge_explanation(row, by=province, edit=reason.edit, verdict="accepted")
    with pytest.raises(StaleRevision):
        services.accept_submission(row, by=province, shown_reasons=shown)
    assert Submission.objects.get(pk=row.pk).state == State.SUBMITTED


def test_undo_withdraws_only_the_verdicts_of_the_bulk_acceptance(province: Any) -> None:
    row, other = filed_with_reason(), filed_with_reason()
    judged = other.explanations.earliest("pk")
    services.judge_explanation(other, by=province, edit=judged.edit, verdict="accepted")
    act = bulk.bulk_accept(by=province, round=row.round, setting=CAT12, expected=2)
    undo.undo_acceptance(act, by=province, reason="选错了筛选条件")
    assert set(row.explanations.values_list("verdict", "verdict_by", "verdict_at")) == {("", None, None)}
    assert Explanation.objects.get(pk=judged.pk).verdict == "accepted"
    event = SubmissionEvent.objects.filter(submission=row, action="verdict").latest("pk")
    assert event.new == {"before": "accepted", "verdict": ""}


def test_page_names_the_reasons_before_it_accepts_them(province: Any, client: Any) -> None:
    row = filed_with_reason()
    count = row.explanations.count()
    client.force_login(province)
    client.cookies["django_language"] = "en"
    page = client.get(f"/review/{row.pk}/").content.decode()
    assert f'name="shown_reasons" value="{count}"' in page
    assert page.count("新的数据中心在三月投入使用") > count
    assert "reasons nobody has judged" in client.get("/review/bulk/?category=CAT12").content.decode()
    client.post(f"/review/{row.pk}/accept/", {"shown_filing": "1", "shown_reasons": str(count + 1)})
    assert Submission.objects.get(pk=row.pk).state == State.SUBMITTED
    client.post(f"/review/{row.pk}/accept/", {"shown_filing": "1", "shown_reasons": str(count)})
    assert Submission.objects.get(pk=row.pk).state == State.NATIONAL_REVIEW


def test_api_undoes_a_bulk_acceptance_once(province: Any, nation: Any, client: Any) -> None:
    filed_with_reason()
    client.force_login(province)
    seen = client.get("/api/v1/review/bulk/?category=CAT12").json()
    assert seen["reasons"] >= 1
    body = {"filter": {"category": "CAT12"}, "expected": seen["expected"], "mark": seen["mark"]}
    act = client.post("/api/v1/review/bulk/", body, content_type="application/json").json()["act"]
    url = f"/api/v1/review/bulk/{act}/undo/"
    assert client.get(url).json()["reversible"] == 1
    first = client.post(url, {"reason": "筛选有误"}, content_type="application/json")
    again = client.post(url, {"reason": "筛选有误"}, content_type="application/json")
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert (first.json()["undone"], BulkAcceptance.objects.get(pk=act).undo_reason) == (1, "筛选有误")
    assert AuditEvent.objects.filter(action="bulk_undo").count() == 1
    assert client.post(url, {}, content_type="application/json").status_code == 400
    client.force_login(nation)
    assert client.post(url, {"reason": "重复"}, content_type="application/json").status_code == 409


def test_reasons_page_lists_the_reasons_in_scope(province: Any, nation: Any, client: Any) -> None:
    row = filed_with_reason()
    outside = make_sheet(make_unit("CAT12", "330000"), State.SUBMITTED)
    Explanation.objects.create(
        submission=outside, edit="P01-S1", fingerprint="x", reason_code="other", text="浙江单位的说明"
    )
    edit = row.explanations.latest("pk").edit
    client.force_login(province)
    client.cookies["django_language"] = "en"
    page = client.get("/review/reasons/").content.decode()
    assert f"/review/{row.pk}/#finding-{edit}" in page
    assert "浙江单位的说明" not in page
    services.judge_explanation(row, by=province, edit=edit, verdict="refused")
    refused = client.get("/review/reasons/", {"verdict": "refused", "rule": edit}).content.decode()
    assert f"/review/{row.pk}/#finding-{edit}" in refused
    none = client.get("/review/reasons/", {"verdict": "refused", "category": "CAT01"}).content.decode()
    assert "No reason of this kind" in none
    client.force_login(nation)
    assert "浙江单位的说明" in client.get("/review/reasons/", {"verdict": "all"}).content.decode()
