"""Fonts of documents, out of packages and of ``templates/print/fonts``, and the characters that they hold. Pure.

Fonts of the machine are never looked at, so that the same content gives the same document on every machine. What no font
holds is replaced by a visible substitute: a document that must not have missing characters (PDF/A) would not be made.
"""

import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Any

import manimgx_fonts
import manimgx_fonts_cjk
from fontTools.ttLib import TTCollection, TTFont

SANS = "Noto Sans CJK SC"
CJK = Path(manimgx_fonts_cjk.__file__).parent
# Arabic (Uyghur), emoji, symbols and others; then Tibetan, Mongolian and Yi.
FALLBACK = (
    Path(manimgx_fonts.__file__).parent,
    Path(__file__).resolve().parents[1] / "templates" / "print" / "fonts",
)
# Format characters and variation selectors have no picture of their own; marks stand on the character before them.
_WITHOUT_PICTURE = {"Cf", "Mn", "Me", "Zs", "Zl", "Zp"}


def folders() -> list[Path]:
    """Folders with the fonts of a document."""
    return [CJK, *FALLBACK]


@lru_cache(maxsize=2)
def characters(*, fallback: bool = True) -> frozenset[int]:
    """Code points that a font holds; without ``fallback`` those of the first font alone."""
    held: set[int] = set()
    for folder in folders() if fallback else [CJK]:
        for path in sorted(folder.iterdir()):
            if path.suffix == ".ttc":
                with TTCollection(path, lazy=True) as collection:
                    held.update(collection.fonts[0].getBestCmap())
            elif path.suffix in {".ttf", ".otf"}:
                with TTFont(path, lazy=True) as font:
                    held.update(font.getBestCmap())
    return frozenset(held)


def printable(content: Any, *, fallback: bool = True) -> Any:
    """JSON in which every character of a text can be printed; others become their number in brackets: 〔U+E000〕."""
    if isinstance(content, str):
        return _text(content, fallback=fallback)
    if isinstance(content, list | tuple):
        return [printable(value, fallback=fallback) for value in content]
    if isinstance(content, dict):
        return {key: printable(value, fallback=fallback) for key, value in content.items()}
    return content


def _text(text: str, *, fallback: bool) -> str:
    if text.isascii():
        return text
    held = characters(fallback=fallback)
    return "".join(
        character if _is_printed(character, held, fallback=fallback) else f"〔U+{ord(character):04X}〕"
        for character in text
    )


def _is_printed(character: str, held: frozenset[int], *, fallback: bool) -> bool:
    if ord(character) in held or character in "\n\t":
        return True
    return fallback and unicodedata.category(character) in _WITHOUT_PICTURE
