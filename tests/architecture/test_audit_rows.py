"""Rows of the audit trail are added in one module: ``survey.audit`` has the two ways, one row and one for each."""

import re
from pathlib import Path

import pytest

from tests.architecture.test_layout import ROOT, tracked

OWNER = "survey/audit.py"
INSERTION = re.compile(
    r"INSERT\s+INTO\s+survey_auditevent|COPY\s+survey_auditevent|copy_\w+\(\s*[\"']survey_auditevent[\"']"
    r"|AuditEvent\.objects\.\w*create|AuditEvent\([^)]*\)\.save|objects\.bulk_create\(\s*AuditEvent"
)


def insertions(paths: list[Path]) -> list[str]:
    """Files outside the owner that add rows of the audit trail."""
    return [
        str(path)
        for path in paths
        if not str(path).endswith(OWNER) and INSERTION.search(path.read_text(encoding="utf-8"))
    ]


def test_audit_rows_are_added_in_one_module() -> None:
    paths = [path for path in tracked("survey/*.py", "estimation/*.py") if "migrations" not in path.parts]
    assert insertions(paths) == []
    assert INSERTION.search((ROOT / OWNER).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "text",
    [
        "audit.AuditEvent.objects.create(action='x')",
        "AuditEvent.objects.bulk_create(rows)",
        'cursor.execute("INSERT INTO survey_auditevent (at) VALUES (now())")',
        'copy_lines("survey_auditevent", COLUMNS, lines)',
    ],
)
def test_a_planted_insertion_is_caught(tmp_path: Path, text: str) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text(text)
    assert insertions([planted]) == [str(planted)]
