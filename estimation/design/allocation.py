"""Alternative allocations: sample sizes per stratum and the expected precision of each. Pure."""

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from estimation.design.stratify import CERTAINTY
from estimation.methods import ConvergenceError, CVTarget, allocate, allocate_multivariate, expected_cv
from estimation.methods.arrays import Bools, Floats, Ints
from survey.classification import REGIONS, SECTIONS, SIZES

type Method = Literal["proportional", "neyman", "power", "targets"]
METHODS: tuple[Method, ...] = ("proportional", "neyman", "power", "targets")
ALL = "all"  # every chief item counts the same
KINDS_OF_DOMAIN = ("nation", "region", "section", "size")


class AllocationError(Exception):
    """An allocation that is not possible; ``code`` and ``parameters`` select and fill its message."""

    def __init__(self, code: str, **parameters: Any) -> None:
        super().__init__(code)
        self.code, self.parameters = code, parameters


@dataclass(frozen=True, slots=True)
class Request:
    """Parameters of one alternative.

    ``item`` is the item that neyman, power and targets use; cv targets are shares (0.05), None sets no target.
    """

    method: Method = "proportional"
    n: int = 0
    minimum: int = 2
    item: str = ALL
    power: float = 0.5
    nation: float | None = None
    region: float | None = None
    section: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Canonical parameters."""
        return asdict(self)


@dataclass(frozen=True)
class Base:
    """The data that every alternative of a design is allocated from.

    key (H, 5), population, listed, mean (H, k), spread (H, k), main (H, 2) section and size; the cells of
    take-all units: cell_key (C, 4) stratum, region, section, size, with cell_size, cell_mean, cell_spread.
    """

    items: tuple[str, ...]
    key: Ints
    population: Floats
    listed: Floats
    mean: Floats
    spread: Floats
    main: Ints
    cell_key: Ints
    cell_size: Floats
    cell_mean: Floats
    cell_spread: Floats

    @cached_property
    def take_all(self) -> Bools:
        """True for take-all strata, (H,)."""
        return np.asarray(self.key[:, 0] == CERTAINTY)

    @property
    def certain(self) -> int:
        """Number of take-all units."""
        return int(self.listed[self.take_all].sum())

    def bounds(self, minimum: int) -> tuple[int, int]:
        """The smallest and the largest possible sample."""
        free = ~self.take_all
        return (
            int(np.minimum(minimum, self.listed[free]).sum()) + self.certain,
            int(self.listed[free].sum()) + self.certain,
        )

    @cached_property
    def domains(self) -> dict[str, tuple[int, Ints]]:
        """Kind of domain -> number of domains, and the domain of each part: sampled strata first, then the cells."""
        free = ~self.take_all
        main, cells = self.main[free], self.cell_key
        return {
            "nation": (1, np.zeros(int(free.sum()) + len(cells), np.int64)),
            "region": (len(REGIONS), np.concatenate([self.key[free, 2], cells[:, 1]])),
            "section": (len(SECTIONS), np.concatenate([main[:, 0], cells[:, 2]])),
            "size": (len(SIZES), np.concatenate([main[:, 1], cells[:, 3]])),
        }

    @cached_property
    def parts(self) -> Floats:
        """Population size of each part."""
        return np.concatenate([self.population[~self.take_all], self.cell_size])

    @cached_property
    def listed_parts(self) -> Floats:
        """Units of the parts that can be drawn."""
        return np.concatenate([self.listed[~self.take_all], self.cell_size])

    @cached_property
    def totals(self) -> Floats:
        """Last year's total of each item at this year's population, (k,)."""
        mean = np.concatenate([self.mean[~self.take_all], self.cell_mean])
        return np.asarray(self.parts @ mean)


@dataclass(frozen=True)
class Alternative:
    """n_h (H,), the units of each domain, and the CV of each domain and item ``cv[kind]`` (D, k)."""

    request: Request
    n_h: Ints
    units: dict[str, Ints]
    cv: dict[str, Floats]
    short: int  # strata whose required size exceeds their listed units

    @property
    def n(self) -> int:
        """Total sample size."""
        return int(self.n_h.sum())

    def heaviest(self, base: Base) -> float | None:
        """The largest design weight N_h / n_h of the sampled strata."""
        free = ~base.take_all & (self.n_h > 0)
        return float((base.population[free] / self.n_h[free]).max()) if free.any() else None


def make_alternative(base: Base, request: Request, *, response: float) -> Alternative:
    """Allocate and compute the expected precision. ``response`` is the share of the drawn that is expected to be valid.

    Raises AllocationError with the bounds when n is not possible, or when targets cannot be met.
    """
    n_h, short = _sizes(base, request, response)
    drawn = np.concatenate([n_h[~base.take_all].astype(np.float64), base.cell_size])
    answers = np.where(drawn > 0, np.maximum(drawn * response, np.minimum(drawn, 1.0)), 0.0)
    mean = np.concatenate([base.mean[~base.take_all], base.cell_mean])
    # A stratum without listed units cannot be sampled: other strata represent it, with their own means.
    covered = base.listed_parts > 0
    spread = np.concatenate([base.spread[~base.take_all], base.cell_spread])
    units, cv = {}, {}
    for kind, (count, domain) in base.domains.items():
        inside = domain >= 0
        units[kind] = np.bincount(domain[inside], weights=drawn[inside], minlength=count).astype(np.int64)
        cv[kind] = (
            np.stack(
                [
                    expected_cv(
                        base.parts,
                        answers,
                        mean=mean[:, item],
                        spread=np.where(covered, spread[:, item], 0.0),
                        domain=domain,
                        domains=count,
                    )
                    for item in range(len(base.items))
                ],
                axis=1,
            )
            if base.items
            else np.zeros((count, 0))
        )
    return Alternative(request, n_h, units, cv, short)


def _sizes(base: Base, request: Request, response: float) -> tuple[Ints, int]:
    free = ~base.take_all
    n_h = np.where(base.take_all, base.listed, 0).astype(np.int64)
    if request.method == "targets":
        required = _by_targets(base, request)
        required = np.minimum(np.ceil(required / response), base.population[free])
        n_h[free] = np.minimum(required, base.listed[free]).astype(np.int64)
        return n_h, int((required > base.listed[free]).sum())
    low, high = base.bounds(request.minimum)
    if not low <= request.n <= high:
        raise AllocationError("out_of_bounds", low=low, high=high)
    spread, total = _steering(base, request.item)
    options: dict[str, Any] = {}
    if request.method == "neyman":
        options = {"spread": spread}
    elif request.method == "power":
        with np.errstate(divide="ignore", invalid="ignore"):
            cv = np.where(total > 0, spread * base.population[free] / total, 0.0)
        options = {"spread": cv, "size": total, "power": request.power}
    rest = request.n - base.certain
    n_h[free] = allocate(
        base.population[free],
        rest,
        method=request.method,
        minimum=request.minimum,
        maximum=base.listed[free],
        **options,
    )
    limited = (n_h[free] >= base.listed[free]) & (base.listed[free] < base.population[free])
    return n_h, int((limited & (base.listed[free] > request.minimum)).sum())


def _chosen_items(base: Base, item: str) -> list[int]:
    return [index for index, code in enumerate(base.items) if item in (ALL, code)]


def _steering(base: Base, item: str) -> tuple[Floats, Floats]:
    """S_h and total of each sampled stratum relative to the nation; several items by the mean of their squares."""
    free = ~base.take_all
    columns = [column for column in _chosen_items(base, item) if base.totals[column] > 0]
    if not columns:
        return np.ones(int(free.sum())), base.population[free]
    relative = base.spread[free][:, columns] / base.totals[columns]
    share = base.mean[free][:, columns] * base.population[free][:, None] / base.totals[columns]
    return np.sqrt((relative**2).mean(axis=1)), share.mean(axis=1)


def _by_targets(base: Base, request: Request) -> Floats:
    """The smallest sample of the sampled strata that meets the targets (Bethel); take-all units add to totals."""
    free = ~base.take_all
    columns = [column for column in _chosen_items(base, request.item) if base.totals[column] > 0]
    if not columns:
        raise AllocationError("no_basis")
    domains = {"nation": request.nation, "region": request.region, "section": request.section}
    if not any(domains.values()):
        raise AllocationError("no_target")
    population = np.concatenate([base.population[free], base.cell_size])
    mean = np.concatenate([base.mean[free], base.cell_mean])[:, columns]
    spread = np.concatenate([base.spread[free], np.zeros_like(base.cell_spread)])[:, columns]
    listed = np.concatenate([base.listed[free] > 0, np.ones(len(base.cell_size), bool)])
    spread[~listed] = 0.0
    sampled = int(free.sum())
    take_all = np.arange(len(population)) >= sampled
    targets = []
    for kind, target in domains.items():
        if target is None:
            continue
        count, domain = base.domains[kind]
        cv = np.full((count, len(columns)), target)
        targets.append(CVTarget(cv, domain))
    try:
        result = allocate_multivariate(
            population,
            mean=mean,
            spread=spread,
            targets=targets,
            minimum=request.minimum,
            take_all=take_all,
            max_iterations=3_000,
        )
    except ConvergenceError:
        raise AllocationError("not_reached") from None
    except ValueError:
        raise AllocationError("impossible_target") from None
    return np.asarray(result.n_h[:sampled], np.float64)
