"""Reads behind the result pages: which run, and its stored estimates as the source of cells."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from django.db.models import F, Q, QuerySet

from estimation.design.strata import CATEGORIES, REGIONS, SECTIONS
from estimation.releases import tables
from estimation.releases.indicators import Indicator, Label, Registry, Table, registry
from estimation.releases.tables import CoverageRow, IndicatorRow, Key, Source, Stored, TableRow
from estimation.runs.models import Estimate, EstimationRun
from estimation.runs.selectors import finished_runs
from survey.microdata.selectors import coverage_rows
from survey.questionnaires.loader import load_codelist

_FIELDS = (
    "year", "variable", "statistic", "domain_kind", "domain_code", "value", "se", "cv", "lower", "upper",
    "grade", "n",
)  # fmt: skip


def choose_run(asked: str = "") -> EstimationRun | None:
    """The run that was asked for by its key, else the newest finished one."""
    runs = finished_runs().select_related("microdata__layout")
    if asked.isdecimal():
        return runs.filter(pk=int(asked)).first()
    return runs.first()


def source_of(run: EstimationRun, keys: Iterable[Key]) -> Source:
    """The stored estimates behind some cells, in one query, and the external values of the run."""
    wanted = set(keys)
    rows = Estimate.objects.filter(
        run=run,
        variable__in={key.variable for key in wanted},
        statistic__in={key.statistic for key in wanted},
        domain_kind__in={key.kind for key in wanted},
    ).values_list(*_FIELDS)
    found = {}
    for year, variable, statistic, kind, code, *numbers in rows:
        key = Key(year, variable, statistic, kind, code)
        if key in wanted:
            found[key] = Stored(*numbers)
    external = {(one["code"], one["year"]): float(one["value"]) for one in run.summary.get("external", [])}
    return Source(found, external)


def indicator_keys(indicators: Iterable[Indicator], year: int) -> list[Key]:
    """The stored estimates of indicators: both levels and the growth that tells their covariance."""
    keys = []
    for part in (part for one in indicators for part in one.parts):
        keys += [Key(y, part.variable, part.statistic, part.kind, part.code) for y in (year - 1, year)]
        keys.append(Key(year, part.variable, "level_growth", part.kind, part.code))
    return keys


def indicators_of(run: EstimationRun) -> list[IndicatorRow]:
    """All headline indicators of a run."""
    known = registry().indicators
    year = run.round.year
    return tables.indicator_rows(known, source_of(run, indicator_keys(known, year)), year)


def table_of(run: EstimationRun, table: Table) -> list[TableRow]:
    """Table 1 or 2 of a run."""
    codes = SECTIONS if table.row_domain == "section" else ()
    keys = tables.wanted_keys(table, run.round.year, codes)
    return tables.table_rows(table, source_of(run, keys), run.round.year, codes, _named(table.row_domain))


def coverage_of(run: EstimationRun, table: Table) -> list[CoverageRow]:
    """Table 3 or 4: counts at the freeze that the run used."""
    codes: Sequence[str] = REGIONS if table.coverage == "region" else CATEGORIES
    return tables.coverage_rows(table, coverage_rows(run.microdata), codes, _named(table.coverage))


def _named(kind: str) -> Any:
    lists = {"section": "industry_sections", "region": "regions", "category": "categories"}
    names = labels(lists[kind]) if kind in lists else {}

    def name(code: str) -> Label:
        if code.endswith("-city"):
            return Label("计划单列市数据管理部门", "Data departments of separately planned cities")
        if code == "CAT02":  # the line of the cities follows, so this one holds the provinces alone
            return Label("省级及兵团数据管理部门", "Provincial and XPCC data departments")
        return names.get(code, Label(code, code))

    return name


@lru_cache(maxsize=8)
def labels(codelist: str) -> dict[str, Label]:
    """Names of the codes of a list."""
    return {entry.code: Label(entry.label.zh, entry.label.en) for entry in load_codelist(codelist).entries}


def table_layout(number: int, known: Registry | None = None) -> Table | None:
    """The layout of a table, or None."""
    return (known or registry()).tables.get(number)


def domain_rows(
    run: EstimationRun, *, variable: str, statistic: str, kind: str, year: int, order: str
) -> list[Estimate]:
    """One statistic of one variable in every domain of a kind, sorted by code, value or cv."""
    rows: QuerySet[Estimate] = Estimate.objects.filter(
        run=run, variable=variable, statistic=statistic, domain_kind=kind, year=year
    )
    columns = {
        "value": F("value").desc(nulls_last=True),
        "cv": F("cv").asc(nulls_last=True),
        "n": F("n").desc(),
    }
    return list(rows.order_by(columns.get(order, F("domain_code").asc()), "domain_code")[:700])


def variables_with_estimates(run: EstimationRun) -> list[str]:
    """Every variable that has a national estimate in the run."""
    return sorted(
        Estimate.objects.filter(run=run)
        .filter(Q(domain_kind="nation") | Q(domain_kind="group"))
        .values_list("variable", flat=True)
        .distinct()
    )
