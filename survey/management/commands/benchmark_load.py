"""Measure a running server under concurrent saves, and check that every acknowledged save is stored.

For a rehearsal only: the writers are its respondents with their open sheets, and each cell is reset to its first value
in the end. One writer is measured first, then all, so that results can be compared as a ratio.
"""

import statistics
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import cycle, islice
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import CommandError
from django.db import connection
from django.test import Client
from django.urls import reverse

from survey.access.models import User
from survey.access.roles import Permission, Role
from survey.collection.models import CollectionRound
from survey.management.base import SurveyCommand
from survey.questionnaires.selectors import definition_for
from survey.submissions.lifecycle.states import EDITABLE, State
from survey.submissions.models import Submission, SubmissionEvent
from survey.submissions.selectors import sheet_of
from tests.drills.load_client import Tally, Target, work
from tests.drills.sign_in_client import SignIn, sign_in_together

MOST_VALUES = 100_000
PATIENCE = 120  # seconds that people go on trying to sign in


class Command(SurveyCommand):
    """``manage.py benchmark_load --url http://127.0.0.1:8000``: saves per second, response times, lost saves."""

    help = "Let the respondents of a rehearsal save at the same time on a running server, and look for lost saves."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Arguments: URL, number of cells, duration."""
        parser.add_argument("--url", default="http://127.0.0.1:8000", help="a server on this machine")
        parser.add_argument(
            "--cells", type=int, default=4, help="cells of a sheet that are filled at once (4)"
        )
        parser.add_argument("--seconds", type=float, default=20)
        parser.add_argument(
            "--sign-ins", type=int, default=0, help="measure again while so many people sign in at once"
        )
        parser.add_argument("--password", default="", help="the password of the rehearsal's accounts")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure and check. Raises CommandError when an acknowledged save is missing."""
        if not settings.SYNTHETIC_BANNER:
            raise CommandError("Only in a rehearsal: this command types into sheets.")
        where = urlsplit(options["url"])
        if where.hostname not in {"127.0.0.1", "localhost", "::1"}:
            raise CommandError("--url must be on the loopback address of this machine.")
        targets, first = self.targets(options["cells"])
        if not targets:
            raise CommandError("No respondent with an account has an open sheet that has been begun.")
        values = [str(1_000_000 + number) for number in range(MOST_VALUES)]
        host, port, seconds = where.hostname or "", where.port or 80, options["seconds"]
        try:
            alone = work(host, port, targets[:1], values, seconds)
            together = work(host, port, self.refreshed(targets), values, seconds)
            signed_in, beside = self.with_sign_ins(host, port, targets, values, options)
        finally:
            back = [
                work(host, port, [target], [text], 60)[0] for target, text in self.as_before(targets, first)
            ]
        sheets = len({sheet_number(target) for target in targets})
        self.show("one writer", alone, seconds)
        self.show(f"{len(targets)} writers on {sheets} sheets", together, seconds)
        if signed_in:
            self.show(f"the same while {len(signed_in)} people sign in", beside, seconds)
            self.show_sign_ins(signed_in)
        lost = sum(missing(tally) for tally in [*alone, *together, *beside])
        waiting = _idle_in_transaction()
        self.stdout.write(f"acknowledged saves that are not in the sheet's history: {lost}")
        self.stdout.write(f"connections left inside a transaction: {waiting}")
        self.stdout.write(
            f"cells that have their first value again: {sum(t.refused == 0 for t in back)} of {len(back)}"
        )
        if lost or waiting:
            raise CommandError("The server lost what it had acknowledged, or left a transaction open.")

    def targets(self, cells: int) -> tuple[list[Target], list[tuple[str, str]]]:
        """Some amounts of every open sheet of a respondent with an account, and the first value and unit of each."""
        targets: list[Target] = []
        first: list[tuple[str, str]] = []
        done: set[int] = set()
        for user in User.objects.filter(assignments__role=Role.RESPONDENT, is_active=True).order_by("pk"):
            rows = Submission.objects.visible_to(user, Permission.RESPOND).filter(
                round__state=CollectionRound.State.OPEN, state__in=EDITABLE - {State.NOT_STARTED}
            )
            session = _session(user)
            for row in rows.select_related("assignment__version").exclude(pk__in=done):
                done.add(row.pk)
                for code, section in _amounts(row)[:cells]:
                    path, cell = reverse("sheet_section", args=[row.pk, section]), row.answers.get(code) or {}
                    unit = cell.get("unit") or definition_for(row.assignment.version).items[code].unit
                    targets.append(Target(session, path, code, unit, row.revision))
                    first.append((str(cell.get("entered") or cell.get("value") or ""), unit))
        return targets, first

    def refreshed(self, targets: list[Target]) -> list[Target]:
        """The targets with the current revisions of their sheets."""
        revisions = dict(Submission.objects.values_list("pk", "revision"))
        return [replace(target, revision=revisions[sheet_number(target)]) for target in targets]

    def with_sign_ins(
        self, host: str, port: int, targets: list[Target], values: list[str], options: dict[str, Any]
    ) -> tuple[list[SignIn], list[Tally]]:
        """Let people sign in while the writers save; nothing without ``--sign-ins``."""
        number, seconds = options["sign_ins"], options["seconds"]
        if not number:
            return [], []
        users = User.objects.filter(is_active=True, is_synthetic=True).order_by("pk")
        names = [user.username for user in users[:100] if user.check_password(options["password"])]
        if not names:
            raise CommandError("--password is not the one of the rehearsal's accounts.")
        accounts = list(islice(cycle(names), number))
        targets = self.refreshed(targets)
        with ThreadPoolExecutor(1) as pool:
            people = pool.submit(
                sign_in_together, host, port, accounts, options["password"], seconds + PATIENCE
            )
            beside = work(host, port, targets, values, seconds)
            return people.result(), beside

    def show_sign_ins(self, people: list[SignIn]) -> None:
        """Print how the people who signed in fared."""
        taken = sorted(person.seconds for person in people if person.done)
        if len(taken) < 2:
            raise CommandError("Hardly anybody could sign in: is --password the one that demo printed?")
        retries, others = (
            sum(person.retries for person in people),
            Counter(person.status for person in people if not person.done),
        )
        self.stdout.write(
            f"signed in: {len(taken)} of {len(people)}, after {statistics.median(taken):.1f} s"
            f" (95 %: {statistics.quantiles(taken, n=20)[-1]:.1f} s); asked to try again {retries} times;"
            f" status of the others: {dict(others)}"
        )

    def as_before(self, targets: list[Target], first: list[tuple[str, str]]) -> Iterator[tuple[Target, str]]:
        """Each target with its first value; the revision is read one by one, because each save changes it."""
        for target, (text, unit) in zip(targets, first, strict=True):
            yield replace(self.refreshed([target])[0], unit=unit), text

    def show(self, label: str, tallies: list[Tally], seconds: float) -> None:
        """Print rates and response times of one measurement."""
        saves = sorted(duration for tally in tallies for duration in tally.saves)
        reads = sorted(duration for tally in tallies for duration in tally.reads)
        if len(saves) < 2 or len(reads) < 2:
            raise CommandError(f"{label}: the server hardly answered.")
        failures = sum(tally.failures for tally in tallies)
        refused = sum(tally.refused for tally in tallies)
        self.stdout.write(
            f"{label}: {len(saves) / seconds:,.0f} saves and {len(reads) / seconds:,.0f} section pages a second;"
            f" a save takes {_shown(saves)}, a page {_shown(reads)}; refused {refused}, failed {failures}"
        )


def _session(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def _amounts(row: Submission) -> list[tuple[str, str]]:
    """Amounts of a sheet that can be entered, with their sections, except those with a missing reason."""
    form, sheet = definition_for(row.assignment.version), sheet_of(row)
    return [
        (code, form.section_of(code).code)
        for code, item in form.items.items()
        if item.type == "quantity"
        and not item.computed
        and code in sheet.relevant
        and "missing" not in (row.answers.get(code) or {})
    ]


def sheet_number(target: Target) -> int:
    """The primary key of the sheet in the address of a section."""
    return int(target.section.split("/")[2])


def missing(tally: Tally) -> int:
    """Number of acknowledged values that are not in the history of the sheet."""
    events = SubmissionEvent.objects.filter(submission=sheet_number(tally.target), item=tally.target.key)
    values = {
        str(cell.get("entered") or cell.get("value")) for cell in events.values_list("new", flat=True) if cell
    }
    return sum(value not in values for value in tally.acknowledged)


def _shown(seconds: list[float]) -> str:
    middle, high = statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1]
    return f"{middle * 1000:.0f} ms (95 %: {high * 1000:.0f} ms)"


def _idle_in_transaction() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND datname = current_database()"
        )
        return int(cursor.fetchone()[0])
