"""Traces of rules and times of sections, and the page that shows rates to designers."""

import datetime as dt

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from survey.collection.models import CollectionRound
from survey.submissions.lifecycle import services
from survey.submissions.lifecycle.states import State
from survey.submissions.models import Explanation, FindingTrace, SectionTime, Submission, SubmissionEvent
from survey.submissions.paradata import selectors as rule_rates
from survey.submissions.paradata.timing import seconds_by_section
from survey.submissions.selectors import sheet
from tests.factories import SIGNATORIES, make_sheet, make_unit

START = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
SECTIONS = {"P01": "P", "P02": "P", "S01": "S"}


def save(row, by, **values):
    changes = {key: {"value": value} for key, value in values.items()}
    services.autosave(row, by=by, changes=changes, base_revision=row.revision)
    return Submission.objects.get(pk=row.pk)


def fired_edits(row):
    """Codes of the current findings, without blank required cells."""
    return {finding.edit for finding in sheet(row).findings if not finding.edit.startswith("REQ-")}


def open_traces(row):
    return set(FindingTrace.objects.filter(submission=row, cleared_at=None).values_list("edit", flat=True))


@pytest.fixture
def row(world):
    return make_sheet(world.unit, State.IN_PROGRESS)


def test_traces_follow_the_findings(world, row):
    by = world.users["respondent"]
    before = row.answers["P02"]["value"]
    row = save(row, by, P02="999999999")  # a part that is larger than its total
    first = fired_edits(row)
    broken = {row_.edit for row_ in sheet(row).hard}
    assert broken and open_traces(row) == first
    trace_ = FindingTrace.objects.get(submission=row, edit=min(broken))
    assert (trace_.category, trace_.round_id, trace_.severity) == (world.unit.category, row.round_id, "hard")
    row = save(row, by, P02=before)
    cleared = first - fired_edits(row)
    assert broken <= cleared and open_traces(row) == fired_edits(row)
    assert all(row_.cleared_at for row_ in FindingTrace.objects.filter(submission=row, edit__in=cleared))


def test_recurring_finding_reuses_its_trace(world, row):
    by = world.users["respondent"]
    before = row.answers["P02"]["value"]
    row = save(row, by, P02="999999999")
    edit = min(finding.edit for finding in sheet(row).hard)
    row = save(row, by, P02=before)
    row = save(row, by, P02="999999999")
    row = save(row, by, P10="1")  # the finding persists, so nothing is counted
    trace_ = FindingTrace.objects.get(submission=row, edit=edit)
    assert (trace_.times, trace_.cleared_at) == (2, None)


def test_the_count_of_a_trace_stops_at_the_largest_number_of_its_column(world, row):
    by = world.users["respondent"]
    before = row.answers["P02"]["value"]
    row = save(row, by, P02="999999999")
    edit = min(finding.edit for finding in sheet(row).hard)
    traces = FindingTrace.objects.filter(submission=row, edit=edit)
    for stored, expected in ((32_766, 32_767), (32_767, 32_767)):
        row = save(row, by, P02=before)
        traces.update(times=stored)
        row = save(row, by, P02="999999999")
        assert (traces.get().times, traces.get().cleared_at) == (expected, None)


def test_blank_required_cells_are_not_traced(world):
    empty = make_sheet(world.unit)
    services.start_sheet(empty, by=world.users["respondent"])
    assert [edit for edit in open_traces(empty) if edit.startswith("REQ-")] == []


def test_tracing_adds_a_single_statement_to_autosave(world, row):
    row = save(row, world.users["respondent"], P01="5")
    with CaptureQueriesContext(connection) as captured:
        save(row, world.users["respondent"], P01="6")
    assert sum("survey_findingtrace" in query["sql"] for query in captured) == 1


def test_pauses_and_unknown_items_are_excluded_from_times():
    def at(*seconds):
        return [START + dt.timedelta(seconds=offset) for offset in seconds]

    moments = at(0, 30, 90, 4000, 4040, 4050)
    items = ["P01", "P02", "S01", "S01", "P01", "gone"]
    spent = seconds_by_section(zip(moments, items, strict=True), SECTIONS)
    assert spent == {"P": 70, "S": 60, "": 130}
    assert seconds_by_section([(START, "P01")], SECTIONS) == {}


def event(row, item, seconds, channel="page"):
    SubmissionEvent.objects.create(
        submission=row, kind="value", item=item, channel=channel, at=START + dt.timedelta(seconds=seconds)
    )


def file(row, by):
    services.submit(row, by=by, signatories=SIGNATORIES, shown_revision=row.revision)


def test_filing_works_out_times(world, row):
    for item, seconds in (("P01", 0), ("P02", 60), ("S01", 180)):
        event(row, item, seconds)
    event(row, "S02", 200, channel="excel")
    file(row, world.users["respondent"])
    times = dict(SectionTime.objects.filter(submission=row).values_list("section", "seconds"))
    assert times == {"P": 60, "S": 120, "": 180}


def test_generated_sheet_has_no_times(world, row):
    file(row, world.users["respondent"])
    assert not SectionTime.objects.exists()


