"""Any platform by its calendar link: how most owners connect."""

from __future__ import annotations

from datetime import date

from shared.connectors.ical_fetch import RetryAfter, fetch_calendar
from shared.connectors.ical_read import read_calendar
from shared.domain.platform import Platform
from shared.ports.http import Http
from shared.ports.platforms import FeedBusy, FeedFetch, Validators


class IcalConnector:
    """The ``FeedConnector`` for calendar links. Best effort by nature: that a peer closed what we export is known
    only from its fetch of our feed.

    ``agent`` is the User-Agent, with a way to reach us ("SyncEngine/0.1 (+contact)"): default agents of libraries are
    turned away (REPORTED for Airbnb). ``retry_after`` reads that header.
    """

    def __init__(self, http: Http, *, agent: str, retry_after: RetryAfter) -> None:
        self._http, self._agent, self._retry_after = http, agent, retry_after

    async def fetch(self, url: str, validators: Validators) -> FeedFetch:
        """Ask once, for what changed: see ``fetch_calendar``."""
        return await fetch_calendar(
            self._http, url, validators, agent=self._agent, retry_after=self._retry_after
        )

    def read(self, body: bytes, platform: Platform, zone: str, today: date) -> FeedBusy:
        """Read a calendar into busy events: see ``read_calendar``."""
        return read_calendar(body, platform, zone, today)
