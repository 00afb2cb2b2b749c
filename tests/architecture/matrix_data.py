"""Test data of the permission matrix: the same sheets, in every state, in two provinces, and the actors."""

import datetime as dt
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import make_password
from django.test import Client, RequestFactory
from django.test.client import ClientHandler
from django.utils import timezone

from estimation.design.models import SampleDesign
from estimation.external.models import ExternalFile, ExternalSeries
from estimation.releases.models import Release
from estimation.releases.services import prepare_release
from estimation.report.services import build_files
from estimation.runs import services as runs
from estimation.runs.bootstrap import services as services_bootstrap
from estimation.runs.compute.spec import RunSpec, Winsorization
from estimation.runs.models import EstimationRun
from survey.access.models import ActivationCode, RoleAssignment, User
from survey.access.roles import Role
from survey.collection.models import CollectionRound
from survey.fieldwork.models import DeskJob, Reminder, ReminderBatch
from survey.frame import services as frame
from survey.frame.columns import COUNT_COLUMNS
from survey.frame.files import csv_bytes
from survey.frame.models import FrameImport
from survey.jobs.messages import STOPPED
from survey.jobs.models import Job
from survey.jobs.services import run as run_job
from survey.ledgers.models import LedgerExport
from survey.questionnaires.models import QuestionnaireVersion
from survey.retention.models import LegalHold
from survey.review.bulk.models import BulkAcceptance, BulkMember
from survey.submissions.comments.models import CorrectionSlip, ReviewQuery
from survey.submissions.evidence import services as evidence
from survey.submissions.evidence.selectors import DESK
from survey.submissions.lifecycle.states import State
from survey.submissions.models import Explanation, SectionInvitation, Submission
from survey.submissions.selectors import sheet
from tests.estimation.design.population import Population
from tests.estimation.public.small import put_out
from tests.estimation.runs.country import Country
from tests.factories import make_sheet, make_unit, make_user

INSIDE, OUTSIDE = "320000", "330000"
PASSWORD = "Jade-Harbour-2031"


class CachedUserBackend(ModelBackend):
    """Reads each user once with its grants and returns copies: the actors do not change during the tests."""

    users: ClassVar[dict[int, User]] = {}

    def get_user(self, user_id: int) -> User | None:
        """The actor, unless the account is closed."""
        if user_id not in self.users:
            user: Any = super().get_user(user_id)
            if user is None:
                return None
            user.grants()
            self.users[user_id] = user
        return copy(self.users[user_id])


class Browser(RequestFactory):
    """Sends a request through the whole middleware chain. Unlike the test client it records no template contexts."""

    def __init__(self, *, strict: bool = False) -> None:
        super().__init__()
        self.handler = ClientHandler(enforce_csrf_checks=strict)

    def request(self, **request: Any) -> Any:
        """The response; an exception of a view gives 500, as on a server."""
        environment: Any = self
        return self.handler(environment._base_environ(**request))


# Shared by all actors: each instance loads the middleware chain once.
PLAIN, STRICT = Browser(), Browser(strict=True)
# More sheets than states: some actions need a sheet with something attached to it.
STATES = {
    "fresh": State.NOT_STARTED,
    "open": State.IN_PROGRESS,
    "unusual": State.IN_PROGRESS,
    "returned": State.RETURNED,
    "filed": State.SUBMITTED,
    "asked": State.SUBMITTED,
    "explained": State.SUBMITTED,
    "national": State.NATIONAL_REVIEW,
    "accepted": State.ACCEPTED,
    "exempted": State.EXEMPTED,
    "invalidated": State.INVALIDATED,
}


@dataclass
class RegionData:
    """Rows of one province: a sheet in every state, each of a unit of its own, and what belongs to these sheets."""

    code: str
    sheets: dict[str, Submission] = field(default_factory=dict)
    finding: Any = None
    explanation: Any = None
    query: Any = None  # open, on a sheet with the province
    comment: Any = None  # open, on a returned sheet
    invitation: Any = None  # of the open sheet
    attachment: Any = None  # of the open sheet
    document: Any = None  # of its desk
    slip: Any = None  # an unanswered proposal on the returned sheet
    batch: Any = None  # reminders of one sheet
    act: Any = None  # one acceptance of many sheets (here of one)

    def __getitem__(self, name: str) -> Submission:
        return self.sheets[name]


@dataclass
class Actor:
    """A user with a session. ``sees`` are the codes of the regions whose units are in the user's scope."""

    name: str
    user: User | None
    sees: frozenset[str] = frozenset()
    session: str = ""

    def browser(self, *, strict: bool = False) -> Browser:
        """A browser with the session cookie and no other: cookies of earlier responses are removed."""
        browser = STRICT if strict else PLAIN
        browser.cookies.clear()
        if self.session:
            browser.cookies[settings.SESSION_COOKIE_NAME] = self.session
        return browser


