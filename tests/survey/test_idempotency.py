"""Keys of requests: what is repeated, what may be sent again, and how long keys are kept."""

import datetime as dt
import json
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from survey.collection.models import ContactNote
from survey.idempotency import services
from survey.idempotency.models import IdempotencyKey
from survey.idempotency.services import FIELD, HEADER
from survey.submissions.lifecycle.states import State
from survey.submissions.models import Attachment
from tests.factories import make_sheet, make_user

NOTE = {"channel": "telephone", "direction": "out", "outcome": "promised", "text": "下周一前报送"}


@pytest.fixture
def browser(world: Any) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(make_user("provincial_administrator", "320000"))
    return client


def note(browser: Client, world: Any, key: str = "", **changes: str) -> Any:
    """Send the form of a note."""
    url = reverse("unit_note", args=[world.sheet.assignment_id])
    return browser.post(url, {**NOTE, **changes} | ({FIELD: key} if key else {}))


def api_note(browser: Client, world: Any, key: str | None, **changes: str) -> Any:
    """The same by the interface for machines."""
    url = reverse("api_unit_notes", args=[world.sheet.assignment_id])
    headers = {} if key is None else {HEADER: key}
    return browser.post(
        url, json.dumps({**NOTE, **changes}), content_type="application/json", headers=headers
    )


def test_other_content_under_the_key_of_a_form_is_another_request(browser: Client, world: Any) -> None:
    key = uuid4().hex
    for text in ("甲方回电", "甲方回电", "乙方回电"):
        assert note(browser, world, key, text=text).status_code == 302
    assert sorted(ContactNote.objects.values_list("text", flat=True)) == ["乙方回电", "甲方回电"]


def test_a_header_repeats_the_first_response_and_refuses_other_content(browser: Client, world: Any) -> None:
    first, again = api_note(browser, world, '"a-key"'), api_note(browser, world, "a-key")
    assert (first.status_code, first.content) == (201, again.content) and again.status_code == 201
    other = api_note(browser, world, "a-key", text="另一内容")
    assert (other.status_code, other.headers["Content-Type"]) == (422, "application/problem+json")
    assert api_note(browser, world, "").status_code == 400
    assert api_note(browser, world, "x" * 201).status_code == 400
    assert ContactNote.objects.count() == 1
    assert api_note(browser, world, None).status_code == 201  # without a key each request counts
    assert ContactNote.objects.count() == 2


def test_keys_of_two_users_are_apart(browser: Client, world: Any) -> None:
    other = Client()
    other.force_login(make_user("provincial_administrator", "320000"))
    key = uuid4().hex
    assert {note(client, world, key).status_code for client in (browser, other)} == {302}
    assert ContactNote.objects.count() == 2


def test_a_refused_request_may_be_sent_again(browser: Client, world: Any) -> None:
    key = uuid4().hex
    assert api_note(browser, world, key, channel="none").status_code == 400
    assert not IdempotencyKey.objects.exists()
    assert api_note(browser, world, key).status_code == 201


def test_a_request_that_failed_leaves_neither_key_nor_rows(
    committed_world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, key, browser = committed_world, uuid4().hex, Client(raise_request_exception=False)
    browser.force_login(make_user("provincial_administrator", "320000"))

    def lost(*args: Any) -> None:
        raise OperationalError("the connection is lost")

    with monkeypatch.context() as patch:
        patch.setattr(services, "keep", lost)
        assert note(browser, world, key).status_code == 503
    assert not IdempotencyKey.objects.exists() and not ContactNote.objects.exists()
    assert note(browser, world, key).status_code == 302
    assert ContactNote.objects.count() == 1


def test_a_file_is_stored_once(world: Any, settings: Any, tmp_path: Any) -> None:
    settings.ATTACHMENT_ROOT = str(tmp_path)
    client, row, key = Client(), make_sheet(world.unit, State.IN_PROGRESS), uuid4().hex
    client.force_login(world.users["respondent"])
    for content in (b"one", b"one", b"two"):
        file = SimpleUploadedFile("contract.txt", content)
        client.post(reverse("sheet_evidence", args=[row.pk]), {"file": file, FIELD: key})
    assert Attachment.objects.count() == 2
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 2


def test_a_page_that_is_shown_once_is_stored_encrypted(world: Any) -> None:
    client, row, key = Client(), make_sheet(world.unit, State.IN_PROGRESS), uuid4().hex
    client.force_login(world.users["respondent"])
    form = {"name": "同事", "email": "a@example.org", "days": 3, "sections": "P", FIELD: key}
    first, second = (client.post(reverse("sheet_share", args=[row.pk]), form) for _time in range(2))
    link = first.context["link"]
    assert link in first.content.decode() and first.content == second.content
    assert link not in IdempotencyKey.objects.get().body


def test_old_keys_are_deleted(browser: Client, world: Any, settings: Any) -> None:
    for text in ("一", "二"):
        note(browser, world, uuid4().hex, text=text)
    old = IdempotencyKey.objects.order_by("pk")[0]
    IdempotencyKey.objects.filter(pk=old.pk).update(
        at=timezone.now() - dt.timedelta(days=settings.IDEMPOTENCY_DAYS, minutes=1)
    )
    assert services.delete_old() == 1 and not IdempotencyKey.objects.filter(pk=old.pk).exists()
