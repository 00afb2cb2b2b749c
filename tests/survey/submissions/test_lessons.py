"""Regression tests for failures of other collection systems; the names contain the public issue numbers."""

from typing import Any

import pytest
from django.urls import reverse

from survey.questionnaires.loader import load_questionnaire
from survey.submissions.invitations import services as invitations
from survey.submissions.lifecycle import services
from survey.submissions.lifecycle.states import State
from survey.submissions.models import Filing, Submission
from survey.submissions.selectors import sheet
from survey.submissions.workbook import services as importing
from survey.submissions.workbook.presentation import write_workbook
from survey.submissions.workbook.reading import LARGEST_FILE
from tests.factories import CATEGORIES, SIGNATORIES, complete_answers, make_sheet, make_unit, make_user


def fresh(row: Submission) -> Submission:
    return Submission.objects.get(pk=row.pk)


def plain(row: Submission, revision: int, **values: str) -> dict[str, Any]:
    """A form post of a few cells as a page sends it."""
    body: dict[str, Any] = {"revision": revision, "cell": list(values)}
    for key, value in values.items():
        body |= {f"{key}.value": value, f"{key}.unit": "TB"}
    return body


def test_enketo_1358_largest_table_is_accepted_as_form_and_workbook(client: Any, world: Any) -> None:
    """More than 60 repeats gave status 413 there. A full table of 32 x 32 is posted as a form and as a workbook."""
    category = next(code for code in CATEGORIES if "MO03" in load_questionnaire(code).items)
    unit = make_unit(category, "110000")
    person, row = make_user("respondent", unit=unit), make_sheet(unit, State.IN_PROGRESS)
    form = load_questionnaire(category)
    item = form.items["MO03"]
    assert item.rows is not None
    keys = {f"MO03/{line}/{column.code}": "1234567.891" for line in item.rows.ids for column in item.columns}
    assert len(keys) == 1024
    client.force_login(person)
    body: dict[str, Any] = {"revision": row.revision, "cell": list(keys)}
    for key, value in keys.items():
        body |= {f"{key}.value": value, f"{key}.unit": "", f"{key}.base": str(row.revision)}
    section = form.section_of("MO03").code
    answer = client.post(reverse("sheet_section", args=[row.pk, section]), body)
    assert answer.status_code == 302, answer.status_code
    stored = fresh(row).answers["MO03"]["rows"]
    assert sum(len(cells) for cells in stored.values()) == 1024
    data = write_workbook(sheet(fresh(row)), "zh-hans")
    assert len(data) < LARGEST_FILE
    assert importing.preview_workbook(fresh(row), by=person, data=data).is_empty


@pytest.mark.parametrize("channel", ["page", "autosave", "machine", "workbook", "guest"])
def test_open_mercato_2989_every_channel_detects_conflicts(client: Any, world: Any, channel: str) -> None:
    """A cell was changed after it was shown: no channel overwrites it."""
    row, by = make_sheet(world.unit, State.IN_PROGRESS), world.users["respondent"]
    seen = row.revision
    old_book = write_workbook(sheet(row), "zh-hans")
    colleague = make_user("respondent", unit=world.unit)
    services.autosave(row, by=colleague, changes={"P01": {"value": "77", "unit": "TB"}}, base_revision=seen)
    client.force_login(by)
    if channel in {"page", "autosave"}:
        name = "sheet_section" if channel == "page" else "sheet_save"
        headers = {} if channel == "page" else {"HX-Request": "true"}
        answer = client.post(reverse(name, args=[row.pk, "P"]), plain(row, seen, P01="99"), headers=headers)
        assert answer.status_code == 422 or answer.headers["Sheet-Refused"] == "P01"
    elif channel == "machine":
        answer = client.patch(
            f"/api/v1/sheets/{row.pk}/answers/",
            {"answers": {"P01": {"value": "99", "unit": "TB"}}},
            headers={"If-Match": f'"{seen}"'},
            content_type="application/json",
        )
        assert answer.status_code == 409
    elif channel == "workbook":
        preview = importing.preview_workbook(fresh(row), by=by, data=old_book)
        assert preview.is_empty  # the file has the earlier value, so the cell counts as unchanged
    else:
        invitation, _secret = invitations.invite(
            fresh(row), by=by, name="同事", email="c@example.org", sections=["P"], days=3
        )
        result = invitations.save_as_guest(
            invitation, changes={"P01": {"value": "99", "unit": "TB"}}, base_revision=seen, bases={}
        )
        assert set(result.conflicts) == {"P01"}
    assert fresh(row).answers["P01"]["value"] == "77"


