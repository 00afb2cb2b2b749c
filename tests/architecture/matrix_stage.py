"""The world of the permission matrix: the same sheets in every state on both sides of a border, and its actors."""

import datetime as dt
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import make_password
from django.http import HttpResponse
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
from survey.jobs.models import Job
from survey.jobs.services import run as run_job
from survey.questionnaires.models import QuestionnaireVersion
from survey.review.bulk.models import BulkAcceptance, BulkMember
from survey.submissions.comments.models import CorrectionSlip, ReviewQuery
from survey.submissions.evidence import services as evidence
from survey.submissions.lifecycle.states import State
from survey.submissions.models import Explanation, SectionInvitation, Submission
from survey.submissions.selectors import sheet
from tests.estimation.design.population import Population
from tests.estimation.public.small import put_out
from tests.estimation.runs.country import Country
from tests.factories import make_sheet, make_unit, make_user

INSIDE, OUTSIDE = "320000", "330000"
PASSWORD = "Jade-Harbour-2031"


class Remembered(ModelBackend):
    """Who an actor is does not change while the stage stands: read once with its grants, handed out as a copy."""

    known: ClassVar[dict[int, User]] = {}

    def get_user(self, user_id: int) -> User | None:
        """The actor, unless the account is closed."""
        if user_id not in self.known:
            user: Any = super().get_user(user_id)
            if user is None:
                return None
            user.grants()
            self.known[user_id] = user
        return copy(self.known[user_id])


class Browser(RequestFactory):
    """Sends a request through the whole chain of middleware. Unlike the test client it keeps no contexts."""

    def __init__(self, *, strict: bool = False) -> None:
        super().__init__()
        self.handler = ClientHandler(enforce_csrf_checks=strict)

    def request(self, **request: Any) -> HttpResponse:
        """The answer; a view that crashes gives 500, as on a server."""
        answer: HttpResponse = self.handler(self._base_environ(**request))
        return answer


# Two for all actors: each loads the chain once.
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
class Place:
    """One side of the border: a sheet of a unit of its own in every state, a comment, a finding."""

    region: str
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
    """Somebody with a session. ``sees`` are the regions whose units are in scope."""

    name: str
    user: User | None
    sees: frozenset[str] = frozenset()
    session: str = ""

    def browser(self, *, strict: bool = False) -> Browser:
        """A browser that holds the session and nothing else: what an answer did to it is forgotten."""
        browser = STRICT if strict else PLAIN
        browser.cookies.clear()
        if self.session:
            browser.cookies[settings.SESSION_COOKIE_NAME] = self.session
        return browser


@dataclass
class Stage:
    """Everything that a URL may name."""

    places: dict[str, Place]
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
    job: DeskJob  # of the administrator inside

    @classmethod
    def build(cls) -> "Stage":
        """Two places, the actors, and two runs over a country worked by hand."""
        places = {region: _place(region) for region in (INSIDE, OUTSIDE)}
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
        kept = ExternalFile.objects.create(
            name="x.csv",
            content=b"code,year,value,source\nEXT-WORLD,2025,1,x\n",
            sha256="0" * 64,
            uploaded_by=User.objects.create_user("matrix-uploader", None, name="matrix uploader"),
        )
        actors = _actors(places)  # some bring units of their own, so the frame is complete only now
        owner = next(one.user for one in actors if one.name == Role.PROVINCIAL_ADMINISTRATOR.value)
        job = DeskJob.objects.create(
            by=owner,
            kind="export_csv",
            round=CollectionRound.objects.get(year=2025),
            job=Job.objects.create(kind="desk_file"),
        )
        designs, frame_import = _prepare_round()
        return cls(
            places=places,
            actors=actors,
            version=QuestionnaireVersion.objects.latest("pk"),
            account=User.objects.create_user("matrix-subject", None, name="matrix subject"),
            finished=finished,
            queued=queued,
            replicated=replicated,
            draft=draft,
            published=published,
            external=external,
            external_file=kept,
            designs=designs,
            frame_import=frame_import,
            job=job,
        )


