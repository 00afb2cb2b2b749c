"""The example board and the alert rules name metrics that exist, with labels that they have."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from config import health
from config.monitoring.metrics import count_actions
from survey.audit import AuditEvent
from survey.backups.stored_files.selectors import CHECKED
from survey.files import Store
from survey.jobs.models import Job
from survey.jobs.services import enqueue
from survey.ledgers.selectors import VERIFIED
from survey.operations import presentation, selectors
from tests.architecture.test_layout import ROOT
from tests.factories import World

FOLDER = ROOT / "config" / "deploy" / "monitoring"
NAME = re.compile(r"\bsurvey_\w+")
# name{label=...} and "by (label, ...)"; __ and le belong to Prometheus.
LABELS = re.compile(r"(survey_\w+)\{([^}]*)\}")


def rules() -> list[dict[str, Any]]:
    document = yaml.safe_load((FOLDER / "alerts.yaml").read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def expressions() -> Iterator[str]:
    for rule in rules():
        yield rule["expr"]
    board = json.loads((FOLDER / "grafana.json").read_text(encoding="utf-8"))
    for panel in board["panels"]:
        for target in panel["targets"]:
            yield target["expr"]


def unknown_names(texts: list[str], existing: dict[str, set[str]]) -> set[str]:
    """Metrics and ``metric{label}`` of the expressions that no sample has."""
    unknown = {name for text in texts for name in NAME.findall(text) if name not in existing}
    for text in texts:
        for name, selection in LABELS.findall(text):
            labels = set(re.findall(r"(\w+)\s*[=!~]", selection))
            unknown |= {f"{name}{{{label}}}" for label in labels - existing.get(name, set())}
        for group in re.findall(r"by \(([^)]*)\)", text):
            known = set().union(*(existing.get(name, set()) for name in NAME.findall(text)), {"le"})
            unknown |= {f"by ({label})" for label in re.findall(r"\w+", group) if label not in known}
    return unknown


@pytest.fixture
def existing(client: Client, world: World, monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """Labels of every metric by name, on a system in which each has a value."""
    monkeypatch.setattr(selectors, "replicas", lambda: [selectors.Replica("standby", 5, 0.1)])
    enqueue("receipt", "1", send=False)
    Job.objects.create(kind="receipt", state=Job.State.DONE, finished_at=timezone.now())
    AuditEvent.objects.create(action=VERIFIED, succeeded=False, details={"faults": [{}, {}]})
    counts: dict[str, dict[str, int]] = {name: {"jobs": 1} for name in ("files", "missing", "orphans")}
    AuditEvent.objects.create(action=CHECKED, succeeded=False, details=counts)
    health.heartbeat()
    count_actions("save")
    monkeypatch.setattr(selectors, "folders", lambda: [selectors.Folder(Store.JOBS, "JOB_FOLDER", "/", 1, 2)])
    client.get("/sign-in/")
    response = client.get("/metrics")
    labels: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(response.content.decode()):
        for sample in family.samples:
            labels.setdefault(sample.name, set()).update(sample.labels, {"instance", "job"})
    return labels


@pytest.mark.django_db
def test_board_and_rules_name_existing_metrics_and_labels(existing: dict[str, set[str]]) -> None:
    texts = list(expressions())
    assert len(texts) > 25
    assert unknown_names(texts, existing) == set()
    planted = ["sum by (colour) (survey_jobs)", 'survey_jobs{queue="x"}', "survey_job_total > 0"]
    assert unknown_names(planted, existing) == {"by (colour)", "survey_jobs{queue}", "survey_job_total"}


@pytest.mark.django_db
def test_the_board_shows_every_metric_of_the_survey(existing: dict[str, set[str]]) -> None:
    shown = {
        re.sub(r"_(bucket|sum|count)$", "", name) for text in expressions() for name in NAME.findall(text)
    }
    families = {
        re.sub(r"_(bucket|sum|count|created)$", "", name) for name in existing if name.startswith("survey_")
    }
    families = {name for name in families if f"{name}_total" not in existing}
    assert families - shown == set()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("faults", "shown"), [(None, []), (0, [0.0]), (2, [2.0])], ids=["never", "none", "two"]
)
def test_faults_of_the_last_verification_are_a_metric(faults: int | None, shown: list[float]) -> None:
    if faults is not None:
        AuditEvent.objects.create(action=VERIFIED, succeeded=False, details={"faults": [{}]})
        AuditEvent.objects.create(action=VERIFIED, succeeded=not faults, details={"faults": [{}] * faults})
    samples = {metric.name: [sample.value for sample in metric.samples] for metric in presentation.metrics()}
    assert samples["survey_ledger_verification_faults"] == shown
    assert (samples["survey_ledger_verified_timestamp_seconds"][0] > 0) is (faults is not None)


def test_every_rule_has_what_prometheus_needs() -> None:
    for rule in rules():
        assert (
            rule["alert"]
            and rule["annotations"]["summary"]
            and rule["labels"]["severity"] in {"page", "warn"}
        )
    assert presentation.PARTS


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (package prometheus) is not installed")
def test_promtool_accepts_the_rules(tmp_path: Path) -> None:
    def check(path: Path) -> int:
        return subprocess.run(
            [shutil.which("promtool") or "", "check", "rules", str(path)], capture_output=True
        ).returncode

    assert check(FOLDER / "alerts.yaml") == 0
    broken = tmp_path / "alerts.yaml"
    broken.write_text(
        (FOLDER / "alerts.yaml").read_text(encoding="utf-8").replace("sum(rate(", "sum(rate((", 1)
    )
    assert check(broken) != 0
