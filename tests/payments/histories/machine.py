"""Random histories of one payment, against the real core, PostgreSQL and acquirers.

Each rule does something to the payment and tells the model what must follow; after every rule the database is
compared with the model (look.py), and at the end with what the acquirers wrote into their journals (finish.py).
To add a way to act, add a rule: call the operation through `command()` and say what must come of it.
"""

from tests.payments.histories.renewals import Renewals


class Histories(Renewals):
    """Everything that can happen to a payment."""
