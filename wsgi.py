"""The web application: settings, database, rooms, doors. `granian wsgi:app` or any other WSGI server."""

import gc
import importlib
import importlib.util
import pkgutil
from typing import Any

from apiflask import APIFlask
from flask_migrate import Migrate
from sqlalchemy.pool import QueuePool

import app as house
from app.config import settings
from app.core.db import db
from app.core.logs import configure_logs


def create_app() -> APIFlask:
    """One application. Raises SettingMissing when the environment lacks something it cannot do without."""
    configure_logs(settings().log_level)
    web = APIFlask(
        "zahlwerk",
        title="Zahlwerk API",
        version="1",
        spec_path=None,
        docs_path=None,
        static_folder=None,  # pyright: ignore[reportArgumentType]  # Flask takes None: no static route
    )
    web.config.update(
        SECRET_KEY=settings().keys.session.hex(),
        SQLALCHEMY_DATABASE_URI=settings().database_url,
        SQLALCHEMY_ENGINE_OPTIONS={
            "poolclass": QueuePool,
            "pool_size": settings().database_pool_size,
            "max_overflow": 0,
            "pool_timeout": 10,
            "pool_pre_ping": False,
            "execution_options": {"guarded": True},
            "hide_parameters": True,  # an error must not carry names, addresses or tokens into a log
        },
        MAX_CONTENT_LENGTH=1_000_000,
        MAX_FORM_MEMORY_SIZE=500_000,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings().secure_cookies,
    )
    db.init_app(web)
    Migrate(web, db, compare_type=True)
    open_rooms()
    for door in ("app.core.web", "app.api.door", "hosted_pages.door", "admin.door"):
        if importlib.util.find_spec(door.partition(".")[0]) and _exists(door):
            importlib.import_module(door).attach(web)
    return web


def open_rooms() -> None:
    """Imports every room's tables and reactions; nothing else has to know their list."""
    for room in pkgutil.iter_modules(house.__path__, "app."):
        for part in ("models", "reactions"):
            if room.ispkg and _exists(f"{room.name}.{part}"):
                importlib.import_module(f"{room.name}.{part}")
    for module in ("app.core.events", "app.core.idempotency", "app.core.inbox", "app.core.reactions", "app.core.runs"):
        importlib.import_module(module)


def _exists(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def __getattr__(name: str) -> Any:
    """`wsgi:app` for servers, made on first use: importing create_app (workers, tests) does not make one."""
    if name == "app":
        globals()["app"] = create_app()
        gc.collect()
        gc.freeze()  # a quarter of a million objects that never go: looking through them again takes 0.2 s each time
        gc.set_threshold(20_000, 20, 20)
        return globals()["app"]
    raise AttributeError(name)
