"""Connecting a calendar, the links calendars travel by, and the portfolio as a text."""

from shared.domain.access import Right
from shared.routes.route import Route

ROUTES = (
    Route(
        "console_connect",
        "GET",
        "connect",
        Right.DECIDE,
        "pages.connect:show",
        "Where a calendar link is pasted",
    ),
    Route(
        "console_connect_look",
        "POST",
        "connect/look",
        Right.DECIDE,
        "pages.connect:look",
        "What is in a calendar link",
    ),
    Route("console_connect_add", "POST", "connect", Right.DECIDE, "pages.connect:add", "Connect a calendar"),
    Route("console_links", "GET", "links", Right.LOOK, "pages.links:show", "Every calendar link, masked"),
    Route(
        "console_link",
        "GET",
        "links/{id}",
        Right.DECIDE,
        "pages.links:one",
        "One export address and where to paste it",
    ),
    Route(
        "console_link_wait",
        "GET",
        "links/{id}/wait",
        Right.DECIDE,
        "pages.links:wait",
        "Whether a channel has read our calendar",
    ),
    Route(
        "console_link_renew",
        "POST",
        "links/{id}/renew",
        Right.DECIDE,
        "pages.links:renew",
        "Give it a new address",
    ),
    Route(
        "console_link_revoke",
        "POST",
        "links/{id}/revoke",
        Right.DECIDE,
        "pages.links:revoke",
        "Take its address away",
    ),
    Route(
        "console_link_replace",
        "POST",
        "links/{id}/replace",
        Right.DECIDE,
        "pages.links:replace",
        "Read another calendar link",
    ),
    Route(
        "console_link_disconnect",
        "POST",
        "links/{id}/disconnect",
        Right.DECIDE,
        "pages.links:disconnect",
        "Read its calendar no more",
    ),
    Route(
        "console_home_name", "POST", "homes/{id}/name", Right.DECIDE, "pages.links:rename", "Rename a home"
    ),
    Route(
        "console_portfolio", "GET", "portfolio", Right.LOOK, "pages.portfolio:show", "The portfolio as a text"
    ),
    Route(
        "console_portfolio_export",
        "POST",
        "portfolio/export",
        Right.LOOK,
        "pages.portfolio:export",
        "The portfolio as a file, with links on demand",
    ),
    Route(
        "console_portfolio_import",
        "POST",
        "portfolio",
        Right.DECIDE,
        "pages.portfolio:take",
        "Take a text in",
    ),
)
