"""Activation codes as they stand in a letter: 15 random characters (74 bits) and one that recognises typing errors.

The check character is a weighted sum modulo 31, the number of characters in use. Because 31 is prime it recognises
every wrong character and every two neighbours in the wrong order.
"""

import secrets
import unicodedata

# No 0/O, 1/I/L: the code is read from paper.
ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
LENGTH = 16
EARLIER_LENGTH = 12  # of letters sent before codes had a check character


def new_code() -> str:
    """A random code without separators."""
    random = "".join(secrets.choice(ALPHABET) for _position in range(LENGTH - 1))
    return random + _check_character(random)


def as_printed(code: str) -> str:
    """Groups of four."""
    return "-".join(code[i : i + 4] for i in range(0, len(code), 4))


def normalise(text: str) -> str:
    """Upper case without separators; full-width characters become plain ones."""
    folded = unicodedata.normalize("NFKC", text).upper()
    return "".join(c for c in folded if c.isascii() and c.isalnum())


def is_mistyped(text: str) -> bool:
    """True for what can be no code. It is public how that is recognised, so it reveals nothing about a code."""
    code = normalise(text)
    if len(code) == EARLIER_LENGTH:
        return False
    if len(code) != LENGTH or not set(code) <= set(ALPHABET):
        return True
    return _check_character(code[:-1]) != code[-1]


def _check_character(random: str) -> str:
    total = sum(position * ALPHABET.index(c) for position, c in enumerate(random, start=1))
    return ALPHABET[total % len(ALPHABET)]
