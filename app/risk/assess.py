"""May we? Asks every check and answers ALLOW, DENY, REVIEW or ASK(step). Can be called repeatedly."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from app.core.clock import now
from app.core.db import table_of
from app.core.fast import add
from app.core.ids import uuid7
from app.risk.checks import CHECKS
from app.risk.kinds import Subject, Verdict
from app.risk.models import RiskDecision

_SEVERITY = {Verdict.ALLOW: 0, Verdict.REVIEW: 1, Verdict.ASK: 2, Verdict.DENY: 3}


@dataclass(frozen=True, slots=True)
class Decision:
    """`answers`: what each check said, as it is written down."""

    verdict: Verdict
    step: str | None
    answers: tuple[dict[str, Any], ...]


def assess(connection: Connection, subject: Subject) -> Decision:
    """The strictest of all findings wins. Reads only; what is acted upon is written down with `decided()`."""
    worst, step, answers = Verdict.ALLOW, None, []
    for name, module in sorted(CHECKS.items(), key=lambda item: item[1].ORDER):
        finding = module.check(connection, subject)
        answers.append({"check": name, "verdict": finding.verdict.value, "reason": finding.reason})
        if _SEVERITY[finding.verdict] > _SEVERITY[worst]:
            worst, step = finding.verdict, finding.step
    return Decision(worst, step, tuple(answers))


def decided(subject: Subject, decision: Decision) -> None:
    """Writes one append-only row in the open transaction."""
    add(
        table_of(RiskDecision),
        {
            "id": uuid7(),
            "merchant_id": subject.merchant_id,
            "live": subject.live,
            "payment_id": subject.payment_id,
            "decision": decision.verdict.value,
            "step": decision.step,
            "answers": list(decision.answers),
            "decided_at": now(),
        },
    )
