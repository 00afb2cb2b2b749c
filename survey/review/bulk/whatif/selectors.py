"""How the totals would change if sheets entered the valid sample, from the stored sums of the latest run.

In a stratum a total is N / r times the sum over its valid units; with m more sheets it is N / (r + m) times
the larger sum. The values of the sheets enter as filed, without treatment of extremes.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from survey.collection.models import CollectionRound
from survey.questionnaires.answering.units import unit_label, with_label
from survey.questionnaires.loader import load_all
from survey.review.scores.models import SheetScore, TotalCell
from survey.review.scores.wording import number, share
from survey.review.selectors import region_name


@dataclass(frozen=True, slots=True)
class Move:
    """One total before and after; ``change`` is None where there was none before."""

    item: str
    label: str
    unit: str
    region: str  # code, "" for the nation
    before: float
    after: float

    @property
    def change(self) -> float | None:
        """Share by which the total moves."""
        return (self.after - self.before) / self.before if self.before else None


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The changed totals of the nation and of each region with one of the sheets."""

    nation: list[Move]
    regions: list[tuple[str, str, list[Move]]]  # code, name, its totals in the order of ``nation``
    scored: int
    unscored: int
    words: list[str]


type Sums = dict[tuple[str, str], dict[str, float]]


def what_if(round_: CollectionRound, ids: Sequence[int]) -> WhatIf | None:
    """Preview of accepting these sheets; None without stored totals of the round."""
    cells = list(TotalCell.objects.filter(round=round_))
    if not cells:
        return None
    sheets = list(SheetScore.objects.filter(pk__in=ids, run=cells[0].run))
    before, size = _present(cells)
    after = {cell: dict(sums) for cell, sums in before.items()}
    more: defaultdict[str, int] = defaultdict(int)
    population: dict[str, float] = {cell.stratum: cell.population for cell in cells}
    for sheet in sheets:
        sums = after.setdefault((sheet.stratum, sheet.region), {})
        for item, value in sheet.amounts.items():
            sums[item] = sums.get(item, 0.0) + value
        more[sheet.stratum] += 1
        population[sheet.stratum] = sheet.population
        size.setdefault(sheet.stratum, 0)
    items = sorted({item for sums in before.values() for item in sums})
    factor = {stratum: population[stratum] / n if n else 0.0 for stratum, n in size.items()}
    later = {
        stratum: population[stratum] / (n + more[stratum]) if n + more[stratum] else 0.0
        for stratum, n in size.items()
    }
    codes = sorted({sheet.region for sheet in sheets if sheet.region})
    table = {
        region: [_move(item, region, before, factor, after, later) for item in items]
        for region in ("", *codes)
    }
    regions = [(code, region_name(code), table[code]) for code in codes]
    return WhatIf(table[""], regions, len(sheets), len(ids) - len(sheets), _words(table[""], regions))


def _present(cells: Sequence[TotalCell]) -> tuple[Sums, dict[str, int]]:
    return (
        {(cell.stratum, cell.region): cell.sums for cell in cells},
        {cell.stratum: cell.respondents for cell in cells},
    )


def _total(item: str, region: str, sums: Sums, factor: dict[str, float]) -> float:
    return sum(
        factor[stratum] * cell_sums.get(item, 0.0)
        for (stratum, cell_region), cell_sums in sums.items()
        if not region or cell_region == region
    )


def _move(
    item: str, region: str, before: Sums, factor: dict[str, float], after: Sums, later: dict[str, float]
) -> Move:
    definition: Any = next((form.items[item] for form in load_all().values() if item in form.items), None)
    english = (get_language() or "").startswith("en")
    return Move(
        item,
        definition.label.get(get_language() or "zh-hans") if definition else item,
        unit_label(definition.unit, "en" if english else "zh") if definition else "",
        region,
        _total(item, region, before, factor),
        _total(item, region, after, later),
    )


def _words(nation: list[Move], regions: list[tuple[str, str, list[Move]]]) -> list[str]:
    """The three national totals with the largest changes, each with the region with the largest change."""
    moving = sorted((total for total in nation if total.change), key=lambda total: -abs(total.change or 0.0))
    sentences = []
    for total in moving[:3]:
        best = max(
            (
                (name, move.change)
                for _code, name, moves in regions
                for move in moves
                if move.item == total.item and move.change
            ),
            key=lambda pair: abs(pair[1]),
            default=None,
        )
        values = {
            "label": total.label,
            "before": with_label(number(total.before), total.unit),
            "after": with_label(number(total.after), total.unit),
            "share": _signed(total.change or 0.0),
            "region": best[0] if best else "",
            "regional": _signed(best[1]) if best else "",
        }
        sentence = (
            _(
                "%(label)s: the national total goes from %(before)s to %(after)s (%(share)s), that of %(region)s "
                "moves by %(regional)s."
            )
            if best
            else _("%(label)s: the national total goes from %(before)s to %(after)s (%(share)s).")
        )
        sentences.append(sentence % values)
    return sentences


def _signed(change: float) -> str:
    return ("+" if change > 0 else "−") + share(change)
