"""Characters of a text: which are invisible, which are folded, and what is compared."""

import unicodedata

from survey.notation.errors import NotationError

# Embeddings and overrides of direction display a text differently from how it is stored; directional marks are needed.
OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Characters without width that break a comparison and that nobody sees. Joiners belong to emoji and to Arabic,
# Indic and Mongolian words, so that free text keeps them; no code or number holds one.
WITHOUT_WIDTH = frozenset("\u00ad\u180e\u200b\u200c\u200d\u2060\u2061\u2062\u2063\u2064\ufeff")
# What a spreadsheet program or a browser leaves at the edges of a copied text, where it is no part of it.
EDGES = "\ufeff\u200b"


def unstorable(text: str, allowed: str = "") -> str:
    """The first character that no text may hold: control characters, lone surrogates, overrides; else ''."""
    # Cc: control; Cs: lone surrogates, which PostgreSQL cannot store; Cn would refuse new emoji.
    return next(
        (
            character
            for character in text
            if character not in allowed
            and (unicodedata.category(character) in {"Cc", "Cs"} or character in OVERRIDES)
        ),
        "",
    )


def storable(text: str) -> str:
    """The text with a visible substitute for every character that no text may hold, line breaks and tabs excepted."""
    while character := unstorable(text, "\n\r\t"):
        text = text.replace(character, "\ufffd")
    return text


def clean_text(text: str, *, multiline: bool = False) -> str:
    """Text without surrounding space and with full-width forms folded.

    Free text (``multiline``) keeps its own characters and line breaks. Raises NotationError ``control_characters``
    for what would break exports and hide content.
    """
    if text.isascii() and text.isprintable():
        return text.strip() if multiline else " ".join(text.split())
    # Raised, circled and fractional figures are not folded: 10² would become 102.
    folds = not multiline and all(unicodedata.category(character) != "No" for character in text)
    text = unicodedata.normalize("NFKC" if folds else "NFC", text)
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\ufeff", "").replace("\u200b", "")
    if unstorable(text, "\n\t" if multiline else "\t"):
        raise NotationError("control_characters")
    return text.strip() if multiline else " ".join(text.split())


def invisible(text: str) -> tuple[int, str] | None:
    """Position (from 1) and name of the first character that nobody sees; None when every one is visible.

    A blank is visible. What surrounds the text is no part of it.
    """
    inner = text.strip().strip(EDGES).strip()
    start = text.find(inner)
    for position, character in enumerate(inner, start + 1):
        if character in WITHOUT_WIDTH or unstorable(character):
            return position, character_name(character)
    return None


def character_name(character: str) -> str:
    """The Unicode name of a character with its code point: "ZERO WIDTH SPACE (U+200B)"."""
    code = f"U+{ord(character):04X}"
    name = unicodedata.name(character, "")
    return f"{name} ({code})" if name else code


def folded(text: str) -> str:
    """What is compared in place of a name: compatible characters, case and spaces do not count."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())
