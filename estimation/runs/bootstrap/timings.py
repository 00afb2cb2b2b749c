"""Measured times of a bootstrap, as they are stored with it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of all replicates with a number of worker processes."""

    workers: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Timings:
    """The measurements in the order in which they were made. Stored as a list."""

    measured: tuple[Timing, ...] = ()

    def to_document(self) -> list[dict[str, Any]]:
        """The stored form."""
        return [asdict(timing) for timing in self.measured]

    @classmethod
    def from_document(cls, document: Sequence[Mapping[str, Any]], /) -> "Timings":
        """The measurements of a stored form."""
        return cls(tuple(Timing(timing["workers"], timing["seconds"]) for timing in document))
