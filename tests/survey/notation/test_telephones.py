"""Telephone numbers as people write them."""

import re

import pytest

from survey.notation.telephones import TELEPHONE


@pytest.mark.parametrize(
    "text",
    [
        "010-12345678",
        "010-12345678转802",
        "010-12345678 转 802",
        "+86 10 1234 5678",
        "(010) 12345678 ext. 12",
        "13800138000",
        "010-12345678#802",
    ],
)
def test_numbers_with_and_without_extension_are_accepted(text: str) -> None:
    assert re.search(TELEPHONE, text)


@pytest.mark.parametrize(
    "text", ["12345", "转802", "010-12345678转", "call me", "010-12345678转802转3", "1" * 31]
)
def test_other_texts_are_refused(text: str) -> None:
    assert not re.search(TELEPHONE, text)
