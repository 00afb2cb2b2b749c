"""People who work while processes are killed. Each repeats a request until it is answered, as the pages do.

Knows HTTP and nothing else. What was acknowledged is kept, and later looked up in the database by ``verdict``.
"""

import http.client
import itertools
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

TOKEN = "d" * 32  # CSRF token, the same in cookie and header
LONGEST_PAUSE = 3.0  # seconds; the pages wait up to 30


class Client:
    """One browser. ``post`` repeats what was not answered, or answered with 5xx or 429."""

    def __init__(self, port: int, session: str, stop: threading.Event) -> None:
        self.port, self.session, self.stop = port, session, stop
        self.repeats = 0

    def post(self, path: str, fields: dict[str, Any], *, script: bool = False) -> tuple[int, dict[str, str]]:
        """Status and headers of the first answer that is no outage; (0, {}) when the drill has ended before."""
        body = urlencode({"csrfmiddlewaretoken": TOKEN, **fields}, doseq=True)
        pause = 0.2
        while True:
            status, headers = self._send(path, body, script)
            if status and status < 500 and status != 429:
                return status, headers
            self.repeats += 1
            if self.stop.wait(pause):
                return 0, {}
            pause = min(LONGEST_PAUSE, pause * 2)

    def _send(self, path: str, body: str, script: bool) -> tuple[int, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {
            "Cookie": f"csrftoken={TOKEN}; sessionid={self.session}",
            "X-CSRFToken": TOKEN,
            "Content-Type": "application/x-www-form-urlencoded",
        } | ({"HX-Request": "true"} if script else {})
        try:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status, dict(answer.headers)
        except (OSError, http.client.HTTPException):
            return 0, {}
        finally:
            connection.close()


class Person(threading.Thread):
    """Acts until the drill ends. ``acknowledged`` has what the site said it has done."""

    kind = ""
    pause = 0.5

    def __init__(self, client: Client) -> None:
        super().__init__(daemon=True)
        self.client = client
        self.acknowledged: list[Any] = []
        self.refused: list[Any] = []
        self.unanswered = 0  # the last request, when the drill ended before its answer
        self.last_at = 0.0

    def run(self) -> None:
        """Called by ``start``."""
        for number in itertools.count(1):
            if self.client.stop.wait(self.pause):
                return
            began = time.monotonic()
            done = self.act(number)
            if done is None:
                continue
            self.acknowledged.append(done)
            self.last_at = began

    def act(self, number: int) -> Any:
        """Act once; what identifies the act when it was acknowledged, else None."""
        raise NotImplementedError


class Writer(Person):
    """Saves one value after the other to one cell."""

    kind, pause = "saves", 0.3
    KEYS = ("P06", "P07", "P08")

    def __init__(self, client: Client, sheet: int, revision: int, key: str) -> None:
        super().__init__(client)
        self.sheet, self.revision, self.key = sheet, revision, key

    def act(self, number: int) -> Any:
        fields = {
            "revision": self.revision,
            "cell": self.key,
            f"{self.key}.base": self.revision,
            f"{self.key}.value": str(number),
            f"{self.key}.unit": "TB",
        }
        status, headers = self.client.post(f"/sheets/{self.sheet}/sections/P/save/", fields, script=True)
        if status != 200 or self.key in headers.get("Sheet-Refused", "").split():
            if status:
                self.refused.append((status, number))
            return None
        self.revision = int(headers["Sheet-Revision"])
        return str(number)


class Sender(Person):
    """Sends one form after the other, each with a key of its own."""

    def __init__(self, client: Client, form: Callable[[int], tuple[str, dict[str, Any], Any] | None]) -> None:
        super().__init__(client)
        self.form = form

    def act(self, number: int) -> Any:
        form = self.form(number)
        if form is None:
            return None
        path, fields, name = form
        status, headers = self.client.post(path, {**fields, "idempotency_key": uuid4().hex})
        if status in {200, 302}:
            return self.identity(name, headers)
        if status:
            self.refused.append((status, name))
        else:
            self.unanswered = 1
        return None

    def identity(self, name: Any, headers: dict[str, str]) -> Any:
        """What the database is asked for."""
        return name


class Decider(Sender):
    kind, pause = "decisions", 2.0


class NoteTaker(Sender):
    kind = "notes"


class Inviter(Sender):
    kind, pause = "mails", 1.5


class Exporter(Sender):
    """Orders files; they have no name of their own, so they are counted by person."""

    kind, pause = "exports", 5.0

    def __init__(self, client: Client, form: Any, user: int) -> None:
        super().__init__(client, form)
        self.user = user


class Runner(Sender):
    kind, pause = "runs", 15.0

    def identity(self, name: Any, headers: dict[str, str]) -> Any:
        return int(headers["Location"].rstrip("/").rpartition("/")[2])
