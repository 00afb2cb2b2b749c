"""Reads the YAML files of the registry; a fault of theirs is a ``DefinitionError`` that says where it is. Pure."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from estimation.releases.content.formulas import FormulaError
from survey.exceptions import DefinitionError
from survey.questionnaires import loader
from survey.questionnaires.document_parts import definition_errors

FOLDER = Path(__file__).with_name("registry")


def read_yaml(name: str) -> dict[str, Any]:
    """A file of the registry folder. Raises DefinitionError when it is no YAML or no mapping."""
    document = loader.read_yaml(FOLDER / name)
    if not isinstance(document, dict):
        raise DefinitionError("malformed", name, "the file is no mapping")
    return document


@contextmanager
def entry_errors(entry: Any, where: str) -> Iterator[None]:
    """Turns errors about a missing or malformed part of an entry, or about a formula, into a DefinitionError."""
    try:
        with definition_errors(entry, where):
            yield
    except FormulaError as error:
        code = entry.get("code", where) if isinstance(entry, Mapping) else where
        raise DefinitionError("formula", str(code), str(error)) from error
