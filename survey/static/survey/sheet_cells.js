// The cells of an answer sheet: their inputs, what they hold, and the marks beside them. The other scripts of the
// sheet build on it; without it the page is a plain form that saves on its buttons.
(() => {
  "use strict";
  const form = document.querySelector("form[data-sheet]");
  if (!form || !form.querySelector('button[name="go"][value="next"]')) return;
  const texts = form.dataset;
  const bar = document.getElementById("sheet-state");
  const alertBox = document.getElementById("sheet-alert");

  const cellOf = (key) => form.querySelector(`.cell[data-key="${CSS.escape(key)}"]`);
  const boxOf = (cell) => cell.querySelector("[name$='.value']:not([type=radio]):not([type=checkbox])");
  const pickerOf = (cell) => cell.querySelector("select[name$='.unit']");
  const clock = () => new Date().toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", timeZone: "Asia/Shanghai" });

  const show = (key, state, text) => {
    const mark = cellOf(key)?.querySelector(".cell-state");
    if (mark) { mark.textContent = text; mark.dataset.state = state; }
  };
  const showBar = (state, text) => {
    bar.textContent = text;
    bar.dataset.state = state;
  };
  const showAlert = (text, link) => {
    alertBox.replaceChildren();
    if (!text) return;
    const box = document.createElement("div");
    box.className = "notice notice-warn";
    box.setAttribute("role", "alert");
    box.append(`${text} `);
    if (link) {
      const anchor = document.createElement("a");
      anchor.href = link;
      anchor.target = "_blank";
      anchor.rel = "noopener";
      anchor.textContent = texts.textSignIn;
      box.append(anchor);
    }
    alertBox.append(box);
  };
  // The sentence with which the server refused a request.
  const explain = (html) => {
    const holder = document.createElement("template");
    holder.innerHTML = html;
    alertBox.replaceChildren(...[holder.content.querySelector(".notice")].filter(Boolean));
    if (!alertBox.firstChild) showAlert(texts.textRefused);
    alertBox.scrollIntoView({ block: "center" });
  };

  // What is sent for a cell. A unit that still stands in the text is sent as the unit.
  const entriesOf = (cell) => {
    const data = [];
    const split = window.surveyUnits?.split(cell);
    for (const input of cell.querySelectorAll("input, select, textarea")) {
      if (!input.name || input.type === "hidden" || input.disabled) continue;
      if ((input.type === "radio" || input.type === "checkbox") && !input.checked) continue;
      let { value } = input;
      if (split && input.name.endsWith(".value")) value = split.text;
      if (split && input.name.endsWith(".unit")) value = split.unit;
      data.push([input.name, value]);
    }
    return data;
  };
  const baseOf = (cell) => cell.querySelector('input[name$=".base"]')?.value ?? form.elements.revision.value;

  const rowOf = (element) => element.closest(".item-row");
  const nameOf = (cell) => {
    const label = rowOf(cell)?.querySelector(".item-label label, .item-label .label");
    const name = [...(label?.childNodes ?? [])].filter((one) => !one.classList?.contains("required")).map((one) => one.textContent).join("");
    const own = cell.closest("td") ? boxOf(cell)?.getAttribute("aria-label") ?? "" : "";
    return `${name} ${own}`.replace(/\s+/g, " ").trim();
  };
  // The content of a cell in words, for lists of what was typed.
  const wordsOf = (cell) => {
    const ticked = [...cell.querySelectorAll("input:checked")].filter((one) => one.value);
    if (ticked.length) return ticked.map((one) => one.parentElement.textContent.trim()).join("; ");
    const box = boxOf(cell) ?? cell.querySelector("textarea");
    if (!box) return "";
    if (box.tagName === "SELECT") return box.value ? box.selectedOptions[0].textContent.trim() : "";
    const unit = pickerOf(cell)?.selectedOptions[0]?.textContent.trim() ?? cell.querySelector(".unit")?.textContent.trim() ?? "";
    return box.value ? `${box.value} ${window.surveyUnits?.split(cell) ? "" : unit}`.trim() : "";
  };
  // Sets a text field and tells the other scripts, as typing does.
  const fill = (input, value) => {
    input.value = value;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };

  // What appears or goes away elsewhere on the page does not move the cell in which somebody types.
  const steady = (act) => {
    const focused = document.activeElement;
    const before = focused.getBoundingClientRect().top;
    act();
    if (form.contains(focused)) window.scrollBy(0, focused.getBoundingClientRect().top - before);
  };

  window.surveySheet = {
    form, texts, bar, alertBox, cellOf, boxOf, pickerOf, clock, show, showBar, showAlert, explain, entriesOf, baseOf, rowOf,
    nameOf, wordsOf, fill, steady,
  };
})();
