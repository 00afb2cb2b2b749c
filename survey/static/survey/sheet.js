// Autosave of an answer sheet: every changed cell is queued, kept in the browser until the server has it,
// and sent one request at a time. Without this script the page is a plain form that saves on its buttons.
(() => {
  "use strict";
  const form = document.querySelector("form[data-sheet]");
  if (!form || !form.querySelector('button[name="go"][value="next"]')) return;
  const texts = form.dataset;
  const outbox = window.surveyOutbox;
  const bar = document.getElementById("sheet-state");
  const alertBox = document.getElementById("sheet-alert");
  const store = `sheet:${texts.user}:${texts.sheet}:${location.pathname}`;
  const queue = new Map(); // key -> {entries, base, seq, refused}
  let sequence = 0;
  let busy = false;
  let timer = 0;
  let failures = 0;
  let halted = false;
  let leaving = false;
  let single = false; // one cell a request, until the refused one is found

  const LATER = [408, 425, 429]; // like a failed server: the same request is sent again later
  const VALUE = [400, 413, 414, 422, 431]; // something in the request itself is refused

  const cellOf = (key) => form.querySelector(`.cell[data-key="${CSS.escape(key)}"]`);
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

  // The browser's own storage survives a reload, a crash and an expired session.
  const keep = () => outbox.keep(store, [...queue]);

  const entriesOf = (cell) => {
    const data = [];
    for (const input of cell.querySelectorAll("input, select, textarea")) {
      if (!input.name || input.type === "hidden" || input.disabled) continue;
      if ((input.type === "radio" || input.type === "checkbox") && !input.checked) continue;
      data.push([input.name, input.value]);
    }
    return data;
  };
  const baseOf = (cell) => cell.querySelector('input[name$=".base"]')?.value ?? form.elements.revision.value;

  const enqueue = (cell, wait) => {
    if (halted) return;
    const { key } = cell.dataset;
    const known = queue.get(key);
    queue.set(key, { entries: entriesOf(cell), base: known && !known.refused ? known.base : baseOf(cell), seq: ++sequence });
    show(key, "waiting", texts.textWaiting);
    showBar("waiting", texts.textWaiting);
    keep();
    schedule(wait);
  };
  const schedule = (wait) => {
    window.clearTimeout(timer);
    timer = window.setTimeout(flush, wait);
  };
  const waiting = () => [...queue].filter(([, change]) => !change.refused);

  const send = (batch, refresh = []) =>
    outbox.post(texts.save, outbox.body(texts.user, form.elements.revision.value, batch, refresh), leaving);

  const flush = async () => {
    const all = waiting();
    const batch = single ? all.slice(0, 1) : all;
    if (busy || halted || !batch.length) return;
    busy = true;
    for (const [key] of batch) show(key, "saving", texts.textSaving);
    showBar("saving", texts.textSaving);
    try {
      settle(batch, await send(batch));
    } catch {
      retry(batch, texts.textOffline);
    }
    busy = false;
    if (waiting().length) schedule(failures ? Math.min(30000, 1000 * 2 ** failures) : 50);
  };

  const settle = (batch, { response, html }) => {
    const signedOut = response.status === 401 || response.status === 403 || response.type === "opaqueredirect";
    if (response.ok && response.headers.has("Sheet-Revision")) return stored(batch, response, html);
    if (signedOut) {
      retry(batch, texts.textSignedOut, response.headers.get("X-Sign-In") ?? texts.signIn);
      // A step of signing in is missing (second factor, new password): that is done on its own page.
      if (!response.headers.has("HX-Redirect")) document.dispatchEvent(new CustomEvent("survey:signed-out"));
      return undefined;
    }
    if (response.status >= 500 || LATER.includes(response.status)) return retry(batch, texts.textOffline);
    if (VALUE.includes(response.status)) return isolate(batch, html);
    return refused(batch, html);
  };

  // A request that is too large or not understood is repeated cell by cell: only the cell that is refused alone
  // stays behind, marked, and the others go on.
  const isolate = (batch, html) => {
    single = true;
    if (batch.length > 1) return;
    const [[key, sent]] = batch;
    if (queue.get(key)?.seq === sent.seq) queue.set(key, { ...sent, refused: true });
    keep();
    show(key, "refused", texts.textRefused);
    showBar("refused", texts.textRefused);
    explain(html);
  };

  const stored = (batch, response, html) => {
    const refusedKeys = new Set(outbox.refusedOf(response));
    const revision = response.headers.get("Sheet-Revision");
    const recovered = failures > 0;
    failures = 0;
    for (const [key, sent] of batch) {
      const now = queue.get(key);
      const newer = now && now.seq !== sent.seq;
      if (refusedKeys.has(key)) {
        if (!newer) queue.set(key, { ...sent, refused: true });
      } else if (newer) {
        now.base = revision; // typed on top of what has just been stored
      } else {
        queue.delete(key);
      }
    }
    form.elements.revision.value = revision;
    if (!waiting().length) single = false;
    keep();
    const stale = new Set(batch.map(([key]) => key).filter((key) => !refusedKeys.has(key)));
    window.htmx.swap(document.body, html, { swapStyle: "none" });
    for (const key of stale) {
      const base = cellOf(key)?.querySelector('input[name$=".base"]');
      if (base) base.value = revision;
      if (!queue.has(key)) show(key, "saved", `${texts.textSaved} ${clock()}`);
    }
    for (const key of refusedKeys) show(key, "refused", texts.textRefused);
    showAlert("");
    if (refusedKeys.size) showBar("refused", texts.textRefused);
    else if (!waiting().length) showBar("saved", `${texts.textSaved} ${clock()}`);
    if (recovered) window.survey?.announce(bar.textContent);
    document.dispatchEvent(new CustomEvent("survey:saved"));
  };

  const retry = (batch, text, link) => {
    failures = Math.min(failures + 1, 5);
    for (const [key] of batch) show(key, "retry", texts.textRetry);
    showBar("retry", texts.textRetry);
    showAlert(text, link);
  };

  // The sheet takes no answers now (closed, submitted by a colleague, another person has signed in): say why, and ask
  // again only when somebody comes back to this page.
  const refused = (batch, html) => {
    halted = true;
    for (const [key] of batch) show(key, "refused", texts.textRefused);
    showBar("refused", texts.textRefused);
    explain(html);
  };
  const explain = (html) => {
    const holder = document.createElement("template");
    holder.innerHTML = html;
    alertBox.replaceChildren(...[holder.content.querySelector(".notice")].filter(Boolean));
    if (!alertBox.firstChild) showAlert(texts.textRefused);
    alertBox.scrollIntoView({ block: "center" });
  };

  // A row in which somebody is typing, or in which an answer waits or was refused, keeps its inputs: only
  // what stands below them is replaced.
  const guard = (event) => {
    const row = event.detail.target;
    const fresh = event.detail.fragment?.querySelector(`#${CSS.escape(row?.id ?? "")}`) ?? event.detail.fragment?.firstElementChild;
    if (row?.classList?.contains("item-feedback")) carry(row, fresh);
    if (!row?.classList?.contains("item-row")) return;
    const typing = row.contains(document.activeElement) && document.activeElement.matches("input, textarea, select");
    const pending = [...row.querySelectorAll(".cell")].some((cell) => queue.has(cell.dataset.key));
    if (!typing && !pending) return;
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
  // Somebody else's version stands beside one's own until one of them is chosen, whatever is saved meanwhile.
  const carry = (old, fresh) => {
    const open = [...old.querySelectorAll(".conflict")].filter((box) => {
      const key = box.querySelector("[data-keep]")?.dataset.keep;
      return queue.get(key)?.refused && !fresh?.querySelector(`[data-keep="${CSS.escape(key)}"]`);
    });
    fresh?.prepend(...open.map((box) => box.cloneNode(true)));
  };
  const faults = (row, fresh) => {
    for (const cell of row.querySelectorAll(".cell")) {
      const message = fresh?.querySelector(`.cell[data-key="${CSS.escape(cell.dataset.key)}"] .form-error`);
      if (!message && queue.get(cell.dataset.key)?.refused) continue; // not part of this save: its fault stands
      cell.querySelector(".form-error")?.remove();
      if (message) cell.querySelector(".cell-state").before(message.cloneNode(true));
      cell.querySelector("[name$='.value']")?.classList.toggle("is-invalid", Boolean(message));
    }
  };

  const onClick = async (event) => {
    const button = event.target.closest("[name='suggest'], [data-keep], [data-take]");
    if (!button) return;
    event.preventDefault();
    if (button.name === "suggest") {
      const [key, unit, figure] = button.value.split("|");
      const cell = cellOf(key);
      const units = cell.querySelector("select[name$='.unit']");
      if (units) units.value = unit;
      cell.querySelector("input[name$='.value']").value = units || !unit ? figure : `${figure} ${unit}`;
      enqueue(cell, 0);
    } else if (button.dataset.keep) {
      const cell = cellOf(button.dataset.keep);
      cell.querySelector('input[name$=".base"]').value = form.elements.revision.value;
      queue.delete(button.dataset.keep);
      enqueue(cell, 0);
    } else {
      queue.delete(button.dataset.take);
      keep();
      try {
        const { response, html } = await send([], [button.dataset.take]);
        if (response.ok) window.htmx.swap(document.body, html, { swapStyle: "none" });
      } catch { showAlert(texts.textOffline); }
    }
  };

  const onInput = (event, wait) => {
    const cell = event.target.closest(".cell");
    if (!cell || !form.contains(cell)) return;
    // An answer clears the mark "not applicable", and the mark clears the answer.
    const marks = cell.querySelectorAll("input[name$='.missing']");
    if (event.target.name.endsWith(".value") && event.target.value) for (const mark of marks) mark.checked = mark.value === "";
    if (event.target.name.endsWith(".missing") && event.target.value) {
      for (const input of cell.querySelectorAll("[name$='.value']")) {
        if (input.type === "radio" || input.type === "checkbox") input.checked = false;
        else input.value = "";
      }
    }
    enqueue(cell, wait);
  };

  // The buttons save the whole page themselves, but only once nothing waits any more: a button pressed
  // without a network must not lead to the browser's error page.
  const onSubmit = async (event) => {
    window.clearTimeout(timer);
    if (waiting().length || busy) {
      event.preventDefault();
      await flush();
      if (busy) return window.setTimeout(() => form.requestSubmit(event.submitter), 100);
      if (!waiting().length && !halted) form.requestSubmit(event.submitter);
      return undefined;
    }
    halted = true;
    queue.clear();
    keep();
    return undefined;
  };

  const resume = () => {
    if (!waiting().length) return;
    halted = false;
    flush();
  };

  const restore = () => {
    for (const [key, change] of outbox.read(store)) {
      const cell = cellOf(key);
      if (!cell) continue;
      for (const input of cell.querySelectorAll("input[type=radio], input[type=checkbox]")) {
        input.checked = change.entries.some(([name, value]) => name === input.name && value === input.value);
      }
      for (const [name, value] of change.entries) {
        const input = cell.querySelector(`[name="${CSS.escape(name)}"]:not([type=radio], [type=checkbox])`);
        if (input) input.value = value;
      }
      queue.set(key, { ...change, seq: ++sequence, refused: false });
    }
    if (queue.size) schedule(100);
  };

  form.addEventListener("input", (event) => onInput(event, 1200));
  form.addEventListener("change", (event) => onInput(event, 50));
  form.addEventListener("click", onClick);
  form.addEventListener("submit", onSubmit);
  document.body.addEventListener("htmx:oobBeforeSwap", guard);
  document.addEventListener("survey:flush", flush);
  document.addEventListener("survey:signed-in", resume);
  window.addEventListener("online", flush);
  window.addEventListener("focus", () => { if (failures || halted) resume(); });
  document.addEventListener("visibilitychange", () => {
    leaving = document.visibilityState === "hidden";
    if (leaving || failures) flush();
  });
  window.addEventListener("beforeunload", (event) => {
    if (!waiting().length || halted) return;
    leaving = true;
    flush();
    if (failures) event.preventDefault();
  });
  restore();
})();
