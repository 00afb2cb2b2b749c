"""A user with a browser: signs in, types answers, reads findings. Errors of pages are collected."""

from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Locator, Page, Response, expect

PASSWORD = "Yanlian-2025-demo"  # printed by ``manage.py demo``
PATIENCE = 90_000  # milliseconds: the machine may be slow
REASON = "系统扩容后口径未变，数据已与机房台账逐项核对。"

# WRITTEN: which of these cells are text fields. WRITE: fills them, with the events of typing.
WRITTEN = """keys => keys.filter(key =>
  document.querySelector(`.cell[data-key="${key}"] input[type=text][name="${key}.value"]:not([list])`))"""
WRITE = """texts => { for (const [key, [text, unit]] of Object.entries(texts)) {
  const cell = document.querySelector(`.cell[data-key="${key}"]`);
  const units = cell.querySelector(`select[name="${key}.unit"]`);
  const box = cell.querySelector(`[name="${key}.value"]`);
  if (units && unit) units.value = unit;
  box.value = text;
  for (const name of ["input", "change"]) box.dispatchEvent(new Event(name, {bubbles: true}));
} }"""
# Pastes a text into the element with an id, as the clipboard gives it.
PASTE = """([id, text]) => {
  const data = new DataTransfer();
  data.setData("text/plain", text);
  document.getElementById(id).dispatchEvent(
    new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
}"""
# Nothing waits on a sheet's page, and nothing is under way.
SAVED = """() => {
  const bar = document.getElementById("sheet-state");
  return bar !== null && !["waiting", "saving"].includes(bar.dataset.state)
    && !document.querySelector('.cell-state[data-state="waiting"], .cell-state[data-state="saving"]');
}"""
NAMES_AND_CLASSES = "all => all.map(element => [element.id, element.className])"
# The address of each form and its fields, with its first kind of reason.
FIELDS = """forms => forms.map(form => {
  form.elements.reason_code.selectedIndex = 1;
  return [form.getAttribute("action"), Object.fromEntries(new FormData(form))];
})"""


