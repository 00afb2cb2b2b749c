"""Builds questionnaires from the YAML files that statisticians edit.

definitions/items/*.yaml   the item dictionary with the edits of each item
definitions/edits.yaml     edits across items and years
definitions/breakdowns.yaml  parts of totals and whether they add up
definitions/uses.yaml      names of what the items feed
definitions/forms/*.yaml   14 forms that select and order items
definitions/codelists/*    code lists
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from survey.exceptions import DefinitionError
from survey.questionnaires.answering import units
from survey.questionnaires.definition import Breakdown, Codelist, Edit, Item, Questionnaire, Text
from survey.questionnaires.document import (
    breakdown_from,
    canonical_json,
    definition_of,
    document_hash,
    edit_from,
    from_document,
    item_from,
    to_document,
)
from survey.questionnaires.document_parts import definition_errors, text_from
from survey.questionnaires.guidance.references import resolve, resolved_item
from survey.questionnaires.lists.documents import codelist_document, codelist_from
from survey.questionnaires.lists.tables import entries_text
from survey.questionnaires.rules.expressions import compile_expression

__all__ = [
    "DEFINITIONS",
    "Dictionary",
    "canonical_json",
    "definition_of",
    "document_hash",
    "from_document",
    "load_all",
    "load_codelist",
    "load_dictionary",
    "load_items",
    "load_questionnaire",
    "to_document",
]

DEFINITIONS = Path(__file__).parent / "definitions"


@dataclass(frozen=True, slots=True)
class Dictionary:
    """Everything that forms select from. `raw_items` keeps the normalised document form of each item."""

    items: Mapping[str, Item]
    raw_items: Mapping[str, Mapping[str, Any]]
    edits: tuple[Edit, ...]
    codelists: Mapping[str, Codelist]
    breakdowns: tuple[Breakdown, ...] = ()
    uses: Mapping[str, Text] = field(default_factory=dict)


def read_yaml(path: Path) -> Any:
    """The content of a YAML file. Raises DefinitionError("unparsable")."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DefinitionError("unparsable", path.name, str(error).replace("\n", " ")) from error


@lru_cache(maxsize=256)
def load_codelist(name: str, root: Path = DEFINITIONS) -> Codelist:
    """A code list by name. Raises DefinitionError("unknown_codelist").

    A long list has its codes in a table beside the YAML file, and names the lists that are its upper levels.
    """
    folder = root / "codelists"
    path = folder / f"{name}.yaml"
    if not name.replace("_", "").isalnum() or not path.is_file():
        raise DefinitionError("unknown_codelist", name, f"no code list {name!r}")
    raw = read_yaml(path)
    for part in ("table", "retired"):
        if part in raw:
            raw[part] = _read_table(folder / str(raw[part]))
    if "headings" in raw:
        above = [entry for upper in raw["headings"] for entry in load_codelist(upper, root).entries]
        raw["headings"] = entries_text(above)
    return codelist_from(name, raw)


def _read_table(path: Path) -> str:
    if not path.is_file():
        raise DefinitionError("unknown_codelist", path.stem, f"there is no table {path.name}")
    return path.read_text(encoding="utf-8")


@lru_cache(maxsize=8)
def load_dictionary(root: Path = DEFINITIONS) -> Dictionary:
    """All items, edits and code lists. Raises DefinitionError."""
    codelists = {
        path.stem: load_codelist(path.stem, root) for path in sorted((root / "codelists").glob("*.yaml"))
    }
    written: list[Mapping[str, Any]] = []
    for path in [*sorted(root.glob("items.yaml")), *sorted((root / "items").glob("*.yaml"))]:
        written.extend(read_yaml(path) or ())
    across = _optional_yaml(root / "edits.yaml") or {}
    return build_dictionary(
        written,
        across.get("edits", ()) if isinstance(across, Mapping) else across,
        codelists,
        breakdowns=_optional_yaml(root / "breakdowns.yaml") or (),
        uses=_optional_yaml(root / "uses.yaml") or {},
    )


def _optional_yaml(path: Path) -> Any:
    return read_yaml(path) if path.is_file() else None


