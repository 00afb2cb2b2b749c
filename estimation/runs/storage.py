"""The rows of a run, written with COPY inside the caller's transaction."""

from collections.abc import Iterable, Sequence

import numpy as np
from django.db import connection

from estimation.runs.compute.blocks import COLUMNS
from estimation.runs.compute.levels import Prepared
from estimation.runs.compute.pipeline import Result
from estimation.runs.compute.treat import REASONS, class_name
from estimation.runs.models import Contributors, Cutoff, Estimate, EstimationRun, StratumWeight, TreatedUnit
from survey.classification import REGIONS

_NULL = r"\N"


def replace_results(run: EstimationRun, result: Result) -> None:
    """Delete the stored result of the run and write the new result."""
    for model in (Estimate, Contributors, TreatedUnit, Cutoff, StratumWeight):
        # these models have no signals and no cascades
        model.objects.filter(run=run)._raw_delete(using="default")
    _estimates(run, result)
    _contributors(run, result)
    for prepared in result.years:
        _treated(run, prepared)
        _cutoffs(run, prepared)
        _weights(run, prepared)


def _copy(table: str, columns: Sequence[str], fields: Sequence[Iterable[str]], chunk: int = 5000) -> None:
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        lines: list[str] = []
        for row in zip(*fields, strict=True):
            lines.append("\t".join(row))
            if len(lines) == chunk:
                copy.write("\n".join(lines) + "\n")
                lines.clear()
        if lines:
            copy.write("\n".join(lines) + "\n")


def _texts(values: np.ndarray) -> list[str]:
    finite = np.isfinite(values)
    texts = list(map(repr, values.tolist()))
    for index in np.flatnonzero(~finite):
        texts[index] = _NULL
    return texts


def _integers(values: Iterable[float]) -> list[str]:
    return [str(int(x)) for x in values]


def _estimates(run: EstimationRun, result: Result) -> None:
    estimates = result.estimates
    count = len(estimates)
    numbers = [
        _integers(estimates.numbers[name]) if name in ("n", "n_positive") else _texts(estimates.numbers[name])
        for name in COLUMNS
    ]
    _copy(
        "estimation_estimate",
        ("run_id", "year", "variable", "statistic", "domain_kind", "domain_code", "grade", "note", *COLUMNS),
        [
            [str(run.pk)] * count,
            _integers(estimates.year),
            estimates.variable,
            estimates.statistic,
            estimates.kind,
            estimates.code,
            estimates.grade,
            [""] * count,
            *numbers,
        ],
    )


def _contributors(run: EstimationRun, result: Result) -> None:
    contributors = result.contributors
    _copy(
        "estimation_contributors",
        ("run_id", "variable", "domain_kind", "domain_code", "units", "largest", "two_largest"),
        [
            [str(run.pk)] * len(contributors.variable),
            contributors.variable,
            contributors.kind,
            contributors.code,
            _integers(contributors.units),
            map(repr, contributors.largest),
            map(repr, contributors.two_largest),
        ],
    )


def _treated(run: EstimationRun, prepared: Prepared) -> None:
    outliers = prepared.treated.outliers
    count = len(outliers.row)
    names = {code: class_name(code) for code in np.unique(outliers.treatment_class).tolist()}
    reasons = {int(reason): text for reason, text in REASONS.items()}
    _copy(
        "estimation_treatedunit",
        (
            "run_id",
            "year",
            "variable",
            "unit_id",
            "treatment_class",
            "collected",
            "treated",
            "cutoff",
            "weight",
            "reason",
            "effect",
        ),
        [
            [str(run.pk)] * count,
            [str(prepared.year.year)] * count,
            [prepared.codes[item] for item in outliers.item.tolist()],
            _integers(prepared.year.unit[outliers.row]),
            [names[code] for code in outliers.treatment_class.tolist()],
            _texts(outliers.collected),
            _texts(outliers.treated),
            _texts(outliers.cutoff),
            _texts(outliers.weight),
            [reasons[reason] for reason in outliers.reason.tolist()],
            _texts(outliers.effect),
        ],
    )


def _cutoffs(run: EstimationRun, prepared: Prepared) -> None:
    cutoffs = prepared.treated.cutoffs
    count = len(cutoffs.item)
    names = {code: class_name(code) for code in np.unique(cutoffs.treatment_class).tolist()}
    _copy(
        "estimation_cutoff",
        ("run_id", "year", "variable", "treatment_class", "lower", "upper", "counted", "source"),
        [
            [str(run.pk)] * count,
            [str(prepared.year.year)] * count,
            [prepared.codes[item] for item in cutoffs.item.tolist()],
            [names[code] for code in cutoffs.treatment_class.tolist()],
            _texts(cutoffs.lower),
            _texts(cutoffs.upper),
            _integers(cutoffs.counted),
            _integers(cutoffs.depth),
        ],
    )


def _weights(run: EstimationRun, prepared: Prepared) -> None:
    weighted, strata = prepared.weighted, prepared.weighted.classes.cells
    is_split = weighted.classes.is_split.tolist()
    size = np.bincount(weighted.sample.stratum, minlength=weighted.sample.strata)
    weight = weighted.sample.population / size
    owner = weighted.mapping
    _copy(
        "estimation_stratumweight",
        (
            "run_id",
            "year",
            "stratum_id",
            "region",
            "estimation_stratum",
            "population",
            "respondents",
            "weight",
            "collapsed_step",
        ),
        [
            [str(run.pk)] * strata.count,
            [str(prepared.year.year)] * strata.count,
            _integers(strata.id),
            [REGIONS[r] if own else "" for r, own in zip(strata.region.tolist(), is_split, strict=True)],
            [weighted.names[h] if h >= 0 else "" for h in owner.tolist()],
            _integers(strata.population),
            _integers(weighted.respondents),
            [repr(float(weight[h])) if h >= 0 else _NULL for h in owner.tolist()],
            list(weighted.step),
        ],
    )
