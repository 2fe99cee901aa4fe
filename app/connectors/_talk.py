"""The calls of one verb to one provider: one deadline over all of them, and one way to end in doubt.

What a connector builds on it says what an answer means; `Stopped` carries the end out of any depth.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import structlog

from app.config import settings
from app.connectors._reading import masked
from app.connectors.kinds import Answer, Contract, DeclineCode, Outcome
from app.core.http import NoAnswer, Response, send

log = structlog.get_logger()


class Stopped(Exception):
    """A step ended the verb: `answer` is the verb's answer."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__(answer.outcome)


class AmountNotWritable(Exception):
    """The provider cannot take exactly this amount; we never charge another one instead."""


@dataclass
class Talk:
    """`reference` goes into every answer as soon as it is known; `hide` must not come back in the provider's words.
    `asks`: about something done earlier, so that a refusal is one of the question and says nothing about it."""

    contract: Contract
    reference: str | None = None
    hide: tuple[str, ...] = ()
    asks: bool = False
    _ends: float = field(default_factory=lambda: time.monotonic() + settings().http_deadline_seconds)

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Response:
        """Raises NotSent, and Stopped when no answer came in time."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise self.unknown("provider_took_too_long")
        try:
            return send(method, url, headers=headers, body=body, deadline_seconds=left)
        except NoAnswer:
            raise self.unknown("provider_silent") from None

    def note(self, what: str, **words: object) -> None:
        """Something to look into; the verb goes on."""
        log.warning(what, provider=self.contract.provider, contract=self.contract.id, reference=self.reference, **words)

    def unknown(self, what: str, **words: object) -> Stopped:
        """The end of a verb whose outcome nobody can tell; logged."""
        self.note(what, **words)
        return Stopped(Answer(Outcome.UNKNOWN, provider_reference=self.reference, message=what))

    def refused(self, code: DeclineCode, word: str | None, message: object = None) -> Stopped:
        """The end of a verb that the provider would not carry out. Was it a question, nobody knows more than before."""
        if self.asks:
            return self.unknown("provider_refused_the_question", word=masked(word, self.hide))
        return Stopped(self.declined(code, word, message))

    def declined(self, code: DeclineCode, word: str | None, message: object = None) -> Answer:
        return Answer(
            Outcome.DECLINED,
            provider_reference=self.reference,
            code=code,
            provider_code=masked(word, self.hide),
            message=masked(message, self.hide),
        )


Spoken = TypeVar("Spoken", bound=Talk)
Ask = TypeVar("Ask")


def run(talk: Spoken, verb: Callable[[Spoken, Ask], Answer], ask: Ask) -> Answer:
    """Runs one verb to its end. Raises NotSent."""
    try:
        return verb(talk, ask)
    except Stopped as stopped:
        return stopped.answer
    except AmountNotWritable:
        return talk.declined(DeclineCode.AMOUNT_NOT_ALLOWED, None)
