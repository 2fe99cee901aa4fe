/* Comfort while a merchant is set up; every page works without it. */
"use strict";
(() => {
  // The preview follows what is typed. Each look is a frame of its own, so that "back" still leads away from the form.
  const button = document.querySelector("[data-preview]");
  if (button) {
    const form = button.form;
    let timer;
    let number = 0;
    const show = () => {
      clearTimeout(timer);
      const old = document.querySelector(".preview iframe:not(.coming)");
      for (const late of document.querySelectorAll(".preview iframe.coming")) late.remove();
      const next = old.cloneNode();
      next.removeAttribute("src");
      next.name = `preview-${++number}`;
      next.classList.add("coming");
      next.addEventListener("load", () => {
        if (!next.contentDocument || next.contentDocument.URL === "about:blank") return;
        next.classList.remove("coming");
        next.contentWindow.scrollTo(0, old.contentWindow ? old.contentWindow.scrollY : 0);
        old.remove();
      });
      old.after(next);
      const [target, action] = [form.getAttribute("target"), form.getAttribute("action")];
      form.target = next.name;
      form.action = button.formAction;
      form.submit();
      if (target === null) form.removeAttribute("target"); else form.target = target;
      if (action === null) form.removeAttribute("action"); else form.setAttribute("action", action);
    };
    const soon = () => {
      clearTimeout(timer);
      timer = setTimeout(show, 350);
    };
    form.addEventListener("submit", (event) => {
      if (event.submitter !== button) return;
      event.preventDefault();
      show();
    });
    form.addEventListener("input", soon);
    for (const one of form.elements) if (!form.contains(one)) one.addEventListener("change", soon);
    document.addEventListener("looks-different", soon);
    button.hidden = true;
    if (form.querySelector(".field.bad")) show();
  }

  // Whether a colour can carry text is said while it is typed, with the nearest one that can.
  const weak = document.querySelector("[data-contrast]");
  if (weak) {
    const accent = document.getElementById("accent");
    const picker = document.querySelector("input[data-for=accent]");
    const take = weak.querySelector("button");
    const words = take.querySelector("[data-take]");
    let timer;
    let newest = 0;
    const ask = async () => {
      const mine = ++newest;
      const answer = await fetch(`${weak.dataset.contrast}?${new URLSearchParams({ accent: accent.value })}`);
      if (!answer.ok || mine !== newest) return;
      const { ok, sentence, nearest } = await answer.json();
      weak.hidden = ok || !nearest;
      const error = document.getElementById("accent-error");
      if (error) error.remove();
      accent.removeAttribute("aria-invalid");
      accent.closest(".field").classList.toggle("bad", !weak.hidden);
      weak.querySelector("[data-sentence]").textContent = sentence;
      if (!weak.hidden) {
        take.value = nearest;
        take.querySelector("rect").setAttribute("fill", nearest);
        words.textContent = words.dataset.take.replace("#", nearest);
      }
    };
    const soon = () => {
      clearTimeout(timer);
      timer = setTimeout(ask, 250);
    };
    accent.addEventListener("input", soon);
    if (picker) picker.addEventListener("input", soon);
    take.addEventListener("click", (event) => {
      event.preventDefault();
      accent.value = take.value;
      if (picker) picker.value = take.value;
      accent.focus();
      ask();
      document.dispatchEvent(new Event("looks-different"));
    });
  }

  // "Test connection" says what came of it without leaving the form.
  const trying = document.querySelector("[data-try]");
  if (trying) {
    const said = document.querySelector("[data-tried]");
    let plainly = false;
    trying.form.addEventListener("submit", async (event) => {
      if (event.submitter !== trying || plainly) return;
      event.preventDefault();
      trying.disabled = true;
      const typed = new FormData(trying.form);
      typed.set("test", "1");
      try {
        const answer = await fetch(location.href, { method: "POST", body: typed, headers: { Accept: "application/json" } });
        if (!(answer.headers.get("Content-Type") || "").startsWith("application/json")) throw new Error("no outcome");
        const { sentence, tone } = await answer.json();
        said.className = `note ${tone || "bad"}`;
        said.querySelector("p").textContent = sentence || "";
        said.hidden = false;
      } catch {
        plainly = true;
        trying.disabled = false;
        trying.form.requestSubmit(trying);
      }
      trying.disabled = false;
    });
  }

  // What is under way is looked at again until it has ended.
  const again = () => {
    const part = document.querySelector("[data-again]");
    if (!part) return;
    setTimeout(async () => {
      const answer = await fetch(part.dataset.again, { headers: { Accept: "text/html" } }).catch(() => null);
      if (answer && answer.ok) {
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(part.id);
        if (fresh) part.replaceWith(document.adoptNode(fresh));
      }
      again();
    }, 1000);
  };
  again();
})();
