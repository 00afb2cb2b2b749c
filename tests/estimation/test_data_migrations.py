"""Data migrations keep what there was: rows of the tables before, migrated forward, and backward where that is meant.

One database of its own: made, filled and migrated once for all tests of this module.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

pytestmark = pytest.mark.slow

type Targets = list[tuple[str, str]]
BEFORE: Targets = [("survey", "0018_item_notes"), ("estimation", "0013_hand_over")]
BACK: Targets = [
    ("survey", "0023_frame_imports_without_progress"),
    ("estimation", "0017_background_work_has_jobs"),
]
NAME = "data_migrations"
AT = dt.datetime(2026, 3, 1, 8, tzinfo=dt.UTC)
CORRECTED = ("Corrected.", "已更正。", "Corrected. See the note.")
REMINDER = (
    "甲单位: 一：2025年报表尚未报送，截止时间为2026-03-31 17:00。\n"
    "请登录系统填报。如已报送，请忽略本通知。\n"
    "甲单位: 一: the sheet of 2025 has not been filed yet and is due by 2026-03-31 17:00.\n"
    "Sign in to the system to fill it. If you have filed it meanwhile, nothing is to be done."
)
RETURNED = (
    "甲：2025年报表已退回更正，请于2026-04-02 09:30前重新报送。\n"
    "请登录系统填报。如已报送，请忽略本通知。\n"
    "甲: the sheet of 2025 was returned for correction and is due by 2026-04-02 09:30.\n"
    "Sign in to the system to fill it. If you have filed it meanwhile, nothing is to be done."
)
OTHER = REMINDER.replace("2025年", "2024年")  # the two languages do not say the same


@dataclass
class Tables:
    """The tables at a state of the migrations."""

    state: Any

    def __getitem__(self, name: str) -> Any:
        app = "estimation" if name in ESTIMATION else "survey"
        return self.state.get_model(app, name).objects


ESTIMATION = {"EstimationRun", "Bootstrap", "BootstrapChunk", "IndexResult", "SampleDesign"}


def migrate(targets: Targets | None = None) -> Tables:
    """Migrate to these states, or to the newest."""
    executor = MigrationExecutor(connection)
    expected = targets or executor.loader.graph.leaf_nodes()
    executor.migrate(expected)
    return Tables(executor.loader.project_state(expected).apps)


def use(name: str) -> None:
    """Let the connection point at a database; the pool has connections to the one before."""
    pooled: Any = connection
    pooled.close()
    pooled.close_pool()
    connection.settings_dict["NAME"] = name


@pytest.fixture(scope="module")
def own_database(django_db_blocker: Any) -> Iterator[None]:
    """An empty database until the end of the module."""
    usual = connection.settings_dict["NAME"]
    own = f"{usual}_{NAME}"
    with django_db_blocker.unblock():
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{own}"')
            cursor.execute(f'CREATE DATABASE "{own}"')
        use(own)
        try:
            yield
        finally:
            use(usual)
            with connection._nodb_cursor() as cursor:
                cursor.execute(f'DROP DATABASE "{own}"')


@pytest.fixture(scope="module")
def now(own_database: None) -> Tables:
    """Rows of the state before, in the tables of now."""
    tables = migrate(BEFORE)
    assert connection.settings_dict["NAME"].endswith(NAME) and not tables["Region"].exists()
    _survey_rows(tables)
    _estimation_rows(tables)
    return migrate()


def _survey_rows(tables: Tables) -> None:
    region = tables["Region"].create(
        code="320000", name_zh="江苏", name_en="Jiangsu", level=1, macro_region="east", path="/320000/"
    )
    person = tables["User"].create(pk=7, username="desk", name="处室")
    round = tables["CollectionRound"].create(
        year=2025,
        reference_date=AT,
        opens_at=AT,
        due_at=AT + dt.timedelta(30),
        closes_at=AT + dt.timedelta(60),
    )
    version = tables["QuestionnaireVersion"].create(
        category="CAT12",
        year=2025,
        form_no="F",
        title_zh="表",
        title_en="Form",
        document={},
        content_hash="a",
    )
    unit = tables["ReportingUnit"].create(
        uscc="91320000000000000A",
        name="甲",
        category="CAT12",
        division_code="320000",
        region=region,
        review_region=region,
        random_number=0.5,
    )
    assignment = tables["Assignment"].create(round=round, version=version, unit=unit)
    sheet = tables["Submission"].create(assignment=assignment, round=round, unit=unit)
    for number, state in enumerate(
        ("queued", "running", "finished", "failed", "cancelled", "expired"), start=1
    ):
        ended = state not in ("queued", "running")
        tables["DeskJob"].create(
            pk=number,
            by=person,
            round=round,
            kind="export_csv",
            state=state,
            done=3,
            total=9,
            requested_at=AT,
            error="磁盘已满" if state == "failed" else "",
            path="7-a.csv" if state == "finished" else "",
            finished_at=AT if ended else None,
            expires_at=AT if state == "finished" else None,
        )
    states = ("queued", "checking", "checked", "confirmed", "applying", "applied", "failed", "cancelled")
    for number, state in enumerate(states, start=1):
        tables["FrameImport"].create(
            pk=number,
            kind="units",
            state=state,
            file_name="a.csv",
            content=b"x",
            size=1,
            sha256="0" * 64,
            uploaded_by=person,
            uploaded_at=AT,
            applied_at=AT if state == "applied" else None,
            heartbeat_at=AT,
            error={"code": "no_column", "parameters": {"column": "uscc"}} if state == "failed" else {},
        )
    tables["FrameImport"].create(
        pk=9, kind="units", state="failed", file_name="b", content=b"x", size=1, sha256="1" * 64, error={}
    )
    for number, (reply, corrected) in enumerate(
        [*((text, True) for text in CORRECTED), ("已确认建议值。", True), ("Corrected.", False)], start=1
    ):
        tables["ReviewQuery"].create(
            pk=number,
            submission=sheet,
            item="P01",
            text="?",
            state="answered",
            reply=reply,
            corrected=corrected,
        )
    for number, text in enumerate((REMINDER, RETURNED, "停机通知\n今晚维护", OTHER), start=1):
        tables["SiteNotice"].create(pk=number, user=person, submission=sheet, text=text)


def _estimation_rows(tables: Tables) -> None:
    person, other = tables["User"].get(pk=7), tables["User"].create(username="second")
    round = tables["CollectionRound"].get()
    layout = tables["MicrodataLayout"].create(content_hash="l", variables=[])
    data = tables["MicrodataVersion"].create(number=1, size=0, content_hash="m", layout=layout, round=round)
    signed = {"drawn_by": person, "drawn_at": AT, "approved_by": other, "approved_at": AT}
    design = tables["SampleDesign"].create(pk=1, number=1, content_hash="d", round=round)
    tables["SampleDesign"].create(
        pk=2,
        number=2,
        content_hash="e",
        round=round,
        state="approved",
        hand_over_requested_at=AT,
        hand_over_requested_by=person,
        **signed,
    )

    def run(pk: int, state: str, **values: Any) -> Any:
        return tables["EstimationRun"].create(
            pk=pk,
            spec={},
            input_hash=f"r{pk}",
            code_version="1",
            state=state,
            microdata=data,
            design=design,
            round=round,
            requested_by=person,
            **values,
        )

    run(1, "finished", finished_at=AT, result_hash="1", summary={"superseded_by": 2, "estimates": 5})
    finished = run(2, "finished", finished_at=AT + dt.timedelta(1), result_hash="2", error="")
    run(3, "failed", error="计算内存不足。", finished_at=AT)
    run(4, "failed", error="磁盘已满", finished_at=AT)
    run(5, "running", stage="read", percent=10)
    run(6, "queued", cancel_requested=True)
    for pk, state, done in ((1, "running", False), (2, "queued", True)):
        row = tables["Bootstrap"].create(pk=pk, run=finished, replicates=pk, code_version="1", state=state)
        tables["BootstrapChunk"].create(
            pk=10 * pk, bootstrap=row, first=0, count=1, finished_at=timezone.now() if done else None
        )
        tables["BootstrapChunk"].create(pk=10 * pk + 1, bootstrap=row, first=1, count=1, finished_at=AT)
    tables["IndexResult"].create(pk=1, run=finished, input_hash="i", state="running", requested_by=person)
    tables["IndexResult"].create(
        pk=2, run=finished, input_hash="j", state="failed", error="The computation stopped: no weights"
    )


def test_files_of_the_desks_get_their_jobs(now: Tables) -> None:
    jobs = {row.pk: row.job for row in now["DeskJob"].select_related("job")}
    assert [jobs[pk].state for pk in range(1, 7)] == [
        "waiting",
        "waiting",
        "done",
        "failed",
        "cancelled",
        "expired",
    ]
    assert {(job.kind, job.requested_by, job.requested_at) for job in jobs.values()} == {("desk_file", 7, AT)}
    assert (jobs[2].done, jobs[2].total, jobs[2].token, jobs[2].file) == (0, 0, "", "")
    assert (jobs[3].done, jobs[3].total, jobs[3].file, jobs[3].expires_at) == (3, 9, "7-a.csv", AT)
    assert len(jobs[3].token) == 32
    assert jobs[4].error == {"code": "as_written", "params": {"text": "磁盘已满"}}


def test_imports_of_the_frame_get_their_jobs(now: Tables) -> None:
    jobs = {row.pk: row.job for row in now["FrameImport"].select_related("job")}
    assert [(jobs[pk].kind.removeprefix("frame_"), jobs[pk].state) for pk in range(1, 9)] == [
        ("check", "waiting"),
        ("check", "waiting"),
        ("check", "done"),
        ("apply", "waiting"),
        ("apply", "waiting"),
        ("apply", "done"),
        ("check", "failed"),
        ("check", "cancelled"),
    ]
    assert jobs[7].error == {"code": "frame_file_no_column", "params": {"column": "uscc"}}
    assert jobs[9].error == {"code": "frame_file_crashed", "params": {}}
    assert jobs[6].finished_at == AT and jobs[1].finished_at is None


def test_answers_of_the_program_get_their_code_and_typed_ones_stay(now: Tables) -> None:
    rows = now["ReviewQuery"].order_by("pk").values_list("reply", "reply_code")
    assert list(rows) == [
        ("", "corrected"),
        ("", "corrected"),
        (CORRECTED[2], ""),
        ("", "confirmed"),
        ("Corrected.", ""),
    ]


def test_notices_of_the_system_get_their_code_and_others_stay(now: Tables) -> None:
    messages = dict(now["SiteNotice"].values_list("pk", "message"))
    due = "2026-03-31 17:00"
    assert messages[1] == {
        "code": "reminder_not_filed",
        "params": {"unit": "甲单位: 一", "year": 2025, "due": due},
    }
    assert messages[2]["code"] == "reminder_returned" and messages[2]["params"]["due"] == "2026-04-02 09:30"
    assert messages[3] == {"code": "as_written", "params": {"text": "停机通知\n今晚维护"}}
    assert messages[4] == {"code": "as_written", "params": {"text": OTHER}}


def test_errors_get_their_codes(now: Tables) -> None:
    errors = dict(now["EstimationRun"].values_list("pk", "error"))
    assert errors[2] == {} and errors[3] == {"code": "run_out_of_memory", "params": {}}
    assert errors[4] == {"code": "as_written", "params": {"text": "磁盘已满"}}
    assert now["IndexResult"].get(pk=2).error == {"code": "run_stopped", "params": {"error": "no weights"}}


def test_finished_runs_are_a_chain(now: Tables) -> None:
    assert dict(now["EstimationRun"].filter(state="finished").values_list("pk", "supersedes")) == {
        1: None,
        2: 1,
    }
    assert now["EstimationRun"].get(pk=1).summary == {"estimates": 5}


def test_unfinished_work_of_the_estimation_gets_its_jobs(now: Tables) -> None:
    runs = {row.pk: row for row in now["EstimationRun"].select_related("job")}
    assert (runs[5].state, runs[5].job.kind, runs[5].job.key, runs[5].job.requested_by) == (
        "queued",
        "run",
        "5",
        7,
    )
    assert (runs[6].state, runs[6].job) == ("cancelled", None) and runs[6].finished_at is not None
    assert runs[2].job is None
    index = now["IndexResult"].select_related("job").get(pk=1)
    assert (index.state, index.job.kind, index.job.key) == ("queued", "index", "1")
    chunks = now["Job"].filter(kind__startswith="bootstrap").order_by("kind").values_list("kind", "key")
    assert list(chunks) == [("bootstrap_chunk", "10"), ("bootstrap_gather", "2")]


def test_hand_overs_get_their_jobs(now: Tables) -> None:
    job = now["SampleDesign"].select_related("job").get(pk=2).job
    assert (job.kind, job.key, job.state, job.requested_by) == ("hand_over", "2", "waiting", 7)
    assert now["SampleDesign"].get(pk=1).job is None


def test_the_way_back_gives_the_texts_again(now: Tables) -> None:
    before = migrate(BACK)
    assert dict(before["SiteNotice"].values_list("pk", "text")) == {
        1: REMINDER,
        2: RETURNED,
        3: "停机通知\n今晚维护",
        4: OTHER,
    }
    rows = before["ReviewQuery"].order_by("pk").values_list("reply", flat=True)
    assert list(rows) == ["已更正。", "已更正。", CORRECTED[2], "已确认建议值。", "Corrected."]
