"""Sheets in review at both levels. Models are imported late: this file is read before Django is set up."""

from typing import Any

import pytest


@pytest.fixture
def province(world: Any) -> Any:
    """The administrator of Jiangsu."""
    return world.users["provincial_administrator"]


@pytest.fixture
def nation(world: Any) -> Any:
    """A national reviewer."""
    return world.users["reviewer"]


@pytest.fixture
def filed(world: Any) -> Any:
    """A sheet in the provincial review of Jiangsu."""
    from tests.factories import make_sheet, make_unit

    return make_sheet(make_unit("CAT12", "320000"), _state("submitted"))


@pytest.fixture
def at_nation(world: Any) -> Any:
    """A sheet that Jiangsu has passed to the national review."""
    from tests.factories import make_sheet, make_unit

    return make_sheet(make_unit("CAT12", "320000"), _state("national_review"))


@pytest.fixture
def explained(filed: Any) -> Any:
    """An explanation on a filed sheet whose value is a hundred times last year's."""
    from survey.submissions.models import Explanation
    from survey.submissions.selectors import sheet
    from tests.factories import make_user

    last = last_year(filed.unit)
    small = format(float(filed.answers["S02"]["value"]) / 100 + 0.01, ".4f")
    last.filings.update(answers={**last.answers, "S02": {"value": small}})
    finding = next(candidate for candidate in sheet(filed).soft if "S02" in candidate.items)
    return Explanation.objects.create(
        submission=filed,
        edit=finding.edit,
        fingerprint=finding.fingerprint,
        reason_code="other",
        text="新的数据中心在三月投入使用",
        by=make_user("respondent", unit=filed.unit),
    )


def last_year(unit: Any) -> Any:
    """An accepted sheet of the closed round, filled while that round was open."""
    from survey.collection.models import CollectionRound
    from tests.factories import make_sheet

    this = CollectionRound.objects.get(year=2025)
    closed = CollectionRound.objects.filter(year=2024)
    before = closed.values("state", "opens_at", "due_at", "closes_at").get()
    closed.update(state="open", opens_at=this.opens_at, due_at=this.due_at, closes_at=this.closes_at)
    sheet = make_sheet(unit, _state("accepted"), year=2024)
    closed.update(**before)
    return sheet


def _state(name: str) -> Any:
    from survey.submissions.lifecycle.states import State

    return State(name)
