"""Documents may be sealed anew: same length, a newer key, everything else as it was. That the content is still the
same, its sha256 says, which nobody may change and every reading compares (app/documents/read.py)."""

from alembic import op

revision = "documents_sealed_anew"
down_revision = "log_ins"

_RULE = """
CREATE OR REPLACE FUNCTION document_is_only_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {anew}
    IF OLD.erased_at IS NOT NULL OR NEW.erased_at IS NULL THEN
        RAISE EXCEPTION 'document % may only be erased, once', OLD.id USING ERRCODE = 'ZW003';
    END IF;
    RETURN NEW;
END $$;
"""
_ANEW = """
    IF OLD.erased_at IS NULL AND NEW.erased_at IS NULL AND (NEW.filename, NEW.note) = (OLD.filename, OLD.note)
        AND octet_length(NEW.sealed) = octet_length(OLD.sealed)
        AND substring(NEW.sealed FROM 1 FOR 1) > substring(OLD.sealed FROM 1 FOR 1) THEN
        RETURN NEW;
    END IF;
"""


def upgrade() -> None:
    op.execute(_RULE.format(anew=_ANEW))


def downgrade() -> None:
    op.execute(_RULE.format(anew=""))
