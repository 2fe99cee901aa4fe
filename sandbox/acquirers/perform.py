"""Does something and answers, or does not, as the test card, the amount or the control wants it."""

from collections.abc import Callable

from sandbox.acquirers.acquirer import Acquirer, Refused
from sandbox.acquirers.book import Operation
from sandbox.acquirers.wire import Reply

SLOW_SECONDS = {"slow": 0.3, "very_slow": 5.0}


def perform(
    acquirer: Acquirer, effect: str | None, base_url: str, do: Callable[[], Operation], *, seen: bool = False
) -> Reply:
    """`seen`: it was done earlier and only the answer is wanted. Raises Refused when it pretends to be busy."""
    effect = acquirer.control.take_next() or effect
    if effect is None:
        return acquirer.answer(do(), base_url)
    if effect == "silence":
        return Reply(how="never")
    if effect == "close":
        return Reply(how="close")
    if effect == "busy" and not seen:
        raise Refused(503, "not_processed")
    operation = do()
    if effect == "unknown_word":
        return acquirer.answer(operation, base_url, instead_of_status="perhaps")
    if effect in ("broken", "busy"):
        return Reply(500, b"Internal Server Error", "text/plain")
    reply = acquirer.answer(operation, base_url)
    if effect == "no_answer":
        reply.how = "never"
    elif effect == "garbled":
        reply.body = reply.body[: len(reply.body) // 2] + b"\xff\x00"
    else:
        reply.after = SLOW_SECONDS[effect]
    return reply
