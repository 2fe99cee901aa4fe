"""The shelf of what the one search box finds. To add a kind of thing, add a file."""

from admin.searches.kinds import Kind
from app.core.shelf import Shelf

SEARCHES: Shelf[Kind] = Shelf("admin.searches", skip=frozenset({"kinds"}))
