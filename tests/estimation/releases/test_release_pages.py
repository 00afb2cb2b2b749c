"""Pages of the publishers, the text of the report, external series, and the interface of published releases."""

import io
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import translation

from estimation.external import services as external
from estimation.external.models import ExternalFile, ExternalSeries
from estimation.releases import services
from estimation.releases.content.content import Content, Text
from estimation.releases.models import BlockVersion, Release
from estimation.releases.states import Action
from estimation.runs.services import external_values
from survey.exceptions import PolicyDenied
from tests.estimation.releases.stage import finished_run
from tests.factories import make_user


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def draft(world: Any) -> Release:
    return services.prepare_release(run=finished_run(), by=None)


@pytest.fixture
def published(draft: Release) -> Release:
    for action in (Action.VALIDATE, Action.PUBLISH):
        draft = services.transition(draft, action, by=None)
    return draft


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_page_renders(draft: Release, language: str, django_assert_max_num_queries: Any) -> None:
    services.prepare_release(run=draft.run, by=None)
    client = signed_in(make_user("publisher"))
    client.cookies["django_language"] = language
    names = ("detail", "cells", "disclosure", "differences", "comparison")
    urls = [reverse(f"release_{name}", args=[draft.pk + number]) for name in names for number in (0, 1)]
    urls += [reverse("release_list"), reverse("block_list", args=[2025]), reverse("external_list")]
    urls += [
        reverse("block_edit", args=[2025, "foreword"]),
        reverse("block_edit", args=[2025, "foreword"]) + "?version=0",
    ]
    for url in urls:
        with django_assert_max_num_queries(25):
            response = client.get(url)
        assert response.status_code == 200, url
    assert client.get(reverse("block_edit", args=[2025, "nowhere"])).status_code == 404


def test_a_person_walks_a_release_to_the_public(draft: Release) -> None:
    client = signed_in(make_user("publisher"))
    url = reverse("release_act", args=[draft.pk])
    client.post(url, {"action": "validate"})
    client.post(url, {"action": "schedule", "embargo": "2999-01-31T09:30"})
    draft.refresh_from_db()
    assert draft.state == "scheduled" and draft.embargo_until is not None
    assert draft.embargo_until.isoformat() == "2999-01-31T01:30:00+00:00"  # Beijing is eight hours ahead
    client.post(url, {"action": "unschedule", "reason": "改期"})
    draft.refresh_from_db()
    assert draft.state == "scheduled"  # two characters are no reason
    client.post(url, {"action": "unschedule", "reason": "发布改期"})
    client.post(url, {"action": "publish"})
    draft.refresh_from_db()
    assert draft.state == "published"


def test_text_with_typed_digits_or_unknown_fields_is_refused(draft: Release) -> None:
    client, url = signed_in(make_user("publisher")), reverse("block_edit", args=[2025, "foreword"])
    good = {
        "heading_zh": "前言",
        "heading_en": "Foreword",
        "body_zh": "总量{{ SUP-01 }}。",
        "body_en": "{{ SUP-01.2025 }} ZB",
    }
    for change, sentence in (
        ({"body_zh": "总量52.26。"}, "52.26"),
        ({"body_en": "{{ SUP-99 }}"}, "SUP-99"),
        ({"body_en": "{{ SUP-01.__class__ }}"}, "SUP-01.__class__"),
        ({"body_zh": "{% load x %}{{ SUP-01|safe }}"}, "SUP-01|safe"),
    ):
        response = client.post(url, {**good, **change})
        assert response.status_code == 422
        assert sentence in response.content.decode()
    assert not BlockVersion.objects.exists()
    assert client.post(url, good).status_code == 302
    assert BlockVersion.objects.get().number == 1


def test_script_in_a_text_is_inert(draft: Release) -> None:
    client, url = signed_in(make_user("publisher")), reverse("block_edit", args=[2025, "foreword"])
    script = "<script>alert('x')</script>"
    form = {
        "heading_zh": "前言",
        "heading_en": "Foreword",
        "body_zh": script,
        "body_en": script,
        "preview": "1",
    }
    page = client.post(url, form).content.decode()
    assert script not in page and "&lt;script&gt;" in page
    assert not BlockVersion.objects.exists()


