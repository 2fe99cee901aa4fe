"""One process that the stack looks after, as data."""

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.stack.accounts import Account


@dataclass(frozen=True)
class Child:
    """How to start, recognise and stop one process.

    `log` None means our own output. `ready` answers whether it is fit for use (None: being alive
    is enough). `prepare` runs before every start. Children of one `group` stop together (empty:
    alone). `stop_seconds` bounds the polite stop, in which the signal is repeated once, to the
    whole session, after `stop_again_seconds`; then comes `firm_signal`, then SIGKILL for the session.
    """

    name: str
    argv: Sequence[str | Path]
    log: Path | None
    env: Mapping[str, str] | None = None
    cwd: Path | str = "/"
    group: str = ""
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10
    stop_again_seconds: float | None = None
    firm_signal: signal.Signals = signal.SIGKILL
    ready: Callable[[], bool] | None = field(default=None, compare=False)
    prepare: Callable[[], None] | None = field(default=None, compare=False)
    owner: Account | None = None
