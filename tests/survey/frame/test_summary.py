"""The counts of an imported file: the stored form is that of the dictionary before."""

import json

from survey.frame.summary import FrameSummary

STORED = {
    "format": "csv",
    "encoding": "gb18030",
    "rows": 9,
    "good": 8,
    "faults": 2,
    "faulty_rows": 1,
    "normalised": 3,
    "cleaned": 0,
    "rounded": 0,
    "respelled": 0,
    "sheet": "",
    "line": 1,
    "ignored": ["fax"],
    "new": 1,
    "changed": 0,
    "back": 0,
    "unchanged": 7,
    "missing": 0,
    "fields": {"employees": 1},
    "sum": 0,
    "seconds": 0.2,
}


def test_a_stored_form_is_written_as_it_was_read() -> None:
    assert json.loads(json.dumps(FrameSummary.from_document(STORED).to_document())) == STORED
    assert FrameSummary.from_document({}) == FrameSummary() and FrameSummary().to_document() == {}


def test_an_earlier_form_without_some_counts_is_read() -> None:
    old = {name: STORED[name] for name in STORED if name not in ("fields", "sum", "ignored")}
    read = FrameSummary.from_document(old | {"unknown": 1})
    assert (read.rows, read.sum, read.fields, read.ignored) == (9, 0, {}, ())


def test_summary_without_differences_changes_nothing() -> None:
    assert not FrameSummary.from_document(STORED).changes_nothing
    assert FrameSummary.from_document(STORED | {"new": 0}).changes_nothing
