"""What "test connection" has in common at all providers: any end of the call is an answer, and none says a secret."""

from collections.abc import Callable
from urllib.parse import urlsplit

from app.connectors._talk import Stopped
from app.connectors.kinds import Checked, DeclineCode, Reached
from app.core.http import NoAnswer, NotSent


def checked(call: Callable[[], Checked]) -> Checked:
    """Runs a harmless call. Nothing moves in it, so that here, and only here, "not sent" and silence are the same."""
    try:
        return call()
    except (NotSent, NoAnswer):
        return Checked(Reached.UNREACHABLE)
    except Stopped as stopped:
        return _ended(stopped)
    except ValueError:  # an address or a key that cannot be written into a request at all
        return Checked(Reached.UNCLEAR)


def _ended(stopped: Stopped) -> Checked:
    answer = stopped.answer
    if answer.code is DeclineCode.CONFIGURATION:
        return Checked(Reached.REFUSED, answer.provider_code)
    if answer.message in ("provider_silent", "provider_took_too_long"):
        return Checked(Reached.UNREACHABLE)
    return Checked(Reached.UNCLEAR, answer.provider_code)


def mode_fits(live: bool, is_live: bool | None) -> bool:
    """`is_live`: what key or address say; None where they do not say (a stand-in). A live contract has to be sure."""
    return is_live is True if live else is_live is not True


def host_of(address: str) -> str:
    """Raises ValueError."""
    return urlsplit(address).hostname or ""