class Visitor:
    """A browser window. ``errors`` collects script errors, console errors and answers of 500 and above."""

    def __init__(self, context: BrowserContext, url: str, language: str) -> None:
        self.context, self.url = context, url
        self.page: Page = context.new_page()
        self.errors: list[str] = []
        self.tolerated: tuple[str, ...] = ()
        context.set_default_timeout(PATIENCE)
        context.add_cookies([{"name": "django_language", "value": language, "url": url}])
        self.watch(self.page)

    def watch(self, page: Page) -> None:
        """Listen to a page's errors."""
        page.on("pageerror", lambda error: self._add_error(f"script: {error}"))
        page.on("console", self._read_message)
        page.on("response", self._read)

    def _read_message(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._add_error(f"console: {message.text}")

    def _read(self, response: Response) -> None:
        if response.status >= 500:
            self._add_error(f"{response.status} {response.url}")

    def _add_error(self, text: str) -> None:
        if not any(part in text for part in self.tolerated):
            self.errors.append(f"{self.page.url}: {text}")

    def tolerate(self, *parts: str) -> None:
        """Errors that this test provokes on purpose."""
        self.tolerated = parts

    def go(self, path: str) -> Response:
        """Open a page of the site; again when a navigation of the previous page aborted it."""
        try:
            response = self.page.goto(self.url + path)
        except Error as error:
            if "net::ERR_ABORTED" not in error.message:
                raise
            response = self.page.goto(self.url + path)
        assert response is not None
        return response

    def text(self, selector: str = "main") -> str:
        """The visible text of a part of the page."""
        return self.page.locator(selector).first.inner_text()

    def sign_in(self, username: str) -> None:
        """Through the form, unless this window is signed in already."""
        self.go("/")
        if self.page.locator("input[name=password]").count():
            self.page.fill("input[name=username]", username)
            self.page.fill("input[name=password]", PASSWORD)
            self.page.click("main form .btn-primary")
        expect(self.page.locator(".account-menu")).to_have_count(1)

    # ---- filling -------------------------------------------------------------------------------------

    def open_section(self, sheet: int, code: str) -> None:
        """The page of a section."""
        self.go(f"/sheets/{sheet}/sections/{code}/")

    def begin(self, sheet: int, code: str) -> None:
        """The page of a section, after starting the sheet where nobody has."""
        self.go("/tasks/")
        start = self.page.locator(f'form[action="/sheets/{sheet}/start/"] button')
        if start.count():
            start.first.click()
            self.page.wait_for_load_state()
        self.open_section(sheet, code)

    def cell(self, key: str) -> Locator:
        """The cell with this key, or an empty locator."""
        return self.page.locator(f'.cell[data-key="{key}"]')

    def type_answer(self, key: str, cell: dict[str, Any] | None) -> None:
        """Answer one cell as a person would: type, choose, tick; None empties it."""
        holder = self.cell(key)
        if cell is None:
            box = holder.locator(f'[name="{key}.value"]')
            if box.evaluate("one => one.tagName") == "SELECT":
                box.select_option("")
            else:
                box.fill("")
                box.blur()
            return
        if "missing" in cell:
            details = holder.locator("details.missing")
            if details.get_attribute("open") is None:
                details.locator("summary").click()
            details.locator(f'input[type=radio][value="{cell["missing"]}"]').check()
            return
        value = cell["value"]
        if holder.locator("input[type=checkbox]").count():
            for box in holder.locator("input[type=checkbox]").all():
                box.set_checked(box.get_attribute("value") in value)
        elif holder.locator(f'input[type=radio][name="{key}.value"]').count():
            holder.locator(f'input[type=radio][name="{key}.value"][value="{_code(value)}"]').check()
        elif holder.locator(f'select[name="{key}.value"]').count():
            holder.locator(f'select[name="{key}.value"]').select_option(_code(value))
        else:
            unit = holder.locator(f'select[name="{key}.unit"]')
            box = holder.locator(f'[name="{key}.value"]')
            box.fill(str(cell.get("entered", value)))
            if unit.count() and cell.get("unit"):
                unit.select_option(cell["unit"])
            box.blur()

    def type_answers(self, cells: dict[str, Any]) -> None:
        """Answer many cells of a page: choices one by one, written figures and texts at one go, as a paste does."""
        written = self.page.evaluate(WRITTEN, list(cells))
        for key, cell in cells.items():
            if key not in written or "missing" in (cell or {}):
                self.type_answer(key, cell)
                self.wait_saved()  # a choice may bring cells or take them away
        late = self.page.evaluate(WRITTEN, [key for key in cells if key not in written])
        texts = {
            key: [str(cell.get("entered", cell["value"])), cell.get("unit", "")] if cell else ["", ""]
            for key, cell in cells.items()
            if key in {*written, *late} and "missing" not in (cell or {})
        }
        self.page.evaluate(WRITE, texts)

    def clear(self, key: str) -> None:
        """Empty a cell of a table that an earlier draft has filled."""
        box = self.page.locator(f'input[type=text][name="{key}.value"]')
        if box.count() and box.input_value():
            box.fill("")
            box.blur()

    def fill_section(self, items: list[str], answers: dict[str, Any]) -> None:
        """Every cell of the section that is on the page; again while answers make new cells appear."""
        done: set[str] = set()
        for _ in range(6):
            self.wait_saved()
            keys = self.page.locator(".cell").evaluate_all("cells => cells.map(cell => cell.dataset.key)")
            todo = [key for key in keys if key not in done and (key in answers or "/" in key)]
            if not todo:
                return
            for key in todo:
                done.add(key)
                if key in answers and self.cell(key).is_visible():
                    self.type_answer(key, answers[key])
                elif key not in answers:
                    self.clear(key)
        raise AssertionError(f"{self.page.url}: cells go on appearing")

    def wait_saved(self) -> None:
        """Until the page has nothing left to save. Looks at each frame: expectations look again after 100 ms to 1 s."""
        self.page.wait_for_function(SAVED, timeout=PATIENCE)

    def save(self, to: str = "stay") -> None:
        """Press one of the buttons below the section."""
        self.page.locator(f'.sheet-actions button[name="go"][value="{to}"]').click()
        self.page.wait_for_load_state()

    def findings(self, sheet: int) -> dict[str, list[str]]:
        """Codes of the findings by severity, as the list shows them."""
        self.go(f"/sheets/{sheet}/findings/")
        codes: dict[str, list[str]] = {"hard": [], "soft": [], "notice": []}
        for name, css in self.page.locator('[id^="finding-"]').evaluate_all(NAMES_AND_CLASSES):
            severity = next((s for s in codes if f"finding-{s}" in css), "hard")
            codes[severity].append(name.removeprefix("finding-"))
        return codes

    def explain_all(self, sheet: int) -> int:
        """Give a reason for every soft finding that has none. Returns how many were given.

        The first one in the page; the others by the requests of their forms, without the page after each.
        """
        self.go(f"/sheets/{sheet}/findings/")
        if not (forms := self.page.locator("details.explain[open] form.explain-form")).count():
            return 0
        forms.first.locator("select[name=reason_code]").select_option(index=1)
        forms.first.locator("textarea[name=text]").fill(REASON)
        forms.first.locator("button.btn").click()
        self.page.wait_for_load_state()
        others = forms.evaluate_all(FIELDS)
        for action, fields in others:
            answer = self.page.request.post(
                f"{self.url}{action}", form={**fields, "text": REASON}, max_redirects=0
            )
            assert answer.status == 302, answer.text()
        self.go(f"/sheets/{sheet}/findings/")
        expect(forms).to_have_count(0)
        return 1 + len(others)

    def submit(self, sheet: int) -> None:
        """From the summary through the sign-off to the receipt."""
        self.go(f"/sheets/{sheet}/summary/")
        self.page.locator(f'a[href^="/sheets/{sheet}/submit/"]').first.click()
        for name, value in (
            ("unit_head", "演练负责人"),
            ("stat_head", "演练统计负责人"),
            ("filler", "演练填表人"),
            ("phone", "010-12345678"),
        ):
            self.page.fill(f"[name={name}]", value)
        self.page.check("[name=statement]")
        self.page.locator("main form .btn-primary").click()
        self.page.wait_for_url("**/receipt/")


def _code(value: Any) -> str:
    """The code of an option: yes/no cells hold a boolean."""
    return {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)
