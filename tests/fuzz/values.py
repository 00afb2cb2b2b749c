"""Values that programs often do not expect, for forms, addresses, headers and JSON bodies."""

from random import Random
from typing import Any

LONE_SURROGATE = "\ud800"
TEXTS = (
    "",
    " ",
    "\x00",
    "a\x00b",
    LONE_SURROGATE,
    f"a{LONE_SURROGATE}b",
    "²",
    "٣",
    "１２",
    "Ⅷ",
    "½",
    "-1",
    "-0",
    "0",
    "1",
    "+1",
    "1_000",
    " 7 ",
    "0x10",
    "1.0",
    "1,5",
    "1e400",
    "-1e400",
    "1e-400",
    "9e99999999",
    "0.1e1000000000",
    "1" + "0" * 400,
    "9" * 5000,
    "NaN",
    "sNaN",
    "Infinity",
    "-Infinity",
    "1e308",
    "99999",
    "2147483648",
    "9223372036854775808",
    "99999999999999999999",
    "9999-99-99",
    "2026-02-30",
    "0000-01-01",
    "0001-01-01",
    "9999-12-31",
    "10000-01-01",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59-14:00",
    "24:00",
    "../../etc/passwd",
    "..\\..\\x",
    "/etc/passwd",
    "//evil.example/",
    "https://evil.example/",
    "javascript:alert(1)",
    "%00",
    "%ED%A0%80",
    "a\r\nSet-Cookie: x=1",
    "'\";--",
    "<script>alert(1)</script>",
    "{{ 7|add:7 }}",
    "{% now %}",
    "%s%d%(x)s",
    "{0.__class__}",
    "$(id)",
    "=1+1",
    "true",
    "null",
    "[]",
    "{}",
    "on",
    "\u202e",
    "\ufeff",
    "😀",
    "a" * 300,
    "测" * 3000,
    "e\u0301" * 50,
    "\\",
    "(",
    "[a-",
    "*",
    "all",
    "none",
    "null\n",
    "\x1b[0m",
    "\x85",
    "\u2028",
    "000000",
    "320000",
    "P01",
    "zh",
    "2025",
    "2026",
    "total",
    "nation",
    "CAT12",
    "region",
    "section",
)
NUMBERS = (
    0,
    -1,
    1,
    10**400,
    -(10**400),
    2**31,
    2**63,
    1.5,
    -0.0,
    1e308,
    float("nan"),
    float("inf"),
    float("-inf"),
)


def text(random: Random) -> str:
    """One text; now and then a very long one."""
    if random.random() < 0.01:
        return random.choice(("x", "9", "测", "[", "&")) * 200_000
    if random.random() < 0.1:
        return random.choice(TEXTS) + random.choice(TEXTS)
    return random.choice(TEXTS)


def json_value(random: Random, depth: int = 0) -> Any:
    """Any value that a JSON body can hold, also those that the standard does not allow (NaN)."""
    kind = random.randrange(8 if depth < 3 else 4)
    if kind < 2:
        return text(random)
    if kind == 2:
        return random.choice(NUMBERS)
    if kind == 3:
        return random.choice((None, True, False))
    if kind == 4:
        return nested(random)
    if kind == 5:
        return [json_value(random, depth + 1) for _ in range(random.randrange(4))]
    return {text(random)[:50]: json_value(random, depth + 1) for _ in range(random.randrange(4))}


def nested(random: Random) -> Any:
    """A list or an object in itself, up to 500 levels deep."""
    value: Any = 1
    for _ in range(random.choice((1, 5, 60, 500))):
        value = [value] if random.random() < 0.5 else {"a": value}
    return value
