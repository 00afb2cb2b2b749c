"""CEL expressions: blanks, rounding of doubles, undefined arithmetic, dependencies."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey.exceptions import DefinitionError
from survey.questionnaires.rules.expressions import NOT_EVALUATED, Environment, compile_expression, evaluate
from survey.questionnaires.rules.syntax import parse_expression, write

TABLES = {
    "K07": {"110000": {"c": Decimal("0.1")}, "310000": {"c": Decimal("0.2"), "h": Decimal(5)}},
    "MP02": {"01": {"d": Decimal(2)}, "02": {"d": Decimal(3)}, "03": {"d": Decimal("10.5")}},
    "MO03": {"110000": {"p110000": Decimal(4), "p310000": Decimal(1)}, "310000": {"p110000": Decimal(2)}},
}
VALUES = {
    "a": 0.1,
    "b": 0.2,
    "c": 0.3,
    "zero": 0.0,
    "big": 1e9,
    "yes": True,
    "no": False,
    "code": "2",
    "many": ["x", "y"],
    "uscc": "91350100M000100Y43",
    "industry": "6513",
    "date": "2025-12",
    "unit_year": 2025.0,
}


def run(text):
    environment = Environment(VALUES, TABLES, {"a": 0.5, "code": "2"}, {"K07": TABLES["K07"]}, year=2024)
    return evaluate(compile_expression(text), environment)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # doubles behave as people expect
        ("a + b <= c", True),
        ("c >= a + b", True),
        ("a + b == c", True),
        ("a + b != c", False),
        ("a + b < c", False),
        ("a + b > c", False),
        ("a + b > c - 0.001", True),
        ("c - b == a", True),
        ("big + a == big", False),
        ("near(c, a + b, 0)", True),
        ("near(1.0, 1.06, 0.05)", False),
        ("near(1.0, 1.05, 0.05)", True),
        ("near(100, 101, -1)", True),
        ("between(a, 0, 1)", True),
        ("between(a, 0.2, 1)", False),
        ("between(a + b, 0, 0.3)", True),
        # integer literals are written as doubles
        ("a * 10 > 0.5", True),
        ("a > 0", True),
        ("zero == 0", True),
        ("unit_year % 4 == 1", True),
        ("7 % 4 == 3", True),
        ("size(many) == 2", True),
        ("[1, 2][1] == 2", True),
        # logic, strings, lists
        ("!yes || no", False),
        ("yes && !no", True),
        ("no ? 1.0 : 2.0", 2.0),
        ("code in ['1', '2']", True),
        ("'x' in many", True),
        ("!('z' in many)", True),
        ("many.exists(v, v == 'y')", True),
        ("many.all(v, v == 'y')", False),
        ("date <= '2025-12-31'", True),
        ("code.startsWith('2')", True),
        ("prefix(industry, 2) == '65'", True),
        ("{'1': 5.0, '2': 7.0}[code] == 7.0", True),
        ("section_of(industry)", "I"),
        ("-a < 0", True),
        ("valid_uscc(uscc)", True),
        ("valid_uscc(code)", False),
        ("size_class(industry, 300, 10000, 0)", "large"),
        # numbers
        ("abs(a - b) <= 0.1", True),
        ("ln(1)", 0.0),
        ("log_ratio(b, b)", 0.0),
        ("min_of(a, b)", 0.1),
        ("max_number(a, b)", 0.2),
        # tables: sums are exact decimals before they become doubles
        ("sum_of('K07', 'c')", 0.3),
        ("sum_of('K07', 'h')", 5.0),
        ("sum_of('K07', 'nothing')", 0.0),
        ("sum_all('K07')", 5.3),
        ("diagonal_of('MO03')", 4.0),
        ("cell('K07', '310000', 'h')", 5.0),
        ("cell('K07', prefix(code, 1), 'h')", 0.0),
        ("count_rows('K07')", 2.0),
        ("max_of('K07', 'h')", 5.0),
        ("max_step('MP02', 'd')", 3.5),
        ("days_sum_of('MP02', 'd')", 31 * 2 + 29 * 3 + 31 * 10.5),
        ("previous_sum_of('K07', 'c')", 0.3),
        # last year
        ("previous('a') - a == 0.4", True),
        ("previous('code') == code", True),
        ("has_previous('a')", True),
        ("has_previous('b') ? false : true", True),
        ("answered('K07') && answered('a')", True),
    ],
)
def test_evaluate(text, expected):
    result = run(text)
    assert result == expected and type(result) is type(expected)


@pytest.mark.parametrize(
    "text",
    [
        "blank > 1.0",
        "a + blank > 1.0",
        "a > 1.0 && blank > 1.0",
        "previous('b') > 0.0",
        "sum_of('F10', 'c') > 0.0",
        "cell('F10', 'x', 'y') == 0.0",
        "previous_sum_of('F10', 'c') == 0.0",
        "blank == 'x'",
        "'x' in blank",
        "a / zero > 1.0",
        "zero / zero == 0.0",
        "ln(zero) > 0.0",
        "log_ratio(a, zero) < 1.0",
        "a % zero == 0.0",
        "answered('blank') || blank > 1.0",
        "1.0e308 * 10.0 - 1.0e308 * 10.0 > 0.0 ? 1.0 : 1.0e308 * 10.0 - 1.0e308 * 10.0",
    ],
)
def test_not_evaluated(text):
    assert run(text) is NOT_EVALUATED


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("answered('blank')", False),
        ("!answered('blank') || blank > 1.0", True),
        ("answered('blank') ? blank > 1.0 : a > 0.0", True),
        ("answered('blank') && blank > 1.0", False),
        ("has_previous('b') && previous('b') > 1.0", False),
        ("!answered('F10') || sum_of('F10', 'c') > 1.0", True),
    ],
)
def test_answered_allows_a_blank(text, expected):
    assert run(text) is expected


def test_short_circuit_skips_division_by_zero():
    assert run("zero == 0 || a / zero > 1.0") is True


@pytest.mark.parametrize(
    "text", ["a + code > 1.0", "yes > 1.0", "{'9': 1.0}[code] > 0.0", "code ? 1.0 : 2.0"]
)
def test_rule_with_type_clash_raises(text):
    with pytest.raises(DefinitionError) as caught:
        run(text)
    assert caught.value.code == "cannot_run"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a >",
        "a b",
        "(a",
        "a ?? b",
        "f(a",
        "a.b",
        "a = b",
        "'x",
        "a[1",
        "[a",
        "{a: 1",
        "a ? b",
        "1..2",
        "a; b",
        "@a",
    ],
)
def test_syntax_faults(text):
    with pytest.raises(DefinitionError) as caught:
        compile_expression(text)
    assert caught.value.code == "syntax"


def test_dependencies_are_found_without_evaluation():
    compiled = compile_expression(
        "answered('B') && A + C <= previous('P') * sum_of('T', 'c') && unit_year > 0 && L.exists(x, x == 'q')"
        " || has_previous('Q') && previous_sum_of('U', 'c') > 1.0"
    )
    assert compiled.variables == {"A", "C", "unit_year", "L"}
    assert compiled.guarded == {"B"} and compiled.previous == {"P"} and compiled.previous_guarded == {"Q"}
    assert compiled.tables == {"T"} and compiled.previous_tables == {"U"}
    assert compiled.items == {"A", "B", "C", "L", "P", "Q", "T", "U"}
    assert compiled.current_items == {"A", "B", "C", "L", "T"}


@pytest.mark.parametrize("text", ["previous(a)", "sum_of(a, 'c')", "answered(1)", "has_previous()"])
def test_item_codes_must_be_literal(text):
    with pytest.raises(DefinitionError) as caught:
        compile_expression(text)
    assert caught.value.code == "literal_argument"


@pytest.mark.parametrize(
    "text",
    [
        "a + b * c - 1.5",
        "!(a && b) || c",
        "a ? b : c ? d : e",
        'x in ["q\\"", "\\n"]',
        "{'a': [1.0]}['a'][0]",
        "-(a - -b)",
        "a.exists(v, v.startsWith('x'))",
        "true == false",
        "null != a",
        "// comment\n a",
    ],
)
def test_writing_a_tree_and_reading_it_again(text):
    tree = parse_expression(text)
    assert parse_expression(write(tree)) == tree


NUMBERS = st.decimals(0, 10**9, places=4, allow_nan=False, allow_infinity=False)


@given(st.lists(NUMBERS, min_size=2, max_size=4))
def test_total_equals_its_parts_despite_float_rounding(parts):
    names = [f"p{index}" for index in range(len(parts))]
    values = {name: float(part) for name, part in zip(names, parts, strict=True)}
    values["total"] = float(sum(parts))
    total = " + ".join(names)
    for rule in (f"total == {total}", f"{total} <= total", f"{total} >= total", f"near(total, {total}, 0)"):
        assert evaluate(compile_expression(rule), values) is True
    values["total"] = float(sum(parts) + Decimal("0.001"))
    assert evaluate(compile_expression(f"total == {total}"), values) is False
