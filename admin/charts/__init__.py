"""The shelf of charts on the dashboard. To add one, add a file that says what it draws of a period."""

from admin.charts.kinds import Chart
from app.core.shelf import Shelf

CHARTS: Shelf[Chart] = Shelf("admin.charts", skip=frozenset({"kinds"}))
