"""A merchant's clock never goes back, and stands still where money is real."""

from alembic import op

revision = "clock_forward"
down_revision = "what_was_released"

_TRIGGER = """
CREATE FUNCTION clock_goes_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.clock_offset_seconds < OLD.clock_offset_seconds THEN
        RAISE EXCEPTION 'the clock of merchant % would go back', NEW.id USING ERRCODE = 'ZW003';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER clock_goes_forward BEFORE UPDATE OF clock_offset_seconds ON merchants
    FOR EACH ROW EXECUTE FUNCTION clock_goes_forward();
"""


def upgrade() -> None:
    op.create_check_constraint(
        op.f("ck_merchants_clock_of_sandbox_only"), "merchants", "sandbox OR clock_offset_seconds = 0"
    )
    op.execute(_TRIGGER)


def downgrade() -> None:
    op.execute("DROP TRIGGER clock_goes_forward ON merchants")
    op.execute("DROP FUNCTION clock_goes_forward()")
    op.drop_constraint(op.f("ck_merchants_clock_of_sandbox_only"), "merchants", type_="check")
