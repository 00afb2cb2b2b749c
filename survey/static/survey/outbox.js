// What was typed and has not reached the server yet: kept in the browser by person, sheet and section, and
// sent from whichever page of the sheet is open next.
(() => {
  "use strict";
  const cookie = (name) => document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
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
    for (const [key, cell] of batch) {
      result.append("cell", key);
      result.append(`${key}.base`, cell.base);
      for (const [name, value] of cell.entries) result.append(name, value);
    }
    for (const item of refresh) result.append("refresh", item);
    return result;
  };
  const post = async (url, data, leaving = false) => {
    const response = await fetch(url, {
      method: "POST",
      body: data,
      headers: { "HX-Request": "true", "HX-Current-URL": location.href, "X-CSRFToken": token() },
      redirect: "manual",
      keepalive: leaving,
      signal: leaving ? undefined : AbortSignal.timeout(PATIENCE),
    });
    const html = response.type === "opaqueredirect" ? "" : await response.text();
    return { response, html };
  };
  const refusedOf = (response) => (response.headers.get("Sheet-Refused") ?? "").split(" ").filter(Boolean);

  // Left over from other sections of this sheet: the tab was closed, or the network went away on the last page.
  const sections = ({ user, sheet }) => Object.keys(localStorage)
    .filter((name) => name.startsWith(`sheet:${user}:${sheet}:`))
    .map((name) => ({ name, path: name.split(":").slice(3).join(":") }))
    .filter(({ path }) => path !== location.pathname);

  const sendSection = async ({ name, path }, user) => {
    const batch = read(name);
    const first = Math.min(...batch.map(([, cell]) => Number(cell.base)));
    const { response } = await post(`${path}save/`, body(user, first, batch));
    if (!response.headers.has("Sheet-Revision")) return false;
    const refused = new Set(refusedOf(response));
    keep(name, batch.filter(([key]) => refused.has(key)));
    return !refused.size;
  };

  const sendLeftovers = async () => {
    const holder = document.getElementById("outbox");
    if (!holder) return;
    let sent = 0;
    const left = [];
    for (const section of sections(holder.dataset)) {
      try { if (await sendSection(section, holder.dataset.user)) sent += 1; else left.push(section); } catch { left.push(section); }
    }
    if (left.length) announce(holder, left);
    else if (sent && holder.dataset.reload) location.reload();
  };
  const announce = (holder, left) => {
    const box = document.createElement("div");
    box.className = "notice notice-warn";
    box.setAttribute("role", "alert");
    box.append(holder.dataset.text);
    for (const { path } of left) {
      const anchor = document.createElement("a");
      anchor.href = path;
      anchor.textContent = path.split("/").filter(Boolean).pop();
      box.append(" ", anchor);
    }
    holder.replaceChildren(box);
  };

  // Nothing is filed while this browser holds entries that have not reached the server.
  document.addEventListener("submit", (event) => {
    const holder = document.getElementById("outbox");
    if (!holder || !event.target.matches("form[data-filing]")) return;
    const left = sections(holder.dataset);
    if (!left.length) return;
    event.preventDefault();
    announce(holder, left);
    holder.scrollIntoView({ block: "center" });
  });

  window.surveyOutbox = { read, keep, body, post, refusedOf };
  window.addEventListener("online", sendLeftovers);
  sendLeftovers();
})();
