"""Many people who save at once, as their browsers do: the client half of the load drill and of its benchmark.

Knows HTTP and nothing else. A writer owns one cell of a sheet, waits for each answer before the next value, and
sends a value again when no answer or 503 came, as the page does; so whatever was acknowledged must be found later.
"""

import http.client
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import urlencode

TOKEN = "d" * 32  # CSRF: cookie and header agree
READ_EVERY = 4  # saves between two looks at the whole section
TRIES = 20


@dataclass(frozen=True, slots=True)
class Target:
    """One open page: whose session it is, the section's address, the cell and its unit, the revision it shows."""

    session: str
    section: str
    key: str
    unit: str
    revision: int


@dataclass(slots=True)
class Tally:
    """What one writer has seen: acknowledged values in order, status codes, seconds of saves and of reads."""

    target: Target
    acknowledged: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    saves: list[float] = field(default_factory=list)
    reads: list[float] = field(default_factory=list)
    refused: int = 0

    @property
    def failures(self) -> int:
        """Answers that were neither a save nor a page; 0 stands for a broken connection."""
        return sum(count for status, count in self.statuses.items() if status != 200)


def work(
    host: str, port: int, targets: Sequence[Target], values: Iterable[str], seconds: float
) -> list[Tally]:
    """Save ``values`` to all targets at the same time, for at most ``seconds``."""
    texts = list(values)
    end = time.monotonic() + seconds
    with ThreadPoolExecutor(max(1, len(targets))) as pool:
        return list(pool.map(lambda target: _Writer(host, port, target, end).type(texts), targets))


class _Writer:
    """One browser with one kept connection."""

    def __init__(self, host: str, port: int, target: Target, end: float) -> None:
        self.connection = http.client.HTTPConnection(host, port, timeout=30)
        self.target, self.end = target, end
        self.revision = target.revision
        self.tally = Tally(target)

    def type(self, values: Sequence[str]) -> Tally:
        """Save one value after the other, looking at the page now and then."""
        for number, value in enumerate(values):
            if time.monotonic() > self.end:
                break
            self._save(value)
            if number % READ_EVERY == 0:
                began = time.perf_counter()
                self._ask("GET", self.target.section)
                self.tally.reads.append(time.perf_counter() - began)
        self.connection.close()
        return self.tally

    def _save(self, value: str) -> None:
        key = self.target.key
        body = urlencode(
            {
                "revision": self.revision,
                "cell": key,
                f"{key}.base": self.revision,
                f"{key}.value": value,
                f"{key}.unit": self.target.unit,
            }
        )
        for attempt in range(TRIES):
            began = time.perf_counter()
            status, headers = self._ask("POST", f"{self.target.section}save/", body)
            if status == 200:
                self.tally.saves.append(time.perf_counter() - began)
                if key in headers.get("Sheet-Refused", "").split():
                    self.tally.refused += 1
                    return
                self.revision = int(headers["Sheet-Revision"])
                self.tally.acknowledged.append(value)
                return
            if status not in {0, 503}:
                return
            time.sleep(0.1 * (attempt + 1))

    def _ask(self, method: str, path: str, body: str | None = None) -> tuple[int, dict[str, str]]:
        headers = {
            "Cookie": f"csrftoken={TOKEN}; sessionid={self.target.session}",
            "X-CSRFToken": TOKEN,
            "HX-Request": "true",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        try:
            self.connection.request(method, path, body, headers if body else {"Cookie": headers["Cookie"]})
            answer = self.connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.tally.statuses[0] += 1
            return 0, {}
        self.tally.statuses[answer.status] += 1
        return answer.status, dict(answer.headers)
