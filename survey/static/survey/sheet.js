// Autosave of an answer sheet: every changed cell is queued, kept in the browser until the server has it,
// and sent one request at a time. Without this script the page is a plain form that saves on its buttons.
(() => {
  "use strict";
  const sheet = window.surveySheet;
  const rows = window.surveyRows;
  if (!sheet || !rows) return;
  const { form, texts, bar, cellOf, clock, show, showBar, showAlert } = sheet;
  const outbox = window.surveyOutbox;
  const store = `sheet:${texts.user}:${texts.sheet}:${location.pathname}`;
  const queue = new Map(); // key -> {entries, base, seq, due, draft, refused, name, words}
  const unread = new Map(); // key -> whether somebody still types in it: texts that the server keeps and cannot read
  let sequence = 0;
  let busy = false;
  let timer = 0;
  let failures = 0;
  let notBefore = 0; // after a failure: when the next request may be sent
  let closed = false; // the sheet takes no answers now; what is typed is kept and marked all the same
  let leaving = false;
  let single = false; // one cell a request, until the refused one is found

  const PAUSE = 1200; // milliseconds without a key after which a draft is saved
  const LATER = [408, 425, 429]; // like a failed server: the same request is sent again later
  const VALUE = [400, 413, 414, 422, 431]; // something in the request itself is refused

  // The browser's own storage survives a reload, a crash and an expired session.
  const keep = () => outbox.keep(store, [...queue]);
  const waiting = () => [...queue].filter(([, change]) => !change.refused);

  // A draft is a cell in which somebody is still typing: it is saved, and judged when the cell is left.
  const enqueue = (cell, wait, draft = false) => {
    const { key } = cell.dataset;
    const known = queue.get(key);
    unread.delete(key);
    queue.set(key, {
      entries: sheet.entriesOf(cell), base: known && !known.refused ? known.base : sheet.baseOf(cell), seq: ++sequence,
      due: Date.now() + wait, draft, name: sheet.nameOf(cell), words: sheet.wordsOf(cell),
    });
    show(key, "waiting", texts.textWaiting);
    showBar("waiting", texts.textWaiting);
    keep();
    schedule();
  };
  const schedule = () => {
    window.clearTimeout(timer);
    const all = waiting();
    if (!all.length || closed) return;
    const due = Math.max(notBefore, Math.min(...all.map(([, change]) => change.due)));
    timer = window.setTimeout(flush, Math.max(0, due - Date.now()));
  };
  const send = (batch, refresh = []) =>
    outbox.post(texts.save, outbox.body(texts.user, form.elements.revision.value, batch, refresh), leaving);

  const flush = async () => {
    const due = waiting().filter(([, change]) => change.due <= Date.now());
    const done = due.filter(([, change]) => !change.draft);
    const batch = (done.length ? done : due).slice(0, single ? 1 : undefined);
    if (busy) return undefined; // the end of the request under way goes on
    if (closed || !batch.length) return schedule();
    busy = true;
    for (const [key] of batch) show(key, "saving", texts.textSaving);
    showBar("saving", texts.textSaving);
    try {
      settle(batch, await send(batch));
    } catch {
      retry(batch, texts.textOffline);
    }
    busy = false;
    return schedule();
  };
  // Everything is due now: somebody leaves the page, or a button asks for it.
  const flushAll = () => {
    notBefore = 0;
    for (const [, change] of waiting()) Object.assign(change, { due: 0, draft: false });
    return flush();
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
    return refused(batch, response, html);
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
    sheet.explain(html);
  };

  const stored = (batch, response, html) => {
    const refusedKeys = new Set(outbox.refusedOf(response));
    const conflicts = new Set(outbox.conflictsOf(response, html));
    const revision = response.headers.get("Sheet-Revision");
    const recovered = failures > 0;
    failures = 0;
    notBefore = 0;
    for (const [key, sent] of batch) {
      const now = queue.get(key);
      const newer = now && now.seq !== sent.seq;
      if (conflicts.has(key)) {
        if (!newer) queue.set(key, { ...sent, refused: true });
      } else if (newer) {
        now.base = revision; // typed on top of what has just been stored
      } else {
        queue.delete(key);
        if (refusedKeys.has(key)) unread.set(key, sent.draft);
      }
    }
    form.elements.revision.value = revision;
    if (!waiting().length) single = false;
    keep();
    const keys = batch.map(([key]) => key);
    const typing = batch.every(([, sent]) => sent.draft) && keys.some(rows.occupied);
    if (typing) rows.hold(keys, html);
    else { rows.release(); rows.swap(html); }
    for (const key of keys.filter((stored) => !refusedKeys.has(stored))) {
      const base = cellOf(key)?.querySelector('input[name$=".base"]');
      if (base) base.value = revision;
      if (!queue.has(key)) show(key, "saved", `${texts.textSaved} ${clock()}`);
    }
    for (const key of refusedKeys) if (!queue.has(key) || queue.get(key).refused) showRefused(key, typing);
    showAlert("");
    showRest();
    if (recovered) window.survey?.announce(bar.textContent);
    document.dispatchEvent(new CustomEvent("survey:saved"));
  };
  // Nothing is red while somebody types.
  const showRefused = (key, typing) => (typing ? show(key, "draft", texts.textDraft) : show(key, "refused", texts.textRefused));
  const showRest = () => {
    const left = [...queue.values()];
    if (left.some((change) => change.refused) || [...unread.values()].includes(false)) showBar("refused", texts.textRefused);
    else if (unread.size) showBar("draft", texts.textDraft);
    else if (!left.length) showBar("saved", `${texts.textSaved} ${clock()}`);
  };

  const retry = (batch, text, link) => {
    failures = Math.min(failures + 1, 5);
    notBefore = Date.now() + Math.min(30000, 1000 * 2 ** failures);
    for (const [key] of batch) show(key, "retry", texts.textRetry);
    showBar("retry", texts.textRetry);
    showAlert(text, link);
  };

  // The sheet takes no answers now (closed, submitted by a colleague, another person has signed in): say why, show what
  // was typed, and ask again only when somebody comes back to this page.
  const refused = (batch, response, html) => {
    closed = true;
    for (const [key] of batch) show(key, "refused", texts.textRefused);
    showBar("refused", texts.textRefused);
    sheet.explain(html);
    if (outbox.isClosed(response)) outbox.showLeftovers([store]);
  };

  const onClick = async (event) => {
    const button = event.target.closest("[name='suggest'], [data-keep], [data-take]");
    if (!button) return;
    event.preventDefault();
    if (button.name === "suggest") {
      const [key, unit, figure] = button.value.split("|");
      const cell = cellOf(key);
      const picker = sheet.pickerOf(cell);
      if (picker) picker.value = unit;
      sheet.boxOf(cell).value = picker || !unit ? figure : `${figure} ${unit}`;
      enqueue(cell, 0);
    } else if (button.dataset.keep) {
      const cell = cellOf(button.dataset.keep);
      cell.querySelector('input[name$=".base"]').value = form.elements.revision.value;
      queue.delete(button.dataset.keep);
      enqueue(cell, 0);
    } else {
      queue.delete(button.dataset.take);
      keep();
      refresh([button.dataset.take]);
    }
  };
  const refresh = async (keys) => {
    if (!keys.length) return;
    try {
      const { response, html } = await send([], [...new Set(keys.map((key) => key.split("/")[0]))]);
      if (response.ok) rows.swap(html);
    } catch { showAlert(texts.textOffline); }
  };

  const onInput = (event, wait, draft) => {
    const cell = event.target.closest(".cell");
    if (!cell || !form.contains(cell) || !event.target.name || event.isComposing) return;
    // An answer clears the mark "not applicable", and the mark clears the answer.
    const marks = cell.querySelectorAll("input[name$='.missing']");
    if (event.target.name.endsWith(".value") && event.target.value) for (const mark of marks) mark.checked = mark.value === "";
    if (event.target.name.endsWith(".missing") && event.target.value) {
      for (const input of cell.querySelectorAll("[name$='.value']")) {
        if (input.type === "radio" || input.type === "checkbox") input.checked = false;
        else input.value = "";
      }
    }
    enqueue(cell, wait, draft);
  };
  const onLeave = (event) => {
    const cell = event.target.closest(".cell");
    if (!cell || cell.contains(event.relatedTarget) || !document.hasFocus()) return;
    const change = queue.get(cell.dataset.key);
    if (change?.draft) {
      Object.assign(change, { draft: false, due: 0 });
      keep();
    }
    if (unread.get(cell.dataset.key)) {
      unread.set(cell.dataset.key, false);
      showRefused(cell.dataset.key, false);
      showRest();
    }
    window.setTimeout(() => { rows.release(); schedule(); }, 0); // once the focus has arrived elsewhere
  };

  // The buttons save the whole page themselves, but only once nothing waits any more: a button pressed
  // without a network must not lead to the browser's error page. Until the page has really left, whatever is typed
  // is queued as before.
  const onSubmit = async (event) => {
    if (!waiting().length && !busy) {
      posted = new Map([...queue].map(([key, change]) => [key, change.seq]));
      showBar("saving", texts.textLeaving);
      return;
    }
    event.preventDefault();
    do await flushAll(); while (waiting().length && !busy && !failures && !closed);
    if (busy) window.setTimeout(() => form.requestSubmit(event.submitter), 100);
    else if (!waiting().length && !closed) form.requestSubmit(event.submitter);
  };
  let posted = new Map(); // what was refused and went along with the whole page: its answer shows it
  const onPageHide = () => {
    const gone = [...posted].filter(([key, seq]) => queue.get(key)?.refused && queue.get(key).seq === seq);
    for (const [key] of gone) queue.delete(key);
    if (gone.length) keep();
  };
  // Back to a page that the browser had put aside: it is read again, unless something is waiting on it.
  const onPageShow = (event) => {
    if (!event.persisted) return;
    if (waiting().length) flushAll();
    else location.reload();
  };

  const resume = () => {
    if (!waiting().length) return;
    closed = false;
    flushAll();
  };

  const restore = () => {
    for (const [key, change] of outbox.read(store)) {
      const cell = cellOf(key);
      if (!cell) continue;
      for (const input of cell.querySelectorAll("input[type=radio], input[type=checkbox]")) {
        input.checked = change.entries.some(([name, value]) => name === input.name && value === input.value);
      }
      for (const [name, value] of change.entries) {
        const input = cell.querySelector(`[name="${CSS.escape(name)}"]:not([type=radio]):not([type=checkbox])`);
        if (input) input.value = value;
      }
      queue.set(key, { ...change, seq: ++sequence, due: Date.now() + 100, draft: false, refused: false });
    }
    schedule();
  };

  rows.connect({ pending: (key) => queue.has(key) || unread.get(key) === true, refused: (key) => Boolean(queue.get(key)?.refused), refresh });
  form.addEventListener("input", (event) => onInput(event, PAUSE, event.target.matches("input:not([type=radio]):not([type=checkbox]), textarea")));
  form.addEventListener("compositionend", (event) => onInput({ target: event.target }, PAUSE, true));
  form.addEventListener("change", (event) => onInput(event, 50, false));
  form.addEventListener("survey:entered", (event) => onInput(event, 50, false));
  form.addEventListener("focusout", onLeave);
  form.addEventListener("click", onClick);
  form.addEventListener("submit", onSubmit);
  document.addEventListener("survey:flush", flushAll);
  document.addEventListener("survey:discarded", ({ detail }) => { if (detail.name === store) queue.delete(detail.key); });
  document.addEventListener("survey:signed-in", resume);
  window.addEventListener("online", flushAll);
  window.addEventListener("pagehide", onPageHide);
  window.addEventListener("pageshow", onPageShow);
  window.addEventListener("focus", () => { if (failures || closed) resume(); });
  document.addEventListener("visibilitychange", () => {
    leaving = document.visibilityState === "hidden";
    if (leaving || failures) flushAll();
  });
  window.addEventListener("beforeunload", (event) => {
    if (!waiting().length || closed) return;
    leaving = true;
    flushAll();
    if (failures) event.preventDefault();
  });
  restore();
})();
