"""The pages of the sample design: what they show, how they refuse, what the files hold, how many queries they take."""

import csv
import io
import re
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest
from django.test import Client

from estimation.design.models import SampleDesign, SelectedUnit
from estimation.design.selectors import base_of
from survey.audit import AuditEvent
from survey.collection.models import Assignment, CollectionRound
from survey.frame.models import ReportingUnit
from survey.frame.parsing import read_table
from tests.estimation.design.population import Population

pytestmark = pytest.mark.django_db
LANGUAGES = ["zh-hans", "en"]


@pytest.fixture
def first(population: Population, client: Client) -> Client:
    client.force_login(population.first)
    return client


@pytest.fixture
def second(population: Population) -> Client:
    other = Client()
    other.force_login(population.second)
    return other


def numbers(text: str) -> list[int]:
    """Whole numbers of the cells of a table row."""
    return [
        int(number.replace(",", "")) for number in re.findall(r'<td class="num[^"]*">([\d,]+)</td>', text)
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_opens_in_every_state(population: Population, first: Client, language: str) -> None:
    first.cookies["django_language"] = language
    for design in (population.draft(), population.drawn(), population.handed_over()):
        for page in ("", "allocation/", "strata/"):
            assert first.get(f"/estimation/designs/{design.pk}/{page}").status_code == 200
    assert first.get("/estimation/designs/").status_code == 200
    assert (
        first.get("/estimation/designs/new/").status_code == 200
    )  # its round has its sample: the page says so


def test_tables_of_the_comparison_sum_to_the_sample(population: Population, first: Client) -> None:
    design = population.draft()
    page = first.get(
        f"/estimation/designs/{design.pk}/allocation/?a-method=proportional&a-n=80&b-method=neyman&b-n=70"
    ).content
    text = page.decode()
    for kind in ("region", "section", "size"):
        table = text.split(f'id="t-{kind}"')[1].split("</table>")[0]
        body, foot = table.split("<tfoot>")
        rows = [numbers(row) for row in body.split("<tr>")[2:]]
        total = numbers(foot)
        assert total[2:] == [80, 70]
        assert [sum(column) for column in zip(*rows, strict=True)] == total


def test_defaults_show_three_alternatives_of_last_years_size(population: Population, first: Client) -> None:
    design = population.draft()
    text = first.get(f"/estimation/designs/{design.pk}/allocation/").content.decode()
    low, high = base_of(design).bounds(2)
    assert text.count('id="id_a-n"') == 1 and f"{low:,}" in text and f"{high:,}" in text
    assert all(f">{letter}: n<" in text for letter in "ABC")


@pytest.mark.parametrize(
    "query",
    [
        "a-method=proportional&a-n=1",
        f"a-method=proportional&a-n={10**30}",
        "a-method=nonsense",
        "a-method=neyman",
        "a-method=proportional&a-n=<script>alert(1)</script>",
        "a-method=power&a-n=60&a-power=7",
        "a-method=targets&a-nation=&a-region=&a-section=",
        "a-method=targets&a-nation=0",
        "response=0",
        "response=abc&a-method=proportional&a-n=60",
        "a-method=neyman&a-n=60&a-item=P99",
        "a-method=proportional&a-n=60&a-minimum=-1",
        "a-method=proportional&a-n=60&a-minimum=９",
        "a-method=targets&a-nation=0.01",
    ],
)
def test_wrong_parameters_show_errors_and_change_nothing(
    population: Population, first: Client, query: str
) -> None:
    design = population.draft()
    answer = first.get(f"/estimation/designs/{design.pk}/allocation/?{query}")
    assert answer.status_code in {200, 422}
    assert b"<script>alert" not in answer.content
    assert (answer.status_code == 422) == (b'id="error-summary"' in answer.content)


def test_a_design_from_rules_to_hand_over(population: Population, first: Client, second: Client) -> None:
    rules = {
        "round": "2026",
        "categories": ["CAT01", "CAT07"],
        "leading_platforms": "on",
        "employees": "1000",
    }
    built = first.post("/estimation/designs/new/", rules)
    design = SampleDesign.objects.get(round__year=2026)
    assert built["Location"] == f"/estimation/designs/{design.pk}/"
    page = first.get(
        f"{built['Location']}allocation/?a-method=neyman&a-n=75&a-minimum=2&a-item=P01&response=90"
    ).content.decode()
    form = page.split(f"/estimation/designs/{design.pk}/draw/")[1].split("</form>")[0]
    fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form)) | {"start": "0.1"}
    assert first.post(f"{built['Location']}draw/", fields)["Location"] == built["Location"]
    design.refresh_from_db()
    assert (design.state, design.allocation.request.method, design.allocation.start) == (
        "drawn",
        "neyman",
        0.1,
    )
    assert SelectedUnit.objects.filter(design=design).count() == 75
    own = first.post(f"{built['Location']}approve/", {"content_hash": design.content_hash}, follow=True)
    assert b'role="alert"' in own.content
    redraw = second.post(f"{built['Location']}redraw/", follow=True).content.decode()
    assert "notice-success" in redraw
    second.post(f"{built['Location']}approve/", {"content_hash": design.content_hash})
    first.post(f"{built['Location']}hand-over/")
    design.refresh_from_db()
    assert design.state == "handed_over" and design.approved_by == population.second
    assert Assignment.objects.filter(round__year=2026).count() == 75
    text = first.get(built["Location"]).content.decode()
    assert design.content_hash in text and "/rounds/2026/" in text


