"""Rankings of the text: the domains of a kind with the largest values. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from estimation.releases.content.content import FrozenCell, Text
from estimation.releases.content.draft import absent, freeze_cell, unit_text
from estimation.releases.content.estimates import Key, cell_of, estimate_unit, lineage_of
from estimation.releases.content.evaluation import Evaluator
from estimation.units import unit_of


@dataclass(frozen=True, slots=True)
class Ranking:
    """The domains of a kind with the largest values, as an enumeration of their names."""

    code: str
    label: Text
    unit: str
    variable: str
    statistic: str
    kind: str
    place: tuple[str, ...]
    top: int = 5
    decimals: int = 2


def parse_ranking(values: dict[str, Any]) -> Ranking:
    return Ranking(**{**values, "label": Text(**values["label"]), "place": tuple(values["place"])})


def ranking_keys(ranking: Ranking, year: int, codes: Iterable[str]) -> list[Key]:
    """The stored estimates that a ranking compares. ``codes`` are those of its domain kind."""
    return [Key(year, ranking.variable, ranking.statistic, ranking.kind, code) for code in codes]


def add_ranking(evaluator: Evaluator, ranking: Ranking, codes: Iterable[str]) -> None:
    """Add a cell for every rank, and a cell whose words are the names in order."""
    estimates, label = evaluator.material.source.estimates, ranking.label
    keys = ranking_keys(ranking, evaluator.year, codes)
    ranked = [(key, estimates[key]) for key in keys if key in estimates and estimates[key].value]
    ranked.sort(key=lambda pair: (-(pair[1].value or 0.0), pair[0].code))
    names, lineage = [], []
    scale = estimate_unit(ranking.variable, ranking.statistic, evaluator.material.units).factor
    scale /= unit_of(ranking.unit).factor
    for rank, (key, stored) in enumerate(ranked[: ranking.top], start=1):
        name = evaluator.material.name(ranking.kind, key.code)
        names.append(name)
        lineage.append(lineage_of(key))
        words = Text(f"{label.zh}：{name.zh}", f"{label.en}: {name.en}")
        cell = cell_of(stored, scale, ranking.decimals)
        evaluator.draft.add(
            freeze_cell(
                f"{ranking.code}.{evaluator.year}.{rank}",
                words,
                ranking.unit,
                cell,
                ranking.decimals,
                ranking.statistic,
                (lineage[-1],),
            )
        )
    key_all = f"{ranking.code}.{evaluator.year}"
    if not names:
        evaluator.draft.add(absent(key_all, label, ranking.unit, 0, "no_estimate"))
        return
    order = Text("、".join(name.zh for name in names), ", ".join(name.en for name in names))
    evaluator.draft.add(
        FrozenCell(
            key_all,
            label,
            unit_text(""),
            order.zh,
            estimator="ranking",
            decimals=0,
            lineage=tuple(lineage),
            words=order,
        )
    )
