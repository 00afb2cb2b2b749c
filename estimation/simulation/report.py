"""A study in figures: bias, mean squared error and coverage of every indicator in every variant. Pure."""

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from io import StringIO

import numpy as np
from scipy import special

from estimation.methods.arrays import Bools, Floats
from estimation.simulation.study import Study

GROWTH = ("level_growth", "panel_growth")
SCOPES = {"nation": "nation", "region": "regions", "section": "sections"}


@dataclass(frozen=True)
class Line:
    """One indicator in one variant; for regions and sections the median over the domains, coverage the mean.

    truth : NaN for several domains; domains : number of domains evaluated
    bias, bias_error : mean error over `scale` and its Monte Carlo standard error; several domains: absolute values
    rmse : root of the mean squared error over `scale`
    mse_ratio : mean squared error over that of the first variant, the raw values
    coverage, coverage_error : share of intervals that held the truth, and its Monte Carlo standard error
    se_ratio : mean estimated standard error over the standard deviation of the estimates

    `scale` is |truth|, and 1 + truth for a growth rate: errors of growth are those of the ratio of the years.
    """

    variable: str
    statistic: str
    scope: str
    variant: str
    truth: float
    domains: int
    bias: float
    bias_error: float
    rmse: float
    mse_ratio: float
    coverage: float
    coverage_error: float
    se_ratio: float


def lines_of(study: Study) -> list[Line]:
    """All lines, by indicator and then by variant. A domain without an estimate in some sample is omitted."""
    growth = np.array([statistic in GROWTH for _, statistic, _, _ in study.keys])
    scale = np.where(growth, 1.0 + study.truth, np.abs(study.truth))
    figures = [_figures(study, scale, value, se) for value, se in ((o.value, o.se) for o in study.outcomes)]
    judged = (scale > 0) & np.isfinite(np.stack([f[0] for f in figures])).all(axis=0)
    lines = []
    for (variable, statistic, scope), members in _groups(study, judged).items():
        for outcome, outcome_figures in zip(study.outcomes, figures, strict=True):
            lines.append(
                _line(
                    study, (variable, statistic, scope, outcome.name), members, outcome_figures, figures[0][2]
                )
            )
    return lines


def table(lines: Sequence[Line], *, scope: str = "nation") -> str:
    """The lines of one scope as text, one block per indicator."""
    rows: list[str] = []
    header = f"{'':32s}{'bias %':>9s}{'+- %':>7s}{'rmse %':>9s}{'MSE/raw':>9s}{'cover %':>9s}{'se/sd':>7s}"
    last = ("", "")
    for line in lines:
        if line.scope != scope:
            continue
        name = (line.variable, line.statistic)
        if name != last:
            rows += ["", f"{line.variable} {line.statistic}, {scope}", header]
            last = name
        rows.append(
            f"  {line.variant:30s}{100 * line.bias:9.2f}{100 * line.bias_error:7.2f}{100 * line.rmse:9.2f}"
            f"{line.mse_ratio:9.2f}{100 * line.coverage:9.1f}{line.se_ratio:7.2f}"
        )
    return "\n".join(rows[1:])


def as_csv(lines: Iterable[Line]) -> str:
    """The lines as CSV with a header; numbers to six digits."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = [field.name for field in fields(Line)]
    writer.writerow(names)
    for line in lines:
        row = asdict(line)
        writer.writerow([f"{row[n]:.6g}" if isinstance(row[n], float) else row[n] for n in names])
    return out.getvalue()


def as_json(study: Study, lines: Iterable[Line]) -> str:
    """The lines with the size of the study as a JSON document; undefined values are null."""
    rows = [
        {
            name: None if isinstance(value, float) and np.isnan(value) else value
            for name, value in asdict(line).items()
        }
        for line in lines
    ]
    facts = {
        "samples": study.samples,
        "units": study.units,
        "population": study.population,
        "level": study.level,
    }
    return json.dumps({**facts, "synthetic": True, "lines": rows}, indent=1, ensure_ascii=False)


type _Figures = tuple[Floats, Floats, Floats, Floats, Floats]


def _figures(study: Study, scale: Floats, value: Floats, se: Floats) -> _Figures:
    """Relative bias, its error, relative MSE, coverage and se ratio, each (K,)."""
    safe = np.where(scale > 0, scale, np.nan)
    error = (value - study.truth) / safe
    bias, spread = error.mean(axis=0), error.std(axis=0, ddof=1)
    half = se * float(special.ndtri(0.5 + study.level / 2.0))
    # The interval of an estimate without error (full response) is a point: allow for rounding.
    slack = 1e-12 * np.abs(study.truth)
    covered = (np.abs(value - study.truth) <= half + slack).mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        se_ratio = (se / safe).mean(axis=0) / spread
    return bias, spread / np.sqrt(len(value)), (error**2).mean(axis=0), covered, se_ratio


def _groups(study: Study, judged: Bools) -> dict[tuple[str, str, str], list[int]]:
    """Indices of the keys of each indicator: the nation, all regions, all sections."""
    groups: dict[tuple[str, str, str], list[int]] = {}
    for position, (variable, statistic, kind, code) in enumerate(study.keys):
        if judged[position] and (kind != "nation" or code == "all"):
            groups.setdefault((variable, statistic, SCOPES[kind]), []).append(position)
    return groups


def _line(
    study: Study,
    name: tuple[str, str, str, str],
    members: list[int],
    outcome_figures: _Figures,
    raw_mse: Floats,
) -> Line:
    bias, bias_error, mse, covered, se_ratio = (part[members] for part in outcome_figures)
    alone = len(members) == 1
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(raw_mse[members] > 0, mse / raw_mse[members], 1.0)
    coverage = float(covered.mean())
    finite = se_ratio[np.isfinite(se_ratio)]
    return Line(
        *name,
        truth=float(study.truth[members[0]]) if alone else float("nan"),
        domains=len(members),
        bias=float(bias[0]) if alone else float(np.median(np.abs(bias))),
        bias_error=float(np.median(bias_error)),
        rmse=float(np.sqrt(np.median(mse))),
        mse_ratio=float(np.median(ratio)),
        coverage=coverage,
        # Domains of one sample are dependent, so the error of their mean is that of a single domain.
        coverage_error=float(np.sqrt(max(coverage * (1.0 - coverage), 0.0) / study.samples)),
        se_ratio=float(np.median(finite)) if len(finite) else float("nan"),
    )
