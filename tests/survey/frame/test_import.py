"""Imports into the frame: check, confirmation, application, pages, refusals."""

import io
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone, translation

from survey.audit import AuditEvent
from survey.exceptions import PolicyDenied
from survey.frame import services
from survey.frame.columns import COUNT_COLUMNS, UNIT_COLUMNS
from survey.frame.files import csv_bytes
from survey.frame.messages import failure
from survey.frame.models import FrameCount, FrameImport, ReportingUnit, UnitChange
from survey.frame.summary import FrameSummary
from survey.jobs.models import Job
from survey.jobs.services import claim, deliver, run, sweep
from tests.background import do_waiting
from tests.factories import make_unit, make_uscc, make_user

pytestmark = pytest.mark.django_db
State = FrameImport.State
HEADER = [column.code for column in UNIT_COLUMNS]


def row(**cells: str) -> dict[str, str]:
    """The cells of a unit in a file."""
    return {
        "uscc": make_uscc(),
        "name": "演练数据有限公司",
        "category": "CAT13",
        "region": "320000",
        "division_code": "320000",
        "industry": "6513",
        "size_class": "small",
        "institution_type": "10",
        "employees": "120",
        "turnover": "5600.00",
        "assets": "9000.00",
        "founded_on": "2012-05-01",
        "is_head_platform": "0",
        "is_pilot_space": "0",
        **cells,
    }


def units_csv(*rows: dict[str, str]) -> bytes:
    """A file of units."""
    return csv_bytes([HEADER, *([unit[name] for name in HEADER] for unit in rows)])


def counts_csv(*rows: tuple[str, str, str, str, int]) -> bytes:
    """A file of counts."""
    return csv_bytes([[column.code for column in COUNT_COLUMNS], *([*map(str, count)] for count in rows)])


def upload_and_check(
    content: bytes, *, kind: str = "units", complete: bool = False, by: Any = None
) -> FrameImport:
    """Upload and check."""
    frame_import = services.upload_frame(
        by=by, kind=kind, name="frame.csv", content=content, complete=complete
    )
    run(frame_import.job_id)
    frame_import.refresh_from_db()
    return frame_import


def apply(frame_import: FrameImport, by: Any = None) -> FrameImport:
    """Confirm and apply."""
    run(services.confirm_import(frame_import, by=by, sha256=frame_import.sha256).job_id)
    frame_import.refresh_from_db()
    return frame_import


@pytest.fixture
def designer(world: Any) -> Any:
    return world.users["designer"]


def test_a_check_changes_nothing_and_reports_all_findings(world: Any) -> None:
    before = ReportingUnit.objects.count()
    frame_import = upload_and_check(units_csv(row(), row(region="999999")))
    assert frame_import.state == State.CHECKED
    assert (frame_import.summary.new, frame_import.summary.faults, frame_import.summary.rows) == (1, 1, 2)
    assert frame_import.findings[0][:4] == [3, "region", "999999", "unknown_region"]
    assert ReportingUnit.objects.count() == before
    with pytest.raises(PolicyDenied):
        services.confirm_import(frame_import, by=None, sha256=frame_import.sha256)


def test_new_units_get_a_permanent_random_number_and_a_review_region(world: Any) -> None:
    enterprise, ministry = row(), row(category="CAT07", size_class="large")
    assert apply(upload_and_check(units_csv(enterprise, ministry))).state == State.APPLIED
    unit = ReportingUnit.objects.get(uscc=enterprise["uscc"])
    assert (unit.section, unit.review_region_id, unit.region_id) == ("I", "320000", "320000")
    assert 0 <= unit.random_number < 1
    assert ReportingUnit.objects.get(uscc=ministry["uscc"]).review_region_id == "000000"
    assert UnitChange.objects.filter(unit=unit).values_list("kind", flat=True).get() == "birth"
    apply(upload_and_check(units_csv(row(**{**enterprise, "name": "改名有限公司"}))))
    renamed = ReportingUnit.objects.get(pk=unit.pk)
    assert renamed.random_number == unit.random_number and renamed.name == "改名有限公司"


