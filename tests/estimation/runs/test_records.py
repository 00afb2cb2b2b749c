"""Stored forms of runs and releases, and what earlier programs stored: read by name, written as before."""

import json
from importlib import import_module

import pytest

from estimation.releases.checks import AuditedSystem, Disclosure, Fault, ReleaseChecks, Rules
from estimation.runs.compute.summary import ExternalValue, IdentityCheck, RunSummary, YearSummary

YEAR = YearSummary(2025, 40, 100.0, 3, 3, 0, 1, 0, 0.0, 0, 2, 1, 0)
SUMMARY = RunSummary(
    external=(
        ExternalValue("GDP", 2025, 1, "1401879.2", "亿元"),
        ExternalValue("GDP", 2024, 2, "1.5", "亿元"),
    ),
    estimates=12,
    variables=4,
    grades={"A": 10, "B": 2},
    checks=(IdentityCheck("weights", 2025, "", 0.0, holds=True),),
    years=(YEAR,),
)
CHECKS = ReleaseChecks(
    faults=(Fault("digits", "chapter3", "5"),),
    remarks=(Fault("weak", "SUP-01.2025", "1.2"),),
    disclosure=Disclosure(
        {"P01/total/region/540000/2025": "few"},
        (AuditedSystem("P01", "total", 2025, 1, 2, ("x",), 9, 3, "in_turn", True, False, 0.2),),
        1,
    ),
    rules=Rules(),
)
MIGRATION = import_module("estimation.migrations.0015_stored_sentences_and_superseded_runs")


@pytest.mark.parametrize("record", [SUMMARY, CHECKS, RunSummary(), ReleaseChecks()])
def test_a_record_survives_its_stored_form(record: RunSummary | ReleaseChecks) -> None:
    stored = json.loads(json.dumps(record.to_document()))
    assert type(record).from_document(stored) == record


def test_the_stored_form_is_that_of_the_dictionaries_before() -> None:
    assert RunSummary(external=SUMMARY.external[:1]).to_document() == {
        "external": [{"code": "GDP", "year": 2025, "version": 1, "value": "1401879.2", "unit": "亿元"}]
    }
    document = SUMMARY.to_document()
    assert list(document) == ["external", "estimates", "variables", "grades", "checks", "years"]
    assert document["checks"] == [{"check": "weights", "year": 2025, "detail": "", "gap": 0.0, "holds": True}]
    assert CHECKS.to_document()["rules"] == {"minimum": 3, "one": 0.7, "two": 0.85, "protection": 0.1}
    assert CHECKS.to_document()["disclosure"]["systems"][0]["recovered"] == ["x"]


def test_what_earlier_programs_stored_is_read() -> None:
    old = SUMMARY.to_document() | {"superseded_by": 7}
    del old["years"][0]["response_classes"]
    assert RunSummary.from_document(old) == SUMMARY
    assert RunSummary.from_document({}) == RunSummary()
    assert ReleaseChecks.from_document({"disclosure": {}}).disclosure.leaks is None


def test_external_values_and_years_are_read() -> None:
    assert SUMMARY.external_of(2025) == {"GDP": 1401879.2}
    assert SUMMARY.of_year(2025) is YEAR


@pytest.mark.parametrize(
    ("text", "code", "params"),
    [
        ("计算中断：no such parameter", "run_stopped", {"error": "no such parameter"}),
        ("The computation ran out of memory.", "run_out_of_memory", {}),
        ("移交过程中工作进程停止了 3 次。", "hand_over_lost", {"count": 3}),
        ("什么别的", "as_written", {"text": "什么别的"}),
    ],
)
def test_stored_sentences_get_their_codes(text: str, code: str, params: dict[str, object]) -> None:
    assert MIGRATION.coded(text) == {"code": code, "params": params}
