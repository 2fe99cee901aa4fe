"""The shape of a connector, and the words that connectors and the rest of the house share.

A connector is one file per payment provider. It translates and never decides or stores: frozen
dataclasses in, frozen dataclasses out, no database. To add one, add a file here and its test.

Rules every connector keeps (a walking test checks them):

* Only an explicit yes is a yes and only an explicit no is a no. A word missing from the connector's
  table, a garbled answer or silence is UNKNOWN, and is logged.
* `core.http.NotSent` is never caught: it is proof that nothing happened, and the caller may go elsewhere.
* References sent to the provider derive from `operation_key` (stable across repeats); providers with an
  idempotency key get it as that key.
* Card numbers and security codes go to the provider and nowhere else: not into answers, logs or errors.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal, Protocol, runtime_checkable

Verb = Literal["register", "authorise", "capture", "refund", "cancel"]


class Outcome(enum.StrEnum):
    APPROVED = "approved"
    DECLINED = "declined"
    PENDING = "pending"  # the provider has it and will tell later
    ACTION = "action"  # the payer must do something first
    UNKNOWN = "unknown"  # no answer, or one we do not understand


class DeclineCode(enum.StrEnum):
    """Why a provider said no, in our words. The provider's own code travels beside it."""

    INSUFFICIENT_FUNDS = "insufficient_funds"
    DO_NOT_HONOUR = "do_not_honour"
    EXPIRED_CARD = "expired_card"
    WRONG_NUMBER = "wrong_number"
    WRONG_SECURITY_CODE = "wrong_security_code"
    LOST_OR_STOLEN = "lost_or_stolen"
    LIMIT_EXCEEDED = "limit_exceeded"
    SUSPECTED_FRAUD = "suspected_fraud"
    NOT_PERMITTED = "not_permitted"
    AUTHENTICATION_REQUIRED = "authentication_required"
    AUTHENTICATION_FAILED = "authentication_failed"
    PAYER_CANCELLED = "payer_cancelled"
    ACCOUNT_CLOSED = "account_closed"
    CURRENCY_NOT_SUPPORTED = "currency_not_supported"
    AMOUNT_NOT_ALLOWED = "amount_not_allowed"
    ALREADY_DONE = "already_done"  # captured, refunded or cancelled before
    EXPIRED = "expired"  # the authorisation or order is too old
    NEVER_AGAIN = "never_again"  # a scheme's stop code
    CONFIGURATION = "configuration"  # our credentials or settings were refused; the payer did nothing wrong
    PROVIDER_DECLINED = "provider_declined"  # a clear no without a reason we know
    NEVER_ARRIVED = "never_arrived"  # only from enquire(): the provider says it has never seen this operation


Resolution = Literal["by_id", "by_reference", "by_resend", "by_news"]


@dataclass(frozen=True, slots=True)
class Can:
    """What a provider can do, as data.

    `resolve`: how an UNKNOWN of each verb is resolved. by_id: ask with the provider's reference;
    by_reference: ask with ours; by_resend: send again under the same idempotency key (never with a raw
    card or a token, see payments/again.py), for `resend_days`, while the provider surely keeps it; by_news: only a
    notification, a settlement file or a person can tell.
    """

    captures: Literal["one", "many"]
    refunds: Literal["one", "many"]
    cancel_rest: bool  # may the uncaptured rest be cancelled after a capture?
    tokens: bool  # does register/authorise give a token for later charges?
    unscheduled: bool  # merchant-initiated charges with such a token
    authorisation_days: int  # how long an authorisation lives unless the contract says otherwise
    honour_days: int  # how long a capture is guaranteed
    reauthorise: bool  # can a fading authorisation be renewed without the payer?
    resolve: Mapping[Verb, Resolution]
    refunds_by: Literal["authorisation", "capture"] = "authorisation"  # what a refund refers to at the provider
    # What becomes of the rest after a final capture. told: the provider lets it go and says how much; released: it does
    # so without a word; lapses: it does nothing, and the payer's bank frees it in time.
    rest: Literal["told", "released", "lapses"] = "told"
    resend_days: int = 1
    resolve_otherwise: Resolution = "by_news"  # instead of by_resend, once its reference is known or the key too old


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of a contract with a provider; the admin's form is built from it. Secrets are stored sealed."""

    name: str
    label: str
    secret: bool = False
    required: bool = True
    default: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True)
