"""Documents: files, sealed. The application may add and erase them, and change nothing else about them."""

import sqlalchemy as sa
from alembic import op

revision = "documents"
down_revision = "what_is_old"

_SEES = (
    "(CASE WHEN current_setting('zahlwerk.merchants', true) = 'all' THEN true"
    " ELSE merchant_id::text = ANY (string_to_array(current_setting('zahlwerk.merchants', true), ',')) END)"
    " AND (CASE WHEN current_setting('zahlwerk.live', true) = 'any' THEN true"
    " ELSE live = (current_setting('zahlwerk.live', true) = 'true') END)"
)


def upgrade() -> None:
    op.create_table(
        "documents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("merchant_id", sa.Uuid(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.CheckConstraint("size_bytes > 0 AND size_bytes <= 20000000", name=op.f("ck_documents_size")),
        sa.CheckConstraint(
            "media_type IN ('application/pdf', 'image/png', 'image/jpeg', 'text/plain')",
            name=op.f("ck_documents_media_type"),
        ),
        sa.CheckConstraint("length(filename) <= 120 AND length(note) <= 500", name=op.f("ck_documents_lengths")),
        sa.CheckConstraint(
            "CASE WHEN erased_at IS NULL THEN sealed IS NOT NULL AND filename <> ''"
            " ELSE sealed IS NULL AND filename = '' AND note = '' END",
            name=op.f("ck_documents_there_or_erased"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documents")),
    )
    op.create_index("ix_documents_subject", "documents", ["subject_type", "subject_id", "id"])
    op.create_index("ix_documents_kept", "documents", ["created_at"], postgresql_where=sa.text("erased_at IS NULL"))
    # What is sealed looks random: compressing it would only cost time.
    op.execute("ALTER TABLE documents ALTER COLUMN sealed SET STORAGE EXTERNAL")
    op.execute("ALTER TABLE documents ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON documents USING ({_SEES}) WITH CHECK ({_SEES})")
    op.execute("GRANT SELECT, INSERT ON documents TO zahlwerk_app")
    op.execute("GRANT UPDATE (sealed, filename, note, erased_at) ON documents TO zahlwerk_app")
    op.execute(ONLY_ERASED)


# The only change there is: from kept to erased, once (that it is empty then, a CHECK sees to).
ONLY_ERASED = """
CREATE FUNCTION document_is_only_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.erased_at IS NOT NULL OR NEW.erased_at IS NULL THEN
        RAISE EXCEPTION 'document % may only be erased, once', OLD.id USING ERRCODE = 'ZW003';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER document_is_only_erased BEFORE UPDATE ON documents
    FOR EACH ROW EXECUTE FUNCTION document_is_only_erased();
"""


def downgrade() -> None:
    op.drop_table("documents")
    op.execute("DROP FUNCTION document_is_only_erased()")
