"""PayPal against its stand-in: what approval, silence, repeats and refusals come to."""

import dataclasses
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import app.connectors._paypal_calls as calls
from app.config import settings
from app.connectors import paypal
from app.connectors.kinds import Cancel, Capture, Contract, DeclineCode, Enquire, Outcome, Refund, Register, Resume
from app.core.http import NotSent
from tests.connectors.peers.paypal import (
    RETURN_URL,
    SECRETS,
    approved_ask,
    authorise_ask,
    authorised,
    came_back,
    captured,
    contract_with,
    control,
    new_key,
    payer_chooses,
    peer,
    things,
    wire_amounts,
)


@pytest.fixture(scope="module")
def contract() -> Iterator[Contract]:
    with peer() as opened:
        yield opened


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deadline of one second, for tests in which the peer keeps silent."""
    short = dataclasses.replace(settings(), http_deadline_seconds=1.0)
    monkeypatch.setattr(calls, "settings", lambda: short)


class TestAuthorise:
    def test_a_payer_is_sent_to_paypal_in_the_whole_window(self, contract: Contract) -> None:
        answer = paypal.authorise(contract, authorise_ask())
        assert answer.outcome is Outcome.ACTION
        assert answer.action and answer.action.kind == "redirect" and not answer.action.framable
        assert answer.action.url.startswith(contract.settings["url"] + "/checkoutnow?token=")

    def test_an_approved_order_is_authorised_when_the_payer_comes_back(self, contract: Contract) -> None:
        answer = paypal.authorise(contract, approved_ask(contract, amount=4990))
        assert (answer.outcome, answer.amount) == (Outcome.APPROVED, 4990)
        assert answer.valid_for and answer.valid_for.days == 29
        [held] = [one for one in things(contract, "authorizations") if one["id"] == answer.provider_reference]
        assert held["amount"] == {"currency_code": "EUR", "value": "49.90"}

    def test_a_payer_who_presses_cancel_has_cancelled_and_nothing_is_sent(self, contract: Contract) -> None:
        ask = authorise_ask()
        first = paypal.authorise(contract, ask)
        assert first.action
        back = payer_chooses(first.action.url, choice="cancel")
        assert back.startswith(RETURN_URL)
        before = len(things(contract, "requests"))
        answer = paypal.authorise(contract, dataclasses.replace(ask, resume=came_back(first.provider_reference, back)))
        assert (answer.outcome, answer.code) == (Outcome.DECLINED, DeclineCode.PAYER_CANCELLED)
        assert len(things(contract, "requests")) == before

    def test_coming_back_without_having_approved_is_a_no(self, contract: Contract) -> None:
        ask = authorise_ask()
        first = paypal.authorise(contract, ask)
        answer = paypal.authorise(contract, dataclasses.replace(ask, resume=Resume(str(first.provider_reference))))
        assert (answer.outcome, answer.code) == (Outcome.DECLINED, DeclineCode.PAYER_CANCELLED)

    @pytest.mark.parametrize(
        ("payer", "outcome", "code"),
        [
            ("declined", Outcome.DECLINED, DeclineCode.DO_NOT_HONOUR),
            ("blocked", Outcome.DECLINED, DeclineCode.NOT_PERMITTED),
            ("review", Outcome.PENDING, None),
        ],
    )
    def test_paypals_reasons_become_ours(self, contract: Contract, payer: str, outcome: Any, code: Any) -> None:
        answer = paypal.authorise(contract, approved_ask(contract, payer=payer))
        assert (answer.outcome, answer.code) == (outcome, code)

    def test_a_second_resume_of_an_authorised_order_gives_the_same_authorisation(self, contract: Contract) -> None:
        ask = approved_ask(contract)
        first = paypal.authorise(contract, ask)
        again = paypal.authorise(contract, ask)
        another_key = paypal.authorise(contract, dataclasses.replace(ask, operation_key=new_key()))
        assert first.provider_reference == again.provider_reference == another_key.provider_reference
        assert another_key.outcome is Outcome.APPROVED

    def test_a_stored_account_is_charged_without_its_owner(self, contract: Contract) -> None:
        first = paypal.authorise(contract, approved_ask(contract, store=True, series="first"))
        assert first.token
        ask = authorise_ask(token=first.token, initiator="merchant", series="following", return_url="")
        answer = paypal.authorise(contract, ask)
        assert answer.outcome is Outcome.APPROVED
        assert paypal.authorise(contract, ask).provider_reference == answer.provider_reference

    def test_a_deleted_token_is_never_tried_again(self, contract: Contract) -> None:
        answer = paypal.authorise(contract, authorise_ask(token="gone", initiator="merchant", series="following"))
        assert (answer.outcome, answer.code) == (Outcome.DECLINED, DeclineCode.NEVER_AGAIN)

    def test_a_fading_authorisation_is_renewed_and_so_is_its_renewal(self, contract: Contract) -> None:
        reference = authorised(contract)
        renewed = paypal.authorise(contract, authorise_ask(reauthorise=reference))
        again = paypal.authorise(contract, authorise_ask(reauthorise=renewed.provider_reference))
        assert renewed.outcome is again.outcome is Outcome.APPROVED
        assert len({reference, renewed.provider_reference, again.provider_reference}) == 3

    def test_a_renewal_is_voided_through_the_first_authorisation(self, contract: Contract) -> None:
        reference = authorised(contract)
        renewed = paypal.authorise(contract, authorise_ask(reauthorise=reference))
        answer = paypal.cancel(contract, Cancel(new_key(), str(renewed.provider_reference), 1990, "EUR"))
        assert answer.outcome is Outcome.APPROVED
        states = {one["id"]: one["status"] for one in things(contract, "authorizations")}
        assert states[reference] == states[renewed.provider_reference] == "VOIDED"


class TestAmounts:
    @pytest.mark.parametrize(
        ("amount", "currency", "written"),
        [(1990, "EUR", "19.90 EUR"), (1990, "JPY", "1990 JPY"), (199000, "HUF", "1990 HUF"), (5, "EUR", "0.05 EUR")],
    )
    def test_amounts_are_written_as_paypal_wants_them_and_read_back(
        self, contract: Contract, amount: int, currency: str, written: str
    ) -> None:
        answer = paypal.authorise(contract, approved_ask(contract, amount=amount, currency=currency))
        assert wire_amounts(contract)[-1] == written
        assert answer.amount == amount

    @pytest.mark.parametrize(
        ("amount", "currency", "code"),
        [
            (1990, "KWD", DeclineCode.CURRENCY_NOT_SUPPORTED),
            (1990, "BRL", DeclineCode.CURRENCY_NOT_SUPPORTED),
            (199050, "HUF", DeclineCode.AMOUNT_NOT_ALLOWED),
        ],
    )
    def test_what_paypal_cannot_write_is_declined_before_anything_is_sent(
        self, amount: int, currency: str, code: DeclineCode
    ) -> None:
        nowhere = contract_with("http://127.0.0.1:1/paypal")
        for answer in (
            paypal.authorise(nowhere, authorise_ask(amount, currency)),
            paypal.capture(nowhere, Capture(new_key(), "A", amount, currency, final=True)),
            paypal.refund(nowhere, Refund(new_key(), "A", amount, currency, capture_reference="C")),
        ):
            assert (answer.outcome, answer.code) == (Outcome.DECLINED, code)


class TestCaptureRefundCancel:
    def test_an_authorisation_is_captured_in_parts_and_the_rest_cancelled(self, contract: Contract) -> None:
        reference = authorised(contract, 1990)
        first = paypal.capture(contract, Capture(new_key(), reference, 500, "EUR", final=False))
        second = paypal.capture(contract, Capture(new_key(), reference, 490, "EUR", final=False))
        assert [first.amount, second.amount] == [500, 490]
        assert paypal.cancel(contract, Cancel(new_key(), reference, 1000, "EUR")).outcome is Outcome.APPROVED
        late = paypal.capture(contract, Capture(new_key(), reference, 100, "EUR", final=True))
        assert (late.outcome, late.code) == (Outcome.DECLINED, DeclineCode.EXPIRED)

    def test_a_final_capture_ends_the_authorisation(self, contract: Contract) -> None:
        reference = authorised(contract, 1990)
        paypal.capture(contract, Capture(new_key(), reference, 500, "EUR", final=True))
        late = paypal.capture(contract, Capture(new_key(), reference, 100, "EUR", final=True))
        assert (late.outcome, late.code) == (Outcome.DECLINED, DeclineCode.ALREADY_DONE)

    def test_more_than_was_authorised_is_refused(self, contract: Contract) -> None:
        answer = paypal.capture(contract, Capture(new_key(), authorised(contract), 1991, "EUR", final=True))
        assert (answer.outcome, answer.code) == (Outcome.DECLINED, DeclineCode.AMOUNT_NOT_ALLOWED)

    def test_a_capture_is_refunded_in_parts_but_not_beyond(self, contract: Contract) -> None:
        reference, capture = captured(contract, 1000)
        asks = [Refund(new_key(), reference, amount, "EUR", capture_reference=capture) for amount in (400, 600, 1)]
        answers = [paypal.refund(contract, ask) for ask in asks]
        assert [answer.outcome for answer in answers] == [Outcome.APPROVED, Outcome.APPROVED, Outcome.DECLINED]
        assert answers[2].code is DeclineCode.ALREADY_DONE

    @pytest.mark.parametrize("verb", ["capture", "refund"])
    def test_the_same_key_moves_money_once(self, contract: Contract, verb: str) -> None:
        reference, capture = captured(contract, 1000)
        ask: Any = Refund(new_key(), reference, 400, "EUR", capture_reference=capture)
        if verb == "capture":
            ask = Capture(new_key(), authorised(contract), 400, "EUR", final=False)
        before = len(things(contract, verb + "s"))
        references = {getattr(paypal, verb)(contract, ask).provider_reference for _ in range(3)}
        assert len(references) == 1
        assert len(things(contract, verb + "s")) == before + 1

    def test_voiding_twice_is_voided(self, contract: Contract) -> None:
        reference = authorised(contract)
        answers = [paypal.cancel(contract, Cancel(new_key(), reference, 1990, "EUR")) for _ in range(2)]
        assert [answer.outcome for answer in answers] == [Outcome.APPROVED, Outcome.APPROVED]


class TestSilence:
    @pytest.mark.parametrize("verb", ["authorise", "capture", "refund", "cancel"])
    def test_a_time_out_after_success_is_unknown_and_the_repeat_finds_it(
        self, contract: Contract, impatient: None, verb: str
    ) -> None:
        reference, capture = captured(contract, 1000)
        ask: Any = {
            "authorise": lambda: approved_ask(contract),
            "capture": lambda: Capture(new_key(), authorised(contract), 400, "EUR", final=False),
            "refund": lambda: Refund(new_key(), reference, 400, "EUR", capture_reference=capture),
            "cancel": lambda: Cancel(new_key(), authorised(contract), 1990, "EUR"),
        }[verb]()
        control(contract, next={"verb": verb, "do": "timeout_after_success", "seconds": 1.5})
        lost = getattr(paypal, verb)(contract, ask)
        assert lost.outcome is Outcome.UNKNOWN

        found = getattr(paypal, verb)(contract, ask)
        assert found.outcome is Outcome.APPROVED

    def test_an_enquiry_finds_a_capture_whose_answer_was_lost(self, contract: Contract, impatient: None) -> None:
        ask = Capture(new_key(), authorised(contract), 400, "EUR", final=False, merchant_reference="R-1001")
        control(contract, next={"verb": "capture", "do": "timeout_after_success", "seconds": 1.5})
        assert paypal.capture(contract, ask).outcome is Outcome.UNKNOWN
        question = Enquire("capture", ask.operation_key, 400, "EUR", authorisation_reference=ask.provider_reference)
        answer = paypal.enquire(contract, question)
        assert (answer.outcome, answer.amount) == (Outcome.APPROVED, 400)

    def test_an_enquiry_that_finds_nothing_proves_nothing(self, contract: Contract) -> None:
        question = Enquire("refund", new_key(), 400, "EUR", authorisation_reference=captured(contract)[0])
        assert paypal.enquire(contract, question).outcome is Outcome.UNKNOWN

    def test_an_invoice_number_used_before_leads_to_what_we_made_with_it(self, contract: Contract) -> None:
        reference = authorised(contract)
        ask = Capture(new_key(), reference, 400, "EUR", final=False)
        first = paypal.capture(contract, ask)
        control(contract, next={"verb": "capture", "do": "decline", "issue": "DUPLICATE_INVOICE_ID"})
        assert paypal.capture(contract, ask).provider_reference == first.provider_reference

    def test_a_used_invoice_number_on_an_order_is_no_proof_of_a_no(self, contract: Contract) -> None:
        control(contract, next={"verb": "authorise", "do": "decline", "issue": "DUPLICATE_INVOICE_ID"})
        assert paypal.authorise(contract, authorise_ask()).outcome is Outcome.UNKNOWN

    def test_nobody_listening_is_proof_that_nothing_happened(self) -> None:
        with pytest.raises(NotSent):
            paypal.authorise(contract_with("http://127.0.0.1:1/paypal"), authorise_ask())

    def test_silence_about_the_access_token_is_proof_too(self, impatient: None) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            silent_contract = contract_with(f"http://127.0.0.1:{silent.getsockname()[1]}")
            with pytest.raises(NotSent):
                paypal.authorise(silent_contract, authorise_ask())

    def test_a_request_turned_away_unread_was_not_sent(self, contract: Contract) -> None:
        control(contract, next={"verb": "authorise", "do": "too_many"})
        with pytest.raises(NotSent):
            paypal.authorise(contract, authorise_ask())

    @pytest.mark.parametrize("do", ["garbled", "unknown_word", "server_error"])
    def test_what_nobody_understands_is_unknown(self, contract: Contract, do: str) -> None:
        reference = authorised(contract)
        control(contract, next={"verb": "capture", "do": do})
        answer = paypal.capture(contract, Capture(new_key(), reference, 400, "EUR", final=False))
        assert answer.outcome is Outcome.UNKNOWN

    def test_a_refusal_with_an_unknown_issue_is_unknown(self, contract: Contract) -> None:
        reference = authorised(contract)
        control(contract, next={"verb": "capture", "do": "decline", "issue": "FULL_MOON"})
        answer = paypal.capture(contract, Capture(new_key(), reference, 400, "EUR", final=False))
        assert (answer.outcome, answer.provider_code) == (Outcome.UNKNOWN, "FULL_MOON")


class TestRegister:
    def test_a_payer_agrees_to_later_charges_without_paying(self, contract: Contract) -> None:
        ask = Register(new_key(), "paypal", "EUR", return_url=RETURN_URL)
        first = paypal.register(contract, ask)
        assert first.outcome is Outcome.ACTION and first.action
        back = came_back(first.provider_reference, payer_chooses(first.action.url))
        resumed = dataclasses.replace(ask, resume=back)
        answer = paypal.register(contract, resumed)
        assert answer.outcome is Outcome.APPROVED and answer.token
        assert paypal.register(contract, resumed).token == answer.token
        charge = authorise_ask(token=answer.token, initiator="merchant", series="unscheduled")
        assert paypal.authorise(contract, charge).outcome is Outcome.APPROVED

    def test_a_payer_who_does_not_agree_leaves_no_token(self, contract: Contract) -> None:
        ask = Register(new_key(), "paypal", "EUR", return_url=RETURN_URL)
        first = paypal.register(contract, ask)
        for resume in (
            came_back(first.provider_reference, payer_chooses(str(first.action and first.action.url), "cancel")),
            Resume(str(first.provider_reference)),
        ):
            answer = paypal.register(contract, dataclasses.replace(ask, resume=resume))
            assert (answer.outcome, answer.token) == (Outcome.DECLINED, None)


class TestEnquire:
    def test_an_order_is_followed_from_approval_to_authorisation(self, contract: Contract) -> None:
        ask = authorise_ask()
        first = paypal.authorise(contract, ask)
        question = Enquire("authorise", ask.operation_key, 1990, "EUR", first.provider_reference)
        assert paypal.enquire(contract, question).outcome is Outcome.ACTION
        back = payer_chooses(str(first.action and first.action.url))
        assert paypal.enquire(contract, question).outcome is Outcome.PENDING
        resumed = dataclasses.replace(ask, resume=came_back(first.provider_reference, back))
        authorised_as = paypal.authorise(contract, resumed).provider_reference
        answer = paypal.enquire(contract, question)
        assert (answer.outcome, answer.provider_reference) == (Outcome.APPROVED, authorised_as)
        by_authorisation = dataclasses.replace(question, provider_reference=authorised_as)
        assert paypal.enquire(contract, by_authorisation).outcome is Outcome.APPROVED

    def test_a_void_is_seen_only_when_it_happened(self, contract: Contract) -> None:
        reference = authorised(contract)
        question = Enquire("cancel", new_key(), 1990, "EUR", authorisation_reference=reference)
        assert paypal.enquire(contract, question).outcome is Outcome.UNKNOWN
        paypal.cancel(contract, Cancel(new_key(), reference, 1990, "EUR"))
        assert paypal.enquire(contract, question).outcome is Outcome.APPROVED


class TestCredentials:
    def test_a_token_thrown_away_by_paypal_is_fetched_anew_once(self, contract: Contract) -> None:
        reference = authorised(contract)
        control(contract, forget_tokens=True)
        answer = paypal.capture(contract, Capture(new_key(), reference, 400, "EUR", final=False))
        assert answer.outcome is Outcome.APPROVED

    def test_wrong_credentials_are_our_fault_not_the_payers(self, contract: Contract) -> None:
        wrong = contract_with(contract.settings["url"], client_secret="wrong")
        answer = paypal.authorise(wrong, authorise_ask())
        assert (answer.outcome, answer.code) == (Outcome.DECLINED, DeclineCode.CONFIGURATION)

    def test_many_threads_share_one_token(self, monkeypatch: pytest.MonkeyPatch) -> None:
        fetched = []
        fetch = calls._fetch_token

        def counting(paypal_: Any) -> Any:
            fetched.append(threading.get_ident())
            return fetch(paypal_)

        monkeypatch.setattr(calls, "_fetch_token", counting)
        with peer() as fresh, ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda _: paypal.authorise(fresh, authorise_ask()), range(16)))
        assert {answer.outcome for answer in answers} == {Outcome.ACTION}
        assert len(fetched) == 1

    def test_secrets_show_up_in_no_answer_and_no_log(
        self, contract: Contract, capsys: pytest.CaptureFixture[str]
    ) -> None:
        answers = [paypal.authorise(contract, approved_ask(contract, store=True)), contract]
        reference = authorised(contract)
        control(contract, next={"verb": "capture", "do": "decline", "issue": "FULL_MOON"})
        answers.append(paypal.capture(contract, Capture(new_key(), reference, 400, "EUR", final=False)))
        written = repr(answers) + "".join(capsys.readouterr())
        assert "FULL_MOON" in written
        assert not [secret for secret in SECRETS if secret in written]
