"""Numbers as they stand on a sheet: whole ticks that meet every hard identity exactly.

True values are rounded to ticks (0.001 TB, 0.01 of 10,000 yuan, ...). Totals are sums of their rounded parts, and
parts never exceed their bounds, so that no rounding slip can break an edit.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from estimation.methods.arrays import Bools, Floats, Ints

# Ticks per unit of measurement: the number of decimals that respondents give.
DECIMALS: dict[str, int] = {
    "TB": 3,
    "PFLOPS": 3,
    "EB": 4,
    "亿个": 4,
    "万亿个": 4,
    "万元": 2,
    "万次": 2,
    "%": 2,
}

# Canonical unit of each item that is not in TB; what is not in DECIMALS is counted in whole numbers.
UNIT_OF: dict[str, str] = {
    **dict.fromkeys(("B10", "B11", "T02", "T07", "T08", "T09", "K06", "G03", "MD04", "MX01", "MX06", "MX08"), "万元"),
    **dict.fromkeys(("V01", "V02", "V03", "V04", "V06", "V08", "V09", "V10", "V11"), "万元"),
    **dict.fromkeys(("K02", "K03", "K05", "MR02", "MO08"), "PFLOPS"),
    **dict.fromkeys(("MO01", "MO02", "MO04", "MO06", "MA02"), "EB"),
    **dict.fromkeys(("B09", "B17", "T06", "A06", "A08", "MA01", "MA03", "MA04", "MC01", "MC03", "MC04"), "count"),
    **dict.fromkeys(("MD03", "MD05", "MG01", "MG03", "MG06", "MG09", "MG12", "MG13", "MO05", "MO07"), "count"),
    **dict.fromkeys(("MP03", "MR01", "MR04", "MS02", "MS07", "MT04", "MT05", "MT07", "MX02", "MX07"), "count"),
    **dict.fromkeys(("B15", "B16", "T01", "D03", "A01", "V05", "V07", "G01", "G04", "K01"), "yesno"),
    "A09": "亿个", "MP01": "万亿个", "MG05": "万次", "K04": "%",
}  # fmt: skip

# Items that large units report in PB: ticks of 0.001 PB = 1.024 TB.
_IN_PETABYTES = (
    "P01", "P02", "P03", "P04", "S01", "S02", "S03", "S04", "S05", "S06", "S07", "S08", "F01", "F02", "F03", "F04",
    "D01", "A02", "A03", "A04", "MG02", "MG10", "MS01", "MS04", "MD02",
)  # fmt: skip
PETABYTE_TICKS = 1024
_PETABYTE_FROM_TB = 40_000.0

_TOTALS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("P01", ("P02", "P03", "P04")),
    ("S02", ("S03", "S04")),
    ("F06", ("F07", "F08")),
    ("F01", ("F02", "F03")),
    ("A02", ("A03", "A04")),
    ("V01", ("V02", "V03", "V04")),
    ("V08", ("V09", "V10", "V11")),
    ("MG07", ("MG07a", "MG07b")),
    ("MG08", ("MG08a", "MG08b")),
)
# (part, whole): the part is cut to the whole. The order matters where bounds chain.
_BOUNDS: tuple[tuple[str, str], ...] = (
    ("S05", "S02"), ("S06", "S02"), ("D01", "S06"), ("F04", "F01"), ("T03", "F03"), ("A02", "S02"), ("A05", "A03"),
    ("A07", "S02"), ("A08", "A06"), ("G05", "S02"), ("P05", "P01"), ("P06", "P01"), ("P07", "P01"), ("P08", "P01"),
    ("P09", "P01"), ("MU02", "F02"), ("MU03", "S02"), ("MU04", "S02"), ("MS01", "S02"), ("MS03", "MS01"),
    ("MG04", "MG10"), ("MG07c", "MG07"), ("MG15", "MG02"), ("MD03", "T06"), ("MC03", "A06"), ("MO08", "K03"),
    ("MP04", "P01"), ("MP08", "A07"), ("MT06", "F01"), ("B17", "B09"), ("T08", "T07"), ("T09", "T07"), ("G03", "V01"),
    ("V08", "B11"), ("MX06", "MX01"), ("MX08", "MX01"), ("MD04", "B10"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SheetNumbers:
    """Ticks (n,) per item, decimals per item, and which units (n,) report large items in PB."""

    ticks: Mapping[str, Ints]
    decimals: Mapping[str, int]
    petabytes: Bools

    def value(self, code: str) -> Floats:
        """Canonical numbers (n,), the floats nearest to the decimal texts."""
        return self.ticks[code] / float(10 ** self.decimals[code])


def build_numbers(values: Mapping[str, Floats], rows: Ints, year: int) -> SheetNumbers:
    """Ticks of all items with true values, for the units `rows` in year 0 or 1."""
    petabytes = values["P01"][year, rows] >= _PETABYTE_FROM_TB
    ticks: dict[str, Ints] = {}
    decimals: dict[str, int] = {}
    for code, column in values.items():
        digits = DECIMALS.get(UNIT_OF.get(code, "TB"), 0)
        exact = column[year, rows] * 10**digits
        rounded = np.rint(exact).astype(np.int64)
        if code in _IN_PETABYTES:
            coarse = np.rint(exact / PETABYTE_TICKS).astype(np.int64) * PETABYTE_TICKS
            coarse = np.where((coarse == 0) & (exact > 0), PETABYTE_TICKS, coarse)
            rounded = np.where(petabytes, coarse, rounded)
        ticks[code] = np.where((rounded == 0) & (exact > 0) & (digits > 0), 1, rounded)
        decimals[code] = digits
    _meet_rules(ticks)
    return SheetNumbers(ticks, decimals, petabytes)


def settle_values(values: dict[str, Floats], *, block: int = 100_000) -> None:
    """Replace true values by what a sheet can say, in place: then nothing is lost between truth and filing."""
    count = values["P01"].shape[1]
    for year in (0, 1):
        for start in range(0, count, block):
            rows = np.arange(start, min(start + block, count))
            numbers = build_numbers(values, rows, year)
            for code, column in values.items():
                column[year, rows] = numbers.value(code)


def _meet_rules(ticks: dict[str, Ints]) -> None:
    bought = ticks["T01"] > 0
    ticks["F03"] = np.where(bought, np.maximum(ticks["F03"], 1), ticks["F03"])
    for total, parts in _TOTALS:
        ticks[total] = np.sum([ticks[part] for part in parts], axis=0)
    ticks["S01"] = np.where(ticks["S01"] > 0, np.maximum(ticks["S01"], ticks["S02"]), 0)
    # Rounding may push the AI volume past the stock: the larger part gives way.
    excess = np.maximum(ticks["A02"] - ticks["S02"], 0)
    for part in ("A04", "A03"):
        cut = np.minimum(excess, ticks[part])
        ticks[part] = ticks[part] - cut
        excess -= cut
    ticks["A02"] = ticks["A03"] + ticks["A04"]
    for part, bound in _BOUNDS:
        ticks[part] = np.minimum(ticks[part], ticks[bound])
    ticks["F05"] = np.clip(ticks["F05"], 0, ticks["F01"] - ticks["F06"])
    ticks["T03"] = np.where(bought, np.maximum(ticks["T03"], 1), 0)
    ticks["T02"] = np.where(bought, np.maximum(ticks["T02"], 1), 0)
    has_sets = (ticks["A06"] > 0) & (ticks["A07"] > 0)
    for code in ("A06", "A07", "A08", "MC03", "MP08"):
        ticks[code] = np.where(has_sets, ticks[code], 0)
    ticks["MS04"] = np.where(ticks["MS04"] > 0, ticks["A02"], 0)
    ticks["MS01"] = np.maximum(ticks["MS01"], ticks["MS04"])
    ticks["MD02"] = np.where(ticks["MD02"] > 0, ticks["F04"], 0)
    ticks["V06"] = np.where(ticks["V05"] > 0, np.maximum(ticks["V06"], np.maximum(ticks["T07"], 1)), 0)
    ticks["V08"] = np.where(ticks["V07"] > 0, np.maximum(ticks["V09"] + ticks["V10"] + ticks["V11"], 1), 0)
    ticks["V09"] = ticks["V08"] - ticks["V10"] - ticks["V11"]


def plain_texts(ticks: Ints, decimals: int) -> list[str]:
    """Decimal texts without exponent and trailing zeros: 12500 at 3 decimals is "12.5"."""
    if decimals == 0:
        return [str(value) for value in ticks.tolist()]
    base = 10**decimals
    texts = []
    for value in ticks.tolist():
        quotient, rest = divmod(value, base)
        texts.append(str(quotient) if rest == 0 else f"{quotient}.{rest:0{decimals}d}".rstrip("0"))
    return texts
