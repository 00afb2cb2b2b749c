"""Reads text files with separated values in the encodings of Chinese offices and with any usual separator."""

import codecs
import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterator
from functools import partial

from survey.spreadsheets.cells import Book, BookLimits, Row, Worksheet, text_cell
from survey.untrusted.protocol import FileRefusedError

SEPARATORS = ",\t;|，；｜^~\x1f"
_LOOKED_AT = 20  # lines from which the separator is found
_SAMPLE = 200_000  # bytes from which a Chinese encoding is found
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
# Bytes of the characters in everyday use in the two national encodings: level 1 of GB 2312 and of Big5.
_COMMON = {
    "gb18030": re.compile(rb"[\xb0-\xd7][\xa1-\xfe]"),
    "big5hkscs": re.compile(rb"[\xa4-\xc6][\x40-\x7e\xa1-\xfe]"),
}
_PAIRS = {
    "gb18030": re.compile(rb"[\x81-\xfe][\x30-\x39][\x81-\xfe][\x30-\x39]|[\x81-\xfe][\x40-\x7e\x80-\xfe]"),
    "big5hkscs": re.compile(rb"[\x87-\xfe][\x40-\x7e\xa1-\xfe]"),
}
_NAMES = {"gb18030": "GB18030", "big5hkscs": "Big5", "utf-8": "UTF-8"}
_UNPRINTABLE = re.compile("[\x00-\x08\x0e-\x1e\x7f]")
for _encoding in (*_NAMES, "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"):
    codecs.lookup(_encoding)  # a child opens no file, so it cannot load a codec


def read_book(content: bytes, limits: BookLimits) -> Book:
    """The one sheet of a text file. Raises FileRefusedError, also while rows are iterated."""
    text, encoding = decoded(content)
    separator, text = _separator(text)
    return Book("csv", encoding, [Worksheet("", True, partial(_rows, text, separator, limits))])


def decoded(content: bytes) -> tuple[str, str]:
    """Text and the name of its encoding: UTF-8, UTF-16, UTF-32, GB 18030 (which holds GBK) or Big5.

    Raises FileRefusedError for another encoding and for binary data.
    """
    text, name = _decoded(content)
    if content.startswith((b"%PDF", b"{\\rtf")) or _UNPRINTABLE.search(text[:_SAMPLE]):
        raise FileRefusedError("not_a_table")
    if re.match(r"\s*<(!doctype html|html|table|\?xml|meta)", text[:200], re.IGNORECASE):
        raise FileRefusedError("markup")
    return text, name


def _decoded(content: bytes) -> tuple[str, str]:
    for mark, encoding, name in _BOMS:
        if content.startswith(mark):
            return _strict(content, encoding), name
    if b"\0" in content[:_SAMPLE]:
        return _wide(content), "UTF-16"
    candidates = ["utf-8", *sorted(_COMMON, key=lambda encoding: -_share_of_common(content, encoding))]
    for encoding in candidates:
        try:
            return content.decode(encoding), _NAMES[encoding]
        except UnicodeDecodeError:
            continue
    raise FileRefusedError("encoding")


def _strict(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise FileRefusedError("encoding") from None


def _wide(content: bytes) -> str:
    """UTF-16 without a mark: the order of bytes in which separators or line ends are found."""
    texts = []
    for encoding in ("utf-16-le", "utf-16-be"):
        try:
            texts.append(content.decode(encoding))
        except UnicodeDecodeError:
            continue
    readable = [text for text in texts if re.search(r"[,\t;|\r\n]", text) and not _UNPRINTABLE.search(text)]
    if not readable:
        raise FileRefusedError("not_a_table")
    return readable[0]


def _share_of_common(content: bytes, encoding: str) -> float:
    """Share of everyday characters among those of two bytes or more, if the text has this encoding."""
    sample = content[:_SAMPLE]
    pairs = _PAIRS[encoding].findall(sample)
    return sum(bool(_COMMON[encoding].fullmatch(pair)) for pair in pairs) / len(pairs) if pairs else 0.0


def _separator(text: str) -> tuple[str, str]:
    """The separator of a text, and the text without a line ``sep=;`` that names it."""
    if match := re.match(r'"?sep=(.)"?\r?\n', text):
        return match[1], text[match.end() :]
    lines = [line for line in itertools.islice(io.StringIO(text), 200) if line.strip()][:_LOOKED_AT]
    lines = [line for line in lines if not line.startswith("#")] or lines

    def fitness(separator: str) -> tuple[int, int]:
        """Lines that have the most frequent number of separators, and that number."""
        counts = Counter(re.sub(r'"[^"]*"', "", line).count(separator) for line in lines)
        counts.pop(0, None)
        if not counts:
            return 0, 0
        number, lines_with_it = max(counts.items(), key=lambda entry: (entry[1], entry[0]))
        return lines_with_it, number

    return max(SEPARATORS, key=fitness), text


def _rows(text: str, separator: str, limits: BookLimits) -> Iterator[Row]:
    """The rows that are not blank, each with the line in which it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    begins = 1
    while True:
        try:
            texts = next(reader)
        except StopIteration:
            return
        except csv.Error:  # a quote that never closes makes one cell of the rest of the file
            raise FileRefusedError("broken_csv", line=begins) from None
        line, begins = begins, reader.line_num + 1
        cells = [text_cell(cell[: limits.text + 1]) for cell in texts[: limits.columns + 1]]
        if any(cells):
            yield line, cells
