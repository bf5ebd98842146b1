"""The availability desk: a platform asks before it sells, and the answer is a promise (rules 20 and 22).

    one site read -> judge (pure) -> are the sources fresh? -> commit a hold, or the reservation -> yes

No platform is asked and none is written to on the way: a guest is waiting. What a yes needs is committed under the
site's ETag before it is said; whoever is second reads what the first one wrote and is told no.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from shared.domain.availability import Availability, Finding, concerned, judge
from shared.domain.confirm import say_again
from shared.domain.dates import StayDates
from shared.domain.errors import PayloadRejected, StaleWrite, SyncError
from shared.domain.holds import MOST_HOLDS, lifted, living, placed, without_expired
from shared.domain.merge import hint_stay
from shared.domain.model import Part, SiteState
from shared.domain.platform import Link, Platform
from shared.engine.freshness import Freshness
from shared.engine.reconcile import Reconciler
from shared.engine.world import WORK, World
from shared.ports.bus import Message
from shared.ports.people import Notice
from shared.ports.platforms import Check, CheckQuestion, CheckWire
from shared.state.accounts import Place
from shared.state.inbox import Delivery
from shared.state.index import Indexed
from shared.state.sites import Changes
from shared.state.units import UnitFinder
from shared.use_cases import HttpAnswer

LONGEST = 2.0
"""Seconds a decision may take; after that the answer is no. What Airbnb waits is not known (INFERRED: some seconds)."""

LONGEST_WORD = 1.0
"""Seconds that telling a person may cost the caller."""

MOST_BODY = 60_000
"""Bytes of a body that are read: real ones are one or two KiB, and a row's column holds 64 KiB."""

TRIES = 8
"""How often a decision is made anew when somebody else was first at the site."""

OBSERVE_EVERY = 300
"""Seconds in which an account is asked for its whole state once, when nothing but its own old stays refuse it."""

