"""Double bookings: the list, one of them, and the two buttons on it."""

from shared.domain.access import Right
from shared.routes.route import Route

ROUTES = (
    Route(
        "console_page_conflicts", "GET", "conflicts", Right.LOOK, "pages.conflicts:listed", "Double bookings"
    ),
    Route(
        "console_page_conflict",
        "GET",
        "conflicts/{id}",
        Right.LOOK,
        "pages.conflicts:show",
        "One double booking, with what can be done",
    ),
    Route(
        "console_press_acknowledge",
        "POST",
        "conflicts/{id}/acknowledge",
        Right.DECIDE,
        "pages.conflicts:acknowledge",
        "Say that one takes care of it",
    ),
    Route(
        "console_press_decide",
        "POST",
        "conflicts/{id}/decide",
        Right.DECIDE,
        "pages.conflicts:decide",
        "Decide, about the facts that were read",
    ),
)