def build_dictionary(
    written: Iterable[Mapping[str, Any]],
    across: Iterable[Mapping[str, Any]],
    codelists: Mapping[str, Codelist],
    *,
    breakdowns: Iterable[Mapping[str, Any]] = (),
    uses: Mapping[str, Any] = MappingProxyType({}),
) -> Dictionary:
    """Dictionary from items and cross-item edits as written. Raises DefinitionError."""
    raw_items: dict[str, Mapping[str, Any]] = {}
    edits: list[Edit] = []
    for entry in written:
        with definition_errors(entry, "an item without a code"):
            code = str(entry["code"])
            if code in raw_items:
                raise DefinitionError("duplicate_code", code, f"item {code} is defined twice")
            raw_items[code] = normal_item(entry, codelists)
            edits.extend(edit_from({"items": [code], **edit}) for edit in entry.get("edits") or ())
    items = {code: item_from(raw, codelists) for code, raw in raw_items.items()}
    for edit in across:
        with definition_errors(edit, "an edit without a code"):
            edits.extend(expand_edit(edit, items))
    return Dictionary(
        items,
        raw_items,
        tuple(edits),
        codelists,
        tuple(breakdown_from(raw) for raw in breakdowns),
        {str(code): text_from(text) for code, text in uses.items()},
    )


def normal_item(entry: Mapping[str, Any], codelists: Mapping[str, Codelist]) -> dict[str, Any]:
    """An item as written -> its document form: families of units and lists of rows spelt out."""
    raw = {key: value for key, value in entry.items() if key != "edits"}
    raw["units"] = _unit_codes(entry.get("units"), str(entry["code"]))
    table = entry.get("table")
    if table:
        raw["table"] = {
            **table,
            "columns": [
                {**column, "units": _unit_codes(column.get("units"), str(entry["code"]))}
                for column in table.get("columns") or ()
            ],
            **_rows(table, codelists, str(entry["code"])),
        }
    return raw


def _unit_codes(family: Any, where: str) -> list[str]:
    if not family or family == "none":
        return []
    if isinstance(family, list):
        return [str(unit) for unit in family]
    if family not in units.FAMILIES:
        raise DefinitionError("unit_family", where, f"no family of units {family!r}")
    return list(units.FAMILIES[family].codes)


def _rows(table: Mapping[str, Any], codelists: Mapping[str, Codelist], where: str) -> dict[str, Any]:
    source = table.get("row_list")
    if source is None:
        return {}
    if isinstance(source, list):
        return {"row_list": None, "entries": source}
    if source not in codelists:
        raise DefinitionError("unknown_codelist", where, f"no code list {source!r} for the rows")
    entries = [
        {"id": entry.code, "label": {"zh": entry.label.zh, "en": entry.label.en}}
        for entry in codelists[source].entries
    ]
    return {"row_list": source, "entries": entries}


def expand_edit(written: Mapping[str, Any], items: Mapping[str, Item]) -> list[Edit]:
    """The edits of a `for_each`: the word `item` becomes each code, {item_label} its name."""
    codes = written.get("for_each")
    if not codes:
        return [edit_from(written)]
    expanded = []
    for code in codes:
        if code not in items:
            raise DefinitionError("unknown_item", str(written["code"]), f"for_each names {code!r}")
        message = text_from(written["message"])
        label = items[code].label
        raw = _with_item(
            {key: value for key, value in written.items() if key not in {"for_each", "message"}}, code
        )
        raw["code"] = f"{written['code']}-{code}"
        raw["message"] = {
            "zh": _with_item(message.zh.replace("{item_label}", f"{code} {label.zh}"), code, braces=True),
            "en": _with_item(message.en.replace("{item_label}", f"{code} {label.en}"), code, braces=True),
        }
        expanded.append(edit_from(raw))
    return expanded


def _with_item(value: Any, code: str, *, braces: bool = False) -> Any:
    if isinstance(value, str):
        # In sentences only {item} is a placeholder; "item" may be an ordinary English word.
        if braces:
            return re.sub(r"\{((?:previous:|change:)?)item\}", rf"{{\1{code}}}", value)
        return re.sub(r"\bitem\b", code, value)
    if isinstance(value, Mapping):
        return {key: _with_item(inner, code) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_item(inner, code) for inner in value]
    return value


def load_items(root: Path = DEFINITIONS) -> dict[str, Item]:
    """The item dictionary: code -> item, all 179 of them."""
    return dict(load_dictionary(root).items)


def form_path(category: str, root: Path = DEFINITIONS) -> Path:
    """The file of a form. Raises DefinitionError("unknown_form")."""
    path = root / "forms" / f"{category}.yaml"
    if not category.isalnum() or not path.is_file():
        raise DefinitionError("unknown_form", category, f"no form {category!r}")
    return path


