/* Keys: / goes to the search, j, k and the arrows from row to row, Enter opens, ? shows them all. */
"use strict";
(() => {
  const OFF = "zahlwerk-keys-off";
  const sheet = document.getElementById("keys");
  const tick = document.getElementById("keys-on");

  // Single letters are keys only for those who want them so (WCAG 2.1.4); this browser remembers.
  const on = () => {
    try {
      return localStorage.getItem(OFF) === null;
    } catch {
      return true;
    }
  };
  if (tick) {
    tick.checked = on();
    tick.addEventListener("change", () => {
      try {
        if (tick.checked) localStorage.removeItem(OFF);
        else localStorage.setItem(OFF, "1");
      } catch {
        /* a browser that keeps nothing */
      }
    });
  }

  // Every table whose rows open something is walked.
  const links = () => [...document.querySelectorAll("tr .row-link")].filter((one) => one.offsetParent);

  // `by`: 1 down, -1 up. From nowhere it begins at the first row, or at the last.
  const step = (by) => {
    const all = links();
    if (!all.length) return false;
    const row = document.activeElement.closest("tr");
    const now = row ? all.findIndex((one) => row.contains(one)) : -1;
    const next = now < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(now + by, 0), all.length - 1);
    all[next].focus();
    all[next].closest("tr").scrollIntoView({ block: "nearest" });
    return true;
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || (sheet && sheet.open)) return;
    const inSearch = event.target.id === "search";
    if (inSearch && event.key === "ArrowDown" && step(1)) event.preventDefault();
    if (event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable], details[open]")) return;
    const inRows = event.target.closest("tr") && event.target.closest("tr").querySelector(".row-link");
    if (inRows && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      if (step(event.key === "ArrowDown" ? 1 : -1)) event.preventDefault();
      return;
    }
    if (!on()) return;
    if (event.key === "/") {
      const search = document.getElementById("search");
      if (search) {
        event.preventDefault();
        search.focus();
        search.select();
      }
    } else if (event.key === "j" || event.key === "k") {
      if (step(event.key === "j" ? 1 : -1)) event.preventDefault();
    } else if (event.key === "x") {
      const row = document.activeElement.closest("tr");
      const box = row && row.querySelector("input[type=checkbox]");
      if (box) {
        event.preventDefault();
        box.click();
      }
    } else if (event.key === "n" || event.key === "p") {
      const link = document.querySelector(`.pages a[rel=${event.key === "n" ? "next" : "prev"}]`);
      if (link) link.click();
    } else if (event.key === "?" && sheet) {
      event.preventDefault();
      sheet.showModal();
    }
  });

  const opener = document.querySelector("[data-keys]");
  if (opener && sheet) {
    opener.hidden = false;
    opener.addEventListener("click", () => sheet.showModal());
  }

  // all rows of a page at once, and how many are chosen
  const every = document.querySelector("[data-every]");
  const boxes = () => [...document.querySelectorAll("[data-rows] tbody input[type=checkbox]")];
  const said = document.querySelector("[data-chosen]");
  const count = () => {
    const chosen = boxes().filter((one) => one.checked).length;
    if (said) said.textContent = chosen ? said.dataset.chosen.replace("#", chosen) : said.dataset.none;
    if (every) {
      every.checked = chosen > 0 && chosen === boxes().length;
      every.indeterminate = chosen > 0 && !every.checked;
    }
  };
  if (every) {
    every.hidden = false;
    every.addEventListener("change", () => {
      for (const one of boxes()) one.checked = every.checked;
      count();
    });
    document.addEventListener("change", (event) => {
      if (event.target.closest("[data-rows] tbody")) count();
    });
    count();
  }

  // What is under way is looked at again every few seconds. Only what differs is changed, so that whoever reads or
  // has the focus somewhere keeps their place; a screen reader hears of it now and then, and of the end.
  const live = document.querySelector("[data-refresh]");
  if (live) {
    const announced = document.getElementById("announced");
    let heard = live.dataset.said;
    let when = Date.now();
    const say = (last) => {
      if (!announced || live.dataset.said === heard || (!last && Date.now() - when < 10000)) return;
      announced.textContent = heard = live.dataset.said;
      when = Date.now();
    };
    const again = async () => {
      try {
        const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
        if (answer.redirected || (!answer.ok && answer.status < 500)) return; // the log-in has ended
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.getElementById(live.id);
        if (answer.ok && fresh) {
          renew(live, fresh);
          say(!live.dataset.refresh);
          if (!live.dataset.refresh) return;
        }
      } catch {
        /* away for a moment */
      }
      setTimeout(again, 1000 * live.dataset.refresh);
    };
    setTimeout(again, 1000 * live.dataset.refresh);
  }

  function renew(old, fresh) {
    if (old.isEqualNode(fresh)) return;
    if (old.nodeName !== fresh.nodeName) {
      old.replaceWith(fresh);
    } else if (old.nodeType !== Node.ELEMENT_NODE) {
      old.data = fresh.data;
    } else {
      for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
      for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
      inside(old, fresh);
    }
  }

  // Sections are found again by their name, whatever came in between; the rest goes by its place.
  function inside(old, fresh) {
    let at = old.firstChild;
    for (const one of [...fresh.childNodes]) {
      const same = sameAs(one, at);
      if (!same) {
        old.insertBefore(one, at);
        continue;
      }
      while (at !== same) at = dropped(at);
      at = same.nextSibling;
      renew(same, one);
    }
    while (at) at = dropped(at);
  }

  function sameAs(one, at) {
    const called = nameOf(one);
    if (!called) return at && !nameOf(at) ? at : null;
    while (at && nameOf(at) !== called) at = at.nextSibling;
    return at;
  }

  function nameOf(node) {
    return node.nodeType === Node.ELEMENT_NODE ? node.id || node.getAttribute("aria-labelledby") || "" : "";
  }

  function dropped(node) {
    const next = node.nextSibling;
    node.remove();
    return next;
  }
})();
