"""How the API reads JSON bodies. Imports no views: the class of all views reads its parsers from here."""

import math
from collections.abc import Iterator, Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.parsers import JSONParser

DEEPEST = 40  # levels of lists and objects in a body
LARGEST = 10**60  # of a whole number: above it is no quantity, and a float does not hold every one


class StrictJSONParser(JSONParser):
    """JSON bodies without what cannot be stored or written again, which the answer names by its place."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The body, or 400."""
        try:
            body = super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError(_("The body is nested too deeply.")) from error
        if faults := dict(_faults(body)):
            raise ValidationError(faults)
        return body


def _faults(body: Any) -> Iterator[tuple[str, str]]:
    """(place, sentence) of the values that cannot be stored."""
    waiting: list[tuple[str, Any, int]] = [("", body, 0)]
    while waiting:
        place, value, depth = waiting.pop()
        if depth > DEEPEST:
            yield place[:200], _("The body is nested too deeply.")
        elif isinstance(value, str):
            if not _is_storable(value):
                yield place[:200], _("This text has a character that cannot be stored.")
        elif isinstance(value, float | int):
            if not (math.isfinite(value) if isinstance(value, float) else abs(value) < LARGEST):
                yield place[:200], _("This number is too large.")
        elif isinstance(value, dict):
            for name in value:
                if not _is_storable(name):
                    yield place[:200] or "body", _("A name has a character that cannot be stored.")
            waiting += [
                (f"{place}.{_shown(name)}".lstrip("."), entry, depth + 1) for name, entry in value.items()
            ]
        elif isinstance(value, list):
            waiting += [(f"{place}.{at}".lstrip("."), entry, depth + 1) for at, entry in enumerate(value)]


def _shown(name: str) -> str:
    """A name as part of a place: the answer is UTF-8, which has no lone surrogates."""
    return name.encode(errors="backslashreplace").decode()


def _is_storable(text: str) -> bool:
    return not any(character == "\x00" or "\ud800" <= character <= "\udfff" for character in text)
