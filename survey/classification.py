"""The classifications of the survey: categories, regions, macro-regions, industry sections, size classes. Pure.

Codes and groups come from the code lists of the questionnaires' definitions; what an enterprise is, which sheets the
nation reviews first and which sections are estimated is said here and nowhere else. Numbers of categories begin with
1, places of regions, sections and sizes with 0, in the order of these tuples.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

_CODELISTS = Path(__file__).parent / "questionnaires" / "definitions" / "codelists"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a code list."""

    code: str
    zh: str
    en: str
    parent: str = ""
    group: str = ""

    def label(self, language: str) -> str:
        """The name in a language; Chinese unless it is English."""
        return self.en if language.startswith("en") else self.zh


@cache
def entries(name: str) -> tuple[Entry, ...]:
    """The lines of a code list, in its order. Raises FileNotFoundError."""
    content = yaml.load((_CODELISTS / f"{name}.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return tuple(
        Entry(
            str(line["code"]),
            line["label"]["zh"],
            line["label"]["en"],
            str(line.get("parent") or ""),
            line.get("group") or "",
        )
        for line in content["entries"]
    )


def _in_groups(*groups: str) -> tuple[str, ...]:
    return tuple(entry.code for entry in entries("categories") if entry.group in groups)


# Categories of respondents, CAT01 to CAT14, and the group of each.
CATEGORIES: tuple[str, ...] = tuple(entry.code for entry in entries("categories"))
GROUP_OF: dict[str, str] = {entry.code: entry.group for entry in entries("categories")}
CENTRAL_ENTERPRISES = _in_groups("central_soe")
DATA_ENTERPRISES = _in_groups("data_enterprise")
ENTERPRISES = _in_groups("central_soe", "data_enterprise", "other_enterprise")
# Sheets of these go straight to national review: ministries, data departments, science centres, operators, central
# enterprises, associations.
NATIONAL_CATEGORIES = _in_groups("government", "science_centre", "central_soe", "association")

# The nation, the 32 provincial-level regions, and the four macro-regions of the report's stratification.
NATION = "000000"
REGIONS: tuple[str, ...] = tuple(entry.code for entry in entries("regions") if entry.parent == NATION)
_MACRO_GROUPS = {"东部": "east", "中部": "central", "西部": "west", "东北": "northeast"}
MACRO_REGION_NAMES: tuple[str, ...] = tuple(_MACRO_GROUPS.values())
MACRO_REGIONS: tuple[tuple[str, ...], ...] = tuple(
    tuple(entry.code for entry in entries("regions") if entry.parent == NATION and entry.group == group)
    for group in _MACRO_GROUPS
)

# Industry sections that have enterprises: all but public management (S) and international organisations (T).
SECTIONS: tuple[str, ...] = tuple(
    entry.code for entry in entries("industry_sections") if entry.code not in {"S", "T"}
)
PRIMARY, SECONDARY, INDUSTRY = ("A",), ("B", "C", "D", "E"), ("B", "C", "D")
TERTIARY = tuple(section for section in SECTIONS if section not in {*PRIMARY, *SECONDARY})

# Four legal size classes, three that are estimated: micro counts as small.
SIZE_OF: dict[str, str] = {
    entry.code: "small" if entry.code == "micro" else entry.code for entry in entries("size_classes")
}
SIZES: tuple[str, ...] = tuple(dict.fromkeys(SIZE_OF.values()))


def category_numbers(categories: tuple[str, ...]) -> tuple[int, ...]:
    """The numbers, 1 to 14, of categories. Raises ValueError for an unknown one."""
    return tuple(CATEGORIES.index(category) + 1 for category in categories)


def name_of(name: str, code: str, language: str) -> str:
    """The name of a code of a list; the code itself when the list does not have it."""
    return next((entry.label(language) for entry in entries(name) if entry.code == code), code)
