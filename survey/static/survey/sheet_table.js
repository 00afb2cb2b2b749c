// Tables of an answer sheet: arrow keys move from cell to cell, a block copied from a spreadsheet is spread over
// the cells. Values are typed text for the server like any other; nothing is read or rounded here.
(() => {
  "use strict";
  const form = document.querySelector("form[data-sheet]");
  const note = document.getElementById("paste-note");
  if (!form || !note) return;
  const FIELD = "input:not([type=hidden]), select";

  const fieldAt = (table, row, column) => table.tBodies[0]?.rows[row]?.cells[column]?.querySelector(FIELD);
  const placeOf = (input) => {
    const cell = input.closest("td");
    return { table: cell.closest("table"), row: cell.parentElement.sectionRowIndex, column: cell.cellIndex };
  };
  const focusOn = (input) => {
    if (!input) return false;
    input.focus();
    input.select?.();
    input.closest("td").scrollIntoView({ block: "nearest", inline: "nearest" });
    return true;
  };

  // ---- arrow keys ------------------------------------------------------------------------------------------
  const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Enter: [1, 0] };
  const atEdge = (input, key) => {
    if (key === "ArrowUp" || key === "ArrowDown" || key === "Enter") return true;
    const { selectionStart: start, selectionEnd: end, value } = input;
    if (start === 0 && end === value.length) return true; // the whole text is marked: one has just arrived
    return start === end && (key === "ArrowLeft" ? start === 0 : end === value.length);
  };
  const onKey = (event) => {
    const input = event.target;
    const step = STEPS[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.isComposing) return;
    if (!input.matches?.(".answer-table input") || !atEdge(input, event.key)) return;
    const { table, row, column } = placeOf(input);
    if (focusOn(fieldAt(table, row + step[0], column + step[1])) || event.key === "Enter") event.preventDefault();
  };

  // ---- a block from a spreadsheet --------------------------------------------------------------------------
  const blockOf = (text) => text.replace(/\r\n?/g, "\n").replace(/\n$/, "").split("\n").map((line) => line.split("\t").map((entry) => entry.trim()));
  const isNumber = (text) => /^[+\-−]?[\d０-９][\d０-９.,，．'\s]*\s*[%A-Za-z一-鿿]*$/.test(text);
  const unitOf = (head) => head.match(/[（(【[]\s*(?:单位[:：]\s*|unit:?\s*)?([^（()）【】[\]]{1,12})\s*[)）】\]]\s*$/i)?.[1].trim() ?? "";
  const labelOf = (row) => row.querySelector("th")?.textContent.trim() ?? "";

  // A first line without any figure is the header: it tells the units. A first column that names rows of this
  // table tells where each line belongs, so that another order or a gap does no harm.
  const readBlock = (text, table) => {
    let lines = blockOf(text);
    let units = [];
    let names = null;
    const labels = new Map([...(table.tBodies[0]?.rows ?? [])].map((row, place) => [labelOf(row), place]));
    if (lines.length > 1 && lines[0].some(Boolean) && !lines[0].some((text) => isNumber(text))) {
      units = lines[0].map(unitOf);
      lines = lines.slice(1);
    }
    if (lines.some((line) => line.length > 1 && labels.has(line[0]))) {
      names = lines.map((line) => labels.get(line[0]));
      lines = lines.map((line) => line.slice(1));
      units = units.slice(1);
    }
    return { lines, units, names };
  };

  const write = (input, text, unit) => {
    if (input.readOnly || input.disabled) return false;
    const choice = input.closest(".cell").querySelector("select[name$='.unit']");
    const known = choice && [...choice.options].find((option) => option.value === unit || option.textContent === unit);
    if (input.tagName === "SELECT") {
      const option = [...input.options].find((candidate) => candidate.value === text || candidate.textContent.trim() === text);
      if (!option) return false;
      input.value = option.value;
    } else {
      input.value = unit && !known && isNumber(text) ? `${text} ${unit}` : text;
    }
    if (known) choice.value = known.value;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    return true;
  };

  const onPaste = (event) => {
    const input = event.target;
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (!input.matches?.(".answer-table input") || !/[\t\n]/.test(text.trim())) return;
    event.preventDefault();
    const { table, row, column } = placeOf(input);
    const { lines, units, names } = readBlock(text, table);
    const first = names ? 1 : column; // named lines begin at the first column of the table
    const former = [];
    let lost = 0;
    lines.forEach((line, down) => line.forEach((value, right) => {
      if (!value) return;
      const field = fieldAt(table, names ? names[down] ?? -1 : row + down, (names ? first : column) + right);
      const choice = field?.closest(".cell").querySelector("select[name$='.unit']");
      const before = field && { field, value: field.value, choice, unit: choice?.value };
      if (field && write(field, value, units[right])) former.push(before);
      else lost += 1;
    }));
    announce(former, lost);
  };

  const announce = (former, lost) => {
    const line = document.createElement("p");
    line.className = "notice notice-info";
    const text = note.dataset.textPasted.replace("{n}", former.length) + (lost ? ` ${note.dataset.textLost.replace("{n}", lost)}` : "");
    const undo = document.createElement("button");
    undo.type = "button";
    undo.className = "btn btn-sm btn-outline-secondary";
    undo.textContent = note.dataset.textUndo;
    undo.addEventListener("click", () => {
      for (const change of former) {
        const field = document.getElementById(change.field.id); // the row may have been drawn anew
        if (!field) continue;
        const choice = field.closest(".cell").querySelector("select[name$='.unit']");
        field.value = change.value;
        if (choice) choice.value = change.unit;
        field.dispatchEvent(new Event("change", { bubbles: true }));
      }
      note.replaceChildren();
    });
    line.append(`${text} `, undo);
    note.replaceChildren(line);
    window.survey?.announce(text);
  };

  form.addEventListener("keydown", onKey);
  form.addEventListener("paste", onPaste);
})();
