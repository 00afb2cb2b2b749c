"""The frozen microdata as the estimation reads them.

The values are binary COPY rows of a fixed width, undecoded: the survey does not depend on NumPy, and a national year
has five million numbers. ``MicrodataColumns`` documents the layout of a row.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import connection

from survey.microdata.models import MicrodataVersion
from survey.microdata.variables import Variable

# Integer columns before the values, each sent as int64 and therefore 4 + 8 bytes wide.
INTEGERS = ("unit", "category", "region", "section", "size", "head_platform", "pilot_space")


# 11 bytes of signature, 4 of flags, 4 of extension length; no extension is sent.
_COPY_HEADER = 19


# An array of float8 in binary: dimensions, null flag, element type, length, lower bound.
_ARRAY_HEADER = 20


_CLASSIFICATION = (
    "o.unit_id::int8",
    "right(o.category, 2)::int8",
    "o.region::int8",
    "ascii(o.section)::int8",
    "coalesce(array_position(ARRAY['large', 'medium', 'small', 'micro'], o.size_class::text), 0)::int8",
    "o.is_head_platform::int::int8",
    "o.is_pilot_space::int::int8",
)


@dataclass(frozen=True)
class MicrodataColumns:
    """A frozen version as raw binary rows, in ascending order of the unit id.

    Row layout (network byte order): int16 field count; for each name of ``integers`` int32 8 and int64;
    int32 array length, ``array_header`` bytes, then for each of ``variables`` int32 8 and float64.
    ``positions`` are the indices of the variables in the layout. Without ``complete`` they are a subset, for ``packed``.
    ``region`` is the six-digit code, ``section`` the code point of its letter (0 none), ``size`` 1..4.
    ``changes`` are (unit, edited values or None, imputed values or None) of the few units that have them.
    """

    size: int
    variables: tuple[Variable, ...]
    positions: tuple[int, ...]
    complete: bool
    integers: tuple[str, ...]
    array_header: int
    version: int

    @property
    def width(self) -> int:
        """Values in a row."""
        return len(self.positions)

    @property
    def row_bytes(self) -> int:
        """Width of one row in bytes."""
        return 2 + 12 * len(self.integers) + 4 + self.array_header + 12 * self.width

    def blocks(self) -> Iterator[bytes]:
        """The rows of the complete layout in blocks, without the header and trailer of the COPY stream."""
        statement = (
            f"COPY (SELECT {', '.join(_CLASSIFICATION)}, o.collected FROM survey_microdatamember m"  # noqa: S608 no input
            " JOIN survey_observation o ON o.filing_id = m.observation_id"
            f" WHERE m.version_id = {int(self.version)} ORDER BY o.unit_id) TO STDOUT (FORMAT binary)"
        )
        buffer = bytearray()
        block_bytes = self.row_bytes * max(1, (4 << 20) // self.row_bytes)
        skip = _COPY_HEADER
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for block in copy:
                buffer += memoryview(block)[skip:] if skip else block
                skip = 0
                while len(buffer) >= block_bytes:
                    yield bytes(memoryview(buffer)[:block_bytes])
                    del buffer[:block_bytes]
        complete = len(buffer) - len(buffer) % self.row_bytes  # the rest is the two-byte trailer
        if complete:
            yield bytes(buffer[:complete])

    def packed(self) -> tuple[bytes, bool]:
        """All rows as one value, unordered, and whether any unit has an edited or imputed value.

        A row is the ``integers`` as int64 and the variables as float64, in network byte order without padding. COPY
        sends a message per row; for a few items of a national year this takes half the time.
        """
        parts = [f"int8send({expression})" for expression in _CLASSIFICATION]
        parts += [f"float8send(o.collected[{int(position) + 1}])" for position in self.positions]
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT string_agg({' || '.join(parts)}, ''::bytea),"  # noqa: S608 no input
                " bool_or(o.edited IS NOT NULL OR o.imputed IS NOT NULL) FROM survey_microdatamember m"
                " JOIN survey_observation o ON o.filing_id = m.observation_id WHERE m.version_id = %s",
                [self.version],
            )
            rows, changed = cursor.fetchone()
        return bytes(rows or b""), bool(changed)

    def changes(self) -> Iterator[tuple[int, list[float] | None, list[float] | None]]:
        """Units with edited or imputed values: (unit, edited, imputed), whole arrays of the layout."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT o.unit_id, o.edited, o.imputed FROM survey_microdatamember m"
                " JOIN survey_observation o ON o.filing_id = m.observation_id"
                " WHERE m.version_id = %s AND (o.edited IS NOT NULL OR o.imputed IS NOT NULL)"
                " ORDER BY o.unit_id",
                [self.version],
            )
            yield from cursor.fetchall()


def columns(version: MicrodataVersion, variables: Sequence[str] | None = None) -> MicrodataColumns:
    """The raw columns of a frozen version, for all its variables or for those named.

    Raises KeyError for a variable that the layout does not have.
    """
    layout = [Variable.from_json(entry) for entry in version.layout.variables]
    by_code = {variable.code: position for position, variable in enumerate(layout)}
    positions = tuple(range(len(layout)) if variables is None else (by_code[code] for code in variables))
    return MicrodataColumns(
        size=version.size,
        variables=tuple(layout[position] for position in positions),
        positions=positions,
        complete=positions == tuple(range(len(layout))),
        integers=INTEGERS,
        array_header=_ARRAY_HEADER,
        version=version.pk,
    )
