"""The printed edition: outline and pictures to a tagged PDF (PDF/UA-1, PDF/A-2a) through Typst. Pure.

Typst was chosen over HTML-to-PDF because it sets Chinese well (punctuation, spacing to Latin, justification),
tags and bookmarks what it sets, embeds subsets, and gives the same bytes for the same input.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from estimation.releases.content.content import Content
from estimation.report.fonts import SANS, SERIF, STATIC
from estimation.report.grid import printed
from estimation.report.outline import FigurePart, Outline, Paragraph, Part, Section, TablePart
from estimation.report.wording import WORDS, word
from survey.printing import typeset_source

if TYPE_CHECKING:  # the package names it in its stubs only
    from typst import PDFStandard

TEMPLATE = Path(__file__).with_name("document.typ")
STANDARDS: "list[PDFStandard]" = ["ua-1", "a-2a"]


def typeset(
    content: Content, outline: Outline, pictures: Mapping[str, str], *, issuer: str = "", moment: int = 0
) -> bytes:
    """PDF of the document.

    pictures : SVG by the code of the figure; issuer : authority on the cover, may be empty
    moment : seconds since 1970 written as the time of making, that of the release, not the current time
    """
    document = print_document(content, outline, pictures, issuer)
    return typeset_source(
        TEMPLATE.read_bytes(), document, standards=STANDARDS, folders=[STATIC], moment=moment
    )


def print_document(
    content: Content, outline: Outline, pictures: Mapping[str, str], issuer: str
) -> dict[str, Any]:
    """The data of the template."""
    language = outline.language
    title = re.sub(r"\s*[（(]?\d{4}年?[)）]?\s*$", "", outline.title)
    sections = [_section(section) for section in outline.sections]
    return {
        "language": language,
        "title": outline.title,
        "cover_title": title or outline.title,
        "other_title": outline.other_title,
        "description": word("synthetic_long", language) if outline.is_synthetic else "",
        "issuer": issuer,
        "year": outline.year,
        "is_synthetic": outline.is_synthetic,
        "digest": outline.digest,
        "code_version": outline.code_version,
        "cite": word("cite", language).format(title=outline.title),
        "fonts": {"sans": SANS, "serif": SERIF},
        "words": {name: text.get(language) for name, text in WORDS.items()},
        "cover": _cover(content),
        "key_figures": [asdict(figure) for figure in outline.key_figures],
        "footnotes": [note.text for note in outline.footnotes],
        "pictures": dict(pictures),
        "sections": sections,
    }


def _cover(content: Content) -> list[dict[str, Any]]:
    """Zettabytes produced by year for the squares of the cover; empty without the figure."""
    figure = next((candidate for candidate in content.figures if candidate.code == "FIG1"), None)
    points = []
    for point in figure.points if figure else ():
        cell = content.cells.get(point.key)
        if cell is not None and cell.value is not None and 0 < cell.value < 200:
            points.append({"x": point.x, "value": cell.value, "printed": printed(cell)})
    return points[-4:]


def _section(section: Section) -> dict[str, Any]:
    parts = [_part(part) for part in section.parts]
    return {
        "place": section.code,
        "level": section.level,
        "number": section.number,
        "heading": section.heading,
        "parts": parts,
    }


def _part(part: Part) -> dict[str, Any]:
    if isinstance(part, Paragraph):
        return {"kind": part.kind, "spans": [asdict(span) for span in part.spans]}
    if isinstance(part, TablePart):
        return {
            "kind": part.kind,
            "number": part.number,
            "grid": {**asdict(part.grid), "is_long": part.grid.is_long},
        }
    if isinstance(part, FigurePart):
        return {**asdict(part), "data": None}
    raise TypeError(f"no such part: {part!r}")
