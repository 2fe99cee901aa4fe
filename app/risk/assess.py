"""May we? Asks every check and answers ALLOW, DENY, REVIEW or ASK(step). Can be called repeatedly."""

from dataclasses import dataclass

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
    verdict: Verdict
    step: str | None
    reasons: tuple[str, ...]


def assess(connection: Connection, subject: Subject) -> Decision:
    """The strictest of all findings wins. Writes one append-only decision row."""
    worst, step, answers = Verdict.ALLOW, None, []
    for name, module in sorted(CHECKS.items(), key=lambda item: item[1].ORDER):
        finding = module.check(connection, subject)
        answers.append({"check": name, "verdict": finding.verdict.value, "reason": finding.reason})
        if _SEVERITY[finding.verdict] > _SEVERITY[worst]:
            worst, step = finding.verdict, finding.step
    add(
        table_of(RiskDecision),
        {
            "id": uuid7(),
            "merchant_id": subject.merchant_id,
            "live": subject.live,
            "payment_id": subject.payment_id,
            "decision": worst.value,
            "step": step,
            "answers": answers,
            "decided_at": now(),
        },
    )
    return Decision(worst, step, tuple(answer["reason"] for answer in answers if answer["reason"]))
