"""What axe and the width of a page say about it, and which pages a person can reach."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

AXE = Axe()
OPTIONS = {
    "rules": {"target-size": {"enabled": True}},  # WCAG 2.2; axe leaves it out by default
    "resultTypes": [
        "violations"
    ],  # the same rules, without the description of every element that passed them
}
ROWS = 12  # of a table: the rows below them come out of the same template, and axe takes its time for each
SHORTEN = "rows => document.querySelectorAll('tbody').forEach(body => [...body.rows].slice(rows).forEach(r => r.remove()))"
# Nothing may scroll sideways but the boxes made for it. When something does, say which element sticks out.
WIDE = """() => {
  const room = window.innerWidth, page = document.scrollingElement;
  if (page.scrollWidth <= room) return "";
  const wide = [...document.querySelectorAll("body *")].filter(one => one.getBoundingClientRect().right > room + 1
    && !one.parentElement.closest(".table-scroll"));
  return `${page.scrollWidth} px: ` + wide.slice(0, 3).map(one => one.outerHTML.slice(0, 120)).join(" | ");
}"""
# What a page is made of: two pages of one pattern that consist of the same parts need one look, not two.
PARTS = """() => [...new Set([...document.querySelectorAll("body *")].map(one =>
  `${one.tagName}.${one.className} ${one.getAttribute("role")} ${one.getAttribute("type")}`))].sort().join()"""
LINKS = """all => all.filter(a => a.origin === location.origin && !a.hasAttribute("download"))
  .map(a => a.pathname + a.search)"""


def faults(page: Page) -> list[str]:
    """Every violation that axe finds on the page, of any impact. Long tables are cut short for it."""
    page.evaluate(SHORTEN, ROWS)
    found: list[dict[str, Any]] = AXE.run(page, options=OPTIONS).response["violations"]
    return [
        f"{one['id']} ({one['impact']}): {node['html'][:160]} – {node.get('failureSummary', '')[:200]}"
        for one in found
        for node in one["nodes"][:3]
        # What a bar that sticks to the edge covers now is free after scrolling; focus under it is another test's.
        if not (one["id"] == "target-size" and "obscured" in node.get("failureSummary", ""))
    ]


def too_wide(page: Page) -> list[str]:
    """The page body scrolls sideways: how wide it is and what sticks out."""
    said = page.evaluate(WIDE)
    return [f"overflow {said}"] if said else []


def parts(page: Page) -> str:
    """The kinds of elements that the page is made of."""
    return str(page.evaluate(PARTS))


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
