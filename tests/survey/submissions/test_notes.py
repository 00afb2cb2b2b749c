"""Remarks at items: saved like cells, one per author, read by the reviewer, and not part of a filing."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.utils.html import escape

from survey.exceptions import PolicyDenied
from survey.submissions.lifecycle import services
from survey.submissions.lifecycle.states import State
from survey.submissions.models import ItemNote, SubmissionEvent
from survey.submissions.selectors import latest_filing
from tests.factories import make_sheet, make_unit, make_user

REMARK = "口径含新并入的分公司 <script>alert(1)</script>"


@pytest.fixture
def row(world: Any) -> Any:
    return make_sheet(world.unit, State.IN_PROGRESS)


def test_remark_is_stored_changed_and_deleted_with_events(world: Any, row: Any) -> None:
    by = world.users["respondent"]
    assert services.note_items(row, by=by, notes={"P01": f" {REMARK}\n", "NO9": "x"}) == 1
    assert services.note_items(row, by=by, notes={"P01": REMARK}) == 0  # nothing new, nothing written
    assert ItemNote.objects.get().text == REMARK
    services.note_items(row, by=by, notes={"P01": ""})
    assert not ItemNote.objects.exists()
    events = SubmissionEvent.objects.filter(action="note").order_by("pk").values_list("item", "old", "new")
    assert list(events) == [("P01", None, {"text": REMARK}), ("P01", {"text": REMARK}, {"text": ""})]


def test_a_remark_has_at_most_five_hundred_characters(world: Any, row: Any) -> None:
    services.note_items(row, by=world.users["respondent"], notes={"P01": "注" * 501})
    assert ItemNote.objects.get().text == "注" * 500


def test_each_author_has_a_separate_remark(world: Any, row: Any) -> None:
    colleague = make_user("respondent", unit=world.unit)
    services.note_items(row, by=world.users["respondent"], notes={"P01": REMARK})
    services.note_items(row, by=colleague, notes={"P01": "另有说明"})
    assert sorted(ItemNote.objects.values_list("text", flat=True)) == sorted([REMARK, "另有说明"])


def test_remarks_require_permission_and_an_editable_sheet(world: Any, row: Any) -> None:
    with pytest.raises(PermissionDenied):
        services.note_items(row, by=world.users["outside_respondent"], notes={"P01": REMARK})
    filed = make_sheet(make_unit("CAT12", "320000"), State.SUBMITTED)
    person = make_user("respondent", unit=filed.unit)
    with pytest.raises(PolicyDenied):
        services.note_items(filed, by=person, notes={"P01": REMARK})


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_section_page_saves_remarks_with_and_without_script(
    world: Any, row: Any, client: Any, headers: Any
) -> None:
    client.force_login(world.users["respondent"])
    address = f"/sheets/{row.pk}/sections/P/"
    body = {"revision": row.revision, "cell": ["note.P01"], "note.P01": REMARK, "note.P01.base": "0"}
    answer = client.post(f"{address}save/" if headers else address, body, headers=headers)
    assert answer.status_code == (200 if headers else 302)
    assert not headers or answer["Sheet-Refused"] == ""
    html = client.get(address).content.decode()
    assert f">{escape(REMARK)}</textarea>" in html


def test_reviewer_sees_the_remark_and_the_filing_excludes_it(world: Any, row: Any, client: Any) -> None:
    services.note_items(row, by=world.users["respondent"], notes={"P01": REMARK})
    row.refresh_from_db()
    filing = services.submit(
        row, by=world.users["respondent"], signatories=row.signatories, shown_revision=row.revision
    )
    assert REMARK not in str(filing.answers) and latest_filing(row) == filing
    client.force_login(world.users["provincial_administrator"])
    html = client.get(f"/review/{row.pk}/").content.decode()
    start = html.index('id="item-P01"')
    assert escape(REMARK) in html[start : html.index('id="item-P02"')] and REMARK not in html
    client.force_login(world.users["respondent"])
    page = client.get(f"/sheets/{row.pk}/sections/P/").content.decode()
    assert (
        escape(REMARK) in page and REMARK not in page and 'name="note.P01"' not in page
    )  # read, no longer written


def test_an_entry_that_came_too_late_becomes_a_remark_of_a_filed_sheet(client: Any, world: Any) -> None:
    filed = make_sheet(make_unit("CAT12", "320000"), State.SUBMITTED)
    person = make_user("respondent", unit=filed.unit)
    client.force_login(person)
    address = f"/sheets/{filed.pk}/leftovers/"
    for key, text in (("P01", "90 PB"), ("note.P02", "口径说明"), ("P01", "91 PB")):
        assert client.post(address, {"key": key, "text": text}).status_code == 201
    texts = dict(ItemNote.objects.values_list("item", "text"))
    assert "90 PB" in texts["P01"] and "91 PB" in texts["P01"] and "口径说明" in texts["P02"]
    assert SubmissionEvent.objects.filter(action="note").count() == 3


def test_a_late_entry_is_refused_without_a_text_an_item_or_the_right(client: Any, world: Any) -> None:
    filed = make_sheet(make_unit("CAT12", "320000"), State.SUBMITTED)
    person = make_user("respondent", unit=filed.unit)
    for item, text in (("P01", " "), ("NO9", "x"), ("P01", "长" * 600)):
        with pytest.raises(PolicyDenied):
            services.note_leftover(filed, by=person, item=item, text=text)
    with pytest.raises(PermissionDenied):
        services.note_leftover(filed, by=world.users["outside_respondent"], item="P01", text="1")
    client.force_login(person)
    other = {"key": "P01", "text": "1", "as": str(person.pk + 1)}
    assert client.post(f"/sheets/{filed.pk}/leftovers/", other).status_code == 409
    assert not ItemNote.objects.exists()