def test_an_edited_text_reaches_the_draft_when_it_is_filled_again(draft: Release) -> None:
    editor = make_user("publisher")
    services.edit_block(
        round=draft.round,
        code="foreword",
        heading=Text("前言", "Foreword"),
        body=Text("购数企业占{{ CIR-06 }}%。", "{{ CIR-06 }} % bought data."),
        by=editor,
    )
    rebuilt = services.rebuild_draft(draft, by=editor)
    block = next(
        candidate
        for candidate in Content.from_document(rebuilt.content).blocks
        if candidate.code == "foreword"
    )
    assert (block.body, block.keys) == (Text("购数企业占68.75%。", "68.75 % bought data."), ("CIR-06.2025",))
    assert rebuilt.content_hash != draft.content_hash
    # Who filled it again is who prepared it, and does not validate it.
    with translation.override("en"), pytest.raises(PolicyDenied, match="somebody else validates"):
        services.transition(rebuilt, Action.VALIDATE, by=editor)


def test_external_values_need_two_people_and_runs_read_approved_ones(world: Any) -> None:
    first, second = make_user("methodologist"), make_user("methodologist")
    row = external.enter_value(
        code="EXT-POP", year=2025, value=Decimal(140489), source="国家统计局", source_date=None, by=first
    )
    assert external_values((2025,)) == []
    with translation.override("en"), pytest.raises(PolicyDenied, match="somebody else approves"):
        external.approve_value(row, by=first)
    external.approve_value(row, by=second)
    newer = external.enter_value(
        code="EXT-POP", year=2025, value=Decimal(140500), source="国家统计局修订", source_date=None, by=first
    )
    assert [entry["value"] for entry in external_values((2025,))] == ["140489.000000"]
    assert (newer.version, newer.unit) == (2, "万人")
    external.approve_value(newer, by=second)
    assert [entry["version"] for entry in external_values((2025,))] == [2]


def test_values_that_cannot_be_are_refused_on_the_page_and_in_files(world: Any) -> None:
    client = signed_in(make_user("methodologist"))
    client.cookies["django_language"] = "en"
    page = client.get(reverse("external_new")).content.decode()
    assert "Population at year end (ten thousand people)" in page and "万人" not in page
    data = {"code": "EXT-POP", "year": "2025", "value": "-5", "source": "s"}
    refused = client.post(reverse("external_new"), data)
    assert refused.status_code == 422 and "EXT-POP cannot be negative" in refused.content.decode()
    assert client.post(reverse("external_new"), data | {"code": "EXT-P01-GROWTH"}).status_code == 302
    lines = "code,year,value,source\nEXT-POP,2025,-1,s\nEXT-POP,2025,1e24,s\nEXT-FLOW-ADJUST,2025,-1,s\n"
    with translation.override("en"):
        faults = [row.fault for row in external.read_file("x.csv", lines.encode())]
    assert faults == ["EXT-POP cannot be negative.", "This value is too large.", ""]


def workbook(*rows: tuple[Any, ...]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)  # type: ignore[union-attr]  # a new book has an active sheet
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


HEADER = ("code", "year", "value", "source", "source_date")
GOOD = ("EXT-WORLD", 2025, 190.45, "年报", "2026-03-01")


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_file_is_read_first_and_entered_when_confirmed(world: Any, kind: str) -> None:
    content = (
        workbook(HEADER, GOOD)
        if kind == "xlsx"
        else "\n".join(",".join(map(str, row)) for row in (HEADER, GOOD)).encode()
    )
    client, url = signed_in(make_user("methodologist")), reverse("external_import")
    answer = client.post(url, {"file": SimpleUploadedFile(f"x.{kind}", content)}, follow=True)
    assert [(row.code, row.changes) for row in answer.context["rows"]] == [("EXT-WORLD", True)]
    assert not ExternalSeries.objects.exists()
    # The bytes were kept, so nobody is asked for the file again; another hash is another file.
    retained = ExternalFile.objects.get()
    page = reverse("external_file", args=[retained.pk])
    assert client.post(page, {"sha256": "0" * 64}).status_code == 422
    assert not ExternalSeries.objects.exists()
    assert client.post(page, {"sha256": retained.sha256}).status_code == 302
    row = ExternalSeries.objects.get()
    assert (row.value, row.approved_at, str(row.source_date)) == (Decimal("190.45"), None, "2026-03-01")
    assert client.post(page, {"sha256": retained.sha256}).status_code == 422, "once is enough"
    assert ExternalSeries.objects.count() == 1


