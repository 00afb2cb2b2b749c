"""External series: values that two people enter and approve, on pages and in files."""

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
from estimation.runs.services import external_values
from survey.exceptions import PolicyDenied
from tests.factories import make_user


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


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
