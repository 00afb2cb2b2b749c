// A number and its unit belong together: "84 PB" becomes 84 in the box and PB in the list beside it when the box is left.
// A unit that is chosen counts; what it did is said, with the other reading and the way back.
(() => {
  "use strict";
  const sheet = window.surveySheet;
  const decimal = window.surveyDecimal;
  if (!sheet || !decimal) return;
  const { form, texts, boxOf, pickerOf, cellOf } = sheet;
  const NUMBER = /^[+\-−]?[\d.,' ]*\d\.?\s*[十百千万亿]*\s*$/;
  const notes = new Map(); // key -> the line that says what the chosen unit did

  const namesOf = (option) => [option.value, option.textContent.trim(), ...(option.dataset.names ?? "").split("|")]
    .filter(Boolean).map((one) => one.normalize("NFKC").toLowerCase());

  // The number and the unit of a text that ends with the name of a unit, the longest name first; else null.
  const splitText = (text, picker) => {
    const folded = text.normalize("NFKC").trim();
    let best = null;
    for (const option of picker.options) {
      for (const name of namesOf(option)) {
        const rest = folded.slice(0, folded.length - name.length).trim();
        if (!folded.toLowerCase().endsWith(name) || !NUMBER.test(rest)) continue;
        if (!best || name.length > best.name.length) best = { name, text: rest, unit: option.value };
      }
    }
    return best;
  };
  const split = (cell) => {
    const [box, picker] = [boxOf(cell), pickerOf(cell)];
    return box && picker ? splitText(box.value, picker) : null;
  };

  const labelOf = (picker, unit) => [...picker.options].find((one) => one.value === unit)?.textContent.trim() ?? unit;
  const factorOf = (picker, unit) => [...picker.options].find((one) => one.value === unit)?.dataset.factor;
  const formerUnit = (picker) => picker.dataset.former ?? [...picker.options].find((one) => one.defaultSelected)?.value ?? picker.value;

  const takeUnit = (cell) => {
    const found = split(cell);
    if (!found) return;
    const picker = pickerOf(cell);
    boxOf(cell).value = found.text;
    picker.value = found.unit;
    picker.dataset.former = found.unit;
    window.survey?.announce(`${found.text} ${labelOf(picker, found.unit)}`);
  };

  // ---- a unit is chosen ------------------------------------------------------------------------------------
  const converted = (picker, number, from, to) => {
    const [first, second] = [factorOf(picker, from), factorOf(picker, to)];
    return number && first && second ? decimal.over(decimal.times(number, first), second) : null;
  };
  const apply = (cell, text, unit) => {
    const [box, picker] = [boxOf(cell), pickerOf(cell)];
    picker.value = unit;
    picker.dataset.former = unit;
    box.value = text;
    box.dispatchEvent(new CustomEvent("survey:entered", { bubbles: true }));
  };
  const words = (template, values) => template.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

  const onUnit = (cell) => {
    const [box, picker] = [boxOf(cell), pickerOf(cell)];
    const [from, to, text] = [formerUnit(picker), picker.value, box.value.trim()];
    picker.dataset.former = to;
    if (!text || from === to) return;
    const other = converted(picker, decimal.read(text), from, to);
    const [before, kept] = [`${text} ${labelOf(picker, from)}`, `${text} ${labelOf(picker, to)}`];
    const exact = other && `${decimal.text(other)} ${labelOf(picker, to)}`;
    const line = document.createElement("p");
    line.className = "unit-note";
    line.setAttribute("role", "status");
    const say = document.createElement("span");
    line.append(say);
    const told = (sentence, pressed) => {
      say.textContent = `${sentence} `;
      for (const one of line.querySelectorAll("[aria-pressed]")) one.setAttribute("aria-pressed", String(one === pressed));
      window.survey?.announce(sentence);
    };
    const button = (label, act) => {
      const one = document.createElement("button");
      one.type = "button";
      one.className = "btn btn-sm btn-outline-secondary";
      one.textContent = label;
      one.addEventListener("click", () => act(one));
      line.append(one, " ");
      return one;
    };
    const keepNumber = words(texts.textUnitKept, { before, after: kept });
    const keep = button(words(texts.textUnitKeep, { after: kept }), (one) => { apply(cellOf(cell.dataset.key), text, to); told(keepNumber, one); });
    keep.setAttribute("aria-pressed", "true");
    if (exact) {
      const convert = button(words(texts.textUnitConvert, { after: exact }), (one) => {
        apply(cellOf(cell.dataset.key), decimal.text(other), to);
        told(words(texts.textUnitConverted, { before, after: exact }), one);
      });
      convert.setAttribute("aria-pressed", "false");
    }
    button(texts.textUndo, () => { forget(cell.dataset.key); apply(cellOf(cell.dataset.key), text, from); boxOf(cellOf(cell.dataset.key)).focus(); });
    forget(cell.dataset.key);
    notes.set(cell.dataset.key, line);
    place();
    told(keepNumber, keep);
  };
  const forget = (key) => {
    notes.get(key)?.remove();
    notes.delete(key);
  };
  // A row that the server draws anew keeps the line.
  const place = () => {
    for (const [key, line] of notes) {
      const foot = cellOf(key)?.querySelector(".cell-foot");
      if (foot && line.nextElementSibling !== foot) foot.before(line);
    }
  };

  form.addEventListener("change", (event) => {
    const cell = event.target.closest(".cell");
    if (!cell || !event.target.name) return;
    if (event.target === pickerOf(cell)) onUnit(cell);
    else if (event.target.name.endsWith(".value")) takeUnit(cell);
  }, true); // before the change is queued
  form.addEventListener("input", (event) => {
    const cell = event.target.closest(".cell");
    if (cell && event.target.name?.endsWith(".value")) forget(cell.dataset.key);
  });
  document.addEventListener("survey:rows", place);

  window.surveyUnits = { split, splitText };
})();