def test_an_unreadable_file_is_not_stored_and_a_faulty_one_is_not_entered(world: Any) -> None:
    client, url = signed_in(make_user("methodologist")), reverse("external_import")
    assert client.post(url, {"file": SimpleUploadedFile("x.xlsx", b"no workbook")}).status_code == 422
    assert client.post(url).status_code == 422
    assert not ExternalFile.objects.exists()
    faulty = b"code,year,value,source\nEXT-MOON,2025,1,x\n"
    answer = client.post(url, {"file": SimpleUploadedFile("x.csv", faulty)}, follow=True)
    assert answer.context["faulty"] == 1
    retained = ExternalFile.objects.get()
    refused = client.post(reverse("external_file", args=[retained.pk]), {"sha256": retained.sha256})
    assert refused.status_code == 422 and not ExternalSeries.objects.exists()


def test_a_faulty_line_refuses_the_file(world: Any) -> None:
    content = workbook(
        HEADER, GOOD, ("EXT-MOON", 2025, 1, "x"), ("EXT-POP", "last", 1, "x"), ("EXT-POP", 2025, 1, "")
    )
    rows = external.read_file("x.xlsx", content)
    assert [bool(row.fault) for row in rows] == [False, True, True, True]
    with pytest.raises(PolicyDenied):
        external.import_rows(rows, by=make_user("methodologist"))
    assert not ExternalSeries.objects.exists()
    for name, data in (("x.xlsx", b"no workbook"), ("x.csv", b"a,b\n1,2\n")):
        with pytest.raises(PolicyDenied):
            external.read_file(name, data)


def test_the_api_serves_published_releases_without_sign_in(published: Release) -> None:
    client = Client()
    (entry,) = client.get("/api/v1/releases/").json()
    assert (entry["year"], entry["number"], entry["content_hash"]) == (
        2025,
        published.number,
        published.content_hash,
    )
    response = client.get(entry["href"])
    assert Content.from_document(response.json()).digest() == published.content_hash
    assert response["ETag"] == f'"{published.content_hash}"' and response["Last-Modified"]
    assert "public" in response["Cache-Control"]
    assert client.get(entry["href"], headers={"If-None-Match": response["ETag"]}).status_code == 304
    assert (
        client.get(entry["href"], headers={"If-Modified-Since": response["Last-Modified"]}).status_code == 304
    )
    assert client.get(f"{entry['href']}cells/CIR-06.2025/").json()["printed"] == "68.75"
    assert client.get(f"{entry['href']}cells/NO-1/").status_code == 404
    table = client.get(f"{entry['href']}tables/E1.csv?language=en")
    lines = table.content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("code,Region,Data produced")
    assert next(line for line in lines if line.startswith("110000")).endswith("×,×,×,×")


def test_nothing_but_published_releases_is_public(draft: Release) -> None:
    client = Client()
    assert client.get("/api/v1/releases/").json() == []
    assert client.get(f"/api/v1/releases/2025/{draft.number}/").status_code == 404
    for action in (Action.VALIDATE, Action.PUBLISH):
        draft = services.transition(draft, action, by=None)
    services.transition(draft, Action.WITHDRAW, by=None, reason="汇总有误")
    assert client.get(f"/api/v1/releases/2025/{draft.number}/").status_code == 404
    assert client.get("/api/v1/releases/").json() == []
