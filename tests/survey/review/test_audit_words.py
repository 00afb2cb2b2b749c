"""The audit page: names of objects and details, and links only to permitted pages."""

import ast
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from django.utils.translation import override

from survey import audit
from survey.audit_trail import selectors as audit_objects
from survey.audit_trail.labels import ACTIONS, COUNTED
from survey.audit_trail.presentation import LABELS, described
from survey.backups import selectors as backups
from survey.files import Store
from survey.ledgers.storage import protection_lifted
from survey.review import services
from survey.submissions.lifecycle.states import Action, State
from tests.factories import make_sheet, make_unit

ROOT = Path(__file__).resolve().parents[3]


def actions_of_the_code() -> set[str]:
    """Every literal action in calls of ``audit.record``."""
    actions = set()
    for path in [*(ROOT / "survey").rglob("*.py"), *(ROOT / "estimation").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "record":
                actions |= {
                    str(word.value.value)
                    for word in node.keywords
                    if word.arg == "action" and isinstance(word.value, ast.Constant)
                }
    return actions


def test_every_action_has_a_label() -> None:
    families = {f"sheet_{action}" for action in Action}
    required = actions_of_the_code() | families
    assert len(required) > 60
    assert sorted(required - ACTIONS.keys()) == []


RECORDERS = {"record", "record_each", "_record"}
COLUMNS = {"by", "action", "subject", "succeeded", "region_path", "at", "rows", "params"}


def details_of_the_code() -> set[str]:
    """Every detail that a call of ``audit.record`` names."""
    return {
        str(word.arg)
        for path in [*(ROOT / "survey").rglob("*.py"), *(ROOT / "estimation").rglob("*.py")]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and (getattr(node.func, "attr", "") or getattr(node.func, "id", "")) in RECORDERS
        for word in node.keywords
        if word.arg
    } - COLUMNS


def test_every_detail_has_a_label() -> None:
    required = details_of_the_code()
    assert len(required) > 60
    assert sorted(required - LABELS.keys()) == []


@pytest.mark.parametrize(
    ("action", "details", "shown"),
    [
        ("job_retried", {"kind": "bootstrap_chunk"}, "Bootstrap: replicates"),
        ("hold_set", {"kind": "contact_notes"}, "Notes about contacts with units"),
        ("second_factor", {"kind": "totp"}, "Authenticator"),
        ("signed", {"role": "stat_head"}, "Head of statistics"),
        ("account_closed", {"reason": "idle"}, "not used for long"),
        ("retention_swept", {"removed": {"jobs": 3}}, "Background work that has ended, also mails: 3"),
        ("backup_verified", {"counts": {"filings": 3, "releases": 1}}, "Filings: 3, Releases: 1"),
        ("files_checked", {"missing": {"jobs": 2}}, "Exports, letters and other produced files: 2"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_codes_in_details_are_shown_by_name(action: str, details: dict[str, Any], shown: str) -> None:
    with override("en"):
        assert [value for _name, value, _known in described(details, action)] == [shown]


def test_everything_that_a_verification_counts_has_a_name() -> None:
    assert {*backups.checks(), *Store} <= COUNTED.keys()


def test_details_are_labelled_and_empty_ones_omitted() -> None:
    details = {
        "new": "accepted",
        "old": "national_review",
        "reason": "",
        "channel": "api",
        "region": "320000",
        "odd": {"year": 2025},
    }
    details_shown = [(str(name), value, has_label) for name, value, has_label in described(details)]
    assert [has_label for *_rest, has_label in details_shown] == [True] * 4 + [False]
    values = [value for _name, value, _has_label in details_shown]
    assert "national_review" not in values
    assert "api" not in values
    assert "320000" not in values
    assert details_shown[-1][0] == "odd"


@pytest.fixture
def trail(world: Any, province: Any) -> Any:
    """A comment in Jiangsu, and a row about a deleted object."""
    services.raise_query(make_sheet(world.unit, State.SUBMITTED), by=province, text="请核实", item="P01")
    row = audit.record(by=province, action="account_closed", subject=world.users["respondent"])
    with protection_lifted():
        audit.AuditEvent.objects.filter(pk=row.pk).update(subject_id="999999999")
    return world


def test_audit_page_names_objects_and_links_only_permitted_pages(trail: Any, client: Any) -> None:
    auditor = trail.users["audit_administrator"]
    client.force_login(auditor)
    client.cookies["django_language"] = "en"
    page = client.get(reverse("audit"), {"action": "review_query"}).content.decode()
    assert f"{trail.unit.name} · 2025" in page
    assert "Comment on a sheet" in page
    assert "P01" in page
    assert "/review/" not in page
    gone = client.get(reverse("audit"), {"kind": "user", "subject": "999999999"}).content.decode()
    assert "#999999999" in gone


def test_objects_are_linked_only_with_permission(trail: Any, province: Any) -> None:
    events = list(audit.AuditEvent.objects.filter(action="review_query"))
    (inside,) = audit_objects.subjects_of(events, province).values()
    assert inside.href == reverse("review_sheet", args=[int(events[0].subject_id)])
    outside = make_sheet(make_unit("CAT12", "330000"), State.SUBMITTED)
    row = audit.record(by=None, action="sheet_accept", subject=outside)
    (hidden,) = audit_objects.subjects_of([row], province).values()
    assert hidden.href == ""


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"kind": "submission"}, 1),
        ({"kind": "release"}, 0),
        ({"subject": "NAME"}, 1),
        ({"subject": "USCC"}, 1),
        ({"kind": "user", "subject": "NAME"}, 0),
        ({"subject": "no such thing"}, 0),
        ({"actor": "ACTOR"}, 1),
    ],
)
def test_filters(trail: Any, province: Any, client: Any, filters: dict[str, str], count: int) -> None:
    words = {"NAME": trail.unit.name, "USCC": trail.unit.uscc[:12], "ACTOR": province.username}
    client.force_login(trail.users["audit_administrator"])
    parameters = {key: words.get(value, value) for key, value in filters.items()}
    events = client.get(reverse("audit"), {**parameters, "action": "review_query"}).context["events"]
    assert len(events) == count


@pytest.mark.django_db
@pytest.mark.parametrize("name", audit_objects.KINDS)
def test_every_kind_is_a_model_with_name_and_search(name: str, world: Any) -> None:
    row = audit.AuditEvent(subject_type=name, subject_id="1")
    (subject,) = audit_objects.subjects_of([row], world.users["reviewer"]).values()
    assert subject.name
    assert audit_objects._model(name) is not None
    assert audit_objects._matching_keys(name, "nothing is called so") == []


def test_view_name_is_omitted_when_the_path_is_shown() -> None:
    assert [value for _name, value, _has_label in described({"path": "/audit/", "view": "audit"})] == [
        "/audit/"
    ]
    assert [value for _name, value, _has_label in described({"view": "audit"})] == ["audit"]
