"""Files of every test go to a folder of its own."""

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def report_root(settings: Any, tmp_path: Path) -> Path:
    """The setting, pointed to an empty folder."""
    settings.REPORT_ROOT = tmp_path / "reports"
    return tmp_path / "reports"
