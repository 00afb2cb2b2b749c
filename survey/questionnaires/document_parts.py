"""Reads and writes the parts of a document: texts, numbers, values of a list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from survey.exceptions import DefinitionError
from survey.questionnaires.definition import Text


def text_document(text: Text) -> dict[str, str]:
    """A {zh, en} pair."""
    return {"zh": text.zh, "en": text.en}


def text_from(raw: Any) -> Text:
    """A {zh, en} pair; a plain string (a code, a unit) is used for both languages."""
    if raw is None:
        return Text("", "")
    if isinstance(raw, Mapping):
        return Text(str(raw.get("zh") or "").strip(), str(raw.get("en") or "").strip())
    return Text(str(raw).strip(), str(raw).strip())


def pruned(pairs: Mapping[str, Any]) -> dict[str, Any]:
    """The pairs without None, empty text, empty lists and False; zero stays."""
    return {key: value for key, value in pairs.items() if value or (value == 0 and value is not False)}


@contextmanager
def definition_errors(raw: Any, where: str) -> Iterator[None]:
    """Converts errors about missing or malformed parts into a DefinitionError with the code concerned."""
    code = raw.get("code", where) if isinstance(raw, Mapping) else where
    try:
        yield
    except (KeyError, TypeError, AttributeError) as error:
        raise DefinitionError("malformed", str(code), f"missing or malformed part: {error}") from error


def optional(value: Any) -> str | None:
    """A text without blanks at its ends; None for a missing or empty value."""
    return None if value is None or value == "" else str(value).strip()


def number(value: Any) -> int | None:
    """A whole number, or None."""
    return None if value is None else int(value)


def enumerated(value: Any, allowed: Sequence[str], where: str, what: str) -> str:
    """A value that must be one of `allowed`. Raises DefinitionError("malformed")."""
    if value not in allowed:
        raise DefinitionError("malformed", where, f"{what} {value!r} is none of {', '.join(allowed)}")
    return str(value)
