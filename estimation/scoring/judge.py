"""Scores of undecided sheets: expected values, and their impact on the estimates. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from estimation.methods.arrays import Floats, Ints
from estimation.methods.treatment.expectation import Source, expected_values
from estimation.methods.treatment.scoring import Scores, score
from estimation.methods.treatment.winsorization import weighted_quantiles
from estimation.runs.compute.arrays import Year
from estimation.runs.compute.treat import CATEGORY_GROUP, Treated
from estimation.runs.compute.weigh import Weighted
from survey.classification import CATEGORIES, REGIONS, SECTIONS, SIZES

# The items whose totals are shown in the preview of a bulk acceptance: production, stock, circulation, development,
# artificial intelligence, spending, transactions.
SHOWN: tuple[str, ...] = ("P01", "S02", "F01", "D01", "A02", "V01", "T02", "T07")
SOURCES = {Source.PREVIOUS: "previous", Source.SIZE: "size", Source.MEDIAN: "median"}
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
FEWEST_PEERS = 10  # fewer positive values would disclose single units
MOST_ITEMS = 8
UNUSUAL = 3.0  # robust standard deviations below which a ratio near 1000 is ordinary spread, not a slip


@dataclass(frozen=True)
class Pending:
    """m undecided sheets: codes as in ``Year``, values (m, k) in the order of its items, NaN missing."""

    unit: Ints
    category: Ints
    region: Ints
    section: Ints
    stratum: Ints
    drawn_in: Ints
    values: Floats


@dataclass(frozen=True)
class TargetStrata:
    """The estimation stratum of each of m sheets: name of the stratum, N and r (without the sheet)."""

    stratum: tuple[str, ...]
    population: Floats
    respondents: Ints

    @property
    def weight(self) -> Floats:
        """(m,) weight that a sheet would have if it alone were accepted: N / (r + 1)."""
        return self.population / (self.respondents + 1.0)


def target_strata(pending: Pending, weighted: Weighted, year: Year) -> TargetStrata:
    """The estimation stratum of every sheet; a design stratum without respondents is a stratum of its own."""
    size = np.bincount(weighted.sample.stratum, minlength=weighted.sample.strata)
    names, population, respondents = [], [], []
    owners = weighted.owner(pending.stratum, pending.drawn_in).tolist()
    for unit, row, owner in zip(pending.unit.tolist(), pending.stratum.tolist(), owners, strict=True):
        if owner >= 0:
            names.append(str(owner))
            population.append(float(weighted.sample.population[owner]))
            respondents.append(int(size[owner]))
        else:
            names.append(f"d{year.strata.id[row]}" if row >= 0 else f"u{unit}")
            population.append(max(1.0, float(year.strata.population[row])) if row >= 0 else 1.0)
            respondents.append(0)
    return TargetStrata(
        tuple(names), np.array(population, dtype=float), np.array(respondents, dtype=np.int64)
    )


def totals(year: Year, weighted: Weighted, treated: Treated) -> tuple[Floats, Floats]:
    """National totals (k,) and totals of the regions (R, k), as the run estimates them."""
    weight = weighted.sample.weight[:, None]
    regional = np.zeros((len(REGIONS), len(year.items)))
    inside = year.region >= 0
    np.add.at(regional, year.region[inside], (weight * treated.values)[inside])
    return (weight * treated.values).sum(axis=0), regional


@dataclass(frozen=True)
class Judgement:
    """Scores of m sheets over k items with what was expected; ``regional`` is NaN where there is no total."""

    scores: Scores
    expected: Floats
    source: Ints
    regional: Floats


def judge(
    now: Year,
    before: Year | None,
    weighted: Weighted,
    treated: Treated,
    pending: Pending,
    target: TargetStrata,
    employees: tuple[Floats, Floats],
) -> Judgement:
    """Score the pending sheets beside the valid ones; factors of the expectation come from the valid ones.

    employees : numbers of employees of the valid units (n,) and of the pending ones (m,), NaN unknown
    """
    n, columns = now.n, len(now.items)
    amount = np.array([item.is_amount for item in now.items], dtype=bool)
    values = np.vstack([now.values, pending.values])
    category = np.concatenate([now.category, pending.category])
    asks = np.stack([item.asked for item in now.items], axis=1)[category]
    usable = asks & amount[None, :] & np.isfinite(values) & (values >= 0)
    section = np.concatenate([now.section, pending.section])
    family = CATEGORY_GROUP[category]
    group = family * (len(SECTIONS) + 1) + section + 1
    previous = _previous(before, now, np.concatenate([now.unit, pending.unit]))
    size = np.concatenate(employees)
    # Factors come from positive values: most units report no amount of most items, and a class ratio of zero
    # would make every amount look like a slip. A suspicious sheet must not contribute to its own expectation.
    usable_for_factors = usable & (values > 0)
    usable_for_factors[n:] = False
    expected = np.full(values.shape, np.nan)
    source = np.zeros(values.shape, dtype=np.int64)
    for item in np.flatnonzero(amount):
        if not usable[n:, item].any():
            continue
        expectation = expected_values(
            np.where(usable_for_factors[:, item], values[:, item], np.nan),
            group,
            previous=previous[:, item],
            size=size,
            parent=(family,),
            factor="median",
        )
        expected[:, item], source[:, item] = expectation.value, expectation.source
    # Whether a unit has any of an item is not a matter of size: a zero is compared with its own past only.
    expected[~usable | ((values == 0) & (source != Source.PREVIOUS))] = np.nan
    national, regional = totals(now, weighted, treated)
    region = np.concatenate([now.region, pending.region])
    scores = score(
        np.where(usable, values, 0.0),
        expected,
        group=group,
        total=national,
        weight=np.concatenate([weighted.sample.weight, target.weight]),
        domain=region,
        domain_total=regional,
    )
    pending_region = pending.region
    own_total = np.where((pending_region >= 0)[:, None], regional[pending_region], np.nan)
    own = target.weight[:, None] * (values[n:] - expected[n:]) / np.where(own_total > 0, own_total, np.nan)
    return Judgement(_cut(scores, n, columns), expected[n:], source[n:], own)


@dataclass(frozen=True)
class ExpectedContributions:
    """Expected values of m units that have not filed, in the c shown items: (m, c), NaN where missing.

    items : the codes; national, regional : shares of the present totals
    """

    items: tuple[str, ...]
    expected: Floats
    source: Ints
    national: Floats
    regional: Floats


def expected_contributions(
    now: Year,
    before: Year | None,
    weighted: Weighted,
    treated: Treated,
    pending: Pending,
    target: TargetStrata,
    employees: tuple[Floats, Floats],
) -> ExpectedContributions:
    """Expected contribution of units that have not filed, by their own past or by their size.

    Means and not medians: most units report none of most items, and the expectation must include these zeros.
    """
    columns = [column for column, item in enumerate(now.items) if item.code in SHOWN]
    category = np.concatenate([now.category, pending.category])
    section = np.concatenate([now.section, pending.section])
    family = CATEGORY_GROUP[category]
    group = family * (len(SECTIONS) + 1) + section + 1
    previous = _previous(before, now, np.concatenate([now.unit, pending.unit]))
    m = len(pending.unit)
    expected, source = np.full((m, len(columns)), np.nan), np.zeros((m, len(columns)), dtype=np.int64)
    for number, column in enumerate(columns):
        expectation = expected_values(
            np.concatenate([now.values[:, column], np.full(m, np.nan)]),
            group,
            previous=previous[:, column],
            size=np.concatenate(employees),
            parent=(family,),
            factor="sums",
            median=False,
        )
        asks = now.items[column].asked[pending.category] & (previous[now.n :, column] != 0)
        expected[:, number] = np.where(asks, expectation.value[now.n :], np.nan)
        source[:, number] = expectation.source[now.n :]
    national, regional = totals(now, weighted, treated)
    own = np.where((pending.region >= 0)[:, None], regional[pending.region], np.nan)[:, columns]
    weighted_values = target.weight[:, None] * expected
    return ExpectedContributions(
        tuple(now.items[column].code for column in columns),
        expected,
        source,
        weighted_values / np.where(national[columns] > 0, national[columns], np.nan),
        weighted_values / np.where(own > 0, own, np.nan),
    )


def _cut(scores: Scores, n: int, columns: int) -> Scores:
    """The rows of the pending sheets."""
    return Scores(
        score=scores.score[n:],
        item=scores.item[n:],
        suspicion=scores.suspicion[n:],
        impact=scores.impact[n:],
        shift=scores.shift[n:],
        slip_base=scores.slip_base[n:],
        slip_power=scores.slip_power[n:],
    )


def _previous(before: Year | None, now: Year, unit: Ints) -> Floats:
    """(n, k) accepted values of the year before by unit and item code; NaN where there is none."""
    result = np.full((len(unit), len(now.items)), np.nan)
    if before is None or before.n == 0:
        return result
    position = np.clip(np.searchsorted(before.unit, unit), 0, before.n - 1)
    rows = np.flatnonzero(before.unit[position] == unit)
    columns = {item.code: column for column, item in enumerate(before.items)}
    for column, item in enumerate(now.items):
        if item.code in columns:
            result[rows, column] = before.values[position[rows], columns[item.code]]
    return result


def reported_items(judgement: Judgement, row: int) -> list[int]:
    """Columns to report for one sheet: the largest parts of its score, and every probable unit slip."""
    product = judgement.scores.suspicion[row] * judgement.scores.impact[row]
    ranked = [int(item) for item in np.argsort(-product, kind="stable") if product[item] > 0]
    slips = [
        item
        for item in ranked
        if judgement.scores.slip_base[row, item] and judgement.scores.suspicion[row, item] >= UNUSUAL
    ]
    chosen = dict.fromkeys([*ranked[:MOST_ITEMS], *slips])
    return [item for item in ranked if item in chosen]


def peer_quantiles(year: Year) -> Iterator[tuple[str, str, int, list[float]]]:
    """(group, item, size, quantiles) of positive valid values, by category and size, and by category."""
    sized = year.category * (len(SIZES) + 1) + year.size + 1
    labels = {
        code: CATEGORIES[code // (len(SIZES) + 1) - 1] + f"/{SIZES[code % (len(SIZES) + 1) - 1]}"
        for code in np.unique(sized).tolist()
        if code % (len(SIZES) + 1)
    }
    category_names = {number: CATEGORIES[number - 1] for number in np.unique(year.category).tolist()}
    for column, item in enumerate(year.items):
        if not item.is_amount:
            continue
        y = year.values[:, column]
        positive = np.isfinite(y) & (y > 0)
        for codes, names in ((sized, labels), (year.category, category_names)):
            count = np.bincount(codes[positive])
            shown = {code for code in np.flatnonzero(count >= FEWEST_PEERS).tolist() if code in names}
            if not shown:
                continue
            quantiles = weighted_quantiles(y[positive], QUANTILES, group=codes[positive])
            for code in sorted(shown):
                yield names[code], item.code, int(count[code]), quantiles[code].tolist()


def total_cells(
    year: Year, weighted: Weighted, treated: Treated
) -> Iterator[tuple[str, str, float, int, dict[str, float]]]:
    """(stratum, region, N, r, sums of the shown items) of every estimation stratum and region with units."""
    columns = {item.code: column for column, item in enumerate(year.items) if item.code in SHOWN}
    stratum = weighted.sample.stratum
    size = np.bincount(stratum, minlength=weighted.sample.strata)
    key = stratum * (len(REGIONS) + 1) + year.region + 1
    cells, inverse = np.unique(key, return_inverse=True)
    sums = np.zeros((len(cells), len(columns)))
    np.add.at(sums, inverse, treated.values[:, list(columns.values())])
    for row, cell in enumerate(cells.tolist()):
        owner, region = divmod(cell, len(REGIONS) + 1)
        yield (
            str(owner),
            REGIONS[region - 1] if region else "",
            float(weighted.sample.population[owner]),
            int(size[owner]),
            dict(zip(columns, sums[row].tolist(), strict=True)),
        )
