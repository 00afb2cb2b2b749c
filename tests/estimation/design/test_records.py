"""Stored forms of a design and of measured times: read by name, written as before they were records."""

import json
from typing import Any

import pytest

from estimation.design.allocation import Request
from estimation.design.models import SampleDesign
from estimation.design.records import Basis, CertainCells, DesignSummary, DrawnAllocation, Overlap
from estimation.runs.bootstrap.models import Bootstrap
from estimation.runs.bootstrap.timings import Timing, Timings
from estimation.runs.compute.summary import Measured

BASIS = {
    "items": ["P01"],
    "labels": [["从业人员", "Employees"]],
    "main": [[0, 1]],
    "cells": {"key": [[0, 1, 2, 0]], "size": [3.0], "mean": [[1.5]], "spread": [[0.5]]},
    "year": 2025,
    "version": 1,
    "microdata": "ab",
    "response": 0.9,
    "sample": 40,
}
ALLOCATION = {
    "method": "neyman",
    "n": 60,
    "minimum": 2,
    "item": "all",
    "power": 0.5,
    "nation": None,
    "region": 0.1,
    "section": None,
    "response": 1.0,
    "start": 0.25,
}
DRAFT = {
    "units": 9,
    "strata": 4,
    "population": 12,
    "reasons": {"category": 1},
    "unlisted_strata": 1,
    "unlisted_population": 3,
}
DRAWN = DRAFT | {
    "n": 5,
    "certain": 1,
    "short": 0,
    "grades": {"A": 2},
    "cv": {"P01": 0.1},
    "overlap": {"year": 2025, "before": 4, "units": 2, "gone": 1, "regions": [["110000", 3, 2]]},
}
MEASURED = {"seconds": {"read": 1.5}, "total_seconds": 2.0, "peak_mb": 90.5}
TIMINGS = [{"workers": 1, "seconds": 4.2}, {"workers": 2, "seconds": 2.3}]
type Stored = type[Any]


@pytest.mark.parametrize(
    ("record", "stored"),
    [
        (Basis, BASIS),
        (Basis, {}),
        (DrawnAllocation, ALLOCATION),
        (DrawnAllocation, {}),
        (DesignSummary, DRAFT),
        (DesignSummary, DRAWN),
        (DesignSummary, DRAWN | {"overlap": {}}),
        (Measured, MEASURED),
        (Measured, {}),
        (Timings, TIMINGS),
        (Timings, []),
    ],
)
def test_a_stored_form_is_written_as_it_was_read(record: Stored, stored: Any) -> None:
    assert json.loads(json.dumps(record.from_document(stored).to_document())) == stored


def test_values_are_read_by_name() -> None:
    assert Basis.from_document(BASIS).cells == CertainCells([[0, 1, 2, 0]], [3.0], [[1.5]], [[0.5]])
    assert DrawnAllocation.from_document(ALLOCATION).request == Request("neyman", n=60, region=0.1)
    assert DesignSummary.from_document(DRAWN).overlap == Overlap(2025, 4, 2, 1, [["110000", 3, 2]])
    assert Timings.from_document(TIMINGS).measured[1] == Timing(2, 2.3)


def test_what_earlier_programs_stored_is_read() -> None:
    assert Basis.from_document({**BASIS, "sample": 1, "later": 1}).sample == 1
    assert Basis.from_document({name: BASIS[name] for name in BASIS if name != "sample"}).sample is None
    assert DesignSummary.from_document({"strata": 4, "population": 12, "n": 5, "certain": 1}).n == 5
    assert Timings.from_document([{"workers": 1, "seconds": 2.0, "replicates": 500}]).measured == (
        Timing(1, 2.0),
    )


def test_a_dictionary_is_refused_for_a_record_field() -> None:
    with pytest.raises(TypeError):
        SampleDesign._meta.get_field("summary").get_prep_value(DRAWN)


def test_migrations_know_the_empty_value_of_each_column() -> None:
    for model, name, empty in ((SampleDesign, "basis", dict), (Bootstrap, "timings", list)):
        field: Any = model._meta.get_field(name)
        assert field.deconstruct()[3]["default"] is empty and type(field).__name__ == "RecordField"
