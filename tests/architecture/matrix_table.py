"""One row for every URL: its arguments, its POST body, and the permissions needed beyond the access rule of its view.

A key is the name of a URL, or ``name:variant`` where a URL takes several actions.
"""

import datetime as dt
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from survey.access.roles import Permission
from survey.collection.models import CollectionRound
from survey.review.bulk import services as bulk
from survey.review.filters import QueueFilter
from tests.architecture.matrix_bodies import (
    ALLOCATION,
    CONTACT,
    NOTE,
    RUN_FORM,
    compared,
    document,
    passkey,
    renewal,
    step,
    workbook,
)
from tests.architecture.matrix_data import PASSWORD, Actor, MatrixData, RegionData
from tests.architecture.matrix_rows import (
    Row,
    at_revision,
    decide,
    design,
    open_release,
    post,
    published,
    release,
    revision_of,
    run,
    sheet,
    unit,
)
from tests.factories import SIGNATORIES


def _file() -> SimpleUploadedFile:
    return SimpleUploadedFile("counts.csv", b"region,section,size_class,units\n320000,B,large,5\n")


def _cell(data: MatrixData, region: RegionData, actor: Actor) -> dict[str, Any]:
    return {
        "revision": revision_of(region["open"]),
        "cell": ["P01"],
        "P01.value": "4321",
        "P01.unit": "TB",
    }


def _sign(data: MatrixData, region: RegionData, actor: Actor) -> dict[str, Any]:
    return {**SIGNATORIES, "statement": "on", "revision": revision_of(region["open"])}


def _reason(data: MatrixData, region: RegionData, actor: Actor) -> dict[str, Any]:
    return {
        "edit": region.finding.edit,
        "fingerprint": region.finding.fingerprint,
        "reason_code": "other",
        "text": "新的数据中心在三月投入使用，存储总量随之增加",
    }


def _verdict(data: MatrixData, region: RegionData, actor: Actor) -> dict[str, Any]:
    return {"edit": region.explanation.edit, "verdict": "accepted"}


def _bulk(data: MatrixData, region: RegionData, actor: Actor) -> dict[str, Any]:
    """The number and hash of the actor's preview; invented values for actors that have no preview."""
    setting = QueueFilter(category="CAT12")
    try:
        seen = bulk.preview(actor.user, CollectionRound.objects.get(year=2025), setting)
    except Exception:
        return {"expected": "1", "mark": "", "confirm": "on"}
    return {"expected": str(seen.expected), "mark": seen.mark, "confirm": "on"}


def _bulk_api(data: MatrixData, region: RegionData, actor: Actor) -> dict[str, Any]:
    body = _bulk(data, region, actor)
    return {"expected": int(body["expected"]), "mark": body["mark"], "filter": {"category": "CAT12"}}


def _day(days: int) -> str:
    return str(timezone.localdate() + dt.timedelta(days=days))


def _moment() -> str:
    return (timezone.now() + dt.timedelta(days=7)).isoformat()


RETURN = {"reason": "请核实存储总量的计量单位", "due_on": _day(7)}
WHY = {"reason": "核实后恢复"}
RUNS = Permission.RUN_ESTIMATION
_new = {"new_password": "Silver-Meadow-2032", "repeated": "Silver-Meadow-2032"}

