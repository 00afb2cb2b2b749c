"""A questionnaire as one self-contained JSON document, and back.

The document is what a published version stores. Its canonical JSON (sorted keys, no spaces) gives
the content hash that binds a sheet to the definition it was filled with.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from survey.exceptions import DefinitionError
from survey.questionnaires.answering.special_values import MISSING_REASONS
from survey.questionnaires.definition import (
    ITEM_TYPES,
    SCOPES,
    SEVERITIES,
    Breakdown,
    Codelist,
    Column,
    Edit,
    Example,
    Grid,
    Item,
    Questionnaire,
    Row,
    Section,
    Text,
)
from survey.questionnaires.document_parts import (
    definition_errors,
    enumerated,
    number,
    optional,
    pruned,
    text_document,
    text_from,
)
from survey.questionnaires.lists.documents import codelist_document, codelist_from

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
        breakdowns=questionnaire.breakdowns,
        uses=questionnaire.uses,
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
            "breakdowns": tuple(breakdown_from(raw) for raw in document.get("breakdowns", ())),
            "uses": {str(code): text_from(text) for code, text in document.get("uses", {}).items()},
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
    breakdowns: Sequence[Breakdown],
    uses: Mapping[str, Text],
) -> dict[str, Any]:
    document = {
        "format": FORMAT,
        "category": category,
        "form_no": form_no,
        "title": text_document(title),
        "header": dict(header),
        "sections": [
            {"code": s.code, "title": text_document(s.title), "items": list(s.items)} for s in sections
        ],
        "items": [_item(item) for item in items.values()],
        "edits": [_edit(edit) for edit in edits],
        "codelists": {name: codelist_document(codelist) for name, codelist in codelists.items()},
    }
    # Left out when empty: documents of earlier versions lack them and must keep their hash.
    if breakdowns:
        document["breakdowns"] = [_breakdown(breakdown) for breakdown in breakdowns]
    if uses:
        document["uses"] = {code: text_document(text) for code, text in uses.items()}
    return document


def _item(item: Item) -> dict[str, Any]:
    raw = {
        "code": item.code,
        "label": text_document(item.label),
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
    for name in ("definition", "includes", "excludes", "where", "unit_note"):
        raw[name] = text_document(getattr(item, name)) if getattr(item, name) else None
    if item.example is not None:
        raw["example"] = _example(item.example)
    if item.rows is not None:
        raw["table"] = _table(item, item.rows)
    missing_reasons = {} if item.marks is None else {"marks": list(item.marks)}
    return pruned(raw) | {"required": item.required} | missing_reasons


def _example(example: Example) -> dict[str, str]:
    return text_document(example.text) | pruned({"working": example.working, "answer": example.answer})


def _breakdown(breakdown: Breakdown) -> dict[str, Any]:
    return {
        "code": breakdown.code,
        "of": breakdown.total,
        "items": list(breakdown.items),
        "adds_up": breakdown.adds_up,
        "heading": text_document(breakdown.heading),
    }


def _table(item: Item, grid: Grid) -> dict[str, Any]:
    return pruned(
        {
            "rows": grid.kind,
            "row_list": grid.row_list,
            "max_rows": grid.max_rows,
            "column_total": grid.column_total,
            "entries": [{"id": row.id, "label": text_document(row.label)} for row in grid.entries],
            "columns": [_column(column) for column in item.columns],
        }
    )


def _column(column: Column) -> dict[str, Any]:
    return pruned(
        {
            "code": column.code,
            "label": text_document(column.label),
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
    return pruned(
        {
            "code": edit.code,
            "severity": edit.severity,
            "rule": edit.expression,
            "when": edit.when,
            "items": list(edit.items),
            "message": text_document(edit.message),
            "scope": edit.scope,
            "values": dict(edit.values),
            "note": edit.note,
        }
    )


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
    codelist = optional(raw.get("codelist"))
    return Item(
        code=code,
        label=text_from(raw["label"]),
        type=enumerated(raw["type"], ITEM_TYPES, code, "type"),
        unit=str(raw.get("unit") or ""),
        units=tuple(str(unit) for unit in raw.get("units") or ()),
        unit_note=text_from(raw.get("unit_note")),
        period=enumerated(raw.get("period") or "none", ("flow", "stock", "none"), code, "period"),
        definition=text_from(raw.get("definition")),
        includes=text_from(raw.get("includes")),
        excludes=text_from(raw.get("excludes")),
        example=_example_from(raw["example"]) if raw.get("example") else None,
        where=text_from(raw.get("where")),
        feeds=tuple(str(feed) for feed in raw.get("feeds") or ()),
        codelist=codelist,
        choices=_choices(codelist, codelists, code),
        columns=tuple(_column_from(column, codelists, code) for column in table.get("columns") or ()),
        rows=_grid_from(table, code) if table else None,
        required=bool(raw.get("required", True)),
        relevance=optional(raw.get("relevance")),
        computed=optional(raw.get("computed")),
        read_only=bool(raw.get("read_only", False)),
        prefilled=optional(raw.get("prefilled")),
        decimals=number(raw.get("decimals")),
        signed=bool(raw.get("signed", False)),
        marks=_missing_reasons(raw.get("marks"), code),
        measure=bool(raw.get("measure", False)),
        previous=bool(raw.get("previous", False)),
        source=str(raw.get("source") or ""),
    )


def _example_from(raw: Mapping[str, Any]) -> Example:
    return Example(text_from(raw), str(raw["answer"]).strip(), str(raw.get("working") or "").strip())


def breakdown_from(raw: Mapping[str, Any]) -> Breakdown:
    """A breakdown from its document or YAML form. Raises DefinitionError."""
    with definition_errors(raw, "a breakdown without a code"):
        return Breakdown(
            str(raw["code"]),
            str(raw["of"]),
            tuple(str(code) for code in raw["items"]),
            bool(raw["adds_up"]),
            text_from(raw["heading"]),
        )


def _missing_reasons(raw: Any, where: str) -> tuple[str, ...] | None:
    if raw is None:
        return None
    return tuple(enumerated(reason, tuple(MISSING_REASONS), where, "missing reason") for reason in raw)


def _column_from(raw: Mapping[str, Any], codelists: Mapping[str, Codelist], where: str) -> Column:
    codelist = optional(raw.get("codelist"))
    return Column(
        code=str(raw["code"]),
        label=text_from(raw["label"]),
        type=enumerated(raw["type"], [name for name in ITEM_TYPES if name != "table"], where, "column type"),
        unit=str(raw.get("unit") or ""),
        units=tuple(str(unit) for unit in raw.get("units") or ()),
        decimals=number(raw.get("decimals")),
        codelist=codelist,
        choices=_choices(codelist, codelists, where),
        signed=bool(raw.get("signed", False)),
        required=bool(raw.get("required", False)),
    )


def _grid_from(raw: Mapping[str, Any], where: str) -> Grid:
    return Grid(
        kind=enumerated(raw.get("rows"), ("fixed", "open"), where, "rows"),
        entries=tuple(Row(str(row["id"]), text_from(row["label"])) for row in raw.get("entries") or ()),
        row_list=optional(raw.get("row_list")),
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
        severity=enumerated(raw["severity"], SEVERITIES, code, "severity"),
        expression=str(raw["rule"]).strip(),
        items=tuple(str(item) for item in raw.get("items") or ()),
        message=text_from(raw["message"]),
        when=optional(raw.get("when")),
        scope=enumerated(raw.get("scope") or "sheet", SCOPES, code, "scope"),
        values=tuple(
            (str(name), str(text).strip()) for name, text in sorted((raw.get("values") or {}).items())
        ),
        note=str(raw.get("note") or ""),
    )


def _section_from(raw: Mapping[str, Any]) -> Section:
    return Section(str(raw["code"]), text_from(raw["title"]), tuple(str(code) for code in raw["items"]))
