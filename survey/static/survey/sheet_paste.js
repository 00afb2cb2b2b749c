// A block copied from a spreadsheet is spread over the rows and columns of the page, from the cell with the focus on.
// Values are typed text for the server like any other; nothing is read or rounded here, and several values never
// become one.
(() => {
  "use strict";
  const sheet = window.surveySheet;
  const moves = window.surveyMoves;
  const changes = window.surveyChanges;
  if (!sheet || !moves || !changes) return;
  const { form, boxOf, pickerOf, rowOf, cellOf } = sheet;

  // ---- reading the block -----------------------------------------------------------------------------------
  // Lines and tabs; a value that holds either, or a quotation mark, is quoted by spreadsheets.
  const blockOf = (text) => {
    const lines = [[]];
    const source = text.replace(/\r\n?/g, "\n").replace(/\n$/, "");
    const part = /(?:"((?:[^"]|"")*)"(?=[\t\n]|$)|([^\t\n]*))(\t|\n|$)/y;
    for (let match = part.exec(source); match; match = part.exec(source)) {
      lines[lines.length - 1].push((match[1] === undefined ? match[2] : match[1].replace(/""/g, '"')).trim());
      if (match[3] === "\n") lines.push([]);
      if (match[3] === "") break;
    }
    return lines;
  };
  const isNumber = (text) => /^[+\-−]?[\d０-９][\d０-９.,，．'\s]*\s*[%A-Za-z一-鿿]*$/.test(text);
  const unitOf = (head) => head.match(/[（(【[]\s*(?:单位[:：]\s*|unit:?\s*)?([^（()）【】[\]]{1,12})\s*[)）】\]]\s*$/i)?.[1].trim() ?? "";
  const folded = (text) => text.normalize("NFKC").replace(/[\s*:：]/g, "").toLowerCase();

  // In a table: a first line without any figure is the header and tells the units; a first column that names rows of
  // the table tells where each line belongs, so that another order or a gap does no harm.
  const forTable = (lines, table, input) => {
    const place = { row: input.closest("tr").sectionRowIndex, column: moves.placeOf(input).column };
    const labels = new Map([...table.tBodies[0].rows].map((row, at) => [folded(row.querySelector("th")?.textContent ?? ""), at]));
    let [units, rest, names] = [[], lines, null];
    const isHead = lines[0].some(Boolean) && !lines[0].some((one) => isNumber(one));
    if (isHead && lines.slice(1).some((line) => line.some((one) => isNumber(one)))) {
      units = lines[0].map(unitOf);
      rest = lines.slice(1);
    }
    if (rest.some((line) => line.length > 1 && labels.has(folded(line[0])))) {
      names = rest.map((line) => ({ at: labels.get(folded(line[0])), name: line[0] }));
      rest = rest.map((line) => line.slice(1));
      units = units.slice(1);
    }
    const last = names ? 0 : place.row + rest.length - table.tBodies[0].rows.length;
    if (last > 0) window.surveyTables?.grow(table, last);
    const cellAt = (row, column) => table.tBodies[0].rows[row]?.querySelectorAll(".cell")[column];
    return rest.flatMap((line, down) => line.map((text, right) => ({
      text, unit: units[right] ?? "", name: names?.[down].name ?? "",
      cell: cellAt(names ? names[down].at ?? -1 : place.row + down, (names ? 0 : place.column) + right),
    })));
  };

  // Outside tables: one line is one item. A line may name its item by number or name; a unit may stand beside the value.
  const forItems = (lines, input) => {
    const items = moves.lines().filter((line) => !moves.tableOf(line[0])).map(([stop]) => stop.closest(".cell"));
    const names = new Map(items.flatMap((cell) => {
      const code = rowOf(cell).dataset.item;
      const whole = sheet.nameOf(cell);
      return [[folded(code), cell], [folded(whole), cell], [folded(whole.replace(code, "")), cell]];
    }));
    const named = lines.some((line) => line.length > 1 && line[0] && names.has(folded(line[0])));
    const first = items.indexOf(input.closest(".cell"));
    return lines.flatMap((line, down) => {
      const cell = named ? names.get(folded(line[0])) : items[first + down];
      const rest = named ? line.filter((one, at) => at > 0 && !(cell && names.get(folded(one)) === cell)) : [...line];
      const picker = cell && pickerOf(cell);
      const isUnit = (one) => Boolean(picker && one && window.surveyUnits?.splitText(`1 ${one}`, picker));
      const at = rest.findIndex(isUnit);
      const unit = at >= 0 && rest.length > 1 ? rest.splice(at, 1)[0] : "";
      const values = rest.filter(Boolean);
      return values.map((text, right) => ({ text, unit, name: named ? line[0] : "", cell: right ? undefined : cell }));
    });
  };

  // ---- filling ---------------------------------------------------------------------------------------------
  const WORDS = { true: ["是", "有", "yes", "y", "true", "1"], false: ["否", "无", "no", "n", "false", "0"] };
  const means = (input, text) => {
    const label = folded(input.tagName === "OPTION" ? input.textContent : input.parentElement.textContent);
    return Boolean(input.value) && [folded(input.value), label, ...(WORDS[input.value] ?? [])].includes(folded(text));
  };
  const write = (cell, text, unit) => {
    const box = boxOf(cell);
    if (!box) return tick([...cell.querySelectorAll("input[name$='.value']")], text);
    if (box.readOnly || box.disabled || (box.tagName === "INPUT" && /[\n\t]/.test(text))) return false;
    if (box.tagName === "SELECT") {
      const option = [...box.options].find((one) => means(one, text));
      if (option) box.value = option.value;
      return Boolean(option);
    }
    const picker = pickerOf(cell);
    const found = picker && window.surveyUnits?.splitText(unit ? `1 ${unit}` : text, picker);
    box.value = found && !unit ? found.text : text;
    if (found) Object.assign(picker, { value: found.unit }).dataset.former = found.unit;
    else if (unit && isNumber(text)) box.value = `${text} ${unit}`;
    return true;
  };
  const tick = (group, text) => {
    const parts = group[0]?.type === "checkbox" ? text.split(/[;；、,，\n]/).filter((one) => one.trim()) : [text];
    const chosen = parts.map((part) => group.find((one) => means(one, part)));
    if (!chosen.length || chosen.some((one) => !one || one.disabled)) return false;
    for (const one of group) one.checked = chosen.includes(one);
    return true;
  };

  const spread = (input, text) => {
    const lines = blockOf(text);
    const table = moves.tableOf(input);
    const parts = (table ? forTable(lines, table, input) : forItems(lines, input)).filter((one) => one.text);
    const acts = [];
    const left = [];
    for (const { text: value, unit, name, cell } of parts) {
      if (cell) acts.push({ cell, text: value, act: () => write(cellOf(cell.dataset.key), value, unit) });
      else left.push([name, value, unit].filter(Boolean).join(" "));
    }
    changes.carryOut(acts, left);
  };

  const onData = (event, data) => {
    const input = event.target;
    const text = data?.getData("text/plain") ?? "";
    if (!input.name?.endsWith(".value") || !input.closest?.(".cell") || input.readOnly) return;
    const inner = text.replace(/\r\n?/g, "\n").replace(/\n$/, "");
    // Running text keeps its lines; a block of columns is none.
    if (!(input.tagName === "TEXTAREA" ? /\t/ : /[\t\n]/).test(inner)) return;
    event.preventDefault();
    spread(input, text);
  };
  form.addEventListener("paste", (event) => onData(event, event.clipboardData));
  form.addEventListener("drop", (event) => onData(event, event.dataTransfer));
})();
