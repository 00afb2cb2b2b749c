"""Recovery with real processes: killed workers, stopped PostgreSQL and Valkey servers, concurrent saves."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.drills.load_client import Target, work
from tests.drills.servers import PASSWORD
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
    """One system for all tests of this module; each leaves it running."""
    system = System(ROOT / ".local" / "drills")
    system.start_worker()
    yield system
    system.stop()


def stored(system: System, run: int) -> tuple[Any, ...]:
    """What a run has stored: its hash, checksums of its results, and how many times it was finished."""
    row = "md5((to_jsonb(r) - 'id')::text)"
    sums = [
        system.execute(
            f"SELECT count(*), md5(string_agg({row}, '' ORDER BY {row})) FROM {table} r WHERE run_id={run}"
        )
        for table in RESULTS
    ]
    finished = f"SELECT count(*) FROM survey_auditevent WHERE action='finish_run' AND subject_id='{run}'"
    return system.run_row(run)["hash"], sums, system.execute(finished)[0][0]


def finished(system: System, run: int) -> bool:
    """Whether the run is finished and the queue is empty."""
    return system.run_row(run)["state"] == "finished" and system.idle()


def test_a_run_of_a_killed_worker_is_repeated_with_the_same_result(system: System) -> None:
    run = system.data["run"]
    job = system.run_row(run)["job"]
    system.send("run_job", job)
    wait_for(lambda: finished(system, run), "the undisturbed run does not finish")
    undisturbed = stored(system, run)
    assert undisturbed[0] and undisturbed[2] == 1
    for table in RESULTS:
        system.execute(f"DELETE FROM {table} WHERE run_id = {run}")
    system.execute(
        "ALTER TABLE survey_auditevent DISABLE TRIGGER USER;"
        "DELETE FROM survey_auditevent WHERE action='finish_run';"
        "ALTER TABLE survey_auditevent ENABLE TRIGGER USER"
    )
    system.execute(f"UPDATE estimation_estimationrun SET state='queued', result_hash='' WHERE id={run}")
    system.execute(f"UPDATE survey_job SET state='waiting', attempts=0, stage='' WHERE id={job}")

    # The worker computes and comes as far as storing, where a lock blocks it.
    with blocking_connection(system) as blocker:
        blocker.execute("LOCK TABLE estimation_estimate IN ACCESS EXCLUSIVE MODE")
        system.send("run_job", job)
        wait_for(lambda: system.run_row(run)["stage"] == "store", "the worker does not get as far as storing")
        system.kill_worker()
    assert system.run_row(run)["state"] == "running"

    system.start_worker()

    def resumed() -> bool:
        system.sweep()  # as beat does, only more often
        return finished(system, run)

    wait_for(resumed, "the run is not resumed")
    assert stored(system, run) == undisturbed
    assert system.run_row(run)["attempts"] == 2
    for _delivery in range(2):  # the broker may deliver a message twice
        system.send("run_job", job)
    wait_for(system.idle, "the repeated messages are not consumed")
    assert stored(system, run) == undisturbed


def replicated(system: System) -> tuple[str, str]:
    """State and result of the bootstrap."""
    rows = system.execute("SELECT state, result_hash FROM estimation_bootstrap")
    return tuple(rows[0]) if rows else ("", "")  # type: ignore[return-value]  # two columns


def test_a_bootstrap_of_a_killed_worker_is_resumed_with_the_same_result(system: System) -> None:
    path = f"/estimation/runs/{system.data['run']}/bootstrap/"
    response = system.ask(path, system.data["methodologist"], {"replicates": "100"})
    assert response.status == 302

    def resumed() -> bool:
        system.sweep()
        return replicated(system)[0] == "finished" and system.idle()

    wait_for(resumed, "the undisturbed bootstrap does not finish")
    undisturbed = replicated(system)
    assert undisturbed[1]
    errors = (
        "SELECT md5(string_agg(se::text, ',' ORDER BY variable, statistic, domain_kind, domain_code)) FROM"
    )
    sums = system.execute(f"{errors} estimation_replicateestimate")
    system.execute("DELETE FROM estimation_replicateestimate")
    system.execute("UPDATE estimation_bootstrapchunk SET rows=NULL, finished_at=NULL")
    system.execute("UPDATE survey_job SET state='waiting', attempts=0 WHERE kind='bootstrap_chunk'")
    system.execute("DELETE FROM survey_job WHERE kind='bootstrap_gather'")
    system.execute("UPDATE estimation_bootstrap SET state='queued', result_hash='', finished_at=NULL")

    # Killed while it stores a chunk, and again while it gathers what all chunks have.
    for table, mode in (
        ("estimation_bootstrapchunk", "EXCLUSIVE"),
        ("estimation_replicateestimate", "ACCESS EXCLUSIVE"),
    ):
        waits = f"SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '{table}'::regclass"
        with blocking_connection(system) as blocker:
            blocker.execute(f"LOCK TABLE {table} IN {mode} MODE")
            system.sweep()

            def stuck(waits: str = waits) -> bool:
                system.sweep()
                return bool(system.execute(waits)[0][0])

            wait_for(stuck, f"the worker does not come to {table}")
            system.kill_worker()
        assert replicated(system) != undisturbed
        system.start_worker()
    wait_for(resumed, "the bootstrap is not resumed")
    assert replicated(system) == undisturbed
    assert system.execute(f"{errors} estimation_replicateestimate") == sums


def blocking_connection(system: System) -> Any:
    """Another connection to the database of the system, to hold locks."""
    import environ

    address = environ.Env.db_url_config(system.environment["DATABASE_URL"])
    return psycopg.connect(
        host=address["HOST"] or address["OPTIONS"]["host"],
        port=address["PORT"],
        user="postgres",
        dbname="survey",
    )


def cell(value: str, revision: int) -> dict[str, Any]:
    """Form data that saves one cell."""
    return {"revision": revision, "cell": ["P01"], "P01.value": value, "P01.unit": "TB"}


def test_saving_continues_after_a_restart_of_postgres(system: System) -> None:
    sheet, who = system.data["sheet"], system.data["respondent"]
    save = f"/sheets/{sheet}/sections/P/save/"
    first = system.ask(save, who, cell("111", system.data["revision"]), script=True)
    assert first.status == 200, first.body[:500]
    revision = int(first.headers["Sheet-Revision"])

    system.execute("stop postgres")
    during = [
        system.ask(save, who, cell("222", revision), language, script=True) for language in ("zh-hans", "en")
    ]
    assert [answer.status for answer in during] == [503, 503]
    assert all(answer.headers["Retry-After"] for answer in during)
    assert "系统" in during[0].body and "does not answer" in during[1].body
    assert system.ask("/health/").status == 200
    assert system.ask("/health/database/").status == 503

    system.execute("restart stopped")
    assert system.web.poll() is None
    after = system.ask(save, who, cell("222", revision), script=True)
    assert after.status == 200, "the first request after the restart is refused"
    assert int(after.headers["Sheet-Revision"]) == revision + 1
    repeated = system.ask(
        save, who, cell("222", revision), script=True
    )  # the answer may have been lost on the way
    assert repeated.status == 200
    values = system.execute(
        f"SELECT new->>'value' FROM survey_submissionevent WHERE submission_id={sheet} AND item='P01' ORDER BY id"
    )
    assert [value for (value,) in values][-2:] == ["111", "222"]
    assert system.execute(f"SELECT answers->'P01'->>'value' FROM survey_submission WHERE id={sheet}") == [
        ["222"]
    ]


def test_pages_work_without_valkey_and_a_run_waits(system: System) -> None:
    data = system.data
    system.execute("kill valkey")
    wait_for(lambda: system.ask("/health/broker/").status == 503, "health does not miss the broker")
    assert system.ask("/tasks/", data["respondent"]).status == 200
    assert system.ask(f"/sheets/{data['sheet']}/sections/P/", data["respondent"]).status == 200
    signed_in = system.ask("/sign-in/", data={"username": "drill-sign-in", "password": PASSWORD})
    assert signed_in.status == 302
    assert system.ask("/health/ready/").status == 503
    assert '"broker": "ok"' not in system.ask("/health/broker/").body

    response = system.ask("/estimation/runs/new/", data["methodologist"], RUN_FORM, "en")
    assert response.status == 302
    run = int(response.headers["Location"].rstrip("/").rpartition("/")[2])
    assert system.run_row(run)["state"] == "queued"
    message_cookie = next(
        cookie for cookie in response.headers.get_all("Set-Cookie") if cookie.startswith("messages=")
    )
    page = system.ask(f"/estimation/runs/{run}/", data["methodologist"], language="en", cookie=message_cookie)
    assert page.status == 200 and "the task queue does not answer" in page.body

    system.execute("restart stopped")

    def picked_up() -> bool:
        system.sweep()
        return finished(system, run)

    wait_for(picked_up, "the waiting run is not picked up")
    assert system.run_row(run)["attempts"] == 1
    assert system.ask("/health/broker/").status == 200


def stored_values(system: System, sheet: int, key: str) -> list[str]:
    """Every stored value of a cell, oldest first; the last one must be the answer."""
    rows = system.execute(
        f"SELECT new->>'value' FROM survey_submissionevent WHERE submission_id={sheet} AND item='{key}' ORDER BY id"
    )
    values = [value for (value,) in rows]
    answer = system.execute(f"SELECT answers->'{key}'->>'value' FROM survey_submission WHERE id={sheet}")
    assert [values[-1:]] == answer
    return values


def test_every_acknowledged_concurrent_save_is_stored(system: System) -> None:
    # Three respondents in each of six sheets, each with a cell of its own, on two processes of four threads.
    cells_, values = ("P06", "P07", "P08"), [str(number) for number in range(1, 13)]
    targets = [
        Target(session, f"/sheets/{sheet}/sections/P/", key, "TB", revision)
        for session, sheet, revision in system.data["concurrent_sheets"]
        for key in cells_
    ]
    for tally in work("127.0.0.1", system.port, targets, values, seconds=120):
        sheet = int(tally.target.section.split("/")[2])
        assert (tally.failures, tally.refused, tally.acknowledged) == (0, 0, values), tally.statuses
        assert stored_values(system, sheet, tally.target.key) == values
    open_transactions = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
    assert system.execute(open_transactions) == [[0]]


def test_a_statement_over_the_time_limit_gives_503_and_saving_continues(system: System) -> None:
    session, sheet, _revision = system.data["concurrent_sheets"][0]
    revision = system.execute(f"SELECT revision FROM survey_submission WHERE id={sheet}")[0][0]
    save = f"/sheets/{sheet}/sections/P/save/"
    with blocking_connection(system) as blocker:
        blocker.execute(f"SELECT 1 FROM survey_submission WHERE id={sheet} FOR UPDATE")
        stuck = [
            system.ask(save, session, cell("333", revision), language, script=True)
            for language in ("zh-hans", "en")
        ]
    assert [answer.status for answer in stuck] == [503, 503]
    assert "耗时过长" in stuck[0].body and "took too long" in stuck[1].body
    after = system.ask(save, session, cell("333", revision), script=True)
    assert after.status == 200 and int(after.headers["Sheet-Revision"]) == revision + 1
    assert stored_values(system, sheet, "P01") == ["333"]
