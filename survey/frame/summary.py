"""The counts of the check of an imported file, as stored with the import."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class FrameSummary:
    """Counts of one check. ``format`` is blank before the file has been checked.

    rows, good, faulty_rows : rows of the file; faults : findings in them; normalised : cells with full-width
    characters; cleaned : cells with invisible characters at their ends; rounded : cells that show fewer digits than
    they store; respelled : names that differ in width, case or blanks only; sheet, line : where the header stands;
    ignored : columns not used; new, changed, back, unchanged, missing : units or cells against the frame; fields :
    changes by field; sum : units counted in all, of a file of counts
    """

    format: str = ""
    encoding: str = ""
    rows: int = 0
    good: int = 0
    faults: int = 0
    faulty_rows: int = 0
    normalised: int = 0
    rounded: int = 0
    cleaned: int = 0
    respelled: int = 0
    sheet: str = ""
    line: int = 1
    ignored: Sequence[str] = ()
    new: int = 0
    changed: int = 0
    back: int = 0
    unchanged: int = 0
    missing: int = 0
    fields: Mapping[str, int] = field(default_factory=dict)
    sum: int = 0
    seconds: float = 0.0

    @property
    def changes_nothing(self) -> bool:
        """True when the frame already says what the file says."""
        return not (self.new or self.changed or self.back or self.missing)

    def to_document(self) -> dict[str, Any]:
        """The stored form; empty before the check."""
        return asdict(self) | {"ignored": list(self.ignored)} if self.format else {}

    @classmethod
    def from_document(cls, document: Mapping[str, Any], /) -> "FrameSummary":
        """The summary of a stored form; a count that an earlier program did not make is 0."""
        values = {entry.name: document[entry.name] for entry in fields(cls) if entry.name in document}
        return cls(**values | {"ignored": tuple(values.get("ignored", ()))})
