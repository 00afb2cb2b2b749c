"""The lists of categories, regions, sections and sizes stand in the code lists, and nowhere else in the program."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from survey import classification
from survey.classification import CATEGORIES, ENTERPRISES, NATIONAL_CATEGORIES, REGIONS, SECTIONS, SIZE_OF
from tests.architecture.test_layout import ROOT, tracked

MOST = 8  # so many codes of one classification in one literal are a list of it
CODE_SETS = [set(CATEGORIES), set(REGIONS), set(SECTIONS), set(SIZE_OF)]
# Lists of their own that use such codes.
ACCEPTED = {
    "estimation/rehearsal/population": "the published margins of the report, by region and category",
    "estimation/rehearsal/sheets/tables.py": "factors of the rehearsal's tables by region",
    "estimation/report/figures/tiles.py": "where each region stands on the map of tiles",
    "survey/questionnaires/size.py": "the legal rules of the size classes, with the type of their names",
    "estimation/design/stratify.py": "the default of the categories that are taken with certainty",
}


def literals(source: ast.Module) -> list[int]:
    """Lines of literals that write a classification out."""
    matches = []
    node: Any
    for node in ast.walk(source):
        values: set[str] = set()
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            values = {
                element.value
                for element in node.elts
                if isinstance(element, ast.Constant) and isinstance(element.value, str)
            }
        elif isinstance(node, ast.Dict):
            values = {
                element.value
                for element in node.keys
                if isinstance(element, ast.Constant) and isinstance(element.value, str)
            }
        elif (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in "".join(SECTIONS)
        ):
            values = set(node.value)
        elif isinstance(node, ast.GeneratorExp | ast.ListComp | ast.SetComp) and _numbered(node):
            values = set(CATEGORIES)
        if any(
            len(values & codes) >= min(MOST, len(codes)) and len(values - codes) <= 2 for codes in CODE_SETS
        ):
            matches.append(node.lineno)
    return matches


def _numbered(node: ast.GeneratorExp | ast.ListComp | ast.SetComp) -> bool:
    return bool(re.match(r".f'CAT\{\w+:02d\}' for \w+ in range\(", ast.unparse(node)))


def test_no_classification_is_written_out() -> None:
    violations = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in tracked("survey/*.py", "estimation/*.py")
        if "migrations" not in path.parts and not str(path.relative_to(ROOT)).startswith(tuple(ACCEPTED))
        for line in literals(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert violations == []


@pytest.mark.parametrize(
    "text",
    [
        'SECTIONS = "ABCDEFGHIJKLMNOPQR"',
        'SIZES = ("large", "medium", "small", "micro")',
        'SIZE = {"large": 0, "medium": 1, "small": 2, "micro": 2}',
        'ENTERPRISES = frozenset(f"CAT{number:02d}" for number in range(6, 14))',
        f"REGIONS = {REGIONS[:12]!r}",
    ],
)
def test_a_planted_list_is_caught(text: str) -> None:
    assert literals(ast.parse(text))


def test_every_accepted_list_is_there() -> None:
    assert all((ROOT / name).exists() for name in ACCEPTED)


def test_what_the_classifications_are() -> None:
    assert tuple(f"CAT{number:02d}" for number in range(1, 15)) == CATEGORIES
    assert set(ENTERPRISES) == {f"CAT{number:02d}" for number in range(6, 14)}
    assert classification.category_numbers(classification.DATA_ENTERPRISES) == (8, 9, 10, 11, 12)
    assert set(NATIONAL_CATEGORIES) == {"CAT01", "CAT02", "CAT05", "CAT06", "CAT07", "CAT14"}
    assert (len(REGIONS), REGIONS[0], REGIONS[-1]) == (32, "110000", "660000")
    assert [len(members) for members in classification.MACRO_REGIONS] == [10, 6, 13, 3]
    assert "".join(SECTIONS) == "ABCDEFGHIJKLMNOPQR"
    assert classification.SIZES == ("large", "medium", "small")
    assert SIZE_OF == {"large": "large", "medium": "medium", "small": "small", "micro": "small"}


def test_the_module_reads_the_lists_of_the_questionnaires() -> None:
    from survey.questionnaires.loader import load_codelist

    for name in ("categories", "regions", "industry_sections", "size_classes"):
        loaded = [
            (category.code, category.label.zh, category.label.en) for category in load_codelist(name).entries
        ]
        assert [
            (category.code, category.zh, category.en) for category in classification.entries(name)
        ] == loaded


def test_it_needs_no_framework() -> None:
    imported = {
        name
        for node in ast.walk(ast.parse((Path(classification.__file__)).read_text(encoding="utf-8")))
        for name in ([node.module] if isinstance(node, ast.ImportFrom) else [])
    }
    assert imported == {"dataclasses", "functools", "pathlib"}
