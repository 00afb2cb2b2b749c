"""The HTML edition: the outline through the template, as one file that needs no other. Pure of data access."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.template.loader import render_to_string

from estimation.report.figures.drawing import size_of
from estimation.report.outline import FigurePart, Outline, Paragraph, Section, TablePart
from estimation.report.wording import HTML_LANGUAGES, WORDS

STYLE = Path(__file__).parents[2] / "static" / "estimation" / "report.css"


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure with the address of its picture, and its size in pixels."""

    part: FigurePart
    src: str
    width: int
    height: int

    def __getattr__(self, name: str) -> Any:
        return getattr(self.part, name)


def html_document(outline: Outline, pictures: Mapping[str, str], *, issuer: str = "") -> bytes:
    """The page. ``pictures`` : SVG by the code of the figure, which go into the file."""
    sources = {
        code: f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
        for code, svg in pictures.items()
    }
    context = {
        **page_context(outline, sources, {code: size_of(svg) for code, svg in pictures.items()}),
        "outline": outline,
        "issuer": issuer,
        "css": _style(),
        "html_language": HTML_LANGUAGES[outline.language],
    }
    return render_to_string("estimation/report/document/document.html", context).encode()


@lru_cache(maxsize=1)
def _style() -> str:
    return STYLE.read_text(encoding="utf-8")


def page_context(
    outline: Outline, sources: Mapping[str, str], sizes: Mapping[str, tuple[int, int]]
) -> dict[str, Any]:
    """The context of the partials of the template.

    sources, sizes : address, and width and height in pixels, of each picture by the code of its figure
    """
    return {
        "sections": [section_context(section, sources, sizes) for section in outline.sections],
        "key_figures": outline.key_figures,
        "footnotes": [
            {"number": note.number, "text": note.text, "calls": note.calls, "back": range(1, note.calls + 1)}
            for note in outline.footnotes
        ],
        "words": {name: text.get(outline.language) for name, text in WORDS.items()},
        "gap": " " if outline.language == "en" else "",
    }


def section_context(
    section: Section, sources: Mapping[str, str], sizes: Mapping[str, tuple[int, int]]
) -> dict[str, Any]:
    """A section with the addresses and sizes of its pictures."""
    parts: list[Paragraph | TablePart | Picture] = [
        Picture(part, sources[part.code], *sizes[part.code]) if isinstance(part, FigurePart) else part
        for part in section.parts
    ]
    return {
        "anchor": section.anchor,
        "level": section.level,
        "number": section.number,
        "heading": section.heading,
        "parts": parts,
    }
