// Small manners that every page shares: CSRF for htmx, announcements, focus, the session clock.
// Everything here is an improvement: without script each page is a plain form.
(() => {
  "use strict";
  const token = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";
  const live = () => document.getElementById("live");

  const announce = (text) => {
    const region = live();
    if (!region || !text) return;
    region.textContent = "";
    window.setTimeout(() => { region.textContent = text; }, 50);
  };

  // A signed-out session answers with the sign-in page: never paint it into a fragment.
  const onResponse = (event) => {
    const { xhr } = event.detail;
    const again = xhr?.getResponseHeader?.("X-Sign-In");
    if (again) {
      event.preventDefault();
      document.dispatchEvent(new CustomEvent("survey:signed-out", { detail: { url: again } }));
    }
  };

  const openMenu = () => {
    const menu = document.querySelector(".site-menu");
    if (menu) menu.open = window.matchMedia("(min-width: 901px)").matches;
  };

  const startSessionClock = () => {
    const { sessionSeconds, sessionUrl } = document.body.dataset;
    const box = document.getElementById("session-warning");
    if (!sessionSeconds || !sessionUrl || !box) return;
    const total = Number(sessionSeconds) * 1000;
    const warning = Math.min(120000, total / 2);
    let last = Date.now();
    const reset = () => { last = Date.now(); box.hidden = true; };
    document.addEventListener("htmx:afterRequest", (event) => { if (event.detail.successful) reset(); });
    document.addEventListener("survey:saved", reset);
    document.getElementById("session-stay").addEventListener("click", async () => {
      const answer = await fetch(sessionUrl, { method: "POST", headers: { "X-CSRFToken": token() } });
      if (answer.ok) reset();
    });
    window.setInterval(() => {
      const left = total - (Date.now() - last);
      if (left < warning && box.hidden) {
        document.dispatchEvent(new CustomEvent("survey:flush"));
        box.hidden = false;
        announce(document.getElementById("session-warning-text").textContent);
      }
    }, 5000);
  };

  document.addEventListener("DOMContentLoaded", () => {
    openMenu();
    startSessionClock();
    document.querySelector("[data-focus]")?.focus();
    document.body.addEventListener("htmx:configRequest", (event) => {
      event.detail.headers["X-CSRFToken"] = token();
    });
    document.body.addEventListener("htmx:beforeSwap", onResponse);
    document.body.addEventListener("htmx:afterSwap", (event) => {
      announce(event.detail.target?.querySelector?.("[data-announce]")?.dataset.announce);
    });
  });
  window.survey = { announce, token };
})();
