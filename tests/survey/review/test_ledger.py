"""The ledger of invalid sheets equals the counts of tables 3 and 4."""

from collections import Counter
from typing import Any

import pytest

from survey.microdata.selectors import coverage_rows
from survey.microdata.services import freeze_version
from survey.review import services
from survey.review.ledger import selectors as ledger
from survey.submissions.lifecycle.states import State
from tests.factories import make_sheet, make_unit

pytestmark = pytest.mark.django_db


@pytest.fixture
def decided(world: Any, nation: Any) -> Any:
    """Accepted, invalid and undecided sheets of two regions and two categories; the round."""
    for category, region, states in (
        ("CAT12", "320000", (State.ACCEPTED, State.ACCEPTED, State.SUBMITTED)),
        ("CAT12", "330000", (State.ACCEPTED, State.NATIONAL_REVIEW)),
        ("CAT03", "320000", (State.ACCEPTED, State.RETURNED)),
    ):
        for state in states:
            make_sheet(make_unit(category, region), state)
    for reason in ("not_credible", "duplicate"):
        sheet = make_sheet(make_unit("CAT12", "320000"), State.ACCEPTED)
        services.invalidate(sheet, by=nation, reason_code=reason)
    return sheet.round


def test_ledger_equals_the_counts_of_tables_3_and_4(decided: Any, nation: Any) -> None:
    counts = ledger.counts(nation, decided)
    rows = coverage_rows(freeze_version(round=decided, by=None))
    categories: Counter[str] = Counter()
    regions: Counter[str] = Counter()
    for category, region, _city, filed, valid in rows:
        categories[category] += filed - valid
        regions[region] += filed - valid
        assert filed >= valid
    assert {code: count.invalid for code, count in counts.categories.items()} == dict(categories)
    assert {code: count.invalid for code, count in counts.regions.items()} == dict(regions)
    assert counts.total.filed == sum(row[3] for row in rows)
    assert counts.total.valid == sum(row[4] for row in rows)
    assert (
        sum(counts.reasons.values()) == counts.total.invalid == ledger.entries(nation, decided).count() == 2
    )
    for code, count in counts.categories.items():
        assert ledger.entries(nation, decided, category=code).count() == count.invalid
    for code, count in counts.regions.items():
        assert ledger.entries(nation, decided, region=code).count() == count.invalid


def test_every_entry_has_reason_actor_and_time(decided: Any, nation: Any) -> None:
    for row in ledger.entries(nation, decided):
        entry: Any = row
        assert entry.invalid_reason in {"not_credible", "duplicate"}
        assert entry.ruled_at is not None
        assert entry.ruled_by == nation.name
    assert ledger.entries(nation, decided, reason="duplicate").count() == 1


def test_ledger_page_is_limited_to_the_scope(decided: Any, province: Any, nation: Any, client: Any) -> None:
    client.force_login(province)
    client.cookies["django_language"] = "en"
    page = client.get("/review/ledger/?reason=duplicate").content.decode()
    (row,) = ledger.entries(province, decided, reason="duplicate")
    (other,) = ledger.entries(province, decided, reason="not_credible")
    assert row.unit.name in page
    assert other.unit.name not in page
    assert ledger.counts(province, decided).total.filed == 5
    assert ledger.counts(nation, decided).total.filed == 6
