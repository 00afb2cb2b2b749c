"""Number formats: what a cell shows of the number that it stores. Pure.

``shown`` gives a number as its format shows it: percent, scaled by thousands, with a unit that stands only in the
format, rounded, with leading zeros, or as a date. Grouping and trailing zeros are left out, a negative number has a
minus sign however its format marks it, and a number that its format hides is given as it is stored.
"""

import datetime as dt
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from survey.spreadsheets.builtin_formats import GENERAL
from survey.spreadsheets.cells import Cell
from survey.spreadsheets.numbers import DIGITS, plain, significant

LONGEST = 255  # characters of a format, as the spreadsheet programs have it
_TOKEN = re.compile(
    r"""
    "(?P<quoted>[^"]*)"? | [\\!](?P<escaped>.) | (?P<space>_.?|\*.?) | \[(?P<bracket>[^\]]*)\]
    | (?P<general>General|G/通用格式|通用格式) | (?P<power>E[+-]) | (?P<noon>上午/下午|AM/PM|A/P)
    | (?P<digit>[0\#?]) | (?P<date>[ymdhsegba]) | (?P<other>.)
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)(-?\d+(?:\.\d+)?)")
_COMPARE: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "<>": operator.ne,
}
_DASHES = frozenset("-—–－ ")


@dataclass(slots=True)
class Section:
    """One of the up to four parts of a format."""

    prefix: str = ""
    body: list[str] = field(default_factory=list)  # 0, #, ? before the point; other texts stand between them
    places: int = 0
    suffix: str = ""
    percents: int = 0
    thousands: int = 0  # commas behind the last digit
    letters: str = ""  # of dates and times
    is_elapsed: bool = False
    is_general: bool = False
    is_text: bool = False
    is_exact: bool = False  # powers of ten and fractions: shown with all digits
    condition: tuple[str, Decimal] | None = None

    @property
    def has_digits(self) -> bool:
        """Whether the section shows the number at all."""
        return bool(self.body or self.places or self.is_general)


def shown(value: float, code: str, *, since_1904: bool = False) -> Cell:
    """A number as a cell with the format ``code`` shows it."""
    try:
        number = significant(value)
    except ValueError:
        return Cell("error", "#NUM!")
    if code == GENERAL or len(code) > LONGEST:
        return Cell("number", plain(number))
    section, is_unsigned = _section(code, number)
    if section.letters:
        return _moment(value, section, since_1904=since_1904) or Cell("number", plain(number))
    if not section.has_digits:
        literal = section.prefix.strip()
        return Cell("number", plain(number)) if set(literal) <= _DASHES else Cell("text", literal)
    prefix, suffix = section.prefix, section.suffix
    if is_unsigned and number < 0:
        prefix, suffix = (re.sub(r"[-()（）]", "", text) for text in (prefix, suffix))
    if not number and set(prefix) <= _DASHES:  # accounts show a dash for zero
        prefix = ""
    scaled = number.scaleb(2 * section.percents - 3 * section.thousands)
    text, exact = _digits(section, abs(scaled)), plain(abs(scaled))
    sign = "-" if number < 0 and text.strip("0.") else ""
    stored = ""
    if section.is_exact:
        pass
    elif any(part not in "0#?" for part in section.body):
        stored = "" if re.sub(r"\D", "", text) == exact else plain(number)
    elif Decimal(text) != Decimal(exact):
        stored = f"{'-' if number < 0 else ''}{prefix}{exact}{suffix}".strip()
    return Cell("number", f"{sign}{prefix}{text}{suffix}".strip(), stored)


def shown_text(text: str, code: str) -> str:
    """A text as its cell shows it: a format may add a unit to it."""
    if code == GENERAL or "@" not in code or len(code) > LONGEST:
        return text
    section = next((part for part in reversed(_sections(code)) if part.is_text), None)
    return f"{section.prefix}{text}{section.suffix}".strip() if section is not None else text


def _section(code: str, number: Decimal) -> tuple[Section, bool]:
    """The section that shows ``number``, and whether it shows a negative number without its sign."""
    sections = [part for part in _sections(code) if not part.is_text or part.has_digits] or [Section()]
    if any(part.condition for part in sections):
        for index, part in enumerate(sections):
            if part.condition is None or _COMPARE[part.condition[0]](number, part.condition[1]):
                return part, index > 0
        return Section(is_general=True), False
    if number < 0 and len(sections) > 1:
        return sections[1], True
    return (sections[2] if number == 0 and len(sections) > 2 else sections[0]), False


@lru_cache(maxsize=1000)
def _sections(code: str) -> list[Section]:
    parts: list[list[re.Match[str]]] = [[]]
    for token in _TOKEN.finditer(code):
        if token["other"] == ";":
            parts.append([])
        else:
            parts[-1].append(token)
    return [_section_of(tokens) for tokens in parts[:4]]


def _section_of(tokens: list[re.Match[str]]) -> Section:
    section, after_point = Section(), False
    literals: list[str] = []  # since the last digit

    def begin() -> None:
        """The literals so far stand before the number, or between two of its digits."""
        if section.has_digits or section.is_text:
            section.body += [] if after_point else literals
        else:
            section.prefix = "".join(literals)
        literals.clear()

    for token in tokens:
        other = token["other"] or ""
        if token["digit"]:
            begin()
            if after_point:
                section.places += 1
            else:
                section.body.append(token["digit"])
            section.thousands = 0
        elif token["general"]:
            begin()
            section.is_general = True
        elif other == "@":
            begin()
            section.is_text = True
        elif (token["date"] or token["noon"]) and not section.has_digits:
            section.letters += (token["date"] or "h").lower()
        elif token["bracket"] is not None:
            literals += _bracket(token["bracket"], section)
        elif token["power"] or (other == "/" and section.body):
            section.is_exact = True
        elif other == "." and not after_point and not section.letters:
            begin()
            after_point = True
        elif other == "," and section.has_digits:
            section.thousands += 1
        elif other == "%":
            section.percents += 1
            literals.append("%")
        elif not token["space"]:
            literals.append(token["quoted"] or token["escaped"] or token["date"] or other)
    if section.has_digits or section.is_text:
        section.suffix = "".join(literals)
    else:
        section.prefix = "".join(literals)
    return section


def _bracket(content: str, section: Section) -> list[str]:
    """A condition, a currency, an elapsed time; colours and languages show nothing."""
    if match := _CONDITION.fullmatch(content):
        section.condition = match[1], Decimal(match[2])
    elif content.startswith("$"):
        return [content[1:].partition("-")[0]]
    elif content and set(content.lower()) <= set("hms"):
        section.letters, section.is_elapsed = section.letters + content.lower(), True
    return []


def _digits(section: Section, number: Decimal) -> str:
    """The digits of a number without its sign."""
    if section.is_general or section.is_exact or number.adjusted() >= DIGITS:
        return plain(number)
    rounded = number.quantize(Decimal(1).scaleb(-section.places), ROUND_HALF_UP)
    whole, _point, fraction = format(rounded, "f").partition(".")
    fraction = fraction.rstrip("0")
    places = [part for part in section.body if part in "0#?"]
    if len(places) == len(section.body):
        whole = whole.zfill(max(1, places.count("0")))
    else:
        whole = _filled(section.body, whole if whole != "0" else "")
    return f"{whole}.{fraction}" if fraction else whole


def _filled(body: list[str], digits: str) -> str:
    """The digits in their places from right to left, with the texts between them."""
    result, left, places = "", digits, sum(part in "0#?" for part in body)
    for part in reversed(body):
        if part not in "0#?":
            result = part + result if left or "0" in body else result
            continue
        places -= 1
        taken = left if not places else left[-1:]
        left = "" if not places else left[:-1]
        result = (taken or ("0" if part == "0" else "")) + result
    return result


def _moment(value: float, section: Section, *, since_1904: bool) -> Cell | None:
    """A date or a time; None for a number that is neither."""
    letters = section.letters
    is_time = bool(set(letters) & set("hs")) and not set(letters) & set("ydega")
    if is_time or (0 <= value < 1 and not since_1904):
        seconds = round((value if section.is_elapsed else value % 1) * 86400)
        hours, rest = divmod(seconds, 3600)
        minutes, seconds = divmod(rest, 60)
        return Cell("time", f"{hours:02d}:{minutes:02d}" + (f":{seconds:02d}" if seconds else ""))
    day = day_of(value, since_1904=since_1904)
    return Cell("date", day.isoformat()) if day else None


def day_of(value: float, *, since_1904: bool) -> dt.date | None:
    """The day of a number of days in one of the two date systems; None for one without such a day.

    The system of 1900 has a 29 February 1900, which is day 60.
    """
    days = int(value // 1)
    if since_1904:
        first = dt.date(1904, 1, 1)
    elif days == 60:
        return None
    else:
        first = dt.date(1899, 12, 30) if days > 60 else dt.date(1899, 12, 31)
    try:
        return first + dt.timedelta(days) if value >= 0 else None
    except OverflowError:
        return None
