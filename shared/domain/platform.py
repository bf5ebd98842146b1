"""The channels' names, and how a listing is connected: apart from the model, since whoever takes a webhook after a cold
start needs these few words and nothing of the rest."""

from __future__ import annotations

from enum import StrEnum
from typing import NewType

Platform = NewType("Platform", str)
"""The name of a channel ("airbnb"). The registry of connectors knows which exist; the domain needs no list."""

AIRBNB = Platform("airbnb")
BOOKING = Platform("booking")
GREENGO = Platform("greengo")


class Link(StrEnum):
    """How a listing is connected."""

    API = "api"  # we write into its calendar
    ICAL = "ical"  # it fetches our export, we fetch its own
