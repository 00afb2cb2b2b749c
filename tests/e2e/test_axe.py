"""Every page that a user can reach has no axe violation of any impact, and does not overflow a narrow window.

Each user follows all links, in a wide window and in Chinese; a page is checked unless pages of the same pattern have
shown all its kinds of elements. The first page of a pattern is made narrow for its width, and opened narrow and in English
for axe and its width.
"""

import re
from collections import defaultdict
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.accessible import faults, links, parts, pattern, too_wide, width_set
from tests.e2e.stack import Stack
from tests.e2e.visitor import Visitor

PEOPLE = {
    "nobody": ("",),
    "respondents": tuple(f"cat{number:02d}" for number in range(1, 15)),
    "provinces": ("js", "zj", "bj", "xz"),
    "designer": ("designer",),
    "methodologist": ("methodologist",),
    "reviewer": ("reviewer",),
    "publisher": ("publisher",),
    "sysadmin": ("sysadmin",),
    "secadmin": ("secadmin",),
    "auditor": ("auditor",),
}
WIDE, NARROW = 1440, 390
# Pages that no link leads to: the program sends people there.
UNLINKED = ("/session/confirm/",)
MOST = 70  # pages of one kind of user; more means that links generate URLs without end


@pytest.fixture(scope="module")
def narrow_seen() -> set[str]:
    """Patterns that were checked in a narrow window."""
    return set()


@pytest.fixture(scope="module")
def wide_seen() -> dict[str, set[str]]:
    """By pattern, the kinds of elements that were checked in a wide window."""
    return defaultdict(set)


@pytest.fixture(scope="module")
def finished_run(browser: Browser, stack: Stack) -> None:
    """Result pages show numbers only after a run."""
    context = browser.new_context()
    visitor = Visitor(context, stack.url, "zh-hans")
    visitor.sign_in("methodologist")
    visitor.go("/estimation/runs/new/")
    visitor.page.locator("main form[method=post] .btn-primary").click()
    visitor.page.wait_for_url(re.compile(r"/estimation/runs/\d+/"))
    expect(visitor.page.locator("#progress .pill-good")).to_be_visible(timeout=90_000)
    assert visitor.errors == []
    context.close()


@pytest.mark.parametrize("kind", PEOPLE)
def test_every_page_is_accessible_and_fits_a_telephone(
    visit: Any, finished_run: None, narrow_seen: set[str], wide_seen: dict[str, set[str]], kind: str
) -> None:
    faults_of_pages: list[str] = []
    seen: set[str] = set()
    for username in PEOPLE[kind]:
        starts = ["/", *(UNLINKED if username else ())]
        fresh = list(walk(visit(username, width=WIDE), starts, seen, wide_seen, narrow_seen, faults_of_pages))
        assert not username or set(UNLINKED) <= seen
        if not fresh:
            continue
        visitor = visit(username, language="en", width=NARROW)
        for path in fresh:
            visitor.go(path)
            violations = too_wide(visitor.page) + faults(visitor.page, colours=False)
            faults_of_pages += [f"{username} {path} en, narrow: {violation}" for violation in violations]
    assert len(seen) > 1, "no page was reached"
    assert faults_of_pages == [], "\n".join(faults_of_pages)


def walk(
    visitor: Any,
    starts: list[str],
    seen: set[str],
    checked: dict[str, set[str]],
    narrow_seen: set[str],
    faults_of_pages: list[str],
) -> Any:
    """Follow the links from the first pages, check each new kind of page, and yield the path of each new pattern."""
    queue = list(starts)
    while queue:
        path = queue.pop(0)
        if pattern(path) in seen:
            continue
        answer = visitor.go(path)
        landed = pattern(visitor.page.url.removeprefix(visitor.url))
        is_new = landed not in seen
        seen |= {pattern(path), landed}
        if not is_new or "html" not in answer.headers.get("content-type", ""):
            continue
        # 202: the files of a release are still being made, and the page says so
        assert answer.status in (200, 202), f"{path} answered {answer.status}"
        assert len(seen) <= MOST, seen
        queue.extend(links(visitor.page))
        kinds = parts(visitor.page)
        if is_fresh := pattern(path) not in narrow_seen:
            narrow_seen.add(pattern(path))
            with width_set(visitor.page, NARROW):  # before axe: it cuts long tables short
                faults_of_pages += [f"{path} zh, narrow: {fault}" for fault in too_wide(visitor.page)]
        if not kinds <= checked[landed]:
            checked[landed] |= kinds
            faults_of_pages += [f"{path} zh, wide: {violation}" for violation in faults(visitor.page)]
        if is_fresh:
            yield path


def test_a_fault_in_a_kind_of_element_that_its_pattern_has_not_shown_is_found(browser: Browser) -> None:
    content = "<!DOCTYPE html><html lang='zh'><title>x</title><main><h1>甲</h1><p>{}</p></main></html>"
    page = browser.new_page()
    page.set_content(content.format("乙"))
    assert faults(page) == []
    shown = parts(page)
    page.set_content(content.format("丙"))
    assert parts(page) <= shown  # another text is not checked again
    page.set_content(content.format("<img src='data:,'>"))
    assert not parts(page) <= shown
    assert any(violation.startswith("image-alt") for violation in faults(page))
    page.close()
