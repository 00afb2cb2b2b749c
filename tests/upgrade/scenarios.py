"""What people do during an upgrade: sign in, save, file, review, read. Each step goes to the next of the given hosts.

Knows HTTP and nothing else.
"""

import http.client
import itertools
import json
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from tests.upgrade.hosts import PATIENCE

TOKEN = "d" * 32  # CSRF token, the same in cookie and header


class StepError(Exception):
    """A step was not answered as it should be."""


class Browser:
    """Sends each request to the next port."""

    def __init__(self, ports: Iterable[int]) -> None:
        self.ports = itertools.cycle(ports)
        self.session = ""

    def send(
        self,
        method: str,
        path: str,
        fields: dict[str, Any] | None = None,
        *,
        expected: int = 200,
        script: bool = False,
    ) -> tuple[str, dict[str, str]]:
        """Text and headers of the answer. Raises StepError for another status than the expected."""
        port = next(self.ports)
        cookies = f"csrftoken={TOKEN}" + (f"; sessionid={self.session}" if self.session else "")
        headers = {"Cookie": cookies, "X-CSRFToken": TOKEN} | ({"HX-Request": "true"} if script else {})
        body = None
        if fields is not None:
            body = urlencode({"csrfmiddlewaretoken": TOKEN, "idempotency_key": uuid4().hex, **fields})
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            raise StepError(f"{method} {path} at {port}: {error!r}") from error
        finally:
            connection.close()
        if answer.status != expected:
            raise StepError(f"{method} {path} at {port}: {answer.status} instead of {expected}")
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie" and value.startswith("sessionid="):
                self.session = value.partition(";")[0].removeprefix("sessionid=")
        return text, dict(answer.getheaders())

    def sign_in(self, account: str, password: str) -> None:
        """A new session."""
        self.session = ""
        self.send("POST", "/sign-in/", {"username": account, "password": password}, expected=302)
        if not self.session:
            raise StepError(f"{account} has no session")


def carry_out(data: dict[str, Any], scenario: dict[str, Any], ports: Iterable[int]) -> Iterator[str]:
    """Names of the steps, each when it has succeeded. Raises StepError at the first that has not."""
    browser, sheet, revision = Browser(ports), scenario["sheet"], scenario["revision"]
    browser.sign_in(scenario["account"], data["password"])
    yield "sign in"
    browser.send("GET", "/tasks/")
    browser.send("GET", f"/sheets/{sheet}/sections/P/")
    yield "read"
    kept = scenario["P06"]
    for value in (str(float(kept["entered"]) + 1), kept["entered"]):
        fields = {
            "revision": revision,
            "cell": "P06",
            "P06.base": revision,
            "P06.value": value,
            "P06.unit": kept["unit"],
        }
        _text, headers = browser.send("POST", f"/sheets/{sheet}/sections/P/save/", fields, script=True)
        if "P06" in headers.get("Sheet-Refused", "").split():
            raise StepError(f"the value {value} is refused")
        revision = int(headers["Sheet-Revision"])
    yield "save"
    signed = {**data["signatories"], "statement": "on", "revision": revision}
    browser.send("POST", f"/sheets/{sheet}/submit/", signed, expected=302)
    text, _headers = browser.send("GET", f"/sheets/{sheet}/receipt/")
    if data["signatories"]["unit_head"] not in text:
        raise StepError("the receipt does not name who signed")
    yield "file"
    browser.sign_in("province", data["password"])
    browser.send("GET", "/review/")
    browser.send("POST", f"/review/{sheet}/accept/", {}, expected=302)
    yield "review"
    for language, title in (("zh", "调查报告"), ("en", "Survey report")):
        text, _headers = browser.send("GET", f"/{language}/")
        if title not in text:
            raise StepError(f"the public page /{language}/ does not show the release")
    yield "public page"


def read(path: Any) -> dict[str, Any]:
    """What ``build`` wrote."""
    return dict(json.loads(path.read_text()))
