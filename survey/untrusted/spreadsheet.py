"""Values of a spreadsheet as JSON, which the child that parses a workbook sends."""

import datetime as dt
from typing import Any


def document_of(value: Any) -> Any:
    """A spreadsheet value as JSON; dates and times keep their type."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return {"type": type(value).__name__, "text": value.isoformat()}
    return str(value)


def value_of(document: Any) -> Any:
    """The spreadsheet value of JSON. Raises ValueError for anything that ``document_of`` does not make."""
    if document is None or isinstance(document, str | int | float):
        return document
    match document:
        case {"type": "datetime", "text": str(text)}:
            return dt.datetime.fromisoformat(text)
        case {"type": "date", "text": str(text)}:
            return dt.date.fromisoformat(text)
        case {"type": "time", "text": str(text)}:
            return dt.time.fromisoformat(text)
    raise ValueError("no value of a spreadsheet")
