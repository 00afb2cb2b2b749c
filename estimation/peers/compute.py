"""Quartiles of comparable units, for safe groups only. Arrays, no database.

A group is shown when enough units report the item, no one or two of them dominate its total (Hundepool et al.,
2012, section 4.2), and enough units lie beyond each quartile, so that none is a single unit's value.
"""

import math
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from estimation.methods import half_up, quantile
from estimation.methods.arrays import Bools, Floats
from estimation.methods.sample import StratifiedSample
from estimation.runs.compute.arrays import Domain, Year
from estimation.runs.compute.contributors import Shares, shares_of
from estimation.runs.compute.spec import RunSpec
from estimation.runs.compute.weigh import weigh
from survey.classification import CATEGORIES, ENTERPRISES, SECTIONS, SIZE_OF, SIZES

# Item -> its numerator and, for a rate, its denominator.
CHIEF: dict[str, tuple[str, ...]] = {
    "P01": ("P01",), "S02": ("S02",), "S06": ("S06",), "F01": ("F01",), "A02": ("A02",),
    "D01/S02": ("D01", "S02"), "B17": ("B17",), "V01": ("V01",), "T02": ("T02",),
}  # fmt: skip
# A rate has a code of its own, too.
NAMED_AS = {"D01/S02": "D02"}
QUARTERS = (0.25, 0.5, 0.75)
DIGITS = 3  # significant digits of a shown quartile
FEWEST = 10  # units of a group, whatever minimum the releases use
EDGE = 3  # units that must lie beyond a quartile

type Groups = dict[str, dict[str, list[int | str]]]


@dataclass(frozen=True, slots=True)
class Guard:
    """Fewest units of a group, and the largest shares of its largest and of its two largest units."""

    minimum: int
    one: float
    two: float

    def passes(self, shares: Shares) -> Bools:
        """Whether each of D groups may be shown, (D,): for all of its amounts."""
        safe = (
            (shares.units >= self.minimum) & (shares.largest <= self.one) & (shares.two_largest <= self.two)
        )
        return np.asarray(safe.all(axis=1))


def variables() -> list[str]:
    """Every variable that the comparison reads."""
    return sorted({code for parts in CHIEF.values() for code in parts})


def value_of(values: dict[str, float], item: str) -> float | None:
    """A unit's own number of a chief item; None when not asked, missing, or without a base."""
    parts = [values.get(code, math.nan) for code in CHIEF[item]]
    if any(math.isnan(value) for value in parts):
        return None
    if len(parts) == 1:
        return parts[0]
    return parts[0] / parts[1] if parts[1] > 0 else None


def chain(*, category: str, section: str, size: str) -> tuple[str, ...]:
    """The groups that a unit is compared with, the narrowest first. Small and micro are one size."""
    if category not in ENTERPRISES:
        return (f"category:{category}",)
    size = SIZE_OF.get(size, size)
    close = (f"section_size:{section}.{size}",) if section and size else ()
    return close + ((f"section:{section}",) if section else ()) + ((f"size:{size}",) if size else ())


def peer_groups(year: Year, spec: RunSpec, guard: Guard) -> Groups:
    """Quartiles by item and group, over the units that report a positive value; unsafe groups are omitted."""
    sample = weigh(year, spec).sample
    columns = {item.code: year.values[:, index] for index, item in enumerate(year.items)}
    domains = _domains(year)
    groups: Groups = {}
    for item, parts in CHIEF.items():
        if not set(parts) <= set(columns):
            continue
        amounts = [columns[code] for code in parts]
        groups[item] = {}
        for domain in domains:
            groups[item] |= _of_item(sample, amounts, domain, guard)
    return groups


def _domains(year: Year) -> list[Domain]:
    enterprise = year.enterprise
    classified = enterprise & (year.section >= 0)
    return [
        Domain(
            "section_size",
            tuple(f"{section}.{size}" for section in SECTIONS for size in SIZES),
            np.where(classified & (year.size >= 0), year.section * len(SIZES) + year.size, -1),
        ),
        Domain("section", SECTIONS, np.where(classified, year.section, -1)),
        Domain("size", SIZES, np.where(enterprise, year.size, -1)),
        Domain("category", CATEGORIES, np.where(enterprise, -1, year.category - 1)),
    ]


def _of_item(
    sample: StratifiedSample, amounts: list[Floats], domain: Domain, guard: Guard
) -> dict[str, list[int | str]]:
    positive = np.all([np.nan_to_num(amount) > 0 for amount in amounts], axis=0)
    codes = np.where(positive, domain.codes, -1)
    size = len(domain.labels)
    # A rate is unsafe when its numerator or its denominator is unsafe.
    safe = guard.passes(shares_of(np.column_stack(amounts), sample.weight, codes, size))
    codes = np.where((codes >= 0) & np.append(safe, False)[codes], codes, -1)
    if not (codes >= 0).any():
        return {}
    value = np.divide(
        amounts[0], amounts[-1] if len(amounts) > 1 else 1.0, where=codes >= 0, out=np.zeros(sample.n)
    )
    quartiles = quantile(sample, value, QUARTERS, domain=codes, domains=size).value[:, 0]
    result: dict[str, list[int | str]] = {}
    for code in np.unique(codes[codes >= 0]).tolist():
        members = value[codes == code]
        lower, middle, upper = quartiles[code].tolist()
        if (members <= lower).sum() >= EDGE and (members >= upper).sum() >= EDGE:
            printed = [significant(quartile) for quartile in (lower, middle, upper)]
            result[f"{domain.kind}:{domain.labels[code]}"] = [len(members), *printed]
    return result


def significant(value: float) -> str:
    """A positive number to three significant digits, halves up, as plain text."""
    return format(half_up(value, DIGITS - 1 - math.floor(math.log10(value))), "f")


def readable(value: float) -> Decimal:
    """A unit's own number with two decimals, or three significant digits when it is small."""
    return Decimal(significant(value)) if 0 < value < 1 else half_up(value, 2)


def plain(number: Decimal) -> str:
    """A number with thousands separators and without trailing zeros."""
    integer, dot, decimals = format(number, ",f").partition(".")
    return f"{integer}{dot}{decimals}".rstrip("0").rstrip(".") if dot else integer
