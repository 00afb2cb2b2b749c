"""Imports the models of all packages so that Django finds them."""

from estimation.design.models import SampleDesign, SelectedUnit, Stratum
from estimation.external.models import ExternalSeries
from estimation.index.models import IndexResult
from estimation.peers.models import PeerTable
from estimation.rehearsal.models import Rehearsal, TrueValue
from estimation.releases.models import BlockVersion, Release
from estimation.runs.bootstrap.models import Bootstrap, BootstrapChunk, ReplicateEstimate
from estimation.runs.models import Contributors, Cutoff, Estimate, EstimationRun, StratumWeight, TreatedUnit

__all__ = [
    "BlockVersion",
    "Bootstrap",
    "BootstrapChunk",
    "Contributors",
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
