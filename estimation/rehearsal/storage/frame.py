"""Units, assignments, design, external series and true values into the database."""

import datetime as dt
from collections.abc import Iterator, Sequence

import numpy as np
from django.db import connection
from django.utils import timezone

from estimation.design.models import SampleDesign, Stratum
from estimation.design.records import DesignSummary
from estimation.external.models import ExternalSeries
from estimation.methods.arrays import Floats, Ints
from estimation.rehearsal.country import Country
from estimation.rehearsal.population.external import external_values
from estimation.rehearsal.population.regions import REGIONS
from estimation.rehearsal.population.sizes import SIZE_CODES
from estimation.rehearsal.population.truth import TrueItem, true_rows
from estimation.rehearsal.population.units import NOT_DRAWN, UNFILED
from estimation.rehearsal.sheets.filing_rows import stamp
from estimation.rehearsal.sheets.reasons import DISPOSITION_TEXTS
from estimation.rehearsal.storage import outcomes
from estimation.rehearsal.storage.bulk import copy_lines
from estimation.rehearsal.storage.register import Register
from estimation.rehearsal.storage.sheets import SheetWriter
from estimation.runs.compute.spec import CROSSED, RATIOS, digest
from survey.access.models import User
from survey.classification import NATION, NATIONAL_CATEGORIES, SECTIONS, SIZES
from survey.microdata.variables import Variable

UNIT_COLUMNS = (
    "id", "uscc", "name", "category", "region_id", "division_code", "review_region_id", "industry", "section", "size_class",
    "institution_type", "employees", "turnover", "assets", "founded_on", "is_head_platform", "is_pilot_space",
    "random_number", "is_synthetic",
)  # fmt: skip
_ASSIGNMENT_COLUMNS = (
    "id",
    "unit_id",
    "round_id",
    "version_id",
    "disposition",
    "disposition_reason",
    "disposition_by_id",
    "disposition_at",
    "extended_until",
)
_KINDS = (Stratum.Kind.ENTERPRISE, Stratum.Kind.INSTITUTION, Stratum.Kind.CERTAINTY)


def write_units(writer: SheetWriter) -> None:
    """The register: every unit of the members, keys 1..d."""
    copy_lines("survey_reportingunit", UNIT_COLUMNS, _unit_lines(writer))


def _unit_lines(writer: SheetWriter) -> Iterator[str]:
    units, members, register = writer.country.units, writer.members, writer.register
    own = writer.country.streams("demo numbers").random(members.count)
    number = np.where(members.extra, own, units.random_number[members.row])
    return unit_lines(writer.country, members.row, register, number, first=1)


def unit_lines(
    country: Country, rows: Ints, register: Register, number: Floats, *, first: int
) -> Iterator[str]:
    """Lines of the register table for units `rows` (m,) with their entries and random numbers, keys from `first`."""
    units, values = country.units, country.values
    year = np.where(units.exists[1, rows], 1, 0)
    people, turnover, assets = (values[code][year, rows] for code in ("B09", "B10", "B11"))
    for k, row in enumerate(rows.tolist()):
        category = f"CAT{int(units.category[row]):02d}"
        region, section, size = (
            REGIONS[int(units.region[row])].code,
            int(units.section[row]),
            int(units.size[row]),
        )
        firm = size >= 0
        founded = "{:04d}-{:02d}-15".format(*register.founded[k])
        yield "\t".join(
            (
                str(k + first),
                register.uscc[k],
                register.name[k],
                category,
                region,
                register.division[k],
                NATION if category in NATIONAL_CATEGORIES else region,
                f"{int(units.industry[row]):04d}" if section < 18 else "",
                SECTIONS[section] if section < 18 else "",
                SIZE_CODES[size] if firm else "",
                register.institution_type[k],
                str(int(people[k])),
                f"{turnover[k]:.2f}" if firm else "\\N",
                f"{assets[k]:.2f}" if firm else "\\N",
                founded,
                "t" if units.group[row] == 0 else "f",
                "t" if units.pilot[row] else "f",
                repr(float(number[k])),
                "t",
            )
        )


def write_assignments(writer: SheetWriter) -> None:
    """Who is asked in which round, and what became of asking."""
    copy_lines("survey_assignment", _ASSIGNMENT_COLUMNS, _assignment_lines(writer))


def _assignment_lines(writer: SheetWriter) -> Iterator[str]:
    members, category = writer.members, writer.category
    special = {
        outcomes.REFUSED: "refused",
        outcomes.NOT_LOCATED: "not_located",
        outcomes.CLOSED: "closed",
        outcomes.OUT_OF_SCOPE: "out_of_scope",
        outcomes.DUPLICATE: "duplicate",
    }
    for year in (0, 1):
        facts = writer.facts[year]
        for position in np.flatnonzero(members.asked[year]).tolist():
            if year:
                disposition = special.get(int(members.outcome[position]), "eligible")
            else:
                unfiled = members.last[position] == UNFILED
                disposition = ("refused", "not_located", "eligible")[position % 3] if unfiled else "eligible"
            reason = DISPOSITION_TEXTS.get(disposition, "")
            at = stamp(facts.opens + 20 * 86_400) if reason else "\\N"
            version = writer.versions[(2024 + year, f"CAT{int(category[position]):02d}")].pk
            yield (
                f"{int(writer.keys[year, position])}\t{position + 1}\t{facts.key}\t{version}"
                f"\t{disposition}\t{reason}\t\\N\t{at}\t\\N"
            )