@lru_cache(maxsize=64)
def load_questionnaire(category: str, root: Path = DEFINITIONS) -> Questionnaire:
    """The form of a category ("CAT01" ... "CAT14") as the files stand now. Raises DefinitionError."""
    return assemble(read_yaml(form_path(category, root)), load_dictionary(root))


def load_all(root: Path = DEFINITIONS) -> dict[str, Questionnaire]:
    """All forms by category. Raises DefinitionError."""
    return {
        path.stem: load_questionnaire(path.stem, root) for path in sorted((root / "forms").glob("*.yaml"))
    }


def assemble(form: Mapping[str, Any], dictionary: Dictionary) -> Questionnaire:
    """A form as written plus the dictionary -> a questionnaire. Raises DefinitionError.

    A rule (edit, relevance, computation) that reads an item of the dictionary which is not on this
    form does not apply to the form and is left out.
    """
    with definition_errors(form, "a form without a category"):
        return _assembled(form, dictionary)


def _assembled(form: Mapping[str, Any], dictionary: Dictionary) -> Questionnaire:
    where = str(form.get("category", "?"))
    chosen = [str(code) for section in form.get("sections") or () for code in section.get("items") or ()]
    for code in chosen:
        if code not in dictionary.raw_items:
            raise DefinitionError(
                "unknown_item", where, f"the form lists item {code!r}, which is not defined"
            )
    on_form = frozenset(chosen)
    elsewhere = frozenset(dictionary.raw_items) - on_form
    items = {code: dictionary.items[code] for code in chosen}
    raw_items = [_for_form(dictionary.raw_items[code], items, elsewhere) for code in chosen]
    used = _used_codelists(raw_items)
    document = {
        **{key: form[key] for key in ("category", "form_no", "title", "sections") if key in form},
        "header": form.get("header") or {},
        "items": raw_items,
        "edits": [],
        "codelists": {
            name: codelist_document(dictionary.codelists[name])
            for name in used
            if name in dictionary.codelists
        },
    }
    bare = from_document(document)
    edits = [
        replace(edit, message=resolve(edit.message, items, plain=False))
        for edit in dictionary.edits
        if _applies(edit, elsewhere, where)
    ]
    fed = {code for item in items.values() for code in item.feeds}
    complete = replace(
        bare,
        edits=tuple(edits),
        breakdowns=tuple(_breakdowns_of(items, dictionary)),
        uses={code: name for code, name in dictionary.uses.items() if code in fed},
    )
    return from_document(to_document(complete))


def _breakdowns_of(items: Mapping[str, Item], dictionary: Dictionary) -> Iterator[Breakdown]:
    """The breakdowns of the totals on a form: all of the parts if they add up, else those on the form."""
    for breakdown in dictionary.breakdowns:
        parts = tuple(code for code in breakdown.items if code in items)
        if breakdown.total in items and parts and (parts == breakdown.items or not breakdown.adds_up):
            yield replace(breakdown, items=parts, heading=resolve(breakdown.heading, items))


def _for_form(raw: Mapping[str, Any], items: Mapping[str, Item], elsewhere: frozenset[str]) -> dict[str, Any]:
    item = resolved_item(raw, items)
    for name in ("relevance", "computed"):
        if raw.get(name) and compile_expression(str(raw[name]).strip()).items & elsewhere:
            item[name] = None
    return item


def _applies(edit: Edit, elsewhere: frozenset[str], where: str) -> bool:
    try:
        texts = [edit.expression, *([edit.when] if edit.when else []), *(text for _, text in edit.values)]
        read = frozenset().union(*(compile_expression(text).items for text in texts))
    except DefinitionError as error:
        raise DefinitionError(error.code, f"{where} {edit.code}", error.message) from error
    # An edit without inputs (all_zero) belongs to the forms that show what it marks.
    return not (read & elsewhere) and not (not read and set(edit.items) & elsewhere)


def _used_codelists(raw_items: Iterable[Mapping[str, Any]]) -> list[str]:
    names: dict[str, None] = {}
    for raw in raw_items:
        columns = (raw.get("table") or {}).get("columns") or ()
        for part in (raw, *columns):
            if part.get("codelist"):
                names[str(part["codelist"])] = None
    return sorted(names)
