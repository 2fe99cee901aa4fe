// Lists that renew themselves every two seconds, and times in the reader's zone.
(() => {
  "use strict";

  const localTimes = (root) =>
    root.querySelectorAll("time[data-local]").forEach((time) => {
      const at = new Date(time.dateTime);
      const language = document.documentElement.lang;
      time.textContent =
        time.dataset.local === "long"
          ? at.toLocaleString(language, { dateStyle: "long", timeStyle: "medium" })
          : at.toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
      time.title = at.toLocaleString(language);
    });
  localTimes(document);

  const part = document.querySelector("[data-live] [data-live-part]");
  if (!part) return;
  let last = null;

  const look = async () => {
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      const text = answer.ok ? await answer.text() : last;
      if (last !== null && text !== last) {
        const fresh = new DOMParser().parseFromString(text, "text/html");
        const news = fresh.querySelector(`[data-live-part="${part.dataset.livePart}"]`);
        const open = new Set([...part.querySelectorAll("details[open]")].map((one) => one.id));
        const known = new Set([...part.querySelectorAll("details")].map((one) => one.id));
        news.querySelectorAll("details").forEach((one) => {
          if (known.has(one.id)) one.open = open.has(one.id);
        });
        localTimes(news);
        part.replaceChildren(...news.childNodes);
      }
      last = text;
    } catch {
      // the sandbox is being restarted; look again
    }
    window.setTimeout(look, document.hidden ? 10000 : 2000);
  };
  look();
})();