@dataclass
class MatrixData:
    """The rows that URLs of the table name."""

    regions: dict[str, RegionData]
    actors: list[Actor]
    version: QuestionnaireVersion
    account: User
    finished: EstimationRun
    queued: EstimationRun
    replicated: EstimationRun
    draft: Release
    published: Release
    external: ExternalSeries
    external_file: ExternalFile
    designs: dict[str, SampleDesign]
    frame_import: FrameImport
    failed_job: Job
    job: DeskJob  # of the provincial administrator of INSIDE
    ledger_export: LedgerExport
    hold: LegalHold

    @classmethod
    def build(cls) -> "MatrixData":
        """Rows of two regions, the actors, and runs over a small country with results computed by hand."""
        regions = {code: _region_data(code) for code in (INSIDE, OUTSIDE)}
        Country()
        finished, queued, replicated = (_request(minimum) for minimum in (1, 2, 3))
        runs.execute_run(finished.pk)
        finished.refresh_from_db()
        runs.execute_run(replicated.pk)
        replicated.refresh_from_db()
        services_bootstrap.request_bootstrap(run=replicated, replicates=100, by=None)
        draft = prepare_release(run=finished, by=None)
        # The public site has something to show, and the draft corrects nothing of it.
        published = put_out(finished, number=draft.number + 1)
        build_files(published)
        external = ExternalSeries.objects.create(
            code="EXT-WORLD", year=2025, value="190.45", unit="ZB", label_zh="x", label_en="x", source="x"
        )
        external_file = ExternalFile.objects.create(
            name="x.csv",
            content=b"code,year,value,source\nEXT-WORLD,2025,1,x\n",
            sha256="0" * 64,
            uploaded_by=User.objects.create_user("matrix-uploader", None, name="matrix uploader"),
        )
        actors = _actors(regions)  # creates units, so the frame is complete only after this line
        owner = next(actor.user for actor in actors if actor.name == Role.PROVINCIAL_ADMINISTRATOR.value)
        job = DeskJob.objects.create(
            by=owner,
            kind="export_csv",
            round=CollectionRound.objects.get(year=2025),
            job=Job.objects.create(kind="desk_file"),
        )
        designs, frame_import = _prepare_round()
        return cls(
            regions=regions,
            actors=actors,
            version=QuestionnaireVersion.objects.latest("pk"),
            account=User.objects.create_user("matrix-subject", None, name="matrix subject"),
            failed_job=Job.objects.create(
                kind="receipt",
                state=Job.State.FAILED,
                error=STOPPED(error="x"),
                finished_at=timezone.now(),
            ),
            finished=finished,
            queued=queued,
            replicated=replicated,
            draft=draft,
            published=published,
            external=external,
            external_file=external_file,
            designs=designs,
            frame_import=frame_import,
            job=job,
            hold=LegalHold.objects.create(by=owner, reason="matrix"),
            ledger_export=LedgerExport.objects.create(
                by=owner,
                since=timezone.now(),
                until=timezone.now(),
                job=Job.objects.create(kind="export_ledgers"),
            ),
        )


def _prepare_round() -> tuple[dict[str, SampleDesign], FrameImport]:
    """A planned round with designs that await approval, and a frame file that awaits confirmation.

    The samples are drawn by a user who is no actor, so that each actor could be the one who approves.
    """
    population = Population(history=False)
    designs = {"drawn": population.drawn(), "draft": population.draft()}
    later = population.round
    population.round = population.plan(2027)
    designs["approved"] = population.approved()
    population.round = later
    content = csv_bytes([[column.code for column in COUNT_COLUMNS], ["", "320000", "A", "large", "77"]])
    frame_import = frame.upload_frame(by=None, kind="counts", name="counts.csv", content=content)
    run_job(frame_import.job_id)
    return designs, frame_import


def _request(minimum: int) -> EstimationRun:
    spec = RunSpec(winsorization=Winsorization("winsorize", 0.0, 0.9, minimum=minimum))
    return runs.request_run(round=CollectionRound.objects.get(year=2025), by=None, spec=spec)[0]


