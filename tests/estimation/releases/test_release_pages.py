"""Pages of the publishers, the text of the report, and the interface of published releases."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from estimation.releases import services
from estimation.releases.content.content import Content, Text
from estimation.releases.models import BlockVersion, Release
from estimation.releases.states import Action
from survey.exceptions import PolicyDenied
from tests.factories import make_user


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def published(draft: Release) -> Release:
    for action in (Action.VALIDATE, Action.PUBLISH):
        draft = services.transition(draft, action, by=None)
    return draft


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_page_renders(draft: Release, language: str, django_assert_max_num_queries: Any) -> None:
    second = services.prepare_release(run=draft.run, by=None)
    client = signed_in(make_user("publisher"))
    client.cookies["django_language"] = language
    names = ("detail", "cells", "disclosure", "differences", "comparison")
    urls = [reverse(f"release_{name}", args=[row.pk]) for name in names for row in (draft, second)]
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
