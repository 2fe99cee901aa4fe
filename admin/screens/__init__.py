"""The shelf of screens."""

from admin.screen import ScreenModule
from app.core.shelf import Shelf

SCREENS: Shelf[ScreenModule] = Shelf("admin.screens")
