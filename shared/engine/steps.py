"""Steps: the pieces a synchronisation is cut into, so that each fits one message and each may be done twice.

A step asks one shard of calendar links, one account's queue, one account's whole state, or brings one site up to date.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from shared.domain.errors import PayloadRejected
from shared.domain.model import SyncMode
from shared.domain.platform import Platform
from shared.domain.wish import Wanted
from shared.engine.calendars import OVERTAKEN, Calendars
from shared.engine.modes import Modes
from shared.engine.observe import Observer
from shared.engine.queues import Queues
from shared.engine.reconcile import Reconciler
from shared.engine.reports import FAILED
from shared.engine.world import World

FEEDS, QUEUE, OBSERVE, SITE = "feeds", "queue", "observe", "site"
"""Kinds of steps, named as the messages that do the same by the clock."""

BUSY = "held by another"
"""How the word begins of a source that somebody else is asking right now."""


@dataclass(frozen=True, slots=True)
class Step:
    """One piece. ``parts`` narrow it down: listings of a shard, units of an account; empty means all of it.

    ``force`` asks calendars that are not due too; ``asked`` says that a person wants it, so that it is also sent into
    accounts that take nothing by themselves. ``platforms`` is whom it concerns, for the progress of a job.
    """

    kind: str
    key: str
    platforms: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    force: bool = False
    asked: bool = False

    @property
    def name(self) -> str:
        """What it is called in a report."""
        return f"{self.kind} {self.key}"


@dataclass(frozen=True, slots=True)
class Source:
    """Something that can be asked: the calendar links of a shard that stand in one mode, or an API account. ``polled``:
    the account has a queue."""

    kind: str
    key: str
    platforms: tuple[str, ...]
    mode: SyncMode
    parts: tuple[str, ...] = ()
    polled: bool = False


@dataclass(frozen=True, slots=True)
class Territory:
    """What a wish comes to in this portfolio: the sources to ask, and the sites with the platforms that sell them.
    ``waiting`` are those of the sites that have work; ``narrow`` says that somebody named them."""

    sources: tuple[Source, ...]
    sites: Mapping[str, tuple[str, ...]]
    waiting: frozenset[str] = frozenset()
    narrow: bool = False


@dataclass(frozen=True, slots=True)
class _Face:
    """One listing's calendar that can be asked, and what it is asked through."""

    listing: str
    site: str
    platform: str
    kind: str
    key: str
    part: str
    mode: SyncMode
    polled: bool = False


