// What the shop is told, as it arrives; what the checkout in the frame says; copy buttons. Works without any library.
(() => {
  "use strict";

  const GOOD = ["paid", "succeeded", "success", "authorised", "captured", "approved", "partially_captured"];
  const LATER = ["pending", "processing"];

  document.querySelectorAll("[data-zahlwerk-checkout]").forEach((place) => {
    place.addEventListener("zahlwerk:result", (event) => {
      const status = String((event.detail || {}).status || "");
      const kind = GOOD.includes(status) ? "good" : LATER.includes(status) ? "later" : "bad";
      const outcome = document.querySelector(".outcome");
      outcome.hidden = false;
      outcome.dataset.kind = kind;
      outcome.dataset.status = status;
      outcome.scrollIntoView({ block: "nearest", behavior: "smooth" });
    });
  });

  const feed = document.querySelector(".feed");
  if (feed) {
    const list = feed.querySelector(".news");
    const seen = new Set();

    const entry = (message) => {
      const item = document.createElement("li");
      item.dataset.type = message.type;
      const verdict = message.verified === true ? "verified" : message.verified === false ? "wrong" : "unknown";
      const head = document.createElement("div");
      const title = document.createElement("strong");
      title.textContent = message.type;
      const time = document.createElement("time");
      time.dateTime = message.received_at;
      time.textContent = new Date(message.received_at).toLocaleTimeString(document.documentElement.lang);
      const sign = document.createElement("span");
      sign.className = "sign " + verdict;
      sign.textContent = list.dataset[verdict];
      head.append(title, time);
      const details = document.createElement("details");
      const summary = document.createElement("summary");
      summary.textContent = list.dataset.body;
      const body = document.createElement("pre");
      body.textContent = message.json ? JSON.stringify(message.json, null, 2) : message.body;
      details.append(summary, body);
      item.append(head, sign, details);
      return item;
    };

    const look = async () => {
      try {
        const answer = await fetch(feed.dataset.news, { cache: "no-store" });
        if (answer.ok) {
          for (const message of await answer.json()) {
            if (seen.has(message.id)) continue;
            seen.add(message.id);
            list.prepend(entry(message));
          }
          feed.classList.toggle("has-news", seen.size > 0);
        }
        feed.classList.toggle("silent", !answer.ok);
      } catch {
        feed.classList.add("silent");
      }
      window.setTimeout(look, document.hidden ? 5000 : 1500);
    };
    look();
  }

  document.querySelectorAll("[data-copy]").forEach((button) => {
    const word = button.textContent;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy.replaceAll(" ", ""));
      button.textContent = button.dataset.done;
      window.setTimeout(() => (button.textContent = word), 1500);
    });
  });
})();
