"""Drills with real processes: a worker is killed, PostgreSQL and Valkey stop under people at work, many save at once."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.drills.keeper import PASSWORD
from tests.drills.load_client import Target, work
from tests.drills.system import ROOT, System, wait_for

pytestmark = pytest.mark.slow
RUN_FORM = {
    "snapshot": "now", "method": "none", "lower": "0.01", "upper": "0.99", "minimum": "20", "lonely": "adjust",
    "response_classes": "region", "item_nonresponse": "zero", "flow_basis": "both", "data_enterprises": "categories",
    "growth_form": "combined",
}  # fmt: skip
RESULTS = ("estimation_estimate", "estimation_treatedunit", "estimation_stratumweight")


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    """One system for all drills; each leaves it running."""
    system = System(ROOT / ".local" / "drills")
    system.start_worker()
    yield system
    system.stop()


def stored(system: System, run: int) -> tuple[Any, ...]:
    """Everything that a run has left: its row, the sums of its results, how often it was finished."""
    row = "md5((to_jsonb(r) - 'id')::text)"
    sums = [
        system.say(
            f"SELECT count(*), md5(string_agg({row}, '' ORDER BY {row})) FROM {table} r WHERE run_id={run}"
        )
        for table in RESULTS
    ]
    finished = f"SELECT count(*) FROM survey_auditevent WHERE action='finish_run' AND subject_id='{run}'"
    return system.run_row(run)["hash"], sums, system.say(finished)[0][0]


def finished(system: System, run: int) -> bool:
    """Has the run been computed and has the worker nothing left to do?"""
    return system.run_row(run)["state"] == "finished" and system.idle()


def test_a_killed_worker_costs_time_but_no_result(system: System) -> None:
    run = system.scene["run"]
    job = system.run_row(run)["job"]
    system.send("run_job", job)
    wait_for(lambda: finished(system, run), "the undisturbed run does not finish")
    undisturbed = stored(system, run)
    assert undisturbed[0] and undisturbed[2] == 1
    for table in RESULTS:
        system.say(f"DELETE FROM {table} WHERE run_id = {run}")
    system.say("DELETE FROM survey_auditevent WHERE action='finish_run'")
    system.say(f"UPDATE estimation_estimationrun SET state='queued', result_hash='' WHERE id={run}")
    system.say(f"UPDATE survey_job SET state='waiting', attempts=0, stage='' WHERE id={job}")

    # The worker computes and comes as far as storing, where somebody holds the table.
    with holder(system) as held:
        held.execute("LOCK TABLE estimation_estimate IN ACCESS EXCLUSIVE MODE")
        system.send("run_job", job)
        wait_for(lambda: system.run_row(run)["stage"] == "store", "the worker does not get as far as storing")
        system.kill_worker()
    assert system.run_row(run)["state"] == "running"

    system.start_worker()

    def resumed() -> bool:
        system.sweep()  # as beat does, only more often
        return finished(system, run)

    wait_for(resumed, "the lost run is not taken up again")
    assert stored(system, run) == undisturbed
    assert system.run_row(run)["attempts"] == 2
    for _delivery in range(2):  # the broker may deliver a message twice
        system.send("run_job", job)
    wait_for(system.idle, "the repeated messages are not consumed")
    assert stored(system, run) == undisturbed


def replicated(system: System) -> tuple[str, str]:
    """State and result of the bootstrap."""
    rows = system.say("SELECT state, result_hash FROM estimation_bootstrap")
    return tuple(rows[0]) if rows else ("", "")  # type: ignore[return-value]


def test_a_worker_killed_in_a_bootstrap_costs_no_replicate(system: System) -> None:
    path = f"/estimation/runs/{system.scene['run']}/bootstrap/"
    asked = system.ask(path, system.scene["methodologist"], {"replicates": "100"})
    assert asked.status == 302

    def resumed() -> bool:
        system.sweep()
        return replicated(system)[0] == "finished" and system.idle()

    wait_for(resumed, "the undisturbed bootstrap does not finish")
    undisturbed = replicated(system)
    assert undisturbed[1]
    errors = (
        "SELECT md5(string_agg(se::text, ',' ORDER BY variable, statistic, domain_kind, domain_code)) FROM"
    )
    sums = system.say(f"{errors} estimation_replicateestimate")
    system.say("DELETE FROM estimation_replicateestimate")
    system.say("UPDATE estimation_bootstrapchunk SET rows=NULL, finished_at=NULL")
    system.say("UPDATE survey_job SET state='waiting', attempts=0 WHERE kind='bootstrap_chunk'")
    system.say("DELETE FROM survey_job WHERE kind='bootstrap_gather'")
    system.say("UPDATE estimation_bootstrap SET state='queued', result_hash='', finished_at=NULL")

    # Killed while it stores a chunk, and again while it gathers what all chunks have.
    for table, mode in (
        ("estimation_bootstrapchunk", "EXCLUSIVE"),
        ("estimation_replicateestimate", "ACCESS EXCLUSIVE"),
    ):
        waits = f"SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '{table}'::regclass"
        with holder(system) as held:
            held.execute(f"LOCK TABLE {table} IN {mode} MODE")
            system.sweep()

            def stuck(waits: str = waits) -> bool:
                system.sweep()
                return bool(system.say(waits)[0][0])

            wait_for(stuck, f"the worker does not come to {table}")
            system.kill_worker()
        assert replicated(system) != undisturbed
        system.start_worker()
    wait_for(resumed, "the bootstrap is not taken up again")
    assert replicated(system) == undisturbed
    assert system.say(f"{errors} estimation_replicateestimate") == sums


def holder(system: System) -> Any:
    """A connection of somebody else to the database of the drills."""
    import environ

    given = environ.Env.db_url_config(system.environment["DATABASE_URL"])
    return psycopg.connect(
        host=given["HOST"] or given["OPTIONS"]["host"], port=given["PORT"], user="postgres", dbname="survey"
    )


def cell(value: str, revision: int) -> dict[str, Any]:
    """A post of one cell."""
    return {"revision": revision, "cell": ["P01"], "P01.value": value, "P01.unit": "TB"}


def test_postgres_restarts_under_a_saving_respondent(system: System) -> None:
    sheet, who = system.scene["sheet"], system.scene["respondent"]
    save = f"/sheets/{sheet}/sections/P/save/"
    first = system.ask(save, who, cell("111", system.scene["revision"]), script=True)
    assert first.status == 200, first.body[:500]
    revision = int(first.headers["Sheet-Revision"])

    system.say("stop postgres")
    during = [
        system.ask(save, who, cell("222", revision), language, script=True) for language in ("zh-hans", "en")
    ]
    assert [answer.status for answer in during] == [503, 503]
    assert all(answer.headers["Retry-After"] for answer in during)
    assert "系统" in during[0].body and "does not answer" in during[1].body
    assert system.ask("/health/").status == 200
    assert system.ask("/health/database/").status == 503

    system.say("revive")
    assert system.web.poll() is None
    after = system.ask(save, who, cell("222", revision), script=True)
    assert after.status == 200, "the first request after the restart is refused"
    assert int(after.headers["Sheet-Revision"]) == revision + 1
    repeated = system.ask(
        save, who, cell("222", revision), script=True
    )  # the answer may have been lost on the way
    assert repeated.status == 200
    values = system.say(
        f"SELECT new->>'value' FROM survey_submissionevent WHERE submission_id={sheet} AND item='P01' ORDER BY id"
    )
    assert [value for (value,) in values][-2:] == ["111", "222"]
    assert system.say(f"SELECT answers->'P01'->>'value' FROM survey_submission WHERE id={sheet}") == [["222"]]


def test_without_valkey_people_work_on_and_a_run_waits(system: System) -> None:
    scene = system.scene
    system.say("kill valkey")
    wait_for(lambda: system.ask("/health/broker/").status == 503, "health does not miss the broker")
    assert system.ask("/tasks/", scene["respondent"]).status == 200
    assert system.ask(f"/sheets/{scene['sheet']}/sections/P/", scene["respondent"]).status == 200
    signed_in = system.ask("/sign-in/", data={"username": "drill-sign-in", "password": PASSWORD})
    assert signed_in.status == 302
    assert system.ask("/health/ready/").status == 503
    assert '"broker": "ok"' not in system.ask("/health/broker/").body

    asked = system.ask("/estimation/runs/new/", scene["methodologist"], RUN_FORM, "en")
    assert asked.status == 302
    run = int(asked.headers["Location"].rstrip("/").rpartition("/")[2])
    assert system.run_row(run)["state"] == "queued"
    told = next(one for one in asked.headers.get_all("Set-Cookie") if one.startswith("messages="))
    page = system.ask(f"/estimation/runs/{run}/", scene["methodologist"], language="en", cookie=told)
    assert page.status == 200 and "the task queue does not answer" in page.body

    system.say("revive")

    def picked_up() -> bool:
        system.sweep()
        return finished(system, run)

    wait_for(picked_up, "the waiting run is not picked up")
    assert system.run_row(run)["attempts"] == 1
    assert system.ask("/health/broker/").status == 200


def kept(system: System, sheet: int, key: str) -> list[str]:
    """Every value that a cell has had, oldest first; its last one must be the answer."""
    rows = system.say(
        f"SELECT new->>'value' FROM survey_submissionevent WHERE submission_id={sheet} AND item='{key}' ORDER BY id"
    )
    values = [value for (value,) in rows]
    answer = system.say(f"SELECT answers->'{key}'->>'value' FROM survey_submission WHERE id={sheet}")
    assert [values[-1:]] == answer
    return values


def test_nothing_that_a_crowd_was_told_is_saved_gets_lost(system: System) -> None:
    # Three people in each of six sheets, each with a cell of their own, on two processes of four threads.
    cells_, values = ("P06", "P07", "P08"), [str(number) for number in range(1, 13)]
    targets = [
        Target(session, f"/sheets/{sheet}/sections/P/", key, "TB", revision)
        for session, sheet, revision in system.scene["crowd"]
        for key in cells_
    ]
    for tally in work("127.0.0.1", system.port, targets, values, seconds=120):
        sheet = int(tally.target.section.split("/")[2])
        assert (tally.failures, tally.refused, tally.acknowledged) == (0, 0, values), tally.statuses
        assert kept(system, sheet, tally.target.key) == values
    left = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
    assert system.say(left) == [[0]]


def test_a_statement_of_a_page_has_a_limit_and_nothing_is_lost(system: System) -> None:
    session, sheet, _revision = system.scene["crowd"][0]
    revision = system.say(f"SELECT revision FROM survey_submission WHERE id={sheet}")[0][0]
    save = f"/sheets/{sheet}/sections/P/save/"
    with holder(system) as held:
        held.execute(f"SELECT 1 FROM survey_submission WHERE id={sheet} FOR UPDATE")
        stuck = [
            system.ask(save, session, cell("333", revision), one, script=True) for one in ("zh-hans", "en")
        ]
    assert [answer.status for answer in stuck] == [503, 503]
    assert "耗时过长" in stuck[0].body and "took too long" in stuck[1].body
    after = system.ask(save, session, cell("333", revision), script=True)
    assert after.status == 200 and int(after.headers["Sheet-Revision"]) == revision + 1
    assert kept(system, sheet, "P01") == ["333"]
