"""Vega-Lite to SVG and PNG, always the same bytes for the same document. Pure."""

import json
import re
import threading
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import vl_convert

from estimation.report.figures.theme import FONT
from estimation.report.fonts import STATIC

# What a browser without our font takes instead; the printer and the pixels always have it.
FALLBACK = "Noto Sans CJK SC, PingFang SC, Microsoft YaHei, sans-serif"
SCALE = 2.5  # 240 dots an inch at the printed width of 160 mm

_lock = threading.Lock()


@lru_cache(maxsize=1)
def _prepare() -> None:
    vl_convert.register_font_directory(str(STATIC))


def draw(document: Mapping[str, Any]) -> str:
    """SVG of a chart. Its text stays text, so that it can be searched and read."""
    with _lock:
        _prepare()
        svg = vl_convert.vegalite_to_svg(json.dumps(document, sort_keys=True, ensure_ascii=False))
    return _stable(svg)


def size_of(svg: str) -> tuple[int, int]:
    """Width and height in pixels, so that a page can reserve the area of the picture. Raises ValueError for another SVG."""
    head = svg[: svg.find(">", svg.find("<svg")) + 1]
    matches = [re.search(rf'\b{re.escape(name)}="([\d.]+)', head) for name in ("width", "height")]
    if None in matches:
        raise ValueError("the picture does not say its size")
    width, height = (round(float(match[1])) for match in matches if match)
    return width, height


def rasterise(svg: str) -> bytes:
    """PNG of an SVG."""
    with _lock:
        _prepare()
        png: bytes = vl_convert.svg_to_png(svg, scale=SCALE)
    return png


def _stable(svg: str) -> str:
    """Clip paths are numbered by a counter of the process; number them by their order in the picture."""
    names = list(dict.fromkeys(re.findall(r'id="((?:clip|gradient_)\d+)"', svg)))
    for number, name in enumerate(names):
        svg = re.sub(rf"\b{re.escape(name)}\b", f"part{number}", svg)
    return svg.replace(f'font-family="{FONT}"', f'font-family="{FONT}, {FALLBACK}"')
