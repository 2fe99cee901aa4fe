"""What the operations themselves say about each hour. The roll-up writes this down, and the proofs compare with it.

A renewed authorisation is not counted: the payer was not asked again, and its amount was counted before.
"""

# The hour in an id (core/ids.py): its first 48 bits are milliseconds.
HOUR = "to_timestamp((('x' || translate(left(o.id::text, 13), '-', ''))::bit(48)::bigint / 3600000 * 3600)::float8)"

ALL_OPERATIONS = "operations o"
# Of some hours in a row: from the smallest id of the first hour to that of the hour after the last.
OF_HOURS = "(SELECT * FROM operations WHERE id >= :first AND id < :after) o"

# figure -> which succeeded operations it counts and adds up
_MOVED = {
    "authorised": "o.kind = 'authorise'",
    "captured": "o.kind = 'capture'",
    "refunded": "o.kind = 'refund'",
    "charged_back": "o.kind = 'chargeback'",
    "reversed": "o.kind = 'reversal'",
}
# Beside the hour: what makes a row of its own, and what is counted in it.
MONEY_KEYS = ("merchant_id", "live", "currency")
ATTEMPT_KEYS = ("merchant_id", "live", "contract_id", "method", "country", "outcome", "code")
MONEY = (*(f"{name}_{what}" for name in _MOVED for what in ("count", "amount")), "declined_count")


def _sums() -> str:
    parts = ["count(*) FILTER (WHERE o.state = 'declined') AS declined_count"]
    for name, condition in _MOVED.items():
        which = f"FILTER (WHERE o.state = 'succeeded' AND {condition})"
        parts.append(f"count(*) {which} AS {name}_count")
        parts.append(f"coalesce(sum(o.booked_amount) {which}, 0)::bigint AS {name}_amount")
    return ", ".join(parts)


def money(operations: str) -> str:
    """SELECT of MoneyFigures per hour."""
    return f"""
        SELECT 'hour' AS span, {HOUR} AS starts_at, o.merchant_id, o.live, o.currency, {_sums()}
        FROM {operations} JOIN authorisations a ON a.id = o.authorisation_id
        WHERE (o.kind <> 'authorise' OR a.replaces_id IS NULL) AND o.kind <> 'cancel'
          AND (o.state = 'succeeded' OR (o.state = 'declined' AND o.kind = 'authorise'))
        GROUP BY 2, 3, 4, 5
        """  # noqa: S608 - names of our own


def attempts(operations: str) -> str:
    """SELECT of AttemptFigures per hour. What has no final answer yet is open."""
    return f"""
        SELECT 'hour' AS span, {HOUR} AS starts_at, o.merchant_id, o.live, o.contract_id, a.method,
               coalesce(a.issuer_country, '') AS country,
               CASE o.state WHEN 'succeeded' THEN 'approved' WHEN 'declined' THEN 'declined'
                   WHEN 'failed' THEN 'not_sent' ELSE 'open' END AS outcome,
               CASE o.state WHEN 'declined' THEN coalesce(o.code, '') ELSE '' END AS code,
               count(*) AS attempts
        FROM {operations} JOIN authorisations a ON a.id = o.authorisation_id
        WHERE o.kind = 'authorise' AND a.replaces_id IS NULL
        GROUP BY 2, 3, 4, 5, 6, 7, 8, 9
        """  # noqa: S608 - names of our own
