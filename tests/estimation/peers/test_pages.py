"""From a finished run to the respondent's page: twelve enterprises of one industry and size, worked by hand."""

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from estimation.peers import selectors, services
from estimation.peers.compute import Guard, peer_groups, variables
from estimation.peers.models import PeerTable
from estimation.peers.tasks import build_missing_peers
from estimation.releases.models import Release
from estimation.runs.compute.spec import RunSpec
from estimation.runs.extraction.selectors import read_year
from survey.audit import AuditEvent
from survey.exceptions import PolicyDenied
from survey.frame.models import ReportingUnit
from survey.submissions.models import Submission
from tests.background import do_waiting
from tests.estimation.public.small import put_out
from tests.estimation.runs.country import cells, file_accepted
from tests.estimation.scoring.town import Town
from tests.factories import make_user

CLOSE = "section_size:I.small"


class Quarter(Town):
    """P01 is 20, 40, … 240; six report development; one holds nearly all active data; one is of medium size."""

    def __init__(self) -> None:
        super().__init__()
        for number in range(7, 13):
            unit = self.unit()
            self.draw(unit)
            active = 1_000_000 if number == 12 else 1
            answers = cells(P01=20 * number, S02=20 * number, D01=number * number, S06=active, F01=0)
            file_accepted(unit, 2025, answers)
            self.units.append(unit)
        self.medium = self.unit(size_class="medium")
        self.draw(self.medium)
        file_accepted(self.medium, 2025, cells(P01=130, S02=130))


@pytest.fixture
def town(world: Any) -> Quarter:
    return Quarter()


def put(town: Quarter, **fields: Any) -> Release:
    release = put_out(town.run(), **fields)
    services.build_peers(release)
    return release


def sheet(unit: ReportingUnit) -> Submission:
    return Submission.objects.get(unit=unit, round__year=2025)


def respondent(unit: ReportingUnit) -> Client:
    client = Client()
    client.force_login(make_user("respondent", unit=unit))
    client.cookies["django_language"] = "en"
    return client


def test_quartiles_as_by_hand(town: Quarter) -> None:
    groups = services.build_peers(put_out(town.run())).groups
    # F reaches 1/4 at the third of twelve, 1/2 at the sixth, 3/4 at the ninth.
    assert groups["P01"][CLOSE] == [12, "60.0", "120", "180"]
    # Of thirteen the fourth, the seventh and the tenth.
    assert groups["P01"]["section:I"] == [13, "80.0", "130", "180"]
    assert "section_size:I.medium" not in groups["P01"]


def test_unsafe_groups_are_omitted(town: Quarter) -> None:
    groups = services.build_peers(put_out(town.run())).groups
    # Six units report development, none circulation, and nobody else has active data beside the one.
    assert groups["D01/S02"] == groups["F01"] == groups["S06"] == {}


@pytest.mark.parametrize(("published", "minimum"), [(3, 10), (12, 12), (13, 13)])
def test_ten_units_are_the_fewest_whatever_the_releases_ask_for(
    town: Quarter, settings: Any, published: int, minimum: int
) -> None:
    settings.DISCLOSURE_MINIMUM = published
    table = services.build_peers(put_out(town.run()))
    assert table.rules == {"minimum": minimum, "one": 0.70, "two": 0.85}
    assert (CLOSE in table.groups["P01"]) is (minimum <= 12)


def test_one_unit_must_not_make_up_the_total(town: Quarter) -> None:
    Submission.objects.filter(unit=town.units[0], round__year=2025).update(state="accepted")
    run = town.run()
    year = read_year(run.microdata, run.design, variables=variables())
    groups = peer_groups(year, RunSpec.from_json(run.spec), Guard(10, 0.70, 0.85))
    assert CLOSE in groups["S02"]
    year.values[5, [item.code for item in year.items].index("S02")] = 1e9
    strict_groups = peer_groups(year, RunSpec.from_json(run.spec), Guard(10, 0.70, 0.85))
    assert strict_groups["S02"] == {}
    assert strict_groups["P01"] == groups["P01"]


