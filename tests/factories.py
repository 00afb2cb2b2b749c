"""Factories of test data: units, users, assignments, sheets in a state, and the data set of most tests."""

import datetime as dt
import random
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from survey.access.models import Region, RoleAssignment, User
from survey.access.regions import load_regions
from survey.access.roles import Role
from survey.classification import NATIONAL_CATEGORIES
from survey.collection.models import Assignment, CollectionRound
from survey.frame.models import ReportingUnit
from survey.frame.uscc import check_character
from survey.questionnaires.loader import load_all
from survey.questionnaires.models import QuestionnaireVersion
from survey.questionnaires.proof.samples import sample_answers
from survey.questionnaires.selectors import definition_for
from survey.questionnaires.services import publish_questionnaire
from survey.submissions.lifecycle.states import Action, State
from survey.submissions.lifecycle.transitions import transition
from survey.submissions.models import Submission
from survey.submissions.selectors import unit_context

CATEGORIES = [f"CAT{number:02}" for number in range(1, 15)]
SIGNATORIES = {"unit_head": "演练甲", "stat_head": "演练乙", "filler": "演练丙", "phone": "010-00000000"}
ENTERPRISES = frozenset(CATEGORIES[5:13])
INSTITUTION_TYPES = {"CAT01": "30", "CAT02": "30", "CAT03": "20", "CAT04": "20", "CAT05": "20", "CAT14": "40"}
_serial = random.Random(20251231)


def prepare_base() -> None:
    """Regions, 14 published questionnaires for each of two years, one closed and one open round."""
    if Region.objects.exists() and CollectionRound.objects.count() == 2:
        return
    load_regions()
    for year in (2024, 2025):
        for questionnaire in load_all().values():
            publish_questionnaire(questionnaire, year=year, by=None)
        make_round(year)


def make_round(year: int) -> CollectionRound:
    """2025 is open around now; earlier rounds are closed."""
    now = timezone.now()
    is_open = year == 2025
    opens = now - dt.timedelta(days=20 if is_open else 400)
    return CollectionRound.objects.get_or_create(
        year=year,
        defaults={
            "state": CollectionRound.State.OPEN if is_open else CollectionRound.State.CLOSED,
            "reference_date": dt.date(year, 12, 31),
            "opens_at": opens,
            "due_at": opens + dt.timedelta(days=40),
            "closes_at": opens + dt.timedelta(days=60),
            "is_synthetic": True,
        },
    )[0]


def make_uscc(prefix: str = "91") -> str:
    """A credit code that passes its check digit."""
    body = "".join(_serial.choice("0123456789") for _ in range(15))
    first = f"{prefix}{body}"
    return first + check_character(first)


def make_unit(category: str = "CAT12", region: str = "320000", **fields: Any) -> ReportingUnit:
    """A unit of a category in a province; reviewed by the nation where its category says so."""
    enterprise = category in ENTERPRISES
    defaults: dict[str, Any] = {
        "uscc": make_uscc("91" if enterprise else "12"),
        "name": f"演练单位{_serial.randrange(10**6):06}",
        "category": category,
        "region_id": region,
        "division_code": region,
        "review_region_id": "000000" if category in NATIONAL_CATEGORIES else region,
        "industry": "6513" if category not in {"CAT01", "CAT02", "CAT05", "CAT14"} else "",
        "section": "I" if category not in {"CAT01", "CAT02", "CAT05", "CAT14"} else "",
        "size_class": "medium" if enterprise else "",
        "institution_type": "10" if enterprise else INSTITUTION_TYPES[category],
        "employees": 180,
        "turnover": 6000 if enterprise else None,
        "assets": 9000 if enterprise else None,
        "random_number": _serial.random(),
        "is_synthetic": True,
    }
    return ReportingUnit.objects.create(**{**defaults, **fields})


@dataclass(frozen=True, slots=True)
class Person:
    """A role with its region, or with the unit of a respondent."""

    role: str
    region: str = "000000"
    unit: ReportingUnit | None = None


def make_users(people: list[Person], **fields: Any) -> list[User]:
    """A user with one grant for each, in two statements. The password is unusable: tests use ``force_login``."""
    users = []
    for person in people:
        name = f"{person.role[:20]}-{_serial.randrange(10**9)}"
        user = User(**{"username": name, "name": person.role, "notice_read_at": timezone.now(), **fields})
        user.set_unusable_password()
        users.append(user)
    User.objects.bulk_create(users)
    RoleAssignment.objects.bulk_create(
        RoleAssignment(
            user=user,
            role=person.role,
            region_id=person.unit.review_region_id if person.unit else person.region,
            unit=person.unit,
        )
        for user, person in zip(users, people, strict=True)
    )
    return users


