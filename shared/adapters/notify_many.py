"""Several channels as one ``Notify``: each fails alone, none holds up a sync, and nobody is told the same thing twice.

A notice is written down first, then handed to the channels beside the work; what a channel does not take is tried
again by the health timer, by whichever host, with growing pauses. At worst, when a process dies between a delivery and
its note, a person is told twice. Beside the channels of the settings stand those that people chose for themselves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import Context
from dataclasses import replace
from datetime import datetime, timedelta

from shared.adapters.notify_people import PeopleFan, last_resort
from shared.domain.errors import StaleWrite, SyncError
from shared.domain.quiet import DIGEST, is_urgent
from shared.ports.people import Channel, NewId, Notice, Telemetry
from shared.state.told import Told, ToldStore

WINDOW = timedelta(hours=6)
"""How long the same kind and key are not told again, where nothing else is said."""

WINDOWS: Mapping[str, timedelta] = {
    # The conflict desk marks each as told by itself.
    "conflict": timedelta(0),
    "conflict_over": timedelta(0),
    "new_stay": timedelta(days=7),
    "resumed": timedelta(minutes=10),
    # Within hours it may be given back and taken away again: the second time matters as much.
    "revoked": timedelta(minutes=10),
    "mode_changed": timedelta(hours=1),
    "dead_link": timedelta(days=1),
    "push_failed_over": timedelta(hours=1),
    # Asked for by a person who waits for it.
    "test": timedelta(minutes=1),
}

CHANGING = frozenset({"push_failed"})
"""Kinds of which another text is news: further nights that could not be closed."""

OVER: Mapping[str, str] = {"push_failed_over": "push_failed"}
"""That it is over is told once, to who was told that it began; from then on it may begin again."""

ONE = 12.0
"""Seconds a channel has for a notice: its own 10 s and some."""

ONE_LATER, AGAIN = 8.0, 10.0
"""Seconds the health timer gives a channel for one that was left, and spends on all of them: none is begun that could
be cut off, or what another channel has just taken would be sent to it again."""

HELD = timedelta(seconds=60)
"""How long a notice stays in the hands of who took it; then another host may."""

MOST_TRIES = 8
"""Tries, about two hours in all with the pauses between them; then it is counted as failed."""

GONE = "gone"
"""In place of a reason: there is no such channel any more, and nobody is waited for."""

AT_ONCE, BESIDE = 2, 20
"""Notices delivered at a time, and how many may wait for that in memory; the others are the health timer's."""

KEPT = timedelta(days=7)
"""How long a row stays after all is done: the longest window, and so long a failure is shown."""


