"""Synchronise now: press, follow, read the report."""

from shared.domain.access import Right
from shared.routes.route import Route

ROUTES = (
    Route(
        "console_sync_page",
        "GET",
        "sync",
        Right.LOOK,
        "pages.sync:show",
        "What can be synchronised now, and what ran",
    ),
    Route(
        "console_sync_start",
        "POST",
        "sync",
        Right.DECIDE,
        "pages.sync:start",
        "Start a synchronisation, or find the one that runs",
    ),
    Route(
        "console_sync_report",
        "GET",
        "sync/{job}",
        Right.LOOK,
        "pages.sync:report",
        "How far a synchronisation is, and its report",
    ),
    Route(
        "console_sync_progress",
        "GET",
        "sync/{job}/progress",
        Right.LOOK,
        "pages.sync:progress",
        "The part of that page that changes",
    ),
)
