"""What a cell shows of the number that it stores."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey.spreadsheets.builtin_formats import BUILTIN
from survey.spreadsheets.cells import KINDS
from survey.spreadsheets.number_formats import day_of, shown, shown_text

ACCOUNTS = '_ * #,##0.00_ ;_ * -#,##0.00_ ;_ * "-"??_ ;_ @_ '


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (0.35, "0%", "35%"),
        (0.0712, "0.00%", "7.12%"),
        (3.3000000000000003, "General", "3.3"),
        (0.1 + 0.2, "General", "0.3"),
        (1 / 3, "General", "0.333333333333333"),
        (1e-7, "General", "0.0000001"),
        (12345678901234.0, "General", "12345678901234"),
        (9.13501e17, "General", "9.13501E+17"),
        (3.2, '0.0" PB"', "3.2 PB"),
        (3.2, 'General" PB"', "3.2 PB"),
        (3.2, 'G/通用格式"TB"', "3.2TB"),
        (100, "#,##0 TB", "100 TB"),
        (5600, "#,##0.00", "5600"),
        (1200.5, "[$¥-804]#,##0.00", "¥1200.5"),
        (5, '#,##0"元"', "5元"),
        (12, '0"次/年"', "12次/年"),
        (111, "0000", "0111"),
        (5551234, "000-0000", "555-1234"),
        (-5, "0;[Red]0", "-5"),
        (-5, "#,##0_);(#,##0)", "-5"),
        (-1234.5, ACCOUNTS, "-1234.5"),
        (0, ACCOUNTS, "0"),
        (0, "0;-0;;@", "0"),
        (7, ";;;", "7"),
        (1, '[=1]"是";[=0]"否"', "是"),
        (0, '[=1]"是";[=0]"否"', "否"),
        (123456, "0.00E+00", "123456"),
        (0.5, "# ?/?", "0.5"),
        (35, "[DBNum1]General", "35"),
        (20000, '[>=10000]0!.0,"万";0', "2.0万"),
        (2e6, "#,##0,", "2000"),
        (0.123, "0.0‰", "0.1‰"),
    ],
)
def test_a_number_is_read_as_its_cell_shows_it(value: float, code: str, text: str) -> None:
    cell = shown(value, code)
    assert cell.text == text


@pytest.mark.parametrize(
    ("value", "code", "text", "stored"),
    [
        (0.354, "0%", "35%", "35.4%"),
        (3.26, '0.0" PB"', "3.3 PB", "3.26 PB"),
        (0.4, "0", "0", "0.4"),
        (-0.4, "0", "0", "-0.4"),
        (2.5, "0", "3", "2.5"),
        (12345, '0!.0,"万"', "1.2万", "12345"),
        (1234567, "#,##0,", "1235", "1234.567"),
        (3.3000000000000003, "0.0", "3.3", ""),
        (5600, "0.00", "5600", ""),
    ],
)
def test_digits_that_a_format_hides_are_kept_beside_what_it_shows(
    value: float, code: str, text: str, stored: str
) -> None:
    assert shown(value, code)[1:] == (text, stored)


@pytest.mark.parametrize(
    ("value", "code", "kind", "text"),
    [
        (43586, 'yyyy"年"m"月"', "date", "2019-05-01"),
        (43586, "e年m月", "date", "2019-05-01"),
        (44562, '[$-804]yyyy"年"m"月"d"日";@', "date", "2022-01-01"),
        (44562, "[$-F800]dddd, mmmm dd, yyyy", "date", "2022-01-01"),
        (44562, "mmm-yy", "date", "2022-01-01"),
        (45000.75, "yyyy/m/d h:mm", "date", "2023-03-15"),
        (0.5625, "h:mm AM/PM", "time", "13:30"),
        (0.5625, '上午/下午h"时"mm"分"', "time", "13:30"),
        (1.5, "[h]:mm", "time", "36:00"),
        (59, "yyyy-m-d", "date", "1900-02-28"),
        (61, "yyyy-m-d", "date", "1900-03-01"),
        (60, "yyyy-m-d", "number", "60"),  # 29 February 1900, which there never was
        (-1, "yyyy-m-d", "number", "-1"),
        (1e9, "yyyy-m-d", "number", "1000000000"),
        (float("inf"), "0", "error", "#NUM!"),
    ],
)
def test_dates_and_times_have_their_kind(value: float, code: str, kind: str, text: str) -> None:
    assert shown(value, code)[:2] == (kind, text)


@pytest.mark.parametrize("number", [14, 15, 17, 22, 27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 57, 58])
def test_built_in_formats_of_days_give_days(number: int) -> None:
    assert shown(43586, BUILTIN[number])[:2] == ("date", "2019-05-01")


@pytest.mark.parametrize("number", [18, 19, 20, 21, 32, 33, 34, 35, 45, 46, 47, 55, 56])
def test_built_in_formats_of_times_give_times(number: int) -> None:
    assert shown(0.5, BUILTIN[number]).kind == "time"


def test_the_date_system_of_1904_begins_later() -> None:
    assert shown(42124, "yyyy-m-d", since_1904=True).text == "2019-05-01"
    assert str(day_of(0, since_1904=True)) == "1904-01-01"


def test_a_format_may_add_a_unit_to_a_text() -> None:
    assert shown_text("3.2", '@" PB"') == "3.2 PB"
    assert shown_text("3.2", "@") == shown_text("3.2", ACCOUNTS) == shown_text("3.2", "General") == "3.2"


@given(st.floats(), st.text(alphabet='0#?.,%E+-/;[]<>=@"\\_* ymdhsG年月!', max_size=25))
def test_every_format_shows_something(value: float, code: str) -> None:
    cell = shown(value, code)
    assert cell.kind in KINDS and isinstance(cell.text, str)


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=4))
def test_a_general_number_of_few_digits_is_exact(number) -> None:
    from decimal import Decimal

    assert Decimal(shown(float(number), "General").text) == number
