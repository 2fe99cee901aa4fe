"""The sandbox's web app: every package beside this file that can `attach(app, journal_dir)`, and a start page.

A package may have TILE = (English title, English text, path) for the start page.
"""

import importlib
import os
import pkgutil
import tempfile
from pathlib import Path
from types import ModuleType

from flask import Flask, render_template

import sandbox
from sandbox import texts


def home() -> Path:
    """Where the sandbox keeps what it must not forget: below ZAHLWERK_HOME, else in a folder that ends with it."""
    chosen = os.environ.get("ZAHLWERK_HOME")
    return Path(chosen) if chosen else Path(tempfile.mkdtemp(prefix="zahlwerk-sandbox-"))


def create_app(journal_dir: Path) -> Flask:
    journal_dir.mkdir(parents=True, exist_ok=True)
    app = Flask("sandbox", root_path=str(Path(__file__).parent))
    app.config["MAX_CONTENT_LENGTH"] = 20_000_000
    app.json.sort_keys = False  # type: ignore[attr-defined]  # a message is shown in the order it came in
    texts.install(app)
    stand_ins = {name: module for name, module in _packages().items() if hasattr(module, "attach")}
    for module in stand_ins.values():
        module.attach(app, journal_dir)
    tiles = {name: getattr(module, "TILE", None) for name, module in stand_ins.items()}

    @app.get("/")
    def start() -> str:
        shown = sorted((tile for tile in tiles.values() if tile), key=lambda tile: _ORDER.get(tile[2], 9))
        return render_template("sandbox/start.html", tiles=shown, others=[n for n, tile in tiles.items() if not tile])

    @app.get("/healthz")
    def healthz() -> str:
        return "ok"

    return app


_ORDER = {"/shop/": 0, "/mail/": 1, "/webhooks/": 2, "/paypal/": 3}


def _packages() -> dict[str, ModuleType]:
    names = [info.name for info in pkgutil.iter_modules(sandbox.__path__) if info.ispkg]
    return {name: importlib.import_module(f"sandbox.{name}") for name in sorted(names)}
