"""The control API's machinery: links, webhooks, faults, replays, the clock, the log, a new beginning."""

from __future__ import annotations

import dataclasses

from local.sandbox.asgi import Answer, Call, Router, as_json
from local.sandbox.bodies import Asked, answering, number, platform_of, pulled_json, read_fault, text
from local.sandbox.config import Link
from local.sandbox.errors import BadAsk
from local.sandbox.world import Replay, World


class Machine:
    """The handlers."""

    def __init__(self, world: World) -> None:
        self.world = world

    def routes(self, router: Router) -> None:
        """Add the routes."""
        table: tuple[tuple[str, str, Asked], ...] = (
            ("GET", "calls", self.calls),
            ("GET", "faults", self.list_faults),
            ("POST", "faults", self.add_fault),
            ("DELETE", "faults", self.clear_faults),
            ("POST", "reset", self.reset),
            ("POST", "clock", self.clock),
            ("POST", "settle", self.settle),
            ("POST", "replay/{name}", self.add_replay),
            ("POST", "airbnb/webhook", self.set_webhook),
            ("GET", "airbnb/webhook", self.webhook_counts),
            ("GET", "booking/queue", self.booking_queue),
            ("POST", "booking/revoke_tokens", self.revoke_tokens),
            ("GET", "channex/revisions", self.revisions),
            ("POST", "{platform}/pull/{listing}", self.pull),
            ("POST", "{platform}/link/{listing}", self.link),
        )
        for method, path, handler in table:
            router.add(method, f"/sandbox/{path}", "sandbox", path.partition("/")[0], answering(handler))

    async def calls(self, call: Call) -> Answer:
        """The call log; ``kind`` narrows it to one kind."""
        return as_json(self.world.calls.as_json(call.query.get("kind", "")))

    async def booking_queue(self, call: Call) -> Answer:
        """What waits in Booking.com's queues, what became an e-mail, what the partner rejected."""
        queue = self.world.queue
        waiting = [
            {"id": message.stay_id, "kind": str(message.kind), "seen": message.seen == message.version}
            for message in queue.messages.values()
            if message.waiting
        ]
        emails = queue.emails(self.world.clock.now())
        return as_json({"waiting": waiting, "emailed": emails, "rejected": queue.rejected})

    async def revisions(self, call: Call) -> Answer:
        """What waits in Channex's feed, and how many webhooks are registered there."""
        waiting = [
            {"id": one.id, "booking": one.stay.id, "status": one.status}
            for one in self.world.revisions.waiting()
        ]
        return as_json({"waiting": waiting, "webhooks": len(self.world.subscriptions.webhooks)})

    async def pull(self, call: Call) -> Answer:
        """The platform reads our calendar for this listing now."""
        calendar = self.world.truth.calendar(platform_of(call), call.path_args["listing"])
        return as_json(
            {"pulled": [pulled_json(result) for result in await self.world.importer.pull(calendar)]}
        )

    async def link(self, call: Call) -> Answer:
        """Give a listing a calendar of ours to import: ``{url, every?}``; it is read at once and then on."""
        body = call.json()
        calendar = self.world.truth.calendar(platform_of(call), call.path_args["listing"])
        self.world.importer.subscribe(calendar, Link(text(body, "url"), number(body, "every", 60.0)))
        return as_json({}, 201)

    async def set_webhook(self, call: Call) -> Answer:
        """Where Airbnb calls us: ``{base, sync_check?}``; an empty base turns it off."""
        body = call.json()
        self.world.webhooks.base = text(body, "base", "")
        self.world.webhooks.sync_check = body.get("sync_check", self.world.webhooks.sync_check) is True
        return as_json({})

    async def webhook_counts(self, call: Call) -> Answer:
        """How Airbnb's notifications fared."""
        return as_json(dataclasses.asdict(self.world.webhooks.counts))

    async def revoke_tokens(self, call: Call) -> Answer:
        """Every Booking.com token is refused from now on."""
        self.world.tokens.revoke_all()
        return as_json({})

    async def list_faults(self, call: Call) -> Answer:
        """The faults in force."""
        return as_json({"faults": [dataclasses.asdict(fault) for fault in self.world.faults.active()]})

    async def add_fault(self, call: Call) -> Answer:
        """Order a fault: the fields of ``Fault``; ``times`` unset means until cleared."""
        return as_json({"id": self.world.faults.add(read_fault(call.json()))}, 201)

    async def clear_faults(self, call: Call) -> Answer:
        """Clear all faults, or the one with ``id``."""
        fault_id = call.query.get("id", "")
        self.world.faults.clear(int(fault_id) if fault_id.isdecimal() else None)
        return as_json({})

    async def add_replay(self, call: Call) -> Answer:
        """Serve the body at ``/replay/{name}.ics`` from now on; ``status`` and ``type`` may be asked for."""
        status = call.query.get("status", "200")
        if not status.isdecimal():
            raise BadAsk("status: must be a number")
        kind = call.query.get("type", "text/calendar; charset=utf-8")
        self.world.replays[call.path_args["name"]] = Replay(call.body, int(status), kind)
        return as_json({"path": f"/replay/{call.path_args['name']}.ics"}, 201)

    async def clock(self, call: Call) -> Answer:
        """Move the sandbox's clock forward: ``{advance: seconds}``."""
        self.world.clock.advance(number(call.json(), "advance", 0.0))
        return as_json({"now": self.world.clock.now().isoformat()})

    async def settle(self, call: Call) -> Answer:
        """Answer once every webhook was delivered or lost."""
        await self.world.webhooks.settled()
        return as_json({})

    async def reset(self, call: Call) -> Answer:
        """Begin again with the configuration."""
        await self.world.reset()
        return as_json({})
