"""Measure response times and numbers of queries of the pages on the current data.

Everything runs in a transaction that is rolled back, so that saves are not stored. The server time is that of this
process, without network. Ratios are relative to the sign-in page, so that machines can be compared.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management.base import CommandError, CommandParser
from django.db import connection, transaction
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from survey.access.models import RoleAssignment, User
from survey.access.roles import Permission, Role
from survey.collection.models import CollectionRound
from survey.frame.models import ReportingUnit
from survey.management.base import SurveyCommand
from survey.questionnaires.proof.samples import sample_answers
from survey.questionnaires.selectors import definition_for
from survey.submissions.lifecycle.states import EDITABLE, State
from survey.submissions.models import Submission
from survey.submissions.selectors import SHEET_RELATIONS, sheet
from survey.submissions.workbook.presentation import write_workbook

MOST_QUERIES = 30


@dataclass(frozen=True)
class Measure:
    """One page: milliseconds of every request, queries of one."""

    label: str
    milliseconds: list[float]
    queries: int
    size: int

    @property
    def median(self) -> float:
        """Middle of the timings, in milliseconds."""
        return statistics.median(self.milliseconds)

    @property
    def slowest(self) -> float:
        """95th percentile, in milliseconds."""
        return statistics.quantiles(self.milliseconds, n=20)[-1]


class Command(SurveyCommand):
    """``manage.py benchmark_pages``: a table of pages with median, 95th percentile, queries."""

    help = "Measure server time and queries of the chief pages on the present data; changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        """Argument: the number of requests per page."""
        parser.add_argument("--requests", type=int, default=20, help="timed requests a page (20)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure and print."""
        if options["requests"] < 2:
            raise CommandError("--requests must be at least 2.")
        connection.close()
        with transaction.atomic():
            measures = [self.measure(label, ask, options["requests"]) for label, ask in self.pages()]
            transaction.set_rollback(True)
        self.show(measures)

    def show(self, measures: list[Measure]) -> None:
        """Print the table."""
        sheets = Submission.objects.count()
        self.stdout.write(
            f"{sheets:,} sheets; {len(measures[0].milliseconds)} requests a page; milliseconds\n"
        )
        base = measures[0].median
        self.stdout.write(f"{'page':<44}{'median':>9}{'95 %':>9}{'x sign-in':>11}{'queries':>9}{'kB':>8}")
        for measure in measures:
            note = "  more than 30 queries" if measure.queries > MOST_QUERIES else ""
            self.stdout.write(
                f"{measure.label:<44}{measure.median:>9.1f}{measure.slowest:>9.1f}{measure.median / base:>11.1f}"
                f"{measure.queries:>9}{measure.size / 1024:>8.1f}{note}"
            )

    def measure(self, label: str, ask: Callable[[int], Any], requests: int) -> Measure:
        """Two warm-up requests (the second counts queries), then the timed ones."""
        ask(0)
        with CaptureQueriesContext(connection) as captured:
            answer = ask(1)
        queries = len(captured)  # before the next request clears the log
        if answer.status_code != 200:
            raise CommandError(f"{label}: answered {answer.status_code}")
        milliseconds = []
        for number in range(2, requests + 2):
            began = time.perf_counter()
            ask(number)
            milliseconds.append((time.perf_counter() - began) * 1000)
        return Measure(label, milliseconds, queries, len(answer.content))

    def pages(self) -> list[tuple[str, Callable[[int], Any]]]:
        """Label and request function of every page that can be measured on these data."""
        anonymous = browser()
        measured: list[tuple[str, Callable[[int], Any]]] = [
            ("sign-in", get_of(anonymous, reverse("sign_in")))
        ]
        measured += self.respondent_pages()
        for role, label, paths in (
            (Role.PROVINCIAL_ADMINISTRATOR, "province", ("review_queue", "progress_board", "unit_list")),
            (Role.REVIEWER, "nation", ("review_queue", "progress_board", "unit_list")),
            (Role.METHODOLOGIST, "methods", ("runs", "results", "truth")),
            (Role.DESIGNER, "designer", ("questionnaires", "rounds", "rules")),
        ):
            client = self.client_of(role)
            if client is not None:
                measured += [(f"{label}: {name}", get_of(client, reverse(name))) for name in paths]
        measured += self.review_pages()
        return measured

    def client_of(self, role: Role) -> Client | None:
        """A signed-in client of a user with this role; for provincial administrators, of the largest province."""
        users = _users_with(role)
        if role is Role.PROVINCIAL_ADMINISTRATOR:
            regions = RoleAssignment.objects.filter(role=role, ended_at=None).values("region")
            units = ReportingUnit.objects.filter(review_region__in=regions).values_list("review_region")
            largest = units.annotate(n=Count("pk")).order_by("-n")[:1]
            users = users.filter(assignments__region__in=[code for code, _count in largest])
        user = users.first()
        if user is None:
            return None
        client = browser()
        client.force_login(user)
        return client

    def respondent_pages(self) -> list[tuple[str, Callable[[int], Any]]]:
        """Pages of the longest open form: task list, hub, longest section, summary, autosave."""
        sheets = []
        for user in _users_with(Role.RESPONDENT)[:40]:
            open_sheets = Submission.objects.visible_to(user, Permission.RESPOND).filter(
                round__state=CollectionRound.State.OPEN, state__in=EDITABLE - {State.NOT_STARTED}
            )
            sheets += [(user, row) for row in open_sheets.select_related("assignment__version")]
        if not sheets:
            return []
        user, row = max(sheets, key=lambda pair: len(definition_for(pair[1].assignment.version).items))
        form = definition_for(row.assignment.version)
        section = max(form.sections, key=lambda candidate: len(candidate.items))
        client = browser()
        client.force_login(user)
        items = f"{len(form.items)} items"
        return [
            ("respondent: task list", get_of(client, reverse("tasks"))),
            (f"respondent: hub, {items}", get_of(client, reverse("sheet_hub", args=[row.pk]))),
            (
                f"respondent: section of {len(section.items)} items",
                get_of(client, reverse("sheet_section", args=[row.pk, section.code])),
            ),
            (f"respondent: findings, {items}", get_of(client, reverse("sheet_findings", args=[row.pk]))),
            (f"respondent: summary, {items}", get_of(client, reverse("sheet_summary", args=[row.pk]))),
            (f"respondent: autosave, {items}", _autosave(client, row)),
            (f"respondent: workbook, {items}", get_of(client, reverse("sheet_workbook", args=[row.pk]))),
            (f"respondent: check of an upload, {items}", _upload(client, row)),
        ]

    def review_pages(self) -> list[tuple[str, Callable[[int], Any]]]:
        """A sheet on the national desk."""
        user = _users_with(Role.REVIEWER).first()
        if user is None:
            return []
        waiting = (
            Submission.objects.visible_to(user, Permission.REVIEW).filter(state=State.NATIONAL_REVIEW).first()
        )
        client = self.client_of(Role.REVIEWER)
        if waiting is None or client is None:
            return []
        return [("nation: review of a sheet", get_of(client, reverse("review_sheet", args=[waiting.pk])))]


