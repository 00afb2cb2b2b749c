"""Intermediate estimates: blocks of domains x items, flattened to columns at the end. Pure."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import special

from estimation.methods.arrays import Floats
from estimation.methods.estimators.quality import grade

COLUMNS = (
    "value",
    "se",
    "cv",
    "lower",
    "upper",
    "deff",
    "n",
    "n_positive",
    "weight_sum",
    "winsorized_share",
    "top_share",
)


@dataclass(frozen=True)
class Block:
    """One statistic of k variables in the D domains of one classification; every array is (D, k).

    n : units that answered; n_positive : of these, with a positive value; weight_sum : their weights
    """

    year: int
    statistic: str
    kind: str
    labels: tuple[str, ...]
    variables: tuple[str, ...]
    value: Floats
    se: Floats
    n: Floats
    n_positive: Floats
    weight_sum: Floats
    deff: Floats | None = None
    winsorized_share: Floats | None = None
    top_share: Floats | None = None


@dataclass(frozen=True)
class EstimateColumns:
    """All estimates of a run as columns of one length, in a fixed order; missing numbers are NaN."""

    year: list[int]
    variable: list[str]
    statistic: list[str]
    kind: list[str]
    code: list[str]
    numbers: dict[str, Floats]
    grade: list[str]

    def __len__(self) -> int:
        return len(self.year)


@dataclass
class Collector:
    """Collects blocks; a domain without an answering unit has no row."""

    level: float = 0.95
    blocks: list[Block] = field(default_factory=list)

    def add(self, block: Block) -> None:
        """Add a block."""
        self.blocks.append(block)

    def columns(self) -> EstimateColumns:
        """Flatten all blocks, ordered by year, statistic, kind of domain, domain and variable."""
        years: list[int] = []
        names: dict[str, list[str]] = {name: [] for name in ("variable", "statistic", "kind", "code")}
        numbers: dict[str, list[Floats]] = {name: [] for name in COLUMNS}
        for block in sorted(self.blocks, key=lambda b: (b.year, b.statistic, b.kind, b.labels)):
            keep = (block.n > 0) & np.isfinite(block.value)
            domain, item = np.nonzero(keep)
            years += [block.year] * len(domain)
            names["variable"] += [block.variables[i] for i in item.tolist()]
            names["statistic"] += [block.statistic] * len(domain)
            names["kind"] += [block.kind] * len(domain)
            names["code"] += [block.labels[d] for d in domain.tolist()]
            for name, array in _numbers(block, self.level).items():
                numbers[name].append(array[keep])
        joined = {name: np.concatenate(parts) if parts else np.empty(0) for name, parts in numbers.items()}
        return EstimateColumns(
            years,
            names["variable"],
            names["statistic"],
            names["kind"],
            names["code"],
            joined,
            _grades(joined).tolist(),
        )


def _numbers(block: Block, level: float) -> dict[str, Floats]:
    shape = block.value.shape
    nothing = np.full(shape, np.nan)
    half = block.se * float(special.ndtri(0.5 + level / 2.0))
    arrays = {
        "value": block.value,
        "se": block.se,
        "cv": block.se / np.where(block.value == 0.0, np.nan, np.abs(block.value)),
        "lower": block.value - half,
        "upper": block.value + half,
        "deff": block.deff,
        "n": block.n,
        "n_positive": block.n_positive,
        "weight_sum": block.weight_sum,
        "winsorized_share": block.winsorized_share,
        "top_share": block.top_share,
    }
    return {
        name: nothing if array is None else np.broadcast_to(np.asarray(array, dtype=np.float64), shape)
        for name, array in arrays.items()
    }


def _grades(numbers: dict[str, Floats]) -> npt.NDArray[np.str_]:
    """Quality grades by cv; A without sampling error."""
    letters = grade(numbers["cv"])
    letters[(numbers["se"] == 0) & np.isfinite(numbers["value"])] = "A"
    return letters
