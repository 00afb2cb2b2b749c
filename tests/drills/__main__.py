"""The drill of kills: people work, processes are killed at random, and nothing acknowledged may be lost.

``python -m tests.drills --kills 100 --seed 7``: prints a table of what was acknowledged, lost, doubled and stuck, and
the times to recovery. Ends with 0 only if nothing was lost, doubled or stuck. The seed repeats the order of the kills.

A mail is sent at least once; copies of a mail have the same Message-ID, and receivers drop them. Doubled are
different Message-IDs for one job.
"""

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections import defaultdict
from pathlib import Path
from typing import Any

import environ
from aiosmtpd.controller import Controller

from tests.drills import killing, verdict
from tests.drills.people import Client, Decider, Exporter, Inviter, NoteTaker, Person, Runner, Writer
from tests.drills.system import NOT_INHERITED, ROOT, free_port

PATIENCE = 180  # seconds to recover from one kill
DRAIN = 1200  # seconds for open jobs to end: the lease of a file of a desk is fifteen minutes
RUN_FORM = {
    "snapshot": "now",
    "method": "none",
    "lower": "0.01",
    "upper": "0.99",
    "lonely": "adjust",
    "response_classes": "region",
    "item_nonresponse": "zero",
    "flow_basis": "both",
    "data_enterprises": "categories",
    "growth_form": "combined",
}
NOTE = {"channel": "telephone", "direction": "out", "outcome": "promised"}


class Mailbox:
    """The SMTP server's handler: keeps recipient and Message-ID of each mail."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, str]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Take a mail."""
        for line in envelope.content.decode(errors="replace").splitlines():
            if line.lower().startswith("message-id:"):
                identity = line.partition(":")[2].strip()
                self.mails += [(recipient, identity) for recipient in envelope.rcpt_tos]
                break
        return "250 OK"


class Site:
    """The site as processes of its own."""

    def __init__(self, folder: Path, smtp: int) -> None:
        self.folder, self.port = folder, free_port()
        clean = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
        self.environment = clean | {
            "LOCAL_DIR": str(folder),
            "PLAIN_STATIC": "1",
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(smtp),
            "RUN_LOST_SECONDS": "10",
            "RUN_RESEND_SECONDS": "5",
            "JOB_FOLDER": str(folder / "jobs"),
            "STATIC_ROOT": str(folder / "static"),
            "WEB_WORKERS": "1",
        }
        self.log = (folder / "site.log").open("ab")
        self.process = self.start("--build")

    def start(self, *options: str) -> "subprocess.Popen[bytes]":
        """Start the supervisor."""
        command = [sys.executable, "-m", killing.SUPERVISOR, str(self.port), *options]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=self.environment, stdout=self.log, stderr=self.log, start_new_session=True
        )
        return self.process

    def is_ready(self) -> bool:
        """Whether database and broker answer through proxy and web process."""
        try:
            for probe in ("database", "broker"):
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health/{probe}/", timeout=5).close()
        except OSError:
            return False
        return True

    def ask(self) -> verdict.Ask:
        """A function that asks the database."""
        address = environ.Env.db_url_config((self.folder / "database_url").read_text())
        host = address["HOST"] or address["OPTIONS"]["host"]
        return verdict.connect(
            {"host": host, "port": address["PORT"], "user": "postgres", "dbname": "survey"}
        )

    def stop(self) -> None:
        """Stop everything in order."""
        self.process.terminate()
        try:
            self.process.wait(90)
        except subprocess.TimeoutExpired:
            self.process.kill()


def people_of(data: dict[str, Any], port: int, stop: threading.Event) -> list[Person]:
    """Everybody who works."""
    decisions = iter(data["decisions"])
    units = [unit for _sheet, unit in data["decisions"]]

    def decide(number: int) -> Any:
        sheet = next(decisions, None)
        return sheet and (f"/review/{sheet[0]}/accept/", {}, sheet[0])

    def note(number: int) -> Any:
        text = f"drill {number}"
        return f"/units/{units[number % len(units)]}/contact/", {**NOTE, "text": text}, text

    def run(number: int) -> Any:
        return "/estimation/runs/new/", {**RUN_FORM, "minimum": 10 + number}, number

    def client(session: str) -> Client:
        return Client(port, session, stop)

    def export(number: int) -> Any:
        return "/files/", {"kind": "export_csv", "year": 2025, "state": "all"}, number

    writers: list[Person] = [
        Writer(client(sheet["session"]), sheet["sheet"], sheet["revision"], Writer.KEYS[0])
        for sheet in data["writers"]
    ]
    inviters: list[Person] = []
    for place, sheet in enumerate(data["shares"]):
        own = [sheet]

        def invite_from(number: int, own: Any = own, place: int = place) -> Any:
            sheet = own[0]["sheet"]
            if number > 19:  # open invitations of a sheet are limited
                return None
            address = f"drill-{place}-{number}@example.org"
            fields = {"name": "同事", "email": address, "days": 3, "sections": "P"}
            return f"/sheets/{sheet}/share/", fields, (sheet, address)

        inviters.append(Inviter(client(sheet["session"]), invite_from))
    return [
        *writers,
        *inviters,
        Decider(client(data["province"]), decide),
        NoteTaker(client(data["province"]), note),
        Runner(client(data["methodologist"]), run),
        *(Exporter(client(session), export, user) for session, user in data["reviewers"]),
    ]


