"""Log lines are JSON with ids, and hold no values of requests, jobs or exceptions."""

import io
import json
import logging
import logging.config
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path, reverse

import config.urls
from config.monitoring.logs import current_request, logging_settings
from survey.access.decorators import public
from survey.access.models import User
from survey.jobs.services import enqueue, run, run_waiting
from tests.factories import World
from tests.survey.jobs.conftest import register

__all__ = ["register"]
pytestmark = pytest.mark.django_db
# Stand for answers, names, e-mail addresses and telephone numbers; each is one word that no program text holds.
MARKED = {
    "answer": "987612345001",
    "name": "欧阳标记",
    "email": "marked-address@example.org",
    "phone": "13912345678",
    "token": "marked-token-77",
}


@public
def crash(request: HttpRequest, word: str) -> HttpResponse:
    """Raises an exception whose message, cause and variables hold values."""
    try:
        raise KeyError(MARKED["email"])
    except KeyError as error:
        raise ValueError(f"{word} {request.GET['answer']}") from error


urlpatterns = [path("crash/<str:word>/", crash, name="crash"), *config.urls.urlpatterns]
handler500 = config.urls.handler500


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is written at level INFO in production's format."""
    written = io.StringIO()
    described = logging_settings("json", "INFO")
    root, loggers = (
        logging.getLogger(),
        ("config.monitoring.request_log", "django.db.backends", "django", "django.server"),
    )
    before = {name: logging.getLogger(name).level for name in loggers}
    level = root.level
    configurator = logging.config.DictConfigurator(described)  # type: ignore[attr-defined]  # the stubs leave it out
    configurator.config["formatters"] = {
        name: configurator.configure_formatter(formatter)
        for name, formatter in described["formatters"].items()
    }
    configurator.config["filters"] = {
        name: configurator.configure_filter(described_filter)
        for name, described_filter in described["filters"].items()
    }
    handler = configurator.configure_handler({**described["handlers"]["console"], "stream": written})
    root.addHandler(handler)
    root.setLevel("INFO")
    for name, options in described["loggers"].items():
        logging.getLogger(name).setLevel(options.get("level", "NOTSET"))
    yield written
    root.removeHandler(handler)
    root.setLevel(level)
    for name, number in before.items():
        logging.getLogger(name).setLevel(number)


