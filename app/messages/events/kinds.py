"""The shape of a public event on the shelf."""

from collections.abc import Mapping
from typing import Any, Protocol


class PublicEvent(Protocol):
    """TITLE and DESCRIPTION are English texts for gettext; EXAMPLE is the `data` of a webhook.

    MAIL says who gets a mail by default and which letter of `app/messages/mails/`: "shop" (the shop's
    `notify_email`), "payer" (if the shop wants receipts sent), "merchant" (the merchant's own address).
    """

    @property
    def NAME(self) -> str: ...
    @property
    def TITLE(self) -> str: ...
    @property
    def DESCRIPTION(self) -> str: ...
    @property
    def EXAMPLE(self) -> Mapping[str, Any]: ...
    @property
    def MAIL(self) -> Mapping[str, str]: ...
