"""The same year estimated by a run and by the library of methods, side by side."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from estimation.methods import (
    Estimates,
)
from estimation.runs.compute.arrays import Domain
from estimation.runs.compute.blocks import Collector
from estimation.runs.compute.changes import pair_years, share_growth, total_growth
from estimation.runs.compute.levels import Prepared, means, multiples, proportions, ratios, totals
from estimation.runs.compute.panel import panel_growth
from estimation.runs.compute.spec import RunSpec, Winsorization

NEAR: dict[str, Any] = {"rtol": 1e-9, "atol": 1e-9}


SPEC = RunSpec(winsorization=Winsorization("winsorize", 0.05, 0.95, minimum=10))


KINDS = set(SPEC.domains)


@dataclass
class Both:
    """Two years prepared, and everything the run makes of them."""

    now: Prepared
    before: Prepared
    spec: RunSpec

    def __post_init__(self) -> None:
        collector = Collector()
        levels = [totals(year, collector, self.spec) for year in (self.now, self.before)]
        means(self.now, collector)
        shares = [proportions(year, collector) for year in (self.now, self.before)]
        quotients = [ratios(year, collector) for year in (self.now, self.before)]
        multiples(self.now, collector, self.spec)
        self.pair = pair_years(self.now, self.before)
        total_growth(self.pair, levels[0], levels[1], collector)
        share_growth(self.pair, shares[0], shares[1], collector)
        share_growth(self.pair, quotients[0], quotients[1], collector)
        panel_growth(self.pair, collector, self.spec)
        self.blocks = collector.blocks

    def __call__(
        self, statistic: str, domain: Domain, name: str
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Value, se and design effect (D,) of this year."""
        for block in self.blocks:
            where = (block.year, block.statistic, block.kind, block.labels)
            if where == (2025, statistic, domain.kind, domain.labels) and name in block.variables:
                index = block.variables.index(name)
                deff = np.full(len(domain.labels), np.nan) if block.deff is None else block.deff[:, index]
                return block.value[:, index], block.se[:, index], deff
        raise KeyError((statistic, domain.kind, name))


def same(result: tuple[np.ndarray, np.ndarray, np.ndarray], expected: Estimates, column: int = 0) -> None:
    stored = expected.n[:, column] > 0 if expected.n.ndim == 2 else expected.n > 0
    assert stored.any()
    np.testing.assert_allclose(result[0][stored], expected.value[stored, column], **NEAR)
    np.testing.assert_allclose(result[1][stored], expected.se[stored, column], **NEAR)
    deff = np.isfinite(result[2]) & np.isfinite(expected.deff[:, column]) & (expected.se[:, column] > 1e-6)
    np.testing.assert_allclose(result[2][deff], expected.deff[deff, column], rtol=1e-7)


def size_of(domain: Domain) -> int:
    return len(domain.labels)
