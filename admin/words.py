"""The words for states, kinds and codes, with the shape and tone their badges have."""

from dataclasses import dataclass

from app.core.texts import N_
from app.payments.words import STATUSES


@dataclass(frozen=True, slots=True)
class Word:
    """`tone`: good, calm, wait, bad, back or quiet (a colour). `shape`: a symbol in icons.svg."""

    label: str
    tone: str
    shape: str


STATUS: dict[str, Word] = {
    "created": Word(STATUSES["created"], "quiet", "ring"),
    "requires_action": Word(STATUSES["requires_action"], "wait", "person"),
    "pending": Word(STATUSES["pending"], "wait", "clock"),
    "authorised": Word(STATUSES["authorised"], "calm", "half"),
    "partially_captured": Word(STATUSES["partially_captured"], "good", "most"),
    "captured": Word(STATUSES["captured"], "good", "check"),
    "partially_refunded": Word(STATUSES["partially_refunded"], "back", "back"),
    "refunded": Word(STATUSES["refunded"], "back", "back-full"),
    "cancelled": Word(STATUSES["cancelled"], "quiet", "cross"),
    "expired": Word(STATUSES["expired"], "quiet", "hourglass"),
    "failed": Word(STATUSES["failed"], "bad", "cross-full"),
    "charged_back": Word(STATUSES["charged_back"], "bad", "triangle"),
}

OPERATION: dict[str, Word] = {
    "created": Word(N_("Planned"), "quiet", "ring"),
    "pending_approval": Word(N_("Waits for approval"), "wait", "person"),
    "submitted": Word(N_("Sent"), "wait", "clock"),
    "action": Word(N_("Waits for the payer"), "wait", "person"),
    "pending": Word(N_("With the provider"), "wait", "clock"),
    "unknown": Word(N_("No answer"), "wait", "question"),
    "succeeded": Word(N_("Succeeded"), "good", "check"),
    "declined": Word(N_("Declined"), "bad", "cross-full"),
    "failed": Word(N_("Not sent"), "bad", "cross"),
}

DISPUTE: dict[str, Word] = {
    "inquiry": Word(N_("Inquiry"), "wait", "question"),
    "charged_back": Word(N_("Charged back"), "bad", "triangle"),
    "reversed": Word(N_("Won"), "good", "check"),
    "lost": Word(N_("Lost"), "quiet", "cross"),
}

# What a file on a dispute shows (payments/evidence.py), and what it is.
EVIDENCE: dict[str, str] = {
    "receipt": N_("Invoice or receipt"),
    "delivery_note": N_("Delivery note"),
    "correspondence": N_("Correspondence"),
    "other": N_("Something else"),
}
FILES: dict[str, str] = {
    "application/pdf": "PDF",
    "image/png": N_("Picture"),
    "image/jpeg": N_("Picture"),
    "text/plain": N_("Plain text"),
}

DELIVERY: dict[str, Word] = {
    "pending": Word(N_("Waits"), "wait", "clock"),
    "delivered": Word(N_("Delivered"), "good", "check"),
    "failed": Word(N_("Given up"), "bad", "cross-full"),
}

MAIL_TO = {
    "shop": N_("to the shop"),
    "payer": N_("to the payer"),
    "merchant": N_("to the merchant"),
    "keeper": N_("to those who look after the merchant"),
}
MAIL: dict[str, Word] = {
    "pending": Word(N_("Waits"), "wait", "clock"),
    "sent": Word(N_("Sent"), "good", "check"),
    "failed": Word(N_("Given up"), "bad", "cross-full"),
}

CHECKOUT: dict[str, Word] = {
    "open": Word(N_("Open"), "wait", "ring"),
    "completed": Word(N_("Completed"), "good", "check"),
    "expired": Word(N_("Expired"), "quiet", "hourglass"),
    "cancelled": Word(N_("Cancelled"), "quiet", "cross"),
}

VERDICT: dict[str, Word] = {
    "allow": Word(N_("Allowed"), "good", "check"),
    "review": Word(N_("Held for review"), "wait", "person"),
    "ask": Word(N_("Step asked for"), "wait", "question"),
    "deny": Word(N_("Refused"), "bad", "cross-full"),
}