class Contract:
    """A merchant's contract with a provider, opened for one use. Never log it: `settings` holds secrets."""

    id: str
    provider: str
    live: bool
    settings: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Card:
    """A raw card. Lives in one request; repr shows the last four digits only."""

    number: str = field(repr=False)  # digits only
    expiry_month: int
    expiry_year: int  # four digits
    security_code: str | None = field(repr=False, default=None)
    holder: str | None = None

    @property
    def last4(self) -> str:
        return self.number[-4:]


@dataclass(frozen=True, slots=True)
class Payer:
    name: str | None = None
    email: str | None = None
    country: str | None = None  # ISO 3166 alpha-2
    language: str = "de"
    ip_address: str | None = None
    user_agent: str | None = None


@dataclass(frozen=True, slots=True)
class Resume:
    """The payer came back from an action; `parameters` is what the provider's redirect carried."""

    provider_reference: str
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Register:
    """Turn a card or an account into a token, charging nothing."""

    operation_key: str
    method: str
    currency: str
    card: Card | None = field(repr=False, default=None)
    payer: Payer = Payer()
    return_url: str = ""
    resume: Resume | None = None


@dataclass(frozen=True, slots=True)
class Authorise:
    """Reserve `amount` minor units for later captures."""

    operation_key: str
    method: str
    amount: int
    currency: str
    merchant_reference: str
    card: Card | None = field(repr=False, default=None)
    token: str | None = field(repr=False, default=None)
    payer: Payer = Payer()
    return_url: str = ""  # where the payer comes back after an action
    description: str = ""
    store: bool = False  # ask for a token
    initiator: Literal["payer", "merchant"] = "payer"
    series: Literal["first", "following", "unscheduled"] | None = None
    scheme_transaction_id: str | None = None
    resume: Resume | None = None
    reauthorise: str | None = None  # provider reference of the fading authorisation this one renews


@dataclass(frozen=True, slots=True)
class Capture:
    """`provider_reference` is the authorisation's. `final`: the rest may be released."""

    operation_key: str
    provider_reference: str
    amount: int
    currency: str
    final: bool
    merchant_reference: str = ""


@dataclass(frozen=True, slots=True)
class Refund:
    """`capture_reference`: the provider's reference of the capture to refund, for those that
    refund captures (PayPal)."""

    operation_key: str
    provider_reference: str
    amount: int
    currency: str
    capture_reference: str | None = None
    reason: str = ""
    merchant_reference: str = ""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Release what is left of an authorisation."""

    operation_key: str
    provider_reference: str
    amount: int
    currency: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Enquire:
    """Ask what became of an operation. `provider_reference` is its own if it has one;
    `authorisation_reference` that of the authorisation it works on. `again`: the request itself, if it may be
    sent once more under its key."""

    verb: Verb
    operation_key: str
    amount: int
    currency: str
    provider_reference: str | None = None
    authorisation_reference: str | None = None
    merchant_reference: str = ""
    again: Authorise | Capture | Refund | Cancel | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """What the payer must do. `redirect`: open `url` (GET, or POST `fields`). `url` may be
    framed only if `framable`."""

    url: str
    method: Literal["GET", "POST"] = "GET"
    fields: Mapping[str, str] = field(default_factory=dict)
    kind: Literal["redirect", "challenge"] = "redirect"
    framable: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider said, in our words. Amounts in minor units; None means "as asked"."""

    outcome: Outcome
    provider_reference: str | None = None
    code: DeclineCode | None = None
    provider_code: str | None = None
    message: str | None = None
    amount: int | None = None
    released: int | None = None  # a capture that released the rest of its authorisation
    action: Action | None = None
    token: str | None = field(repr=False, default=None)
    brand: str | None = None  # visa mastercard amex ...
    last4: str | None = None
    funding: str | None = None  # credit debit prepaid
    issuer_country: str | None = None
    scheme_transaction_id: str | None = None
    valid_for: timedelta | None = None  # how long the authorisation lives, when the provider says so


