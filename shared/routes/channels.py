"""Channels: how each stands, and what is changed about it."""

from shared.domain.access import Right
from shared.routes.route import Route

ROUTES = (
    Route(
        "console_channels",
        "GET",
        "channels",
        Right.LOOK,
        "pages.channels:show",
        "How each account and calendar link stands",
    ),
    Route(
        "console_channel_mode",
        "POST",
        "channels/{account}/mode",
        Right.DECIDE,
        "pages.channels:choose",
        "Choose an account's mode and rhythms",
    ),
    Route(
        "console_channel_pause",
        "POST",
        "channels/{account}/pause",
        Right.DECIDE,
        "pages.channels:pause",
        "Send nothing into an account until it is resumed",
    ),
    Route(
        "console_channel_resume",
        "POST",
        "channels/{account}/resume",
        Right.DECIDE,
        "pages.channels:resume",
        "Let an account go on by itself",
    ),
    Route(
        "console_channel_circuit",
        "POST",
        "channels/{account}/circuits/{operation}",
        Right.DECIDE,
        "pages.channels:circuit",
        "Move a circuit by hand",
    ),
)
