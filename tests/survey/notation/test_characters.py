"""Invisible characters are named by their position; names are compared folded and kept as they are."""

import pytest

from survey.notation.characters import folded, invisible, storable


@pytest.mark.parametrize(
    ("text", "position_and_name"),
    [
        ("91350100M000100Y43", None),
        ("\ufeff91350100M000100Y43 ", None),
        ("9135\u200b0100", (5, "ZERO WIDTH SPACE (U+200B)")),
        ("ab\u00adc", (3, "SOFT HYPHEN (U+00AD)")),
        (" a\u202eb", (3, "RIGHT-TO-LEFT OVERRIDE (U+202E)")),
        ("a\x07b", (2, "U+0007")),
        ("福建 示例", None),
    ],
)
def test_the_first_invisible_character_inside_a_text(
    text: str, position_and_name: tuple[int, str] | None
) -> None:
    assert invisible(text) == position_and_name


def test_names_are_equal_when_only_width_case_or_spaces_differ() -> None:
    assert folded("示例（福建）有限公司") == folded("示例(福建) 有限公司")
    assert folded("ＡＢＣ") == folded("abc")
    assert folded("示例一") != folded("示例二")


def test_what_no_text_may_hold_gets_a_visible_substitute() -> None:
    assert storable("a\x00b\ud800\u202ec\n\t") == "a\ufffdb\ufffd\ufffdc\n\t"
