"""Reads of the result pages: the run, and its stored estimates as the source of cells."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from estimation.external.catalogue import all_series
from estimation.external.models import ExternalSeries
from estimation.releases.content.content import Content, FrozenCell, Text
from estimation.releases.content.draft import Material
from estimation.releases.content.estimates import CoverageRow, Key, Source, Stored
from estimation.releases.content.passages import Passage, default_passages
from estimation.releases.content.registry import PublicationPlan, required_keys
from estimation.releases.content.registry_checks import GROUPS, Vocabulary
from estimation.releases.content.tables import Table, count_rows
from estimation.releases.messages import RELEASE
from estimation.releases.models import BlockVersion, Release
from estimation.runs.compute.contributors import Concentration
from estimation.runs.compute.spec import CROSSED, DERIVED, RATIOS
from estimation.runs.models import Contributors, Estimate, EstimationRun
from survey.classification import CATEGORIES, REGIONS, SECTIONS, SIZES
from survey.collection.models import CollectionRound
from survey.microdata.projection import layout_variables
from survey.microdata.selectors import coverage_rows
from survey.questionnaires.loader import load_all, load_codelist
from survey.sentences import Sentence

_FIELDS = (
    "year",
    "variable",
    "statistic",
    "domain_kind",
    "domain_code",
    "value",
    "se",
    "cv",
    "lower",
    "upper",
    "grade",
    "n",
)


def source_of(run: EstimationRun, keys: Iterable[Key]) -> Source:
    """The stored estimates behind some cells, in one query, and the external values of the run."""
    keys_read = set(keys)
    rows = Estimate.objects.filter(
        run=run,
        variable__in={key.variable for key in keys_read},
        statistic__in={key.statistic for key in keys_read},
        domain_kind__in={key.kind for key in keys_read},
    ).values_list(*_FIELDS)
    estimates = {}
    for year, variable, statistic, kind, code, *numbers in rows:
        key = Key(year, variable, statistic, kind, code)
        if key in keys_read:
            estimates[key] = Stored(*numbers)
    external = {(series.code, series.year): float(series.value) for series in run.summary.external}
    return Source(estimates, external)


def coverage_of(run: EstimationRun, table: Table) -> list[CoverageRow]:
    """Table 3 or 4: counts at the freeze that the run used."""
    codes: Sequence[str] = REGIONS if table.coverage == "region" else CATEGORIES
    return count_rows(table, coverage_rows(run.microdata), codes, _named(table.coverage))


def _named(kind: str) -> Any:
    lists = {"section": "industry_sections", "region": "regions", "category": "categories"}
    names = labels(lists[kind]) if kind in lists else {}

    def name(code: str) -> Text:
        if code.endswith("-city"):
            return Text("计划单列市数据管理部门", "Data departments of separately planned cities")
        if code == "CAT02":  # the next line has the cities, so this line has the provinces only
            return Text("省级及兵团数据管理部门", "Provincial and XPCC data departments")
        return names.get(code, Text(code, code))

    return name


@lru_cache(maxsize=8)
def labels(codelist: str) -> dict[str, Text]:
    """Names of the codes of a list."""
    return {entry.code: Text(entry.label.zh, entry.label.en) for entry in load_codelist(codelist).entries}


def domain_name(kind: str, code: str) -> Text:
    """The name of a domain whose codes are a list of the questionnaires."""
    named: Text = _named({"region_enterprise": "region"}.get(kind, kind))(code)
    return named


def codes_of() -> dict[str, Sequence[str]]:
    """Codes of the domain kinds that tables list, in printed order."""
    return {
        "section": SECTIONS,
        "region": REGIONS,
        "region_enterprise": REGIONS,
        "category": CATEGORIES,
    }


def material_of(run: EstimationRun, plan: PublicationPlan) -> Material:
    """The source material of a release of a run."""
    year = run.round.year
    codes = codes_of()
    source = source_of(run, required_keys(plan, year, codes))
    coverage = {
        table.code: coverage_of(run, table) for table in plan.registry.tables.values() if table.coverage
    }
    counts = {
        Key(
            year, name, "count", "nation" if row.is_total else kind, "all" if row.is_total else row.code
        ): Stored(float(getattr(row, name)), n=getattr(row, name))
        for kind, rows in (("category", coverage["T3"]), ("region", coverage["T4"]))
        for row in rows
        for name in ("filed", "valid")
    }
    external = run.summary.external
    names = ExternalSeries.objects.filter(code__in={series.code for series in external})
    return Material(
        year=year,
        source=Source({**source.estimates, **counts}, source.external),
        units={entry["code"]: entry["unit"] for entry in run.microdata.layout.variables},
        external_units={series.code: series.unit for series in external},
        external_labels={row.code: Text(row.label_zh, row.label_en) for row in names.order_by("version")},
        coverage=coverage,
        name=domain_name,
    )


def concentration_of(run: EstimationRun) -> dict[tuple[str, str, str], Concentration]:
    """By (variable, domain kind, domain code); empty for a run that a program before this table computed."""
    return {
        (row.variable, row.domain_kind, row.domain_code): Concentration(
            row.units, row.largest, row.two_largest
        )
        for row in Contributors.objects.filter(run=run)
    }


def passages_of(round: CollectionRound) -> tuple[Passage, ...]:
    """The passages in force, in the order of the document: edited ones over those of the program."""
    newest: dict[str, BlockVersion] = {}
    for row in BlockVersion.objects.filter(round=round).order_by("number"):
        newest[row.code] = row
    return tuple(
        passage_of(newest[passage.code], passage.place) if passage.code in newest else passage
        for passage in default_passages()
    )


def passage_of(row: BlockVersion, section_code: str) -> Passage:
    """A stored version as a passage."""
    return Passage(
        row.code,
        section_code,
        Text(row.heading_zh, row.heading_en),
        Text(row.body_zh, row.body_en),
        row.number,
    )


def cells_for_text(round: CollectionRound) -> Mapping[str, FrozenCell]:
    """The cells that a passage of a round can name: those of its newest release, else of its newest run."""
    release = Release.objects.filter(round=round).order_by("-number").first()
    return Content.from_document(release.content).cells if release else {}


FAULTS = {
    "unknown": _("There is no number called %(detail)s."),
    "digits": _("Digits are not typed by hand: %(detail)s. Name a field, or mark fixed text as {{ '…' }}."),
    "empty": _("This text is empty: %(detail)s"),
    "unshown": _("%(detail)s cannot be shown in this release; a dash stands in its place."),
    "weak": _("Grade E: the error is too large for more than an indication (%(detail)s)."),
    "unknown_note": _("There is no footnote called %(detail)s that can be called here."),
    "uncalled_note": _("No passage calls the footnote %(detail)s; it is not printed."),
    "malformed_note": _(
        "Every paragraph is a footnote with its own name, the same in both languages: %(detail)s"
    ),
    "unequal_notes": _("The footnote %(detail)s is called in one language only."),
    "identity": _("Printed numbers do not add up; the difference is %(detail)s."),
}


def vocabulary() -> Vocabulary:
    """What runs of the present program can store, for the checks of the registry."""
    variables = layout_variables(load_all().values())
    domains: dict[str, Sequence[str]] = {
        **codes_of(),
        "nation": ("all", "enterprise", "public"),
        "size": SIZES,
        "group": GROUPS,
        "industry_group": ("primary", "secondary", "tertiary", "industry"),
    }
    return Vocabulary(
        {variable.code: variable.unit for variable in variables},
        frozenset(DERIVED),
        frozenset(f"{a}/{b}" for a, b in RATIOS),
        domains,
        {series["code"]: series["unit"] for series in all_series()},
        frozenset(CROSSED),
    )


def versions_of_passage(round: CollectionRound, code: str) -> QuerySet[BlockVersion]:
    """The edited versions of a passage, newest first."""
    return BlockVersion.objects.filter(round=round, code=code).select_related("edited_by").order_by("-number")


def passage_version(round: CollectionRound, current: Passage, number: int) -> Passage:
    """A version of a passage; 0 is the one of the program, an unknown number the one in force."""
    if number == 0:
        return next((passage for passage in default_passages() if passage.code == current.code), current)
    row = versions_of_passage(round, current.code).filter(number=number).first()
    return passage_of(row, current.place) if row else current


def hashed_releases() -> Iterator[tuple[Sentence, bool]]:
    """Each release, and whether its content has the hash that was frozen with it."""
    for release in Release.objects.select_related("round").order_by("pk").iterator(chunk_size=1):
        try:
            intact = Content.from_document(release.content).digest() == release.content_hash
        except (KeyError, TypeError, ValueError, AttributeError):
            intact = False
        yield RELEASE(number=release.number, year=release.round.year), intact
