"""Static checks of questionnaires, run before publication.

A fault has a code (one invalid example per code is in the tests), a location and a message. Checks run
in layers: a form whose rules do not parse is not tried on sample answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from survey.exceptions import DefinitionError
from survey.questionnaires.answering import units
from survey.questionnaires.definition import Column, Edit, Item, Questionnaire, UnitContext
from survey.questionnaires.definition_files import SCHEMA_FAULT, schema_faults
from survey.questionnaires.lists.documents import codelist_from
from survey.questionnaires.loader import (
    DEFINITIONS,
    Dictionary,
    assemble,
    build_dictionary,
    load_codelist,
    load_dictionary,
    read_yaml,
)
from survey.questionnaires.messages import placeholders
from survey.questionnaires.proof.texts import guidance_faults, labels_elsewhere, text_faults
from survey.questionnaires.proof.trials import trial_faults
from survey.questionnaires.rules.expressions import compile_expression
from survey.questionnaires.rules.plan import evaluation_order
from survey.questionnaires.rules.types import ITEM_KINDS, TypeCheck

UNIT_FREE = frozenset({"yesno", "choice", "multi", "date", "text"})
PREFILLS = frozenset(field.name for field in fields(UnitContext))


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """A fault of a definition: its code, location and a message for the author."""

    code: str
    where: str
    message: str


def check_questionnaire(questionnaire: Questionnaire) -> list[Fault]:
    """All faults of one form; empty when it may be published."""
    return list(_checked(questionnaire))


@lru_cache(maxsize=64)
def _checked(questionnaire: Questionnaire) -> tuple[Fault, ...]:
    form = questionnaire.category
    faults = [*_structure(questionnaire), *_located(form, text_faults(questionnaire))]
    for item in questionnaire.items.values():
        faults.extend(Fault(code, f"{form} {item.code}", text) for code, text in _item_faults(item))
    rules = [*_item_rules(questionnaire), *_edit_rules(questionnaire)]
    faults.extend(rules)
    if not any(fault.code in {"syntax", "literal_argument"} for fault in rules):
        faults.extend(_circular(questionnaire))
    if not faults:
        faults.extend(_located(form, trial_faults(questionnaire)))
    return tuple(dict.fromkeys(faults))


def _located(form: str, findings: Iterable[tuple[str, str, str]]) -> Iterator[Fault]:
    for code, where, text in findings:
        yield Fault(code, f"{form} {where}".strip(), text)


def check_all(root: Path = DEFINITIONS) -> list[Fault]:
    """All faults of the definition files: schema, dictionary, forms, unused items and edits."""
    faults = [Fault(SCHEMA_FAULT, where, text) for where, text in schema_faults(root)]
    try:
        dictionary = load_dictionary(root)
    except DefinitionError as error:
        return [*faults, Fault(error.code, error.where, error.message)]
    faults.extend(_dictionary_faults(dictionary))
    forms: list[Questionnaire] = []
    for path in sorted((root / "forms").glob("*.yaml")):
        try:
            form = read_yaml(path)
            questionnaire = assemble(form, dictionary)
        except DefinitionError as error:
            faults.append(Fault(error.code, f"forms/{path.name}: {error.where}", error.message))
            continue
        if questionnaire.category != path.stem:
            faults.append(Fault("file_name", path.name, f"the file defines {questionnaire.category}"))
        forms.append(questionnaire)
        faults.extend(check_questionnaire(questionnaire))
        faults.extend(_located(path.stem, labels_elsewhere(questionnaire, dictionary.items.values())))
    faults.extend(_unused(dictionary, forms))
    faults.extend(_located("", guidance_faults(dictionary.items.values())))
    return list(dict.fromkeys(faults))


def check_definition(raw: Mapping[str, Any], root: Path = DEFINITIONS) -> list[Fault]:
    """Faults of a definition in one mapping: {forms: [...], items, edits, breakdowns, uses, codelists: {name: list}}.

    Code lists that the mapping lacks are loaded from `root`. For trying out a form, and for tests.
    """
    try:
        own = {name: codelist_from(name, text) for name, text in (raw.get("codelists") or {}).items()}
        shared = {path.stem: load_codelist(path.stem, root) for path in (root / "codelists").glob("*.yaml")}
        dictionary = build_dictionary(
            raw.get("items") or (),
            raw.get("edits") or (),
            shared | own,
            breakdowns=raw.get("breakdowns") or (),
            uses=raw.get("uses") or {},
        )
        forms = [assemble(form, dictionary) for form in raw["forms"]]
    except DefinitionError as error:
        return [Fault(error.code, error.where, error.message)]
    faults = list(_dictionary_faults(dictionary))
    for form in forms:
        faults.extend(check_questionnaire(form))
        faults.extend(_located(form.category, labels_elsewhere(form, dictionary.items.values())))
    return list(dict.fromkeys([*faults, *_unused(dictionary, forms)]))


# -- structure ------------------------------------------------------------------


def _repeated(codes: Iterable[str]) -> list[str]:
    return [code for code, count in Counter(codes).items() if count > 1]


def _structure(form: Questionnaire) -> Iterator[Fault]:
    where = form.category
    placed = [code for section in form.sections for code in section.items]
    for code in _repeated(placed):
        yield Fault("duplicate_code", where, f"item {code} is on the form twice")
    for code in _repeated(section.code for section in form.sections):
        yield Fault("duplicate_code", where, f"section {code} is defined twice")
    for code in _repeated(edit.code for edit in form.edits):
        yield Fault("duplicate_code", where, f"edit {code} is defined twice")
    for codelist in form.codelists.values():
        for code in _repeated(entry.code for entry in codelist.entries):
            yield Fault("duplicate_code", f"{where} {codelist.name}", f"code {code} is listed twice")
    for code in placed:
        if code not in form.items:
            yield Fault("unknown_item", where, f"section lists item {code}, which is not defined")
    for code in sorted(form.items.keys() - set(placed)):
        yield Fault("unplaced_item", where, f"item {code} is in no section")


def _item_faults(item: Item) -> Iterator[tuple[str, str]]:
    if item.type == "table":
        yield from _table_faults(item)
        for column in item.columns:
            yield from _unit_faults(column)
    else:
        yield from _unit_faults(item)
        if item.columns:
            yield "type_clash", f"{item.code} is a {item.type} and has columns"
    parts: tuple[Item | Column, ...] = (item, *item.columns)
    for part in parts:
        if part.type in {"choice", "multi"} and part.choices is None:
            yield "unknown_codelist", f"{part.code} has no code list"
    if item.prefilled is not None and item.prefilled not in PREFILLS:
        yield "unknown_prefill", f"the register has no field {item.prefilled}"


def _table_faults(item: Item) -> Iterator[tuple[str, str]]:
    if not item.columns:
        yield "table_without_columns", f"table {item.code} has no columns"
    if item.rows is None or (item.rows.kind == "fixed" and not item.rows.entries):
        yield "table_without_rows", f"table {item.code} has no rows"
        return
    for code in _repeated((*item.rows.ids, *(column.code for column in item.columns))):
        yield "duplicate_code", f"row or column {code} of {item.code} is defined twice"


def _unit_faults(item: Item | Column) -> Iterator[tuple[str, str]]:
    if item.type == "quantity" and not item.unit:
        yield "no_unit", f"quantity {item.code} has no unit"
    allowed = {units.base_code(code) for code in item.units}
    if allowed and units.base_code(item.unit) not in allowed:
        yield "unit_family", f"unit {item.unit!r} of {item.code} is not among {', '.join(item.units)}"
    family = units.family_of(item.unit)
    if item.type == "money" and (family is None or family.name != "money"):
        yield "unit_family", f"{item.code} is money but its unit is {item.unit!r}"
    if item.type in UNIT_FREE and item.units:
        yield "unit_family", f"{item.code} is a {item.type} and cannot have units"


# -- rules --------------------------------------------------------------------------


def _typed(text: str, items: Mapping[str, Item], expected: str) -> Iterator[tuple[str, str]]:
    """Faults of an expression whose kind should be `expected` (a kind, or "any")."""
    try:
        tree = compile_expression(text).tree
    except DefinitionError as error:
        yield error.code, f"{error.message}: {text}"
        return
    check = TypeCheck(items)
    kind = check.kind(tree)
    yield from ((code, f"{message}: {text}") for code, message in check.faults)
    if expected != "any" and kind not in {expected, "any"}:
        code = "not_boolean" if expected == "bool" else "type_clash"
        yield code, f"gives a {kind}, not a {expected}: {text}"


def _item_rules(form: Questionnaire) -> Iterator[Fault]:
    for item in form.items.values():
        where = f"{form.category} {item.code}"
        if item.relevance:
            for code, text in _typed(item.relevance, form.items, "bool"):
                yield Fault(code, f"{where} relevance", text)
        if item.computed:
            for code, text in _typed(item.computed, form.items, ITEM_KINDS[item.type]):
                yield Fault(code, f"{where} computed", text)


def _edit_rules(form: Questionnaire) -> Iterator[Fault]:
    for edit in form.edits:
        where = f"{form.category} {edit.code}"
        yield from (Fault(code, where, text) for code, text in _edit_faults(edit, form.items))


def _edit_faults(edit: Edit, items: Mapping[str, Item]) -> Iterator[tuple[str, str]]:
    yield from _typed(edit.expression, items, "bool")
    if edit.when:
        yield from _typed(edit.when, items, "bool")
    for _, text in edit.values:
        yield from _typed(text, items, "any")
    for code in edit.items:
        if code not in items:
            yield "marks_unknown_item", f"the edit marks {code}, which is not on the form"
    if not edit.items:
        yield "marks_nothing", "the edit marks no item"
    names = {name for name, _ in edit.values}
    for placeholder in sorted(placeholders(edit.message)):
        yield from _placeholder_faults(placeholder, names, items)


def _placeholder_faults(
    placeholder: str, names: set[str], items: Mapping[str, Item]
) -> Iterator[tuple[str, str]]:
    if placeholder.startswith("expr:"):
        yield from _typed(placeholder.removeprefix("expr:"), items, "any")
        return
    code = placeholder.removeprefix("previous:").removeprefix("change:")
    valid = code in items or (code == placeholder and (code in names or code in _UNIT_PLACEHOLDERS))
    if not valid:
        yield "unknown_placeholder", f"nothing fills {{{placeholder}}}"


_UNIT_PLACEHOLDERS = frozenset(f"unit_{name}" for name in PREFILLS)


def _circular(form: Questionnaire) -> Iterator[Fault]:
    relevance = {i.code: compile_expression(i.relevance) for i in form.items.values() if i.relevance}
    computed = {i.code: compile_expression(i.computed) for i in form.items.values() if i.computed}
    try:
        evaluation_order(relevance, computed, form.category)
    except DefinitionError as error:
        yield Fault(error.code, error.where, error.message)


# -- the dictionary ----------------------------------------------------------------------


def _dictionary_faults(dictionary: Dictionary) -> Iterator[Fault]:
    """Faults that checks of single forms miss: edits of undefined items."""
    for code in _repeated(edit.code for edit in dictionary.edits):
        yield Fault("duplicate_code", code, f"edit {code} is defined twice")
    for edit in dictionary.edits:
        for code in edit.items:
            if code not in dictionary.items:
                yield Fault("marks_unknown_item", edit.code, f"the edit marks {code}, which is not defined")
    for breakdown in dictionary.breakdowns:
        for code in (breakdown.total, *breakdown.items):
            if code not in dictionary.items:
                yield Fault(
                    "unknown_item", breakdown.code, f"the breakdown names {code}, which is not defined"
                )
    for item in dictionary.items.values():
        for code in item.feeds:
            if code not in dictionary.uses:
                yield Fault("unknown_use", item.code, f"nothing is called {code!r} in the list of uses")


def _unused(dictionary: Dictionary, forms: Iterable[Questionnaire]) -> Iterator[Fault]:
    forms = list(forms)
    shown = {code for form in forms for code in form.items}
    applied = {edit.code for form in forms for edit in form.edits}
    for code in dictionary.items.keys() - shown:
        yield Fault("unused_item", code, f"item {code} is on no form")
    for edit in dictionary.edits:
        if edit.code not in applied:
            yield Fault("unused_edit", edit.code, f"edit {edit.code} applies to no form")
