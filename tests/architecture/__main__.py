"""Runs the permission matrix and prints its figures: ``uv run python -m tests.architecture`` (minutes)."""

import sys
from collections import Counter

import pytest

from tests.architecture.test_layout import ROOT

OUTCOMES = {
    "open": "allowed",
    "empty": "allowed, nothing in scope",
    "refused": "refused",
    "sign_in": "sent to sign in",
}


class Figures:
    """Prints what was requested, after the results of the tests."""

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """A table of outcomes and statuses."""
        from survey.access.roles import Role
        from tests.architecture.matrix import FIGURES, named_views
        from tests.architecture.matrix_table import TABLE

        write = terminalreporter.write_line
        write("")
        write(
            f"{len(named_views())} addresses in {len(TABLE)} rows, {len(Role)} roles, "
            f"{FIGURES.total()} requests as every actor"
        )
        for outcome, label in OUTCOMES.items():
            counted = Counter({key[1:]: count for key, count in FIGURES.items() if key[0] == outcome})
            write(f"{label}: {counted.total()}")
            for (method, status), count in sorted(counted.items()):
                write(f"    {method:<7}{status:>4}{count:>8}")


if __name__ == "__main__":
    matrix = ROOT / "tests" / "architecture" / "test_permission_matrix.py"
    sys.exit(pytest.main(["-n", "0", "-q", str(matrix), "-k", "responses_follow"], plugins=[Figures()]))