def make_user(
    role: str, region: str = "000000", unit: ReportingUnit | None = None, *, password: str = "", **fields: Any
) -> User:
    """A user with one grant. A password is set with ``set_password``, so that it is stored as a former one."""
    user = make_users([Person(role, region, unit)], **fields)[0]
    if password:
        user.set_password(password)
        user.save()
    return user


def make_assignment(unit: ReportingUnit, year: int = 2025) -> Assignment:
    """The assignment of a unit to a round, with its empty sheet."""
    assignment, created = Assignment.objects.get_or_create(
        unit=unit,
        round=CollectionRound.objects.get(year=year),
        defaults={
            "version": QuestionnaireVersion.objects.filter(category=unit.category, year=year).latest("number")
        },
    )
    if created:
        Submission.objects.create(assignment=assignment, unit=unit, round=assignment.round)
    return assignment


def complete_answers(unit: ReportingUnit, year: int = 2025, seed: int = 1) -> dict[str, Any]:
    """Answers that pass every hard edit of the unit's form."""
    assignment = make_assignment(unit, year)
    return sample_answers(definition_for(assignment.version), unit_context(unit, assignment.round), seed)


def make_sheet(
    unit: ReportingUnit, state: State = State.NOT_STARTED, *, year: int = 2025, answers: Any = None
) -> Submission:
    """A sheet in a state, reached by transitions."""
    sheet = make_assignment(unit, year).submission
    if state is State.NOT_STARTED:
        return sheet
    if state is State.EXEMPTED:
        return transition(sheet, Action.EXEMPT, by=None, reason_code="closed")
    sheet = transition(sheet, Action.SAVE, by=None)
    sheet.answers = answers if answers is not None else complete_answers(unit, year)
    sheet.revision += 1
    sheet.signatories = SIGNATORIES
    sheet.save()
    if state is State.IN_PROGRESS:
        return sheet
    national = unit.category in NATIONAL_CATEGORIES
    submit = Action.SUBMIT_NATIONAL if national else Action.SUBMIT
    sheet = transition(sheet, submit, by=None, shown_revision=sheet.revision)
    due = timezone.now() + dt.timedelta(days=7)
    if state is State.RETURNED:
        return transition(sheet, Action.RETURN, by=None, reason="请核实存储总量的计量单位", due_at=due)
    if state is State.SUBMITTED:
        return sheet
    if not national:
        sheet = transition(sheet, Action.ACCEPT, by=None)
    if state is State.ACCEPTED:
        sheet = transition(sheet, Action.ACCEPT_FINALLY, by=None)
    if state is State.INVALIDATED:
        sheet = transition(sheet, Action.INVALIDATE, by=None, reason_code="not_credible")
    return sheet


@dataclass
class World:
    """Two provinces, units inside and outside, one user for every role."""

    users: dict[str, User] = field(default_factory=dict)
    unit: ReportingUnit = None  # type: ignore[assignment]  # set by build
    outside: ReportingUnit = None  # type: ignore[assignment]  # set by build
    national: ReportingUnit = None  # type: ignore[assignment]  # set by build
    bureau: ReportingUnit = None  # type: ignore[assignment]  # set by build
    sheet: Submission = None  # type: ignore[assignment]  # set by build
    outside_sheet: Submission = None  # type: ignore[assignment]  # set by build
    national_sheet: Submission = None  # type: ignore[assignment]  # set by build

    @classmethod
    def build(cls) -> "World":
        """Jiangsu is inside, Zhejiang outside; the national unit is a central enterprise in Beijing."""
        world = cls()
        world.unit = make_unit("CAT12", "320000")
        world.outside = make_unit("CAT12", "330000")
        world.national = make_unit("CAT07", "110000")
        world.bureau = make_unit("CAT02", "320000")
        world.sheet = make_sheet(world.unit)
        world.outside_sheet = make_sheet(world.outside)
        world.national_sheet = make_sheet(world.national)
        people = {role.value: Person(role) for role in Role}
        people[Role.PROVINCIAL_ADMINISTRATOR] = Person(Role.PROVINCIAL_ADMINISTRATOR, "320000")
        people[Role.RESPONDENT] = Person(Role.RESPONDENT, unit=world.unit)
        people["outside_respondent"] = Person(Role.RESPONDENT, unit=world.outside)
        people["outside_administrator"] = Person(Role.PROVINCIAL_ADMINISTRATOR, "330000")
        people["national_respondent"] = Person(Role.RESPONDENT, unit=world.national)
        world.users = dict(zip(people, make_users(list(people.values())), strict=True))
        return world
