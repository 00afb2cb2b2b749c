"""Options of choices in a workbook, written by code, label or both, or ticked. Pure."""

import re
import unicodedata

from survey.questionnaires.definition import Codelist

_CHOSEN = frozenset(
    ["✓", "✔", "√", "☑", "■", "●", "v", "y", "yes", "true", "1", "是", "有", "选", "對", "对"]
)
_NOT_CHOSEN = frozenset(["□", "☐", "○", "-", "—", "n", "no", "false", "0", "否", "无", "無"])
_SEPARATORS = re.compile(r"[;；\n,，、/|]+")
# From the whole text to single words: the first division of which every part is an option counts.
_DIVISIONS = (
    re.compile(r"$^"),
    re.compile(r"[;；\n]+"),
    _SEPARATORS,
    re.compile(r"[;；\n,，、/|\s]+"),
)


def is_ticked(text: str) -> bool | None:
    """Whether the cell beside an option chooses it; None when that is not clear (× is a tick for some, a no for others)."""
    folded = _folded(text)
    if not folded or folded in _NOT_CHOSEN:
        return False
    return True if folded in _CHOSEN else None


def code_of(choices: Codelist, text: str) -> str | None:
    """The code of an option that is written as code, label in either language, or code and label."""
    text = text.strip()
    if choices.accepts(text):
        return text
    folded = _folded(text)
    for entry in choices.entries:
        labels = {_folded(entry.label.zh), _folded(entry.label.en)}
        if folded in labels or folded in {_folded(entry.code + label) for label in labels}:
            return entry.code
    first = re.split(r"[\s.．、:：]", text, maxsplit=1)[0]
    return first if first != text and choices.accepts(first) else None


def codes_in(choices: Codelist | None, text: str) -> list[str]:
    """The codes of the options in a text; what is no option is returned as it is written, to be refused by its name.

    Labels may hold commas and blanks: the text is divided at the fewest kinds of separators that give options only.
    """
    parts = [text.strip()] if text.strip() else []
    if choices is None or not parts:
        return parts
    for division in _DIVISIONS:
        written = [part.strip() for part in division.split(text) if part.strip()]
        codes = [code_of(choices, part) for part in written]
        if all(codes):
            return [code for code in codes if code is not None]
    written = [part.strip() for part in _SEPARATORS.split(text) if part.strip()]
    return [code_of(choices, part) or part for part in written]


def _folded(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())
