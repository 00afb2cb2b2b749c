"""Extreme values and missing items of one year, before estimation. Pure; collected values are not changed."""

from dataclasses import dataclass

import numpy as np

from estimation.methods.arrays import Bools, Floats, Ints
from estimation.methods.treatment.optimal_cutoffs import optimal_cutoffs
from estimation.methods.treatment.winsorization import Reason, trim, winsorize
from estimation.runs.compute.arrays import Year
from estimation.runs.compute.spec import RunSpec
from estimation.runs.compute.weigh import Weighted
from survey.classification import CATEGORIES, GROUP_OF, SECTIONS

# Groups of categories within which values are treated, and the groups of the code list in each.
_GROUPS = {
    "government": ("government",),
    "institution": ("institution",),
    "research": ("research", "science_centre"),
    "central": ("central_soe",),
    "data": ("data_enterprise",),
    "other": ("other_enterprise",),
    "association": ("association",),
}
GROUP_NAMES = tuple(_GROUPS)
# Index of the group of each category number; 0 is no category.
CATEGORY_GROUP = np.array(
    [0]
    + [
        next(g for g, groups in enumerate(_GROUPS.values()) if GROUP_OF[code] in groups)
        for code in CATEGORIES
    ]
)
CLASSES = len(GROUP_NAMES) * (len(SECTIONS) + 1)
REASONS = {
    Reason.RAISED: "raised",
    Reason.LOWERED: "lowered",
    Reason.DROPPED_LOW: "dropped_low",
    Reason.DROPPED_HIGH: "dropped_high",
    Reason.EXEMPT: "certainty",
    Reason.WEIGHT_ONE: "weight_one",
}


@dataclass(frozen=True)
class TreatedValues:
    """Values outside the cutoffs, changed or unchanged; one entry each.

    row : unit row; item : column; collected, treated, cutoff, weight, effect (weight times the reduction)
    reason : code of ``Reason``; treatment_class : code as in ``class_name``
    """

    row: Ints
    item: Ints
    collected: Floats
    treated: Floats
    cutoff: Floats
    weight: Floats
    reason: Ints
    treatment_class: Ints

    @property
    def effect(self) -> Floats:
        """Weight times the reduction of the value by the treatment."""
        return self.weight * (self.collected - self.treated)


@dataclass(frozen=True)
class Cutoffs:
    """Cutoffs that were used; one entry for each item and class with a positive value.

    item : column; treatment_class : code as in ``class_name``; lower, upper : cutoffs; counted : positive values
    that they are computed from; depth : 0 the class itself, 1 its category group, 2 all units
    Optimal cutoffs are those of single units: ``upper`` is the lowest of the class (NaN where no unit is treated),
    ``lower`` NaN, and ``counted`` all answers.
    """

    item: Ints
    treatment_class: Ints
    lower: Floats
    upper: Floats
    counted: Ints
    depth: Ints


@dataclass(frozen=True)
class Treated:
    """Values ready for estimation.

    values : (n, k) treated, missing ones filled (amounts) or 0; raw : the same before the treatment
    answered : (n, k) the item was asked and validly answered; filled : (n, k) a missing required amount was imputed
    outliers : values outside the cutoffs; cutoffs : the cutoffs used
    """

    values: Floats
    raw: Floats
    answered: Bools
    filled: Bools
    outliers: TreatedValues
    cutoffs: Cutoffs


def treatment_classes(year: Year) -> Ints:
    """(n,) category group x section, the class of winsorization and of growth."""
    return np.asarray(CATEGORY_GROUP[year.category] * (len(SECTIONS) + 1) + year.section + 1)


def class_name(code: int) -> str:
    """Name of a treatment class, such as "data/I"."""
    group, section = divmod(int(code), len(SECTIONS) + 1)
    return f"{GROUP_NAMES[group]}/{SECTIONS[section - 1] if section else '-'}"


