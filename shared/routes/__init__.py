"""Every address of the console, in one table: a part for each page and what belongs to it."""

from shared.routes import api, calendar, channels, conflicts, links, people, records, sync, today
from shared.routes.route import Route

__all__ = ["ROUTES", "Route"]

ROUTES: tuple[Route, ...] = (
    *today.ROUTES,
    *calendar.ROUTES,
    *channels.ROUTES,
    *conflicts.ROUTES,
    *records.ROUTES,
    *sync.ROUTES,
    *links.ROUTES,
    *people.ROUTES,
    *api.ROUTES,
)
