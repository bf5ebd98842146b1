"""Operations: the use cases behind the triggers, joined once for a process. Each only names what is to be done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from shared.domain.errors import PayloadRejected, StaleWrite, SyncError, TransientError
from shared.domain.platform import Platform
from shared.engine.asked import Asked
from shared.engine.audit import Audit
from shared.engine.availability_check import AvailabilityDesk
from shared.engine.calendar_view import CalendarView
from shared.engine.calendars import Calendars
from shared.engine.channels_view import Channels
from shared.engine.conflict_cases import Cases
from shared.engine.conflict_decide import Decisions
from shared.engine.conflict_desk import ConflictDesk
from shared.engine.conflict_options import Options
from shared.engine.connect import Connect
from shared.engine.export import Export, Render
from shared.engine.freshness import Freshness
from shared.engine.history import History
from shared.engine.home_names import HomeNames
from shared.engine.in_turn import in_turn
from shared.engine.inbox import AGAIN, Inbox
from shared.engine.ingest import Ingest
from shared.engine.jobs import Jobs
from shared.engine.library import Library
from shared.engine.link_view import LinkViews
from shared.engine.links import Links
from shared.engine.look import LinkDesk
from shared.engine.mail_doorbell import MailDoorbell
from shared.engine.mode_desk import ModeDesk
from shared.engine.modes import Modes
from shared.engine.notice_desk import NoticeDesk
from shared.engine.observe import Observer
from shared.engine.personal import KEPT_DAYS, Personal
from shared.engine.portfolio import POLL_PERIOD, PortfolioImport
from shared.engine.quarantine import Quarantine
from shared.engine.queues import Queues
from shared.engine.readback import ReadBack
from shared.engine.reconcile import Reconciler
from shared.engine.removals import Removals
from shared.engine.reports import Reports
from shared.engine.reread import Reread
from shared.engine.status import Status
from shared.engine.steps import Steps
from shared.engine.sync_desk import SyncDesk
from shared.engine.sync_view import SyncView
from shared.engine.today_view import TodayView
from shared.engine.webhooks import Senders, Webhooks
from shared.engine.why import Explain
from shared.engine.work import MOST_DELIVERIES, NEWER, Work
from shared.engine.world import CONFLICTS, WORK, World
from shared.messages import decode
from shared.ports.bus import Message
from shared.ports.people import Notice
from shared.ports.platforms import CheckWire
from shared.use_cases import HttpAnswer, WebhookCall

if TYPE_CHECKING:
    from shared.engine.health_desk import HealthDesk
    from shared.engine.health_watch import HealthWatch


class Operations:
    """The engine as the triggers see it (``shared.use_cases.Engine``)."""

    def __init__(
        self,
        world: World,
        render: Render,
        rhythms: Mapping[Platform, float],
        webhook_secrets: Mapping[str, tuple[str, ...]] | None = None,
        period: int = POLL_PERIOD,
        checks: Mapping[Platform, CheckWire] | None = None,
        senders: Senders | None = None,
        guest_names_days: int = KEPT_DAYS,
    ) -> None:
        self.world = world
        self._rhythms = rhythms
        self.modes = Modes(world)
        self.reconciler = Reconciler(world, frozenset(rhythms), self.modes)
        self.ingest = Ingest(world, self.reconciler)
        self.calendars = Calendars(world, self.ingest)
        self.queues = Queues(world, self.ingest, self.modes)
        self.observer = Observer(world, self.ingest, self.modes)
        self.readback = ReadBack(world, self.reconciler)
        self.inbox = Inbox(world, self.ingest, self.queues, self.modes)
        self.reports = Reports(world, self._stands)
        self.worker = Work(
            world,
            self.reconciler,
            self.calendars,
            self.queues,
            self.observer,
            self.inbox,
            self.readback,
            rhythms,
            self.reports,
        )
        steps = Steps(
            world, self.reconciler, self.calendars, self.queues, self.observer, self.modes, frozenset(rhythms)
        )
        self.jobs = Jobs(world, steps, self.reports)
        self.sync_desk = SyncDesk(world, self.jobs)
        self.asked = Asked(world, self.jobs, self.reports, self.modes)
        self.options = Options(world, self.modes, rhythms)
        self.decisions = Decisions(world, self.reconciler, self.options)
        self.desk = ConflictDesk(world, self.options, self.decisions)
        self.cases = Cases(world, self.options, self.decisions)
        self.reconciler.bell.inline = self.desk.handle
        self.reread = Reread(world, self.ingest, self.modes)
        self.exports = Export(world, render, self.calendars)
        self.mode_desk = ModeDesk(world, self.modes)
        self.channels = Channels(world, self.modes, rhythms)
        self.sync_view = SyncView(world, self.jobs)
        self.audit = Audit(world)
        self.overview = Status(world, self.modes)
        self.record = History(world)
        fresh = Freshness(world, self.modes, rhythms)
        self.explain = Explain(world, fresh, self.modes)
        self.calendar = CalendarView(world, self.modes, fresh)
        self.vanished = Removals(world, self.reconciler)
        self.poisoned = Quarantine(world, self.inbox)
        self.today = TodayView(world, self.modes, self.vanished, self.poisoned, rhythms, lambda: self.watch)
        self.personal = Personal(world, guest_names_days)
        self.notices = NoticeDesk(world)
        self.portfolio = PortfolioImport(world, period)
        self.link_desk = LinkDesk(world)
        self.link_views = LinkViews(world)
        self.links = Links(world, self.link_views, self.link_desk, self.portfolio)
        self.home_names = HomeNames(world)
        self.connect = Connect(world, self.link_desk, self.portfolio)
        self.library = Library(world, self.portfolio)
        self.checks = {
            name: AvailabilityDesk(world, self.reconciler, name, wire, rhythms)
            for name, wire in (checks or {}).items()
        }
        secrets = dict(webhook_secrets or {})
        callers = senders or Senders()
        mail = MailDoorbell(world, callers.words)
        self.webhooks = Webhooks(world, self.inbox, secrets, callers, self.checks, mail)

    # ------------------------------------------------------------------------------------------ health

    @cached_property
    def health_desk(self) -> HealthDesk:
        """The health report and what is made of it, built when first asked for."""
        from shared.engine.health_desk import (
            HealthDesk,  # 4 % of a start: whoever takes a webhook needs it not
        )

        return HealthDesk(self.world, self._rhythms, self.modes, self.reconciler, self.jobs, self.reports)

    @property
    def watch(self) -> HealthWatch:
        """What makes reports of health."""
        return self.health_desk.watch

    # ------------------------------------------------------------------------------------------ timers

    async def on_timer_poll_feeds(self) -> None:
        """Ring for the calendars."""
        await self.worker.ring_feeds()

    async def on_timer_poll_accounts(self) -> None:
        """Ring for the accounts."""
        await self.worker.ring_accounts()

    async def on_timer_sweep(self) -> None:
        """Take what was left behind; one sweeper at a time."""
        fence = await self.world.accounts.lease("~timers", "sweep", timedelta(seconds=14))
        if fence is None:
            return
        await self.worker.sweep()
        await self.world.accounts.release("~timers", "sweep", fence)

    async def on_timer_walk(self) -> None:
        """Visit the sites of this hour, and forget there what was kept long enough. What fails holds up no other of
        these chores, or one odd row would keep names for ever."""
        with self.world.telemetry.span("walk_ms"):  # to be seen long before it meets the host's limit
            sites: list[str] = []

            async def walk() -> None:
                sites.extend(await self.worker.walk(self.world.now()))

            await in_turn(
                walk,
                lambda: self.audit.run(sites),
                lambda: self.personal.clean(sites),
                lambda: self.world.deliveries.forget(hours=26),
                self.record.clean,
            )

    async def on_timer_deep(self) -> None:
        """Ask for whole states, and take away what nobody keeps any longer; what fails holds up nothing else."""
        await in_turn(
            self.worker.ring_observe,
            self.reports.clean,
            self.modes.forget,
            self.jobs.clean,
            self.poisoned.clean,
            self.personal.clean_bodies,
            self.personal.clean_people,
        )

    async def on_timer_health(self) -> None:
        """Look at everything, tell what needs a person, help on what stands still."""
        await self.health_desk.round.run()

    # ------------------------------------------------------------------------------------------ queues

    async def work(self, body: bytes, deliveries: int, message_id: str) -> None:
        """One message of ``work``."""
        try:
            message = decode(body)
            await self._do(message)
        except PayloadRejected as wrong:
            await self.worker.set_aside(message_id or "unnamed", WORK, str(wrong), body)
        except TransientError as wrong:
            await self._later(body, deliveries, message_id, wrong)
        except SyncError as wrong:
            await self._refused(decode(body), wrong)

    async def _do(self, message: Message) -> None:
        if message.kind == "job":
            await self.jobs.do(message.key)
        elif message.kind == "reread":
            await self.reread.again(message.key)
        else:
            await self.worker.do(message)

    async def _refused(self, message: Message, wrong: SyncError) -> None:
        """What would fail again at once: told, and done with. The next tick asks anew; till then a person may act."""
        self.world.telemetry.event("work_refused", kind=message.kind, key=message.key, why=str(wrong))
        text = {
            "fr": f"{message.key} ne peut pas être interrogé\u202f: {wrong}. Rien n’est rouvert.",
            "en": f"{message.key} cannot be asked: {wrong}. Nothing is reopened.",
        }
        await self.world.notify.tell(Notice("refused", f"{message.kind} {message.key}", "high", text))

    async def _later(self, body: bytes, deliveries: int, message_id: str, wrong: TransientError) -> None:
        """Come back after a pause as a scheduled message; the sweep has the rest. What keeps failing is set aside,
        except a webhook's body: that stands in its table and comes back with the sweep."""
        message = decode(body)
        tried = message.version.count("+")
        if message.kind == "inbox" and (tried >= MOST_DELIVERIES or message.version.startswith(AGAIN)):
            self.world.telemetry.event("inbox_waits", why=str(wrong))
            return
        await self._put_off(WORK, body, deliveries, message_id, wrong)

    async def _put_off(
        self, queue: str, body: bytes, deliveries: int, message_id: str, wrong: TransientError
    ) -> None:
        message = decode(body)
        tried = message.version.count("+")
        if tried >= MOST_DELIVERIES or deliveries >= MOST_DELIVERIES:
            await self.worker.set_aside(message_id or "unnamed", queue, str(wrong), body)
            return
        due = self.world.now() + timedelta(seconds=wrong.retry_after or 2 << tried)
        again = Message(message.kind, message.key, f"{message.version}+", message.correlation, due)
        if not await self.world.ring(queue, again):
            raise wrong

    async def conflict(self, body: bytes, deliveries: int, message_id: str) -> None:
        """One message of ``conflicts``."""
        try:
            message = decode(body)
            if message.kind != "conflict":  # a newer release's, which may be there when it comes back
                newer = TransientError(f"no {message.kind[:40]!r} is told in this release", NEWER)
                await self._put_off(CONFLICTS, body, deliveries, message_id, newer)
                return
            await self.desk.handle(message.key)
        except (PayloadRejected, SyncError) as wrong:
            again = isinstance(wrong, TransientError | StaleWrite) and deliveries < MOST_DELIVERIES
            if again:
                raise
            await self.worker.set_aside(message_id or "unnamed", CONFLICTS, str(wrong), body)

    async def _stands(self, kind: str, source: str) -> str:
        """The mode of a run's account; calendar links and sites have none of their own."""
        account = await self.modes.readable(source) if kind in ("queue", "observe") else None
        return account.standing.mode.value if account else ""

    # -------------------------------------------------------------------------------------------- http

    async def receive_webhook(self, call: WebhookCall) -> HttpAnswer:
        """Store the body, then answer; a wrong address gets the same 404 whatever is wrong with it."""
        return await self.webhooks.receive(call)

    async def export_calendar(self, token: str, headers: Mapping[str, str]) -> HttpAnswer:
        """A destination's calendar."""
        return await self.exports.calendar(token, headers)

    async def health(self) -> HttpAnswer:
        """200, or 503 with reasons that name nobody."""
        return await self.health_desk.page.answer()