TABLE: dict[str, Row] = {
    # Signing in. Public POSTs have invalid values: signing in is tested in tests/survey/access.
    "home": Row(),
    "accessibility": Row(),
    "sign_in": Row(body=post(username="", password=""), writes=False),
    "account_login": Row(body=post(username="", password=""), writes=False),
    "openid_connect_login": Row(lambda data, region: ("staff",), body=post(), writes=False),
    "openid_connect_callback": Row(lambda data, region: ("staff",)),
    "sign_out": Row(body=post(), writes=False),
    "sessions": Row(body=post(), writes=False),
    "session_extend": Row(body=post(), writes=False),
    "set_language": Row(body=post(language="en"), writes=False),
    "password_change": Row(body=post(old_password=PASSWORD, **_new)),
    "password_forgotten": Row(body=post(username=""), writes=False),
    "password_renew": Row(renewal, body=post(**_new)),
    "notice": Row(body=post(), writes=False),  # every actor has read it
    "second_factor": Row(body=post(code="000000"), writes=False),
    "mfa_authenticate": Row(body=post(code="000000"), writes=False),
    "passkey_new": Row(body=post(name="", credential="{}"), writes=False),
    "passkey_remove": Row(passkey, body=post(), owner="reviewer"),
    "passkey_sign_in": Row(body=post(credential="{}"), writes=False),
    "account_reauthenticate": Row(body=post(password=""), writes=False),
    "second_factor_setup": Row(body=post(code="000000"), writes=False),
    "activate": Row(body=post(credit_code="x", code="x"), writes=False),
    "activate_notice": Row(body=post(), writes=False),
    "activate_account": Row(body=post(), writes=False),
    # Administration
    "accounts": Row(),
    "account_new": Row(body=post(username="newcomer", name="newcomer")),
    "account": Row(lambda data, region: (data.account.pk,)),
    "account_act": Row(lambda data, region: (data.account.pk,), body=post(action="close")),
    "roles_of": Row(
        lambda data, region: (data.account.pk,),
        body=post(action="grant", role="reviewer", region="000000", category=""),
    ),
    "audit": Row(),
    "audit_ledgers": Row(body=post(since="2025-01-01", until="2025-12-31")),
    "audit_retention": Row(body=post(reason="matrix")),
    "audit_hold_end": Row(lambda data, region: (data.hold.pk,), body=post()),
    "audit_ledger_export": Row(lambda data, region: (data.ledger_export.pk,)),
    "system_state": Row(),
    "system_job": Row(lambda data, region: (data.failed_job.pk,), body=post(action="discard")),
    "metrics": Row(),
    # Questionnaires
    "questionnaires": Row(),
    "questionnaire_detail": Row(lambda data, region: (data.version.pk,)),
    "codelist_search": Row(lambda data, region: (data.version.pk, "divisions")),
    "api_questionnaires": Row(),
    "api_questionnaire": Row(lambda data, region: (data.version.pk,)),
    "api_schema": Row(),
    # Frame and sample design
    "frame": Row(body=lambda data, region, actor: {"kind": "counts", "file": _file()}),
    "frame_template": Row(lambda data, region: ("units", "csv")),
    "frame_import": Row(lambda data, region: (data.frame_import.pk,)),
    "frame_progress": Row(lambda data, region: (data.frame_import.pk,)),
    "frame_apply": Row(
        lambda data, region: (data.frame_import.pk,),
        body=lambda data, region, actor: {"sha256": data.frame_import.sha256},
    ),
    "frame_cancel": Row(lambda data, region: (data.frame_import.pk,), body=post()),
    "frame_errors": Row(lambda data, region: (data.frame_import.pk,)),
    "designs": Row(),
    "design_new": Row(body=post(round="2026", categories=["CAT01"], employees="900")),
    "design_detail": design("drawn"),
    "design_allocation": design("draft"),
    "design_strata": design("drawn"),
    "design_draw": design("draft", post(**ALLOCATION)),
    "design_redraw": design("drawn", post(), writes=False),
    "design_approve": design(
        "drawn", lambda data, region, actor: {"content_hash": data.designs["drawn"].content_hash}
    ),
    "design_withdraw": design("drawn", post(reason="抽样框更新后重新抽取")),
    "design_hand_over": design("approved", post()),
    "design_progress": design("approved"),
    "design_sample": Row(lambda data, region: (data.designs["drawn"].pk, "csv")),
    # Collection
    "rounds": Row(),
    "round_plan": Row(body=post(year="2030", opens=_day(400), due=_day(430), closes=_day(440))),
    "round_detail": Row(lambda data, region: (2025,)),
    "round_state": Row(lambda data, region: (2025,), body=post(to="closed")),
    "unit_list": Row(),
    "unit_detail": unit("filed"),
    "unit_contacts": Row(lambda data, region: (region["open"].unit_id,), scoped=True, body=post(**CONTACT)),
    "unit_disposition": unit("open", post(disposition="refused", reason="三次上门均拒绝")),
    "unit_extend": unit("open", post(until=_day(60), reason="机房搬迁需要时间")),
    "unit_code": unit("open", post()),
    "unit_exempt": unit("open", post(reason_code="closed")),
    "unit_exempt:undo": unit("exempted", post()),
    "unit_note": unit("open", post(**NOTE)),
    "unit_evidence": unit("open", document),
    "api_unit_notes": unit("open", post(**NOTE)),
    # Sheets
    **dict.fromkeys(("tasks", "peer_list", "run_changes"), Row()),
    "peer_sheet": Row(compared, scoped=True),
    "sheet_hub": sheet("open"),
    "sheet_start": sheet("fresh", body=post()),
    "sheet_section": sheet("open", "P", body=_cell),
    "sheet_save": sheet("open", "P", body=_cell),
    "sheet_discard": sheet("open", body=post(discard="P01"), writes=False),
    "sheet_leftover": sheet("filed", body=post(key="P01", text="90 PB")),
    "sheet_findings": sheet("unusual"),
    "sheet_explain": sheet("unusual", body=_reason),
    "sheet_summary": sheet("open"),
    "sheet_submit": sheet("open", body=_sign),
    "sheet_receipt": sheet("filed"),
    "sheet_recall": sheet("filed", body=post()),
    "sheet_filed": sheet("filed", 1),
    "sheet_filed:download": sheet("filed", 1, query="?download"),
    "sheet_reply": Row(
        lambda data, region: (region["returned"].pk, region.comment.pk),
        scoped=True,
        body=post(text="已改为PB"),
    ),
    "sheet_print": sheet("open"),
    "item_response": Row(),
    "rules": Row(),
    "sheet_share": sheet(
        "open", body=post(name="Guest", email="guest@example.org", days="7", sections=["P"])
    ),
    "share_withdraw": Row(
        lambda data, region: (region["open"].pk, region.invitation.pk), scoped=True, body=post()
    ),
    "sheet_evidence": sheet("open", body=post(note="x"), writes=False),  # without a file
    "evidence_remove": Row(
        lambda data, region: (region["open"].pk, region.attachment.pk), scoped=True, body=post()
    ),
    "evidence_file": Row(lambda data, region: (region.attachment.pk,), scoped=True),
    "evidence_file:desk": Row(
        lambda data, region: (region.document.pk,), scoped=True, reads=Permission.MANAGE_UNITS
    ),
    "sheet_sign": sheet("open", body=step),
    "sheet_ask_signature": sheet("open", body=post(role="stat_head", name="Head", email="head@example.org")),
    "guest_sign": Row(lambda data, region: (region.invitation.pk,), body=post(), writes=False),
    # Guests have no account: without the secret in the session every actor sees that the invitation has ended.
    "guest_open": Row(lambda data, region: ("invalid",)),
    "guest_home": Row(lambda data, region: (region.invitation.pk,)),
    "guest_section": Row(lambda data, region: (region.invitation.pk, "P"), body=_cell, writes=False),
    "guest_save": Row(lambda data, region: (region.invitation.pk, "P"), body=_cell, writes=False),
    "sheet_pdf": sheet("open", query="?filled"),
    "filed_pdf": sheet("filed", 1),
    "filed_workbook": sheet("filed", 1),
    "sheet_workbook": sheet("open"),
    "sheet_upload": sheet("open", body=post(), writes=False),  # without a file; storing is sheet_apply
    "sheet_apply": sheet("open", body=workbook),
    "api_sheets": Row(),
    "api_sheet": sheet("open"),
    "api_sheet_answers": sheet(
        "open", body=post(answers={"P01": {"value": "12"}}), method="patch", **at_revision("open")
    ),
    "api_sheet_explanations": sheet("unusual", body=_reason),
    "api_sheet_submit": sheet("open", body=post(**SIGNATORIES), **at_revision("open")),
    # Review
    "review_queue": Row(),
    "review_bulk": Row(body=_bulk, area=True),
    "review_bulk_acts": Row(),
    "review_remaining": Row(),
    "review_bulk_act": Row(
        lambda data, region: (region.act.pk,), scoped=True, body=post(reason="其中一份报表尚未核实")
    ),
    "progress_board": Row(),
    "review_ledger": Row(),
    "review_macro": Row(),
    "review_reasons": Row(query="?verdict=all"),
    "reminders": Row(body=post(group="in_progress", year="2025"), area=True),
    "reminder_batch": Row(lambda data, region: (region.batch.pk,), scoped=True),
    "notices": Row(body=post(), writes=False),
    "jobs": Row(body=post(kind="export_csv", year="2025")),
    "job_cancel": Row(lambda data, region: (data.job.pk,), body=post(), owner="provincial_administrator"),
    "job_file": Row(lambda data, region: (data.job.pk,), owner="provincial_administrator"),
    "progress_missing": Row(),
    "review_sheet": sheet("filed"),
    "review_query": sheet("filed", body=post(text="请核实", item="P01")),
    "review_propose": sheet("filed", body=post(item="P01", value="12.5", unit="PB", text="疑为PB")),
    "review_item": sheet("filed", "P01"),
    "sheet_corrections": Row(
        lambda data, region: (region["returned"].pk,),
        scoped=True,
        body=lambda data, region, actor: {"slip": region.slip.pk, "answer": "refuse", "text": "原值无误"},
    ),
    "review_verdict": sheet("explained", body=_verdict),
    "review_accept": sheet("filed", body=post()),
    "review_return": sheet("filed", body=post(**RETURN)),
    "review_send_back": sheet("national", body=post(**WHY), nation=True),
    "review_reopen": sheet("accepted", body=post(**RETURN), nation=True),
    "review_invalidate": sheet("accepted", body=post(reason_code="not_credible")),
    "review_reinstate": sheet("invalidated", body=post(**WHY)),
    "review_query_close": Row(lambda data, region: (region.query.pk,), scoped=True, body=post()),
    "api_review_queue": Row(),
    "api_review_sheet": sheet("filed"),
    "api_review_queries": sheet("filed", body=post(text="请核实", item="P01")),
    "api_review_query": Row(lambda data, region: (region.query.pk,), scoped=True, body=post(action="close")),
    "api_review_decisions": decide("filed", "accept"),
    "api_review_decisions:return": decide("filed", "return", {"reason": "请核实单位", "due_at": _moment()}),
    "api_review_decisions:send_back": decide("national", "send_back", WHY, nation=True),
    "api_review_decisions:reopen": decide(
        "accepted", "reopen", {"reason": "请核实单位", "due_at": _moment()}, nation=True
    ),
    "api_review_decisions:invalidate": decide(
        "accepted", "invalidate", {"reason_code": "not_credible"}, may=Permission.INVALIDATE
    ),
    "api_review_decisions:reinstate": decide("invalidated", "reinstate", WHY, may=Permission.INVALIDATE),
    "api_review_verdicts": sheet("explained", body=_verdict),
    "api_review_bulk": Row(body=_bulk_api, area=True),
    "api_review_bulk_undo": Row(
        lambda data, region: (region.act.pk,), scoped=True, body=post(reason="其中一份报表尚未核实")
    ),
    "api_progress": Row(),
    # Estimation
    "runs": Row(),
    "run_new": Row(body=post(**RUN_FORM)),
    "run_compare": Row(),
    "run_compare_cell": Row(
        lambda data, region: (data.finished.pk, data.replicated.pk),
        query="?variable=P01&statistic=total&year=2025",
    ),
    "run_detail": run("finished"),
    "run_progress": run("queued"),
    "run_cancel": run("queued", post()),
    "run_treated": run("finished"),
    "run_weights": run("finished"),
    "run_methods": run("finished"),
    "index_page": Row(),
    "index_request": run("finished", post()),
    "run_bootstrap": run("finished", post(replicates=100), may=RUNS),
    "run_bootstrap_cancel": run("replicated", post()),
    "run_units": run("finished", query="?variable=P01&statistic=total&kind=nation&code=all&year=2025"),
    "results": Row(),
    "results_table": Row(lambda data, region: (1,)),
    "results_domain": Row(),
    "truth": Row(),
    # Releases
    "release_list": Row(),
    "release_prepare": Row(
        body=lambda data, region, actor: {
            "run": data.finished.pk,
            "note_zh": "更正",
            "note_en": "correction",
        }
    ),
    "release_detail": release("draft"),
    "release_act": release("draft", post(action="rebuild")),
    "release_cells": release("draft"),
    "release_disclosure": release("draft"),
    "release_differences": release("published"),
    "release_comparison": release("draft"),
    "block_list": Row(lambda data, region: (2025,)),
    "block_edit": Row(
        lambda data, region: (2025, "foreword"),
        body=post(heading_zh="前言", heading_en="Foreword", body_zh="文字", body_en="Text"),
    ),
    "external_list": Row(),
    "external_new": Row(body=post(code="EXT-POP", year="2025", value="140489", source="国家统计局")),
    "external_import": Row(body=post(), writes=False),  # a dry run without a file
    "external_file": Row(
        lambda data, region: (data.external_file.pk,), body=post(sha256="another"), writes=False
    ),
    "external_approve": Row(lambda data, region: (data.external.pk,), body=post()),
    "api_releases": Row(),
    "api_release": open_release(),
    "api_release_cell": open_release("SUP-01.2025"),
    "api_release_table": open_release("T2"),
    "api_runs": Row(body=post(round=2025, spec={"winsorization": {"method": "none"}}), may=RUNS),
    "api_run": run("finished"),
    "api_estimates": run("finished"),
    "api_indicators": Row(),
    "api_tables": Row(lambda data, region: (1,)),
    "release_files": Row(lambda data, region: (data.published.pk,)),
    "release_file": Row(lambda data, region: (data.published.pk, "manifest.json")),
    # Files at the root of the site
    "favicon": Row(),
    "touch_icon": Row(),
    "touch_icon_precomposed": Row(),
    "robots": Row(),
    # The public site
    "public_start": published(),
    "public_archive": published(),
    "public_data": published(),
    "public_figures": published("2025"),
    "public_report": published("2025"),
    "public_picture": published("2025", "regions"),
    "public_files": published("2025"),
    "public_file": published("2025", "manifest.json"),
    "public_tables": published("2025"),
    "public_table": published("2025", "T2"),
    "public_table_csv": published("2025", "T2"),
    "public_table_json": published("2025", "T2"),
    "public_explore": published("2025"),
    "public_crossing": published("2025"),
    "public_domain": published("2025", "section", "C"),
    "public_cell": published("2025", "SUP-01.2025"),
    "public_method": published("2025"),
    "public_quality": published("2025"),
}
