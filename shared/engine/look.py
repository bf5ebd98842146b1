"""A look into a calendar link that a person pasted: what is in it, or in plain words why it cannot be used. Nothing is
stored, and no answer, error or log holds the link."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from posixpath import normpath
from urllib.parse import unquote, urlsplit

from shared.domain.addresses import DEFAULT_PORTS, parse_feed_url
from shared.domain.dates import StayDates
from shared.domain.errors import AddressRefused, FeedRefused, PlatformDown, SyncError
from shared.domain.model import Busy
from shared.domain.platform import Platform
from shared.domain.portfolio import masked
from shared.domain.spoken import PARIS, Said
from shared.engine.calendars import MOST_AHEAD
from shared.engine.look_text import Why, refusal_of, said_of
from shared.engine.world import World
from shared.ports.platforms import FeedBusy, Validators

LONGEST = 12.0
"""Seconds for all of a look: the request has 10 of them."""

_ANY = Platform("ical")
_OURS = re.compile(r"/export/([A-Za-z0-9_-]{1,200})\.ics", re.IGNORECASE)
_LAYERS = 3  # of %-writing that are taken off an address: a proxy on the way may take off one more than we do


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a link cannot be used: one word for programs, a sentence for people. Neither holds the link."""

    why: Why
    said: Said


@dataclass(frozen=True, slots=True)
class Stretch:
    """One taken stretch of a calendar, from today on: what its words say that it is, and its nights."""

    kind: Busy
    dates: StayDates


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look found. ``link`` is the address in its one spelling: a secret. ``platform`` is whose calendar it was
    read as, ``recognised`` whether the address said so. ``ahead`` is what is taken from today on, soonest first;
    ``past`` counts what is over. ``oddities`` are what could not be read, as the reader worded it."""

    link: str = field(repr=False)
    host: str
    platform: Platform
    recognised: bool
    ahead: tuple[Stretch, ...] = ()
    past: int = 0
    oddities: tuple[str, ...] = ()

    def counted(self, kind: Busy) -> int:
        """How many stretches of a kind lie ahead."""
        return sum(1 for one in self.ahead if one.kind is kind)


class LinkDesk:
    """Looks into links."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def look(self, pasted: str, platform: str = "", zone: str = PARIS) -> Looked | Refusal:
        """Fetch a link once, through the address guard, and read it; ``platform`` says whose calendar it is where its
        address does not. Ends within ``LONGEST`` seconds; never raises for what a link leads to."""
        text = cleaned(pasted)
        if not text:
            return _refused(Why.EMPTY)
        if await self._is_ours(text):
            return _refused(Why.OURS)
        host = masked(text)
        found = self._world.recognise(text)
        read_as = self._read_as(found, platform)
        if read_as is None:
            return _refused(Why.OTHER_PLATFORM, host, platform=self._named(found))
        today = self._world.now().date()
        try:
            async with asyncio.timeout(LONGEST):
                fetched = await self._world.feeds.fetch(text, Validators())
            busy = self._world.feeds.read(fetched.body, read_as, zone, today)
            ahead, past = _sorted_out(busy, today)
            if len(ahead) > MOST_AHEAD:
                raise FeedRefused(
                    f"it holds {len(ahead)} events from today on, at most {MOST_AHEAD} are taken"
                )
            link = spelled(text)
        except TimeoutError:
            return _failed(PlatformDown("no complete answer in time"), host)
        except SyncError as wrong:
            return _failed(wrong, host)
        return Looked(link, host, read_as, found in self._connectable(), ahead, past, busy.oddities)

    async def _is_ours(self, text: str) -> bool:
        """Whether it is a calendar that we publish: what comes out of us must not come in again."""
        ours = _OURS.search(_plain_path(text))
        return ours is not None and await self._world.accounts.find_link(ours[1]) is not None

    def _connectable(self) -> tuple[Platform, ...]:
        """Platforms with calendars of a known shape, the nameless one left out."""
        return tuple(one for one in self._world.calendars if one != _ANY)

    def _read_as(self, found: Platform, wanted: str) -> Platform | None:
        """What the address says, else what the person does; None where they contradict each other."""
        if not wanted or wanted not in self._world.calendars:
            return found
        if found in self._connectable() and found != wanted:
            return None
        return Platform(wanted)

    def _named(self, platform: Platform) -> str:
        return self._world.platform_names.get(platform, platform)


def cleaned(pasted: str) -> str:
    """The link in what a person pasted: blanks and marks round it are taken off, and a calendar program's own word for
    https is understood."""
    text = pasted.strip().strip("<>\"'").strip()
    scheme, separator, rest = text.partition("://")
    return f"https://{rest}" if separator and scheme.lower() in ("webcal", "webcals") else text


def _plain_path(link: str) -> str:
    """The path of a link as whoever serves it may come to read it: unquoted, without empty and relative parts. Empty
    where the link cannot be read at all, which its fetching then says."""
    try:
        path = urlsplit(link).path
    except ValueError:
        return ""
    for _ in range(_LAYERS):
        path = unquote(path)
    return normpath(f"/{path}")


def spelled(link: str) -> str:
    """The one spelling of a link that the guard let through, so that the same link is known again. Raises
    ``AddressRefused``."""
    try:
        parts = urlsplit(link)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme.lower(), 443)
    except ValueError:
        raise AddressRefused("the address cannot be read") from None
    return parse_feed_url(link, loopback_ports=frozenset({port})).url


def _sorted_out(busy: FeedBusy, today: date) -> tuple[tuple[Stretch, ...], int]:
    """What lies ahead, and how many events are over."""
    ahead, past = [], 0
    for event in busy.events:
        coming = [dates for dates in event.dates if dates.check_out > today]
        ahead += [Stretch(event.kind, dates) for dates in coming]
        past += not coming
    return tuple(sorted(ahead, key=lambda one: (one.dates, one.kind))), past


def _failed(wrong: SyncError, host: str) -> Refusal:
    why, said = refusal_of(wrong, host)
    return Refusal(why, said)


def _refused(why: Why, host: str = "", **values: str) -> Refusal:
    return Refusal(why, said_of(why, host, **values))


def overlap(known: Sequence[StayDates], found: Sequence[Stretch]) -> int:
    """How many of the stretches a listing holds are in the calendar too, night for night."""
    there = {one.dates for one in found}
    return sum(1 for dates in known if dates in there)
