// What was typed and has not reached the server yet: kept in the browser by person, sheet and section, and
// sent from whichever page of the sheet is open next.
(() => {
  "use strict";
  const cookie = (name) => document.cookie.split("; ").find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1);
  // A sign-in in another tab changes the token: the cookie knows it, this page does not.
  const token = () => cookie("__Host-csrftoken") ?? cookie("csrftoken") ?? window.survey?.token() ?? "";
  const PATIENCE = 20000; // a request that hangs is a lost network

  const read = (name) => {
    try { return JSON.parse(localStorage.getItem(name) ?? "[]"); } catch { return []; /* damaged: start empty */ }
  };
  const keep = (name, entries) => {
    try {
      if (entries.length) localStorage.setItem(name, JSON.stringify(entries));
      else localStorage.removeItem(name);
    } catch { /* storage is full or forbidden: the queue in memory still works */ }
  };
  const body = (user, revision, batch, refresh = []) => {
    const result = new URLSearchParams({ revision, as: user });
    for (const [key, one] of batch) {
      result.append("cell", key);
      result.append(`${key}.base`, one.base);
      for (const [name, value] of one.entries) result.append(name, value);
    }
    for (const item of refresh) result.append("refresh", item);
    return result;
  };
  const post = async (url, data, leaving = false) => {
    const control = new AbortController();
    const timer = leaving ? 0 : window.setTimeout(() => control.abort(), PATIENCE);
    try {
      const response = await fetch(url, {
        method: "POST",
        body: data,
        headers: { "HX-Request": "true", "HX-Current-URL": location.href, "X-CSRFToken": token() },
        redirect: "manual",
        keepalive: leaving,
        signal: control.signal,
      });
      const html = response.type === "opaqueredirect" ? "" : await response.text();
      return { response, html };
    } finally {
      window.clearTimeout(timer);
    }
  };
  const refusedOf = (response) => (response.headers.get("Sheet-Refused") ?? "").split(" ").filter(Boolean);
  // A text that cannot be read is kept by the server, which shows it with its reason. Only a value that somebody else has
  // changed meanwhile stays here until one of the versions is chosen.
  const conflictsOf = (response, html) => refusedOf(response).filter((key) => html.includes(`data-keep="${key}"`));
  const isClosed = (response) => response.headers.has("Sheet-Closed");

  // Left over from other sections of this sheet: the tab was closed, or the network went away on the last page. The
  // page of a section sends its own entries itself while it can be typed in.
  const sections = ({ user, sheet }) => Object.keys(localStorage)
    .filter((name) => name.startsWith(`sheet:${user}:${sheet}:`))
    .map((name) => ({ name, path: name.split(":").slice(3).join(":") }))
    .filter(({ path }) => path !== location.pathname || !window.surveySheet);

  // "sent", "closed" when the sheet takes no answers any more, "later" for everything else.
  const sendSection = async ({ name, path }, user) => {
    const batch = read(name);
    const first = Math.min(...batch.map(([, one]) => Number(one.base)));
    const { response, html } = await post(`${path}save/`, body(user, first, batch));
    if (isClosed(response)) return "closed";
    if (!response.headers.has("Sheet-Revision")) return "later";
    const open = new Set(conflictsOf(response, html));
    keep(name, batch.filter(([key]) => open.has(key)));
    return open.size ? "later" : "sent";
  };

  const sendLeftovers = async () => {
    const holder = document.getElementById("outbox");
    if (!holder) return;
    const found = { sent: [], later: [], closed: [] };
    for (const section of sections(holder.dataset)) {
      let outcome = "later";
      try { outcome = await sendSection(section, holder.dataset.user); } catch { /* no network: later */ }
      found[outcome].push(section);
    }
    if (found.later.length) tell(holder, found.later);
    if (found.closed.length) showLeftovers(found.closed.map(({ name }) => name));
    if (!found.later.length && !found.closed.length && found.sent.length && holder.dataset.reload) location.reload();
  };
  const boxIn = (holder, text) => {
    const box = document.createElement("div");
    box.className = "notice notice-warn";
    box.setAttribute("role", "alert");
    box.append(text);
    holder.replaceChildren(box);
    return box;
  };
  const tell = (holder, left) => {
    const box = boxIn(holder, holder.dataset.text);
    for (const { path } of left) {
      const anchor = document.createElement("a");
      anchor.href = path;
      anchor.textContent = path.split("/").filter(Boolean).pop();
      box.append(" ", anchor);
    }
  };

  // ---- entries that can no longer be sent --------------------------------------------------------------------
  const showLeftovers = (names) => {
    const holder = document.getElementById("outbox");
    const entries = names.flatMap((name) => read(name).map((entry) => ({ name, entry })));
    if (!holder || !entries.length) return;
    const list = document.createElement("ul");
    for (const one of entries) list.append(lineOf(holder, list, one));
    boxIn(holder, holder.dataset.textClosed).append(list);
  };
  const lineOf = (holder, list, { name, entry: [key, one] }) => {
    const { textSend, textDiscard, textSent, textFailed, leftovers, user } = holder.dataset;
    const line = document.createElement("li");
    const what = document.createElement("strong");
    what.textContent = one.words || one.entries.map(([, value]) => value).filter(Boolean).join(" ") || "—";
    line.append(`${one.name || key}: `, what, " ");
    const done = () => {
      keep(name, read(name).filter(([other]) => other !== key));
      document.dispatchEvent(new CustomEvent("survey:discarded", { detail: { name, key } }));
      const next = line.nextElementSibling ?? line.previousElementSibling;
      line.remove();
      if (next) next.querySelector("button")?.focus();
      else holder.replaceChildren();
    };
    const button = (label, act) => {
      const made = document.createElement("button");
      made.type = "button";
      made.className = "btn btn-sm btn-outline-secondary";
      made.textContent = label;
      made.addEventListener("click", act);
      line.append(made, " ");
    };
    if (leftovers) {
      button(textSend, async () => {
        const text = key.includes("/") ? `${one.name}: ${what.textContent}` : what.textContent;
        const data = new URLSearchParams({ as: user, key, text, idempotency_key: `left ${name} ${key} ${one.seq}` });
        try {
          const { response } = await post(leftovers, data);
          if (!response.ok) throw new Error(String(response.status));
          window.survey?.announce(textSent);
          done();
        } catch { window.survey?.announce(textFailed); }
      });
    }
    button(textDiscard, done);
    return line;
  };

  // Nothing is filed while this browser holds entries that have not reached the server.
  document.addEventListener("submit", (event) => {
    const holder = document.getElementById("outbox");
    if (!holder || !event.target.matches("form[data-filing]")) return;
    const left = sections(holder.dataset);
    if (!left.length) return;
    event.preventDefault();
    tell(holder, left);
    holder.scrollIntoView({ block: "center" });
  });

  window.surveyOutbox = { read, keep, body, post, refusedOf, conflictsOf, isClosed, showLeftovers };
  window.addEventListener("online", sendLeftovers);
  sendLeftovers();
})();
