"""Gathers the rooms' models so that Django finds them."""

from estimation.design.models import SampleDesign, SelectedUnit, Stratum
from estimation.index.models import IndexResult
from estimation.peers.models import PeerTable
from estimation.rehearsal.models import Rehearsal, TrueValue
from estimation.releases.models import BlockVersion, Release
from estimation.runs.models import (
    Bootstrap,
    BootstrapChunk,
    Cutoff,
    Estimate,
    EstimationRun,
    ExternalSeries,
    ReplicateEstimate,
    StratumWeight,
    TreatedUnit,
)

__all__ = [
    "BlockVersion",
    "Bootstrap",
    "BootstrapChunk",
    "Cutoff",
    "Estimate",
    "EstimationRun",
    "ExternalSeries",
    "IndexResult",
    "PeerTable",
    "Rehearsal",
    "Release",
    "ReplicateEstimate",
    "SampleDesign",
    "SelectedUnit",
    "Stratum",
    "StratumWeight",
    "TreatedUnit",
    "TrueValue",
]
