// A field for a code of a long list becomes a combobox (ARIA APG, list with manual selection): what is typed – code,
// name, part of a name, pinyin or its initials – is looked up on the server. Without this script the field takes a
// code or a name, and the server answers a text that is neither with the entries that may be meant.
(() => {
  "use strict";
  const PAUSE = 150; // milliseconds after the last key before the list is asked for
  const known = new WeakSet();

  const make = (box) => {
    const input = box.querySelector("input");
    const list = box.querySelector("[role='listbox']");
    const status = box.querySelector("[role='status']");
    let entries = [];
    let active = -1;
    let timer = 0;
    let asked = 0; // number of the last request: an earlier one that answers later is dropped

    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-expanded", "false");
    input.setAttribute("aria-controls", list.id);
    input.removeAttribute("list"); // the list of the browser would lie over this one

    const isOpen = () => !list.hidden;
    const close = () => {
      window.clearTimeout(timer);
      asked += 1;
      list.hidden = true;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
      active = -1;
    };
    const open = () => {
      list.hidden = false;
      input.setAttribute("aria-expanded", "true");
    };
    const mark = (place) => {
      const options = list.querySelectorAll("[role='option']");
      if (!options.length) return;
      active = (place + options.length) % options.length;
      options.forEach((option, position) => option.setAttribute("aria-selected", String(position === active)));
      input.setAttribute("aria-activedescendant", options[active].id);
      options[active].scrollIntoView({ block: "nearest" });
    };
    const choose = (place) => {
      const entry = entries[place];
      if (!entry) return;
      input.value = `${entry.code} ${entry.name}`;
      close();
      input.dispatchEvent(new Event("change", { bubbles: true }));
    };
    const optionOf = (entry, position) => {
      const option = document.createElement("li");
      option.id = `${list.id}-${position}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      const code = document.createElement("span");
      code.className = "num";
      code.textContent = entry.code;
      option.append(code, ` ${entry.name}`);
      if (entry.above) {
        const above = document.createElement("small");
        above.textContent = entry.above;
        option.append(above);
      }
      return option;
    };
    const show = (found) => {
      entries = found;
      active = -1;
      input.removeAttribute("aria-activedescendant");
      list.replaceChildren(...entries.map(optionOf));
      if (!entries.length) {
        const none = document.createElement("li");
        none.className = "combobox-none";
        none.setAttribute("role", "presentation");
        none.textContent = box.dataset.none;
        list.append(none);
      }
      status.textContent = entries.length ? `${entries.length} ${box.dataset.count}` : box.dataset.none;
      open();
    };
    const ask = async () => {
      const text = input.value.trim();
      if (!text) return close();
      asked += 1;
      const number = asked;
      try {
        const response = await fetch(`${box.dataset.url}?q=${encodeURIComponent(text)}`, { headers: { Accept: "application/json" } });
        if (!response.ok) return undefined;
        const answer = await response.json();
        if (number === asked && document.activeElement === input) show(answer.entries);
      } catch {
        // Without a network the field still takes code or name; the server judges them when it is back.
      }
      return undefined;
    };
    const later = () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(ask, PAUSE);
    };

    input.addEventListener("input", (event) => {
      event.stopPropagation(); // a part of a name is no answer: nothing is saved before the field is left or an entry chosen
      if (!event.isComposing) later();
    });
    input.addEventListener("compositionend", later);
    input.addEventListener("keydown", (event) => {
      // While an input method composes, its keys are its own (229 for browsers that do not say so).
      if (event.isComposing || event.keyCode === 229 || event.ctrlKey || event.metaKey || input.readOnly) return;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        if (!isOpen()) {
          if (event.key === "ArrowDown" && input.value.trim()) ask();
          else return;
        } else if (!event.altKey) mark(active < 0 && event.key === "ArrowUp" ? -1 : active + (event.key === "ArrowDown" ? 1 : -1));
        else close();
      } else if (event.key === "Enter" && isOpen() && active >= 0) choose(active);
      else if (event.key === "Enter" && isOpen() && entries.length === 1) choose(0);
      else if (event.key === "Escape" && isOpen()) close();
      else {
        if (event.key === "Tab" && isOpen() && active >= 0) choose(active);
        return;
      }
      event.preventDefault();
      event.stopPropagation();
    });
    list.addEventListener("mousedown", (event) => event.preventDefault()); // the focus stays in the field
    list.addEventListener("click", (event) => {
      const option = event.target.closest("[role='option']");
      if (option) choose([...list.children].indexOf(option));
    });
    input.addEventListener("blur", close);
  };

  // Rows are replaced after a save, so fields are made when the focus arrives.
  document.addEventListener("focusin", (event) => {
    const box = event.target.closest?.(".combobox");
    if (!box || known.has(box)) return;
    known.add(box);
    make(box);
  });
})();
