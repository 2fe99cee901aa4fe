"""What happens at the acquirers and reaches us as notifications: late, twice, out of order, or before the answer."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from app.payments import news
from sandbox.acquirers import acs, dialects
from tests.payments.histories.desks import SteeredAcquirer, Told
from tests.payments.histories.history import WORDS, History
from tests.payments.histories.model import Attempt, Op, Quarrel

places = st.integers(0, 99)
TURNS = {None: ("inquiry", "charged_back"), "inquiry": ("charged_back",), "charged_back": ("reversed", "lost")}
FACTS = {"charged_back": "chargeback", "reversed": "reversal"}


class Outside(History):
    @precondition(lambda self: self.began and self._at_their_bank())
    @rule(place=places, decision=st.sampled_from(("approve", "approve", "decline", "cancel")))
    def the_payer_decides(self, place: int, decision: str) -> None:
        """At their bank; also when we do not wait for them any more."""
        ops = self._at_their_bank()
        op = ops[place % len(ops)]
        acquirer = self.acquirer(op.attempt)
        theirs = acquirer.of_key(op.id)
        assert theirs
        acs._decide(acquirer, theirs, decision)

    def _at_their_bank(self) -> list[Op]:
        asked = []
        for op in self.model.of("authorise"):
            theirs = self.acquirer(op.attempt).of_key(op.id)
            if theirs and theirs.state == "action" and not theirs.decision:
                asked.append(op)
        return asked

    @precondition(lambda self: self.began and any(len(one.later) for one in self.business.acquirers))
    @rule()
    def what_is_pending_is_done(self) -> None:
        for acquirer in self.business.acquirers:
            acquirer.later.run_now()

    @precondition(lambda self: self.began and self._with_portal())
    @rule(
        place=places,
        verb=st.sampled_from(("capture", "refund", "cancel")),
        amount=st.sampled_from((None, 1, 700, 3_000)),
    )
    def somebody_acts_in_the_portal(self, place: int, verb: str, amount: int | None) -> None:
        attempts = self._with_portal()
        attempt = attempts[place % len(attempts)]
        acquirer, reference = self.acquirer(attempt), self.reference(attempt)
        theirs = acquirer.book.authorisation(reference)
        assert theirs
        most = theirs.refundable if verb == "refund" else theirs.left
        whole = most if amount is None or verb == "cancel" else min(amount, most)
        if whole > 0:
            self.portal += 1
            acquirer.in_portal(verb, reference, whole, self.portal)

    def _with_portal(self) -> list[Attempt]:
        """Authorisations at acquirers that tell what was done in their portals."""
        found = []
        for attempt in self.model.attempts:
            acquirer, reference = self.acquirer(attempt), self.reference(attempt)
            theirs = acquirer.book.authorisation(reference) if reference else None
            if theirs and acquirer.tells(theirs) and theirs.left + theirs.refundable > 0:
                found.append(attempt)
        return found

    @precondition(lambda self: self.began and any(op.state == "succeeded" for op in self.model.of("capture")))
    @rule(place=places, choice=places, amount=st.sampled_from((None, None, 400, 2_500)))
    def the_bank_takes_a_turn(self, place: int, choice: int, amount: int | None) -> None:
        """In a dispute: at most two chargebacks, as the card schemes have it."""
        attempts = [attempt for attempt in self.model.attempts if self.reference(attempt)]
        attempt = attempts[place % len(attempts)]
        acquirer, reference = self.acquirer(attempt), self.reference(attempt)
        theirs = acquirer.book.authorisation(reference)
        if theirs is None:
            return
        last = theirs.turns[-1] if theirs.turns else None
        if last == "lost" or (last == "reversed" and theirs.turns.count("charged_back") > 1):
            return
        turns = TURNS.get(last, ("charged_back",))
        turn = turns[choice % len(turns)]
        amount = min(amount or theirs.refundable, theirs.refundable)
        if last == "reversed":  # a second round is about what the first was about
            amount = next(
                line["amount"]
                for line in acquirer.money()
                if line["done"] == "charged_back" and line["authorisation"] == reference
            )
        acquirer.dispute(reference, turn, None if turn in ("reversed", "lost") else amount)

    @precondition(lambda self: self.began and self._refunded_and_undisputed())
    @rule(place=places, end=st.sampled_from(("lost", "lost", "reversed", None)), told=st.booleans())
    def a_bank_takes_back_what_was_refunded(self, place: int, end: str | None, told: bool) -> None:
        """Banks do not look whether the merchant has given it back already."""
        attempts = self._refunded_and_undisputed()
        attempt = attempts[place % len(attempts)]
        acquirer, reference = self.acquirer(attempt), self.reference(attempt)
        before = len(acquirer.told)
        if acquirer.dispute(reference, "charged_back", although_refunded=True) and end:
            acquirer.dispute(reference, end)
        for one in acquirer.told[before:] if told else ():
            self.deliver(attempt.place, one)

    def the_bank_decides(self, end: str) -> None:
        """It took the money back, and says whose it is; we hear of both in their order."""
        attempt = next(one for one in self.model.attempts if self.model.done("capture", one))
        acquirer, reference = self.acquirer(attempt), self.reference(attempt)
        before = len(acquirer.told)
        if acquirer.dispute(reference, "charged_back"):
            acquirer.dispute(reference, end)
        for one in acquirer.told[before:]:
            self.deliver(attempt.place, one)

    def banks_take_back_what_was_refunded(self, end: str) -> None:
        if self._refunded_and_undisputed():
            self.a_bank_takes_back_what_was_refunded(place=0, end=end, told=True)

    def _refunded_and_undisputed(self) -> list[Attempt]:
        found = []
        for attempt in self.model.attempts:
            reference = self.reference(attempt)
            theirs = self.acquirer(attempt).book.authorisation(reference) if reference else None
            if theirs and theirs.refunded and not theirs.turns:
                found.append(attempt)
        return found

    # How we hear of it

    @precondition(
        lambda self: self.began and any(t.deliveries < 2 for one in self.business.acquirers for t in one.told)
    )
    @rule(place=places, newest=st.booleans(), reworded=st.booleans())
    def a_notification_arrives(self, place: int, newest: bool, reworded: bool) -> None:
        """Any of those told so far, in any order, any number of times; the same fact also in other bytes."""
        fresh = [
            (number, told)
            for number, one in enumerate(self.business.acquirers)
            for told in one.told
            if not told.deliveries
        ]
        every = (
            fresh
            if fresh and newest
            else [(number, told) for number, one in enumerate(self.business.acquirers) for told in one.told]
        )
        number, told = every[place % len(every)]
        self.deliver(number, told, reworded=reworded)

    @precondition(lambda self: self.began and any(one.told for one in self.business.acquirers))
    @rule(place=places, currency=st.sampled_from(("JPY", "USD", "KWD")))
    def something_is_told_in_another_currency(self, place: int, currency: str) -> None:
        """About this payment, and no fact that could be booked to it: nothing changes."""
        every = [(number, told) for number, one in enumerate(self.business.acquirers) for told in one.told]
        number, told = every[place % len(every)]
        acquirer, contract = self.business.acquirers[number], self.business.contracts[number]
        picture = {**told.picture, "news": f"{told.picture['news']}.{currency}", "currency": currency}
        _, body = dialects.encode(acquirer.letter.dialect, picture)
        news.read(news.receive(contract, "sandbox_card", acquirer.headers(body, told.content_type), body))
        assert self.new_rows() == []

    def deliver(self, number: int, told: Told, *, reworded: bool = False) -> None:
        acquirer, contract = self.business.acquirers[number], self.business.contracts[number]
        body = told.body
        if reworded:
            body += b" " * (told.deliveries + 1) if told.content_type == "application/json" else b"&again=1"
        told.deliveries += 1
        message = news.receive(contract, "sandbox_card", acquirer.headers(body, told.content_type), body)
        news.read(message)
        self.changed()
        self._heard(acquirer, told)

    def _heard(self, acquirer: SteeredAcquirer, told: Told) -> None:
        picture = told.picture
        if picture["kind"] == "dispute":
            self._once(picture["news"], lambda: self._dispute(picture))
            return
        op = next((op for op in self.model.ops if op.id == picture["key"]), None)
        to, amount = WORDS[picture["status"]], picture["amount"]
        if op is not None:
            self._once(picture["news"], lambda: self._command(op, to, amount))
        else:
            self._once(picture["news"], lambda: self._foreign(picture, to, amount))
        if picture.get("released"):
            self._once(f"{picture['news']}.released", lambda: self._released(picture))

    def _once(self, news_id: str, learn) -> None:  # learn() says whether the news fitted anything
        if news_id not in self.booked_news and learn():
            self.booked_news.add(news_id)

    def _command(self, op: Op, to: str, amount: int) -> bool:
        self.hear(op, to, amount=amount)
        op.attempt.known |= op.kind == "authorise"
        return True

    def _attempt_of(self, picture) -> Attempt | None:
        """The authorisation that a notification names, if we have ever heard that name."""
        named = [one for one in self.model.attempts if self.reference(one) == picture["authorisation"]]
        return named[0] if named and named[0].known else None

    def _foreign(self, picture, to: str, amount: int) -> bool:
        attempt = self._attempt_of(picture)
        if attempt is None:
            return False
        if picture["kind"] == "cancel":
            if self._undecided_yet(attempt):
                return False
            amount = min(amount, self.model.holds(attempt))
        if to == "succeeded" and amount:
            self.expect([(picture["kind"], amount, attempt)], self.model.fact)
        elif to == "declined" and picture["kind"] != "cancel":
            self.expect([(picture["kind"], amount, attempt)], self.model.refused_elsewhere)
        return True

    def overtook(self) -> bool:
        """Has something been told that was not booked, about an authorisation that we know by now?"""
        told = [told.picture for one in self.business.acquirers for told in one.told]
        return any(one["news"] not in self.booked_news and self._attempt_of(one) for one in told)

    def _undecided_yet(self, attempt: Attempt) -> bool:
        return self.model.sums(attempt)["authorised"] == 0

    def _released(self, picture) -> bool:
        attempt = self._attempt_of(picture)
        if attempt is None or self._undecided_yet(attempt):
            return False
        amount = min(picture["released"], self.model.holds(attempt))
        if amount:
            self.expect([("cancel", amount, attempt)], self.model.fact)
        return True

    def _dispute(self, picture) -> bool:
        attempt = self._attempt_of(picture)
        if attempt is None:
            return False
        model, turn, at = self.model, picture["turn"], picture["occurred_at"]
        quarrel = model.quarrels.get(picture["id"])
        if quarrel is None:
            quarrel = model.quarrels[picture["id"]] = Quarrel("inquiry", picture["amount"], at)
            model.events.append("dispute.opened")
        if at < quarrel.at or turn in ("inquiry", quarrel.state):
            quarrel.at = max(at, quarrel.at)
            return True  # known, or overtaken
        if turn == "lost" and quarrel.state != "charged_back":
            self._taken(quarrel, attempt, picture["amount"])
        if turn == "charged_back":
            self._taken(quarrel, attempt, picture["amount"])
        elif turn == "reversed" and quarrel.state in ("charged_back", "lost"):
            self.expect([("reversal", quarrel.amount, attempt)], model.fact)
            model.events.append("dispute.reversed")
        elif turn == "reversed":
            model.events.append("dispute.closed")
        elif turn == "lost":
            model.events.append("dispute.lost")
        quarrel.state, quarrel.at = turn, at
        return True

    def _taken(self, quarrel: Quarrel, attempt: Attempt, amount: int) -> None:
        quarrel.amount = amount
        returned_twice = self.model.sums(attempt)["over_returned"]
        self.expect([("chargeback", amount, attempt)], self.model.fact)
        quarrel.new = amount - (self.model.sums(attempt)["over_returned"] - returned_twice)
        self.model.events.append("dispute.charged_back")
