"""The units beside a number: their names, and their sizes for exact conversion on the page."""

from collections.abc import Iterable
from dataclasses import dataclass

from survey.questionnaires.answering import units


@dataclass(frozen=True, slots=True)
class UnitOption:
    """A unit that may be chosen; ``factor`` is its size in the smallest unit of its family, empty without one."""

    code: str
    label: str
    chosen: bool = False
    factor: str = ""
    names: str = ""  # other ways to write it, separated by "|"


def unit_options(codes: Iterable[str], chosen: str, language: str) -> list[UnitOption]:
    """The units of an item as options."""
    return [_option(code, chosen, language) for code in codes]


def _option(code: str, chosen: str, language: str) -> UnitOption:
    label = units.unit_label(code, language)
    family = units.family_of(code)
    unit = (
        next((entry for entry in family.units if entry.code == units.base_code(code)), None)
        if family
        else None
    )
    if unit is None:
        return UnitOption(code, label, code == chosen)
    names = "|".join(dict.fromkeys((unit.code, *unit.aliases)))
    return UnitOption(code, label, code == chosen, units.plain(unit.factor), names)
