"""The menu: the pages a person may go to, in the order in which a day needs them."""

from __future__ import annotations

from shared.routes import ROUTES

_WISHED = (
    ("/", "base.today"),
    ("/calendar", "base.calendar"),
    ("/channels", "base.channels"),
    ("/conflicts", "base.conflicts"),
    ("/sync", "base.sync"),
    ("/history", "base.history"),
    ("/connect", "base.connect"),
    ("/links", "base.links"),
    ("/notifications", "base.notifications"),
    ("/messages", "base.messages"),
    ("/privacy", "base.privacy"),
)

_THERE = {f"/{route.path.strip('/')}" for route in ROUTES if route.method == "GET"}

NAV = tuple((where, key) for where, key in _WISHED if where in _THERE)
"""Addresses with the keys of their names."""
