// Rows that the server draws anew after a save. A row in which somebody is typing, or in which an answer waits or was
// refused, keeps its inputs: only what stands below them is replaced. What was judged while a cell is still being typed
// in is shown when the cell is left.
(() => {
  "use strict";
  const sheet = window.surveySheet;
  if (!sheet) return;
  const { form, cellOf } = sheet;
  let pending = () => false; // whether an answer of this key waits or was refused
  let refused = () => false;
  let refresh = () => {};
  let held = []; // {keys, html, revision}, in the order of their arrival

  const guard = (event) => {
    const row = event.detail.target;
    const fresh = event.detail.fragment?.querySelector(`#${CSS.escape(row?.id ?? "")}`) ?? event.detail.fragment?.firstElementChild;
    if (row?.classList?.contains("item-feedback")) carry(row, fresh);
    if (!row?.classList?.contains("item-row")) return;
    const typing = row.contains(document.activeElement) && document.activeElement.matches("input, textarea, select");
    if (!typing && ![...row.querySelectorAll(".cell")].some((cell) => pending(cell.dataset.key))) {
      keepOpen(row, fresh);
      return;
    }
    event.detail.shouldSwap = false;
    const feedback = fresh?.querySelector(".item-feedback");
    const old = row.querySelector(".item-feedback");
    if (feedback && old) {
      carry(old, feedback);
      old.replaceWith(feedback.cloneNode(true));
    }
    const total = fresh?.querySelector("tfoot");
    const table = row.querySelector("table.answer-table");
    if (table && total) { table.tFoot?.remove(); table.append(total.cloneNode(true)); }
    row.classList.toggle("has-error", fresh?.classList.contains("has-error") ?? false);
    faults(row, fresh);
  };
  // A definition that somebody has opened stays open.
  const keepOpen = (row, fresh) => {
    const before = [...row.querySelectorAll("details.definition")];
    const after = [...(fresh?.querySelectorAll("details.definition") ?? [])];
    before.forEach((one, place) => { if (one.open && after[place]) after[place].open = true; });
  };
  // Somebody else's version stands beside one's own until one of them is chosen, whatever is saved meanwhile.
  const carry = (old, fresh) => {
    const open = [...old.querySelectorAll(".conflict")].filter((box) => {
      const key = box.querySelector("[data-keep]")?.dataset.keep;
      return refused(key) && !fresh?.querySelector(`[data-keep="${CSS.escape(key)}"]`);
    });
    fresh?.prepend(...open.map((box) => box.cloneNode(true)));
  };
  const faults = (row, fresh) => {
    for (const cell of row.querySelectorAll(".cell")) {
      const drawn = fresh?.querySelector(`.cell[data-key="${CSS.escape(cell.dataset.key)}"]`);
      const message = drawn?.querySelector(".form-error");
      if (!message && refused(cell.dataset.key)) continue; // not part of this save: its fault stands
      for (const one of cell.querySelectorAll(".form-error, .refused-value, .suggestion")) one.remove();
      for (const one of drawn?.querySelectorAll(".form-error, .refused-value, .suggestion") ?? []) {
        cell.querySelector(".cell-foot").before(one.cloneNode(true));
      }
      cell.querySelector("[name$='.value']")?.classList.toggle("is-invalid", Boolean(message));
    }
  };

  const swap = (html) => sheet.steady(() => {
    window.htmx.swap(document.body, html, { swapStyle: "none" });
    document.dispatchEvent(new CustomEvent("survey:rows"));
  });
  const occupied = (key) => Boolean(cellOf(key)?.contains(document.activeElement));
  const hold = (keys, html) => held.push({ keys, html, revision: form.elements.revision.value });
  const isHeld = (key) => held.some(({ keys }) => keys.includes(key));
  // Shows what was held back for cells that have been left; where something was saved since, it is asked for again.
  const release = () => {
    const ready = held.filter(({ keys }) => !keys.some(occupied));
    held = held.filter((one) => !ready.includes(one));
    for (const { html } of ready) swap(html);
    const old = ready.filter(({ revision }) => revision !== form.elements.revision.value);
    if (old.length) refresh([...new Set(old.flatMap(({ keys }) => keys))].filter((key) => !pending(key)));
  };

  document.body.addEventListener("htmx:oobBeforeSwap", guard);
  window.surveyRows = {
    swap, hold, isHeld, release, occupied,
    connect: (queue) => { ({ pending, refused, refresh } = queue); },
  };
})();
