"""Queries of the microdata: frozen versions, coverage, item response, observations."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import QuerySet, Sum

from survey.collection.models import CollectionRound
from survey.microdata.models import ItemResponse, MicrodataVersion, Observation
from survey.microdata.projection import values_hash
from survey.microdata.variables import Variable

# Fields of an observation that come from the register, in the order in which they are hashed.
CLASSIFICATION = ("category", "region", "section", "size_class", "is_head_platform", "is_pilot_space")


def is_intact(observation: Observation) -> bool:
    """Whether the stored values have the stored hash."""
    facts = [getattr(observation, name) for name in CLASSIFICATION]
    return values_hash(facts, observation.collected) == observation.values_hash


def changed_members(first: MicrodataVersion, second: MicrodataVersion) -> tuple[int, int, int]:
    """Numbers of units that entered and left between two frozen sets, and of units with another filing."""
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
    """A few items of a frozen version, for sample designs: the variables that the layout has, and rows.

    A row is the unit and one value per variable: the edited value if there is one, else the collected one; NaN
    without a value. National; use ``columns`` for many items.
    """
    layout = [Variable.from_json(entry) for entry in version.layout.variables]
    chosen = [(position, variable) for position, variable in enumerate(layout) if variable.code in codes]
    values = "".join(
        f", coalesce(nullif(o.edited[{position + 1}], 'NaN'), o.collected[{position + 1}])"
        for position, _variable in chosen
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT o.unit_id{values} FROM survey_microdatamember m"  # noqa: S608 places of the layout
            " JOIN survey_observation o ON o.filing_id = m.observation_id WHERE m.version_id = %s ORDER BY o.unit_id",
            [version.pk],
        )
        return [variable for _position, variable in chosen], cursor.fetchall()


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
    """(category, region, bureau of a separately planned city, filed, valid) as counted at the freeze."""
    return list(version.coverage.values_list("category", "region", "is_city_bureau", "filed", "valid"))


def latest_decision(round: CollectionRound) -> datetime | None:
    """The time at which a sheet of a round was decided last, or None."""
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
        """Share of the sheets with the item asked that answered it; None when none was asked."""
        asked = self.sheets - self.not_asked
        return self.answered / asked if asked else None


COUNTS = ("answered", "zero", "not_applicable", "unknown", "blank", "not_asked", "not_computed")


def item_responses(version: MicrodataVersion, category: str = "") -> list[Response]:
    """Item response in the order of the layout, without variables that no form of the selection asks.

    National: sums over categories. Empty for sets frozen before the reasons were stored.
    """
    rows = ItemResponse.objects.filter(version=version)
    if category:
        rows = rows.filter(category=category)
    summed = rows.values("variable").annotate(**{f"all_{name}": Sum(name) for name in COUNTS}).order_by()
    lines = summed.values_list("variable", *(f"all_{name}" for name in COUNTS))
    counts = {code: dict(zip(COUNTS, numbers, strict=True)) for code, *numbers in lines}
    variables = (Variable.from_json(entry) for entry in version.layout.variables)
    return [
        Response(variable, sheets=sum(totals.values()) - totals["zero"], **totals)
        for variable in variables
        if (totals := counts.get(variable.code))
    ]


@dataclass(frozen=True, slots=True)
class Observed:
    """The values of an accepted sheet by variable (NaN: none), with its classification at that time."""

    category: str
    section: str
    size_class: str
    values: dict[str, float]


def observed(submission: int, codes: Sequence[str]) -> Observed | None:
    """Variables of the latest observation of a sheet, as filed. The caller checks the scope."""
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
