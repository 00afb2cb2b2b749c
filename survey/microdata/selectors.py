"""Reads of the accepted file. ``columns`` is THE door between collection and estimation.

The values leave as binary COPY rows of one fixed width, undecoded: this side of the border has no numpy,
and a national year is five million numbers. ``MicrodataColumns`` says how a row is laid out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import QuerySet, Sum

from survey.collection.models import CollectionRound
from survey.microdata.models import ItemResponse, MicrodataVersion, Observation
from survey.microdata.projection import Variable

SIZE_CODES = ("large", "medium", "small", "micro")  # stored as 1..4, 0 when the form has no size
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
    ``positions`` are the places of the variables in the layout. Where these are not the whole, ``packed`` sends them alone.
    ``region`` is the six-digit code, ``section`` the code point of its letter (0 none), ``size`` 1..4.
    ``changes`` are (unit, edited values or None, imputed values or None) of the few units that have them.
    """

    size: int
    variables: tuple[Variable, ...]
    positions: tuple[int, ...]
    whole: bool
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
        """The rows of the whole layout, some at a time, without the header and trailer of the COPY stream."""
        statement = (
            f"COPY (SELECT {', '.join(_CLASSIFICATION)}, o.collected FROM survey_microdatamember m"  # noqa: S608 no input
            " JOIN survey_observation o ON o.filing_id = m.observation_id"
            f" WHERE m.version_id = {int(self.version)} ORDER BY o.unit_id) TO STDOUT (FORMAT binary)"
        )
        kept = bytearray()
        block_bytes = self.row_bytes * max(1, (4 << 20) // self.row_bytes)
        skip = _COPY_HEADER
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for block in copy:
                kept += memoryview(block)[skip:] if skip else block
                skip = 0
                while len(kept) >= block_bytes:
                    yield bytes(memoryview(kept)[:block_bytes])
                    del kept[:block_bytes]
        whole = len(kept) - len(kept) % self.row_bytes  # what is left over is the two-byte trailer
        if whole:
            yield bytes(kept[:whole])

    def packed(self) -> tuple[bytes, bool]:
        """All rows as one value, in no order, and whether any unit has an edited or imputed value.

        A row is the ``integers`` as int64 and the variables as float64, network byte order, nothing between them.
        A COPY sends a message a row; a few items of a national year come in half the time this way.
        """
        parts = [f"int8send({one})" for one in _CLASSIFICATION]
        parts += [f"float8send(o.collected[{int(place) + 1}])" for place in self.positions]
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
    places = {variable.code: place for place, variable in enumerate(layout)}
    positions = tuple(range(len(layout)) if variables is None else (places[code] for code in variables))
    return MicrodataColumns(
        size=version.size,
        variables=tuple(layout[place] for place in positions),
        positions=positions,
        whole=positions == tuple(range(len(layout))),
        integers=INTEGERS,
        array_header=_ARRAY_HEADER,
        version=version.pk,
    )


def changed_members(first: MicrodataVersion, second: MicrodataVersion) -> tuple[int, int, int]:
    """Units that entered and left between two frozen sets, and units whose filing is another one."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FILTER (WHERE a.unit_id IS NULL), count(*) FILTER (WHERE b.unit_id IS NULL),
                   count(*) FILTER (WHERE a.filing_id <> b.filing_id)
            FROM (SELECT o.unit_id, o.filing_id FROM survey_microdatamember m JOIN survey_observation o
                  ON o.filing_id = m.observation_id WHERE m.version_id = %s) a
            FULL JOIN (SELECT o.unit_id, o.filing_id FROM survey_microdatamember m JOIN survey_observation o
                  ON o.filing_id = m.observation_id WHERE m.version_id = %s) b ON a.unit_id = b.unit_id
            """,
            [first.pk, second.pk],
        )
        entered, left, changed = cursor.fetchone()
        return int(entered), int(left), int(changed)


