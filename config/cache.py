"""Serialises values of the cache as JSON.

Django's default serializer of the Redis cache is pickle, and loading a pickle that somebody else wrote can run code.
"""

import json
from typing import Any


class JSONSerializer:
    """The ``serializer`` of Django's Redis cache. Integers are stored as numbers, which the server can increment."""

    def dumps(self, value: Any) -> bytes | int:
        """The stored form. Raises TypeError for a value that JSON does not know (Decimal, date, tuple keys ...)."""
        if type(value) is int:
            return value
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()

    def loads(self, stored: bytes) -> Any:
        """The value. Raises ValueError for bytes that are not JSON."""
        return json.loads(stored)
