"""Saved filters and chosen columns, per user and list."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Model, table_of


class SavedFilter(Model):
    """`query`: the parameters of the list's address. `shared`: colleagues see it too, with what they may see by it."""

    __tablename__ = "saved_filters"
    __table_args__ = (
        CheckConstraint("length(name) BETWEEN 1 AND 60 AND length(query) <= 2000", name="lengths"),
        UniqueConstraint("user_id", "screen", "name"),
        Index("ix_saved_filters_shared", "screen", postgresql_where=text("shared")),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("staff_users.id", ondelete="CASCADE"))
    screen: Mapped[str]
    name: Mapped[str]
    query: Mapped[str]
    shared: Mapped[bool]
    changed_at: Mapped[datetime]


class ChosenColumns(Model):
    """The columns somebody wants to see in a list, by name."""

    __tablename__ = "chosen_columns"
    user_id: Mapped[UUID] = mapped_column(ForeignKey("staff_users.id", ondelete="CASCADE"), primary_key=True)
    screen: Mapped[str] = mapped_column(primary_key=True)
    columns: Mapped[list[str]] = mapped_column(ARRAY(Text()))


FILTERS, COLUMNS = table_of(SavedFilter), table_of(ChosenColumns)
