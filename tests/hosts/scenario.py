"""What happens: people work, a web host and a worker are lost, and the report is published all the same."""

import hashlib
import json
import threading
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

from tests.drills.__main__ import RUN_FORM
from tests.drills.people import Writer
from tests.drills.system import wait_for
from tests.hosts.network import Host
from tests.hosts.people import Browser
from tests.hosts.site import NAME, Site


class Scenario:
    """The people and what they have done. ``progress`` is called with every step."""

    def __init__(self, site: Site, progress: Callable[[str], None]) -> None:
        self.site, self.progress, self.stop = site, progress, threading.Event()
        self.browsers: list[Browser] = []
        self.writers: list[Writer] = []
        self.filed: list[int] = []
        self.accepted: list[int] = []
        self.run = self.release = 0
        self.files = 0
        self.lost: list[str] = []

    def browser(self) -> Browser:
        """A new browser on the clients' host."""
        browser = Browser(NAME, self.site.hosts["proxy"].address, self.site.certificate, self.stop)
        self.browsers.append(browser)
        return browser

    def wait_until_open(self) -> None:
        """Until web hosts, database, broker, files and a worker answer through the proxy."""
        browser = self.browser()
        wait_for(lambda: browser.get("/health/ready/")[0] == 200, "the site does not open")
        browser.repeats, browser.longest = 0, 0.0

    def sign_in(self, name: str) -> Browser:
        """The browser of somebody who is known by name."""
        return self.browser().sign_in(self.site.known[name])

    def write(self) -> None:
        """Respondents who save until the end."""
        for known, key in zip(self.site.known["writers"], Writer.KEYS, strict=False):
            writer = Writer(self.browser().sign_in(known), known["sheet"], known["revision"], key)
            writer.start()
            self.writers.append(writer)

    def fill_and_file(self, filer: dict[str, Any]) -> None:
        """A respondent saves one cell after the other and files the sheet."""
        browser = self.browser().sign_in(filer)
        sheet, revision = filer["sheet"], filer["revision"]
        for key, cell in filer["cells"].items():
            fields = {"revision": revision, "cell": key, f"{key}.base": revision}
            fields |= {f"{key}.value": cell.get("entered", cell["value"]), f"{key}.unit": cell["unit"]}
            status, headers = browser.post(f"/sheets/{sheet}/sections/P/save/", fields, script=True)
            if status != 200 or headers["Sheet-Refused"]:
                raise RuntimeError(f"{key} of sheet {sheet}: {status} {headers.get('Sheet-Refused')}")
            revision = int(headers["Sheet-Revision"])
        form = self.site.known["signatories"] | {
            "statement": "on",
            "revision": revision,
            "idempotency_key": uuid4().hex,
        }
        browser.act(f"/sheets/{sheet}/submit/", **form)
        self.filed.append(sheet)

    def review(self, province: Browser, centre: Browser, sheet: int) -> None:
        """Accepted by the province, then by the centre."""
        for desk in (province, centre):
            desk.act(f"/review/{sheet}/accept/", idempotency_key=uuid4().hex)
        self.accepted.append(sheet)

    def lose(self, host: Host) -> None:
        """A host fails."""
        host.lose()
        self.lost.append(host.name)
        self.progress(f"{host.name} is lost")

    def run_on_a_worker_that_is_lost(self, methodologist: Browser) -> None:
        """Order a run; the worker that computes it is lost before it has stored the result."""
        database = self.site.database
        waiting = (
            "SELECT host(a.client_addr) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
            " WHERE NOT l.granted AND l.relation = 'estimation_estimate'::regclass AND a.client_addr IS NOT NULL"
        )
        # A lock holds the run where it stores, so that its worker is lost in the middle and not after it.
        with database.connect() as blocker, blocker.transaction():
            blocker.execute("LOCK TABLE estimation_estimate IN ACCESS EXCLUSIVE MODE")
            form = RUN_FORM | {"minimum": "10", "idempotency_key": uuid4().hex}
            address = methodologist.act("/estimation/runs/new/", **form)
            self.run = int(address.rstrip("/").rpartition("/")[2])
            self.progress(f"run {self.run} is ordered")
            rows = wait_for(lambda: database.ask(waiting), "no worker comes to storing the run")
            host = self.site.host_at(rows[0][0])
            self.lose(host)
        if host.name == self.site.beat_host:
            other = next(name for name in ("worker1", "worker2") if name != host.name)
            self.site.start_beat(other)
            self.progress(f"beat is started on {other}")
        state = "SELECT state FROM estimation_estimationrun WHERE id = %s"
        wait_for(lambda: database.ask(state, self.run)[0][0] == "finished", "the run does not finish", 300)

    def publish(self, preparer: Browser, publisher: Browser) -> None:
        """One prepares a release of the run, another one publishes it; then it is read as the public does."""
        address = preparer.act("/estimation/releases/prepare/", run=self.run, idempotency_key=uuid4().hex)
        self.release = int(address.rstrip("/").rpartition("/")[2])
        for action in ("validate", "publish"):
            form = {"action": action, "idempotency_key": uuid4().hex}
            publisher.act(f"/estimation/releases/{self.release}/act/", **form)
        rows = self.site.database.ask(
            "SELECT state, checks FROM estimation_release WHERE id = %s", self.release
        )
        if rows[0][0] != "published":
            raise RuntimeError(f"the release is a {rows[0][0]}: {json.dumps(rows[0][1])[:2000]}")
        self.progress("the release is published")
        public = self.browser()
        for path in ("/zh/2025/", "/zh/2025/report/"):
            if public.get(path)[0] != 200:
                raise RuntimeError(f"{path} is not shown")
        wait_for(lambda: public.get("/zh/2025/files/")[0] == 200, "the files are not built")
        manifest = json.loads(public.get("/zh/2025/files/manifest.json")[1])
        for entry in manifest["files"]:
            status, body = public.get(f"/zh/2025/files/{entry['path']}")
            if status != 200 or hashlib.sha256(body).hexdigest() != entry["sha256"]:
                raise RuntimeError(f"{entry['path']}: {status}, not the file that was built")
            self.files += 1

    def execute(self) -> None:
        """All of it, in order."""
        filers = self.site.known["filers"]
        self.write()
        self.fill_and_file(filers[0])
        self.progress("the first sheet is filed")
        province, centre = self.sign_in("province"), self.sign_in("centre")
        self.review(province, centre, filers[0]["sheet"])
        self.lose(self.site.hosts["web1"])
        for filer in filers[1:]:
            self.fill_and_file(filer)
            self.review(province, centre, filer["sheet"])
        self.progress("further sheets are filed and accepted")
        self.run_on_a_worker_that_is_lost(self.sign_in("methodologist"))
        self.progress("the run is finished")
        self.publish(self.sign_in("preparer"), self.sign_in("publisher"))
        self.progress(f"{self.files} files of the report are read")

    def end(self) -> None:
        """The writers stop."""
        for writer in self.writers:
            before = len(writer.acknowledged)
            wait_for(partial(self._has_saved, writer, before), "a writer no longer saves")
        self.stop.set()
        for writer in self.writers:
            writer.join(60)

    def _has_saved(self, writer: Writer, before: int) -> bool:
        return len(writer.acknowledged) > before
