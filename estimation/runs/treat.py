"""Extreme values and missing items of one year, before estimation. Pure; collected values stay as they are."""

from dataclasses import dataclass

import numpy as np

from estimation.design.strata import SECTIONS, Bools, Floats, Ints
from estimation.methods.winsorization import Reason, Treatment, trim, winsorize
from estimation.runs.arrays import Year
from estimation.runs.spec import RunSpec
from estimation.runs.weigh import Weighted

# Category group of each category number: government, institutions, research, central and operators,
# data enterprises, other enterprises, associations.
CATEGORY_GROUP = np.array([0, 0, 0, 1, 2, 2, 3, 3, 4, 4, 4, 4, 4, 5, 6])
GROUP_NAMES = ("government", "institution", "research", "central", "data", "other", "association")
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
    """Values that lay outside the cutoffs, moved or left alone; one entry each.

    row : unit row; item : column; collected, treated, cutoff, weight, effect (weight times what was taken off)
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
        """Weight times what the treatment took off the value."""
        return self.weight * (self.collected - self.treated)


@dataclass(frozen=True)
class Cutoffs:
    """Cutoffs that were used; one entry for each item and class with a positive value.

    item : column; treatment_class : code as in ``class_name``; lower, upper : cutoffs; counted : positive values
    they come from; depth : 0 the class itself, 1 its category group, 2 all units
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
    answered : (n, k) the item was asked and validly answered; filled : (n, k) an owed amount was filled
    outliers : values outside the cutoffs; cutoffs : where these lay
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
    """Such as "data/I"."""
    group, section = divmod(int(code), len(SECTIONS) + 1)
    return f"{GROUP_NAMES[group]}/{SECTIONS[section - 1] if section else '-'}"


def treat(year: Year, weighted: Weighted, spec: RunSpec, factor: Floats | None = None) -> Treated:
    """Winsorize (or trim) the amounts item by item, then fill owed amounts that are missing.

    factor : (n,) what a bootstrap replicate does to the weights, w* / w; cutoffs and stratum means follow it
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
    found: list[tuple[Ints, int, Treatment, Ints]] = []
    limits: list[tuple[int, Ints, Treatment]] = []
    for item in np.flatnonzero(amount) if spec.winsorization.method != "none" else ():
        rows = np.flatnonzero(raw[:, item] > 0)
        if len(rows) == 0:
            continue
        done = _treatment(raw[rows, item], rows, classes, weighted, spec, factor)
        limits.append((int(item), np.unique(classes[rows]), done))
        values[rows, item] = np.where(done.keep, done.values, 0.0)
        dropped = rows[~done.keep]
        answered[dropped, item] = False
        filled[dropped, item] = True
        outside = (raw[rows, item] < done.lower[classes[rows]]) | (
            raw[rows, item] > done.upper[classes[rows]]
        )
        found.append((rows[outside], int(item), done, np.flatnonzero(outside)))
    if filled.any():
        _fill(raw, answered, filled, weighted, classes, factor)
        _fill(values, answered, filled, weighted, classes, factor)
    return Treated(values, raw, answered, filled, _outliers(found, raw, classes, weighted), _cutoffs(limits))


def _treatment(
    y: Floats, rows: Ints, classes: Ints, weighted: Weighted, spec: RunSpec, factor: Floats | None
) -> Treatment:
    method = winsorize if spec.winsorization.method == "winsorize" else trim
    weight = weighted.sample.weight[rows]
    own = classes[rows]
    quantile_weight = weight if spec.winsorization.weighted else None
    if factor is not None:
        quantile_weight = factor[rows] if quantile_weight is None else factor[rows] * weight
    return method(
        y,
        own,
        lower=spec.winsorization.lower,
        upper=spec.winsorization.upper,
        weight=quantile_weight,
        exempt=weighted.spared[rows],
        design_weight=weight,
        parent=(own // (len(SECTIONS) + 1), np.zeros(len(rows), dtype=np.intp)),
        minimum=spec.winsorization.minimum,
    )


def _fill(
    values: Floats, answered: Bools, filled: Bools, weighted: Weighted, classes: Ints, factor: Floats | None
) -> None:
    """Put the mean of the answering units of the stratum (else of the class) where an owed amount is missing.

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


def _cutoffs(found: list[tuple[int, Ints, Treatment]]) -> Cutoffs:
    if not found:
        return Cutoffs(
            *(np.empty(0, kind) for kind in (np.int64, np.int64, float, float, np.int64, np.int64))
        )
    return Cutoffs(
        item=np.concatenate([np.full(len(codes), item) for item, codes, _ in found]),
        treatment_class=np.concatenate([codes for _, codes, _ in found]),
        lower=np.concatenate([done.lower[codes] for _, codes, done in found]),
        upper=np.concatenate([done.upper[codes] for _, codes, done in found]),
        counted=np.concatenate([done.counted[codes] for _, codes, done in found]).astype(np.int64),
        depth=np.concatenate([done.depth[codes] for _, codes, done in found]).astype(np.int64),
    )


def _outliers(
    found: list[tuple[Ints, int, Treatment, Ints]], raw: Floats, classes: Ints, weighted: Weighted
) -> TreatedValues:
    columns: list[list[np.ndarray]] = [[] for _ in range(8)]
    for rows, item, done, inside in found:
        collected = raw[rows, item]
        own = classes[rows]
        low = collected < done.lower[own]
        parts = (
            rows,
            np.full(len(rows), item),
            collected,
            np.where(done.keep[inside], done.values[inside], 0.0),
            np.where(low, done.lower[own], done.upper[own]),
            weighted.sample.weight[rows],
            done.reason[inside].astype(np.int64),
            own,
        )
        for column, part in zip(columns, parts, strict=True):
            column.append(part)
    joined = [np.concatenate(column) if column else np.empty(0) for column in columns]
    return TreatedValues(
        joined[0].astype(np.int64), joined[1].astype(np.int64), joined[2], joined[3], joined[4], joined[5],
        joined[6].astype(np.int64), joined[7].astype(np.int64),
    )  # fmt: skip