def test_importing_the_same_file_again_changes_nothing(world: Any) -> None:
    content = units_csv(row(), row())
    apply(upload_and_check(content))
    before = list(ReportingUnit.objects.order_by("pk").values())
    changes = UnitChange.objects.count()
    second = upload_and_check(content)
    assert [getattr(second.summary, name) for name in ("new", "changed", "back", "missing", "unchanged")] == [
        0,
        0,
        0,
        0,
        2,
    ]
    apply(second)
    assert list(ReportingUnit.objects.order_by("pk").values()) == before
    assert UnitChange.objects.count() == changes
    assert run(second.job_id) is False  # a message that was delivered twice
    assert services.confirm_import(second, by=None, sha256=second.sha256).state == State.APPLIED


def test_changes_are_shown_with_old_and_new_and_recorded_by_kind(world: Any) -> None:
    first = row()
    apply(upload_and_check(units_csv(first)))
    moved = {
        **first,
        "region": "330000",
        "division_code": "330000",
        "category": "CAT12",
        "size_class": "medium",
        "industry": "1311",
        "employees": "130",
    }
    frame_import = upload_and_check(units_csv(moved))
    assert ["category", "CAT13", "CAT12"] in frame_import.changes[0][2]
    assert frame_import.summary.fields["employees"] == 1
    apply(frame_import)
    unit = ReportingUnit.objects.get(uscc=first["uscc"])
    assert (unit.review_region_id, unit.section, unit.employees) == ("330000", "C", 130)
    kinds = dict(UnitChange.objects.filter(unit=unit, source=frame_import).values_list("kind", "new"))
    assert kinds == {"move": "330000", "category": "CAT12", "section": "C", "size": "medium"}


def test_units_missing_from_a_complete_file_leave_the_frame_and_may_return(world: Any) -> None:
    first, second = row(), row()
    apply(upload_and_check(units_csv(first, second)))
    in_frame = ReportingUnit.objects.filter(left_on=None).count()
    partial = upload_and_check(units_csv(first))
    assert partial.summary.missing == 0
    services.cancel_import(partial, by=None)
    complete_import = upload_and_check(units_csv(first), complete=True)
    assert complete_import.summary.missing == in_frame - 1
    apply(complete_import)
    removed = ReportingUnit.objects.get(uscc=second["uscc"])
    assert removed.left_on == timezone.localdate()
    apply(upload_and_check(units_csv(second)))
    removed.refresh_from_db()
    assert removed.left_on is None
    assert list(UnitChange.objects.filter(unit=removed).order_by("pk").values_list("kind", flat=True)) == [
        "birth",
        "death",
        "return",
    ]


def test_a_frame_that_changed_since_the_check_is_not_overwritten(world: Any) -> None:
    first = row()
    apply(upload_and_check(units_csv(first)))
    waiting = upload_and_check(units_csv({**first, "employees": "130"}))
    apply(upload_and_check(units_csv({**first, "employees": "140"})))
    assert apply(waiting).job.error.code == "frame_file_frame_changed"
    assert ReportingUnit.objects.get(uscc=first["uscc"]).employees == 140


def test_only_the_file_that_was_checked_is_applied(world: Any) -> None:
    frame_import = upload_and_check(units_csv(row()))
    with pytest.raises(PolicyDenied):
        services.confirm_import(frame_import, by=None, sha256="0" * 64)
    FrameImport.objects.filter(pk=frame_import.pk).update(content=units_csv(row(), row()))
    with pytest.raises(PolicyDenied):
        services.confirm_import(frame_import, by=None, sha256=frame_import.sha256)


def test_counts_are_replaced_and_deleted(world: Any) -> None:
    first = upload_and_check(
        counts_csv(("", "320000", "I", "small", 1000), ("CAT03", "320000", "", "", 70)), kind="counts"
    )
    assert first.summary.sum == 1070
    apply(first)
    second = upload_and_check(counts_csv(("", "320000", "I", "small", 1200)), kind="counts", complete=True)
    assert (second.summary.changed, second.summary.missing) == (1, 1)
    apply(second)
    assert list(FrameCount.objects.values_list("category", "section", "units")) == [("", "I", 1200)]


