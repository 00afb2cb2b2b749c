"""Ledgers with some rows; what is noted outside the database lies in a folder of the test."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from survey import audit
from survey.ledgers.sealing import services as sealing


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.AUDIT_FOLDER = tmp_path / "audit"


@pytest.fixture
def sealed(db: None, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Ids of ten rows of the audit trail in four blocks: the last one of the opening, nine in blocks of three."""
    rows = [add(0)]
    seal_now()
    monkeypatch.setattr(sealing, "BLOCK_ROWS", 3)
    rows += [add(number) for number in range(1, 10)]
    seal_now()
    return rows


def add(number: int) -> int:
    """One row of the audit trail."""
    return audit.record(by=None, action="audit_searched", rows=number, name=f'第{number}行\n"\\ \u2028 é').pk


def seal_now() -> int:
    """Seal everything that waits in the audit trail."""
    return sealing.seal("audit", partial_after=timedelta(0))
