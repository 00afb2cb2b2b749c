// Keys of the reviewer: j and k move through the queue or its sheets, a goes to "accept", r opens "return".
// Nothing is decided by one key: a only puts the focus on the button.
(() => {
  "use strict";
  const typing = (target) => target.closest("input, textarea, select, [contenteditable]");
  const rows = () => [...document.querySelectorAll("a[data-row]")];

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

  const keys = {
    j: () => step(1),
    k: () => step(-1),
    a: () => document.querySelector("[data-accept]:not([disabled])")?.focus(),
    r: openReturn,
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) return;
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
})();
