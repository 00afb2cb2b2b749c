"""Telephone numbers as people write them. Pure."""

# Digits in groups, and an extension behind 转, ext., x or #: 010-12345678转802, +86 10 1234 5678 ext. 802.
TELEPHONE = (
    r"^(?=.{7,30}$)[+(（]?[0-9][0-9()（）\- ]{5,}[0-9](?:\s*(?:转|轉|分机|(?i:ext\.?|x)|#)\s*[0-9]{1,6})?$"
)
