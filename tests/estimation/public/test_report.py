"""The report on the public site: the same sections as the printed one, its figures, its files."""

import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.estimation.public.conftest import Publish
from tests.estimation.report.built import store_files
from tests.estimation.report.sample import content


@pytest.fixture(autouse=True)
def _fresh(settings: Any, tmp_path: Path) -> None:
    settings.PUBLIC_FRESH_SECONDS = 0.0
    settings.REPORT_ROOT = tmp_path


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def test_report_page_has_text_tables_figures_and_notes(publish: Publish) -> None:
    publish(content())
    page = text_of(Client().get("/zh/2025/report/"))
    assert 'id="chapter2-1-1"' in page and 'href="#chapter1"' in page
    assert 'data-key="T2.C.production_zb">7.19<' in page
    assert 'src="/zh/2025/figures/regions.svg"' in page and "loading" in page
    assert 'href="#note-1"' in page and 'id="note-1"' in page
    assert "style=" not in page and "<style" not in page


def test_pictures_are_cached_and_have_etags(publish: Publish) -> None:
    publish(content())
    client = Client()
    first = client.get("/en/2025/figures/FIG1.svg")
    assert first["Content-Type"] == "image/svg+xml; charset=utf-8"
    assert ">52.26<" in text_of(first)
    assert first["Cache-Control"].startswith("public")
    assert (
        client.get("/en/2025/figures/FIG1.svg", headers={"if-none-match": first["ETag"]}).status_code == 304
    )
    assert client.get("/en/2025/figures/nothing.svg").status_code == 404


def test_a_picture_is_the_file_of_the_release_before_and_after_it_is_built(publish: Publish) -> None:
    release = publish()
    drawn = Client().get("/zh/2025/figures/regions.svg").content
    store_files(release)
    listed = json.loads(text_of(Client().get("/zh/2025/files/manifest.json")))["files"]
    expected = next(entry["sha256"] for entry in listed if entry["path"] == "figures/regions.zh.svg")
    assert hashlib.sha256(drawn).hexdigest() == expected
    assert hashlib.sha256(Client().get("/zh/2025/figures/regions.svg").content).hexdigest() == expected


def test_files_are_listed_and_sent_with_their_hash_as_tag(publish: Publish) -> None:
    release = publish()
    client = Client()
    waiting = client.get("/zh/2025/files/")
    assert (waiting.status_code, waiting["Cache-Control"]) == (202, "no-cache")
    store_files(release)
    listed = client.get("/zh/2025/files/")
    assert listed.status_code == 200
    manifest = json.loads(text_of(client.get("/zh/2025/files/manifest.json")))
    for entry in manifest["files"][:6]:
        assert f'href="/zh/2025/files/{entry["path"]}"' in text_of(listed)
        answer = client.get(f"/zh/2025/files/{entry['path']}")
        assert hashlib.sha256(answer.content).hexdigest() == entry["sha256"]
        assert answer["ETag"] == f'"{entry["sha256"][:32]}"'
        kind = "inline" if entry["path"].endswith((".svg", ".png", ".pdf")) else "attachment"
        assert answer["Content-Disposition"].startswith(kind)
        again = client.get(f"/zh/2025/files/{entry['path']}", headers={"if-none-match": answer["ETag"]})
        assert again.status_code == 304


def test_not_a_byte_before_publication_or_after_withdrawal(publish: Publish) -> None:
    release = publish(
        state="scheduled", published_at=None, embargo_until=timezone.now() + dt.timedelta(hours=1)
    )
    store_files(release)
    client = Client()
    paths = ("report/", "files/", "files/manifest.json", "files/zh/report-2025.pdf", "figures/regions.svg")
    assert [client.get(f"/zh/2025/{path}").status_code for path in paths] == [404] * 5
    release.state, release.published_at = "published", timezone.now()
    release.save()
    assert [client.get(f"/zh/2025/{path}").status_code for path in paths] == [200] * 5
    release.state, release.reason = "withdrawn", "数据有误"
    release.save()
    assert 200 not in [client.get(f"/zh/2025/{path}").status_code for path in paths]


@pytest.mark.parametrize("name", ["../../../etc/passwd", "zh/%2e%2e/%2e%2e/x", "x.pdf"])
def test_only_files_of_the_manifest_are_sent(publish: Publish, name: str) -> None:
    store_files(publish())
    assert Client().get(f"/zh/2025/files/{name}").status_code == 404