class NotifyMany:
    """The port ``Notify`` over several channels and the table of what was told."""

    def __init__(
        self,
        channels: Sequence[Channel],
        told: ToldStore,
        telemetry: Telemetry,
        *,
        now: Callable[[], datetime],
        new_id: NewId,
        at_once: Sequence[Channel] = (),
        fan: PeopleFan | None = None,
    ) -> None:
        """``at_once`` are channels that cost no time and never fail (the log); ``now`` is store time; ``fan`` finds the
        people who chose for themselves."""
        self._channels = {one.name: one for one in channels}
        self._at_once = at_once
        self._fan = fan
        self._told = told
        self._telemetry = telemetry
        self._now = now
        self._new_id = new_id
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    async def tell(self, notice: Notice) -> None:
        """Write it down and hand it over; costs two trips to the table (four, at most every five seconds, where people
        chose for themselves) and waits for no channel."""
        told = await self._take(notice)
        if told is None:
            self._telemetry.count("notice_repeated", kind=notice.kind)
            return
        for channel in () if notice.to else self._at_once:
            await channel.send(told.notice)
        if told.waiting and len(self._tasks) < BESIDE:
            # In a context of its own: what it costs belongs to no run.
            task = asyncio.create_task(self._deliver(told), context=Context())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def again(self) -> None:
        """Try what no channel took yet and nobody holds, the digests that are due among it; forget what is long
        done."""
        await self._bundle()
        try:
            rows = await self._told.all()
            now = self._now()
            for old in rows:
                if not old.waiting and now - old.at > KEPT:
                    await self._told.forget(old)
            due = [one for one in rows if one.waiting and (one.next is None or one.next <= now)]
            latest = asyncio.get_running_loop().time() + AGAIN - ONE_LATER
            async with asyncio.timeout(AGAIN):
                # Those that were tried least first: what a silent channel does not take holds up no other.
                await asyncio.gather(*(self._once_more(one, latest) for one in sorted(due, key=_turn)))
        except TimeoutError:
            self._telemetry.count("notices_wait")
        except SyncError:
            self._telemetry.count("notices_unread")

    async def settle(self, seconds: float) -> None:
        """Wait so long at most for what is under way."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)

    async def close(self) -> None:
        """Let go of what is under way: its rows stand, and the health timer has them."""
        await self.settle(2.0)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _bundle(self) -> None:
        """Write down each digest that is due, then let go of what was in it. Whoever dies in between leaves both: the
        same digest is then known already. One that cannot be written holds up nothing that was told before."""
        if self._fan is None:
            return
        try:
            for one in await self._fan.due():
                now, whole = self._now(), replace(one.notice, id=self._new_id())
                names = tuple(await self._fan.names(whole, now))
                await self._told.take(Told(whole, now, names, tries=0), WINDOW)
                await self._fan.done(one)
        except SyncError:
            self._telemetry.count("digests_wait")

    async def _take(self, notice: Notice) -> Told | None:
        now, kind = self._now(), notice.kind
        whole = replace(notice, id=notice.id or self._new_id())
        shared = () if notice.to else tuple(self._channels)
        told = Told(whole, now, shared, next=now + HELD)
        try:
            if self._fan:
                told = replace(told, waiting=(*shared, *await self._fan.names(whole, now)))
            began = await self._told.get(OVER[kind], notice.key) if kind in OVER else None
            if kind in OVER and began is None:
                return None
            window = WINDOWS.get(kind, WINDOW)
            taken = await self._told.take(told, window, unless_changed=kind in CHANGING)
            if taken is not None and began is not None:
                await self._told.forget(began)
        except SyncError:
            # Rather twice than never: without its row it has this one try.
            self._telemetry.count("notice_unstored", kind=kind)
            return told
        return taken

    async def _once_more(self, told: Told, latest: float) -> None:
        """Try it once more, unless its turn comes after ``latest`` (loop time)."""
        async with self._gate:
            if asyncio.get_running_loop().time() > latest:
                return
            try:
                held = await self._told.put(replace(told, tries=told.tries + 1, next=self._now() + HELD))
            except StaleWrite:
                return
            await self._send(held, ONE_LATER)

    async def _deliver(self, told: Told) -> None:
        async with self._gate:
            if told.next is None or self._now() < told.next:
                await self._send(told, ONE)

    async def _send(self, told: Told, seconds: float) -> None:
        tried = await asyncio.gather(*(self._try(name, told.notice, seconds) for name in told.waiting))
        wrong = {name: why for name, why in zip(told.waiting, tried, strict=True) if why and why != GONE}
        told = replace(
            told, waiting=tuple(n for n, why in zip(told.waiting, tried, strict=True) if why != GONE)
        )
        for name in wrong:
            self._telemetry.count("notify_refused", channel=_kind(name), kind=told.notice.kind)
        await self._note(told, wrong)

    async def _channel(self, name: str) -> Channel | None:
        known = self._channels.get(name)
        return known if known is not None or self._fan is None else await self._fan.channel(name)

    async def _try(self, name: str, notice: Notice, seconds: float) -> str:
        """Why the channel did not take it; empty when it did, ``GONE`` for one that is there no more."""
        try:
            async with asyncio.timeout(seconds):
                channel = await self._channel(name)
                if channel is None:
                    return GONE
                await channel.send(notice)
        except TimeoutError:
            return f"no answer within {seconds:g} s"
        except SyncError as wrong:
            return str(wrong)
        except Exception as wrong:  # noqa: BLE001 - a defect of one channel silences neither the others nor the next try
            return f"a defect ({type(wrong).__name__})"
        return ""

    async def _note(self, told: Told, wrong: Mapping[str, str]) -> None:
        """Write down what is left of it. Nobody else has it meanwhile; if the store is away it is sent once more."""
        over = told.tries >= MOST_TRIES
        failed = tuple(wrong) if over else ()
        more = _instead(told, wrong)
        for name in failed:
            self._telemetry.count("notify_failed", channel=_kind(name), kind=told.notice.kind)
        after = replace(
            told,
            waiting=() if over else (*wrong, *more),
            failed=failed,
            taken=(*told.taken, *(name for name in told.waiting if name not in wrong)),
            # Whoever stands in is asked at the next tick, and no later.
            next=self._now() + (timedelta() if more else timedelta(minutes=1 << max(told.tries - 1, 0))),
            error="; ".join(f"{name}: {why}" for name, why in wrong.items()),
        )
        try:
            if told.etag is not None:
                await self._told.put(after)
        except SyncError:
            self._telemetry.count("notice_unstored", kind=told.notice.kind)


def _instead(told: Told, wrong: Iterable[str]) -> tuple[str, ...]:
    """The channels that stand in for people's own ways that failed, where it is urgent: nobody is left without a word
    of a double booking because they mistyped an address."""
    if not is_urgent(told.notice.kind, told.notice.severity) or told.notice.kind == DIGEST:
        return ()
    known = {*told.waiting, *told.taken, *told.failed}
    names = dict.fromkeys(last_resort(name) for name in wrong)
    return tuple(name for name in names if name and name not in known)


def _kind(name: str) -> str:
    """A channel's name as numbers are kept by: a person's own by its way alone."""
    return name.partition("/")[2].partition("-")[0] or name.partition("@")[0]


def _turn(told: Told) -> tuple[int, datetime]:
    return told.tries, told.at