def test_refusals_come_back_as_sentences(population: Population, first: Client) -> None:
    design = population.draft()
    url = f"/estimation/designs/{design.pk}/"
    for act, body in (
        ("draw/", {"a-method": "proportional", "a-n": "1"}),
        ("draw/", {}),
        ("approve/", {"content_hash": "x"}),
        ("withdraw/", {"reason": ""}),
        ("hand-over/", {}),
    ):
        answer = first.post(url + act, body, follow=True)
        assert answer.status_code in {200, 422} and b"notice-error" in answer.content, act
    design.refresh_from_db()
    assert design.state == "draft"
    assert first.post(f"{url}redraw/").status_code == 404  # nothing was drawn yet
    assert first.get(f"{url}sample.csv").status_code == 404


def test_redrawing_from_a_changed_frame_shows_a_message(population: Population, first: Client) -> None:
    design = population.drawn()
    ReportingUnit.objects.filter(pk=population.units[0].pk).update(employees=1)
    answer = first.post(f"/estimation/designs/{design.pk}/redraw/", follow=True)
    assert b"notice-warning" in answer.content


@pytest.mark.parametrize(
    "body",
    [
        {"round": "1999"},
        {"round": "2025"},
        {"round": "2026", "employees": "-1"},
        {"round": "2026", "turnover": "x"},
        {"round": "2026", "employees": str(10**30)},
        {"round": "2026", "categories": ["CAT99"]},
        {},
    ],
)
def test_wrong_rules_show_errors(population: Population, first: Client, body: dict[str, Any]) -> None:
    answer = first.post("/estimation/designs/new/", body)
    assert answer.status_code == 422 and b'id="error-summary"' in answer.content
    assert not SampleDesign.objects.filter(round__year=2026).exists()


def test_the_sample_file_in_three_formats(population: Population, first: Client) -> None:
    hostile = population.units[-1]  # above the threshold, so it is drawn for certain
    ReportingUnit.objects.filter(pk=hostile.pk).update(name="=cmd|'/c calc'!A1", uscc="913500000000000000")
    design = population.drawn()
    answers = {
        form: first.get(f"/estimation/designs/{design.pk}/sample.{form}")
        for form in ("csv", "xlsx", "parquet")
    }
    assert all(
        design.content_hash[:12] in answer.headers["Content-Disposition"] for answer in answers.values()
    )
    text = answers["csv"].content.decode("utf-8")
    assert text.startswith("\N{ZERO WIDTH NO-BREAK SPACE}# design: 2026-1; sha256: " + design.content_hash)
    rows = list(csv.DictReader(io.StringIO(text.split("\r\n", 1)[1])))
    assert len(rows) == 60
    computed = next(row for row in rows if row["uscc"].strip() == "913500000000000000")
    assert computed["uscc"].endswith("\t") and computed["name"].startswith("'=")
    assert {row["uscc"].strip() for row in rows} == set(
        SelectedUnit.objects.filter(design=design).values_list("unit__uscc", flat=True)
    )
    sheet = openpyxl.load_workbook(io.BytesIO(answers["xlsx"].content)).active
    assert design.content_hash in sheet["A1"].value and sheet.max_row == 62
    names = [cell for cell in sheet["B"] if cell.value and "cmd" in str(cell.value)]
    assert [(cell.data_type, cell.value[0]) for cell in names] == [("s", "'")]
    table = pq.read_table(io.BytesIO(answers["parquet"].content))
    assert table.num_rows == 60 and table.schema.metadata[b"sha256"].decode() == design.content_hash
    assert AuditEvent.objects.filter(action="sample_downloaded", subject_id=str(design.pk)).count() == 3
    assert read_table(answers["csv"].content).header[0] == "uscc"  # our own reader passes over the first line
    assert first.get(f"/estimation/designs/{design.pk}/sample.exe").status_code == 404


def test_the_pages_need_few_queries(
    population: Population, first: Client, django_assert_max_num_queries: Any
) -> None:
    design = population.drawn()
    for page, most in (("", 10), ("allocation/", 9), ("strata/", 12), ("sample.csv", 9)):
        with django_assert_max_num_queries(most):
            first.get(f"/estimation/designs/{design.pk}/{page}")
    with django_assert_max_num_queries(9):
        first.get("/estimation/designs/")


def test_planning_is_offered_when_no_round_waits(
    population: Population, first: Client, second: Client
) -> None:
    CollectionRound.objects.filter(year=2026).update(state="open")
    assert b"/rounds/plan/" in first.get("/estimation/designs/new/").content
    assert (
        b"/rounds/plan/" not in second.get("/estimation/designs/new/").content
    )  # a methodologist plans no rounds
