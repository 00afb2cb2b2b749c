// Open tables grow where they stand: by their button, by Enter in the last row, and by a pasted block.
(() => {
  "use strict";
  const sheet = window.surveySheet;
  if (!sheet) return;
  const { form, texts, rowOf, nameOf } = sheet;
  const ADDED = 3; // rows of the button

  const newId = () => `r${[...crypto.getRandomValues(new Uint8Array(4))].map((one) => one.toString(16).padStart(2, "0")).join("")}`;
  const keyOf = (line) => line.querySelector(".cell")?.dataset.key.split("/")[1];
  const isBlank = (line) => ![...line.querySelectorAll("input:not([type=hidden]), select:not([name$='.unit']), textarea")].some((one) => one.value.trim());

  const copyOf = (line, number) => {
    const [old, fresh] = [keyOf(line), newId()];
    const copy = line.cloneNode(true);
    for (const one of [copy, ...copy.querySelectorAll("*")]) {
      for (const { name, value } of [...one.attributes]) {
        if (value.includes(old)) one.setAttribute(name, value.split(old).join(fresh));
      }
      one.classList.remove("is-invalid", "just-filled");
      one.removeAttribute("aria-invalid");
    }
    for (const one of copy.querySelectorAll(".form-error, .unit-note, .suggestion, .cell-previous")) one.remove();
    for (const one of copy.querySelectorAll(".cell-state")) { one.textContent = ""; delete one.dataset.state; }
    for (const one of copy.querySelectorAll("input, select, textarea")) {
      if (one.name === "cell") continue;
      if (one.name.endsWith(".base")) one.value = form.elements.revision.value;
      else if (!one.name.endsWith(".unit")) one.value = "";
      const label = one.getAttribute("aria-label");
      if (label) one.setAttribute("aria-label", label.replace(/\d+/, number));
    }
    const pickers = [...line.querySelectorAll("select[name$='.unit']")];
    [...copy.querySelectorAll("select[name$='.unit']")].forEach((one, place) => { one.value = pickers[place].value; });
    const head = copy.querySelector("th");
    if (head) head.textContent = number;
    return copy;
  };

  // Adds rows, not beyond the most that the table may have; ``afterEntry``: only below a row that holds something.
  const grow = (table, count, afterEntry = false) => {
    const [body, most] = [table.tBodies[0], Number(table.dataset.mostRows ?? 0)];
    const last = body.rows[body.rows.length - 1];
    if (!most || !last || (afterEntry && isBlank(last))) return false;
    const added = Math.min(count, most - body.rows.length);
    for (let place = 0; place < added; place += 1) body.append(copyOf(last, body.rows.length + 1));
    if (added > 0) {
      window.surveyMoves?.tidy();
      if (!afterEntry) window.survey?.announce(texts.textRows.replace("{n}", added).replace("{table}", nameOf(last.querySelector(".cell"))));
    }
    return added > 0;
  };

  form.addEventListener("click", (event) => {
    const button = event.target.closest("button[name='add_row']");
    const table = button && rowOf(button)?.querySelector(".answer-table");
    if (!table) return;
    const before = table.tBodies[0].rows.length;
    if (!grow(table, ADDED)) return; // the server says how many there may be
    event.preventDefault();
    window.surveyMoves?.focusOn(table.tBodies[0].rows[before]?.querySelector("input:not([type=hidden]), select"));
  });

  window.surveyTables = { grow };
})();
