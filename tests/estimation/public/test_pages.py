"""The public site: what it shows of a release, to whom, when, and which cache headers it sends."""

import csv
import datetime as dt
import gzip
import io
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from estimation.public import middleware
from estimation.releases.checks import ReleaseChecks, Rules
from estimation.runs.compute.spec import RunSpec, Winsorization
from estimation.runs.models import EstimationRun
from estimation.templatetags.public import estimator_words
from tests.estimation.public.conftest import Publish
from tests.estimation.public.small import corrected, small_content

PAGES = (
    "", "2025/", "2025/report/", "2025/tables/", "2025/tables/T2/", "2025/tables/T2/?sort=0", "2025/explore/",
    "2025/explore/crossed/", "2025/explore/crossed/?region=110000",
    "2025/explore/section/C/", "2025/explore/region/110000/", "2025/cells/T2.D.flow/", "2025/method/",
    "2025/quality/", "2025/quality/?grade=B", "archive/", "data/", "2025-1/",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _always_fresh(settings: Any) -> None:
    settings.PUBLIC_FRESH_SECONDS = 0.0


def body(answer: Any) -> str:
    return answer.content.decode()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_answers_an_anonymous_reader(publish: Publish, language: str) -> None:
    publish()
    for path in PAGES:
        answer = Client().get(f"/{language}/{path}")
        assert answer.status_code == 200, path
        assert "模拟" in body(answer) or "synthetic" in body(answer), path
        assert not answer.cookies, path
        assert answer["Cache-Control"].startswith("public, max-age=60"), path
        assert "default-src 'none'" in answer["Content-Security-Policy"], path


def test_the_address_decides_the_language(publish: Publish) -> None:
    publish()
    client = Client(headers={"accept-language": "en"})
    client.cookies["django_language"] = "en"
    assert "制造业" in body(client.get("/zh/2025/tables/T2/"))
    assert "Manufacturing" in body(client.get("/en/2025/tables/T2/"))


@pytest.mark.parametrize("state", ["draft", "validated", "scheduled"])
def test_nothing_is_seen_before_publication(publish: Publish, state: str) -> None:
    publish(state=state, published_at=None, embargo_until=timezone.now() + dt.timedelta(hours=1))
    client = Client()
    assert "52.26" not in body(client.get("/zh/"))
    for path in PAGES[1:-3]:
        assert client.get(f"/zh/{path}").status_code == 404, path
    assert client.get("/zh/2025-1/").status_code == 404


def test_no_copy_outlives_the_embargo(publish: Publish) -> None:
    publish()
    publish(
        number=2,
        state="scheduled",
        published_at=None,
        embargo_until=timezone.now() + dt.timedelta(seconds=20),
    )
    answer = Client().get("/zh/2025/")
    seconds = int(answer["Cache-Control"].removeprefix("public, max-age=").split(",")[0])
    assert 0 <= seconds <= 20
    assert "stale" not in answer["Cache-Control"]


def test_a_correction_is_seen_at_once_and_the_former_release_stays(publish: Publish) -> None:
    first = publish()
    client = Client()
    assert "52.26" in body(client.get("/zh/2025/"))
    first.state = "corrected"
    first.save()
    publish(
        corrected(small_content(), "SUP-01.2025", "52.99"),
        number=2,
        replaces=first,
        correction_note_zh="一处更正",
    )
    now = body(client.get("/zh/2025/"))
    assert "52.99" in now and "一处更正" in now
    former = body(client.get("/zh/2025-1/"))
    assert "52.26" in former and "已被更正后的版本取代" in former


def test_a_withdrawn_release_is_gone(publish: Publish) -> None:
    release = publish()
    client = Client()
    assert client.get("/zh/2025/").status_code == 200
    type(release).objects.update(state="withdrawn", reason="口径有误")
    assert client.get("/zh/2025/").status_code == 404
    assert client.get("/zh/2025-1/").status_code == 410
    assert client.get("/zh/2025-1/tables/T2/").status_code == 404
    assert "已撤回" in body(client.get("/zh/archive/"))


def test_tables_sort_with_totals_below_and_withheld_last(publish: Publish) -> None:
    publish()
    page = body(Client().get("/en/2025/tables/T2/?sort=0"))
    order = [
        page.index(f'indent-0">{name}') for name in ("Manufacturing", "Agriculture", "Electricity", "Total")
    ]
    assert order == sorted(order)
    assert 'aria-sort="descending"' in page
    page = body(Client().get("/en/2025/tables/T2/?sort=0&order=up"))
    order = [
        page.index(f'indent-0">{name}') for name in ("Agriculture", "Manufacturing", "Electricity", "Total")
    ]
    assert order == sorted(order)
    for wrong in ("sort=9", "sort=-1", "sort=x", "sort=99999999999"):
        assert Client().get(f"/en/2025/tables/T2/?{wrong}").status_code == 200


def test_csv_holds_what_is_printed_and_errors_but_nothing_withheld_and_no_hidden_digits(
    publish: Publish,
) -> None:
    publish()
    answer = Client().get("/en/2025/tables/T2.csv")
    rows = list(csv.reader(io.StringIO(body(answer).removeprefix("\ufeff"))))
    assert rows[0] == [
        "code",
        "Section",
        "Flow",
        "Flow (standard error)",
        "Flow (CV, %)",
        "Flow (lower bound, 95 %)",
        "Flow (upper bound, 95 %)",
    ]
    assert ["C", "Manufacturing", "540.58", "27", "", "486.52", "594.64"] in rows
    assert ["D", "Electricity", "×", "", "", "", ""] in rows
    assert ["total", "Total", "1930.73", "97", "", "1737.66", "2123.8"] in rows


def test_json_of_a_table_says_the_same(publish: Publish) -> None:
    publish()
    document = json.loads(body(Client().get("/en/2025/tables/T2.json")))
    cells = {row["code"]: row["cells"][0] for row in document["rows"]}
    assert document["synthetic"] is True and document["title"]["zh"] == "行业数据分布"
    assert (cells["C"]["value"], cells["C"]["se"], cells["C"]["lower"]) == (540.58, 27, 486.52)
    assert (cells["D"]["printed"], cells["D"]["value"], cells["D"]["se"]) == ("×", None, None)
    assert Client().get("/en/2025/tables/T9.json").status_code == 404


def test_a_number_with_a_large_error_is_marked(publish: Publish) -> None:
    content = small_content()
    weak = replace(content.cells["T2.A.flow"], grade="E")
    publish(replace(content, cells={**content.cells, weak.key: weak}))
    page = body(Client().get("/en/2025/tables/T2/"))
    assert page.count(">E<span") == 1 and "32.08</a><sup" in page


def test_every_address_of_the_page_for_machines_answers(publish: Publish) -> None:
    publish()
    client = Client()
    page = body(client.get("/en/data/"))
    addresses = set(re.findall(r'href="(/api/[^"]+|/en/2025[^"]*)"', page))
    assert {"/api/v1/releases/", "/api/v1/releases/2025/1/cells/SUP-01.2025/", "/en/2025-1/"} <= addresses
    # The page of the files says 202 while they are being made; whether they are is no matter here.
    statuses = {address: client.get(address).status_code for address in addresses}
    assert statuses.pop("/en/2025/files/") in (200, 202)
    assert set(statuses.values()) == {200}, statuses


def test_regions_by_industries_as_table_row_and_column(publish: Publish) -> None:
    publish()
    client = Client()
    assert "?variable=RS-P01" in body(client.get("/zh/2025/explore/"))
    page = body(client.get("/zh/2025/explore/crossed/"))
    shades = [f'class="num heat-{shade}"' in page for shade in range(6)]
    assert shades == [True, True, True, True, True, False], "four cells with a number, in five steps"
    row = body(client.get("/en/2025/explore/crossed/?variable=RS-P01&region=110000"))
    assert "5.12" in row and "27.00 – 33.00" in row
    column = body(client.get("/en/2025/explore/crossed/?variable=RS-P01&section=C"))
    assert "Tibet (Xizang)" in column and "All regions" in column
    for wrong in ("variable=RS-X", "region=999999", "section=Z"):
        assert client.get(f"/en/2025/explore/crossed/?{wrong}").status_code == 404, wrong
    assert client.get("/en/2025/cells/RS-P01.110000.C/").status_code == 200
    rows = list(
        csv.reader(io.StringIO(body(client.get("/en/2025/tables/RS-P01.csv")).removeprefix("\ufeff")))
    )
    assert rows[1][:6] == ["110000", "Beijing", "1.50", "30.00", "×", "31.50"]


def test_a_release_without_crossings_has_no_such_page(publish: Publish) -> None:
    publish(replace(small_content(), crossings=()))
    assert Client().get("/zh/2025/explore/crossed/").status_code == 404
    assert "crossed" not in body(Client().get("/zh/2025/explore/"))


def test_a_matching_etag_is_answered_without_a_body(publish: Publish) -> None:
    publish()
    client = Client()
    first = client.get("/zh/2025/")
    again = client.get("/zh/2025/", headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    packed = client.get("/zh/2025/", headers={"accept-encoding": "gzip"})
    assert gzip.decompress(packed.content) == first.content
    assert client.head("/zh/2025/").content == b""


def test_unknown_parameters_share_one_page(publish: Publish, django_assert_num_queries: Any) -> None:
    publish()
    client = Client()
    client.get("/zh/2025/tables/T2/?utm=1")
    with django_assert_num_queries(2):  # the fingerprint and the next embargo, nothing of the page
        client.get("/zh/2025/tables/T2/?utm=2&x=3")


def test_cached_pages_are_served_without_the_database(publish: Publish, monkeypatch: Any) -> None:
    publish()
    client = Client()
    retained = client.get("/zh/2025/")

    def away() -> Any:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(middleware, "fingerprint", away)
    again = client.get("/zh/2025/")
    assert (again.status_code, again.content) == (200, retained.content)


def test_wrong_addresses_return_404(publish: Publish) -> None:
    publish()
    for path in (
        "2023/",
        "2025-7/",
        "2025/tables/T9/",
        "2025/cells/nothing/",
        "2025/explore/region/999999/",
        "2025/explore/section/Z/",
        "2025/explore/planet/C/",
        "2025/tables/%3Cscript%3E/",
    ):
        assert Client().get(f"/zh/{path}").status_code == 404, path
    assert Client().post("/zh/2025/").status_code in {403, 405}


@pytest.mark.parametrize(
    ("method", "zh", "en"),
    [
        ("winsorize", "0.5%和99.9%分位数", "outside the 0.5 % and 99.9 % quantiles of their class are moved"),
        ("optimal", "Kokic和Bell", "smallest estimated mean squared error of the national total"),
        ("trim", "不计入该条目", "are left out of the item"),
        ("none", "极端值按填报数使用", "Extreme values are used as they were filed"),
    ],
)
def test_the_method_page_tells_the_choices_of_its_own_run(
    publish: Publish, method: str, zh: str, en: str
) -> None:
    release = publish(checks=ReleaseChecks(rules=Rules(4, 0.65, 0.8, 0.1)))
    spec = RunSpec(winsorization=Winsorization(method, 0.005, 0.999))  # type: ignore[arg-type]  # one of the parameters above
    EstimationRun.objects.filter(pk=release.run_id).update(spec=spec.to_json())
    chinese, english = (body(Client().get(f"/{language}/2025/method/")) for language in ("zh", "en"))
    assert zh in chinese and en in english
    assert ("two-sided" in english) == (method == "winsorize")
    assert "fewer than 4 units" in english and "65 %" in english and "超过80%" in chinese


def test_headline_numbers_are_shown_with_their_margin_of_error(publish: Publish) -> None:
    publish()
    text = body(Client().get("/en/2025/"))
    assert "95 % interval 47.04 – 57.49" in text
    codes = {"multiple", "forecast", "ranking", "total", "ratio", "derived", "level_growth"}
    assert all(estimator_words(code) != code for code in codes)