def treat(year: Year, weighted: Weighted, spec: RunSpec, factor: Floats | None = None) -> Treated:
    """Winsorize (or trim) the amounts item by item, then impute missing required amounts.

    factor : (n,) change of the weights in a bootstrap replicate, w* / w; cutoffs and stratum means follow it
    """
    asked = year.on_form()
    answered = asked & ~np.isnan(year.values)
    amount = np.array([item.is_amount for item in year.items], dtype=bool)
    filled = (
        asked & ~answered & np.array([item.required and item.is_amount for item in year.items], dtype=bool)
    )
    if spec.item_nonresponse == "zero":
        filled &= False
    raw = np.where(answered, year.values, 0.0)
    values = raw.copy()
    classes = treatment_classes(year)
    cut = _optimal if spec.winsorization.method == "optimal" else _by_quantiles
    cuts: list[_Cut] = []
    for item in np.flatnonzero(amount) if spec.winsorization.method != "none" else ():
        rows = np.flatnonzero(answered[:, item])
        if not (raw[rows, item] > 0).any():
            continue
        item_cut = cut(raw[:, item], int(item), rows, classes, weighted, spec, factor)
        cuts.append(item_cut)
        values[item_cut.rows, item] = np.where(item_cut.keep, item_cut.values, 0.0)
        dropped = item_cut.rows[~item_cut.keep]
        answered[dropped, item] = False
        filled[dropped, item] = True
    if filled.any():
        _fill(raw, answered, filled, weighted, classes, factor)
        _fill(values, answered, filled, weighted, classes, factor)
    return Treated(values, raw, answered, filled, _outliers(cuts, raw, classes, weighted), _cutoffs(cuts))


@dataclass(frozen=True)
class _Cut:
    """Treatment of one item: the units (m,) in scope, and the cutoffs of their classes (G,).

    outside : beyond a cutoff; cutoff : the cutoff that the unit exceeds, or its upper cutoff
    """

    item: int
    rows: Ints
    values: Floats
    keep: Bools
    reason: Ints
    outside: Bools
    cutoff: Floats
    codes: Ints
    lower: Floats
    upper: Floats
    counted: Ints
    depth: Ints


