"""The calendar links over HTTP: each platform's path, its manners, and replayed files."""

from __future__ import annotations

import hashlib

from local.sandbox.asgi import Answer, Call, Handler, Router
from local.sandbox.calendar import Calendar
from local.sandbox.config import Platform
from local.sandbox.faults import FaultKind
from local.sandbox.feeds import Source, export
from local.sandbox.world import World

_LIBRARIES = ("python", "aiohttp", "node", "axios", "go-http-client", "java", "okhttp", "ruby")
"""Beginnings of the User-Agents libraries send by themselves; Airbnb answers those 403 (VERIFIED in an issue)."""


class FeedRoutes:
    """Finds the listing a link names and serves its export."""

    def __init__(self, world: World) -> None:
        self.world = world

    def routes(self, router: Router) -> None:
        """Add one route per shape of link, and the replays."""
        for path, platform in (
            ("/calendar/ical/{id}.ics", Platform.AIRBNB),
            ("/v1/export/t/{token}.ics", Platform.BOOKING),
            ("/v1/export", Platform.BOOKING),
            ("/calendar/greengo-icalendar/{token}.ics", Platform.GREENGO),
            ("/calendar/greengo-icalendar/{token}", Platform.GREENGO),
            ("/iCal_{token}.ics", Platform.GITES),
        ):
            router.add("GET", path, platform, "feed", self._serving(platform))
        # Vrbo and Abritel share one shape of link.
        router.add(
            "GET", "/icalendar/{token}.ics", "vrbo", "feed", self._serving(Platform.VRBO, Platform.ABRITEL)
        )
        router.add("GET", "/replay/{name}.ics", "replay", "feed", self.replay)

    async def replay(self, call: Call) -> Answer:
        """Bytes that were handed in, byte for byte."""
        replay = self.world.replays.get(call.path_args["name"])
        if replay is None:
            return _nothing()
        call.note = call.path_args["name"]
        return Answer(replay.status, replay.body, replay.kind)

    def _serving(self, *platforms: Platform) -> Handler:
        async def serve(call: Call) -> Answer:
            calendar = self._find(call, platforms)
            if calendar is None:
                return _nothing()
            listing = calendar.listing
            call.note = listing.id
            if listing.platform is Platform.AIRBNB and self._unwelcome(call):
                return Answer(403, b"<html><body>Forbidden</body></html>", "text/html; charset=utf-8")
            salt = str(next(self.world.serial)) if FaultKind.CHURN in call.flags else ""
            return _sent(call, export(Source(self.world.truth, calendar, salt)), listing.validators)

        return serve

    def _find(self, call: Call, platforms: tuple[Platform, ...]) -> Calendar | None:
        secret = call.query.get("s") or call.query.get("t") or call.path_args.get("token", "")
        for calendar in self.world.truth.calendars.values():
            listing = calendar.listing
            right_id = call.path_args.get("id", listing.id) == listing.id
            if (
                listing.platform in platforms
                and right_id
                and secret.replace("-", "") == listing.token.replace("-", "")
            ):
                return calendar
        return None

    def _unwelcome(self, call: Call) -> bool:
        agent = call.headers.get("user-agent", "").lower()
        return self.world.config.airbnb.refuses_library_agents and (not agent or agent.startswith(_LIBRARIES))


def _sent(call: Call, body: bytes, validators: bool) -> Answer:
    """The calendar, with an ETag and 304 only where the listing is set so: of the real feeds nothing is known."""
    if not validators:
        return Answer(200, body, "text/calendar; charset=utf-8")
    stable = b"".join(line for line in body.splitlines(True) if not line.startswith(b"DTSTAMP"))
    etag = f'"{hashlib.sha256(stable).hexdigest()[:24]}"'
    if call.headers.get("if-none-match") == etag:
        return Answer(304, b"", "text/calendar; charset=utf-8", {"ETag": etag})
    return Answer(200, body, "text/calendar; charset=utf-8", {"ETag": etag})


def _nothing() -> Answer:
    return Answer(404, b"<html><body>Not found</body></html>", "text/html; charset=utf-8")
