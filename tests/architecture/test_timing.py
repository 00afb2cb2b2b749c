"""The seconds that ``--where-time-goes`` prints belong to whom they are said to."""

import subprocess
import sys
import time

import pytest

from tests.timing import Meter, Seconds, Table, folder_of

BUSY = "import time\nwhile time.process_time() < 0.5: pass"


def phase_of(meter: Meter, act: object) -> Seconds:
    """What a phase took that does this."""
    steps = meter.measured()
    next(steps)
    act()  # type: ignore[operator]  # a function
    with pytest.raises(StopIteration):
        next(steps)
    return meter.phase


def test_the_work_of_a_started_process_is_its_own() -> None:
    took = phase_of(Meter(), lambda: subprocess.run([sys.executable, "-c", BUSY], check=True))
    assert took.started >= 0.4
    assert took.own < took.started


def test_a_pause_is_waiting() -> None:
    took = phase_of(Meter(), lambda: time.sleep(0.5))
    assert took.waiting > took.own + took.database


def test_phases_add_up_by_folder() -> None:
    table = Table()
    for name, when in (
        ("tests/survey/access/test_a.py::test_b", "setup"),
        ("tests/e2e/test_c.py::test_d", "call"),
    ):
        report = pytest.TestReport(name, (name, 0, name), {}, "passed", None, when, start=1, stop=2)  # type: ignore[arg-type]  # words suffice for the table
        report.seconds = (2.0, 0.5, 0.25, 0.0, 1.25)  # type: ignore[attr-defined]  # added by the meter
        table.pytest_runtest_logreport(report)
        table.pytest_runtest_logreport(report)
    assert {name: seconds.clock for name, seconds in table.folders.items()} == {
        "survey/access": 4.0,
        "e2e": 4.0,
    }
    assert {name: len(tests) for name, tests in table.tests.items()} == {"survey/access": 1, "e2e": 1}
    assert folder_of("tests/survey/test_a.py::test_b") == "survey"
