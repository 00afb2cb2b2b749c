"""One stack and one browser for all browser tests; they are skipped with a message where no Chromium is.

Both live as long as the tests of this folder and not longer: Playwright keeps an event loop running, and
Django's database layer refuses to work beside one.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from tests.e2e.stack import ROOT, Stack
from tests.e2e.visitor import PATIENCE, Visitor

expect.set_options(timeout=PATIENCE)
FOLDER = Path(__file__).resolve().parent
# Tried in this order; CHROMIUM chooses another one by name or path. The headless shell is the same engine
# without windows.
CANDIDATES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def find_chromium() -> str | None:
    """Path of the browser; None when the machine has none. Raises LookupError when CHROMIUM names none."""
    if not (chosen := os.environ.get("CHROMIUM", "")):
        return next(filter(None, map(shutil.which, CANDIDATES)), None)
    if path := shutil.which(chosen):
        return path
    raise LookupError(f"CHROMIUM={chosen}: no such program")


CHROMIUM = find_chromium()
# A browser with windows loads a page for the address bar's suggestions with every window: three times the CPU
# time of the headless shell for opening one. Playwright has a list of disabled features, too, and the last
# one counts, so its entries that matter to a single site are repeated.
DISABLED = (
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "PreloadTopChromeWebUI",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay",
    "MediaRouter",
    "PaintHolding",
    "OptimizationHints",
    "NetworkTimeServiceQuerying",
    "AimEnabled",
    "PreconnectToSearch",
)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", f"--disable-features={','.join(DISABLED)}"]


FILING = ("test_categories", "test_story")  # these file the drafts that the other tests type in


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here drives a browser; those that file a sheet come last."""
    positions = [position for position, item in enumerate(items) if FOLDER in item.path.parents]
    ordered = sorted((items[position] for position in positions), key=lambda item: item.path.stem in FILING)
    for position, item in zip(positions, ordered, strict=True):
        items[position] = item
        item.add_marker(pytest.mark.browser)
        if CHROMIUM is None and not os.environ.get("CI"):
            item.add_marker(pytest.mark.skip(reason="no Chromium on this machine: browser tests skipped"))


@pytest.fixture(scope="package")
def stack() -> Iterator[Stack]:
    """The running system with a small rehearsal country."""
    stack = Stack(ROOT / ".local" / "e2e")
    stack.start()
    yield stack
    assert stack.stop() == 0, stack.log()[-2000:]
    assert stack.children() == []
    with pytest.raises(LookupError):
        stack.broker()


@pytest.fixture(scope="package")
def plans(stack: Stack) -> dict[str, Any]:
    """A complete sheet for each demonstration account."""
    sheets: dict[str, Any] = stack.manage(
        "from tests.e2e.complete_sheets import print_sheets; print_sheets()"
    )
    return sheets


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """The driver."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """One Chromium."""
    assert CHROMIUM, "CI must have a Chromium"
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture(scope="package")
def signed_in() -> dict[str, Any]:
    """Sessions by account, so that a test that signs in again does not count as an attempt."""
    return {}


@pytest.fixture
def visit(browser: Browser, stack: Stack, signed_in: dict[str, Any]) -> Iterator[Callable[..., Visitor]]:
    """Opens a browser window for a user; each must close without a script error or server error."""
    opened: list[Visitor] = []

    def open_window(username: str = "", *, language: str = "zh-hans", **options: Any) -> Visitor:
        context = browser.new_context(
            viewport={"width": options.pop("width", 1440), "height": 900},
            storage_state=signed_in.get(username),
            **options,
        )
        visitor = Visitor(context, stack.url, language)
        opened.append(visitor)
        if username:
            visitor.sign_in(username)
            signed_in[username] = context.storage_state()
        return visitor

    yield open_window
    errors = [error for visitor in opened for error in visitor.errors]
    for visitor in opened:
        visitor.context.close()
    assert errors == []
