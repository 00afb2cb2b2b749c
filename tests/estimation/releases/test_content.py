"""The canonical form of a release: read back it is equal, and any change of a cell changes the hash."""

import json
from dataclasses import replace

import pytest

from estimation.releases.content.content import (
    Block,
    CellStatus,
    Content,
    FrozenCell,
    FrozenFigure,
    FrozenRow,
    FrozenTable,
    Point,
    Text,
)

T = Text("数据生产", "Data production")
CELL = FrozenCell(
    "SUP-01.2025", T, Text("ZB", "ZB"), "52.26", value=52.2612, se=0.4, note=T, lineage=("P01",)
)
WITHHELD_CELL = FrozenCell("T2.A.flow", T, Text("EB", "EB"), "×", CellStatus.WITHHELD, reason="dominance")
CONTENT = Content(
    year=2025,
    title=T,
    is_synthetic=True,
    run="a" * 64,
    code_version="b" * 64,
    cells={CELL.key: CELL, WITHHELD_CELL.key: WITHHELD_CELL},
    tables=(
        FrozenTable(
            "C1.supply", T, T, (T, T), (FrozenRow("SUP-01", T, (CELL.key, WITHHELD_CELL.key), 1),), (T,)
        ),
    ),
    figures=(FrozenFigure("FIG1", T, T, (Point(T, "2025", CELL.key),), T),),
    blocks=(Block("FW-1", "foreword", T, T, (CELL.key,)),),
    identities=({"code": "ID-1", "holds": True},),
    footnotes=(T,),
)


def test_content_read_back_is_equal():
    again = Content.from_document(json.loads(CONTENT.to_json()))
    assert again == CONTENT
    assert again.digest() == CONTENT.digest()
    assert again.cells["T2.A.flow"].status is CellStatus.WITHHELD


def test_hash_changes_with_every_number():
    other = replace(CONTENT, cells={**CONTENT.cells, CELL.key: replace(CELL, printed="52.27")})
    assert other.digest() != CONTENT.digest()


def test_foreign_documents_are_refused():
    with pytest.raises((KeyError, TypeError)):
        Content.from_document({"year": 2025})
