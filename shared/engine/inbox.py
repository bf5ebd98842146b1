"""Inbox: a webhook's raw body is a row before its sender gets an answer; what it claims is only a hint (rule: durable
before polite). The worker asks the platform itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from functools import partial

from shared.correlation import correlated
from shared.domain import unprocessed
from shared.domain.errors import AuthFailed, NotFound, PayloadRejected, SyncError, TransientError
from shared.domain.facts import SeenStay
from shared.domain.model import Account
from shared.domain.platform import Platform
from shared.engine.bells import Bells
from shared.engine.ingest import Answered, Ingest
from shared.engine.modes import Modes
from shared.engine.queues import HELD, Queues
from shared.engine.reception import Reception
from shared.engine.whom import Whom
from shared.engine.words import Words
from shared.engine.world import WORK, World
from shared.ports.bus import Message
from shared.ports.people import Notice
from shared.ports.platforms import ApiConnector, Notification
from shared.state.accounts import AccountState
from shared.state.inbox import Delivery, SetAside

SWEEP_AFTER = timedelta(seconds=10)
"""How long a delivery is left to the message that rang for it."""

LONGEST_PAUSE = timedelta(minutes=5)
"""The longest wait between two tries of a delivery that the platform cannot answer for."""

UNKNOWN_FOR = timedelta(hours=6)
"""How long a claim the platform does not confirm keeps its nights closed, from its delivery on: what the release
guard asks for when something is odd."""

POLL_TAKES = 2.0
"""Seconds until a poll that is under way will be done: only the next one is sure to hold what a call was about."""

CLAIM_AFTER = 0.35
"""Seconds a re-read may take before its nights are closed on what the call claims."""

AGAIN = "again"
"""How the version of a message begins that a sweep rang: its retry is the next sweep."""


class Inbox:
    """Takes webhook bodies in, and works them off."""

    def __init__(self, world: World, ingest: Ingest, queues: Queues, modes: Modes) -> None:
        self._world = world
        self._modes = modes
        self._ingest = ingest
        self._queues = queues
        self._words = Words(world)
        self.reception = Reception(world.inbox, world.telemetry, partial(world.ring, WORK))
        self._bells = Bells(world)
        self._whom = Whom(world)
        self._rung: dict[Platform, dict[str, str]] = {}

    async def receive(self, platform: Platform, body: bytes) -> Delivery:
        """Store a body and ring; the sweep finds it when nobody heard the bell."""
        return await self.reception.receive(platform, body)

    async def process(self, key: str) -> str:
        """Work one delivery off; returns in a word what became of it. Raises ``TransientError`` when the platform
        cannot be asked now: the body stays, and what it claims is closed meanwhile."""
        delivery = await self._world.inbox.get(key)
        if delivery is None:
            return "done before"
        connector = self._world.api(Platform(delivery.account))
        try:
            notification = connector.read_notification(delivery.body)
        except PayloadRejected as wrong:
            await self._set_aside(delivery, str(wrong))
            return "set aside"
        polled = (
            await self._whom.at(Platform(delivery.account), notification.poll) if notification.poll else []
        )
        await self._poll(delivery, polled)
        asks = notification.reread or notification.revoked
        accounts, unread = (
            await self._whom.concerned(Platform(delivery.account), notification) if asks else ([], "")
        )
        if notification.revoked:
            await self._revoked(connector, accounts, notification)
        hints, unknown, about = notification.hints, [], {one.account.id: one for one in polled}
        for name in notification.reread:
            owner = await self._reread(connector, accounts, name, hints)
            if owner is None:
                unknown.append(name)
            else:
                about[owner.account.id] = owner
        unknown += _nobodys(notification.revoked, accounts) if unread else []
        if unknown and unread:  # whose it may be: it is kept until that account can be asked
            raise TransientError(f"{unknown[0]} is not known, and account {unread} cannot be read")
        await self._not_known(delivery, accounts, unknown)
        for word in notification.unknown:
            await self._words.tell(Platform(delivery.account), "action", word)
        await self._world.inbox.done(delivery)
        for one in about.values():
            await self._bells.heard(one)
        return notification.action

    async def _not_known(self, delivery: Delivery, accounts: list[AccountState], unknown: list[str]) -> None:
        """What no account knows may be known a moment later; after ``UNKNOWN_FOR`` it is given up."""
        if unknown and self._is_young(delivery):
            raise TransientError(f"{unknown[0]} is not known to the platform yet")
        for name in unknown:
            await self._give_up(delivery, accounts, name)

    async def sweep(self, platform: Platform, most: int, days: Iterable[int] = (1, 0)) -> int:
        """Ring again for what was left of these days, counted back from today; returns how many stand there. In each of
        its turns a delivery is rung for once: else the same few would keep all others from theirs."""
        now = self._world.now()
        left = [
            delivery
            for back in days
            for delivery in await self._world.inbox.waiting(platform, now - timedelta(days=back))
        ]
        old = [(one, now - one.at) for one in left if one.at is not None and now - one.at > SWEEP_AFTER]
        turns = [(one, f"{AGAIN}{_turn(age)}") for one, age in old]
        before = self._rung.get(platform, {})
        due = [(one, version) for one, version in turns if before.get(one.key) != version]
        rung = {one.key: version for one, version in turns if before.get(one.key) == version}
        self._rung[platform] = rung
        for delivery, version in due[:most]:
            rung[delivery.key] = version
            bell = Message("inbox", delivery.key, version, delivery.correlation)
            if not await self._world.ring(WORK, bell):
                with correlated(delivery.correlation):
                    await self._try(delivery.key)
        return len(left)

    async def _try(self, key: str) -> None:
        """Work one off while the bus is down; what fails stays for the next sweep."""
        try:
            await self.process(key)
        except SyncError as wrong:
            self._world.telemetry.event("inbox_waits", why=str(wrong))

    def _is_young(self, delivery: Delivery) -> bool:
        return self._world.now() - (delivery.at or self._world.now()) < UNKNOWN_FOR

    async def _poll(self, delivery: Delivery, accounts: Iterable[AccountState]) -> None:
        """Ask the queues that have news, unless a poll begun since has stored all it was told: many calls at once are
        one poll. Raises ``TransientError`` while a queue cannot be asked; a call that old adds nothing to the clock's
        own polls, and is let go."""
        for account in accounts:
            if account.polled is not None and delivery.at is not None and account.polled > delivery.at:
                continue
            name = account.account.id
            try:
                said = await self._queues.poll(name, called=True)
            except SyncError as wrong:
                if self._is_young(delivery):
                    raise TransientError(f"{name} cannot be polled yet: {wrong}") from wrong
                continue
            if said == HELD:
                raise TransientError(f"{name} is being polled", POLL_TAKES)

    async def _reread(
        self,
        connector: ApiConnector,
        accounts: list[AccountState],
        reservation: str,
        hints: tuple[SeenStay, ...],
    ) -> AccountState | None:
        """Ask the accounts that may know the reservation; close on the hint where none can tell yet. The one that knows
        it, or None. Raises ``TransientError`` when not all could be asked."""
        claimed = [hint for hint in hints if hint.id == reservation]
        owners = await self._owners(accounts, reservation, claimed)
        reason, silent, unreadable = f"webhook {reservation}", "", ""
        frames: list[Answered] = []
        for account in owners:
            counter = await self._world.accounts.next_observation(account.account.id)
            frame = Answered(counter, self._world.now())
            frames.append(frame)
            try:
                seen = await self._asked(connector, account, reservation, claimed, frame)
            except SyncError as wrong:
                # Refused for one reservation: it may be another account's. Whether the keys are, a look at all shows.
                if not isinstance(wrong, AuthFailed):
                    await self._modes.failed(account, wrong)
                silent = str(wrong)
                if isinstance(wrong, PayloadRejected):
                    unreadable = account.account.id
                continue
            await self._modes.answered(account)
            if seen is not None:
                await self._take(account, seen, frame, reason)
                return account
        await self._ingest.stays(owners[0], [(h.id, h) for h in claimed], frames[0], reason, hint=True)
        if unreadable:
            await self._unreadable(unreadable, reservation, silent)
        if silent:
            raise TransientError(f"{reservation} cannot be re-read yet: {silent}")
        return None

    async def _asked(
        self,
        connector: ApiConnector,
        account: AccountState,
        reservation: str,
        claimed: list[SeenStay],
        frame: Answered,
    ) -> SeenStay | None:
        """What the platform says of a reservation. Where it keeps us waiting, the nights are closed on the claim
        meanwhile: a re-read that fails or hangs may take 12 s with all its tries."""
        asking = asyncio.create_task(connector.reread(account.account, reservation))
        try:
            done, _ = await asyncio.wait({asking}, timeout=CLAIM_AFTER)
            if not done and claimed:
                pairs = [(one.id, one) for one in claimed]
                await self._ingest.stays(account, pairs, frame, f"webhook {reservation}", hint=True)
            return await asking
        finally:
            asking.cancel()

    async def _give_up(self, delivery: Delivery, accounts: list[AccountState], name: str) -> None:
        """For hours the platform has said that there is no such reservation: what was closed on the claim is free."""
        for account in accounts:
            await self._ingest.drop_hint(account.account.id, name)
        await self._set_aside(delivery, f"the platform knows no reservation {name}")

    async def _take(self, account: AccountState, seen: SeenStay, frame: Answered, reason: str) -> None:
        """What the platform says of it now goes into its sites."""
        done = await self._ingest.stays(account, [(seen.id, seen)], frame, reason)
        for name, unit in done.unmapped:
            await self._unmapped(account, name, unit)
        if done.failed:
            raise TransientError("; ".join(f"{site}: {why}" for site, why in done.failed.items()))

    async def _owners(
        self, accounts: list[AccountState], reservation: str, claimed: list[SeenStay]
    ) -> list[AccountState]:
        """The account a reservation belongs to, by the unit it names or by the index; else each that may know it."""
        units = {room.unit for hint in claimed for room in hint.rooms}
        for account in accounts:
            if units & account.units.keys():
                return [account]
        for account in accounts:
            known = await self._world.index.get(account.account.id, reservation)
            if known is not None and known.sites:
                return [account]
        if not accounts:
            raise NotFound("a webhook came for a platform without an account")
        return accounts

    async def _revoked(
        self, connector: ApiConnector, accounts: list[AccountState], notification: Notification
    ) -> None:
        """Pause an account we may no longer use: every closure stays, nothing is sent, a person is told. A listing that
        was unlinked alone pauses nothing, or its neighbours' nights would stay unclosed. Where the platform names no
        units ("*"), each account is tried."""
        for account in accounts:
            named = set(notification.revoked) & account.units.keys()
            whole = named == account.units.keys()
            if "*" in notification.revoked:
                whole = await _is_refused(connector, account)
            if whole:
                await self._world.accounts.pause(account.account.id, notification.action)
            if whole or named:
                await self._tell_revoked(account.account, notification.action, named)

    async def _tell_revoked(self, whose: Account, action: str, units: Iterable[str]) -> None:
        name = whose.id
        what = ", ".join(sorted(units)) or name
        text = {
            "fr": f"{name}\u202f: accès retiré à {what} ({action}). Rien n’est rouvert\u202f; reconnectez-le.",
            "en": f"{name}: access to {what} revoked ({action}). Nothing is reopened; reconnect it.",
        }
        await self._world.notify.tell(Notice("revoked", f"{name}/{what}", "critical", text, whose.owner))

    async def _set_aside(self, delivery: Delivery, reason: str) -> None:
        await self._world.inbox.quarantine(
            delivery.id, delivery.account, reason, delivery.body, SetAside.WEBHOOK
        )
        await self._world.inbox.done(delivery)
        why = unprocessed.said(reason)
        text = {
            "fr": f"Un message de {delivery.account} n’a pas pu être traité : {why['fr']}.",
            "en": f"A message of {delivery.account} could not be processed: {why['en']}.",
        }
        await self._world.notify.tell(Notice("unreadable", delivery.id, "high", text))

    async def _unreadable(self, name: str, reservation: str, why: str) -> None:
        """The platform answered, and nobody can read it: asking again will not help until a person does."""
        text = {
            "fr": f"{name}\u202f: la réservation {reservation} est illisible ({why}). Vérifiez ses nuits à la main.",
            "en": f"{name}: reservation {reservation} cannot be read ({why}). Look after its nights by hand.",
        }
        await self._world.notify.tell(Notice("unreadable", f"{name}/{reservation}", "high", text))

    async def _unmapped(self, account: AccountState, reservation: str, unit: str) -> None:
        name = account.account.id
        reason = f"the unit {unit} is not in the portfolio (reservation {reservation})"
        await self._world.inbox.quarantine(f"{name}~{reservation}~{unit}", name, reason, b"", SetAside.STAY)
        text = {
            "fr": f"{name}\u202f: le logement {unit} n’est pas dans le portefeuille ({reservation}).",
            "en": f"{name}: the unit {unit} is not in the portfolio ({reservation}).",
        }
        await self._world.notify.tell(Notice("unplaced", f"{name}~{reservation}", "high", text))


def _nobodys(revoked: Iterable[str], accounts: Iterable[AccountState]) -> list[str]:
    """The units of a withdrawn access that no account which can be read has; "*" may mean any account."""
    known = {unit for one in accounts for unit in one.units}
    return [unit for unit in revoked if unit not in known]


def _turn(age: timedelta) -> int:
    """Which try a delivery of that age has come to: one after 10 s, 20 s, 40 s... and then every 5 min. To the queue, a
    bell of the same turn is a duplicate."""
    turn, pause = 0, SWEEP_AFTER
    while pause < LONGEST_PAUSE and age > pause:
        turn, age, pause = turn + 1, age - pause, pause * 2
    return turn + age // LONGEST_PAUSE


async def _is_refused(connector: ApiConnector, account: AccountState) -> bool:
    """Whether the platform refuses the account's keys now; silence is no refusal."""
    try:
        await connector.stays(account.account, next(iter(account.units)))
    except AuthFailed:
        return True
    except SyncError:
        return False
    return False
