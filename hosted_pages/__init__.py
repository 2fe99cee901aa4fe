"""Pages for payers. `PAGES["checkout"]` is `hosted_pages/pages/checkout.py`."""

from app.core.shelf import Shelf
from hosted_pages.kinds import Page

PAGES: Shelf[Page] = Shelf("hosted_pages.pages")
