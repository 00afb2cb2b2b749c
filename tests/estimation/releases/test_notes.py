"""Footnotes: called by name, numbered by the editions, and every fault of them is reported."""

from typing import Any

import pytest

from estimation.releases.content import notes
from estimation.releases.content.content import Text
from estimation.releases.content.passages import Passage, default_passages, fill_block
from estimation.releases.services import edit_block
from survey.collection.models import CollectionRound
from survey.exceptions import PolicyDenied
from tests.factories import make_user

TITLE = Text("题", "Title")


def holder(zh: str = "[^a]: 甲。\n\n[^b]: 乙。", en: str = "[^a]: First.\n\n[^b]: Second.") -> Passage:
    return Passage(notes.CODE, "footnote", TITLE, Text(zh, en))


def body(zh: str, en: str, code: str = "x") -> Passage:
    return Passage(code, "chapter1", TITLE, Text(zh, en))


def faults(*passages: Passage) -> set[tuple[str, str, str]]:
    return set(notes.faults_of(passages, {}, 2025))


def test_calls_and_notes_that_agree_are_no_fault() -> None:
    assert faults(body("总量[^a]和率[^b]", "Total[^a], rate[^b]"), holder()) == set()


@pytest.mark.parametrize(
    ("passages", "fault"),
    [
        ((body("总量[^c]", "Total[^c]"), holder()), ("x", "unknown_note", "c")),
        ((body("总量[^a]", "Total[^a]"), holder()), ("footnotes", "uncalled_note", "b")),
        ((body("总量[^a][^b]", "Total[^a]"), holder()), ("x", "unequal_notes", "b")),
        (
            (body("[^a]", "[^a]"), holder("[^a]: 甲。\n\n没有名字", "[^a]: First.")),
            ("footnotes", "malformed_note", "没有名字"),
        ),
        (
            (body("[^a]", "[^a]"), holder("[^a]: 甲。\n\n[^a]: 乙。", "[^a]: One.")),
            ("footnotes", "malformed_note", "[^a]: 乙。"),
        ),
        ((body("[^a]", "[^a]"), holder("[^a]: 甲。", "[^b]: One.")), ("footnotes", "malformed_note", "b")),
        ((body("[^a]", "[^a]"),), ("x", "unknown_note", "a")),
    ],
)
def test_every_fault_of_footnotes_is_reported(
    passages: tuple[Passage, ...], fault: tuple[str, str, str]
) -> None:
    assert fault in faults(*passages)


def test_a_heading_calls_no_note() -> None:
    headed = Passage("x", "chapter1", Text("题[^a]", "Title"), Text("[^a][^b]", "[^a][^b]"))
    assert ("x", "unknown_note", "a") in faults(headed, holder())


def test_names_become_numbers_in_the_list_of_notes() -> None:
    filled = [
        fill_block(block, {}, 2025) for block in (body("率[^b]，总量[^a]", "Rate[^b], total[^a]"), holder())
    ]
    result, blocks = notes.footnotes_of(filled)
    assert [(block.zh, block.en) for block in result] == [("甲。", "First."), ("乙。", "Second.")]
    assert [(block.body.zh, block.body.en) for block in blocks] == [
        ("率[^2]，总量[^1]", "Rate[^2], total[^1]")
    ]


def test_the_standard_text_calls_every_note_in_both_languages() -> None:
    kinds = {kind for _code, kind, _detail in notes.faults_of(default_passages(), {}, 2025)}
    assert not kinds & {notes.UNKNOWN, notes.UNCALLED, notes.MALFORMED, notes.UNEQUAL}
    called = {
        name
        for passage in default_passages()
        if passage.code != notes.CODE
        for name in notes.calls(passage.body.zh)
    }
    assert len(called) == 4


def test_a_referenced_note_cannot_be_removed(world: Any) -> None:
    round_ = CollectionRound.objects.get(year=2025)
    publisher = make_user("publisher")
    with pytest.raises(PolicyDenied, match="central"):
        edit_block(
            round=round_,
            code=notes.CODE,
            heading=TITLE,
            by=publisher,
            body=Text("[^production]: 甲。", "[^production]: First."),
        )
    with pytest.raises(PolicyDenied, match="nothing"):
        edit_block(
            round=round_,
            code="chapter2.industry",
            heading=TITLE,
            by=publisher,
            body=Text("工业[^nothing]", "Industry[^nothing]"),
        )
    more = next(passage for passage in default_passages() if passage.code == notes.CODE).body
    saved = edit_block(
        round=round_,
        code=notes.CODE,
        heading=TITLE,
        by=publisher,
        body=Text(f"{more.zh}\n\n[^new]: 丙。", f"{more.en}\n\n[^new]: Third."),
    )
    assert saved.number == 1
