"""Accessibility violations and horizontal overflow of a page, and the pages that it links to."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

AXE = Axe()
RULES = {"target-size": {"enabled": True}}  # WCAG 2.2; axe leaves it out by default
OPTIONS = {
    "resultTypes": [
        "violations"
    ],  # the same rules, without the description of every element that passed them
}
ROWS = 12  # of a table: further rows come from the same template, and axe is slow
SHORTEN = "rows => document.querySelectorAll('tbody').forEach(body => [...body.rows].slice(rows).forEach(r => r.remove()))"
# Only .table-scroll may scroll horizontally. Names the elements that overflow otherwise.
WIDE = """() => {
  const width = window.innerWidth, page = document.scrollingElement;
  if (page.scrollWidth <= width) return "";
  const wide = [...document.querySelectorAll("body *")].filter(element => element.getBoundingClientRect().right > width + 1
    && !element.parentElement.closest(".table-scroll"));
  return `${page.scrollWidth} px: ` + wide.slice(0, 3).map(element => element.outerHTML.slice(0, 120)).join(" | ");
}"""
# Kinds of elements of a page: a page is checked unless others of its pattern have shown all its kinds.
PARTS = """() => [...new Set([...document.querySelectorAll("body *")].map(element =>
  `${element.tagName}.${element.className} ${element.getAttribute("role")} ${element.getAttribute("type")}`))]"""
LINKS = """all => all.filter(a => a.origin === location.origin && !a.hasAttribute("download"))
  .map(a => a.pathname + a.search)"""


def faults(page: Page, *, colours: bool = True) -> list[str]:
    """Every violation that axe finds on the page, of any impact. Long tables are cut short for it.

    colours : contrasts are computed, too, which takes up to two thirds of the time; they depend on neither width nor language
    """
    page.evaluate(SHORTEN, ROWS)
    options = {**OPTIONS, "rules": {**RULES, "color-contrast": {"enabled": colours}}}
    violations: list[dict[str, Any]] = AXE.run(page, options=options).response["violations"]
    return [
        f"{violation['id']} ({violation['impact']}): {node['html'][:160]} – {node.get('failureSummary', '')[:200]}"
        for violation in violations
        for node in violation["nodes"][:3]
        # A sticky bar covers it only until the page is scrolled; test_keyboard checks the focus under it.
        if not (violation["id"] == "target-size" and "obscured" in node.get("failureSummary", ""))
    ]


def too_wide(page: Page) -> list[str]:
    """The width of a page that scrolls horizontally, and the elements that overflow."""
    overflow = page.evaluate(WIDE)
    return [f"overflow {overflow}"] if overflow else []


@contextmanager
def width_set(page: Page, width: int) -> Iterator[None]:
    """The window with another width; the page is laid out anew, and again at the end."""
    former = page.evaluate("window.innerWidth")
    _set_width(page, width)
    yield
    _set_width(page, former)


def _set_width(page: Page, width: int) -> None:
    size = page.viewport_size
    assert size is not None
    page.set_viewport_size({"width": width, "height": size["height"]})
    page.wait_for_function("width => window.innerWidth === width", arg=width)


def parts(page: Page) -> set[str]:
    """The kinds of elements that the page is made of."""
    return set(page.evaluate(PARTS))


def pattern(path: str) -> str:
    """Pages that differ only in the row or the filter they show are one page; another view (show) is not."""
    parts = urlsplit(path)
    view = "&".join(value for name, value in parse_qsl(parts.query) if name == "show")
    path = re.sub(r"/(cells|tables|explore/section)/[^/]+/", r"/\1/K/", parts.path)  # named by letters
    return re.sub(r"\d+", "N", path) + (f"?{view}" if view else "")


def links(page: Page) -> Iterator[str]:
    """Addresses on this site that a page leads to, without downloads."""
    for path in dict.fromkeys(page.locator("a[href]:not([download])").evaluate_all(LINKS)):
        if "download" not in path and not path.startswith("/static/"):
            yield path
