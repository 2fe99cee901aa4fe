"""What members of staff have arranged for themselves: saved filters and columns of lists."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "desks"
down_revision = "batches"


def upgrade() -> None:
    op.create_table(
        "saved_filters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("screen", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "length(name) BETWEEN 1 AND 60 AND length(query) <= 2000", name=op.f("ck_saved_filters_lengths")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["staff_users.id"], name=op.f("fk_saved_filters_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_filters")),
        sa.UniqueConstraint("user_id", "screen", "name", name=op.f("uq_saved_filters_user_id_screen_name")),
    )
    op.create_index("ix_saved_filters_shared", "saved_filters", ["screen"], postgresql_where=sa.text("shared"))
    op.create_table(
        "chosen_columns",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("screen", sa.Text(), nullable=False),
        sa.Column("columns", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["staff_users.id"], name=op.f("fk_chosen_columns_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "screen", name=op.f("pk_chosen_columns")),
    )
    for table in ("saved_filters", "chosen_columns"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO zahlwerk_app")


def downgrade() -> None:
    op.drop_table("chosen_columns")
    op.drop_table("saved_filters")
