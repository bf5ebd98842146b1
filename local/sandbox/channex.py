"""Channex's API: revision feed and acknowledgement, bookings, availability, webhooks.

Paths, bodies, statuses and limits: docs.channex.io (VERIFIED) unless a comment says otherwise. On a booking it takes
the nights off by itself; on a cancellation it puts them back only where the listing ``restocks`` (its switches).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, timedelta

from local.sandbox.asgi import Answer, Call, Handler, Json, Router, as_json
from local.sandbox.calendar import Calendar
from local.sandbox.channex_bodies import error, page, resource, webhook_resource
from local.sandbox.channex_feed import Webhook
from local.sandbox.config import Platform
from local.sandbox.errors import BadAsk, Unknown
from local.sandbox.faults import FaultKind
from local.sandbox.stays import NightState
from local.sandbox.world import World

MOST_BYTES = 10 * 1024 * 1024
MINUTE = 60.0

Checked = Callable[[Call, str], Awaitable[Answer]]
"""A handler that is told the account of the checked key."""


class ChannexApi:
    """The handlers."""

    def __init__(self, world: World) -> None:
        self.world = world

    def routes(self, router: Router) -> None:
        """Add the API's routes."""
        table: tuple[tuple[str, str, str, Checked], ...] = (
            ("GET", "booking_revisions/feed", "feed", self.feed),
            ("POST", "booking_revisions/{id}/ack", "ack", self.acknowledge),
            ("GET", "bookings", "bookings", self.bookings),
            ("GET", "bookings/{id}", "booking", self.booking),
            ("GET", "availability", "availability_read", self.read),
            ("POST", "availability", "availability", self.write),
            ("GET", "webhooks", "webhooks", self.webhooks),
            ("POST", "webhooks", "register", self.register),
            ("PUT", "webhooks/{id}", "register", self.register),
            ("GET", "properties/{id}", "property", self.house),
        )
        for method, path, call, handler in table:
            router.add(method, f"/api/v1/{path}", "channex", call, self._checked(handler))

    # ------------------------------------------------------------------------------------------ bookings

    async def feed(self, call: Call, account: str) -> Answer:
        """Revisions nobody acknowledged, of the key's properties."""
        mine = self._houses(account)
        found = [one for one in self.world.revisions.waiting() if one.property_id in mine]
        if call.query.get("order[inserted_at]") != "asc":
            found.reverse()
        return page(call, [resource(one, "booking_revision") for one in found])

    async def acknowledge(self, call: Call, account: str) -> Answer:
        """One revision leaves the feed."""
        one = self.world.revisions.revisions.get(call.path_args["id"])
        if one is None or one.property_id not in self._houses(account):
            return _not_found()
        self.world.revisions.acknowledge(one.id)
        call.note = one.stay.id
        return as_json({"meta": {"message": "Success"}})

    async def bookings(self, call: Call, account: str) -> Answer:
        """Bookings as their newest revision left them."""
        mine = self._houses(account)
        leaving = call.query.get("filter[departure_date][gte]", "")
        newest = {one.stay.id: one for one in self.world.revisions.revisions.values()}
        found = [
            resource(one, "booking")
            for one in newest.values()
            if one.property_id in mine
            and call.query.get("filter[property_id]", one.property_id) == one.property_id
            and max(part.dates.check_out for part in one.stay.parts).isoformat() >= leaving
        ]
        return page(call, found)

    async def booking(self, call: Call, account: str) -> Answer:
        """One booking."""
        try:
            one = self.world.revisions.latest(call.path_args["id"])
        except Unknown:
            return _not_found()
        if one.property_id not in self._houses(account):
            return _not_found()
        return as_json({"data": resource(one, "booking")})

    # ---------------------------------------------------------------------------------------- calendar

    async def read(self, call: Call, account: str) -> Answer:
        """What is left to sell, by room type and night, both ends included."""
        house = call.query.get("filter[property_id]", "")
        first, last = (_day(call.query.get(f"filter[date][{end}]", "")) for end in ("gte", "lte"))
        if first is None or last is None or last < first:
            return error(400, "bad_request", "Bad Request", date=["is required"])
        nights = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
        return as_json(
            {
                "data": {
                    one.listing.id: {night.isoformat(): self._left(one, night) for night in nights}
                    for one in self._rooms(account)
                    if one.listing.property_id == house
                }
            }
        )

    async def write(self, call: Call, account: str) -> Answer:
        """Set what is left to sell. A value that is wrong becomes a warning; the others are taken all the same."""
        if len(call.body) > MOST_BYTES:
            return error(413, "request_entity_too_large", "Request Entity Too Large")
        values = call.json().get("values")
        if not isinstance(values, list) or not all(isinstance(item, dict) for item in values):
            return error(400, "bad_request", "Bad Request", values=["is required"])
        houses = {str(item.get("property_id")) for item in values}
        refused = [house for house in houses if not self._may_write(house)]  # each counts its own call
        if refused:
            return error(429, "http_too_many_requests", "Too Many Requests")
        call.note = ",".join(sorted(houses))
        rooms = {(one.listing.property_id, one.listing.id): one for one in self._rooms(account)}
        warnings = [item | {"warning": wrong} for item in values if (wrong := self._set(item, rooms, call))]
        tasks = [] if len(warnings) == len(values) else [{"id": self._task(), "type": "task"}]
        meta: Json = {"message": "Success"}
        return as_json({"data": tasks, "meta": meta | ({"warnings": warnings} if warnings else {})})

    def _set(self, item: Json, rooms: Mapping[tuple[str, str], Calendar], call: Call) -> Json | None:
        """One value taken, or the fields that are wrong in it."""
        if FaultKind.REFUSE in call.flags:
            return {"availability": ["refused by the sandbox"]}
        room = rooms.get((str(item.get("property_id")), str(item.get("room_type_id"))))
        first = _day(item.get("date", item.get("date_from")))
        last = _day(item.get("date", item.get("date_to")))
        level = item.get("availability")
        if room is None:
            return {"room_type_id": ["is invalid"]}
        if first is None or last is None or last < first:
            return {"date": ["is invalid"]}
        if isinstance(level, bool) or not isinstance(level, int) or level < 0:
            return {"availability": ["must be greater than or equal to 0"]}
        for offset in range((last - first).days + 1):
            if FaultKind.IGNORE not in call.flags:
                self.world.truth.partner_counts(room.listing.key, first + timedelta(days=offset), level)
        return None

    def _left(self, one: Calendar, night: date) -> int:
        found = one.night(night, self.world.clock.today())
        return 0 if found.state is NightState.HOST else one.left(night)

    def _may_write(self, house: str) -> bool:
        """Whether a property has a call left in this minute; then it is counted."""
        limit, now = self.world.config.channex.writes_per_minute, self.world.clock.now().timestamp()
        recent = [at for at in self.world.property_writes.get(house, []) if at > now - MINUTE]
        free = not limit or len(recent) < limit
        self.world.property_writes[house] = [*recent, now] if free else recent
        return free

    # ---------------------------------------------------------------------------------------- webhooks

    async def webhooks(self, call: Call, account: str) -> Answer:
        """The webhooks of the key's properties."""
        mine = self._houses(account)
        house = call.query.get("filter[property_id]", "")
        found = [
            webhook_resource(one)
            for one in self.world.subscriptions.webhooks.values()
            if one.property_id in mine and house in ("", one.property_id)
        ]
        return page(call, found)

    async def register(self, call: Call, account: str) -> Answer:
        """Register a webhook, or replace one. It is inactive and without data unless it says otherwise."""
        old = call.path_args.get("id", "")
        known = self.world.subscriptions.webhooks.get(old)
        if old and (known is None or known.property_id not in self._houses(account)):
            return error(404, "resource_not_found", "Resource Not Found")
        asked = call.json().get("webhook")
        if not isinstance(asked, dict) or asked.get("property_id") not in self._houses(account):
            return error(422, "validation_error", "Validation Error", property_id=["can't be blank"])
        headers = asked.get("headers") or {}
        if not asked.get("callback_url") or not asked.get("event_mask") or not isinstance(headers, dict):
            return error(422, "validation_error", "Validation Error", callback_url=["can't be blank"])
        added = self.world.subscriptions.add(
            Webhook(
                old,
                str(asked["property_id"]),
                str(asked["callback_url"]),
                str(asked["event_mask"]),
                {str(name): str(value) for name, value in headers.items()},
                asked.get("is_active") is True,
                asked.get("send_data") is True,
            )
        )
        return as_json({"data": webhook_resource(added)}, 200 if old else 201)

    async def house(self, call: Call, account: str) -> Answer:
        """A property with its settings; what a listing's ``restocks`` says stands there as a switch."""
        rooms = [one for one in self._rooms(account) if one.listing.property_id == call.path_args["id"]]
        if not rooms:
            return _not_found()
        settings = {
            "allow_availability_autoupdate_on_confirmation": True,
            "allow_availability_autoupdate_on_modification": True,
            "allow_availability_autoupdate_on_cancellation": all(one.listing.restocks for one in rooms),
        }
        house = rooms[0].listing.property_id
        return as_json(
            {"data": {"type": "property", "id": house, "attributes": {"id": house, "settings": settings}}}
        )

    # ------------------------------------------------------------------------------------------ inside

    def _rooms(self, account: str) -> list[Calendar]:
        return [
            one
            for one in self.world.truth.calendars.values()
            if one.listing.platform is Platform.CHANNEX and one.listing.account == account
        ]

    def _houses(self, account: str) -> set[str]:
        return {one.listing.property_id for one in self._rooms(account)}

    def _task(self) -> str:
        return f"00000000-0000-4000-8000-{next(self.world.serial):012}"

    def _checked(self, handler: Checked) -> Handler:
        async def checked(call: Call) -> Answer:
            keys = self.world.config.channex.keys
            account = next((a for a, key in keys.items() if key == call.headers.get("user-api-key")), None)
            if account is None:
                return error(401, "unauthorized", "Unauthorized")
            try:
                return await handler(call, account)
            except BadAsk as bad:
                return error(400, "bad_request", "Bad Request", body=[str(bad)])

        return checked


def _not_found() -> Answer:
    return error(404, "not_found", "Resource Not Found")


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None
