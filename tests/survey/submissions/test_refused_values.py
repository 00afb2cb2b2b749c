"""What was typed and could not be read: kept as typed, shown with its reason, and in the way of a filing."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from survey.exceptions import PolicyDenied
from survey.submissions.lifecycle import services
from survey.submissions.lifecycle.states import State
from survey.submissions.models import Submission
from survey.submissions.page.presentation import RowBuilder
from survey.submissions.selectors import sheet
from tests.factories import SIGNATORIES, make_sheet

TYPED = "90 PB 左右"


@pytest.fixture
def row(world):
    return make_sheet(world.unit, State.IN_PROGRESS)


@pytest.fixture
def browser(client: Client, world):
    client.force_login(world.users["respondent"])
    return client


def save(row, world, discard=(), **values):
    row.refresh_from_db()
    raw = {key: value if isinstance(value, dict) else {"value": value} for key, value in values.items()}
    return services.autosave(
        row, by=world.users["respondent"], changes=raw, base_revision=row.revision, discard=discard
    )


def submit(row, world):
    row = Submission.objects.get(pk=row.pk)
    return services.submit(
        row, by=world.users["respondent"], signatories=SIGNATORIES, shown_revision=row.revision
    )


def test_a_refused_value_is_kept_as_typed_and_stops_the_filing(row, world):
    before = Submission.objects.get(pk=row.pk)
    result = save(row, world, P07=TYPED)
    after = Submission.objects.get(pk=row.pk)
    assert not result.is_clean and after.answers == before.answers
    assert after.refused["P07"]["text"] == TYPED
    assert after.hard_count == before.hard_count + 1
    finding = sheet(after).hard[0]
    assert (finding.edit, finding.items) == ("REF-P07", ("P07",))
    assert TYPED in finding.message.zh and TYPED in finding.message.en
    with pytest.raises(PolicyDenied):
        submit(row, world)
    assert Submission.objects.get(pk=row.pk).state == State.IN_PROGRESS


@pytest.mark.parametrize("value", ["3", "", {"value": "", "missing": "unknown"}])
def test_a_value_a_blank_or_a_reason_settles_it(row, world, value):
    save(row, world, P07=TYPED)
    save(row, world, P07=value)
    row = Submission.objects.get(pk=row.pk)
    assert row.refused == {} and not sheet(row).refused


def test_the_same_value_as_stored_settles_it_without_a_new_revision(row, world):
    value = Submission.objects.get(pk=row.pk).answers["P07"]
    save(row, world, P07=TYPED)
    revision = Submission.objects.get(pk=row.pk).revision
    save(row, world, P07={"value": value["entered"], "unit": value["unit"]})
    row = Submission.objects.get(pk=row.pk)
    assert row.refused == {} and row.revision == revision


def test_discarding_keeps_what_was_stored_before(row, world):
    before = Submission.objects.get(pk=row.pk).answers["P07"]
    save(row, world, P07=TYPED)
    save(row, world, discard=["P07"], P07=TYPED)
    row = Submission.objects.get(pk=row.pk)
    assert row.refused == {} and row.answers["P07"] == before
    assert submit(row, world)


def test_a_cell_of_a_table_is_kept_under_its_own_key(row, world):
    table = next(item for item in sheet(row).definition.items.values() if item.type == "table")
    column = next(column for column in table.columns if column.type in ("quantity", "money", "count"))
    row_id = table.rows.ids[0] if table.rows.ids else "r1"
    key = f"{table.code}/{row_id}/{column.code}"
    save(row, world, **{key: {"value": "12 34"}})
    assert Submission.objects.get(pk=row.pk).refused[key]["text"] == "12 34"
    save(row, world, **{key: {"value": "12"}})
    assert Submission.objects.get(pk=row.pk).refused == {}


def test_a_machine_is_answered_and_keeps_its_text_itself(row, world):
    services.autosave(
        row,
        by=world.users["respondent"],
        changes={"P07": {"value": "x"}},
        base_revision=row.revision,
        canonical=True,
    )
    assert Submission.objects.get(pk=row.pk).refused == {}


def test_what_stands_below_a_refused_value_belongs_to_it(row, world):
    save(row, world, P07={"value": "3", "unit": "PB"})
    save(row, world, P07={"value": TYPED, "unit": "PB"})
    with override("zh-hans"):
        shown = RowBuilder(sheet(Submission.objects.get(pk=row.pk))).row("P07")
    assert (shown.field.text, shown.field.refused) == (TYPED, True)
    assert shown.field.error and shown.field.shown
    assert (shown.read_back, shown.suggestions, shown.findings) == ("", [], [])


@pytest.mark.parametrize("name", ["sheet_hub", "sheet_findings", "sheet_summary"])
def test_hub_findings_and_summary_show_it_with_both_ways_out(browser, row, world, name):
    save(row, world, P07=TYPED)
    page = browser.get(reverse(name, args=[row.pk])).content.decode()
    assert TYPED in page and f'href="{reverse("sheet_section", args=[row.pk, "P"])}#cell-P07"' in page
    answer = browser.post(reverse("sheet_discard", args=[row.pk]), {"discard": "P07", "origin": name})
    assert answer.url == reverse(name, args=[row.pk])
    assert Submission.objects.get(pk=row.pk).refused == {}


def test_the_section_shows_the_text_again_until_it_is_settled(browser, row, world):
    address = reverse("sheet_section", args=[row.pk, "P"])
    post = {"revision": row.revision, "cell": "P07", "P07.value": TYPED, "P07.unit": "TB"}
    assert browser.post(address, post).status_code == 422
    page = browser.get(address).content.decode()
    assert f'value="{TYPED}"' in page and re.search(r'name="discard"\s+value="P07"', page)
    answer = browser.post(address, post | {"discard": "P07"})
    assert answer.url == f"{address}#row-P07"
    assert TYPED not in browser.get(address).content.decode()


def test_an_item_that_no_longer_applies_stops_nothing(row, world):
    save(row, world, K01="true")
    save(row, world, K02="ten or so")
    assert any(finding.edit == "REF-K02" for finding in sheet(Submission.objects.get(pk=row.pk)).hard)
    save(row, world, K01="false")
    assert all(finding.edit != "REF-K02" for finding in sheet(Submission.objects.get(pk=row.pk)).hard)


def test_a_unit_in_the_text_that_contradicts_the_chosen_one_is_refused(row, world):
    save(row, world, P07={"value": "84", "unit": "TB"})
    result = save(row, world, P07={"value": "84 PB", "unit": "GB"})
    assert result.errors["P07"].code == "two_units"