def parsed(lines: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def leaked(lines: io.StringIO) -> list[str]:
    """The kinds of marked values that are in the lines."""
    return [kind for kind, value in MARKED.items() if value in lines.getvalue()]


def drive_requests(world: World) -> None:
    """Requests and a job whose bodies, paths, queries and exceptions hold the marked values."""
    client = Client(raise_request_exception=False)
    client.post(reverse("sign_in"), {"username": MARKED["name"], "password": MARKED["token"]})
    client.get(f"/crash/{MARKED['name']}/?answer={MARKED['answer']}")
    client.get(f"/missing/{MARKED['token']}/?phone={MARKED['phone']}")
    client.get(reverse("password_renew", args=["MQ", MARKED["token"]]))
    client.get("/", headers={"host": MARKED["email"]})
    client.force_login(world.users["system_administrator"])
    account = {"username": "newcomer", **{name: MARKED[name] for name in ("name", "email", "phone")}}
    assert client.post(reverse("account_new"), account).status_code == 200
    assert User.objects.get(username="newcomer").email == MARKED["email"]
    sheet = world.sheet
    client.force_login(world.users["respondent"])
    body = {"revision": sheet.revision, "cell": ["P01"], "P01.value": MARKED["answer"], "P01.unit": "TB"}
    client.post(reverse("sheet_save", args=[sheet.pk, "P"]), body)
    sheet.refresh_from_db()
    assert MARKED["answer"] in str(sheet.answers)


@override_settings(ROOT_URLCONF="tests.config.test_logs")
def test_lines_hold_no_values(world: World, lines: io.StringIO, register: Any) -> None:
    def fail(work: Any) -> None:
        raise ValueError(MARKED["answer"])

    def put_back(work: Any) -> None:
        raise OSError(MARKED["email"])

    register("fail", fail)
    register("put_back", put_back, retry_on=(OSError,))
    drive_requests(world)
    for kind in ("fail", "put_back"):
        assert run(enqueue(kind, arguments={"phone": MARKED["phone"]}, send=False).pk)
    assert len([line for line in parsed(lines) if line["event"] == "request"]) == 7
    assert leaked(lines) == []
    # The check sees a value that somebody writes.
    logging.getLogger("survey").warning("saved %s", MARKED["answer"])
    assert leaked(lines) == ["answer"]


@override_settings(ROOT_URLCONF="tests.config.test_logs")
def test_an_exception_is_written_with_types_and_places(world: World, lines: io.StringIO) -> None:
    Client(raise_request_exception=False).get("/crash/x/?answer=1")
    (line,) = [line for line in parsed(lines) if "exception" in line]
    assert [part["type"] for part in line["exception"]] == ["ValueError", "KeyError"]
    assert re.search(r"test_logs\.py:\d+ crash$", line["exception"][0]["places"][-1])
    assert (line["level"], line["route"]) == ("error", "crash/<str:word>/")


def test_a_request_line_has_ids(world: World, lines: io.StringIO, client: Client) -> None:
    user = world.users["audit_administrator"]
    client.force_login(user)
    response = client.get(reverse("audit"))
    (line,) = parsed(lines)
    assert line["request_id"] == response.headers["X-Request-ID"]
    assert (line["user_id"], line["route"], line["method"], line["status"]) == (user.pk, "audit/", "GET", 200)
    assert line["milliseconds"] >= 0 and line["timestamp"].endswith("Z")


def test_refused_input_is_written_with_its_status(world: World, lines: io.StringIO) -> None:
    """Every refusal leaves a line with route, status and ids: of sizes, tokens, characters, forms, ways around."""
    client = Client(enforce_csrf_checks=True)
    client.post(reverse("sign_in"), {"username": MARKED["name"]})  # without a token
    client = Client()
    client.post(reverse("sign_in"), {"username": MARKED["name"]})  # without a password
    client.post(reverse("sign_in"), {"username": "a\x00b"})
    client.post(reverse("sign_in"), CONTENT_LENGTH=str(10**9))
    client.put(reverse("sign_out"))
    client.force_login(world.users["respondent"])
    client.get("/api/v1/review/queue/")
    written = [(line["status"], line["route"]) for line in parsed(lines) if line["event"] == "request"]
    assert [status for status, _route in written] == [403, 422, 400, 413, 405, 404]
    assert not any(value in lines.getvalue() for value in MARKED.values())


@pytest.mark.parametrize(
    ("proposed", "accepted"),
    [
        ("9a1b699de47b493499ba5b4f3690b658", True),
        ("86ddb671-e84c-4942-a5a8-9d29abb5cf98", True),
        ("13912345678", False),
        ("A" * 32, False),
        ("x" * 4000, False),
        ("", False),
        ("9a1b699de47b493499ba5b4f3690b658\n", False),
    ],
)
def test_only_a_well_formed_id_is_accepted(
    proposed: str, accepted: bool, client: Client, settings: Any
) -> None:
    settings.BEHIND_PROXY = True
    given = client.get("/health/", headers={"x-request-id": proposed}).headers["X-Request-ID"]
    assert (given == proposed) is accepted
    assert re.fullmatch(r"[0-9a-f-]{32,36}", given)


def test_only_the_proxy_names_the_id(client: Client, settings: Any) -> None:
    proposed = "9a1b699de47b493499ba5b4f3690b658"

    def given(peer: str) -> str:
        answer = client.get("/health/", headers={"x-request-id": proposed}, REMOTE_ADDR=peer)
        return answer.headers["X-Request-ID"]

    assert given("127.0.0.1") != proposed, "not behind a proxy"
    settings.BEHIND_PROXY, settings.PROXY_ADDRESSES = True, ["10.0.0.0/8"]
    assert [given(peer) == proposed for peer in ("10.1.2.3", "", "192.0.2.1")] == [True, True, False]


def test_lines_of_a_worker_have_the_id_of_the_request(
    world: World, lines: io.StringIO, client: Client, register: Any
) -> None:
    def do(work: Any) -> None:
        logging.getLogger("survey").warning("working")
        if work.job.kind == "first":
            enqueue("second", send=False)

    register("first", do)
    register("second", do)
    request = HttpRequest()
    request.request_id = "9a1b699de47b493499ba5b4f3690b658"  # type: ignore[attr-defined]  # set by the middleware
    token = current_request.set(request)
    job = enqueue("first", send=False)
    current_request.reset(token)
    assert run_waiting("first", "second") == 2
    enqueue("second", send=False)
    assert run_waiting("second") == 1
    written = [line for line in parsed(lines) if line["event"] == "working"]
    assert [line.get("request_id") for line in written] == [request.request_id, request.request_id, None]  # type: ignore[attr-defined]  # set above
    assert written[0]["job_id"] == job.pk


def test_lines_of_a_job_have_its_id(lines: io.StringIO, register: Any) -> None:
    def do(work: Any) -> None:
        logging.getLogger("survey").warning("half done")

    register("noisy", do)
    job = enqueue("noisy", send=False)
    assert run(job.pk)
    logging.getLogger("survey").warning("afterwards")
    inside, outside = parsed(lines)
    assert (inside["job_id"], inside["job_kind"]) == (job.pk, "noisy")
    assert "job_id" not in outside


def test_lines_of_celery_and_gunicorn_are_cleaned(lines: io.StringIO) -> None:
    value = MARKED["answer"]
    logging.getLogger("celery.app.trace").error(
        "Task %(name)s raised %(exc)s", {"name": "survey.jobs.tasks.run_job", "exc": value, "args": value}
    )
    logging.getLogger("gunicorn.error").error("Error handling request %s", f"/x/?q={value}")
    assert [line["event"] for line in parsed(lines)] == [
        "task survey.jobs.tasks.run_job failed",
        "Error handling request",
    ]


def test_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="LOG_FORMAT"):
        logging_settings("xml", "INFO")
