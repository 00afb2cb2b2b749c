"""Static checks of the registry: the one in force is clean, and one invalid example per check is found."""

from typing import Any

import pytest

from estimation.releases.content.formulas import FormulaError, parse_formula
from estimation.releases.content.reading import read_yaml
from estimation.releases.content.registry import parse, parse_plan, publication_plan, registry
from estimation.releases.content.registry_checks import check_registry
from estimation.releases.selectors import vocabulary
from estimation.runs.readable import readable_unit
from estimation.units import unit_of
from survey.exceptions import DefinitionError


def fact(**changes: Any) -> dict[str, Any]:
    return {
        "code": "X-1",
        "label": {"zh": "甲", "en": "A"},
        "unit": "%",
        "place": ["foreword"],
        "formula": "{SUP-08} / {SUP-07}",
        **changes,
    }


def test_the_registry_in_force_has_no_fault() -> None:
    assert check_registry(publication_plan(), vocabulary()) == []


def test_the_registry_contains_what_the_report_prints() -> None:
    plan = publication_plan()
    assert len(plan.registry.indicators) == 31
    numbers = {entry.code[:7] for entry in plan.facts}
    assert {f"TXT-{number:03}" for number in range(1, 65)} <= numbers
    assert {entry.code for entry in plan.rankings} == {"RK-01", "RK-02"}
    assert {entry.code for entry in plan.forecasts} == {"FC-01", "FC-02", "FC-03"}
    assert {"FIG1", "FIG2", "FIG3"} <= {entry.code for entry in plan.figures}


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("unknown_item", {"formula": "{P99/total/nation/all}", "unit": "ZB"}),
        ("unknown_item", {"formula": "{P01/P99/ratio/nation/all}"}),
        ("unknown_statistic", {"formula": "{P01/median/nation/all}", "unit": "ZB"}),
        ("unknown_domain", {"formula": "{P01/total/section/Z}", "unit": "ZB"}),
        ("unknown_domain", {"formula": "{P01/total/village/A}", "unit": "ZB"}),
        ("unknown_number", {"formula": "{SUP-99} / {SUP-07}"}),
        ("unknown_external", {"formula": "{EXT-MOON} / {SUP-01}"}),
        ("unit_clash", {"formula": "{SUP-01} + {EXT-POP}", "unit": "ZB"}),
        ("unit_clash", {"formula": "{SUP-01} / {SUP-07}", "unit": "ZB"}),
        ("missing_translation", {"label": {"zh": "甲", "en": ""}}),
        ("missing_translation", {"label": {"zh": "甲", "en": "甲"}}),
        ("missing_place", {"place": []}),
        ("missing_place", {"place": ["chapter9.1"]}),
    ],
)
def test_one_invalid_example_per_check(kind: str, changes: dict[str, Any]) -> None:
    result = check_registry(parse_plan(registry(), {"facts": [fact(**changes)]}, {}), vocabulary())
    assert {finding.kind for finding in result} == {kind}
    assert {finding.code for finding in result} == {"X-1"}


def test_a_cycle_is_named() -> None:
    facts = [
        fact(code=code, formula=f"{{{other}}}")
        for code, other in (("X-1", "X-2"), ("X-2", "X-3"), ("X-3", "X-1"))
    ]
    result = check_registry(parse_plan(registry(), {"facts": facts}, {}), vocabulary())
    assert [(finding.kind, finding.sentence) for finding in result] == [
        ("circle", "a circle: X-1 > X-2 > X-3 > X-1")
    ]


def test_a_wrong_scale_of_an_indicator_is_reported() -> None:
    document = read_yaml("indicators.yaml")
    document["indicators"][4]["scale"] = 1e-9  # decimal, not binary
    result = check_registry(parse_plan(parse(document), {}, {}), vocabulary())
    assert [(finding.code, finding.kind) for finding in result] == [("SUP-05", "unit_clash")]


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('x')",
        "{SUP-01}.real",
        "open({SUP-01})",
        "{SUP-01} ** 9",
        "[{SUP-01}]",
        "SUP + {SUP-01}",
        "{SUP-01} if 1 else 2",
        "'a' + {SUP-01}",
        "1 + 2",
        "{P01/total}",
        "lambda: {SUP-01}",
    ],
)
def test_nothing_but_arithmetic_is_a_formula(text: str) -> None:
    with pytest.raises(FormulaError):
        parse_formula(text)


def test_a_formula_converts_units_and_gives_its_slopes() -> None:
    formula = parse_formula("({P01/total/section/C} - {P01/total/section/C@-1}) / {EXT-POP}")
    values = {
        "P01/total/section/C": (3072.0, "TB"),
        "P01/total/section/C@-1": (2.0, "PB"),
        "EXT-POP": (2.0, "万人"),
    }
    result = formula.evaluate(
        lambda reference: (values[str(reference)][0], unit_of(values[str(reference)][1]))
    )
    assert result.value == pytest.approx(1024 / 20000)
    assert result.unit == unit_of("TB/人")
    slopes = {str(reference): slope for reference, slope in result.slopes.items()}
    assert slopes["P01/total/section/C@-1"] == pytest.approx(-1024 / 20000)
    assert slopes["EXT-POP"] == pytest.approx(-1024 / 20000**2 * 10000)


def test_a_fact_has_a_formula_or_a_reason() -> None:
    for changes in ({"formula": None}, {"absent": {"zh": "无", "en": "none"}}):
        with pytest.raises(DefinitionError, match="X-1"):
            parse_plan(registry(), {"facts": [{k: v for k, v in fact(**changes).items() if v}]}, {})


def test_figures_of_the_registry_reference_existing_tables() -> None:
    tables = {table.code for table in registry().tables.values()}
    assert {
        entry["table"]["code"] for entry in read_yaml("figures.yaml")["figures"] if "table" in entry
    } <= tables


@pytest.mark.parametrize(
    ("unit", "largest", "wanted"),
    [
        ("TB", 9.0, "TB"),
        ("TB", 10 * 1024, "PB"),
        ("TB", 52.26 * 1024**3, "ZB"),
        ("TB", 8.9 * 1024**3, "EB"),
        ("万元", 99_999, "万元"),
        ("万元", 100_000, "亿元"),
        ("人", 1e9, "人"),
        ("", 1e9, ""),
    ],
)
def test_a_page_takes_the_largest_unit_that_leaves_ten(unit: str, largest: float, wanted: str) -> None:
    chosen, factor = readable_unit(unit, largest)
    assert chosen == wanted
    assert factor * largest >= 10 or chosen == unit
