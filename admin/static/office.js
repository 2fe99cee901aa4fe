/* Comfort only: every page works without it. */
"use strict";
(() => {
  const words = document.body.dataset;

  // Escape leaves the search and closes what is open (other keys: keys.js)
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      if (event.target.id === "search") event.target.blur();
      const open = document.querySelector("details[data-popover][open]");
      if (open) {
        open.open = false;
        open.querySelector("summary").focus();
      }
      close();
    }
  });

  // one popover at a time; a click elsewhere closes it
  document.addEventListener("click", (event) => {
    for (const open of document.querySelectorAll("details[data-popover][open]")) {
      if (!open.contains(event.target)) open.open = false;
    }
  });

  // ids are copied whole
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    event.preventDefault();
    await copy(button.dataset.copy);
    const use = button.querySelector("use");
    const before = use.getAttribute("href");
    use.setAttribute("href", before.replace(/#.*/, "#done"));
    button.classList.add("done");
    announce(words.copied);
    setTimeout(() => {
      use.setAttribute("href", before);
      button.classList.remove("done");
    }, 1600);
  });

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  }

  function announce(text) {
    const live = document.getElementById("announced");
    if (live) live.textContent = text;
  }

  // the sidebar on narrow screens
  const side = document.getElementById("side");
  const opener = document.querySelector(".menu-button");
  if (side && opener) {
    opener.addEventListener("click", (event) => {
      event.preventDefault();
      side.classList.toggle("open");
      opener.setAttribute("aria-expanded", String(side.classList.contains("open")));
      if (side.classList.contains("open")) side.querySelector("a").focus();
    });
    document.addEventListener("click", (event) => {
      if (side.classList.contains("open") && !side.contains(event.target) && !opener.contains(event.target)) close();
    });
  }
  function close() {
    if (side && side.classList.contains("open")) {
      side.classList.remove("open");
      opener.setAttribute("aria-expanded", "false");
      opener.focus();
    }
  }

  // a form is sent once; the server sees to it too
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.method !== "post" || "download" in event.target.dataset) return;
    setTimeout(() => {
      for (const button of event.target.querySelectorAll("button")) button.disabled = true;
    });
  });
  addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll("form[method=post] button:disabled")) button.disabled = false;
  });

  // what a form will do is said again for each amount
  const asked = document.querySelector("[data-effect]");
  if (asked) {
    const amount = asked.querySelector("[name=amount]");
    const final = asked.querySelector("[name=final]");
    let timer;
    let newest = 0;
    const ask = () => {
      clearTimeout(timer);
      timer = setTimeout(async () => {
        const mine = ++newest;
        const query = new URLSearchParams({ amount: amount.value, final: final && final.checked ? "1" : "" });
        const answer = await fetch(`${asked.dataset.effect}?${query}`, { headers: { Accept: "application/json" } });
        if (!answer.ok || mine !== newest) return;
        const said = await answer.json();
        const effect = document.getElementById("effect");
        effect.querySelector("p").textContent = said.sentence;
        effect.classList.toggle("wait", !said.ok);
        const button = asked.querySelector("button.main");
        button.textContent = said.button;
        asked.querySelector("[name=stated]").value = said.stated;
      }, 200);
    };
    amount.addEventListener("input", ask);
    if (final) final.addEventListener("change", ask);
  }

  // colour picker and its text stay the same
  for (const picker of document.querySelectorAll("input[type=color][data-for]")) {
    const text = document.getElementById(picker.dataset.for);
    picker.addEventListener("input", () => { text.value = picker.value; });
    text.addEventListener("input", () => { if (/^#[0-9a-f]{6}$/i.test(text.value)) picker.value = text.value; });
  }

  // errors first
  const wrong = document.querySelector(".field.bad input, .field.bad select, .field.bad textarea");
  if (wrong) wrong.focus();
})();
