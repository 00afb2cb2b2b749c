"""The external series that a release can use, as data: code, names, unit, bounds. Pure."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from survey.questionnaires.document_parts import definition_errors
from survey.questionnaires.loader import read_yaml

_FILE = Path(__file__).with_name("series.yaml")


@lru_cache(maxsize=1)
def all_series() -> tuple[dict[str, Any], ...]:
    """Every series, in the order in which forms list them. Raises DefinitionError."""
    with definition_errors(None, _FILE.name):
        entries = tuple(read_yaml(_FILE)["series"])
    for entry in entries:
        with definition_errors(entry, _FILE.name):
            _check(entry)
    return entries


def _check(entry: dict[str, Any]) -> None:
    missing = {"code", "unit", "label"} - entry.keys() or {"zh", "en"} - entry["label"].keys()
    if missing:
        raise KeyError(", ".join(sorted(missing)))
