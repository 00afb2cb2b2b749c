// "As last year": fills a fact that seldom changes with last year's answer, or all blank ones of the section at a press.
(() => {
  "use strict";
  const sheet = window.surveySheet;
  if (!sheet || !window.surveyChanges) return;
  const { form, boxOf, pickerOf, cellOf, wordsOf } = sheet;
  const whole = document.getElementById("as-last-year");

  const facts = () => [...form.querySelectorAll(".item-row:not([hidden]) .cell[data-last]")].filter((cell) => !cell.querySelector(".answer-number"));
  const isBlank = (cell) => !wordsOf(cell) && !cell.querySelector("input[name$='.missing']:checked:not([value=''])");
  const fill = (key) => {
    const cell = cellOf(key);
    const { last, lastUnit } = cell.dataset;
    const box = boxOf(cell);
    if (box) {
      box.value = last;
      if (pickerOf(cell) && lastUnit) Object.assign(pickerOf(cell), { value: lastUnit }).dataset.former = lastUnit;
      return box.value === last;
    }
    const codes = last.split("|");
    const group = [...cell.querySelectorAll("input[name$='.value']")];
    for (const one of group) one.checked = Boolean(one.value) && codes.includes(one.value);
    return group.some((one) => one.checked);
  };
  const carryOut = (cells) => window.surveyChanges.carryOut(cells.map((cell) => {
    const { key, last } = cell.dataset;
    return { cell, text: last, act: () => fill(key) };
  }));

  const show = () => {
    for (const button of form.querySelectorAll("[data-as-last]")) {
      const cell = cellOf(button.dataset.asLast);
      button.hidden = !cell || cell.dataset.last === undefined || !isBlank(cell);
    }
    const count = facts().filter(isBlank).length;
    if (!whole) return;
    whole.hidden = count < 2;
    whole.textContent = whole.dataset.text.replace("{n}", count);
  };
  let timer = 0;
  const soon = () => { window.clearTimeout(timer); timer = window.setTimeout(show, 60); };

  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-as-last]");
    if (button) {
      carryOut([cellOf(button.dataset.asLast)]);
      window.surveyMoves?.focusOn(window.surveyMoves.stopOf(cellOf(button.dataset.asLast)));
    } else if (event.target.closest("#as-last-year")) carryOut(facts().filter(isBlank));
  });
  for (const name of ["input", "change", "survey:entered"]) form.addEventListener(name, soon);
  document.addEventListener("survey:rows", soon);
  show();
})();