def test_an_invalid_file_fails_and_a_cancelled_import_cannot_be_confirmed(world: Any) -> None:
    refused = upload_and_check(b"")
    assert (refused.state, refused.job.error.code) == (State.FAILED, "frame_file_empty")
    with translation.override("en"):
        assert "Unified social credit code" in failure(upload_and_check(b"name\nx\n").job.error)
    frame_import = upload_and_check(units_csv(row()))
    assert services.cancel_import(frame_import, by=None).state == State.CANCELLED
    with pytest.raises(PolicyDenied):
        services.confirm_import(frame_import, by=None, sha256=frame_import.sha256)
    with pytest.raises(PolicyDenied):
        services.cancel_import(frame_import, by=None)


def test_cancelling_a_running_import_stops_it(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    frame_import = services.upload_frame(by=None, kind="units", name="x.csv", content=units_csv(row()))
    module: Any = services
    real = module.check_table

    def slow(*args: Any) -> Any:
        services.cancel_import(FrameImport.objects.get(pk=frame_import.pk), by=None)
        return real(*args)

    monkeypatch.setattr(services, "check_table", slow)
    run(frame_import.job_id)
    frame_import.refresh_from_db()
    assert frame_import.state == State.CANCELLED and frame_import.summary == FrameSummary()


def test_an_import_is_retried_after_killed_workers_and_fails_after_the_last_attempt(world: Any) -> None:
    frame_import = services.upload_frame(by=None, kind="units", name="x.csv", content=units_csv(row()))
    for attempt in (1, 2, 3):
        work = claim(frame_import.job_id)
        assert work is not None and work.job.attempts == attempt
        Job.objects.filter(pk=frame_import.job_id).update(leased_until=timezone.now())
        FrameImport.objects.filter(pk=frame_import.pk).update(state=State.CHECKING)
        sweep()
        frame_import.refresh_from_db()
        assert frame_import.state == (State.QUEUED if attempt < 3 else State.FAILED)
    assert frame_import.job.error.code == "frame_file_lost"


def test_a_large_file_is_checked_by_a_worker(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "SMALL_FILE", 10)
    frame_import = services.upload_frame(by=None, kind="units", name="x.csv", content=units_csv(row()))
    assert services.proceed(frame_import)  # the message is sent when the transaction is committed
    assert deliver(frame_import.job_id) and services.proceed(frame_import)
    frame_import.refresh_from_db()
    assert frame_import.state == State.QUEUED
    do_waiting("frame_check")
    frame_import.refresh_from_db()
    assert frame_import.state == State.CHECKED


def test_other_roles_may_not_import(world: Any) -> None:
    frame_import = upload_and_check(units_csv(row()))
    for role in ("publisher", "reviewer", "provincial_administrator", "respondent", "system_administrator"):
        with pytest.raises(PermissionDenied):
            services.upload_frame(by=world.users[role], kind="units", name="x", content=b"x")
        with pytest.raises(PermissionDenied):
            services.confirm_import(frame_import, by=world.users[role], sha256=frame_import.sha256)
        with pytest.raises(PermissionDenied):
            services.cancel_import(frame_import, by=world.users[role])


def test_pages_from_upload_to_application(designer: Any, client: Client) -> None:
    client.force_login(designer)
    unit = row(name="新单位有限公司")
    file = SimpleUploadedFile("六月名录.csv", units_csv(unit))
    answer = client.post("/frame/", {"kind": "units", "file": file})
    frame_import = FrameImport.objects.get()
    assert answer["Location"] == f"/frame/imports/{frame_import.pk}/"
    text = client.get(answer["Location"]).content.decode()
    assert "六月名录.csv" in text and frame_import.sha256 in text
    client.post(f"/frame/imports/{frame_import.pk}/apply/", {"sha256": frame_import.sha256})
    assert ReportingUnit.objects.filter(uscc=unit["uscc"]).exists()
    assert "新单位有限公司" in client.get("/frame/").content.decode()
    actions = set(AuditEvent.objects.filter(actor_id=designer.pk).values_list("action", flat=True))
    assert {"frame_uploaded", "frame_confirmed", "frame_applied"} <= actions


def test_page_escapes_an_invalid_file_and_offers_its_faults_as_csv(designer: Any, client: Client) -> None:
    client.force_login(designer)
    file = SimpleUploadedFile("x.csv", units_csv(row(name="<script>alert(1)</script>"), row(uscc="=1+1")))
    page = client.post("/frame/", {"kind": "units", "file": file}, follow=True)
    assert b"<script>alert" not in page.content and b"&lt;script&gt;" in page.content
    frame_import = FrameImport.objects.get()
    faults = client.get(f"/frame/imports/{frame_import.pk}/faults.csv").content.decode("utf-8-sig")
    assert "'=1+1" in faults and len(faults.splitlines()) == 3
    assert AuditEvent.objects.filter(action="frame_errors_downloaded").exists()


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n\0\0", b"PK\x03\x04"])
def test_page_shows_why_a_file_was_refused(
    designer: Any, client: Client, content: bytes, language: str
) -> None:
    client.force_login(designer)
    client.cookies["django_language"] = language
    page = client.post(
        "/frame/", {"kind": "units", "file": SimpleUploadedFile("x.csv", content)}, follow=True
    )
    assert page.status_code == 200 and b'role="alert"' in page.content


def test_a_form_without_a_file_is_refused(designer: Any, client: Client) -> None:
    client.force_login(designer)
    assert client.post("/frame/", {"kind": "units"}).status_code == 422
    assert client.post("/frame/", {"kind": "other", "file": SimpleUploadedFile("x", b"x")}).status_code == 422


def test_too_large_a_file_is_refused_before_it_is_read(
    designer: Any, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("survey.frame.forms.LARGEST_FILE", 100)
    client.force_login(designer)
    answer = client.post("/frame/", {"kind": "units", "file": SimpleUploadedFile("x.csv", b"x" * 200)})
    assert answer.status_code == 422 and not FrameImport.objects.exists()


def test_number_of_queries_of_the_pages(
    designer: Any, client: Client, django_assert_max_num_queries: Any
) -> None:
    client.force_login(designer)
    frame_import = apply(upload_and_check(units_csv(*(row() for _ in range(30)))))
    with django_assert_max_num_queries(14):
        client.get("/frame/")
    with django_assert_max_num_queries(8):
        client.get(f"/frame/imports/{frame_import.pk}/")


def test_command_checks_and_applies(world: Any, tmp_path: Any) -> None:
    path, out = tmp_path / "frame.csv", io.StringIO()
    unit = row()
    path.write_bytes(units_csv(unit))
    call_command("import_frame", path, dry_run=True, stdout=out)
    assert "1 new" in out.getvalue() and not ReportingUnit.objects.filter(uscc=unit["uscc"]).exists()
    call_command("import_frame", path, stdout=out)
    assert ReportingUnit.objects.filter(uscc=unit["uscc"]).exists()
    path.write_bytes(units_csv(row(region="x")))
    with pytest.raises(CommandError):
        call_command("import_frame", path, stdout=out)
    path.write_bytes(b"")
    with pytest.raises(CommandError, match="empty"):
        call_command("import_frame", path, stdout=out)


def test_respondents_see_changes_of_their_own_unit_only(world: Any) -> None:
    other = make_unit("CAT13", "330000")
    source = upload_and_check(units_csv(row()))
    for unit in (world.unit, other):
        UnitChange.objects.create(unit=unit, source=source, kind="name")
    seen = UnitChange.objects.visible_to(make_user("respondent", unit=world.unit))
    assert [change.unit for change in seen] == [world.unit]
