"""The e-mail doorbell: a forwarded confirmation says where to look now, and is trusted for nothing else.

An owner with calendar links alone hears of a sale from the platform's e-mail minutes before the next look. The e-mail
is neither stored nor logged; whoever forges one makes us ask a calendar a little earlier, at most once in 20 s.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.errors import PayloadRejected
from shared.domain.platform import Platform
from shared.engine.mail_reading import Mail, read_mail
from shared.engine.webhooks import MAIL
from shared.engine.world import WORK, World
from shared.ports.bus import Message
from shared.state import cells
from shared.use_cases import HttpAnswer

REST = timedelta(seconds=20)
"""The least time between two looks at one calendar for e-mails' sake. Each e-mail gets two: one now, one after this
time, since a calendar may be slower than the e-mail, and since a bell rung twice in that time is one bell."""

MOST_FEEDS = 100
"""Calendars one e-mail may ring for: an owner's, where nothing says which."""

LISTED_FOR = timedelta(seconds=60)
"""How long a process believes its list of calendars: for so long a new one rings for nobody."""


@dataclass(frozen=True, slots=True)
class _Bell:
    key: str
    listing: str
    site: str
    platform: Platform
    owner: str


class MailDoorbell:
    """Finds which calendars an e-mail is about, and rings for them."""

    def __init__(self, world: World, words: Mapping[Platform, tuple[str, ...]] | None = None) -> None:
        """``words`` are what a platform's senders or subjects contain, in lower case."""
        self._world = world
        self._words = dict(words or {})
        self._bells: tuple[_Bell, ...] = ()
        self._owners: dict[str, str] = {}
        self._listed: datetime | None = None

    async def ring(self, body: bytes) -> tuple[HttpAnswer, str]:
        """The answer, and in words what was done. A body nobody can read is 400; while the queue is down it is 503, and
        the service tries again."""
        try:
            mail = read_mail(body)
        except PayloadRejected as wrong:
            return _answer(400, {"title": str(wrong)}), f"refused (400): {wrong}"
        await self._list()
        found = self._meant(mail)[:MOST_FEEDS]
        if not all(await asyncio.gather(*map(self._ring, found))):
            return _answer(503, {"title": "try again"}, {"retry-after": "20"}), "refused (503): no queue"
        self._world.telemetry.count("mail_rang", len(found))
        return _answer(200, {"rung": len(found)}), f"rang for {len(found)} calendars"

    async def _ring(self, bell: _Bell) -> bool:
        """Now, and once more after the rest; to the queue, the bells of one calendar in one slot are duplicates."""
        now = self._world.now()
        slot = int(now.timestamp() // REST.total_seconds())
        later = Message("feed", bell.key, f"{MAIL}{slot}late", due=now + REST)
        return await self._world.ring(WORK, Message("feed", bell.key, f"{MAIL}{slot}")) and (
            await self._world.ring(WORK, later)
        )

    def _meant(self, mail: Mail) -> list[_Bell]:
        """A listing named in the recipient's tag; else the platform's calendars, of the home in the tag and of the
        owner whose address stands in the e-mail, where either is known."""
        named = [bell for bell in self._bells if bell.listing.lower() in mail.tags]
        if named:
            return named
        owners = {owner for address, owner in self._owners.items() if address in mail.addresses}
        here = [bell for bell in self._bells if not owners or bell.owner in owners]
        at_home = [bell for bell in here if bell.site.lower() in mail.tags]
        platforms = self._platforms(mail)
        if platforms:
            return [bell for bell in at_home or here if bell.platform in platforms]
        return at_home or (here if owners else [])

    def _platforms(self, mail: Mail) -> set[Platform]:
        """Whose e-mail it is: by its sender, else by its subject (somebody forwards by hand), else by the tag."""
        for text in (mail.senders, mail.subject, " ".join(mail.tags)):
            found = {name for name, words in self._words.items() if any(word in text for word in words)}
            if found:
                return found
        return set()

    async def _list(self) -> None:
        """Every calendar and owner, from the tables at most once in ``LISTED_FOR``."""
        now = self._world.now()
        if self._listed is not None and now - self._listed < LISTED_FOR:
            return
        accounts = self._world.accounts
        sites, people, names = await asyncio.gather(
            accounts.directory("site"), accounts.directory("owner"), accounts.directory("shard")
        )
        shards = await asyncio.gather(*(self._world.shards.load(name) for name in names))
        self._bells = tuple(
            _Bell(
                f"{shard.id}/{feed.listing}",
                feed.listing,
                feed.site,
                feed.platform,
                sites.get(feed.site, {}).get("owner", ""),
            )
            for shard in shards
            for feed in shard.feeds.values()
        )
        self._owners = {
            address.lower(): owner
            for owner, what in people.items()
            for address in cells.texts(what, "addresses")
        }
        self._listed = now


def _answer(status: int, value: object, headers: Mapping[str, str] | None = None) -> HttpAnswer:
    return HttpAnswer(
        status, json.dumps(value).encode(), {"content-type": "application/json", **(headers or {})}
    )
