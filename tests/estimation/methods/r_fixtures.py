"""The committed inputs and expected numbers of R, as arrays."""

import csv
from functools import cache
from pathlib import Path

import numpy as np

from estimation.methods import StratifiedSample

SCENARIOS = Path(__file__).resolve().parents[1] / "scenarios"
CLOSE = {"rtol": 1e-9, "atol": 0}


@cache
def table(folder, name):
    with (SCENARIOS / folder / name).open() as handle:
        return list(csv.DictReader(handle))


def column(rows, name):
    return np.array([float(row[name]) for row in rows])


@cache
def api():
    """Rows of the stratified sample of schools, and its design."""
    rows = table("r_survey", "apistrat_input.csv")
    names = sorted({row["stype"] for row in rows})
    stratum = np.array([names.index(row["stype"]) for row in rows])
    population = np.array([next(float(r["fpc"]) for r in rows if r["stype"] == s) for s in names])
    return rows, StratifiedSample(stratum, population)


def inside(domain, rows):
    if domain == "all":
        return np.zeros(len(rows), dtype=int)
    return np.where(column(rows, "cnum") == int(domain), 0, -1)