LIVE = Word(N_("Live"), "good", "full")
TEST = Word(N_("Test"), "wait", "ring")
ACTIVE = Word(N_("Active"), "good", "full")
INACTIVE = Word(N_("Switched off"), "quiet", "ring")
REVOKED = Word(N_("Revoked"), "quiet", "cross")
ENDED = Word(N_("Ended"), "quiet", "hourglass")
ENDING = Word(N_("Ends soon"), "wait", "clock")
FAILING = Word(N_("Failing"), "bad", "triangle")
HELD = Word(N_("Held for review"), "wait", "person")
LOCKED = Word(N_("Locked"), "bad", "cross-full")
RESTRICTED = Word(N_("Restricted"), "wait", "half")
ERASED = Word(N_("Erased"), "quiet", "cross")
INVITED = Word(N_("Invited"), "wait", "clock")
DEACTIVATED = Word(N_("Deactivated"), "quiet", "ring")
WELL = Word(N_("In order"), "good", "check")
BROKEN = Word(N_("Broken"), "bad", "triangle")
LATE = Word(N_("Late"), "bad", "triangle")
NEVER = Word(N_("Never ran"), "quiet", "ring")
FOUND = Word(N_("Found something"), "bad", "triangle")
RUNNING = Word(N_("Running"), "wait", "clock")
STOPPED = Word(N_("Stopped"), "quiet", "cross")
OVER = Word(N_("Over"), "good", "check")
READY = Word(N_("Ready"), "good", "check")
BROKEN_OFF = Word(N_("Broken off"), "bad", "cross")
# What periodic jobs do, by the names of their files.
JOBS = {
    "approvals": N_("Close requests for approval that are over"),
    "capture_due": N_("Capture what is due"),
    "deliver_webhooks": N_("Deliver webhooks"),
    "do_batches": N_("Capture and cancel several at once"),
    "expire": N_("Close what lapses"),
    "forget": N_("Remove what has served its time"),
    "make_exports": N_("Make files of exports"),
    "measure_queues": N_("Measure the queues"),
    "prove_books": N_("Prove the books"),
    "relay_events": N_("Put events into order"),
    "repeat_reactions": N_("Repeat failed reactions"),
    "resolve_unknown": N_("Ask about operations without an answer"),
    "retry_news": N_("Read notifications again"),
    "roll_up": N_("Bring figures up to date"),
    "seal_out": N_("Send the newest seal out"),
    "send_mails": N_("Send e-mails"),
    "snapshot_balances": N_("Take balances"),
    "verify_scripts": N_("Verify the scripts of the checkout"),
}

KIND: dict[str, str] = {
    "authorise": N_("Authorisation"),
    "capture": N_("Capture"),
    "cancel": N_("Cancellation"),
    "refund": N_("Refund"),
    "chargeback": N_("Chargeback"),
    "reversal": N_("Chargeback reversal"),
}

METHODS: dict[str, str] = {
    "card": N_("Card"),
    "paypal": "PayPal",
    "sepa_debit": N_("SEPA direct debit"),
    "klarna": "Klarna",
    "ideal": "iDEAL",
}

BRANDS: dict[str, str] = {
    "visa": "Visa",
    "mastercard": "Mastercard",
    "amex": "American Express",
    "diners": "Diners Club",
    "discover": "Discover",
    "jcb": "JCB",
    "maestro": "Maestro",
    "unionpay": "UnionPay",
}

FUNDING: dict[str, str] = {"credit": N_("Credit card"), "debit": N_("Debit card"), "prepaid": N_("Prepaid card")}

CAPTURE_MODES: dict[str, str] = {
    "manual": N_("By hand or by API"),
    "automatic": N_("At once"),
    "scheduled": N_("On %(day)s"),
}


# How an operation's events read: the noun, then what became of it.
NOUNS: dict[str, str] = {
    "authorisation": N_("Authorisation"),
    "capture": N_("Capture"),
    "cancellation": N_("Cancellation"),
    "refund": N_("Refund"),
    "chargeback": N_("Chargeback"),
    "chargeback_reversal": N_("Chargeback reversal"),
}

# what became of it: (text with the noun in it, tone, shape)
TURNS: dict[str, Word] = {
    "approval_requested": Word(N_("%(noun)s waits for approval"), "wait", "person"),
    "withdrawn": Word(N_("%(noun)s was not approved"), "quiet", "cross"),
    "planned": Word(N_("%(noun)s is sent again later"), "wait", "clock"),
    "submitted": Word(N_("%(noun)s sent to the provider"), "quiet", "ring"),
    "succeeded": Word(N_("%(noun)s succeeded"), "good", "check"),
    "declined": Word(N_("%(noun)s declined"), "bad", "cross-full"),
    "failed": Word(N_("%(noun)s not sent"), "bad", "cross"),
    "pending": Word(N_("%(noun)s is with the provider"), "wait", "clock"),
    "action_required": Word(N_("%(noun)s waits for the payer"), "wait", "person"),
    "outcome_unknown": Word(N_("%(noun)s without an answer"), "wait", "question"),
    "revoked": Word(N_("%(noun)s taken back by the provider"), "bad", "triangle"),
}

