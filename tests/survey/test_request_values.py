"""Numbers out of texts of a request."""

import pytest

from survey.request_values import LARGEST_INTEGER, LARGEST_KEY, listed_number, row_key, whole_number


@pytest.mark.parametrize(
    "text", [None, "", "²", "٣", "１２", "-1", "+1", " 1", "1\n", "1.0", "1e3", "9" * 5000, str(2**31)]
)
def test_other_texts_are_no_number(text: str | None) -> None:
    assert whole_number(text) is None


def test_numbers_up_to_what_a_column_holds() -> None:
    assert whole_number("007") == 7
    assert whole_number(str(LARGEST_INTEGER)) == LARGEST_INTEGER
    assert row_key(str(LARGEST_KEY)) == LARGEST_KEY and row_key(str(LARGEST_KEY + 1)) is None


def test_a_number_that_is_not_listed_gives_the_first() -> None:
    assert [listed_number(text, [2025, 2024]) for text in ("2024", "2023", "²", None)] == [
        2024,
        2025,
        2025,
        2025,
    ]
