"""Explaining, submitting, the frozen filing and its hash, returned sheets."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django.utils.translation import override

from survey.collection.models import CollectionRound
from survey.exceptions import PolicyDenied, StaleRevision
from survey.submissions.lifecycle import services
from survey.submissions.lifecycle.explaining.services import check_text
from survey.submissions.lifecycle.filing.selectors import (
    canonical_text,
    content_hash,
    is_intact,
    receipt_number,
)
from survey.submissions.lifecycle.states import Action, State
from survey.submissions.lifecycle.transitions import transition
from survey.submissions.models import Filing, Submission
from survey.submissions.selectors import previous_filing, sheet
from tests.factories import SIGNATORIES, complete_answers, make_sheet

GOOD = "新建两座数据中心于六月投入使用"


def submit(row, by, **options):
    arguments = {"signatories": SIGNATORIES, "shown_revision": row.revision} | options
    return services.submit(row, by=by, **arguments)


def save(row, by, **values):
    changes = {key: {"value": value} for key, value in values.items()}
    services.autosave(row, by=by, changes=changes, base_revision=row.revision)
    return Submission.objects.get(pk=row.pk)


def last_year(unit, state):
    """A sheet of the previous, closed round."""
    rounds = CollectionRound.objects.filter(year=2024)
    original = rounds.values("state", "opens_at", "due_at", "closes_at").get()
    now = timezone.now()
    rounds.update(
        state="open",
        opens_at=now - dt.timedelta(days=2),
        due_at=now + dt.timedelta(days=1),
        closes_at=now + dt.timedelta(days=1),
    )
    row = make_sheet(unit, state, year=2024)
    rounds.update(**original)
    return row


@pytest.fixture
def filled(world):
    return make_sheet(world.unit, State.IN_PROGRESS)


@pytest.fixture
def unusual(world):
    """A sheet whose storage is forty times last year's: at least one soft finding."""
    last = last_year(world.unit, State.ACCEPTED)
    answers = complete_answers(world.unit)
    row = make_sheet(world.unit, State.IN_PROGRESS, answers=answers)
    assert previous_filing(row).submission_id == last.pk
    for code in ("P01", "P02", "P03", "P04", "P05", "P06", "P07", "P08", "P09"):
        cell = row.answers.get(code)
        if cell and "value" in cell:
            row.answers[code] = {"value": str(int(float(cell["value"]) * 40) or 4000), "unit": "TB"}
            row.answers[code]["entered"] = row.answers[code]["value"]
    row.save()
    return row


def test_submission_freezes_a_filing(world, filled):
    filing = submit(filled, world.users["respondent"])
    row = Submission.objects.get(pk=filled.pk)
    assert row.state == State.SUBMITTED and row.filed_at == filing.filed_at
    assert filing.answers == sheet(row).effective
    assert "D02" in filing.answers and filing.signatories == SIGNATORIES
    assert is_intact(Filing.objects.get(pk=filing.pk))
    assert len(filing.content_hash) == 64 and receipt_number(filing).startswith("2025-SZ315-")


def test_hash_covers_every_answer(world, filled):
    filing = submit(filled, world.users["respondent"])
    text = canonical_text(filing)
    filing.answers["P10"] = {"value": "x"}
    assert content_hash(filing) != filing.content_hash
    assert canonical_text(filing) != text


def test_hard_finding_stops_submission(world, filled):
    row = save(filled, world.users["respondent"], P01="")
    with pytest.raises(PolicyDenied) as refusal:
        submit(row, world.users["respondent"])
    assert "1" in str(refusal.value.sentence)
    assert not Filing.objects.filter(submission=row).exists()


def test_submission_is_bound_to_the_shown_revision(world, filled):
    shown = filled.revision
    row = save(filled, world.users["respondent"], B09="191")
    assert row.revision == shown + 1
    with pytest.raises(StaleRevision):
        submit(row, world.users["respondent"], shown_revision=shown)
    assert Submission.objects.get(pk=row.pk).signatories == filled.signatories


def test_submission_requires_all_signatories(world, filled):
    with pytest.raises(PolicyDenied):
        submit(filled, world.users["respondent"], signatories=SIGNATORIES | {"phone": " "})
    with pytest.raises(PermissionDenied):
        submit(filled, world.users["outside_respondent"])


def test_soft_findings_must_be_explained_before_submission(world, unusual):
    by = world.users["respondent"]
    unexplained = sheet(unusual).unexplained
    assert unexplained
    with pytest.raises(PolicyDenied):
        submit(unusual, by)
    row = unusual
    for finding in unexplained:
        services.explain(
            row, by=by, edit=finding.edit, fingerprint=finding.fingerprint, reason_code=reason(), text=GOOD
        )
    row = Submission.objects.get(pk=row.pk)
    assert row.unexplained_count == 0
    filing = submit(row, by)
    assert {other["edit"] for other in filing.explanations} == {other.edit for other in unexplained}


def reason():
    from survey.submissions.lifecycle.policies import reason_codes

    return reason_codes("soft_edit_reasons")[0]


