"""Gathers the rooms' models so that Django finds them."""

from estimation.design.models import SampleDesign, SelectedUnit, Stratum
from estimation.rehearsal.models import Rehearsal, TrueValue
from estimation.releases.models import BlockVersion, Release
from estimation.runs.models import (
    Cutoff,
    Estimate,
    EstimationRun,
    ExternalSeries,
    StratumWeight,
    TreatedUnit,
)

__all__ = [
    "BlockVersion",
    "Cutoff",
    "Estimate",
    "EstimationRun",
    "ExternalSeries",
    "Rehearsal",
    "Release",
    "SampleDesign",
    "SelectedUnit",
    "Stratum",
    "StratumWeight",
    "TreatedUnit",
    "TrueValue",
]
