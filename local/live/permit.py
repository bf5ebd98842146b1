"""What may leave for a real platform, and the two doors that hold to it.

``why_not`` is the rule. ``MarkedOnly`` stands round each connector and asks it before every write; ``ReadOnlyHttp``
stands below, and lets nothing but known readings out unless a permitted write is under way: a connector that somebody
reaches past the first door writes nothing either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import date, timedelta
from urllib.parse import urlsplit

from shared.domain.dates import StayDates
from shared.domain.errors import NotAllowed
from shared.domain.facts import Polled, SeenStay, WriteOutcome
from shared.domain.model import Account, Listing, Write
from shared.ports.http import Http, Request, Response
from shared.ports.platforms import ApiConnector, Notification

LEAST_AHEAD = 300
"""Days from today to the first night that may be closed: nobody should miss it for the minute it is closed."""

READINGS = frozenset(
    {
        "/token-based-authentication/exchange",
        "/hotels/xml/roomrateavailability",
        "/hotels/xml/reservationssummary",
    }
)
"""POST calls that change nothing: Booking.com asks for its token, its levels and its stays by POST."""

_ASKS = frozenset({"GET", "HEAD"})
_permitted: ContextVar[bool] = ContextVar("a permitted write is under way", default=False)


@dataclass(frozen=True, slots=True)
class Permit:
    """Who may be written to: ``marked`` are the listings whose line says so, ``asked`` whether this run was told to
    write at all, ``ours`` what runs of this command closed and did not open again: the level found there before."""

    marked: frozenset[str]
    asked: bool
    today: date
    ours: Mapping[tuple[str, date], int]


def why_not(permit: Permit, listing: str, levels: Mapping[date, int]) -> str:
    """Why this write may not leave; empty when it may. One night a time; a closure far ahead, or the opening of a
    night we closed, to the level it had."""
    if listing not in permit.marked:
        return f"{listing}: its line does not say live_writes: yes"
    if not permit.asked:
        return f"{listing}: nothing is written without LIVE_WRITES=1"
    if len(levels) != 1:
        return f"{listing}: one night at a time, not {len(levels)}"
    ((night, level),) = levels.items()
    before = permit.ours.get((listing, night))
    if level > 0 and before is None:
        return f"{listing}: {night} was not closed by this command, so it opens nothing there"
    if level > 0 and level != before:
        return f"{listing}: {night} had {before} for sale before, not {level}"
    if level <= 0 and night < permit.today + timedelta(days=LEAST_AHEAD):
        return f"{listing}: {night} is nearer than {LEAST_AHEAD} days"
    return ""


class MarkedOnly:
    """The port ``ApiConnector`` round another one. ``permit`` is asked anew for every write."""

    def __init__(self, inner: ApiConnector, permit: Callable[[], Permit]) -> None:
        self.platform = inner.platform
        self._inner = inner
        self._permit = permit

    async def write(self, account: Account, listing: Listing, write: Write) -> WriteOutcome:
        """As the connector's. Raises ``NotAllowed``, with nothing sent, for what ``why_not`` has a word against."""
        # One copy for the question and for the call: a mapping that changes in between would slip through.
        levels = dict(write.levels)
        if refusal := why_not(self._permit(), listing.id, levels):
            raise NotAllowed(refusal)
        with _writing():
            return await self._inner.write(account, listing, replace(write, levels=levels))

    async def acknowledge(self, account: Account, receipts: Sequence[str]) -> tuple[str, ...]:
        """Never: an acknowledged message is lost to the engine that it was meant for. Raises ``NotAllowed``."""
        raise NotAllowed(f"{account.id}: messages are left in their queue")

    async def read_levels(self, account: Account, listing: Listing, dates: StayDates) -> Mapping[date, int]:
        """As the connector's."""
        return await self._inner.read_levels(account, listing, dates)

    async def reread(self, account: Account, reservation: str) -> SeenStay | None:
        """As the connector's."""
        return await self._inner.reread(account, reservation)

    async def poll(self, account: Account) -> Polled:
        """As the connector's; what it hands over stays in the queue."""
        return await self._inner.poll(account)

    async def stays(self, account: Account, unit: str) -> tuple[SeenStay, ...]:
        """As the connector's."""
        return await self._inner.stays(account, unit)

    def read_notification(self, body: bytes) -> Notification:
        """As the connector's."""
        return self._inner.read_notification(body)


class ReadOnlyHttp:
    """The port ``Http`` round another one: only what asks, and what a permitted write sends. ``last`` is the newest
    answer, for the report: its status, and its headers by their names in lower case."""

    def __init__(self, inner: Http) -> None:
        self._inner = inner
        self.last: Response | None = None

    async def send(self, request: Request) -> Response:
        """Make the call. Raises ``NotAllowed`` with nothing sent, else as the one inside."""
        asks = request.method in _ASKS or (
            request.method == "POST" and urlsplit(request.url).path in READINGS
        )
        if not asks and not _permitted.get():
            raise NotAllowed(f"a {request.method} that is no reading and no permitted write")
        self.last = None
        self.last = await self._inner.send(request)
        return self.last

    async def close(self) -> None:
        """Free the connections."""
        await self._inner.close()


@contextmanager
def _writing() -> Iterator[None]:
    token = _permitted.set(True)
    try:
        yield
    finally:
        _permitted.reset(token)
