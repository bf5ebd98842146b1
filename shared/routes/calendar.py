"""The calendar: homes over days, and one home night by night."""

from shared.domain.access import Right
from shared.routes.route import Route

ROUTES = (
    Route(
        "console_calendar",
        "GET",
        "calendar",
        Right.LOOK,
        "pages.calendar:show",
        "The homes over a month of days",
        ticks=True,
    ),
    Route(
        "console_calendar_home",
        "GET",
        "calendar/{home}",
        Right.LOOK,
        "pages.calendar:home",
        "One home, night by night and channel by channel",
    ),
)
