"""Unified social credit code, GB 32100-2015, with the example of the standard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey.frame.uscc import ALPHABET, check_character, is_valid, organisation_check_character

VALID = "91350100M000100Y43"


def test_example_of_the_standard():
    assert is_valid(VALID)
    assert check_character(VALID[:17]) == "3"


@pytest.mark.parametrize(
    "code",
    [
        "91350100M000100Y4Z",  # Z is what the wrong formula sum % 31 gives
        "91350100M000100Y44",
        "91350100M000100Y4",
        "91350100M000100Y433",
        "91350100m000100y43",
        "91350100I000100Y43",  # I, O, S, V, Z are not in the alphabet
        "９１350100M000100Y43",
        " 91350100M000100Y43",
        "",
    ],
)
def test_is_valid_refuses(code):
    assert not is_valid(code)


def test_check_value_31_is_written_as_zero():
    # All zeros sum to 0, and (31 - 0) is 31, which the standard writes as 0.
    assert check_character("0" * 17) == "0"


@pytest.mark.parametrize("text", ["", "9" * 16, "9" * 18, "I" * 17, "９" * 17])
def test_check_character_refuses(text):
    with pytest.raises(ValueError):
        check_character(text)


@given(st.text(ALPHABET, min_size=17, max_size=17))
def test_a_computed_check_character_is_valid_and_no_other(first):
    right = check_character(first)
    assert is_valid(first + right)
    assert sum(is_valid(first + character) for character in ALPHABET) == 1


@given(st.text(ALPHABET, min_size=17, max_size=17), st.integers(0, 16), st.sampled_from(ALPHABET))
def test_every_single_substitution_is_detected(first, position, character):
    code = first + check_character(first)
    changed = code[:position] + character + code[position + 1 :]
    assert is_valid(changed) == (changed == code)


def test_organisation_code_inside_the_example():
    assert organisation_check_character("M000100Y") == VALID[16]


@pytest.mark.parametrize("text", ["", "M000100", "M000100Ü"])
def test_organisation_check_character_refuses(text):
    with pytest.raises(ValueError):
        organisation_check_character(text)
