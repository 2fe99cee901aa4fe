"""What the demo shop needs of the product, by its published interface: checkouts, the embed script, a page to frame."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask, jsonify, request
from werkzeug.serving import make_server

EMBED = """
document.querySelectorAll("[data-zahlwerk-checkout]").forEach((place) => {
  const frame = document.createElement("iframe");
  frame.src = place.dataset.zahlwerkCheckout;
  frame.title = "Checkout";
  place.append(frame);
  window.addEventListener("message", (event) => {
    if (event.source !== frame.contentWindow) return;
    place.dispatchEvent(new CustomEvent("zahlwerk:result", { bubbles: true, detail: event.data }));
  });
});
"""

PAGE = """<!doctype html><html lang="de"><title>Checkout</title><body>
<button data-status="paid">Zahlungspflichtig bestellen</button> <button data-status="declined">Ablehnen</button>
<script>
document.querySelectorAll("button").forEach((button) => button.addEventListener("click", () =>
  parent.postMessage({ status: button.dataset.status, checkout: "chk_1", payment: "pay_1" }, "*")));
</script>"""


@contextmanager
def till(port: int = 0, refuse: tuple[int, Any] | None = None) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yields its address and the list of requests it gets. `refuse`: answers every checkout with (status, body)."""
    app, asked, numbers = Flask("till"), [], itertools.count(1)

    @app.post("/v1/checkouts")
    def checkouts() -> Any:
        asked.append({"headers": dict(request.headers), "json": request.get_json()})
        if refuse:
            return jsonify(refuse[1]), refuse[0]
        number = next(numbers)
        url = f"{request.url_root}pay/token{number}"
        made = {"id": f"chk_{number}", "url": url, "embed_url": url + "?frame=1", "expires_at": "2026-12-01T00:00:00Z"}
        return jsonify(made), 201

    app.add_url_rule("/embed.js", view_func=lambda: (EMBED, {"Content-Type": "text/javascript"}), endpoint="embed")
    app.add_url_rule("/pay/<token>", view_func=lambda token: PAGE, endpoint="pay")

    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{server.port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
