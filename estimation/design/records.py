"""What a sample design stores beside its strata and its drawn units: a basis, an allocation, a summary. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from estimation.design.allocation import Request


def _known(record: type[Any], document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        attribute.name: document[attribute.name] for attribute in fields(record) if attribute.name in document
    }


@dataclass(frozen=True, slots=True)
class CertainCells:
    """Cells of the take-all units: key (C, 4), size (C,), mean and spread (C, k), as lists."""

    key: Sequence[Sequence[int]] = ()
    size: Sequence[float] = ()
    mean: Sequence[Sequence[float]] = ()
    spread: Sequence[Sequence[float]] = ()


@dataclass(frozen=True, slots=True)
class Basis:
    """Where last year's means and spreads come from. ``response`` is None for a design without a basis.

    items : codes of the chief items; labels : their Chinese and English names; main : section and size of each
    stratum; year, version, microdata : of the frozen answers, None without any; sample : units drawn last year
    """

    items: Sequence[str] = ()
    labels: Sequence[Sequence[str]] = ()
    main: Sequence[Sequence[int]] = ()
    cells: CertainCells = field(default_factory=CertainCells)
    year: int | None = None
    version: int | None = None
    microdata: str | None = None
    response: float | None = None
    sample: int | None = None

    def to_document(self) -> dict[str, Any]:
        """The stored form; empty without a basis."""
        if self.response is None:
            return {}
        document = {attribute.name: getattr(self, attribute.name) for attribute in fields(self)}
        cells = {attribute.name: getattr(self.cells, attribute.name) for attribute in fields(self.cells)}
        return document | {"cells": cells}

    @classmethod
    def from_document(cls, document: Mapping[str, Any], /) -> "Basis":
        """The basis of a stored form."""
        cells = CertainCells(**_known(CertainCells, document.get("cells", {})))
        return cls(**_known(cls, document) | {"cells": cells})


@dataclass(frozen=True, slots=True)
class DrawnAllocation:
    """The parameters of a draw. ``request`` is None before it and for a sample that was not drawn here.

    response : expected share of the drawn units whose sheet becomes valid; start : of the random numbers
    """

    request: Request | None = None
    response: float = 1.0
    start: float = 0.0

    def to_document(self) -> dict[str, Any]:
        """The stored form; part of the content hash of a design."""
        if self.request is None:
            return {}
        return {**self.request.to_json(), "response": self.response, "start": self.start}

    @classmethod
    def from_document(cls, document: Mapping[str, Any], /) -> "DrawnAllocation":
        """The parameters of a stored form."""
        if not document:
            return cls()
        return cls(Request(**_known(Request, document)), document["response"], document["start"])


@dataclass(frozen=True, slots=True)
class Overlap:
    """Units of last year's sample. ``regions`` : code, drawn now, and of these drawn last year as well."""

    year: int
    before: int
    units: int
    gone: int
    regions: Sequence[Sequence[Any]] = ()


@dataclass(frozen=True, slots=True)
class DesignSummary:
    """Counts of a design; ``n`` and what follows it are known after the draw.

    reasons : take-all units by reason; unlisted : strata, and their population, of which the frame lists no
    unit; n : drawn units; certain : take-all units; short : strata whose required size exceeds their listed units;
    grades : expected grades by kind of domain; cv : expected national CV by item
    """

    units: int = 0
    strata: int = 0
    population: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    unlisted_strata: int = 0
    unlisted_population: int = 0
    n: int | None = None
    certain: int = 0
    short: int = 0
    grades: Mapping[str, int] = field(default_factory=dict)
    cv: Mapping[str, float] = field(default_factory=dict)
    overlap: Overlap | None = None

    def to_document(self) -> dict[str, Any]:
        """The stored form."""
        document = asdict(self)
        if self.n is None:
            for name in ("n", "certain", "short", "grades", "cv", "overlap"):
                del document[name]
            return document
        overlap = (
            {**document["overlap"], "regions": [list(region) for region in self.overlap.regions]}
            if self.overlap
            else {}
        )
        return document | {"overlap": overlap}

    @classmethod
    def from_document(cls, document: Mapping[str, Any], /) -> "DesignSummary":
        """The summary of a stored form."""
        overlap = document.get("overlap")
        return cls(**_known(cls, document) | {"overlap": Overlap(**overlap) if overlap else None})