class Steps:
    """Finds what there is to do, and does it."""

    def __init__(
        self,
        world: World,
        reconciler: Reconciler,
        calendars: Calendars,
        queues: Queues,
        observer: Observer,
        modes: Modes,
        polled: frozenset[Platform],
    ) -> None:
        """``polled`` are the platforms whose reservations are polled."""
        self._world = world
        self._reconciler = reconciler
        self._calendars = calendars
        self._queues = queues
        self._observer = observer
        self._modes = modes
        self._polled = polled

    # ---------------------------------------------------------------------------------- what there is

    async def territory(self, wanted: Wanted) -> Territory:
        """What a wish names. Raises ``PayloadRejected`` naming a platform, a home or a site that is not there: what is
        another owner's is not there either."""
        units, unread = await self._units()
        faces, theirs = [*await self._links(), *units], await self._sites_of(wanted.owners)
        chosen = [one for one in faces if one.site in theirs]
        await self._refuse_unknown(wanted, chosen, theirs)
        chosen = [one for one in chosen if wanted.platform in ("", one.platform)]
        sites: dict[str, tuple[str, ...]] = {}
        narrow = bool(wanted.property or wanted.site)
        if narrow:
            site, listings = await self._listings(wanted)
            chosen = [one for one in chosen if one.listing in listings]
            sites = {site: ()}
        elif not wanted.platform:
            sites = dict.fromkeys(theirs, ())
        for one in chosen:
            sites[one.site] = tuple(sorted({*sites.get(one.site, ()), one.platform}))
        waiting = {work.site for work in await self._world.due.all()}
        sources = _sources(faces, chosen)
        if not narrow and not wanted.owners:  # whose they are cannot be read either
            sources += tuple(one for one in unread if wanted.platform in ("", *one.platforms))
        return Territory(sources, sites, frozenset(waiting & sites.keys()), narrow)

    async def _sites_of(self, owners: Collection[str]) -> list[str]:
        """The sites of these owners, or of all."""
        known = await self._world.accounts.directory("site")
        return [name for name, what in known.items() if not owners or what.get("owner", "") in owners]

    async def _refuse_unknown(self, wanted: Wanted, faces: Sequence[_Face], sites: Collection[str]) -> None:
        platforms = sorted({one.platform for one in faces})
        if wanted.platform and wanted.platform not in platforms:
            known = ", ".join(platforms) or "none"
            raise PayloadRejected(f"platform {wanted.platform!r} is not connected; connected: {known}")
        if wanted.site and wanted.site not in sites:
            raise PayloadRejected(f"there is no site {wanted.site!r}")
        homes = await self._world.accounts.directory("home") if wanted.property else {}
        if wanted.property and homes.get(wanted.property, {}).get("site") not in sites:
            raise PayloadRejected(f"there is no property {wanted.property!r}")

    async def _listings(self, wanted: Wanted) -> tuple[str, frozenset[str]]:
        """The site a wish is narrowed to, and its listings that are meant."""
        home = (await self._world.accounts.directory("home")).get(wanted.property, {})
        name = home.get("site", "") or wanted.site
        if wanted.site and name != wanted.site:
            raise PayloadRejected(f"property {wanted.property!r} is not in site {wanted.site!r}")
        state = await self._world.sites.load(name)
        meant = (one.id for one in state.listings.values() if wanted.property in ("", one.property))
        return name, frozenset(meant)

    async def _links(self) -> list[_Face]:
        """Every calendar link. Each has a rhythm of its own, so they all count as REAL_TIME: asked when due."""
        return [
            _Face(feed.listing, feed.site, feed.platform, FEEDS, shard, feed.listing, SyncMode.REAL_TIME)
            for shard in await self._world.accounts.directory("shard")
            for feed in (await self._world.shards.load(shard)).feeds.values()
        ]

    async def _units(self) -> tuple[list[_Face], list[Source]]:
        """Every unit of every account that is connected by API; and the accounts that cannot be read: asked like the
        others, so that each fails by its name in what is told of the run."""
        found, unread = list[_Face](), list[Source]()
        for name, what in (await self._world.accounts.directory("account")).items():
            platform = Platform(what.get("platform", ""))
            if not what.get("api") or platform not in self._world.apis:
                continue
            state = await self._modes.readable(name)
            if state is None:
                unread.append(Source(OBSERVE, name, (platform,), SyncMode.REAL_TIME))
                continue
            mode, polled = state.standing.mode, platform in self._polled
            found += [
                _Face(place.listing, place.site, platform, OBSERVE, name, unit, mode, polled)
                for unit, place in state.units.items()
            ]
        return found, unread

    # ------------------------------------------------------------------------------------- to do it

    async def do(self, step: Step) -> str:
        """Do one step, and say in a word what came of it. Raises ``SyncError``."""
        if step.kind == FEEDS:
            only = frozenset(step.parts) or None
            report = await self._calendars.shard(step.key, force=step.force, only=only)
            if not report.stored:
                return f"{BUSY}: another pass was first"
            wrong = {name: why for name, why in report.errors.items() if why != OVERTAKEN}
            if wrong:
                return FAILED + "; ".join(f"{name}: {why}" for name, why in wrong.items())
            return f"{report.asked} asked, {report.unchanged} unchanged"
        if step.kind == QUEUE:
            return await self._queues.poll(step.key)
        if step.kind == OBSERVE:
            return await self._observe(step)
        if step.kind == SITE:
            return await self._site(step)
        raise PayloadRejected(f"no step is called {step.kind!r}")

    async def _observe(self, step: Step) -> str:
        if not step.parts and not step.force:
            return await self._observer.look(step.key)
        errors = await self._observer.observe(step.key, step.parts)
        if errors:
            return FAILED + "; ".join(f"{unit}: {why}" for unit, why in errors.items())
        return "whole"

    async def _site(self, step: Step) -> str:
        due = await self._world.due.get(step.key)
        reason = "asked for" if step.asked or due is None else due.reason
        report = await self._reconciler.reconcile(
            step.key, reason, work=due, asked=step.platforms if step.asked else ()
        )
        if report.errors:
            return FAILED + "; ".join(report.errors)
        return f"version {report.version}, {report.sent} sent, {report.accepted} taken"


def _sources(faces: Sequence[_Face], chosen: Sequence[_Face]) -> tuple[Source, ...]:
    """The chosen faces by what they are asked through; without parts where all of it is meant."""
    whole: dict[tuple[str, str], int] = {}
    for one in faces:
        whole[one.kind, one.key] = whole.get((one.kind, one.key), 0) + 1
    grouped: dict[tuple[str, str], list[_Face]] = {}
    for one in chosen:
        grouped.setdefault((one.kind, one.key), []).append(one)
    return tuple(
        Source(
            kind,
            key,
            tuple(sorted({one.platform for one in group})),
            group[0].mode,
            () if len(group) == whole[kind, key] else tuple(one.part for one in group),
            group[0].polled,
        )
        for (kind, key), group in grouped.items()
    )
