// Keys of the reviewer: j and k move through the queue or its sheets, a goes to "accept", r opens "return",
// c opens a comment, ? lists the keys. Nothing is decided by one key: a only puts the focus on the button.
// Single keys can be switched off (WCAG 2.1.4); the choice is kept on this computer.
(() => {
  "use strict";
  const STORE = "review-keys";
  const typing = (target) => target.closest("input, textarea, select, [contenteditable], dialog");
  const rows = () => [...document.querySelectorAll("a[data-row]")];
  const dialog = document.getElementById("keys");
  const active = () => localStorage.getItem(STORE) !== "off";

  const step = (by) => {
    const links = rows();
    if (!links.length) {
      document.querySelector(by > 0 ? "a[data-next]" : "a[data-previous]")?.click();
      return;
    }
    const place = links.indexOf(document.activeElement);
    const next = place < 0 ? (by > 0 ? 0 : links.length - 1) : place + by;
    links[Math.max(0, Math.min(links.length - 1, next))].focus();
  };

  const openReturn = () => {
    const box = document.querySelector("details[data-return]");
    if (!box) return;
    box.open = true;
    box.querySelector("textarea")?.focus();
  };

  const openComment = () => {
    const own = document.activeElement?.closest("tr")?.querySelector("details.ask");
    const target = location.hash.startsWith("#item-") && document.querySelector(`${location.hash} details.ask`);
    const box = own || target || document.querySelector("#comments details.ask");
    if (!box) return;
    box.open = true;
    box.querySelector("textarea")?.focus();
  };

  const help = () => dialog && !dialog.open && dialog.showModal();
  const keys = {
    j: () => step(1),
    k: () => step(-1),
    a: () => document.querySelector("[data-accept]:not([disabled])")?.focus(),
    r: openReturn,
    c: openComment,
    "?": help,
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) return;
    const act = Object.hasOwn(keys, event.key) && keys[event.key];
    if (!act || !active()) return;
    event.preventDefault();
    act();
  });

  if (!dialog) return;
  const box = dialog.querySelector("#keys-on");
  box.checked = active();
  box.addEventListener("change", () => localStorage.setItem(STORE, box.checked ? "on" : "off"));
  const offer = () => document.querySelectorAll("[data-keys-open]").forEach((element) => { element.hidden = false; });
  offer();
  document.addEventListener("htmx:afterSwap", offer);
  document.addEventListener("click", (event) => event.target.closest("[data-keys-open]") && help());
})();
