"""Checks of what people read: both languages, references to items and options, worked examples, breakdowns.

A finding is (code, location, message for the author), as in ``trials``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from survey.questionnaires.answering.special_values import MISSING_REASONS
from survey.questionnaires.definition import Edit, Item, Questionnaire, Text
from survey.questionnaires.guidance.references import YES_NO, short_label
from survey.questionnaires.guidance.worked_examples import example_fault
from survey.questionnaires.messages import PLACEHOLDER

GUIDANCE = ("includes", "excludes", "example", "where")
CODE = re.compile(r"(?<![A-Za-z0-9])[A-Z]{1,2}[0-9]{2}[a-z]?(?![A-Za-z0-9])")
NO_ITEMS = frozenset({"FP16", "FP32", "FP64"})  # precisions of computing, written like codes of items
QUOTED = re.compile(r"“([^“”]+)”|\"([^\"]+)\"")
# A name in quotation marks that these words introduce is an option that somebody is asked to choose.
CHOSEN = re.compile(
    r"(?:选了?|选择|改为)“([^“”]+)”|(?:[Cc]hoose|[Cc]hose|[Ss]elect|[Ss]et [A-Z]+[0-9]+[a-z]? to|is|says) \"([^\"]+)\""
)
RATIO = re.compile(r'(\w+) / previous\("\1"\)')

type Finding = tuple[str, str, str]


def text_faults(form: Questionnaire) -> Iterator[Finding]:
    """Faults of the texts of one form."""
    for where, text in _all_texts(form):
        if not text.zh or not text.en:
            missing = "Chinese" if not text.zh else "English"
            yield "missing_translation", where, f"the {missing} text is missing"
    options = _options(form)
    for where, text in _running_texts(form):
        yield from _reference_faults(where, text, form, options)
    for item in form.items.values():
        if reason := example_fault(item):
            yield "wrong_example", f"{item.code} example", reason
    for edit in form.edits:
        yield from _message_faults(edit)
    yield from _breakdown_faults(form)


def _message_faults(edit: Edit) -> Iterator[Finding]:
    zh, en = (set(PLACEHOLDER.findall(text)) for text in (edit.message.zh, edit.message.en))
    if zh and en and zh != en:
        yield "placeholder_mismatch", edit.code, f"only in one language: {', '.join(sorted(zh ^ en))}"
    for name, expression in edit.values:
        match = RATIO.fullmatch(expression)
        if match and name in zh | en:
            yield "ratio_in_message", edit.code, f"{{{name}}} has no direction; write {{change:{match[1]}}}"


def _texts_of(item: Item) -> Iterator[tuple[str, Text]]:
    for name in ("definition", "includes", "excludes", "where"):
        text = getattr(item, name)
        if text:
            yield f"{item.code} {name}", text
    if item.example is not None:
        yield f"{item.code} example", item.example.text


def _running_texts(form: Questionnaire) -> Iterator[tuple[str, Text]]:
    """Sentences, which may name items and options; messages without their placeholders."""
    for item in form.items.values():
        yield from _texts_of(item)
    for breakdown in form.breakdowns:
        yield f"{breakdown.code} heading", breakdown.heading
    for edit in form.edits:
        zh, en = (PLACEHOLDER.sub("", text) for text in (edit.message.zh, edit.message.en))
        yield f"{edit.code} message", Text(zh, en)


def _all_texts(form: Questionnaire) -> Iterator[tuple[str, Text]]:
    yield "title", form.title
    for section in form.sections:
        yield f"section {section.code}", section.title
    for item in form.items.values():
        yield f"{item.code} label", item.label
        yield f"{item.code} definition", item.definition
        yield from _texts_of(item)
        if item.unit_note:
            yield f"{item.code} unit_note", item.unit_note
        for column in item.columns:
            yield f"{item.code} column {column.code}", column.label
        for row in item.rows.entries if item.rows else ():
            yield f"{item.code} row {row.id}", row.label
    for edit in form.edits:
        yield f"{edit.code} message", edit.message
    for breakdown in form.breakdowns:
        yield f"{breakdown.code} heading", breakdown.heading
    for code, name in form.uses.items():
        yield f"use {code}", name
    for codelist in form.codelists.values():
        # Long lists have names of the standard, which are Chinese; those without an English one are shown so.
        for entry in () if codelist.tabular else codelist.entries:
            yield f"{codelist.name} {entry.code}", entry.label


def _reference_faults(
    where: str, text: Text, form: Questionnaire, options: frozenset[str]
) -> Iterator[Finding]:
    for sentence in (text.zh, text.en):
        for reference in PLACEHOLDER.findall(sentence):
            yield "unresolved_reference", where, f"{{{reference}}} names no item or option of the form"
        for code in dict.fromkeys(CODE.findall(PLACEHOLDER.sub("", sentence))):
            if code not in form.items and code not in NO_ITEMS:
                yield "item_not_on_form", where, f"{code} is not on the form"
        for name in (match[1] or match[2] for match in CHOSEN.finditer(sentence)):
            if name not in options:
                yield "unknown_option", where, f"no option of the form is called {name!r}"


def _options(form: Questionnaire) -> frozenset[str]:
    labels = [entry.label for codelist in form.codelists.values() for entry in codelist.entries]
    labels += [row.label for item in form.items.values() if item.rows for row in item.rows.entries]
    labels += [*YES_NO.values(), *MISSING_REASONS.values()]
    return frozenset(name for label in labels for name in (label.zh, label.en))


def _breakdown_faults(form: Questionnaire) -> Iterator[Finding]:
    """A breakdown that adds up has an edit that says so, and one that cuts across has none."""
    for breakdown in form.breakdowns:
        parts = " + ".join(breakdown.items)
        equality = f"near({breakdown.total}, {parts}, "
        stated = any(edit.severity == "hard" and equality in edit.expression for edit in form.edits)
        if stated != breakdown.adds_up:
            rule = "no edit says that" if breakdown.adds_up else "an edit says that"
            yield "breakdown_rule", breakdown.code, f"{rule} {breakdown.total} is {parts}"


def labels_elsewhere(form: Questionnaire, items: Iterable[Item]) -> Iterator[Finding]:
    """Names in quotation marks that belong to items of the dictionary which are not on the form."""
    shown = {name for item in form.items.values() for name in _names(item)}
    shown |= _options(form) | _column_names(form)
    elsewhere = {name for item in items for name in _names(item)} - shown
    for where, text in _running_texts(form):
        for name in (match[1] or match[2] for match in QUOTED.finditer(f"{text.zh} {text.en}")):
            if name in elsewhere:
                yield "item_not_on_form", where, f"the item {name!r} is not on the form"


def _names(item: Item) -> tuple[str, ...]:
    label = short_label(item)
    return item.label.zh, item.label.en, label.zh, label.en


def _column_names(form: Questionnaire) -> frozenset[str]:
    columns = [column for item in form.items.values() for column in item.columns]
    return frozenset(name for column in columns for name in (column.label.zh, column.label.en))


def guidance_faults(items: Iterable[Item]) -> Iterator[Finding]:
    """Numeric items, and tables with numbers, that lack a text; worked examples that are used twice."""
    seen: dict[tuple[str, str], str] = {}
    for item in items:
        if not (item.is_numeric or any(column.is_numeric for column in item.columns)):
            continue
        for name in GUIDANCE:
            text = getattr(item, name)
            if not (text.text if name == "example" and text else text):
                yield "no_guidance", item.code, f"{name} is missing"
        if item.example is None:
            continue
        for example in (item.example.text.zh, item.example.text.en):
            first = seen.setdefault((example, item.example.working), item.code)
            if first != item.code:
                yield "same_example", item.code, f"the example is that of {first}"
