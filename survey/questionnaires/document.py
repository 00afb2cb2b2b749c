"""A questionnaire as one self-contained JSON document, and back.

The document is what a published version stores. Its canonical JSON (sorted keys, no spaces) gives
the content hash that binds a sheet to the definition it was filled with.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from survey.exceptions import DefinitionError
from survey.questionnaires.answering.special_values import MISSING_REASONS
from survey.questionnaires.definition import (
    ITEM_TYPES,
    SCOPES,
    SEVERITIES,
    CodeEntry,
    Codelist,
    Column,
    Edit,
    Grid,
    Item,
    Questionnaire,
    Row,
    Section,
    Text,
)

FORMAT = 1
_CACHE_SIZE = 64
_cache: OrderedDict[str, Questionnaire] = OrderedDict()


def canonical_json(document: Mapping[str, Any]) -> str:
    """The canonical serialisation of a document, which is hashed."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def document_hash(document: Mapping[str, Any]) -> str:
    """sha256 of the canonical JSON, in hex."""
    return hashlib.sha256(canonical_json(document).encode()).hexdigest()


def definition_of(content_hash: str, document: Mapping[str, Any]) -> Questionnaire:
    """The questionnaire of a stored version, built once per process and hash."""
    questionnaire = _cache.get(content_hash)
    if questionnaire is None:
        questionnaire = from_document(document)
        if questionnaire.content_hash != content_hash:
            raise DefinitionError(
                "hash_mismatch",
                questionnaire.category,
                "the stored document does not have the hash it was published with",
            )
        _cache[content_hash] = questionnaire
        if len(_cache) > _CACHE_SIZE:
            _cache.popitem(last=False)
    else:
        _cache.move_to_end(content_hash)
    return questionnaire


def to_document(questionnaire: Questionnaire) -> dict[str, Any]:
    """The questionnaire as JSON values; empty and default fields are left out."""
    return _document(
        category=questionnaire.category,
        form_no=questionnaire.form_no,
        title=questionnaire.title,
        header=questionnaire.header,
        sections=questionnaire.sections,
        items=questionnaire.items,
        edits=questionnaire.edits,
        codelists=questionnaire.codelists,
    )


def from_document(document: Mapping[str, Any]) -> Questionnaire:
    """Build a questionnaire. Raises DefinitionError for a missing part or a wrong shape."""
    where = str(document.get("category", "?"))
    with definition_errors(None, where):
        codelists = {name: codelist_from(name, raw) for name, raw in document.get("codelists", {}).items()}
        parts: dict[str, Any] = {
            "category": str(document["category"]),
            "form_no": str(document["form_no"]),
            "title": text_from(document["title"]),
            "header": dict(document.get("header", {})),
            "sections": tuple(_section_from(raw) for raw in document["sections"]),
            "items": {str(raw["code"]): item_from(raw, codelists) for raw in document["items"]},
            "edits": tuple(edit_from(raw) for raw in document.get("edits", ())),
            "codelists": codelists,
        }
    return Questionnaire(content_hash=document_hash(_document(**parts)), **parts)


def _document(
    *,
    category: str,
    form_no: str,
    title: Text,
    header: Mapping[str, Any],
    sections: Sequence[Section],
    items: Mapping[str, Item],
    edits: Sequence[Edit],
    codelists: Mapping[str, Codelist],
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "category": category,
        "form_no": form_no,
        "title": _text(title),
        "header": dict(header),
        "sections": [{"code": s.code, "title": _text(s.title), "items": list(s.items)} for s in sections],
        "items": [_item(item) for item in items.values()],
        "edits": [_edit(edit) for edit in edits],
        "codelists": {name: _codelist(codelist) for name, codelist in codelists.items()},
    }