@pytest.mark.parametrize(
    "text", ["", "短", "核实无误，情况属实，核实无误", "checked and correct", "。。。。。。。。。。。。"]
)
def test_uninformative_explanations_are_refused(world, unusual, text):
    finding = sheet(unusual).unexplained[0]
    with pytest.raises(PolicyDenied):
        services.explain(
            unusual,
            by=world.users["respondent"],
            edit=finding.edit,
            fingerprint=finding.fingerprint,
            reason_code=reason(),
            text=text,
        )


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("zh-hans", "说明过短，请用至少 10 个字写明原因。"),
        ("en", "Please give the reason in at least 10 characters."),
        (None, "说明过短，请用至少 10 个字写明原因。"),  # no language: of the survey
    ],
)
def test_a_refused_explanation_is_worded_in_the_language_of_the_reader(language, sentence):
    with override(language), pytest.raises(PolicyDenied) as refused:
        check_text(reason(), "短")
    assert str(refused.value) == sentence


def test_an_explanation_has_at_most_two_thousand_characters():
    text = (GOOD * 200)[:2000]
    check_text(reason(), text)
    with override("en"), pytest.raises(PolicyDenied, match=r"Write at most 2000 characters\."):
        check_text(reason(), f"{text}心")


def test_explanation_expires_when_the_values_change(world, unusual):
    by = world.users["respondent"]
    finding = next(other for other in sheet(unusual).unexplained if "P01" in other.items)
    services.explain(
        unusual, by=by, edit=finding.edit, fingerprint=finding.fingerprint, reason_code=reason(), text=GOOD
    )
    row = Submission.objects.get(pk=unusual.pk)
    assert finding.edit not in {other.edit for other in sheet(row).unexplained}
    p01, p03 = (int(float(row.answers[code]["value"])) for code in ("P01", "P03"))
    row = save(row, by, P01=str(p01 + 1000), P03=str(p03 + 1000))
    assert finding.edit in {other.edit for other in sheet(row).unexplained}
    with pytest.raises(StaleRevision):
        services.explain(
            row, by=by, edit=finding.edit, fingerprint=finding.fingerprint, reason_code=reason(), text=GOOD
        )


def test_refused_explanation_does_not_count(world, unusual):
    by = world.users["respondent"]
    finding = sheet(unusual).unexplained[0]
    explanation = services.explain(
        unusual, by=by, edit=finding.edit, fingerprint=finding.fingerprint, reason_code=reason(), text=GOOD
    )
    explanation.verdict = "refused"
    explanation.save()
    assert finding.edit in {other.edit for other in sheet(Submission.objects.get(pk=unusual.pk)).unexplained}


def test_recall_and_second_filing(world, filled):
    by = world.users["respondent"]
    submit(filled, by)
    row = services.recall(filled, by=by)
    assert row.state == State.IN_PROGRESS
    second = submit(row, by)
    assert second.number == 2 and Filing.objects.filter(submission=row).count() == 2


def test_returned_sheet_requires_answers_to_comments(world, filled):
    by, desk = world.users["respondent"], world.users["provincial_administrator"]
    submit(filled, by)
    query = filled.queries.create(item="P01", text="请核实", raised_by=desk)
    row = transition(
        filled, Action.RETURN, by=desk, reason="请核实", due_at=timezone.now() + dt.timedelta(days=3)
    )
    with pytest.raises(PolicyDenied):
        submit(row, by)
    with pytest.raises(PolicyDenied):
        services.reply(row, by=by, query_id=query.pk, text=" ", corrected=False)
    with pytest.raises(PermissionDenied):
        services.reply(
            row, by=world.users["outside_respondent"], query_id=query.pk, text="好", corrected=True
        )
    answered = services.reply(row, by=by, query_id=query.pk, text="", corrected=True)
    assert (answered.state, answered.reply, answered.corrected) == ("answered", "", True)
    for language, answer in (("en", "Corrected."), ("zh-hans", "已更正。")):
        with override(language):
            assert answered.answer == answer
    assert submit(row, by).number == 2
    row = Submission.objects.get(pk=row.pk)
    assert row.return_reason == "" and row.return_due_at is None


def test_previous_answers_only_from_an_accepted_sheet(world):
    row = make_sheet(world.unit, State.IN_PROGRESS)
    assert sheet(row).previous is None
    last = last_year(world.unit, State.SUBMITTED)
    assert sheet(row).previous is None
    Submission.objects.filter(pk=last.pk).update(state=State.ACCEPTED)
    assert sheet(row).previous["P01"] == last.answers["P01"]


@pytest.mark.parametrize("category", [f"CAT{number:02}" for number in range(1, 15)])
def test_every_form_can_be_filled_and_filed(world, category):
    from tests.factories import make_unit, make_user

    unit = make_unit(category, "320000")
    by = make_user("respondent", unit=unit)
    row = make_sheet(unit, State.IN_PROGRESS)
    assert not sheet(row).hard
    for finding in sheet(row).unexplained:
        services.explain(
            row, by=by, edit=finding.edit, fingerprint=finding.fingerprint, reason_code=reason(), text=GOOD
        )
    row = Submission.objects.get(pk=row.pk)
    filing = submit(row, by)
    assert filing.submission.state in {State.SUBMITTED, State.NATIONAL_REVIEW}