def item_values(
    version: MicrodataVersion, codes: Sequence[str]
) -> tuple[list[Variable], list[tuple[float | int, ...]]]:
    """The few items of a frozen version that a sample is designed by: variables that the layout has, and rows.

    A row is the unit, then one value per variable: what was edited if anything was, else what was collected, NaN
    where there is none. National by nature, and for a handful of items: ``columns`` is made for all of them.
    """
    layout = [Variable.from_json(entry) for entry in version.layout.variables]
    chosen = [(place, variable) for place, variable in enumerate(layout) if variable.code in codes]
    values = "".join(
        f", coalesce(nullif(o.edited[{place + 1}], 'NaN'), o.collected[{place + 1}])"
        for place, _variable in chosen
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT o.unit_id{values} FROM survey_microdatamember m"  # noqa: S608 places of the layout
            " JOIN survey_observation o ON o.filing_id = m.observation_id WHERE m.version_id = %s ORDER BY o.unit_id",
            [version.pk],
        )
        return [variable for _place, variable in chosen], cursor.fetchall()


def versions_of(round: CollectionRound) -> QuerySet[MicrodataVersion]:
    """Frozen versions of a round, newest first; national by nature."""
    return (
        MicrodataVersion.objects.filter(round=round).select_related("round", "frozen_by").order_by("-number")
    )


def frozen_versions() -> QuerySet[MicrodataVersion]:
    """Every frozen set of every round, newest first; national by nature."""
    rows = MicrodataVersion.objects.select_related("round", "layout")
    return rows.order_by("-round__year", "-number")


def coverage_rows(version: MicrodataVersion) -> list[tuple[str, str, bool, int, int]]:
    """(category, region, bureau of a planned city, filed, valid) as counted at the freeze."""
    return list(version.coverage.values_list("category", "region", "is_city_bureau", "filed", "valid"))


def latest_decision(round: CollectionRound) -> datetime | None:
    """The watermark of a round: the last moment at which a sheet was decided, or None."""
    from django.db.models import Max

    from survey.submissions.models import Submission

    last: datetime | None = Submission.objects.filter(round=round).aggregate(last=Max("decided_at"))["last"]
    return last


@dataclass(frozen=True, slots=True)
class Response:
    """How the sheets of a frozen set, or of one category in it, answered one variable. Counts are sheets.

    ``zero`` is the part of ``answered`` that says 0 (or no); the other counts are the reasons for no answer.
    """

    variable: Variable
    sheets: int
    answered: int
    zero: int
    not_applicable: int
    unknown: int
    blank: int
    not_asked: int
    not_computed: int

    @property
    def share(self) -> float | None:
        """Answered, of the sheets on which the item was asked; None when it was asked on none."""
        asked = self.sheets - self.not_asked
        return self.answered / asked if asked else None


COUNTS = ("answered", "zero", "not_applicable", "unknown", "blank", "not_asked", "not_computed")


def item_responses(version: MicrodataVersion, category: str = "") -> list[Response]:
    """Item response in the order of the layout; variables that no form of the selection asks are left out.

    National by nature: sums over whole categories. Empty for sets frozen before the reasons were kept.
    """
    rows = ItemResponse.objects.filter(version=version)
    if category:
        rows = rows.filter(category=category)
    summed = rows.values("variable").annotate(**{f"all_{name}": Sum(name) for name in COUNTS}).order_by()
    lines = summed.values_list("variable", *(f"all_{name}" for name in COUNTS))
    counts = {code: dict(zip(COUNTS, numbers, strict=True)) for code, *numbers in lines}
    known = (Variable.from_json(entry) for entry in version.layout.variables)
    return [
        Response(one, sheets=sum(found.values()) - found["zero"], **found)
        for one in known
        if (found := counts.get(one.code))
    ]


@dataclass(frozen=True, slots=True)
class Observed:
    """What one accepted sheet says, by variable (NaN: none), with the classification it had then."""

    category: str
    section: str
    size_class: str
    values: dict[str, float]


def observed(submission: int, codes: Sequence[str]) -> Observed | None:
    """Variables of the latest observation of a sheet, as filed; the caller has found the sheet in somebody's scope."""
    row = (
        Observation.objects.filter(filing__submission=submission)
        .select_related("layout")
        .order_by("-filing__number")
        .first()
    )
    if row is None:
        return None
    values = {
        entry["code"]: value
        for entry, value in zip(row.layout.variables, row.collected, strict=True)
        if entry["code"] in codes
    }
    return Observed(row.category, row.section, row.size_class, values)