def test_no_quartile_is_nearly_a_single_unit(town: Quarter) -> None:
    run = town.run()
    year = read_year(run.microdata, run.design, variables=variables())
    # Six units report the rate, each another: the lower quartile is the second of them, with one unit below.
    assert peer_groups(year, RunSpec.from_json(run.spec), Guard(3, 1.0, 1.0))["D01/S02"] == {}


def test_the_page_shows_the_position_of_a_unit(town: Quarter) -> None:
    put(town)
    own, client = sheet(town.units[2]), respondent(town.units[2])
    listed = client.get(reverse("peer_list")).content.decode()
    assert reverse("peer_sheet", args=[own.pk]) in listed
    text = client.get(reverse("peer_sheet", args=[own.pk])).content.decode()
    assert "You lie in the lowest quarter of the group." in text
    assert re.search(r"<dt>Upper quartile</dt>\s*<dd>\s*180\s*</dd>", text)
    assert town.units[3].name not in text
    assert "(12 units)" in text
    assert re.search(r"<dt>Your value</dt>\s*<dd>\s*60\s*</dd>", text)


def test_an_unsafe_group_is_replaced_by_a_wider_group_or_nothing(town: Quarter) -> None:
    release = put(town)
    table = PeerTable.objects.get(release=release)
    result = {position.name.code: position for position in selectors.positions(sheet(town.medium), table)}
    assert (result["P01"].kind, result["P01"].code, result["P01"].units) == ("section", "I", 13)
    assert result["P01"].quarter == 2
    developed = {
        position.name.code: position for position in selectors.positions(sheet(town.units[6]), table)
    }
    assert developed["D02"].box is None
    assert developed["D02"].own == pytest.approx(49 / 140)
    assert (
        "Not shown"
        in respondent(town.units[6])
        .get(reverse("peer_sheet", args=[sheet(town.units[6]).pk]))
        .content.decode()
    )


@pytest.mark.parametrize("state", ["draft", "validated", "scheduled", "withdrawn"])
def test_nothing_is_there_before_publication_or_after_withdrawal(town: Quarter, state: str) -> None:
    more = {"reason": "wrong"} if state == "withdrawn" else {}
    later = timezone.now() + dt.timedelta(days=1) if state == "scheduled" else None
    put(town, state=state, embargo_until=later, **more)
    client = respondent(town.units[0])
    assert client.get(reverse("peer_sheet", args=[sheet(town.units[0]).pk])).status_code == 404
    assert "Nothing to compare yet" in client.get(reverse("peer_list")).content.decode()


def test_only_the_own_accepted_sheet(town: Quarter) -> None:
    put(town)
    url = reverse("peer_sheet", args=[sheet(town.units[0]).pk])
    assert respondent(town.units[0]).get(url).status_code == 200
    assert respondent(town.units[1]).get(url).status_code == 404
    Submission.objects.filter(unit=town.units[0], round__year=2025).update(state="returned")
    assert respondent(town.units[0]).get(url).status_code == 404


def test_the_sweep_freezes_once_and_ahead_of_publication(town: Quarter) -> None:
    release = put_out(town.run(), state="validated", published_at=None)
    put_out(release.run, number=2, state="draft", published_at=None)
    build_missing_peers()
    build_missing_peers()
    assert len(do_waiting("peers")) == 1
    build_missing_peers()
    assert do_waiting("peers") == []
    table = PeerTable.objects.get()
    assert table.release == release
    assert services.build_peers(release) == table
    assert AuditEvent.objects.filter(action="peers_frozen").count() == 1


def test_a_changed_table_is_not_shown(town: Quarter) -> None:
    table = PeerTable.objects.get(release=put(town))
    table.groups["P01"][CLOSE][2] = "121"
    table.save()
    with pytest.raises(PolicyDenied):
        selectors.table_of(sheet(town.units[0]))
