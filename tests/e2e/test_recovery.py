"""PostgreSQL and Valkey stop while users work: a clear error, no lost entry, recovery without intervention."""

import os
import signal
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

USER, SECTION, ITEM = "cat10", "P", "P01"


def test_a_database_restart_while_typing_loses_nothing(visit: Any, stack: Any, plans: dict[str, Any]) -> None:
    sheet = plans[USER]["sheet"]
    person = visit(USER)
    person.tolerate("503", "Failed to load resource", "net::ERR")
    person.go(f"/sheets/{sheet}/")
    person.open_section(sheet, SECTION)
    person.type_answer(ITEM, {"value": "111", "unit": "TB"})
    person.wait_saved()

    postmaster = int((stack.folder / "postgres" / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGINT)  # fast shutdown: every connection is cut
    for _ in range(50):
        if not Path(f"/proc/{postmaster}").exists():
            break
        time.sleep(0.1)
    person.type_answer(ITEM, {"value": "222", "unit": "TB"})
    # The page saves by itself as soon as the database is back, started again by the supervisor.
    expect(person.page.locator("#sheet-state")).to_have_attribute("data-state", "saved", timeout=60_000)
    stack.wait("/health/ready/", 60)
    person.open_section(sheet, SECTION)
    expect(person.page.locator(f'[name="{ITEM}.value"]')).to_have_value("222")
    events = stack.manage(
        "import json; from survey.submissions.models import SubmissionEvent as E;"
        f"print(json.dumps([e.new for e in E.objects.filter(submission={sheet}, item='{ITEM}').order_by('pk')]))"
    )
    assert [event["value"] for event in events][-2:] == ["111", "222"]


def test_pages_work_without_the_broker_and_a_run_waits(visit: Any, stack: Any) -> None:
    person = visit("methodologist")
    person.tolerate("503", "Failed to load resource", "net::ERR")
    os.kill(stack.broker(), signal.SIGKILL)
    assert person.go("/estimation/runs/").status == 200
    stack.wait("/health/ready/", 60)  # the supervisor has started it again
    person.go("/estimation/runs/new/")
    person.page.select_option("[name=lonely]", index=1)  # parameters of its own: a run that is not there yet
    person.page.locator("form[method=post] .btn-primary").last.click()
    expect(person.page.locator("#progress .pill-good")).to_be_visible(timeout=90_000)
