"""What tests do to the sandbox over HTTP, in few words."""

from __future__ import annotations

from datetime import date, timedelta
from xml.etree.ElementTree import Element, fromstring

import httpx
from icalendar import Calendar, Event

from local.sandbox.config import Client
from local.sandbox.server import Sandbox

AIRBNB = "9876543"
BOOKING = "123456701"
GREENGO = "greengo-1"
AIRBNB_HEADERS = {"X-Airbnb-API-Key": "sandbox-airbnb-key", "X-Airbnb-OAuth-Token": "sandbox-airbnb-token"}

Json = dict[str, object]


class Player:
    """A partner, a guest and a host in one."""

    def __init__(self, sandbox: Sandbox, client: httpx.AsyncClient) -> None:
        self.sandbox = sandbox
        self.http = client
        self._token = ""

    # guests and hosts

    async def ask(self, path: str, expected: int = 200, /, **body: object) -> Json:
        answer = await self.http.post(f"/sandbox/{path}", json=body)
        assert answer.status_code == expected, answer.text
        data: Json = answer.json()
        return data

    async def book(self, platform: str, listing: str, check_in: str, nights: int, **more: object) -> str:
        stay = await self.ask(
            f"{platform}/book", 201, listing=listing, check_in=check_in, nights=nights, **more
        )
        return str(stay["id"])

    async def refused(self, platform: str, listing: str, check_in: str, nights: int) -> list[str]:
        """Nights that made the platform send the guest away."""
        answer = await self.ask(f"{platform}/book", 409, listing=listing, check_in=check_in, nights=nights)
        nights_refused = answer["nights"]
        assert isinstance(nights_refused, list)
        return nights_refused

    async def fault(self, **fields: object) -> None:
        await self.ask("faults", 201, **fields)

    async def states(self, key: str) -> dict[str, str]:
        """Nights of a listing that are not open, by what they are."""
        truth = (await self.http.get("/sandbox/truth")).json()
        return {night: found["state"] for night, found in truth["listings"][key]["nights"].items()}

    # Airbnb's partner

    async def airbnb(self, method: str, path: str, body: object = None) -> httpx.Response:
        return await self.http.request(method, path, json=body, headers=AIRBNB_HEADERS)

    async def airbnb_write(self, word: str, *dates: str, listing: str = AIRBNB) -> httpx.Response:
        body = {"listing_id": int(listing), "operations": [{"dates": list(dates), "availability": word}]}
        return await self.airbnb("POST", "/v2/calendar_operations_requests/", body)

    # Booking.com's partner

    async def token(self, client: Client | None = None) -> str:
        account = client or self.sandbox.world.config.booking.clients[0]
        body = {"client_id": account.client_id, "client_secret": account.client_secret}
        answer = await self.http.post("/token-based-authentication/exchange", json=body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["jwt"])

    async def booking(self, method: str, path: str, body: str = "") -> httpx.Response:
        self._token = self._token or await self.token()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/xml"}
        return await self.http.request(method, path, content=body.encode(), headers=headers)

    async def poll(self, queue: str) -> Element:
        answer = await self.booking("GET", f"/hotels/ota/{queue}")
        assert answer.status_code == 200
        return bare(answer.text)

    async def waiting(self, queue: str) -> list[str]:
        return [node.get("ResID_Value", "") for node in (await self.poll(queue)).iter("HotelReservationID")]

    async def ack(self, queue: str, *ids: str, inside: str = "<Success/>") -> httpx.Response:
        items = "".join(f'<HotelReservationID ResID_Value="{item}"/>' for item in ids)
        box = f"<ResGlobalInfo><HotelReservationIDs>{items}</HotelReservationIDs></ResGlobalInfo>"
        body = f'<{queue}RS xmlns="http://www.opentravel.org/OTA/2003/05">{inside}{box}</{queue}RS>'
        return await self.booking("POST", f"/hotels/ota/{queue}", body)

    async def limit(self, *messages: tuple[str, str, str, int]) -> Element:
        """Write availability: (room, start, end inclusive, rooms) each."""
        inside = "".join(
            f'<AvailStatusMessage BookingLimit="{rooms}" LocatorID="{number}">'
            f'<StatusApplicationControl Start="{start}" End="{end}" InvTypeCode="{room}"/></AvailStatusMessage>'
            for number, (room, start, end, rooms) in enumerate(messages, 1)
        )
        body = (
            '<OTA_HotelAvailNotifRQ xmlns="http://www.opentravel.org/OTA/2003/05">'
            f"<AvailStatusMessages>{inside}</AvailStatusMessages></OTA_HotelAvailNotifRQ>"
        )
        answer = await self.booking("POST", "/hotels/ota/OTA_HotelAvailNotif", body)
        assert answer.status_code == 200
        return bare(answer.text)

    # calendars

    async def feed(self, key: str, **headers: str) -> httpx.Response:
        return await self.http.get(self.sandbox.feed(key), headers=headers)

    async def events(self, key: str) -> list[tuple[str, str, str]]:
        """(summary, first night, day of departure) of a listing's export, by date."""
        answer = await self.feed(key)
        assert answer.status_code == 200
        return read(answer.content)

    async def uids(self, key: str) -> dict[str, str]:
        """UID by first night."""
        found = Calendar.from_ical((await self.feed(key)).content).walk("VEVENT")
        return {day_of(event.start): str(event["UID"]) for event in found if isinstance(event, Event)}


def read(body: bytes) -> list[tuple[str, str, str]]:
    events = [event for event in Calendar.from_ical(body).walk("VEVENT") if isinstance(event, Event)]
    return sorted(
        ((str(event["SUMMARY"]), day_of(event.start), day_of(event.end)) for event in events),
        key=lambda item: item[1:],
    )


def day_of(value: date) -> str:
    return value.isoformat()[:10]


def bare(text: str) -> Element:
    """An XML reply without its namespaces."""
    root = fromstring(text)
    for node in root.iter():
        node.tag = node.tag.rpartition("}")[2]
    return root


def nights(start: str, count: int) -> list[str]:
    first = date.fromisoformat(start)
    return [(first + timedelta(days=offset)).isoformat() for offset in range(count)]
