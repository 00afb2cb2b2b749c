"""Reads behind the pages of results: indicators, tables and domains of one run."""

from django.db.models import F, Q, QuerySet

from estimation.releases.content.indicators import IndicatorRow, indicator_keys, indicator_rows
from estimation.releases.content.registry import Registry, registry
from estimation.releases.content.tables import Table, TableRow, table_keys, table_rows
from estimation.releases.selectors import codes_of, domain_name, source_of
from estimation.runs.models import Estimate, EstimationRun


def indicators_of(run: EstimationRun) -> list[IndicatorRow]:
    """All headline indicators of a run."""
    indicators = registry().indicators
    year = run.round.year
    return indicator_rows(indicators, source_of(run, indicator_keys(indicators, year)), year)


def table_of(run: EstimationRun, table: Table) -> list[TableRow]:
    """Table 1 or 2 of a run."""
    codes = codes_of().get(table.row_domain, ())
    keys = table_keys(table, run.round.year, codes)
    return table_rows(
        table, source_of(run, keys), run.round.year, codes, lambda code: domain_name(table.row_domain, code)
    )


def table_layout(number: int, definitions: Registry | None = None) -> Table | None:
    """The layout of a table, or None."""
    return (definitions or registry()).tables.get(number)


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