EVENTS: dict[str, Word] = {
    "payment.created": Word(N_("Payment started"), "quiet", "ring"),
    "payment.cancelled": Word(N_("Payment cancelled"), "quiet", "cross"),
    "payment.expired": Word(N_("Payment expired"), "quiet", "hourglass"),
    "payment.late_approval_reversed": Word(N_("Late approval is given back"), "wait", "back"),
    "payment.amount_lowered": Word(N_("Payment asks for less"), "quiet", "minus"),
    "payment.over_captured": Word(N_("More was taken than was asked for"), "bad", "triangle"),
    "payment.over_returned": Word(N_("More was given back than was taken"), "bad", "triangle"),
    "payment.over_seen": Word(N_("Somebody has seen to what was too much"), "good", "check"),
    "payment.step_taken": Word(N_("Payer answered a question"), "quiet", "person"),
    "payment.noted": Word(N_("Note written"), "quiet", "person"),
    "payment.released": Word(N_("Released from review"), "good", "check"),
    "checkout.created": Word(N_("Checkout opened"), "quiet", "ring"),
    "checkout.completed": Word(N_("Checkout completed"), "good", "check"),
    "checkout.expired": Word(N_("Checkout expired"), "quiet", "hourglass"),
    "checkout.cancelled": Word(N_("Checkout cancelled"), "quiet", "cross"),
    "dispute.opened": Word(N_("Dispute opened"), "bad", "triangle"),
    "dispute.charged_back": Word(N_("Dispute: money taken back"), "bad", "triangle"),
    "dispute.closed": Word(N_("Dispute closed without a chargeback"), "good", "check"),
    "dispute.reversed": Word(N_("Dispute won"), "good", "check"),
    "dispute.not_understood": Word(N_("Dispute: a message that nobody here understands"), "wait", "question"),
    "dispute.lost": Word(N_("Dispute lost"), "quiet", "cross"),
    "document.added": Word(N_("File added"), "quiet", "full"),
    "document.read": Word(N_("File opened"), "quiet", "person"),
    "document.removed": Word(N_("File removed"), "quiet", "cross"),
    "customer.added": Word(N_("Customer added"), "quiet", "full"),
    "customer.changed": Word(N_("Customer changed"), "quiet", "half"),
    "customer.erased": Word(N_("Customer erased"), "quiet", "cross"),
    "customer.restricted": Word(N_("Processing of a customer's data restricted"), "wait", "half"),
    "customer.released": Word(N_("Restriction of a customer's data lifted"), "quiet", "full"),
    "customer.exported": Word(N_("Everything known of a customer exported"), "wait", "person"),
    "customer.read": Word(N_("Customer's data seen"), "quiet", "person"),
    "customer.listed": Word(N_("List with customers' names seen"), "quiet", "person"),
    "payment.read": Word(N_("Payer's data seen"), "quiet", "person"),
    "payment.listed": Word(N_("List with payers' names seen"), "quiet", "person"),
    "access.refused": Word(N_("Refused: no right to this page"), "bad", "cross"),
    "access.login_failed": Word(N_("Failed log-in with an unknown address"), "wait", "cross"),
    "personal.revealed": Word(N_("Hidden data shown"), "wait", "person"),
    "event.exported": Word(N_("Events exported"), "wait", "person"),
    "job.retried": Word(N_("Failed job put back into its queue"), "quiet", "person"),
    "reactions.repeated": Word(N_("Failed reactions repeated"), "quiet", "person"),
    "books.closed": Word(N_("Books closed up to a day"), "quiet", "check"),
    "books.proved": Word(N_("Proofs of the books run by hand"), "quiet", "person"),
    "instrument.added": Word(N_("Means of payment stored"), "quiet", "full"),
    "operation.needs_staff": Word(N_("On the worklist: still no answer"), "wait", "question"),
    "operation.refused_elsewhere": Word(N_("Tried in the provider's portal, and refused"), "quiet", "cross"),
    "operation.enquired": Word(N_("Provider asked by hand"), "quiet", "person"),
    "news.unmatched": Word(N_("Message from a provider that fits nothing"), "wait", "question"),
    "news.not_read": Word(N_("Message from a provider that cannot be read"), "bad", "question"),
    "news.refused_later": Word(N_("Message from a provider that is not accepted any more"), "bad", "cross"),
    "merchant.added": Word(N_("Merchant added"), "quiet", "full"),
    "merchant.clock_moved": Word(N_("Clock of a merchant moved"), "quiet", "clock"),
    "merchant.changed": Word(N_("Merchant changed"), "quiet", "half"),
    "shop.added": Word(N_("Shop added"), "quiet", "full"),
    "shop.changed": Word(N_("Shop changed"), "quiet", "half"),
    "contract.added": Word(N_("Contract added"), "quiet", "full"),
    "contract.changed": Word(N_("Contract changed"), "quiet", "half"),
    "contract.checked": Word(N_("Connection tested"), "quiet", "person"),
    "block_entry.added": Word(N_("Added to the block list"), "wait", "cross-full"),
    "block_entry.removed": Word(N_("Taken off the block list"), "wait", "half"),
    "amount_ceiling.changed": Word(N_("Amount ceilings changed"), "quiet", "half"),
    "api_key.issued": Word(N_("API key issued"), "quiet", "full"),
    "api_key.rotated": Word(N_("API key rotated"), "quiet", "half"),
    "api_key.revoked": Word(N_("API key revoked"), "quiet", "cross"),
    "endpoint.added": Word(N_("Webhook endpoint added"), "quiet", "full"),
    "endpoint.changed": Word(N_("Webhook endpoint changed"), "quiet", "half"),
    "endpoint.deleted": Word(N_("Webhook endpoint deleted"), "quiet", "cross"),
    "endpoint.secret_rotated": Word(N_("Webhook secret rotated"), "quiet", "half"),
    "endpoint.failing": Word(N_("Webhook endpoint is failing"), "bad", "triangle"),
    "endpoint.disabled": Word(N_("Webhook endpoint switched off"), "bad", "cross-full"),
    "endpoint.test": Word(N_("Webhook test"), "quiet", "ring"),
    "endpoint.replayed": Word(N_("Deliveries sent again by hand"), "quiet", "person"),
    "batch.started": Word(N_("Several payments at once: started"), "quiet", "full"),
    "batch.stopped": Word(N_("Several payments at once: stopped"), "wait", "cross"),
    "batch.finished": Word(N_("Several payments at once: over"), "quiet", "check"),
    "export.asked": Word(N_("Export asked for"), "quiet", "ring"),
    "export.made": Word(N_("Export made"), "quiet", "full"),
    "export.refused": Word(N_("Export refused"), "wait", "cross"),
    "export.downloaded": Word(N_("Export downloaded"), "quiet", "person"),
    "filter.saved": Word(N_("Filter kept"), "quiet", "full"),
    "filter.changed": Word(N_("Filter changed"), "quiet", "half"),
    "filter.removed": Word(N_("Filter removed"), "quiet", "cross"),
    "columns.chosen": Word(N_("Columns chosen"), "quiet", "half"),
    "books.unproved": Word(N_("A proof of the books does not hold"), "bad", "triangle"),
    "keys.rotated": Word(N_("Sealed anew with the newest key"), "quiet", "half"),
    "scripts.changed": Word(N_("The checkout serves a script that is not in the inventory"), "bad", "triangle"),
    "staff.added": Word(N_("User added"), "quiet", "full"),
    "staff.changed": Word(N_("User changed"), "quiet", "half"),
    "approval.requested": Word(N_("Approval asked for"), "wait", "person"),
    "approval.approved": Word(N_("Approved"), "good", "check"),
    "approval.rejected": Word(N_("Not approved"), "bad", "cross"),
    "approval.withdrawn": Word(N_("Request taken back"), "quiet", "back"),
    "approval.expired": Word(N_("Request not decided in time"), "quiet", "hourglass"),
    "approval.stale": Word(N_("Request out of date"), "quiet", "half"),
    "approval.executed": Word(N_("Approved request is done"), "good", "check"),
    "approval.failed": Word(N_("Approved request came to nothing"), "bad", "cross-full"),
    "approval.commented": Word(N_("Comment on a request"), "quiet", "full"),
    "approval_rule.added": Word(N_("Rule for approvals added"), "quiet", "full"),
    "approval_rule.removed": Word(N_("Rule for approvals removed"), "quiet", "cross"),
    "operation.corrected": Word(N_("Outcome recorded by hand"), "wait", "person"),
    "staff_role.added": Word(N_("Role added"), "quiet", "full"),
    "staff_role.changed": Word(N_("Role changed"), "quiet", "half"),
    "staff_role.removed": Word(N_("Role removed"), "quiet", "cross"),
    "staff.roles_changed": Word(N_("Roles changed"), "quiet", "half"),
    "staff.activated": Word(N_("User activated"), "quiet", "full"),
    "staff.deactivated": Word(N_("User deactivated"), "quiet", "cross"),
    "staff.password_changed": Word(N_("Password changed"), "quiet", "half"),
    "staff.logged_in": Word(N_("Logged in"), "quiet", "full"),
    "staff.logged_out": Word(N_("Logged out"), "quiet", "ring"),
    "staff.confirmed": Word(N_("Showed again who they are"), "quiet", "person"),
    "staff.login_failed": Word(N_("Failed log-in attempt"), "wait", "cross"),
    "staff.locked_out": Word(N_("Account locked after failed attempts"), "bad", "cross-full"),
    "staff.session_ended": Word(N_("Session ended from a list"), "quiet", "cross"),
    "staff.invited": Word(N_("Invitation sent"), "quiet", "full"),
    "staff.invitation_accepted": Word(N_("Invitation accepted"), "good", "check"),
    "staff.reset_asked": Word(N_("Link for a new password sent"), "quiet", "half"),
    "staff.totp_added": Word(N_("Authenticator app set up"), "good", "check"),
    "staff.totp_removed": Word(N_("Authenticator app removed"), "wait", "cross"),
    "staff.passkey_added": Word(N_("Passkey added"), "good", "check"),
    "staff.passkey_removed": Word(N_("Passkey removed"), "wait", "cross"),
    "staff.recovery_codes_made": Word(N_("Recovery codes made"), "quiet", "full"),
    "staff.recovery_code_used": Word(N_("Recovery code used"), "wait", "person"),
    "staff.second_factor_removed": Word(N_("Second factor removed by an administrator"), "wait", "cross"),
    "staff_role.second_factor_changed": Word(N_("Second factor of a role changed"), "quiet", "half"),
}