def trace(row, edit, severity="soft", cleared=False):
    now = timezone.now()
    FindingTrace.objects.create(
        submission=row,
        round_id=row.round_id,
        category=row.unit.category,
        edit=edit,
        severity=severity,
        first_shown=now,
        cleared_at=now if cleared else None,
    )


def reason(row, edit, verdict=""):
    Explanation.objects.create(
        submission=row, edit=edit, fingerprint="x", reason_code="other", text="y", verdict=verdict
    )


@pytest.fixture
def three(world, row):
    """Three sheets of one category and one of another, with traces and reasons of two rules."""
    rows = [row, *(make_sheet(make_unit("CAT12"), State.IN_PROGRESS) for _ in range(2))]
    other = make_sheet(make_unit("CAT07"), State.IN_PROGRESS)
    forms = rule_rates.definitions_of([row.assignment.version_id]).values()
    hard, soft = (
        next(edit.code for form in forms for edit in form.edits if edit.severity == severity)
        for severity in ("hard", "soft")
    )
    trace(rows[0], soft)
    trace(rows[1], soft, cleared=True)
    trace(rows[2], hard, "hard")
    trace(other, soft)
    reason(rows[0], soft, "refused")
    reason(other, soft, "accepted")
    return hard, soft


def read(world, category=""):
    round_ = CollectionRound.objects.get(year=2025)
    user = world.users["designer"]
    begun = rule_rates.begun_by_form(user, round_, category)
    rates, never_fired = rule_rates.rates(user, round_, category, begun, rule_rates.definitions_of(begun))
    return {rate.edit: rate for rate in rates}, never_fired


def test_rates_by_rule(world, three):
    hard, soft = three
    rates, never_fired = read(world, "CAT12")
    rate = rates[soft]
    assert (rate.applicable, rate.fired, rate.changed, rate.explained, rate.refused) == (3, 2, 1, 1, 1)
    assert (rate.share, rate.changed_share, rate.stops) == (pytest.approx(2 / 3), 0.5, 0)
    assert rates[hard].stops == 1 and rates[hard].message is not None
    assert never_fired and not {rate_.edit for rate_ in never_fired} & set(rates)
    everywhere, _never_fired = read(world)
    assert (everywhere[soft].fired, everywhere[soft].accepted) == (3, 1)


def test_rates_are_ordered(three, world):
    hard, soft = three
    rates = list(read(world, "CAT12")[0].values())
    assert [rate.edit for rate in rule_rates.ordered(rates, "share")] == [soft, hard]
    assert [rate.edit for rate in rule_rates.ordered(rates, "stops")] == [hard, soft]
    assert [rate.edit for rate in rule_rates.ordered(rates, "edit")] == sorted([hard, soft])


def test_median_times(world, row):
    for seconds in (60, 120, 600):
        own = make_sheet(make_unit("CAT12"), State.IN_PROGRESS)
        for section in ("P", ""):
            SectionTime.objects.create(
                submission=own, round_id=own.round_id, category="CAT12", section=section, seconds=seconds
            )
    round_, user = CollectionRound.objects.get(year=2025), world.users["designer"]
    (form,) = rule_rates.form_times(user, round_)
    assert (form.code, form.sheets, form.minutes) == ("CAT12", 3, 2.0)
    forms = rule_rates.definitions_of([row.assignment.version_id])
    assert [
        (times.code, times.median) for times in rule_rates.section_times(user, round_, "CAT12", forms)
    ] == [
        ("P", 120.0),
        ("", 120.0),
    ]


def test_page_shows_rates_and_no_unit(world, three, client, row):
    client.force_login(world.users["designer"])
    for query in ("", "?category=CAT12&order=stops", "?year=2024&order=nonsense&category=x"):
        answer = client.get(f"/rules/{query}")
        assert answer.status_code == 200
        html = answer.content.decode()
        assert row.unit.name not in html and row.unit.uscc not in html
        assert (three[1] in html) is ("2024" not in query)


def test_page_before_any_round(world, client, monkeypatch):
    monkeypatch.setattr(rule_rates, "rounds_begun", list)
    client.force_login(world.users["designer"])
    assert client.get("/rules/").status_code == 200


def test_the_hub_says_what_the_form_took_others(client, world):
    row = make_sheet(world.unit, State.IN_PROGRESS)
    times = [
        SectionTime(
            submission=row, round=row.round, category=world.unit.category, section=section, seconds=seconds
        )
        for section, seconds in (("P", 600), ("", 3600))
    ]
    client.force_login(world.users["respondent"])
    SectionTime.objects.bulk_create(times)
    assert rule_rates.usual_minutes(world.unit.category, row.round.year) == {}  # of one form nothing is shown
    cache.clear()
    others = [make_sheet(make_unit(world.unit.category), State.SUBMITTED) for _number in range(9)]
    SectionTime.objects.filter(submission__in=others).delete()
    SectionTime.objects.bulk_create(
        SectionTime(
            submission=other, round=row.round, category=world.unit.category, section=section, seconds=seconds
        )
        for other in others
        for section, seconds in (("P", 300), ("", 2400))
    )
    assert rule_rates.usual_minutes(world.unit.category, row.round.year) == {"P": 5, "": 40}
    page = client.get(reverse("sheet_hub", args=[row.pk])).content.decode()
    assert "40" in page and "hub-minutes" in page
