"""Autosave: merging, conflicts, prefill, wrong input, closed rounds."""

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from survey.collection.models import Assignment, CollectionRound, Disposition
from survey.exceptions import PolicyDenied
from survey.submissions.lifecycle import services
from survey.submissions.lifecycle.saving.services import recount
from survey.submissions.lifecycle.states import State
from survey.submissions.models import SubmissionEvent
from survey.submissions.selectors import sheet
from tests.factories import make_user

FULL_WIDTH = "".join(chr(ord(char) + 0xFEE0) for char in "3200")


def save(world, changes, base=None, by=None, **options):
    """Autosave as the respondent, on the stored revision by default."""
    world.sheet.refresh_from_db()
    raw = {key: value if isinstance(value, dict) else {"value": value} for key, value in changes.items()}
    return services.autosave(
        world.sheet,
        by=by or world.users["respondent"],
        changes=raw,
        base_revision=world.sheet.revision if base is None else base,
        **options,
    )


def stored(world):
    world.sheet.refresh_from_db()
    return world.sheet


def test_first_touch_writes_register_and_moves_state(world):
    result = services.start_sheet(world.sheet, by=world.users["respondent"])
    row = stored(world)
    assert row.state == State.IN_PROGRESS
    assert row.answers["B01"] == {"value": world.unit.uscc}
    assert row.answers["B02"] == {"value": world.unit.name}
    assert row.answers["B04"] == {"value": world.unit.division_code}
    assert result.revision == 1 and row.hard_count > 10
    again = services.start_sheet(world.sheet, by=world.users["respondent"])
    assert again.revision == 1


def test_unstarted_sheet_shows_register_without_storing(world):
    assert sheet(world.sheet).cell("B01") == {"value": world.unit.uscc}
    assert stored(world).answers == {}


def test_quantity_is_stored_exactly_with_its_unit(world):
    result = save(world, {"P01": {"value": "3.2", "unit": "PB"}})
    assert result.cells["P01"] == {"value": "3276.8", "entered": "3.2", "unit": "PB"}
    event = SubmissionEvent.objects.get(submission=world.sheet, item="P01")
    assert (event.old, event.new["value"], event.actor) == (None, "3276.8", world.users["respondent"])
    assert stored(world).item_revisions["P01"] == result.revision


def test_different_cells_merge(world):
    save(world, {"P01": "1"})
    base = stored(world).revision
    colleague = make_user("respondent", unit=world.unit)
    save(world, {"P02": "2"}, base=base, by=colleague)
    second = save(world, {"P03": "3"}, base=base)
    assert second.is_clean and "P02" in second.elsewhere
    answers = stored(world).answers
    assert [answers[code]["value"] for code in ("P01", "P02", "P03")] == ["1", "2", "3"]


def test_same_cell_conflicts_and_keeps_theirs(world):
    save(world, {"P01": "1"})
    base = stored(world).revision
    colleague = make_user("respondent", unit=world.unit, username="colleague")
    save(world, {"P01": "5"}, base=base, by=colleague)
    late = save(world, {"P01": "7", "P02": "2"}, base=base)
    conflict = late.conflicts["P01"]
    assert (conflict.mine["value"], conflict.theirs["value"], conflict.base["value"]) == ("7", "5", "1")
    assert conflict.by == str(colleague)
    assert stored(world).answers["P01"]["value"] == "5"
    assert stored(world).answers["P02"]["value"] == "2"


def test_late_copy_of_an_untouched_cell_is_no_conflict(world):
    save(world, {"P01": "1"})
    base = stored(world).revision
    save(world, {"P01": "5"}, base=base)
    late = save(world, {"P01": "1", "P02": "2"}, base=base)
    assert late.is_clean
    assert stored(world).answers["P01"]["value"] == "5"


def test_same_value_twice_is_no_conflict_and_no_event(world):
    save(world, {"P01": "1"})
    before = stored(world).revision
    result = save(world, {"P01": "1"}, base=0)
    assert result.is_clean and result.revision == before


def test_base_revision_of_a_cell_overrides_the_page(world):
    save(world, {"P01": "1"})
    old = stored(world).revision
    save(world, {"P01": "5"})
    now = stored(world).revision
    assert save(world, {"P01": "9"}, base=now, bases={"P01": old}).conflicts
    assert save(world, {"P01": "9"}, base=old, bases={"P01": now}).is_clean


def test_table_cells_merge_and_conflict_separately(world):
    definition = sheet(world.sheet).definition
    item = definition.items["F10"]
    first, second = item.rows.ids[:2]
    column = item.columns[0].code
    first_key, second_key = f"F10/{first}/{column}", f"F10/{second}/{column}"
    save(world, {first_key: "1"})
    base = stored(world).revision
    save(world, {second_key: "2"}, base=base)
    late = save(world, {first_key: "3"}, base=base)
    assert late.is_clean
    rows = stored(world).answers["F10"]["rows"]
    assert rows[first][column]["value"] == "3" and rows[second][column]["value"] == "2"
    assert save(world, {second_key: "8"}, base=base).conflicts.keys() == {second_key}


def test_complete_table_is_compared_cell_by_cell(world):
    item = sheet(world.sheet).definition.items["F10"]
    first, second = item.rows.ids[:2]
    column = item.columns[0].code
    table = {"rows": {first: {column: {"value": "4"}}, second: {column: {"value": "5"}}}}
    result = save(world, {"F10": table}, canonical=True)
    assert set(result.saved) == {f"F10/{first}/{column}", f"F10/{second}/{column}"}
    smaller = {"rows": {first: {column: {"value": "4"}}}}
    save(world, {"F10": smaller}, canonical=True)
    assert set(stored(world).answers["F10"]["rows"]) == {first}


