"""Addresses of the public site: the language is in the path, so that a cache has one key per language. Pure."""

import re
from typing import Final

LANGUAGES: Final = {"zh": "zh-hans", "en": "en"}
# Query parameters of the public pages.
PARAMETERS: Final = ("sort", "order", "grade", "variable", "region", "section")
_PUBLIC = re.compile(r"/(zh|en)(/|$)")


def is_public(path: str) -> bool:
    """True for a page of the public site."""
    return _PUBLIC.match(path) is not None


def in_language(path: str, language: str) -> str:
    """The same page in another language."""
    return f"/{language}{path[3:]}" if is_public(path) else f"/{language}/"


class LanguageConverter:
    """``zh`` or ``en`` at the beginning of a path."""

    regex = "zh|en"

    def to_python(self, value: str) -> str:
        """The language as it stands."""
        return value

    def to_url(self, value: str) -> str:
        """The language as it stands."""
        return value


class EditionConverter:
    """``2025`` is the release in force of that year, ``2025-1`` always its first release."""

    regex = r"20[0-9]{2}(?:-[1-9][0-9]?)?"

    def to_python(self, value: str) -> tuple[int, int | None]:
        """Year and number, the number None for the release in force."""
        year, _dash, number = value.partition("-")
        return int(year), int(number) if number else None

    def to_url(self, value: tuple[int, int | None] | str) -> str:
        """The edition as it stands in a path."""
        if isinstance(value, str):
            return value
        year, number = value
        return str(year) if number is None else f"{year}-{number}"
