"""Random histories of payments keep every promise. `make nightly` runs 10,000 of them, `make test` a few hundred.

HYPOTHESIS_PROFILE chooses, HISTORIES is another number of them. Numbers seen stand in the README.
"""

import os
import time

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.payments.histories import world
from tests.payments.histories.machine import Histories

_COMMON = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
    report_multiple_bugs=False,
    print_blob=True,
    stateful_step_count=20,
)
PROFILES = {
    "suite": settings(_COMMON, max_examples=200, derandomize=True, database=None),  # the same ones every time
    "nightly": settings(_COMMON, max_examples=10_000),
}
# What must have happened in some of them, or they would prove little.
WANTED = {
    *("authorisation.succeeded", "authorisation.declined", "authorisation.failed", "authorisation.outcome_unknown"),
    *("authorisation.action_required", "capture.succeeded", "capture.declined", "capture.pending"),
    *("cancellation.succeeded", "refund.succeeded", "payment.released"),
    *("chargeback.succeeded", "chargeback_reversal.succeeded", "payment.late_approval_reversed", "dispute.lost"),
    *("capture.approval_requested", "cancellation.withdrawn"),
}


@pytest.mark.timeout(6 * 3600)
def test_histories_keep_every_promise(app, databases, tmp_path, monkeypatch, capsys):
    chosen = PROFILES[os.environ.get("HYPOTHESIS_PROFILE", "suite")]
    if wanted := os.environ.get("HISTORIES"):
        chosen = settings(chosen, max_examples=int(wanted))
    begun, worked = time.monotonic(), time.process_time()
    with world.made(app, databases, tmp_path) as made:
        monkeypatch.setattr(Histories, "world", made, raising=False)
        run_state_machine_as_test(Histories, settings=chosen)
    seconds = time.monotonic() - begun
    with capsys.disabled():
        print(
            f"\n{made.whole} histories, {made.steps} steps in {seconds:.0f} s: {made.whole / seconds:.1f} histories/s,"
            f" {time.process_time() - worked:.0f} s of them our own CPU"
        )
        print(", ".join(f"{name} {count}" for name, count in made.told.most_common()))
    if made.whole >= 200:
        assert set(made.told) >= WANTED, WANTED - set(made.told)