def _users_with(role: Role) -> QuerySet[User]:
    has_role = Exists(RoleAssignment.objects.filter(user=OuterRef("pk"), role=role, ended_at=None))
    return User.objects.filter(has_role, is_active=True).order_by("pk")


def browser() -> Client:
    """A client without a session."""
    host = settings.ALLOWED_HOSTS[0].lstrip(".") if settings.ALLOWED_HOSTS else "localhost"
    return Client(headers={"host": "localhost" if host == "*" else host})


def get_of(client: Client, path: str) -> Callable[[int], Any]:
    """The request function of a page."""
    return lambda _number: client.get(path, secure=True)


def _upload(client: Client, row: Submission) -> Callable[[int], Any]:
    """Upload a workbook with answers to the complete form; the response shows the changes."""
    current = sheet(Submission.objects.select_related(*SHEET_RELATIONS).get(pk=row.pk))
    answers = sample_answers(current.definition, current.context, 0, current.previous)
    data = write_workbook(current.with_answers(answers), "zh-hans")
    path = reverse("sheet_upload", args=[row.pk])
    return lambda _number: client.post(path, {"file": SimpleUploadedFile("form.xlsx", data)}, secure=True)


def _autosave(client: Client, row: Submission) -> Callable[[int], Any]:
    """Save a changed amount of a sheet, as the page does after each cell."""
    form = definition_for(row.assignment.version)
    key = next(code for code, item in form.items.items() if item.type == "quantity" and not item.computed)
    path = reverse("sheet_save", args=[row.pk, form.section_of(key).code])
    unit = form.items[key].unit

    def save(number: int) -> Any:
        revision = Submission.objects.values_list("revision", flat=True).get(pk=row.pk)
        values = {"revision": revision, "cell": key, f"{key}.base": revision, f"{key}.value": 1000 + number}
        return client.post(path, values | {f"{key}.unit": unit}, headers={"HX-Request": "true"}, secure=True)

    return save
