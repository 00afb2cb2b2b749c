"""Numbers of a spreadsheet in decimal notation. Pure.

A spreadsheet stores numbers in binary and shows at most 15 digits of them, so 3.3000000000000003 is 3.3.
"""

from decimal import Decimal

DIGITS = 15


def significant(value: float) -> Decimal:
    """The number with the digits that a spreadsheet shows. Raises ValueError for one that is not finite."""
    number = Decimal(format(value, f".{DIGITS}g"))
    if not number.is_finite():
        raise ValueError("not a finite number")
    return number


def plain(number: Decimal) -> str:
    """Decimal notation without trailing zeros; powers of ten from 15 digits on, as a spreadsheet shows them."""
    if number and number.adjusted() >= DIGITS:
        return f"{number.normalize():E}"
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
