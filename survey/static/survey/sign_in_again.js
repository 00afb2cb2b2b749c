// The session ended while somebody was typing: sign in on top of the page, nothing is left and nothing reloads.
(() => {
  "use strict";
  const dialog = document.getElementById("sign-in-again");
  if (!dialog?.showModal) return;
  const form = dialog.querySelector("form");
  const problem = dialog.querySelector(".form-error");
  let before = null;

  const open = () => {
    if (dialog.open) return;
    before = document.activeElement;
    problem.hidden = true;
    form.elements.password.value = "";
    dialog.showModal();
    form.elements.password.focus();
  };
  const show = (text) => {
    problem.textContent = text;
    problem.hidden = false;
    form.elements.password.focus();
  };
  const cookie = (name) => document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
  const token = () => cookie("__Host-csrftoken") ?? cookie("csrftoken") ?? "";
  // Signing in changes the token: the forms of this page must carry the new one.
  const renewTokens = () => {
    const fresh = token();
    if (!fresh) return;
    document.querySelector('meta[name="csrf-token"]').content = fresh;
    for (const input of document.querySelectorAll("input[name=csrfmiddlewaretoken]")) input.value = fresh;
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    renewTokens();
    try {
      const answer = await fetch(form.action, {
        method: "POST", body: new URLSearchParams(new FormData(form)), redirect: "manual",
        headers: { "X-CSRFToken": token() },
      });
      if (answer.type !== "opaqueredirect") return show(answer.status === 422 ? dialog.dataset.textWrong : dialog.dataset.textBlocked);
    } catch {
      return show(dialog.dataset.textOffline);
    }
    renewTokens();
    dialog.close();
    before?.focus?.();
    document.dispatchEvent(new CustomEvent("survey:signed-in"));
  });
  dialog.querySelector("[data-later]").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => { form.elements.password.value = ""; });
  document.addEventListener("survey:signed-out", open);
})();