NewsKind = Literal["authorise", "capture", "refund", "cancel", "dispute"]
DisputeTurn = Literal["inquiry", "charged_back", "reversed", "lost"]


@dataclass(frozen=True, slots=True)
class DisputeNews:
    """`fee`: all that the provider has taken for this dispute so far, minor units of `fee_currency` (None: of the
    dispute's own); None: it says nothing about a fee."""

    turn: DisputeTurn
    provider_reference: str
    reason: str  # our words where known, else the provider's
    fee: int | None = None
    fee_currency: str | None = None
    respond_by: datetime | date | None = None


@dataclass(frozen=True, slots=True)
class News:
    """One fact from a provider's notification.

    `id` is unique per provider and fact (a notification may carry several). One of `operation_key`
    (ours), `provider_reference` (the operation's) or `authorisation_reference` must find the operation;
    what is found nowhere is kept and alerts.
    """

    id: str
    kind: NewsKind
    outcome: Outcome
    amount: int | None
    currency: str | None
    occurred_at: datetime | None = None
    operation_key: str | None = None
    provider_reference: str | None = None
    authorisation_reference: str | None = None
    capture_reference: str | None = None  # the capture that a refund or a chargeback takes from, where it is named
    code: DeclineCode | None = None
    provider_code: str | None = None
    dispute: DisputeNews | None = None
    released: bool = False  # the money was never taken: this "refund" is a released rest, not a refund


class NewsRefused(Exception):
    """Signature or form of a notification is wrong: answered with 400, kept, not read."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What the provider wants to read after a notification was stored."""

    body: str = ""
    content_type: str = "text/plain"


class Reached(enum.StrEnum):
    """What came of trying a contract's credentials."""

    WORKS = "works"
    REFUSED = "refused"  # the provider answers, and does not take these credentials
    WRONG_MODE = "wrong_mode"  # live credentials in a test contract, or the other way round
    UNREACHABLE = "unreachable"
    UNCLEAR = "unclear"  # it answers, but nothing that we understand


@dataclass(frozen=True, slots=True)
class Checked:
    """`provider_code`: the provider's own word for a no. Never a setting."""

    result: Reached
    provider_code: str | None = None

    @property
    def works(self) -> bool:
        return self.result is Reached.WORKS


@runtime_checkable
class Checks(Protocol):
    """An optional piece of a connector: "test connection"."""

    def check(self, contract: Contract) -> Checked:
        """A harmless call that takes credentials. Raises nothing: whatever happens is an answer."""
        ...


@runtime_checkable
class Clocked(Protocol):
    """An optional piece of a stand-in: its clock can be moved, so that what lapses there can be tried."""

    def move_clock(self, contract: Contract, offset_seconds: int) -> bool:
        """Sets how far ahead of real time it is. Raises nothing. True: it is that far, or further."""
        ...


@runtime_checkable
class Connector(Protocol):
    """What a module on the shelf offers. All functions block at most for core.http's deadline."""

    @property
    def LABEL(self) -> str: ...
    @property
    def METHODS(self) -> frozenset[str]: ...
    @property
    def CAN(self) -> Can: ...
    @property
    def SETTINGS(self) -> tuple[Setting, ...]: ...
    @property
    def ACKNOWLEDGEMENT(self) -> Acknowledgement: ...
    def register(self, contract: Contract, ask: Register) -> Answer: ...
    def authorise(self, contract: Contract, ask: Authorise) -> Answer: ...
    def capture(self, contract: Contract, ask: Capture) -> Answer: ...
    def refund(self, contract: Contract, ask: Refund) -> Answer: ...
    def cancel(self, contract: Contract, ask: Cancel) -> Answer: ...
    def enquire(self, contract: Contract, ask: Enquire) -> Answer: ...
    def read_news(
        self, contract: Contract, headers: Mapping[str, str], body: bytes, received_at: datetime | None = None
    ) -> list[News]:
        """`received_at`: when the message came, None for just now; signatures have to have been fresh then."""
        ...