def test_surveysolutions_3256_comment_on_an_irrelevant_item_is_still_shown(client: Any, world: Any) -> None:
    """There the counter was one and no comment was shown. The item becomes irrelevant after the return."""
    row = make_sheet(world.unit, State.SUBMITTED)
    desk, by = world.users["provincial_administrator"], world.users["respondent"]
    query = row.queries.create(item="K02", text="请核实算力规模", raised_by=desk)
    services.transition(
        fresh(row),
        services.Action.RETURN,
        by=desk,
        reason="请核实算力规模的口径",
        due_at=row.round.closes_at,
    )
    row = fresh(row)
    services.autosave(row, by=by, changes={"K01": {"value": "false"}}, base_revision=row.revision)
    assert "K02" not in sheet(fresh(row)).relevant
    client.force_login(by)
    hub = client.get(reverse("sheet_hub", args=[row.pk])).content.decode()
    assert "请核实算力规模" in hub and f"reply-{query.pk}" in hub
    services.reply(fresh(row), by=by, query_id=query.pk, text="已无自建算力中心", corrected=True)
    query.refresh_from_db()
    assert query.state == "answered"


def test_eq_survey_runner_973_saving_on_the_last_page_does_not_submit(client: Any, world: Any) -> None:
    """ "Save and complete later" submitted there. Every button of a section only saves."""
    row = make_sheet(world.unit, State.IN_PROGRESS)
    client.force_login(world.users["respondent"])
    last = sheet(row).sections[-1][0].code
    for go in ("stay", "hub", "next"):
        body = {"revision": fresh(row).revision, "go": go, **SIGNATORIES, "statement": "on"}
        assert client.post(reverse("sheet_section", args=[row.pk, last]), body).status_code == 302
    assert fresh(row).state == State.IN_PROGRESS and not Filing.objects.filter(submission=row).exists()


@pytest.mark.parametrize("category", CATEGORIES)
def test_kpi_2174_what_was_saved_loads_again(world: Any, category: str) -> None:
    """Drafts with repeats did not load there. Saved answers equal loaded ones for every form, tables included."""
    unit = make_unit(category, "110000")
    by, row = make_user("respondent", unit=unit), make_sheet(unit)
    answers = complete_answers(unit, seed=3)
    form = sheet(row).definition
    typed = {
        k: cell for k, cell in answers.items() if not form.items[k].computed and not form.items[k].read_only
    }
    result = services.autosave(row, by=by, changes=typed, base_revision=0, canonical=True)
    assert not result.errors
    loaded = sheet(fresh(row)).answers
    assert {code: loaded.get(code) for code in typed} == typed


def test_surveyjs_9750_progress_is_read_from_the_sheet_and_not_from_a_token(client: Any, world: Any) -> None:
    """There the position was lost with the browser. Another browser offers the first incomplete section."""
    row = make_sheet(world.unit, State.IN_PROGRESS, answers={})
    client.force_login(make_user("respondent", unit=world.unit))
    page = client.get(reverse("sheet_hub", args=[row.pk]))
    following = page.context["next_section"]
    assert following is not None
    assert reverse("sheet_section", args=[row.pk, following.code]) in page.content.decode()