def test_blank_removes_and_missing_replaces(world):
    save(world, {"P01": "1"})
    save(world, {"P01": {"value": "", "missing": "unknown"}})
    assert stored(world).answers["P01"] == {"missing": "unknown"}
    save(world, {"P01": ""})
    assert "P01" not in stored(world).answers


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("abc", "not_a_number"),
        ("-3", "negative"),
        ("1" + "0" * 30, "too_large"),
        ("<script>alert(1)</script>", "not_a_number"),
        ("1e400", "not_a_number"),
        ("NaN", "not_a_number"),
    ],
)
def test_wrong_numbers_are_refused_with_a_sentence(world, text, code):
    result = save(world, {"P01": text, "P02": "2"})
    assert result.errors["P01"].code == code
    assert result.errors["P01"].message("zh-hans") and result.errors["P01"].message("en")
    answers = stored(world).answers
    assert "P01" not in answers and answers["P02"]["value"] == "2"


def test_full_width_digits_are_understood(world):
    assert save(world, {"P01": FULL_WIDTH}).cells["P01"]["value"] == "3200"


def test_unknown_item_and_column_are_reported(world):
    result = save(world, {"NOPE": "1", "F10/x/y": "1", "P01/a/b": "1"})
    assert set(result.errors) == {"NOPE", "F10/x/y", "P01/a/b"}


def test_read_only_and_computed_items_are_not_saved(world):
    services.start_sheet(world.sheet, by=world.users["respondent"])
    save(world, {"B01": "123", "D02": "99"})
    answers = stored(world).answers
    assert answers["B01"]["value"] == world.unit.uscc and "D02" not in answers


def test_irrelevant_answers_are_parked_and_restored(world):
    save(world, {"K01": "true", "K02": "10"})
    off = save(world, {"K01": "false"})
    assert "K02" in off.disappeared and "K02" not in off.sheet.effective
    assert stored(world).answers["K02"]["value"] == "10"
    back = save(world, {"K01": "true"})
    assert "K02" in back.appeared and back.sheet.effective["K02"]["value"] == "10"


def test_counts_follow_the_answers(world):
    services.start_sheet(world.sheet, by=world.users["respondent"])
    before = stored(world).hard_count
    save(world, {"P01": "0"})
    assert stored(world).hard_count == before - 1
    assert stored(world).hard_count == len(sheet(world.sheet).hard)


def test_counts_stop_at_the_largest_number_of_their_columns(world):
    many: Any = SimpleNamespace(hard=range(32_768), soft=range(40_000), unexplained=range(99_999))
    recount(world.sheet, many)
    world.sheet.save()
    row = stored(world)
    assert (row.hard_count, row.soft_count, row.unexplained_count) == (32_767, 32_767, 32_767)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"state": CollectionRound.State.CLOSED}, "2025"),
        ({"opens_at": timezone.now() + dt.timedelta(days=1)}, "2025"),
    ],
)
def test_round_that_is_not_open_refuses(world, change, word):
    CollectionRound.objects.filter(year=2025).update(**change)
    with pytest.raises(PolicyDenied) as refusal:
        save(world, {"P01": "1"})
    assert word in str(refusal.value.sentence)
    assert stored(world).answers == {}


def test_period_that_has_ended_refuses_unless_extended(world):
    now = timezone.now()
    CollectionRound.objects.filter(year=2025).update(
        due_at=now - dt.timedelta(days=3), closes_at=now - dt.timedelta(days=2)
    )
    with pytest.raises(PolicyDenied):
        save(world, {"P01": "1"})
    Assignment.objects.filter(unit=world.unit).update(extended_until=now + dt.timedelta(days=2))
    assert save(world, {"P01": "1"}).is_clean


def test_unit_out_of_scope_refuses(world):
    Assignment.objects.filter(unit=world.unit).update(disposition=Disposition.CLOSED)
    with pytest.raises(PolicyDenied):
        save(world, {"P01": "1"})


@pytest.mark.parametrize("who", ["outside_respondent", "provincial_administrator", "reviewer", "designer"])
def test_nobody_else_may_save(world, who):
    with pytest.raises(PermissionDenied):
        save(world, {"P01": "1"}, by=world.users[who])
    assert stored(world).revision == 0


def test_event_records_the_typed_text(world):
    save(world, {"P01": {"value": "３，２００ TB", "unit": "TB"}})
    event = SubmissionEvent.objects.get(submission=world.sheet, item="P01")
    assert event.new["typed"] == "３，２００ TB" and event.new["value"] == "3200"
    assert "typed" not in stored(world).answers["P01"]
    save(world, {"P02": {"value": "5", "unit": "TB"}})
    assert "typed" not in SubmissionEvent.objects.get(submission=world.sheet, item="P02").new


def test_pasted_spaces_and_tabs_are_no_part_of_a_number(world):
    result = save(
        world, {"P01": {"value": " \t3 200\u00a0\t", "unit": "TB"}, "P02": {"value": "1,024.5\tPB"}}
    )
    assert result.cells["P01"]["value"] == "3200"
    assert result.cells["P02"] == {"value": "1049088", "entered": "1024.5", "unit": "PB"}
