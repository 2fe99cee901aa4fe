"""The payers of the demo's history who pay by PayPal: they press the button on its page and come back."""

from urllib.parse import parse_qsl, urlsplit

import urllib3

from app.payments.come_back import come_back
from app.payments.perform import Done

_http = urllib3.PoolManager(timeout=5, retries=False)


def approve_at_paypal(done: Done, payer: str) -> None:
    """`payer`: who is logged in there (sandbox/paypal/api.py).

    Without an answer of the stand-in the payment stays as it is: the payer is still there.
    """
    action = done.operation["action"]
    if not action:
        return
    try:
        pressed = {"choice": "pay", "payer": payer}
        answer = _http.request("POST", action["url"], fields=pressed, encode_multipart=False, redirect=False)
    except urllib3.exceptions.HTTPError as error:
        print(f"demo data: the PayPal stand-in does not answer ({type(error).__name__}); a payment waits for it")
        return
    back = urlsplit(answer.headers["Location"])
    come_back(back.path.rpartition("/")[2], dict(parse_qsl(back.query)))
