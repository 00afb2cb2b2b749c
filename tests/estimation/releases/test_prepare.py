"""Preparing a release from a run worked by hand: cells, reasons, lineage, protection, round trip."""

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import translation

from estimation.releases.content.content import CellStatus, Content
from estimation.releases.models import Release
from estimation.releases.services import prepare_release, rebuild_draft
from estimation.runs.models import EstimationRun
from survey.exceptions import PolicyDenied
from tests.factories import make_user


@pytest.fixture
def content(run: EstimationRun) -> Content:
    return Content.from_document(prepare_release(run=run, by=make_user("publisher")).content)


def test_content_survives_the_database_with_its_hash(run: EstimationRun) -> None:
    release = prepare_release(run=run, by=None)
    stored = Release.objects.get(pk=release.pk)
    assert Content.from_document(stored.content).digest() == stored.content_hash


def test_every_cell_has_a_number_or_a_status(content: Content) -> None:
    assert len(content.cells) > 500
    for cell in content.cells.values():
        if cell.status is CellStatus.ABSENT:
            assert cell.printed == "—" and cell.reason, cell.key
            assert cell.value is None
        elif cell.status is CellStatus.WITHHELD:
            assert cell.printed == "×" and (cell.value, cell.se, cell.n) == (None, None, None), cell.key
        elif cell.estimator != "ranking":
            assert cell.value is not None and cell.printed[-1].isdigit(), cell.key


def test_cells_of_the_hand_worked_country(content: Content) -> None:
    buyers = content.cells["CIR-06.2025"]
    assert (buyers.printed, buyers.estimator, buyers.lineage) == (
        "68.75",
        "proportion",
        ("T01/proportion/nation/enterprise/2025",),
    )
    assert content.cells["TXT-031.2025"].reason == "not_collected"
    assert content.cells["TXT-011.2025"].reason in ("no_external", "no_estimate")
    assert content.cells["T4.total.valid"].printed == "5"
    assert content.cells["TXT-001.2025"].lineage == ("valid/count/nation/all/2025",)


def test_every_key_of_tables_figures_and_text_is_a_cell(content: Content) -> None:
    keys = {key for table in content.tables for row in table.rows for key in row.keys}
    keys |= {point.key for figure in content.figures for point in figure.points}
    keys |= {key for block in content.blocks for key in block.keys}
    assert keys <= content.cells.keys()
    assert {table.code for table in content.tables} == {
        "C1.supply",
        "C1.circulation",
        "C1.use",
        "T1",
        "T2",
        "T3",
        "T4",
        "E1",
    }
    assert all(len(row.keys) == len(table.columns) for table in content.tables for row in table.rows)


def test_few_contributors_are_withheld_everywhere(content: Content) -> None:
    # One platform in Beijing, two enterprises each in Jiangsu and in Zhejiang; section I has all five.
    for key in (
        "E1.110000.production_zb",
        "E1.320000.buyer_share_pct",
        "T1.T1-BUY.head_platform",
        "T4.110000.valid",
    ):
        assert content.cells[key].status is CellStatus.WITHHELD, key
    assert content.cells["T2.I.production_zb"].status is CellStatus.SHOWN
    stored = {
        line for cell in content.cells.values() if cell.status is CellStatus.WITHHELD for line in cell.lineage
    }
    assert not [
        cell.key
        for cell in content.cells.values()
        if cell.status is CellStatus.SHOWN and len(cell.lineage) == 1 and cell.lineage[0] in stored
    ]


def test_only_publishers_prepare_and_only_what_is_finished(run: EstimationRun) -> None:
    with pytest.raises(PermissionDenied):
        prepare_release(run=run, by=make_user("methodologist"))
    run.state = EstimationRun.State.RUNNING
    with pytest.raises(PolicyDenied):
        prepare_release(run=run, by=None)


def test_totals_without_stored_contributors_cannot_be_protected(run: EstimationRun) -> None:
    release = prepare_release(run=run, by=None)
    run.contributors.all().delete()
    with translation.override("en"), pytest.raises(PolicyDenied, match="contributors"):
        prepare_release(run=run, by=None)
    with translation.override("en"), pytest.raises(PolicyDenied, match="contributors"):
        rebuild_draft(release, by=None)
