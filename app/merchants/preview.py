"""Links to a preview of a shop's checkout: made for somebody of the staff, signed, good for hours.

Whoever has one sees a page with sample data in the look that they typed; nothing can be paid there.
"""

import hmac
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from app.core import vault
from app.core.clock import now
from app.core.errors import NotFound
from app.core.ids import parse_id, public_id

GOOD_FOR = timedelta(hours=12)
_NO_SHOP = "new"


@dataclass(frozen=True, slots=True)
class Preview:
    """`shop_id` None: of a shop that does not exist yet."""

    merchant_id: UUID
    live: bool
    shop_id: UUID | None = None


def token(preview: Preview) -> str:
    """What stands in the link."""
    shop = public_id("shp", preview.shop_id) if preview.shop_id else _NO_SHOP
    ends = int((now() + GOOD_FOR).timestamp())
    said = f"{public_id('mer', preview.merchant_id)}.{shop}.{'live' if preview.live else 'test'}.{ends}"
    return f"{said}.{_signature(said)}"


def opened(token_: str) -> Preview:
    """Raises NotFound for a wrong, changed or old link."""
    said, _, signature = token_.rpartition(".")
    if not hmac.compare_digest(signature.encode(), _signature(said).encode()):
        raise NotFound()
    merchant, shop, mode, ends = said.split(".")
    if int(ends) < now().timestamp():
        raise NotFound()
    shop_id = None if shop == _NO_SHOP else parse_id("shp", shop)
    return Preview(parse_id("mer", merchant), mode == "live", shop_id)


def _signature(said: str) -> str:
    return vault.page_signature("preview", said)
