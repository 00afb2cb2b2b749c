// A total whose parts must add up: while they are typed, says what they come to and what is missing, and fills it in.
(() => {
  "use strict";
  const sheet = window.surveySheet;
  const decimal = window.surveyDecimal;
  if (!sheet || !decimal || !window.surveyChanges) return;
  const { form, texts, boxOf, pickerOf, cellOf } = sheet;
  const words = (template, values) => template.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

  const optionOf = (cell) => pickerOf(cell)?.selectedOptions[0];
  const factorOf = (cell) => optionOf(cell)?.dataset.factor || cell.querySelector("[data-factor]")?.dataset.factor || "1";
  const unitOf = (cell) => (optionOf(cell)?.textContent ?? cell.querySelector(".unit")?.textContent ?? "").trim();
  // In the smallest unit of its family; null for a blank or a text that only the server reads.
  const numberIn = (cell) => {
    const split = window.surveyUnits?.split(cell);
    const number = decimal.read(split?.text ?? boxOf(cell)?.value ?? "");
    const option = split && [...pickerOf(cell).options].find((one) => one.value === split.unit);
    return number && decimal.times(number, option?.dataset.factor || factorOf(cell));
  };
  const partsOf = ({ parts, table, columns }) => {
    if (!table) return parts.split(" ").map(cellOf).filter((cell) => cell && boxOf(cell));
    const body = form.querySelector(`.item-row[data-item="${table}"] .answer-table`)?.tBodies[0];
    return [...(body?.rows ?? [])].flatMap((row) => [...row.querySelectorAll(".cell")])
      .filter((cell) => columns.split(" ").includes(cell.dataset.key.split("/")[2]));
  };
  const inUnit = (number, cell) => {
    const exact = decimal.over(number, factorOf(cell));
    return exact && `${decimal.text(exact)} ${unitOf(cell)}`.trim();
  };

  const read = (line) => {
    const total = cellOf(line.dataset.total);
    const parts = partsOf(line.dataset).map((cell) => ({ text: boxOf(cell).value.trim(), number: numberIn(cell) }));
    const unreadable = parts.some(({ text, number }) => text && !number);
    const filled = parts.filter(({ number }) => number);
    const sum = filled.reduce((whole, { number }) => decimal.plus(whole, number), decimal.zero);
    return { total, parts, filled, sum, unreadable };
  };
  const show = (line) => {
    const { total, parts, filled, sum, unreadable } = read(line);
    const [say, button] = [line.querySelector(".sum-now"), line.querySelector("[data-fill-sum]")];
    const text = total && boxOf(total) && filled.length && !unreadable ? inUnit(sum, total) : null;
    button.hidden = true;
    if (!text) { say.textContent = ""; delete line.dataset.state; return; }
    const open = line.dataset.table ? 0 : parts.length - filled.length;
    const own = numberIn(total);
    const rest = own ? decimal.minus(own, sum) : null;
    const sentence = [words(texts.textSum, { sum: text, n: filled.length, all: parts.length })];
    if (open) sentence.push(words(texts.textBlank, { n: open }));
    if (rest && rest.digits > 0) sentence.push(words(texts.textLess, { rest: inUnit(rest, total) ?? "" }));
    if (rest && rest.digits < 0) sentence.push(words(texts.textMore, { rest: inUnit(decimal.minus(decimal.zero, rest), total) ?? "" }));
    if (rest && rest.digits === BigInt(0)) sentence.push(texts.textSame);
    line.dataset.state = rest && rest.digits === BigInt(0) ? "same" : "open";
    say.textContent = `${sentence.join(" ")} `;
    const held = boxOf(total);
    button.hidden = held.readOnly || held.disabled || line.dataset.state === "same";
    button.textContent = words(texts.textFill, { sum: text });
  };
  const all = () => { for (const line of form.querySelectorAll(".sum-line")) show(line); };
  let timer = 0;
  const soon = () => { window.clearTimeout(timer); timer = window.setTimeout(() => sheet.steady(all), 60); };

  form.addEventListener("click", (event) => {
    const line = event.target.closest("[data-fill-sum]")?.closest(".sum-line");
    if (!line) return;
    const { total, sum } = read(line);
    const exact = decimal.over(sum, factorOf(total));
    const act = () => { boxOf(cellOf(line.dataset.total)).value = decimal.text(exact); return true; };
    if (exact) window.surveyChanges.carryOut([{ cell: total, act, text: decimal.text(exact) }]);
    boxOf(total).focus();
  });
  for (const name of ["input", "change", "survey:entered"]) form.addEventListener(name, soon);
  document.addEventListener("survey:rows", soon);
  all();
})();
