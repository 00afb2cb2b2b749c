// Several cells filled at one stroke (a pasted block, last year's facts, a sum): says what went where, marks it, and
// takes it back in one step.
(() => {
  "use strict";
  const sheet = window.surveySheet;
  const note = document.getElementById("paste-note");
  if (!sheet || !note) return;
  const { form, cellOf, nameOf, wordsOf } = sheet;
  let undo = null;

  const inputsOf = (cell) => [...cell.querySelectorAll("input:not([type=hidden]), select, textarea")].filter((one) => one.name);
  const stateOf = (cell) => inputsOf(cell).map(({ name, value, checked }) => ({ name, value, checked }));
  const restore = (key, state) => {
    const cell = cellOf(key);
    if (!cell) return;
    inputsOf(cell).forEach((input, place) => {
      const former = state[place];
      if (!former || former.name !== input.name) return;
      if (input.type === "radio" || input.type === "checkbox") input.checked = former.checked;
      else input.value = former.value;
      if (input.name.endsWith(".unit")) input.dataset.former = former.value;
    });
    entered(cell);
  };
  const entered = (cell) => inputsOf(cell)[0]?.dispatchEvent(new CustomEvent("survey:entered", { bubbles: true }));

  // ``acts``: {cell, act}, where ``act`` fills the cell and says whether it could; ``left``: texts that found no place.
  const carryOut = (acts, left = []) => {
    clear();
    const former = [];
    const lost = [...left];
    for (const { cell, act, text } of acts) {
      const { key } = cell.dataset;
      const state = stateOf(cell);
      if (!act()) { lost.push(`${text} → ${nameOf(cell)}`); continue; }
      for (const mark of cell.querySelectorAll("input[name$='.missing']")) mark.checked = mark.value === "";
      entered(cell);
      cell.classList.add("just-filled");
      former.push({ key, state, line: `${nameOf(cell)} ← ${wordsOf(cell)}` });
    }
    if (former.length || lost.length) tell(former, lost);
    return former.length;
  };
  const clear = () => {
    for (const one of form.querySelectorAll(".just-filled")) one.classList.remove("just-filled");
    note.replaceChildren();
    undo = null;
  };
  const listOf = (title, entries) => {
    const details = document.createElement("details");
    const summary = document.createElement("summary");
    const list = document.createElement("ul");
    summary.textContent = title;
    list.append(...entries.map((text) => { const line = document.createElement("li"); line.textContent = text; return line; }));
    details.append(summary, list);
    details.open = entries.length <= 6;
    return details;
  };
  const button = (label, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "btn btn-sm btn-outline-secondary";
    made.textContent = label;
    made.addEventListener("click", act);
    return made;
  };
  const tell = (former, lost) => {
    const { textFilled, textLost, textUndo, textUndone, textClose } = note.dataset;
    const box = document.createElement("div");
    box.className = `notice ${lost.length ? "notice-warn" : "notice-info"}`;
    const text = textFilled.replace("{n}", former.length) + (lost.length ? ` ${textLost.replace("{n}", lost.length)}` : "");
    box.append(`${text} `);
    if (former.length) {
      undo = () => {
        for (const { key, state } of [...former].reverse()) restore(key, state);
        clear();
        window.survey?.announce(textUndone);
      };
      box.append(button(textUndo, () => undo?.()), " ");
    }
    box.append(button(textClose, clear));
    if (former.length) box.append(listOf(textFilled.replace("{n}", former.length), former.map(({ line }) => line)));
    if (lost.length) box.append(listOf(textLost.replace("{n}", lost.length), lost));
    note.replaceChildren(box);
    window.survey?.announce([text, ...former.slice(0, 5).map(({ line }) => line), ...lost.slice(0, 5)].join("; "));
  };

  // Ctrl+Z takes the stroke back as long as nothing has been typed since.
  form.addEventListener("input", (event) => { if (event.isTrusted && event.target.closest(".cell")) undo = null; });
  form.addEventListener("keydown", (event) => {
    if (!undo || event.key.toLowerCase() !== "z" || event.shiftKey || event.altKey || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    undo();
  });

  window.surveyChanges = { carryOut };
})();