def _prepare_round() -> tuple[dict[str, SampleDesign], FrameImport]:
    """A planned round with designs that wait for their second person, and a file that waits for its yes.

    The draw is signed by somebody who is no actor, so that each actor could be the second person.
    """
    population = Population(history=False)
    stage = {"drawn": population.drawn(), "draft": population.draft()}
    later = population.round
    population.round = population.plan(2027)
    stage["approved"] = population.approved()
    population.round = later
    content = csv_bytes([[column.code for column in COUNT_COLUMNS], ["", "320000", "A", "large", "77"]])
    frame_import = frame.upload_frame(by=None, kind="counts", name="counts.csv", content=content)
    run_job(frame_import.job_id)
    return stage, frame_import


def _request(minimum: int) -> EstimationRun:
    spec = RunSpec(winsorization=Winsorization("winsorize", 0.0, 0.9, minimum=minimum))
    return runs.request_run(round=CollectionRound.objects.get(year=2025), by=None, spec=spec)[0]


def _place(region: str) -> Place:
    place = Place(region)
    for name, state in STATES.items():
        place.sheets[name] = make_sheet(make_unit("CAT12", region), state)
    for name in ("unusual", "explained"):
        row = place[name]
        row.answers |= {
            code: {"value": value, "unit": "TB"} for code, value in (("S01", "9e8"), ("S02", "1"))
        }
        row.answers["S01"]["value"] = "900000000"
        row.save()
        found = sheet(Submission.objects.get(pk=row.pk)).soft[0]
        if name == "unusual":
            place.finding = found
        else:
            place.explanation = Explanation.objects.create(
                submission=row,
                edit=found.edit,
                fingerprint=found.fingerprint,
                reason_code="other",
                text="新的数据中心在三月投入使用",
            )
    place.query = ReviewQuery.objects.create(submission=place["asked"], text="请核实")
    place.comment = ReviewQuery.objects.create(submission=place["returned"], text="请核实")
    place.attachment = evidence.attach(
        place["open"], by=make_user(Role.RESPONDENT, unit=place["open"].unit), name="a.txt", data=b"evidence"
    )
    place.document = evidence.attach(
        place["open"],
        by=make_user(Role.PROVINCIAL_ADMINISTRATOR, region),
        name="b.txt",
        data=b"document",
        purpose=evidence.DESK,
    )
    place.invitation = SectionInvitation.objects.create(
        submission=place["open"],
        name="guest",
        email="guest@example.org",
        sections=["P"],
        secret_hash=f"matrix-{region}",
        invited_by=make_user(Role.RESPONDENT, unit=place["open"].unit),
        expires_at=timezone.now() + dt.timedelta(days=1),
    )
    place.slip = CorrectionSlip.objects.create(
        query=ReviewQuery.objects.create(submission=place["returned"], item="P01", text="请核实单位"),
        proposed={"value": "12", "entered": "12", "unit": "TB"},
    )
    place.batch = ReminderBatch.objects.create(round=place["open"].round, group="in_progress")
    Reminder.objects.create(batch=place.batch, submission=place["open"])
    place.act = _act(place["national"])
    ActivationCode.objects.create(
        unit=place["open"].unit, code_hash="", expires_at=timezone.now() + dt.timedelta(days=1)
    )
    return place


def _act(row: Submission) -> BulkAcceptance:
    """As if the province had accepted this sheet with others."""
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


def _actors(places: dict[str, Place]) -> list[Actor]:
    """Every role, and people who hold half of what would be needed."""
    everywhere = frozenset(places)
    units = [row.unit for row in places[INSIDE].sheets.values()]
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
        Actor("nobody", None),
    ]
    secret = make_password(PASSWORD)
    for one in people:
        if one.user is not None:
            User.objects.filter(pk=one.user.pk).update(password=secret)
            client = Client()
            client.force_login(User.objects.get(pk=one.user.pk))
            one.session = client.cookies[settings.SESSION_COOKIE_NAME].value
    closed = people[-2]
    User.objects.filter(pk=closed.user.pk).update(is_active=False)  # type: ignore[union-attr]
    closed.user = None  # from now on like nobody
    return people


type Body = Callable[[Stage, Place, Actor], dict[str, Any]]
