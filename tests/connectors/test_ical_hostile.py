"""Calendars that others published to break readers, and names that break screens."""

from __future__ import annotations

import json
import re
from time import process_time

import icalendar
import pytest

from shared.connectors.ical_links import VRBO
from shared.connectors.ical_read import LONGEST_UID
from shared.domain.errors import FeedRefused
from shared.domain.facts import FeedEvent
from tests.connectors.corpus import SHARED, fuzz_cases, published, read

FUZZ = dict(fuzz_cases())
RECURS = re.compile(rb"^(?:RRULE|RDATE)", re.MULTILINE)
NO_CORPUS = "no ../shared: the hostile calendars are not on this machine"


@pytest.mark.parametrize("name", FUZZ or [pytest.param("", marks=pytest.mark.skip(reason=NO_CORPUS))])
def test_a_published_calendar_reads_or_is_refused_by_name(name: str) -> None:
    body = FUZZ[name]
    begin = process_time()
    told, events = outcome(body)
    assert process_time() - begin < 1
    assert all(line.isprintable() and len(line) < 120 for line in told)
    # Never whole, silent and empty, where there is an event. (A series may lie outside the window.)
    assert events or told or b"BEGIN:VEVENT" not in body.upper() or RECURS.search(body)
    assert told or not body.startswith(b"BEGIN:VEVENT")


def outcome(body: bytes) -> tuple[tuple[str, ...], tuple[FeedEvent, ...]]:
    """What is told (a refusal, or oddities) and what is busy."""
    try:
        busy = read(body)
    except FeedRefused as error:
        return (str(error),), ()
    return busy.oddities, busy.events


def test_naughty_strings_come_back_byte_for_byte() -> None:
    strings = json.loads(published("corpus/security/strings/blns.json"))
    assert len(strings) > 500
    calendar = icalendar.Calendar()
    for number, text in enumerate(strings):
        event = icalendar.Event()
        event.add("uid", f"{number}:{text}")
        event.add("summary", f"Reserved - {text}")
        event.add("dtstart", icalendar.vDate.from_ical("20270710"))
        calendar.add_component(event)
    busy = read(calendar.to_ical(), VRBO)
    assert busy.oddities == ()
    assert len(busy.events) == len(strings)
    wanted = [str(event["UID"]) for event in icalendar.Calendar.from_ical(calendar.to_ical()).walk("VEVENT")]
    for event, text, same in zip(busy.events, strings, wanted, strict=True):
        assert event.uid == same if len(same.encode()) <= LONGEST_UID else event.uid.startswith("sha256-")
        assert event.guest == (text.split()[0][:40] if text.split() else "")


def test_lines_from_another_header_are_no_lines() -> None:
    for text in json.loads(published("corpus/security/strings/crlf.json")):
        body = f"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART:20270710\nSUMMARY:{text!r}\nEND:VEVENT\nEND:VCALENDAR\n"
        assert len(read(body).events) == 1


def test_the_corpus_of_hostile_calendars_is_whole() -> None:
    if not (SHARED / "corpus").exists():
        pytest.skip(NO_CORPUS)
    assert len(FUZZ) == 79
