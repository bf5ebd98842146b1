"""The control API's people: playing guests and hosts, and asking the truth."""

from __future__ import annotations

from local.sandbox.asgi import Answer, Call, Json, Router, as_json
from local.sandbox.bodies import (
    Asked,
    answering,
    dates,
    day,
    guest,
    objects,
    platform_of,
    pulled_json,
    stay_json,
    text,
)
from local.sandbox.calendar import Calendar
from local.sandbox.desk import Desk
from local.sandbox.errors import BadAsk
from local.sandbox.stays import LIVE, NightState, Part, Stay
from local.sandbox.world import World
from shared.domain.dates import StayDates


class Control:
    """The handlers; a refusal becomes a JSON error with its own status."""

    def __init__(self, world: World, desk: Desk) -> None:
        self.world = world
        self.desk = desk

    def routes(self, router: Router) -> None:
        """Add the routes."""
        table: tuple[tuple[str, str, Asked], ...] = (
            ("GET", "truth", self.truth),
            ("POST", "airbnb/answer", self.answer_request),
            ("POST", "{platform}/book", self.book),
            ("POST", "{platform}/modify", self.modify),
            ("POST", "{platform}/cancel", self.cancel),
            ("POST", "{platform}/block", self.block),
            ("POST", "{platform}/unblock", self.unblock),
            ("POST", "{platform}/open", self.open),
            ("POST", "{platform}/status", self.status),
            ("GET", "{platform}/calendar/{listing}", self.calendar),
        )
        for method, path, handler in table:
            router.add(method, f"/sandbox/{path}", "sandbox", path.partition("/")[0], answering(handler))

    # ------------------------------------------------------------------------------- guests and hosts

    async def book(self, call: Call) -> Answer:
        """A guest books: ``{listing, check_in, check_out | nights, guest?, status?}`` or ``{rooms: [...]}``."""
        body = call.json()
        rooms = [(text(room, "listing"), dates(room)) for room in objects(body, "rooms")]
        if not rooms:
            rooms = [(text(body, "listing"), dates(body))]
        status = text(body, "status", "accept")
        if status not in LIVE:
            raise BadAsk(f"status: must be one of {', '.join(sorted(LIVE))}")
        stay = await self.desk.book(platform_of(call), rooms, guest=guest(body), status=status)
        return as_json(stay_json(stay), 201)

    async def modify(self, call: Call) -> Answer:
        """Change a reservation: new dates or listing of one room (``part``), ``drop`` a room, ``add`` rooms."""
        body = call.json()
        platform = platform_of(call)
        stay = self.world.truth.stay(text(body, "id"), platform)
        return as_json(stay_json(await self.desk.modify(platform, stay.id, self._changed_parts(stay, body))))

    def _changed_parts(self, stay: Stay, body: Json) -> tuple[Part, ...]:
        parts = stay.parts
        if "check_in" in body or "check_out" in body or "nights" in body or "listing" in body:
            part = self.desk.part(stay, text(body, "part", ""))
            moved = dates(body, part.dates)
            parts = self.desk.moved(stay, moved, part.id, text(body, "listing", ""))
        if "drop" in body:
            dropped = self.desk.part(stay, text(body, "drop"))
            parts = tuple(part for part in parts if part.id != dropped.id)
        added = tuple(
            self.world.truth.new_part(stay.platform, text(room, "listing"), dates(room))
            for room in objects(body, "add")
        )
        return parts + added

    async def cancel(self, call: Call) -> Answer:
        """Cancel a reservation: ``{id, by?: guest | host | admin}``."""
        body = call.json()
        by = text(body, "by", "guest")
        return as_json(stay_json(await self.desk.cancel(platform_of(call), text(body, "id"), by)))

    async def answer_request(self, call: Call) -> Answer:
        """Answer a pending Airbnb request: ``{id, status: accept | deny | timeout | pending_voided}``."""
        body = call.json()
        return as_json(stay_json(await self.desk.answer_request(text(body, "id"), text(body, "status"))))

    async def block(self, call: Call) -> Answer:
        """The host closes nights on the platform itself: ``{listing, check_in, check_out | nights}``."""
        body = call.json()
        block = self.world.truth.block(platform_of(call), text(body, "listing"), dates(body))
        return as_json({"block": block}, 201)

    async def unblock(self, call: Call) -> Answer:
        """The host takes a block away: ``{listing, block}``."""
        body = call.json()
        self.world.truth.unblock(platform_of(call), text(body, "listing"), text(body, "block"))
        return as_json({})

    async def open(self, call: Call) -> Answer:
        """Another program opens what our API had closed: ``{listing, check_in, check_out | nights}``."""
        body = call.json()
        self.world.truth.partner_opens(platform_of(call), text(body, "listing"), dates(body))
        return as_json({})

    async def status(self, call: Call) -> Answer:
        """The platform gives a reservation another word, perhaps one that nobody knows: ``{id, status}``."""
        body = call.json()
        stay = await self.desk.reword(platform_of(call), text(body, "id"), text(body, "status"))
        return as_json(stay_json(stay))

    # ---------------------------------------------------------------------------------------- asking

    async def truth(self, call: Call) -> Answer:
        """Every listing and night that is not open; with ``from`` and ``to`` every night between them."""
        truth = self.world.truth
        listings = {key: self._nights(calendar, call) for key, calendar in truth.calendars.items()}
        double = {
            room: {night.isoformat(): list(stays) for night, stays in nights.items()}
            for room, nights in truth.double_sold().items()
        }
        contradictions = [
            {"at": item.at.isoformat(), "listing": item.listing, "night": item.night.isoformat()}
            for item in truth.contradictions
        ]
        stays = [stay_json(stay) for stay in truth.stays.values()]
        return as_json(
            {
                "now": self.world.clock.now().isoformat(),
                "today": self.world.clock.today().isoformat(),
                "listings": listings,
                "double_sold": double,
                "contradictions": contradictions,
                "reservations": stays,
            }
        )

    async def calendar(self, call: Call) -> Answer:
        """One listing's nights, as in the truth, with what it last imported."""
        calendar = self.world.truth.calendar(platform_of(call), call.path_args["listing"])
        links = [
            {"every": item.link.every, "last": pulled_json(item.last)}
            for item in self.world.importer.links.get(calendar.listing.key, [])
        ]
        nights = self._nights(calendar, call)
        return as_json(
            {"listing": calendar.listing.key, "feed": calendar.listing.feed, "links": links, **nights}
        )

    def _nights(self, calendar: Calendar, call: Call) -> Json:
        start, end = call.query.get("from"), call.query.get("to")
        if start and end:
            nights = list(StayDates(day(start, "from"), day(end, "to")).nights())
        else:
            nights = sorted(calendar.touched())
        today = self.world.clock.today()
        found = {night: calendar.night(night, today) for night in nights}
        return {
            "home": calendar.listing.home,
            "nights": {
                night.isoformat(): {"state": str(entry.state), "by": list(entry.by)}
                for night, entry in found.items()
                if (start and end) or entry.state is not NightState.OPEN
            },
        }
