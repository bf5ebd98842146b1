"""Links by their shape, and what may be shown of them. All tokens are invented."""

from __future__ import annotations

import pytest

from shared.connectors.ical_links import GITES, ICAL, VRBO, mask, platform_of
from shared.domain.platform import AIRBNB, BOOKING, GREENGO

HEX = "0123456789abcdef0123456789abcdef"
UUID = "00000000-0000-4000-8000-000000000001"

LINKS = [
    (f"https://www.airbnb.com/calendar/ical/9876543.ics?s={HEX}", AIRBNB),
    (f"https://www.airbnb.fr/calendar/ical/9876543.ics?t={HEX}", AIRBNB),
    (f"https://www.airbnb.co.uk/calendar/ical/9876543.ics?s={HEX}&locale=en-GB", AIRBNB),
    (f"https://fr.airbnb.com/calendar/ical/9876543.ics?s={HEX}", AIRBNB),
    (f"https://ical.booking.com/v1/export?t={UUID}", BOOKING),
    (f"https://ical.booking.com/v1/export/t/{UUID}.ics", BOOKING),
    (f"https://admin.booking.com/hotel/hoteladmin/ical.html?t={HEX}", BOOKING),
    (f"https://calendars.greengo.voyage/calendar/greengo-icalendar/{UUID}", GREENGO),
    (f"https://calendars.greengo.voyage/calendar/greengo-icalendar/{UUID}.ics", GREENGO),
    (f"http://www.abritel.fr/icalendar/{HEX}.ics?nonTentative", VRBO),
    (f"https://www.abritel.fr/icalendar/{HEX}.ics?nonTentative&includeTentative=false", VRBO),
    (f"https://www.homelidays.com/icalendar/{HEX}.ics?nonTentative", VRBO),
    (f"https://www.fewo-direkt.de/icalendar/{HEX}.ics", VRBO),
    (f"https://www.vrbo.com/icalendar/{HEX}.ics", VRBO),
    (f"https://reservation.itea.fr/iCal_{HEX}.ics?aicc={HEX}", GITES),
    (f"  HTTPS://WWW.AIRBNB.FR/calendar/ical/9876543.ics?s={HEX}\n", AIRBNB),
    (f"webcal://www.airbnb.fr/calendar/ical/9876543.ics?s={HEX}", AIRBNB),
    (f"https://calendar.google.com/calendar/ical/{HEX}/basic.ics", ICAL),
    (f"https://www.airbnb.com.example.net/calendar/ical/9876543.ics?s={HEX}", ICAL),
    (f"https://notairbnb.com/calendar/ical/9876543.ics?s={HEX}", ICAL),
    (f"https://example.net/?https://www.airbnb.fr/calendar/ical/9876543.ics?s={HEX}", ICAL),
    (f"https://www.airbnb.fr@example.net/calendar/ical/9876543.ics?s={HEX}", ICAL),
    ("https://www.airbnb.fr/rooms/9876543", ICAL),
    ("https://ical.booking.com/v2/other", ICAL),
    ("www.airbnb.fr/calendar/ical/9876543.ics", ICAL),
    ("https://[broken/calendar", ICAL),
    ("", ICAL),
]


@pytest.mark.parametrize(("url", "platform"), LINKS)
def test_a_link_is_known_by_its_shape(url: str, platform: str) -> None:
    assert platform_of(url) == platform


@pytest.mark.parametrize("url", [url for url, _ in LINKS])
def test_a_masked_link_opens_nothing(url: str) -> None:
    shown = mask(url)
    assert HEX not in shown
    assert UUID not in shown
    assert "9876543" not in shown
    assert shown == "a calendar link" or (shown.endswith("/…") and shown.count("/") == 1)


def test_a_mask_names_the_host_without_its_password() -> None:
    assert mask("https://owner:secret@www.airbnb.fr:443/calendar/ical/1.ics?s=2") == "www.airbnb.fr/…"
    assert mask("https://host\u2028name/x") == "a calendar link"
