"""Code lists as YAML or JSON values, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from survey.questionnaires.definition import CodeEntry, Codelist
from survey.questionnaires.document_parts import definition_errors, optional, pruned, text_document, text_from


def codelist_document(codelist: Codelist) -> dict[str, Any]:
    """A code list in its document form."""
    entries = [
        pruned(
            {
                "code": entry.code,
                "label": text_document(entry.label),
                "parent": entry.parent,
                "group": entry.group,
                "evidence": entry.evidence,
            }
        )
        for entry in codelist.entries
    ]
    return {
        "title": text_document(codelist.title),
        "source": codelist.source,
        "entries": entries,
        "open_prefix": codelist.open_prefix,
        "code_length": codelist.code_length,
    }


def codelist_from(name: str, raw: Mapping[str, Any]) -> Codelist:
    """A code list from its document or YAML form. Raises DefinitionError."""
    with definition_errors(None, name):
        return _codelist_from(name, raw)


def _codelist_from(name: str, raw: Mapping[str, Any]) -> Codelist:
    entries = tuple(
        CodeEntry(
            str(entry["code"]),
            text_from(entry["label"]),
            optional(entry.get("parent")),
            optional(entry.get("group")),
            bool(entry.get("evidence")),
        )
        for entry in raw["entries"]
    )
    return Codelist(
        name,
        entries,
        open_prefix=int(raw.get("open_prefix", 0)),
        code_length=int(raw.get("code_length", 0)),
        title=text_from(raw.get("title")),
        source=str(raw.get("source") or ""),
    )
