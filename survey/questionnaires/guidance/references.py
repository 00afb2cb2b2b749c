"""References of a text to items and options of the form, written out when the form is assembled.

{F03}                  the item with its name, F03“从外部获取”
{G06=none}             an option of an item by its name in the code list, “无出境”; rows of a table are options
{F03?（填 @）|填其他}   the first text where the form has the item, with @ for the item, and the second where it has not

A reference that the form cannot resolve stays as it is; the static checks find it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from survey.questionnaires.definition import Item, Text

REFERENCE = re.compile(r"\{([A-Z]{1,2}[0-9]{2}[a-z]?)(?:=(\w+)|\?([^{}|]*)\|([^{}|]*))?\}")
RESOLVED_FIELDS = ("definition", "includes", "excludes", "where")
PARTS = Text("其中：", "of which ")
YES_NO = {"true": Text("是", "Yes"), "false": Text("否", "No")}


def short_label(item: Item) -> Text:
    """The label without the words that mark a part: "其中：推理" is “推理” in running text."""
    return Text(item.label.zh.removeprefix(PARTS.zh), item.label.en.removeprefix(PARTS.en))


def item_name(item: Item) -> Text:
    """The code with the name in quotation marks."""
    label = short_label(item)
    return Text(f"{item.code}“{label.zh}”", f'{item.code} "{label.en}"')


def option_label(item: Item, option: str) -> Text | None:
    """The name of an option or of a fixed row of an item; None when there is none."""
    if item.type == "yesno":
        return YES_NO.get(option)
    entry = item.choices.get(option) if item.choices else None
    if entry is not None:
        return entry.label
    rows = item.rows.entries if item.rows else ()
    return next((row.label for row in rows if row.id == option), None)


def resolve(text: Text, items: Mapping[str, Item], *, plain: bool = True) -> Text:
    """The text with its references written out for the items of a form.

    In messages {F03} is the answer of the item: with ``plain`` false these references stay.
    """
    return Text(
        REFERENCE.sub(_written(items, lambda name: name.zh, "“{}”", plain), text.zh),
        REFERENCE.sub(_written(items, lambda name: name.en, '"{}"', plain), text.en),
    )


def _written(
    items: Mapping[str, Item], in_language: Callable[[Text], str], quoted: str, plain: bool
) -> Callable[[re.Match[str]], str]:
    def written(match: re.Match[str]) -> str:
        code, option, present, absent = match.groups()
        item = items.get(code)
        if present is not None:
            return present.replace("@", in_language(item_name(item))) if item else absent
        if item is None or (option is None and not plain):
            return match[0]
        if option is None:
            return in_language(item_name(item))
        label = option_label(item, option)
        return quoted.format(in_language(label)) if label else match[0]

    return written


def resolved_item(raw: Mapping[str, Any], items: Mapping[str, Item]) -> dict[str, Any]:
    """An item in its document form with the references of its texts written out."""
    changed = dict(raw)
    for name in (*RESOLVED_FIELDS, "example"):
        text = raw.get(name)
        if isinstance(text, Mapping):
            written = resolve(Text(str(text.get("zh") or ""), str(text.get("en") or "")), items)
            changed[name] = {**text, "zh": written.zh, "en": written.en}
    return changed