def _text(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def text_from(raw: Any) -> Text:
    """A {zh, en} pair; a plain string (a code, a unit) is used for both languages."""
    if raw is None:
        return Text("", "")
    if isinstance(raw, Mapping):
        return Text(str(raw.get("zh") or "").strip(), str(raw.get("en") or "").strip())
    return Text(str(raw).strip(), str(raw).strip())


def _pruned(pairs: Mapping[str, Any]) -> dict[str, Any]:
    """The pairs without None, empty text, empty lists and False; zero stays."""
    return {key: value for key, value in pairs.items() if value or (value == 0 and value is not False)}


def _item(item: Item) -> dict[str, Any]:
    raw = {
        "code": item.code,
        "label": _text(item.label),
        "type": item.type,
        "unit": item.unit,
        "units": list(item.units),
        "period": item.period,
        "feeds": list(item.feeds),
        "codelist": item.codelist,
        "relevance": item.relevance,
        "computed": item.computed,
        "read_only": item.read_only,
        "prefilled": item.prefilled,
        "decimals": item.decimals,
        "signed": item.signed,
        "measure": item.measure,
        "previous": item.previous,
        "source": item.source,
    }
    for name in ("definition", "includes", "excludes", "unit_note"):
        raw[name] = _text(getattr(item, name)) if getattr(item, name) else None
    if item.rows is not None:
        raw["table"] = _table(item, item.rows)
    missing_reasons = {} if item.marks is None else {"marks": list(item.marks)}
    return _pruned(raw) | {"required": item.required} | missing_reasons


def _table(item: Item, grid: Grid) -> dict[str, Any]:
    return _pruned(
        {
            "rows": grid.kind,
            "row_list": grid.row_list,
            "max_rows": grid.max_rows,
            "column_total": grid.column_total,
            "entries": [{"id": row.id, "label": _text(row.label)} for row in grid.entries],
            "columns": [_column(column) for column in item.columns],
        }
    )


def _column(column: Column) -> dict[str, Any]:
    return _pruned(
        {
            "code": column.code,
            "label": _text(column.label),
            "type": column.type,
            "unit": column.unit,
            "units": list(column.units),
            "decimals": column.decimals,
            "codelist": column.codelist,
            "signed": column.signed,
            "required": column.required,
        }
    )


def _edit(edit: Edit) -> dict[str, Any]:
    return _pruned(
        {
            "code": edit.code,
            "severity": edit.severity,
            "rule": edit.expression,
            "when": edit.when,
            "items": list(edit.items),
            "message": _text(edit.message),
            "scope": edit.scope,
            "values": dict(edit.values),
            "note": edit.note,
        }
    )


def _codelist(codelist: Codelist) -> dict[str, Any]:
    entries = [
        _pruned(
            {
                "code": entry.code,
                "label": _text(entry.label),
                "parent": entry.parent,
                "group": entry.group,
                "evidence": entry.evidence,
            }
        )
        for entry in codelist.entries
    ]
    return {
        "title": _text(codelist.title),
        "source": codelist.source,
        "entries": entries,
        "open_prefix": codelist.open_prefix,
        "code_length": codelist.code_length,
    }


@contextmanager
def definition_errors(raw: Any, where: str) -> Iterator[None]:
    """Converts errors about missing or malformed parts into a DefinitionError with the code concerned."""
    code = raw.get("code", where) if isinstance(raw, Mapping) else where
    try:
        yield
    except (KeyError, TypeError, AttributeError) as error:
        raise DefinitionError("malformed", str(code), f"missing or malformed part: {error}") from error


def codelist_from(name: str, raw: Mapping[str, Any]) -> Codelist:
    """A code list from its document or YAML form. Raises DefinitionError."""
    with definition_errors(None, name):
        return _codelist_from(name, raw)


def _codelist_from(name: str, raw: Mapping[str, Any]) -> Codelist:
    entries = tuple(
        CodeEntry(
            str(entry["code"]),
            text_from(entry["label"]),
            _optional(entry.get("parent")),
            _optional(entry.get("group")),
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


def _optional(value: Any) -> str | None:
    return None if value is None or value == "" else str(value).strip()


def _number(value: Any) -> int | None:
    return None if value is None else int(value)


def _enumerated(value: Any, allowed: Sequence[str], where: str, what: str) -> str:
    if value not in allowed:
        raise DefinitionError("malformed", where, f"{what} {value!r} is none of {', '.join(allowed)}")
    return str(value)


def _choices(name: str | None, codelists: Mapping[str, Codelist], where: str) -> Codelist | None:
    if name is None:
        return None
    if name not in codelists:
        raise DefinitionError("unknown_codelist", where, f"no code list {name!r}")
    return codelists[name]


def item_from(raw: Mapping[str, Any], codelists: Mapping[str, Codelist]) -> Item:
    """An item from its document form (units already a list of codes). Raises DefinitionError."""
    with definition_errors(raw, "item"):
        return _item_from(raw, codelists)


def _item_from(raw: Mapping[str, Any], codelists: Mapping[str, Codelist]) -> Item:
    code = str(raw["code"])
    table = raw.get("table") or {}
    codelist = _optional(raw.get("codelist"))
    return Item(
        code=code,
        label=text_from(raw["label"]),
        type=_enumerated(raw["type"], ITEM_TYPES, code, "type"),
        unit=str(raw.get("unit") or ""),
        units=tuple(str(unit) for unit in raw.get("units") or ()),
        unit_note=text_from(raw.get("unit_note")),
        period=_enumerated(raw.get("period") or "none", ("flow", "stock", "none"), code, "period"),
        definition=text_from(raw.get("definition")),
        includes=text_from(raw.get("includes")),
        excludes=text_from(raw.get("excludes")),
        feeds=tuple(str(feed) for feed in raw.get("feeds") or ()),
        codelist=codelist,
        choices=_choices(codelist, codelists, code),
        columns=tuple(_column_from(column, codelists, code) for column in table.get("columns") or ()),
        rows=_grid_from(table, code) if table else None,
        required=bool(raw.get("required", True)),
        relevance=_optional(raw.get("relevance")),
        computed=_optional(raw.get("computed")),
        read_only=bool(raw.get("read_only", False)),
        prefilled=_optional(raw.get("prefilled")),
        decimals=_number(raw.get("decimals")),
        signed=bool(raw.get("signed", False)),
        marks=_missing_reasons(raw.get("marks"), code),
        measure=bool(raw.get("measure", False)),
        previous=bool(raw.get("previous", False)),
        source=str(raw.get("source") or ""),
    )


def _missing_reasons(raw: Any, where: str) -> tuple[str, ...] | None:
    if raw is None:
        return None
    return tuple(_enumerated(reason, tuple(MISSING_REASONS), where, "missing reason") for reason in raw)


def _column_from(raw: Mapping[str, Any], codelists: Mapping[str, Codelist], where: str) -> Column:
    codelist = _optional(raw.get("codelist"))
    return Column(
        code=str(raw["code"]),
        label=text_from(raw["label"]),
        type=_enumerated(raw["type"], [name for name in ITEM_TYPES if name != "table"], where, "column type"),
        unit=str(raw.get("unit") or ""),
        units=tuple(str(unit) for unit in raw.get("units") or ()),
        decimals=_number(raw.get("decimals")),
        codelist=codelist,
        choices=_choices(codelist, codelists, where),
        signed=bool(raw.get("signed", False)),
        required=bool(raw.get("required", False)),
    )


def _grid_from(raw: Mapping[str, Any], where: str) -> Grid:
    return Grid(
        kind=_enumerated(raw.get("rows"), ("fixed", "open"), where, "rows"),
        entries=tuple(Row(str(row["id"]), text_from(row["label"])) for row in raw.get("entries") or ()),
        row_list=_optional(raw.get("row_list")),
        max_rows=int(raw.get("max_rows") or 50),
        column_total=bool(raw.get("column_total", False)),
    )


def edit_from(raw: Mapping[str, Any]) -> Edit:
    """An edit rule from its document form. Raises DefinitionError."""
    with definition_errors(raw, "edit"):
        return _edit_from(raw)


def _edit_from(raw: Mapping[str, Any]) -> Edit:
    code = str(raw["code"])
    return Edit(
        code=code,
        severity=_enumerated(raw["severity"], SEVERITIES, code, "severity"),
        expression=str(raw["rule"]).strip(),
        items=tuple(str(item) for item in raw.get("items") or ()),
        message=text_from(raw["message"]),
        when=_optional(raw.get("when")),
        scope=_enumerated(raw.get("scope") or "sheet", SCOPES, code, "scope"),
        values=tuple(
            (str(name), str(text).strip()) for name, text in sorted((raw.get("values") or {}).items())
        ),
        note=str(raw.get("note") or ""),
    )


def _section_from(raw: Mapping[str, Any]) -> Section:
    return Section(str(raw["code"]), text_from(raw["title"]), tuple(str(code) for code in raw["items"]))