_JSON = {"content-type": "application/json; charset=utf-8", "cache-control": "no-store"}


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question with the place it is about, and the row its body was put into, if it is to be re-read."""

    question: CheckQuestion
    dates: StayDates
    place: Place
    account: str
    delivery: Delivery | None = None

    @property
    def key(self) -> str:
        """The reservation that asks, as our sites name it; its own nights do not refuse it."""
        return f"{self.account}|{self.question.reservation}" if self.question.reservation else ""


@dataclass(frozen=True, slots=True)
class _Decision:
    """What was decided, and the bells to ring for it; ``home`` and ``owner`` where the site could be read."""

    finding: Finding
    bells: tuple[Message, ...] = ()
    home: str = ""
    owner: str = ""


_NOBODY = _Decision(Finding(Availability.TAKEN, "nothing of ours"))
"""A plain no: nobody needs to be told, nothing needs to be closed."""


class AvailabilityDesk:
    """Answers one platform's questions."""

    def __init__(
        self,
        world: World,
        reconciler: Reconciler,
        platform: Platform,
        wire: CheckWire,
        rhythms: Mapping[Platform, float],
    ) -> None:
        """``rhythms`` are the seconds between two polls that a platform prescribes for itself."""
        self._world = world
        self._reconciler = reconciler
        self._platform = platform
        self._wire = wire
        self._fresh = Freshness(world, reconciler.modes, rhythms)
        self._units = UnitFinder(world.accounts, platform, world.now)

    async def answer(self, path: str, method: str, query: Mapping[str, str], body: bytes) -> HttpAnswer:
        """The answer to one call: 200 with yes or no, 400 with a no for what nobody can read, 404 for an address that
        asks nothing. Never a 5xx: how a platform takes a partner's outage is not known, and it may be as a yes."""
        if len(body) > MOST_BODY:
            return HttpAnswer(413, self._wire.malformed(f"the body is over {MOST_BODY} bytes"), _JSON)
        try:
            question = self._wire.read(method, path, query, body)
        except PayloadRejected as wrong:
            self._count("malformed")
            return HttpAnswer(400, self._wire.malformed(str(wrong)), _JSON)
        if question is None:
            return HttpAnswer(404, self._wire.malformed("not found"), _JSON)
        decision = await self._decide(question, body)
        finding = decision.finding
        self._note(question, finding)
        await asyncio.gather(*(self._world.ring(WORK, bell) for bell in decision.bells))
        if finding.availability is Availability.UNKNOWN:
            await self._tell(question, decision)
        yes = finding.availability is Availability.FREE
        return HttpAnswer(200, self._wire.reply(question.kind, yes), _JSON)

    async def _decide(self, question: CheckQuestion, body: bytes) -> _Decision:
        if question.probe:
            return _Decision(Finding(Availability.FREE))
        if question.dates is None:
            return _NOBODY
        try:
            async with asyncio.timeout(LONGEST):
                return await self._at_home(question, question.dates, body)
        except TimeoutError:
            return _Decision(Finding(Availability.UNKNOWN, "our own tables did not answer in time"))
        except SyncError as wrong:
            return _Decision(Finding(Availability.UNKNOWN, f"our own tables: {wrong}"))

    async def _at_home(self, question: CheckQuestion, dates: StayDates, body: bytes) -> _Decision:
        """Find the home, and decide; anew for as long as others are first at its site."""
        found = await self._units.find(question.unit)
        if found is None:
            self._world.telemetry.event("check_unknown_unit", platform=self._platform, unit=question.unit)
            return _NOBODY
        account, place = found
        asked = _Asked(question, dates, place, account)
        for _ in range(TRIES):
            state = await self._world.sites.load(place.site)
            finding = await self._judge(state, asked)
            if finding is None:
                await self._forget(asked)
                return _NOBODY
            if finding.availability is not Availability.FREE:
                await self._forget(asked)
                return await self._refuse(state, asked, finding)
            asked = await self._write_down(asked, body)
            try:
                return await self._keep(state, asked)
            except StaleWrite:
                self._count("overtaken")
        await self._forget(asked)
        return _Decision(Finding(Availability.UNKNOWN, f"others were first {TRIES} times"))

    async def _judge(self, state: SiteState, asked: _Asked) -> Finding | None:
        """What the site and its sources say; None for nights that have begun, which nobody can promise any more. A stay
        that moves may have begun: what is left of it counts."""
        name, now = asked.place.listing, self._world.now()
        if name not in state.listings:
            return Finding(Availability.UNKNOWN, f"{name} cannot be read")
        today = state.today(name, now)
        dates = asked.dates.from_day(today)
        if dates is None or (dates != asked.dates and asked.question.kind is not Check.ALTER):
            return None
        finding = judge(state, name, dates, now, mine=asked.key)
        if finding.availability is not Availability.FREE:
            return finding
        if len(living(state, now)) >= MOST_HOLDS:
            return Finding(Availability.UNKNOWN, f"{MOST_HOLDS} holds stand on this site")
        stale = await self._fresh.stale(concerned(state, name))
        return judge(state, name, dates, now, stale=stale, mine=asked.key) if stale else finding

    # --------------------------------------------------------------------------------------------- yes

    async def _write_down(self, asked: _Asked, body: bytes) -> _Asked:
        """A reservation that is about to be made: its body and its place in the index first, so that whatever happens
        to us now somebody asks the platform what became of it."""
        if asked.question.kind is not Check.MAKE or asked.delivery is not None:
            return asked
        indexed = Indexed((asked.place.site,), 0, 0, False)
        delivery, _ = await asyncio.gather(
            self._world.inbox.put(self._platform, body),
            self._world.index.note(asked.account, asked.question.reservation, indexed),
        )
        return replace(asked, delivery=delivery)

    async def _forget(self, asked: _Asked) -> None:
        """Refused after all: nobody is to close nights for it."""
        if asked.delivery is not None:
            await self._world.inbox.done(asked.delivery)

    async def _keep(self, state: SiteState, asked: _Asked) -> _Decision:
        """Commit what the yes rests on. Raises ``StaleWrite``."""
        free = Finding(Availability.FREE)
        if asked.delivery is None:
            await self._hold(state, asked)
            return _Decision(free)
        reason = f"reservation {asked.question.reservation} is being made"
        await self._reconciler.admit(state, self._pending(state, asked), reason)
        version = f"{state.head.version + 1}"
        bells = (
            Message("site", asked.place.site, f"made{version}"),
            Message("inbox", asked.delivery.key, "1"),
        )
        return _Decision(free, bells)

    async def _hold(self, state: SiteState, asked: _Asked) -> None:
        """Hold the nights for the listing that asks; what has expired goes in the same commit."""
        now = self._world.now()
        after = placed(without_expired(state, now), asked.place.listing, asked.dates, now)
        gone = [key for key in state.holds if key not in after.holds]
        new = [hold for key, hold in after.holds.items() if state.holds.get(key) != hold]
        await self._world.sites.commit(state, Changes(holds=new, removed_holds=gone))

    def _pending(self, state: SiteState, asked: _Asked) -> SiteState:
        """The hold turned into a pending stay: closed everywhere, ended only by a re-read."""
        stay, name = asked.question.stay, asked.place.listing
        assert stay is not None, "a reservation that is made says what it is"
        now = self._world.now()
        parts = [Part(room.part, name, room.dates, now) for room in stay.rooms]
        known = state.reservations.get(asked.key)
        pending = hint_stay(known, stay, parts, account=asked.account)
        left = lifted(state, name, asked.dates)
        return replace(left, reservations={**state.reservations, pending.key: pending})

    # ---------------------------------------------------------------------------------------------- no

    async def _refuse(self, state: SiteState, asked: _Asked, finding: Finding) -> _Decision:
        """Refuse. What is taken is closed there again: Airbnb asks its partners to, since it no longer does so itself
        after a refusal (VERIFIED, API version 2024.12.31). What is only unknown is not."""
        if finding.availability is Availability.UNKNOWN:
            listing = state.listings.get(asked.place.listing)
            home = state.site.properties[listing.property].name if listing else ""
            return _Decision(finding, (), home, state.site.owner)
        if finding.own:
            slot = f"check{int(self._world.now().timestamp()) // OBSERVE_EVERY}"
            return _Decision(finding, (Message("observe", asked.account, slot),))
        bell = await self._push_back(state, asked)
        return _Decision(finding, (bell,) if bell else ())

    async def _push_back(self, state: SiteState, asked: _Asked) -> Message | None:
        """Have the engine write the closures of these nights once more into the calendar that shows them free. One that
        is on its way already is not said again; a lost race is somebody else's work on this very site."""
        name = asked.place.listing
        rows = [row for row in state.blocks.values() if row.listing == name]
        again = say_again(rows, {(name, asked.dates)}) if state.listings[name].link is Link.API else []
        if not again:
            return None
        try:
            reason = f"{self._platform} asked for closed nights of {name}"
            etag = await self._world.due.put(state.site.id, self._world.now(), reason)
            await self._world.sites.commit(state, Changes(blocks=again))
        except SyncError as wrong:
            self._world.telemetry.event("push_back_failed", site=state.site.id, why=str(wrong))
            return None
        return Message("site", state.site.id, etag)

    async def _tell(self, question: CheckQuestion, decision: _Decision) -> None:
        """A sale was refused because we could not know: a person should."""
        home, why = decision.home or question.unit, decision.finding.why
        text = {
            "fr": f"{home}\u202f: une demande de {self._platform} pour les nuits {question.dates} a été "
            f"refusée, car rien ne prouve qu’elles sont libres ({why}). Vérifiez cette source.",
            "en": f"{home}: a request of {self._platform} for the nights {question.dates} was refused, since nothing "
            f"proves that they are free ({why}). Look at that source.",
        }
        try:
            async with asyncio.timeout(LONGEST_WORD):
                notice = Notice("check_refused", question.unit, "high", text, decision.owner)
                await self._world.notify.tell(notice)
        except TimeoutError:
            self._count("untold")

    def _note(self, question: CheckQuestion, finding: Finding) -> None:
        """One line and one count for each question. What stands against it is not named: a calendar's UID may hold
        anything, a guest's name too."""
        outcome = finding.availability.value
        why = finding.why
        if finding.availability is Availability.TAKEN and finding is not _NOBODY.finding:
            why = "its own stays" if finding.own else "stays of other listings"
        self._count(outcome)
        self._world.telemetry.event(
            "checked",
            platform=self._platform,
            asked=question.kind.value,
            unit=question.unit,
            nights=str(question.dates or "none"),
            outcome=outcome,
            why=why,
        )

    def _count(self, what: str) -> None:
        self._world.telemetry.count("availability_check", platform=self._platform, outcome=what)