def write_designs(writer: SheetWriter) -> None:
    """Strata and drawn units of both rounds."""
    strata, units, members = writer.country.strata, writer.country.units, writer.members
    key = 0
    for year in (0, 1):
        used = np.flatnonzero(strata.population[year] > 0)
        rows = [_stratum(writer, int(h)) for h in used]
        counts = [[int(strata.population[year, h]), int(strata.drawn[year, h])] for h in used]
        design = SampleDesign.objects.create(
            round=writer.rounds[2024 + year],
            number=1,
            seed=writer.country.seed,
            is_synthetic=True,
            content_hash=digest([rows, counts, writer.country.seed]),
            summary=_summary(writer, year),
        )
        number = np.zeros(len(strata.kind), np.int64)
        number[used] = key + 1 + np.arange(len(used))
        key += len(used)
        copy_lines(
            "estimation_stratum",
            (
                "id",
                "design_id",
                "kind",
                "category",
                "region",
                "section",
                "size",
                "population",
                "drawn",
                "take_all",
                "listed",
                "reason",
            ),
            (
                "\t".join(
                    (
                        str(number[h]),
                        str(design.pk),
                        *row,
                        str(count[0]),
                        str(count[1]),
                        "t" if strata.kind[h] == 2 else "f",
                        str(count[1]),
                        _reason(row),
                    )
                )
                for h, row, count in zip(used.tolist(), rows, counts, strict=True)
            ),
        )
        selected = np.flatnonzero(
            members.asked[year] & ~members.extra & (units.status[year, members.row] != NOT_DRAWN)
        )
        copy_lines(
            "estimation_selectedunit",
            ("design_id", "stratum_id", "unit_id", "region", "probability", "random_number"),
            _selected(writer, selected, year, number, design.pk),
        )


def _reason(row: list[str]) -> str:
    """Why a stratum is taken with certainty."""
    kind, category = row[:2]
    if kind != Stratum.Kind.CERTAINTY:
        return ""
    reasons = Stratum.Reason
    return {"": reasons.THRESHOLD, "CAT08": reasons.PLATFORM}.get(category, reasons.CATEGORY).value


def _summary(writer: SheetWriter, year: int) -> DesignSummary:
    strata = writer.country.strata
    return DesignSummary(
        strata=int((strata.population[year] > 0).sum()),
        population=int(strata.population[year].sum()),
        n=int(strata.drawn[year].sum()),
        certain=int(strata.drawn[year, strata.kind == 2].sum()),
    )


def sign_designs() -> None:
    """The two members of staff who drew and approved the designs; the open and the closed round have their samples."""
    first, second = (User.objects.get(username=name) for name in ("designer", "methodologist"))
    for design in SampleDesign.objects.select_related("round"):
        at = design.round.opens_at
        SampleDesign.objects.filter(pk=design.pk).update(
            state=SampleDesign.State.HANDED_OVER,
            created_at=at - dt.timedelta(days=30),
            created_by=first,
            drawn_by=first,
            drawn_at=at - dt.timedelta(days=29),
            approved_by=second,
            approved_at=at - dt.timedelta(days=28),
            handed_over_by=first,
            handed_over_at=at - dt.timedelta(days=27),
        )


def _stratum(writer: SheetWriter, h: int) -> list[str]:
    strata = writer.country.strata
    category, region, section, size = (
        int(part[h]) for part in (strata.category, strata.region, strata.section, strata.size)
    )
    return [
        str(_KINDS[int(strata.kind[h])].value),
        f"CAT{category:02d}" if category > 0 else "",
        REGIONS[region].code if region >= 0 else "",
        SECTIONS[section] if section >= 0 else "",
        SIZES[size] if size >= 0 else "",
    ]


def _selected(writer: SheetWriter, positions: Ints, year: int, number: Ints, design: int) -> Iterator[str]:
    units, strata = writer.country.units, writer.country.strata
    rows = writer.members.row[positions]
    h = units.stratum[rows]
    chance = strata.drawn[year, h] / strata.population[year, h]
    for position, stratum, region, probability, draw in zip(
        positions.tolist(),
        number[h].tolist(),
        units.region[rows].tolist(),
        chance.tolist(),
        units.random_number[rows].tolist(),
        strict=True,
    ):
        yield f"{design}\t{stratum}\t{position + 1}\t{REGIONS[region].code}\t{probability!r}\t{draw!r}"


def write_external() -> None:
    """External series, from outside the questionnaires."""
    ExternalSeries.objects.bulk_create(
        ExternalSeries(
            code=row.code,
            year=row.year,
            value=round(row.value, 6),
            unit=row.unit,
            label_zh=row.label_zh,
            label_en=row.label_en,
            source=row.source,
            is_synthetic=row.synthetic,
            approved_at=timezone.now(),
        )
        for row in external_values()
    )


def truth_lines(country: Country, variables: Sequence[Variable]) -> list[str]:
    """True values of the whole population, under the names of the estimates, as lines to load."""
    items = [
        TrueItem(variable.code, variable.kind, tuple(int(code[3:]) for code in variable.categories))
        for variable in variables
    ]
    return [
        f"{year}\t{name}\t{statistic}\t{kind}\t{code}\t{value!r}"
        for year, name, statistic, kind, code, value in true_rows(country, items, RATIOS, CROSSED)
    ]


def write_truth(lines: list[str]) -> int:
    """Load the true values. Returns how many."""
    return copy_lines(
        "estimation_truevalue",
        ("year", "variable", "statistic", "domain_kind", "domain_code", "value"),
        lines,
    )


def analyse() -> None:
    """Fresh statistics for the planner after so many new rows."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