def _by_quantiles(
    raw: Floats,
    item: int,
    rows: Ints,
    classes: Ints,
    weighted: Weighted,
    spec: RunSpec,
    factor: Floats | None,
) -> _Cut:
    """Move positive values beyond quantiles of their class to the quantile, or drop them."""
    rows = rows[raw[rows] > 0]
    y, own, weight = raw[rows], classes[rows], weighted.sample.weight[rows]
    chosen = spec.winsorization
    quantile_weight = weight if chosen.weighted else None
    if factor is not None:
        quantile_weight = factor[rows] if quantile_weight is None else factor[rows] * weight
    done = (winsorize if chosen.method == "winsorize" else trim)(
        y,
        own,
        lower=chosen.lower,
        upper=chosen.upper,
        weight=quantile_weight,
        exempt=weighted.certainty[rows],
        design_weight=weight,
        parent=(own // (len(SECTIONS) + 1), np.zeros(len(rows), dtype=np.intp)),
        minimum=chosen.minimum,
    )
    low, codes = y < done.lower[own], np.unique(own)
    return _Cut(
        item,
        rows,
        done.values,
        done.keep,
        done.reason.astype(np.int64),
        low | (y > done.upper[own]),
        np.where(low, done.lower[own], done.upper[own]),
        codes,
        done.lower[codes],
        done.upper[codes],
        done.counted[codes].astype(np.int64),
        done.depth[codes].astype(np.int64),
    )


def _optimal(
    raw: Floats,
    item: int,
    rows: Ints,
    classes: Ints,
    weighted: Weighted,
    _spec: RunSpec,
    factor: Floats | None,
) -> _Cut:
    """Lower large values to the optimal cutoff for the national total; the cutoff of a unit depends on its weight."""
    own = classes[rows]
    optimal = optimal_cutoffs(
        raw[rows],
        weighted.sample.weight[rows],
        group=own,
        exempt=weighted.certainty[rows],
        share=None if factor is None else factor[rows],
    )
    codes, inverse, counted = np.unique(own, return_inverse=True, return_counts=True)
    lowest = np.full(len(codes), np.inf)
    np.minimum.at(lowest, inverse, optimal.cutoff)
    nothing = np.full(len(codes), np.nan)
    return _Cut(
        item,
        rows,
        optimal.values,
        np.ones(len(rows), dtype=bool),
        np.where(optimal.treated, int(Reason.LOWERED), int(Reason.WITHIN)),
        optimal.treated,
        optimal.cutoff,
        codes,
        nothing,
        np.where(np.isfinite(lowest), lowest, np.nan),
        counted.astype(np.int64),
        np.zeros(len(codes), dtype=np.int64),
    )


def _fill(
    values: Floats, answered: Bools, filled: Bools, weighted: Weighted, classes: Ints, factor: Floats | None
) -> None:
    """Impute missing required amounts with the mean of the answering units of the stratum (else of the class).

    The mean of the stratum gives the same total as weighting the answering units up inside the stratum.
    """
    stratum = weighted.sample.stratum
    for item in np.flatnonzero(filled.any(axis=0)):
        have, lack = answered[:, item], filled[:, item]
        result = np.full(int(lack.sum()), np.nan)
        for codes in (stratum, classes, np.zeros_like(classes)):
            size = int(codes.max(initial=0)) + 1
            share = np.ones(int(have.sum())) if factor is None else factor[have]
            count = np.bincount(codes[have], weights=share, minlength=size)
            total = np.bincount(codes[have], weights=share * values[have, item], minlength=size)
            mean = np.where(count > 0, total / np.where(count > 0, count, 1.0), np.nan)[codes[lack]]
            result = np.where(np.isnan(result), mean, result)
        values[lack, item] = np.nan_to_num(result)


def _cutoffs(cuts: list[_Cut]) -> Cutoffs:
    nothing, none = np.empty(0, dtype=np.int64), np.empty(0)
    return Cutoffs(
        item=np.concatenate([nothing, *(np.full(len(item_cut.codes), item_cut.item) for item_cut in cuts)]),
        treatment_class=np.concatenate([nothing, *(item_cut.codes for item_cut in cuts)]),
        lower=np.concatenate([none, *(item_cut.lower for item_cut in cuts)]),
        upper=np.concatenate([none, *(item_cut.upper for item_cut in cuts)]),
        counted=np.concatenate([nothing, *(item_cut.counted for item_cut in cuts)]),
        depth=np.concatenate([nothing, *(item_cut.depth for item_cut in cuts)]),
    )


def _outliers(cuts: list[_Cut], raw: Floats, classes: Ints, weighted: Weighted) -> TreatedValues:
    columns: list[list[np.ndarray]] = [[] for _ in range(8)]
    for item_cut in cuts:
        rows = item_cut.rows[item_cut.outside]
        parts = (
            rows,
            np.full(len(rows), item_cut.item),
            raw[rows, item_cut.item],
            np.where(item_cut.keep, item_cut.values, 0.0)[item_cut.outside],
            item_cut.cutoff[item_cut.outside],
            weighted.sample.weight[rows],
            item_cut.reason[item_cut.outside],
            classes[rows],
        )
        for column, part in zip(columns, parts, strict=True):
            column.append(part)
    joined = [np.concatenate(column) if column else np.empty(0) for column in columns]
    return TreatedValues(
        joined[0].astype(np.int64),
        joined[1].astype(np.int64),
        joined[2],
        joined[3],
        joined[4],
        joined[5],
        joined[6].astype(np.int64),
        joined[7].astype(np.int64),
    )
