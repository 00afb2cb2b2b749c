// Keys of an answer sheet: Enter and the arrows go from cell to cell, Tab from answer to answer; help, unit, "no figure",
// remark and whatever else a row offers are one key away. Escape leads back to the answer.
(() => {
  "use strict";
  const sheet = window.surveySheet;
  if (!sheet) return;
  const { form, texts, rowOf, boxOf, pickerOf } = sheet;
  const EVERYWHERE = "survey:tab-everywhere"; // in the browser's storage: Tab stops at everything
  const TOOLS = "a[href], button, summary, select, input:not([type=hidden]), textarea, [tabindex]";

  // ---- where one can stop ----------------------------------------------------------------------------------
  // The input of a cell that takes the focus: the chosen one of a group, or its first.
  const stopOf = (cell) => {
    const box = boxOf(cell);
    if (box) return box.readOnly || box.disabled ? null : box;
    const group = [...cell.querySelectorAll("input[name$='.value']:not(:disabled)")];
    return group.find((one) => one.type === "radio" && one.checked) ?? group[0] ?? null;
  };
  const isAnswer = (element) => Boolean(element.name?.endsWith(".value") && element.closest(".cell"));
  // The page as lines of stops: an item is a line with one stop, each row of a table a line with one for each column.
  const lines = () => [...form.querySelectorAll(".item-row:not([hidden])")].flatMap((row) => {
    const own = [...row.querySelectorAll(".item-answer .cell")].map(stopOf).filter(Boolean);
    const body = row.querySelector(".answer-table")?.tBodies[0];
    const inner = [...(body?.rows ?? [])].map((line) => [...line.querySelectorAll(".cell")].map(stopOf));
    return [...own.map((one) => [one]), ...inner].filter((line) => line.some(Boolean));
  });
  const placeOf = (input) => {
    const cell = input.closest(".cell");
    const all = lines();
    const line = all.findIndex((one) => one.some((stop) => stop && cell.contains(stop)));
    return { all, line, column: line < 0 ? -1 : all[line].findIndex((stop) => stop && cell.contains(stop)) };
  };
  const tableOf = (stop) => stop?.closest(".answer-table") ?? null;
  const focusOn = (input) => {
    if (!input) return false;
    input.focus();
    if (input.matches("input[type=text], textarea")) input.select();
    (input.closest("td") ?? rowOf(input) ?? input).scrollIntoView({ block: "nearest", inline: "nearest" });
    return true;
  };

  const go = (input, down, right) => {
    const { all, line, column } = placeOf(input);
    if (line < 0) return false;
    if (right) return focusOn(all[line][column + right]);
    const next = all[line + down];
    const first = next?.find(Boolean);
    if (first && tableOf(first) === tableOf(input)) return focusOn(next[column] ?? first);
    if (down > 0 && tableOf(input) && window.surveyTables?.grow(tableOf(input), 1, true)) return go(input, down, 0);
    if (first) return focusOn(first);
    return down > 0 && focusOn(form.querySelector('.sheet-actions button[name="go"][value="next"]'));
  };

  // ---- keys ------------------------------------------------------------------------------------------------
  const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  // Whether an arrow leaves the input, or moves the caret in its text.
  const leaves = (input, key) => {
    if (!input.matches("input[type=text], textarea")) return true;
    const { selectionStart: start, selectionEnd: end, value } = input;
    const oneLine = input.tagName === "INPUT" || input.clientHeight < 2 * parseFloat(getComputedStyle(input).lineHeight);
    if (key === "ArrowUp" || key === "ArrowDown") return oneLine || (start === end && start === (key === "ArrowUp" ? 0 : value.length));
    if (start === 0 && end === value.length) return true; // the whole text is marked: one has just arrived
    return start === end && (key === "ArrowLeft" ? start === 0 : end === value.length);
  };
  const onAnswer = (event, input) => {
    const { key, shiftKey, altKey } = event;
    const isText = input.tagName === "TEXTAREA";
    if (key === "Enter" && (altKey || (isText && shiftKey))) {
      if (isText && altKey) input.setRangeText("\n", input.selectionStart, input.selectionEnd, "end");
      if (isText && altKey) input.dispatchEvent(new Event("input", { bubbles: true }));
      return;
    }
    if (altKey || input.getAttribute("aria-expanded") === "true") return;
    if (key === "Enter") {
      if (input.list) return; // a choice from the browser's own list; the submit that may follow is caught below
      event.preventDefault();
      go(input, shiftKey ? -1 : 1, 0);
      return;
    }
    const step = STEPS[key];
    if (!step || shiftKey || input.list || !leaves(input, key)) return;
    if (step[1] && !tableOf(input) && input.matches("input[type=text], textarea")) return; // there the caret moves
    const group = [...input.closest(".cell").querySelectorAll(`input[type=${input.type}][name$='.value']`)];
    if (step[1] && input.type === "radio") return; // left and right choose, as in every group of radio buttons
    if (step[1] && input.type === "checkbox") focusOn(group[group.indexOf(input) + step[1]]);
    else if (!step[1] || tableOf(input)) { if (!go(input, ...step) && input.type === "text") return; }
    event.preventDefault(); // nothing else may change the answer
  };

  const openAt = (details, selector) => {
    if (!details) return null;
    details.open = true;
    return details.querySelector(selector);
  };
  const help = (row) => {
    const details = row.querySelector("details.definition:not(.note)");
    if (!details) return false;
    details.open = !details.open;
    window.survey?.announce(details.open ? details.textContent.replace(/\s+/g, " ") : details.querySelector("summary").textContent);
    details.scrollIntoView({ block: "nearest" });
    return true;
  };
  const clickOn = (button) => { if (button) button.click(); return Boolean(button); };
  const toEnd = (input) => {
    if (input?.matches("input[type=text], textarea")) input.setSelectionRange(input.value.length, input.value.length);
    return Boolean(input);
  };
  const ACTIONS = {
    F1: (row) => help(row),
    F2: (row, cell) => toEnd(cell && stopOf(cell)),
    KeyH: (row) => help(row),
    KeyU: (row, cell) => focusOn(cell && pickerOf(cell)),
    KeyN: (row) => focusOn(openAt(row.querySelector("details.missing"), "input:checked, input")),
    KeyR: (row) => focusOn(openAt(row.querySelector("details.note"), "textarea")),
    KeyM: (row) => focusOn(row.querySelector(".item-feedback a, .item-feedback button, .unit-note button, td .suggestion button")),
    KeyL: (row, cell) => clickOn((cell ?? row).querySelector("[data-as-last]:not([hidden])") ?? row.querySelector("[data-as-last]:not([hidden])")),
    KeyS: (row) => clickOn(row.querySelector("[data-fill-sum]:not([hidden])")),
  };
  const onKey = (event) => {
    const { target, key, code, altKey, ctrlKey, metaKey, shiftKey } = event;
    if (event.defaultPrevented || event.isComposing || event.keyCode === 229) return;
    if (key === "Enter" && (ctrlKey || metaKey)) {
      event.preventDefault();
      form.requestSubmit(form.querySelector('button[name="go"][value="next"]'));
      return;
    }
    const row = rowOf(target);
    if (!row || ctrlKey || metaKey) return;
    const act = key === "F1" || key === "F2" ? ACTIONS[key] : altKey && !shiftKey && ACTIONS[code];
    if (act) {
      event.preventDefault();
      if (!act(row, target.closest(".cell"))) window.survey?.announce(texts.textNone);
      return;
    }
    if (isAnswer(target)) onAnswer(event, target);
    else if (key === "Escape" || (key === "Enter" && target.matches("select, input"))) back(event, row);
  };
  const back = (event, row) => {
    const cell = event.target.closest(".cell");
    event.preventDefault();
    const own = cell && !cell.closest(".note") && stopOf(cell);
    focusOn(own || [...row.querySelectorAll(".item-answer .cell, .item-table .cell")].map(stopOf).find(Boolean));
  };

  // ---- Tab goes from answer to answer ------------------------------------------------------------------------
  const everywhere = () => { try { return localStorage.getItem(EVERYWHERE) === "yes"; } catch { return false; } };
  const SHORTCUTS = [["details.definition:not(.note) > summary", "F1 Alt+H"], ["select[name$='.unit']", "Alt+U"],
    ["details.missing > summary", "Alt+N"], ["details.note > summary", "Alt+R"], ["[data-as-last]", "Alt+L"], ["[data-fill-sum]", "Alt+S"]];
  const isTool = (one) => {
    if (one.closest(".conflict, .query, .unit-note")) return false;
    if (!isAnswer(one)) return true;
    return one.type === "checkbox" && one !== stopOf(one.closest(".cell"));
  };
  const tidy = () => {
    const all = everywhere();
    for (const one of form.querySelectorAll(".item-row")) {
      for (const [selector, keys] of SHORTCUTS) for (const tool of one.querySelectorAll(selector)) tool.setAttribute("aria-keyshortcuts", keys);
      for (const tool of one.querySelectorAll(TOOLS)) {
        if (tool.dataset.tab === undefined && tool.getAttribute("tabindex") !== "-1" && isTool(tool)) tool.dataset.tab = tool.getAttribute("tabindex") ?? "";
        if (tool.dataset.tab === undefined) continue;
        if (!all) tool.setAttribute("tabindex", "-1");
        else if (tool.dataset.tab) tool.setAttribute("tabindex", tool.dataset.tab);
        else tool.removeAttribute("tabindex");
      }
    }
  };
  const showHelp = () => {
    const box = document.getElementById("sheet-keys");
    if (!box) return;
    box.hidden = false;
    const choice = box.querySelector("input[type=checkbox]");
    choice.checked = everywhere();
    choice.addEventListener("change", (event) => {
      event.stopPropagation();
      try { localStorage.setItem(EVERYWHERE, choice.checked ? "yes" : "no"); } catch { /* forbidden: for this page only */ }
      tidy();
    });
  };

  // A tall table scrolls by itself: the whole of it stays in sight, with its header, once the browser has moved the page.
  form.addEventListener("focusin", ({ target }) => {
    const region = target.closest(".table-tall");
    if (region) window.requestAnimationFrame(() => region.scrollIntoView({ block: "nearest" }));
  });
  form.addEventListener("keydown", onKey);
  // Enter never sends the page: only its buttons do.
  form.addEventListener("submit", (event) => {
    if (!event.submitter?.classList.contains("default-submit")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (document.activeElement && isAnswer(document.activeElement)) go(document.activeElement, 1, 0);
  }, true);
  document.addEventListener("survey:rows", tidy);
  window.surveyMoves = { lines, placeOf, stopOf, focusOn, tableOf, tidy };
  showHelp();
  tidy();
})();
