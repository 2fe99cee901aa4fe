import io
import re
import zipfile
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.core.db import ALL, atomic, reading
from app.core.ids import uuid7
from app.exports import make, pieces
from app.exports.ask import ask
from app.exports.columns import COLUMNS
from app.exports.models import EXPORTS
from app.payments.search import Filters
from app.staff.add import add_user
from app.staff.snapshot import snapshot
from tests import factories


@pytest.fixture
def tenant(context, acquirers):
    return factories.tenant(acquirers["A"])


@pytest.fixture
def person(context) -> Callable[..., UUID]:
    """`person("supervisor", language="de")`: somebody with that role. Returns their id."""

    def add(role: str = "supervisor", language: str = "en") -> UUID:
        with atomic(ALL) as connection:
            address = f"{uuid7()}@example.com"
            return add_user(
                connection,
                email=address,
                password="ein-langes-passwort",
                roles=[role],
                name=role,
                language=language,
                actor="test",
            )

    return add


@pytest.fixture
def wish(tenant, person) -> Callable[..., dict[str, Any]]:
    """`wish(form="csv", who=user_id, **filters)`: an export of the tenant's payments is asked for. Returns its row."""

    def asked(*, form: Any = "csv", who: UUID | None = None, oldest_first: bool = True, **filters: Any) -> Any:
        wanted = Filters(**{"live": False, "merchants": (tenant.merchant_id,), **filters})
        who = who or person()
        with reading(ALL) as connection:
            staff = snapshot(connection, who)
        with atomic(ALL) as connection:
            assert staff is not None
            columns = tuple(COLUMNS)
            return ask(connection, wanted, form=form, columns=columns, oldest_first=oldest_first, staff=staff)

    return asked


def made() -> None:
    """Every export that waits is made, or refused."""
    for _ in range(200):
        if not make.make(100):
            return
    raise AssertionError("it does not end")


def row_of(export: dict[str, Any]) -> dict[str, Any]:
    with reading(ALL) as connection:
        return dict(connection.execute(select(EXPORTS).where(EXPORTS.c.id == export["id"])).mappings().one())


def file_of(export: dict[str, Any]) -> bytes:
    return b"".join(pieces.contents(export["id"], "file"))


def text_of(export: dict[str, Any]) -> str:
    return file_of(export).decode("utf-8-sig")


def sheet_of(export: dict[str, Any]) -> str:
    """The first sheet of a workbook, as XML."""
    with zipfile.ZipFile(io.BytesIO(file_of(export))) as archive:
        assert archive.testzip() is None
        return archive.read("xl/worksheets/sheet1.xml").decode()


def texts_in(sheet: str) -> list[str]:
    return re.findall(r"<t[^>]*>(.*?)</t>", sheet, re.DOTALL)