def recover(site: Site, processes: killing.Processes, people: list[Person], kind: str, pid: int) -> float:
    """Seconds until a process of the kind runs again, the probes answer and a later save was acknowledged."""
    began = time.monotonic()
    writers = [person for person in people if person.kind == "saves"]
    while time.monotonic() - began < PATIENCE:
        again = [number for number in processes.of(kind) if number != pid]
        if again and site.is_ready() and max(person.last_at for person in writers) > began:
            return time.monotonic() - began
        time.sleep(0.2)
    raise TimeoutError(f"not recovered from the kill of {kind} ({pid})")


def drain(ask: verdict.Ask) -> None:
    """Wait until every job has ended."""
    end = time.monotonic() + DRAIN
    while time.monotonic() < end:
        if ask("SELECT count(*) FROM survey_job WHERE state IN ('waiting', 'running')")[0][0] == 0:
            return
        time.sleep(2)


def report(table: list[verdict.Line], times: dict[str, list[float]], copies: int) -> bool:
    """Print both tables; True when nothing is lost, doubled or stuck."""
    print(f"\n{'kind':<12}{'acknowledged':>14}{'lost':>8}{'doubled':>9}{'stuck':>7}{'repeats':>9}")
    for line in table:
        print(
            f"{line.kind:<12}{line.acknowledged:>14}{line.lost:>8}{line.doubled:>9}{line.stuck:>7}"
            f"{line.repeats:>9}"
        )
        for example in line.examples[:5]:
            print(f"    {example}")
    print(f"copies of mails with the same Message-ID: {copies}\n")
    print(f"{'killed':<16}{'kills':>6}{'median s':>10}{'max s':>8}")
    for kind, seconds in times.items():
        print(f"{kind:<16}{len(seconds):>6}{statistics.median(seconds):>10.1f}{max(seconds):>8.1f}")
    return all(line.is_clean for line in table)


def main() -> int:
    """Run the drill."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    folder = ROOT / ".local" / "kills"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    mailbox, stop = Mailbox(), threading.Event()
    smtp = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    smtp.start()
    site = Site(folder, smtp.port)
    try:
        while not site.is_ready():
            if site.process.poll() is not None:
                print((folder / "site.log").read_text(errors="replace")[-3000:])
                return 2
            time.sleep(1)
        people = people_of(json.loads((folder / "data.json").read_text()), site.port, stop)
        for person in people:
            person.start()
        times = kill_repeatedly(site, people, options.kills, options.seed)
        stop.set()
        for person in people:
            person.join(60)
        drain(site.ask())
        table = verdict.lines(people, mailbox.mails, site.ask())
    finally:
        stop.set()
        site.stop()
        smtp.stop()
    refused = [(person.kind, reason) for person in people for reason in person.refused]
    print(f"refused: {len(refused)} {refused[:5]}")
    clean = report(table, times, len(mailbox.mails) - len(set(mailbox.mails)))
    return 0 if clean and all(max(seconds) < PATIENCE for seconds in times.values()) else 1


def kill_repeatedly(site: Site, people: list[Person], kills: int, seed: int) -> dict[str, list[float]]:
    """Kill process after process, each after the site has recovered from the last; seconds of recovery by kind."""
    source, processes = random.Random(seed), killing.Processes(site.folder)
    times: dict[str, list[float]] = defaultdict(list)
    for number, kind in enumerate(killing.order(kills, seed), 1):
        time.sleep(source.uniform(0.5, 2.5))
        pid = killing.kill(processes, kind, source)
        if kind == "supervisor":
            site.process.wait()
            site.start()
        try:
            seconds = recover(site, processes, people, kind, pid)
        except TimeoutError as error:
            print(f"{number:>4} {error}", flush=True)
            seconds = float("inf")
        times[kind].append(seconds)
        print(f"{number:>4} {kind:<16} {pid:>8} recovered after {seconds:6.1f} s", flush=True)
    return times


if __name__ == "__main__":
    sys.exit(main())
