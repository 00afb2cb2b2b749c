"""Footnotes: one passage defines them, ``[^name]`` in any other passage references one. Pure.

The passage of the notes has one paragraph per note, ``[^industry]: Industry: mining, manufacturing ...``. Names may be
words or numbers; readers see numbers in the order of the calls, which the editions give.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from estimation.releases.content import passages as blocks
from estimation.releases.content.content import Block, FrozenCell, Text
from estimation.releases.content.passages import Passage

CODE = "footnotes"  # of the passage that holds the notes
_CALL = blocks.CALL
_NOTE = re.compile(rf"{_CALL.pattern}\s*[:：]?\s*(?P<text>\S.*)", re.DOTALL)
UNKNOWN, UNCALLED, MALFORMED, UNEQUAL = "unknown_note", "uncalled_note", "malformed_note", "unequal_notes"


@dataclass(frozen=True, slots=True)
class Notes:
    """The notes by name in one language, and paragraphs that are not a note or repeat a name."""

    texts: Mapping[str, str]
    malformed: tuple[str, ...]


def calls(text: str) -> list[str]:
    """The names that a text calls, in its order."""
    return [match[1] for match in _CALL.finditer(text)]


def read_notes(body: str) -> Notes:
    """The notes of a body, which may still hold fields."""
    texts: dict[str, str] = {}
    malformed = []
    for paragraph in re.split(r"\n\s*\n", body.replace("\r\n", "\n").strip()):
        match = _NOTE.fullmatch(paragraph.strip())
        if match is None or match[1] in texts:
            malformed.append(paragraph.strip()[:40])
        else:
            texts[match[1]] = " ".join(match["text"].split())
    return Notes(texts, tuple(malformed))


def faults_of(
    passages: Sequence[Passage], cells: Mapping[str, FrozenCell], year: int
) -> list[tuple[str, str, str]]:
    """Faults of all passages: (code of the passage, kind, detail), including notes and their references."""
    faults = [(passage.code, *fault) for passage in passages for fault in blocks.faults(passage, cells, year)]
    return [*faults, *dict.fromkeys(_note_faults(passages))]


def _note_faults(passages: Sequence[Passage]) -> Iterator[tuple[str, str, str]]:
    holder = next((passage for passage in passages if passage.code == CODE), None)
    zh, en = (read_notes(text) for text in ((holder.body.zh, holder.body.en) if holder else ("", "")))
    if holder is not None:
        yield from ((CODE, MALFORMED, text) for text in (*zh.malformed, *en.malformed))
    yield from (
        (CODE, MALFORMED, name) for name in (*zh.texts, *en.texts) if (name in zh.texts) != (name in en.texts)
    )
    defined = zh.texts.keys() | en.texts.keys()
    called: set[str] = set()
    for passage in passages:
        if passage.code == CODE:
            continue
        own_calls = [set(calls(text)) for text in (passage.body.zh, passage.body.en)]
        heading = calls(passage.heading.zh) + calls(passage.heading.en)
        called |= own_calls[0] | own_calls[1]
        # A heading also stands in the contents, where a note cannot be called.
        yield from (
            (passage.code, UNKNOWN, name)
            for name in sorted((own_calls[0] | own_calls[1]) - defined) + heading
        )
        yield from ((passage.code, UNEQUAL, name) for name in sorted(own_calls[0] ^ own_calls[1]))
    yield from ((CODE, UNCALLED, name) for name in zh.texts if name not in called)


def footnotes_of(filled: Iterable[Block]) -> tuple[tuple[Text, ...], tuple[Block, ...]]:
    """The notes in their order, and the other blocks with calls by number: ``[^2]`` is the second note."""
    every = list(filled)
    holder = next((passage for passage in every if passage.code == CODE), None)
    others = [passage for passage in every if passage.code != CODE]
    zh, en = (read_notes(text).texts for text in ((holder.body.zh, holder.body.en) if holder else ("", "")))
    names = [name for name in zh if name in en]
    numbers = {name: number for number, name in enumerate(names, 1)}

    def numbered(text: str) -> str:
        return _CALL.sub(lambda match: f"[^{numbers[match[1]]}]" if match[1] in numbers else "", text)

    blocks_ = tuple(
        replace(passage, body=Text(numbered(passage.body.zh), numbered(passage.body.en)))
        for passage in others
    )
    return tuple(Text(zh[name], en[name]) for name in names), blocks_


FATAL = blocks.FATAL | {UNKNOWN, MALFORMED}