# Who can have done something, as an event's actor begins.
ACTORS: dict[str, str] = {
    "staff": N_("Staff"),
    "key": N_("API key"),
    "payer": N_("Payer"),
    "provider": N_("Provider"),
    "job": N_("Automatic"),
    "cli": N_("Command line"),
}

# Columns that a change may name, as their forms call them.
COLUMNS: dict[str, str] = {
    "name": N_("Name"),
    "label": N_("Name"),
    "email": N_("E-mail"),
    "notify_email": N_("E-mail address for notifications"),
    "notify_events": N_("Notified of"),
    "language": N_("Language"),
    "timezone": N_("Time zone"),
    "country": N_("Country"),
    "sandbox": N_("Sandbox"),
    "accent": N_("Colour of buttons"),
    "radius": N_("Roundness of corners in pixels"),
    "font": N_("Typeface"),
    "theme": N_("Brightness"),
    "allowed_origins": N_("Sites that may embed the checkout"),
    "terms_url": N_("Terms"),
    "privacy_url": N_("Privacy"),
    "imprint_url": N_("Imprint"),
    "payer_receipts": N_("Send payers a receipt by e-mail"),
    "texts": N_("Texts"),
    "methods": N_("Methods"),
    "currencies": N_("Currencies"),
    "priority": N_("Priority"),
    "authorisation_days": N_("An authorisation lives for (days)"),
    "honour_days": N_("A capture is guaranteed for (days)"),
    "active": N_("Active"),
    "url": N_("Address"),
    "description": N_("Description"),
    "events": N_("Only these events"),
    "permissions": N_("What it may do"),
    "limits": N_("Limits"),
    "role": N_("Role"),
    "merchants": N_("Merchants"),
    "restricted_at": N_("Restricted since"),
}

SOURCES: dict[str, str] = {"api": N_("API"), "checkout": N_("Hosted checkout")}


RECIPES: dict[str, str] = {
    "captured": N_("Captured"),
    "refunded": N_("Refunded"),
    "charged_back": N_("Charged back"),
    "dispute_fee": N_("Dispute fee"),
    "reversed": N_("Chargeback reversed"),
    "lost": N_("Dispute lost"),
}

AUDIENCES: dict[str, str] = {
    "public": N_("Merchant and staff"),
    "staff": N_("Staff"),
    "internal": N_("Internal"),
}


def event(name: str) -> tuple[Word, str | None]:
    """The word for an event, and the noun that belongs into its text (both still English)."""
    known = EVENTS.get(name)
    if known:
        return known, None
    noun, _, turn = name.partition(".")
    if noun in NOUNS and turn in TURNS:
        return TURNS[turn], NOUNS[noun]
    return Word(name, "quiet", "ring"), None
