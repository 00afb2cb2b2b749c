"""A code list as the part of a questionnaire's document, and back. Pure.

A short list is written entry by entry. A long one is text (tables.py), which makes a published version with
the 1,382 classes of industry and the 3,100 divisions three times as large as without, instead of ten times; all
forms of a process share the parsed list.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from survey.questionnaires.definition import CodeEntry, Codelist
from survey.questionnaires.document_parts import (
    definition_errors,
    optional,
    pruned,
    text_document,
    text_from,
)
from survey.questionnaires.lists.tables import (
    completed,
    entries_from,
    entries_text,
    retired_from,
    retired_text,
)

_tabular: dict[str, Codelist] = {}  # by the hash of the document: one object for the forms of all years


def codelist_document(codelist: Codelist) -> dict[str, Any]:
    """A code list as JSON values."""
    return dict(_document(codelist))


@lru_cache(maxsize=512)  # the text of a long list takes 10 ms, and every form asks for it
def _document(codelist: Codelist) -> dict[str, Any]:
    facts = {"title": text_document(codelist.title), "source": codelist.source}
    if codelist.tabular:
        romanise, headings = codelist.romanised, codelist.headings
        return facts | pruned(
            {
                "edition": codelist.edition,
                "valid_from": codelist.valid_from,
                "licence": codelist.licence,
                "path": codelist.path,
                "romanised": romanise,
                "table": entries_text(codelist.entries, headings, romanise=romanise),
                "headings": entries_text(headings) if headings else "",
                "retired": retired_text(codelist.retired) if codelist.retired else "",
            }
        )
    # The open rule is written although no list has one now: the hashes of earlier versions contain it.
    return facts | {
        "entries": [_entry_document(entry) for entry in codelist.entries],
        "open_prefix": codelist.open_prefix,
        "code_length": codelist.code_length,
    }


def _entry_document(entry: CodeEntry) -> dict[str, Any]:
    return pruned(
        {
            "code": entry.code,
            "label": text_document(entry.label),
            "parent": entry.parent,
            "group": entry.group,
            "evidence": entry.evidence,
        }
    )


def codelist_from(name: str, raw: Mapping[str, Any]) -> Codelist:
    """A code list from its document or YAML form. Raises DefinitionError."""
    with definition_errors(None, name):
        if "table" not in raw:
            return _short_list(name, raw)
        key = hashlib.sha256(json.dumps([name, raw], sort_keys=True).encode()).hexdigest()
        if key not in _tabular:
            _tabular[key] = _long_list(name, raw)
        return _tabular[key]


def _short_list(name: str, raw: Mapping[str, Any]) -> Codelist:
    return Codelist(
        name,
        tuple(_entry(entry) for entry in raw["entries"]),
        open_prefix=int(raw.get("open_prefix", 0)),
        code_length=int(raw.get("code_length", 0)),
        title=text_from(raw.get("title")),
        source=str(raw.get("source") or ""),
    )


def _long_list(name: str, raw: Mapping[str, Any]) -> Codelist:
    romanise = bool(raw.get("romanised"))
    headings = completed(entries_from(raw["headings"], name)) if raw.get("headings") else ()
    listed = [*(_entry(entry) for entry in raw.get("entries") or ()), *entries_from(raw["table"], name)]
    return Codelist(
        name,
        completed(listed, headings, romanise=romanise),
        title=text_from(raw.get("title")),
        source=str(raw.get("source") or ""),
        edition=str(raw.get("edition") or ""),
        valid_from=str(raw.get("valid_from") or ""),
        licence=str(raw.get("licence") or ""),
        path=bool(raw.get("path")),
        romanised=romanise,
        tabular=True,
        headings=headings,
        retired=retired_from(raw["retired"], name) if raw.get("retired") else (),
    )


def _entry(raw: Mapping[str, Any]) -> CodeEntry:
    return CodeEntry(
        str(raw["code"]),
        text_from(raw["label"]),
        optional(raw.get("parent")),
        optional(raw.get("group")),
        bool(raw.get("evidence")),
        str(raw.get("pinyin") or ""),
    )
