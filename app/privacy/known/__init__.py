"""The shelf of what can be known of a person. To add a kind of personal data, add a file."""

from app.core.shelf import Shelf
from app.privacy.known.kinds import Known

KNOWN: Shelf[Known] = Shelf("app.privacy.known", skip=frozenset({"kinds"}))


def in_order() -> list[tuple[str, Known]]:
    """As a reader wants them: who it is first."""
    return sorted(KNOWN.items(), key=lambda item: item[1].ORDER)
