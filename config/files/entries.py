"""A stored file as a storage lists it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """Name, size in bytes and time of the last change (seconds since 1970)."""

    name: str
    size: int
    modified: float
