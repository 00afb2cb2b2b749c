"""Unified social credit code, GB 32100-2015: 18 characters, the last one a check character."""

from __future__ import annotations

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # 31 characters: no I, O, S, V, Z
_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_WEIGHTS = tuple(pow(3, exponent, 31) for exponent in range(17))

_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def check_character(first17: str) -> str:
    """The 18th character. Raises ValueError when the first 17 are not of the code's alphabet."""
    if len(first17) != 17 or any(character not in _VALUES for character in first17):
        raise ValueError("17 characters of the credit code alphabet are needed")
    total = sum(_VALUES[character] * weight for character, weight in zip(first17, _WEIGHTS, strict=True))
    return ALPHABET[-total % 31]


def organisation_check_character(first8: str) -> str:
    """Check character of the organisation code inside (characters 9-16), GB 11714: 0-9 or X."""
    if len(first8) != 8 or not (first8.isascii() and first8.isalnum()):
        raise ValueError("8 letters or digits are needed")
    total = sum(int(c, 36) * w for c, w in zip(first8.upper(), _ORGANISATION_WEIGHTS, strict=True))
    value = -total % 11
    return "X" if value == 10 else str(value)


def is_valid(code: str) -> bool:
    """Whether the 18 characters are of the alphabet and the check character fits.

    The area code inside (characters 3-8) is not looked up: it may be of an area since abolished.
    """
    return len(code) == 18 and all(c in _VALUES for c in code) and check_character(code[:17]) == code[17]
