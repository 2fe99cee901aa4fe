/* Shows a hosted checkout in a page of the shop:
     <div data-zahlwerk-checkout="EMBED_URL"></div> <script src="https://…/embed.js" defer></script>
   The div hears "zahlwerk:result" with {status, checkout, payment}; status is paid, pending, cancelled or
   expired. It is a hint for the page; the truth is in the webhook and the API. For a div added later:
   zahlwerk.mount(div). */
(() => {
  const mount = (div) => {
    if (div.querySelector("iframe")) return;
    const url = new URL(div.dataset.zahlwerkCheckout);
    const frame = document.createElement("iframe");
    frame.src = url;
    frame.title = div.dataset.title || (document.documentElement.lang.startsWith("de") ? "Bezahlen" : "Payment");
    frame.allow = "payment";
    frame.style.cssText = "display:block;width:100%;max-width:480px;height:680px;border:0;margin:0 auto;color-scheme:auto";
    addEventListener("message", ({ origin, source, data }) => {
      if (origin !== url.origin || source !== frame.contentWindow || !data || data.zahlwerk !== 1) return;
      if (data.height > 0) frame.style.height = Math.max(data.height, data.least ? 680 : 0) + "px";
      if (data.result) div.dispatchEvent(new CustomEvent("zahlwerk:result", { bubbles: true, detail: data.result }));
    });
    div.append(frame);
  };
  const all = () => document.querySelectorAll("[data-zahlwerk-checkout]").forEach(mount);
  window.zahlwerk = { mount };
  document.readyState === "loading" ? addEventListener("DOMContentLoaded", all) : all();
})();