def _region_data(code: str) -> RegionData:
    region = RegionData(code)
    for name, state in STATES.items():
        region.sheets[name] = make_sheet(make_unit("CAT12", code), state)
    for name in ("unusual", "explained"):
        row = region[name]
        row.answers |= {
            item: {"value": value, "unit": "TB"} for item, value in (("S01", "9e8"), ("S02", "1"))
        }
        row.answers["S01"]["value"] = "900000000"
        row.save()
        finding = sheet(Submission.objects.get(pk=row.pk)).soft[0]
        if name == "unusual":
            region.finding = finding
        else:
            region.explanation = Explanation.objects.create(
                submission=row,
                edit=finding.edit,
                fingerprint=finding.fingerprint,
                reason_code="other",
                text="新的数据中心在三月投入使用",
            )
    region.query = ReviewQuery.objects.create(submission=region["asked"], text="请核实")
    region.comment = ReviewQuery.objects.create(submission=region["returned"], text="请核实")
    region.attachment = evidence.attach(
        region["open"],
        by=make_user(Role.RESPONDENT, unit=region["open"].unit),
        name="a.txt",
        data=b"evidence",
    )
    region.document = evidence.attach(
        region["open"],
        by=make_user(Role.PROVINCIAL_ADMINISTRATOR, code),
        name="b.txt",
        data=b"document",
        purpose=DESK,
    )
    region.invitation = SectionInvitation.objects.create(
        submission=region["open"],
        name="guest",
        email="guest@example.org",
        sections=["P"],
        secret_hash=f"matrix-{code}",
        invited_by=make_user(Role.RESPONDENT, unit=region["open"].unit),
        expires_at=timezone.now() + dt.timedelta(days=1),
    )
    region.slip = CorrectionSlip.objects.create(
        query=ReviewQuery.objects.create(submission=region["returned"], item="P01", text="请核实单位"),
        proposed={"value": "12", "entered": "12", "unit": "TB"},
    )
    region.batch = ReminderBatch.objects.create(round=region["open"].round, group="in_progress")
    Reminder.objects.create(batch=region.batch, submission=region["open"])
    region.act = _act(region["national"])
    ActivationCode.objects.create(
        unit=region["open"].unit, code_hash="", expires_at=timezone.now() + dt.timedelta(days=1)
    )
    return region


def _act(row: Submission) -> BulkAcceptance:
    """An acceptance of many sheets by the province, with this sheet as its only member."""
    act = BulkAcceptance.objects.create(
        round=row.round,
        filter={},
        expected=1,
        accepted=1,
        by=make_user(Role.PROVINCIAL_ADMINISTRATOR, INSIDE),
        action="accept",
        undo_until=timezone.now() + dt.timedelta(hours=1),
    )
    decided = Submission.objects.values_list("decided_at", flat=True).get(pk=row.pk)
    BulkMember.objects.create(act=act, submission=row, decided_at=decided)
    return act


def _actors(regions: dict[str, RegionData]) -> list[Actor]:
    """One user of every role, users with only a part of what a grant needs, and a request without a session."""
    everywhere = frozenset(regions)
    units = [row.unit for row in regions[INSIDE].sheets.values()]
    respondent = make_user(Role.RESPONDENT, unit=units[0])
    for unit in units[1:]:
        RoleAssignment.objects.create(
            user=respondent, role=Role.RESPONDENT, region_id=unit.review_region_id, unit=unit
        )
    provincial = Role.PROVINCIAL_ADMINISTRATOR
    other_category = make_user(provincial, INSIDE)
    other_category.assignments.update(category="CAT01")
    ended = make_user(provincial, INSIDE)
    ended.assignments.update(ended_at=timezone.now())
    people = [
        Actor(Role.RESPONDENT.value, respondent, frozenset({INSIDE})),
        Actor(provincial.value, make_user(provincial, INSIDE), frozenset({INSIDE})),
        *(
            Actor(role.value, make_user(role), everywhere)
            for role in Role
            if role not in (Role.RESPONDENT, provincial)
        ),
        Actor("respondent of a neighbour", make_user(Role.RESPONDENT, unit=make_unit("CAT12", INSIDE))),
        Actor("administrator of another category", other_category),
        Actor("administrator until yesterday", ended),
        Actor("reviewer with a closed account", make_user(Role.REVIEWER)),
        Actor("anonymous", None),
    ]
    secret = make_password(PASSWORD)
    for actor in people:
        if actor.user is not None:
            User.objects.filter(pk=actor.user.pk).update(password=secret)
            client = Client()
            client.force_login(User.objects.get(pk=actor.user.pk))
            actor.session = client.cookies[settings.SESSION_COOKIE_NAME].value
    closed = people[-2]
    User.objects.filter(pk=closed.user.pk).update(is_active=False)  # type: ignore[union-attr]  # a person with an account
    closed.user = None  # expected to be treated like a request without a session
    return people


type Body = Callable[[MatrixData, RegionData, Actor], dict[str, Any]]
