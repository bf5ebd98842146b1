"""Connecting a calendar: what a look into a link says, and what becomes of it when a person confirms."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest

from shared.domain.access import ALL_OWNERS, Person, Role
from shared.domain.dates import StayDates
from shared.domain.errors import AddressRefused, PayloadRejected, PlatformDown
from shared.domain.model import Busy
from shared.domain.platform import AIRBNB, BOOKING, Platform
from shared.domain.portfolio import Home
from shared.engine.connect import Connected, NewLink, NotConnected, fit_name, slug
from shared.engine.look import LONGEST, Looked, Refusal
from shared.engine.look_text import Why, odd
from shared.ports.http import Response
from shared.state.people import PeopleStore
from tests.engine.hamlet import Hamlet, calendar
from tests.engine.village import START
from tests.web.support import Browser

LOCAL = Person("local", {ALL_OWNERS: Role.OPERATOR})
CLAIRE = Person("claire", {"claire": Role.OPERATOR})
LOOKER = Person("compta", {"claire": Role.VIEWER})
MARC = Person("marc", {"marc": Role.OPERATOR})

AIRBNB_LINK = "https://www.airbnb.fr/calendar/ical/123.ics?s=secret-of-airbnb"
BOOKING_LINK = "https://ical.booking.com/v1/export?t=secret-of-booking"
OTHER_LINK = "https://calendars.example/any.ics?secret-of-any"


def nights(ahead: int, length: int) -> StayDates:
    """A stay that begins so many days after the hamlet's first day."""
    return StayDates.of_nights(START.date() + timedelta(days=ahead), length)


@pytest.fixture
def hamlet() -> Iterator[Hamlet]:
    """Nothing is there yet: no owner, no home, no account of a calendar."""
    found = Hamlet([])
    yield found
    found.close()


def look(hamlet: Hamlet, pasted: str, platform: str = "") -> Looked | Refusal:
    return hamlet.run(hamlet.engine.link_desk.look(pasted, platform))


def connect(hamlet: Hamlet, person: Person, **wanted: str) -> Connected | NotConnected | Refusal:
    return hamlet.run(hamlet.engine.connect.connect(person, NewLink(**wanted)))


def done(found: Connected | NotConnected | Refusal) -> Connected:
    assert isinstance(found, Connected)
    return found


def test_a_look_says_what_is_in_a_calendar_and_stores_nothing(hamlet: Hamlet) -> None:
    body = calendar(("a", nights(10, 3)), ("b", nights(-20, 3)), summary="Reserved")
    hamlet.web.answers[AIRBNB_LINK] = body.replace(
        b"END:VCALENDAR", _event("c", nights(2, 1)) + b"END:VCALENDAR"
    )
    before = hamlet.memory._partitions
    stored = {key: dict(rows) for key, rows in before.items()}
    found = look(hamlet, AIRBNB_LINK)
    assert isinstance(found, Looked)
    assert (found.platform, found.recognised, found.host) == (AIRBNB, True, "www.airbnb.fr/…")
    assert [(one.kind, one.dates) for one in found.ahead] == [
        (Busy.BLOCK, nights(2, 1)),
        (Busy.STAY, nights(10, 3)),
    ]
    assert found.past == 1
    assert "secret" not in repr(found)
    assert {key: dict(rows) for key, rows in hamlet.memory._partitions.items()} == stored


def _event(uid: str, dates: StayDates) -> bytes:
    return (
        f"BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTART;VALUE=DATE:{dates.check_in:%Y%m%d}\r\n"
        f"DTEND;VALUE=DATE:{dates.check_out:%Y%m%d}\r\nSUMMARY:Airbnb (Not available)\r\nEND:VEVENT\r\n"
    ).encode()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Response(200, {}, b"<!doctype html><title>Log in</title>"), Why.NOT_A_CALENDAR),
        (Response(200, {}, b""), Why.NOT_A_CALENDAR),
        (Response(200, {}, b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"), Why.TORN),
        (Response(404, {}, b""), Why.NOT_FOUND),
        (Response(410, {}, b""), Why.NOT_FOUND),
        (Response(401, {}, b""), Why.FORBIDDEN),
        (Response(403, {}, b""), Why.FORBIDDEN),
        (Response(429, {}, b""), Why.BUSY),
        (Response(500, {}, b""), Why.DOWN),
        (Response(302, {}, b""), Why.UNREADABLE),
        (PlatformDown("calendars.example: no complete answer within 10 s"), Why.DOWN),
        (PayloadRejected("calendars.example sent more bytes than are allowed"), Why.TOO_LARGE),
        (AddressRefused("10.0.0.1 is not a public address"), Why.NOT_ALLOWED),
        (AddressRefused("the address must begin with https:// or http://"), Why.NOT_AN_ADDRESS),
    ],
)
def test_what_is_wrong_with_a_link_is_one_word_and_a_sentence_without_the_link(
    hamlet: Hamlet, answer: Response | PlatformDown, why: Why
) -> None:
    hamlet.web.answers[OTHER_LINK] = answer
    found = look(hamlet, OTHER_LINK)
    assert isinstance(found, Refusal)
    assert found.why is why
    assert found.said.keys() == {"fr", "en"}
    assert "secret" not in repr(found)
    assert "{" not in repr(found.said.values())


def test_a_calendar_of_thousands_is_refused_before_it_costs_anything(hamlet: Hamlet) -> None:
    hamlet.web.answers[OTHER_LINK] = calendar(*((f"u{n}", nights(n, 1)) for n in range(2_001)))
    found = look(hamlet, OTHER_LINK)
    assert isinstance(found, Refusal)
    assert found.why is Why.TOO_LARGE


def test_a_host_that_never_ends_its_answer_does_not_hold_the_page(hamlet: Hamlet) -> None:
    async def never(*_: object) -> Response:
        await asyncio.Event().wait()
        raise AssertionError

    hamlet.web.send = never  # type: ignore[method-assign]

    async def soon() -> Looked | Refusal:
        return await asyncio.wait_for(hamlet.engine.link_desk.look(OTHER_LINK), 2 * LONGEST)

    found = hamlet.run(soon())
    assert isinstance(found, Refusal)
    assert found.why is Why.DOWN


@pytest.mark.parametrize("pasted", ["", "   ", "\n\t"])
def test_nothing_pasted_is_asked_for_again(hamlet: Hamlet, pasted: str) -> None:
    found = look(hamlet, pasted)
    assert isinstance(found, Refusal)
    assert found.why is Why.EMPTY


@pytest.mark.parametrize("around", ["  {} ", "<{}>", '"{}"', "{}\n"])
def test_what_stands_round_a_pasted_link_is_taken_off(hamlet: Hamlet, around: str) -> None:
    hamlet.web.answers[BOOKING_LINK] = calendar()
    found = look(hamlet, around.format(BOOKING_LINK))
    assert isinstance(found, Looked)
    assert found.link == BOOKING_LINK


def test_a_calendar_programs_word_for_https_is_understood(hamlet: Hamlet) -> None:
    hamlet.web.answers[OTHER_LINK] = calendar()
    assert isinstance(look(hamlet, OTHER_LINK.replace("https", "webcal")), Looked)


def test_our_own_calendar_is_not_taken_in_again(hamlet: Hamlet) -> None:
    hamlet.web.answers[AIRBNB_LINK] = calendar()
    made = done(connect(hamlet, LOCAL, link=AIRBNB_LINK, name="Moulin"))
    view = hamlet.run(hamlet.engine.link_views.one(LOCAL, made.link_id))
    assert view is not None
    found = look(hamlet, f"https://sync.example/export/{view.token}.ics")
    assert isinstance(found, Refusal)
    assert found.why is Why.OURS


@pytest.mark.parametrize(
    "spelled",
    [
        "/export/%{first:02X}{rest}.ics",
        "/export/%25{first:02X}{rest}.ics",
        "/EXPORT/{token}.ICS",
        "//export/{token}.ics",
        "/export//{token}.ics/",
        "/x/../export/./{token}.ics",
        "/export/{token}%2Eics",
        "/export%2F{token}.ics?x=1#y",
        "/behind/a/proxy/export/{token}.ics",
    ],
)
def test_our_own_calendar_is_known_however_its_address_is_spelled(hamlet: Hamlet, spelled: str) -> None:
    hamlet.web.answers[AIRBNB_LINK] = calendar()
    made = done(connect(hamlet, LOCAL, link=AIRBNB_LINK, name="Moulin"))
    view = hamlet.run(hamlet.engine.link_views.one(LOCAL, made.link_id))
    assert view is not None
    path = spelled.format(token=view.token, first=ord(view.token[0]), rest=view.token[1:])
    address = f"https://sync.example{path}"
    hamlet.web.answers[address] = calendar()
    found = look(hamlet, address)
    assert isinstance(found, Refusal)
    assert found.why is Why.OURS


def test_the_first_person_is_listed_by_the_name_the_sign_in_knows_them_by(hamlet: Hamlet) -> None:
    hamlet.web.answers[AIRBNB_LINK] = calendar()
    person = Person("Claire", {ALL_OWNERS: Role.OPERATOR}, principal="oid-of-claire")
    done(connect(hamlet, person, link=AIRBNB_LINK, name="Moulin"))
    people = PeopleStore(hamlet.tables)
    found = hamlet.run(people.find("oid-of-claire", hamlet.clock.now(), timedelta()))
    assert found is not None
    assert found.decides("me")
    assert hamlet.run(people.find("Claire", hamlet.clock.now(), timedelta())) is None


def test_a_link_whose_address_says_nothing_is_whose_the_person_says_it_is(hamlet: Hamlet) -> None:
    hamlet.web.answers[OTHER_LINK] = calendar(("a", nights(3, 2)), summary="Reserved")
    plain, airbnb = look(hamlet, OTHER_LINK), look(hamlet, OTHER_LINK, "airbnb")
    assert isinstance(plain, Looked)
    assert isinstance(airbnb, Looked)
    assert (plain.platform, plain.recognised, plain.ahead[0].kind) == (Platform("ical"), False, Busy.CLOSED)
    assert (airbnb.platform, airbnb.recognised, airbnb.ahead[0].kind) == (AIRBNB, False, Busy.STAY)


def test_a_link_that_says_whose_it_is_is_not_taken_for_anothers(hamlet: Hamlet) -> None:
    found = look(hamlet, BOOKING_LINK, "airbnb")
    assert isinstance(found, Refusal)
    assert found.why is Why.OTHER_PLATFORM


# ------------------------------------------------------------------------------------- connecting


def test_the_first_calendar_of_all_makes_owner_home_and_listing(hamlet: Hamlet) -> None:
    hamlet.web.answers[AIRBNB_LINK] = calendar(("a", nights(10, 3)), summary="Reserved")
    made = done(connect(hamlet, LOCAL, link=AIRBNB_LINK, name="Le Moulin de Vézelay"))
    assert (made.home, made.listing, made.anew) == (
        "le-moulin-de-vezelay",
        "le-moulin-de-vezelay-airbnb",
        True,
    )
    hamlet.run(hamlet.drain())
    state = hamlet.run(hamlet.engine.world.sites.load(made.home))
    assert state.site.properties[made.home].name == "Le Moulin de Vézelay"
    assert [part.dates for fact in state.reservations.values() for part in fact.parts] == [nights(10, 3)]
    assert state.listings[made.listing].complete, "it was read at once, without waiting for the next tick"
    view = hamlet.run(hamlet.engine.link_views.one(LOCAL, made.link_id))
    assert view is not None
    assert view.servable
    assert hamlet.run(hamlet.engine.export_calendar(view.token, {"user-agent": "Airbnb/1"})).status == 200


def test_a_second_calendar_joins_the_home_that_is_named(hamlet: Hamlet) -> None:
    hamlet.web.answers |= {AIRBNB_LINK: calendar(), BOOKING_LINK: calendar(("b", nights(4, 2)))}
    first = done(connect(hamlet, LOCAL, link=AIRBNB_LINK, name="Moulin"))
    second = done(connect(hamlet, LOCAL, link=BOOKING_LINK, home=first.home))
    hamlet.run(hamlet.drain())
    state = hamlet.run(hamlet.engine.world.sites.load(first.home))
    assert set(state.listings) == {first.listing, second.listing}
    assert {row.listing for row in state.blocks.values()} == {first.listing}
    (choice,) = hamlet.run(hamlet.engine.connect.homes(LOCAL))
    assert (choice.name, choice.platforms) == ("Moulin", (AIRBNB, BOOKING))


def test_the_same_link_twice_is_the_same_listing(hamlet: Hamlet) -> None:
    hamlet.web.answers[AIRBNB_LINK] = calendar()
    first = done(connect(hamlet, LOCAL, link=AIRBNB_LINK, name="Moulin"))
    again = done(connect(hamlet, LOCAL, link=f" {AIRBNB_LINK}", name="Moulin"))
    assert (again.link_id, again.anew) == (first.link_id, False)
    assert len(hamlet.run(hamlet.engine.link_views.listed(LOCAL))) == 1


def test_a_button_pressed_ten_times_at_once_makes_one_home(hamlet: Hamlet) -> None:
    hamlet.web.answers[AIRBNB_LINK] = calendar()
    object.__setattr__(hamlet.engine.world, "sleep", asyncio.sleep)  # whoever waits lets the others go on

    async def press() -> list[Connected | NotConnected | Refusal]:
        wanted = NewLink(AIRBNB_LINK, name="Moulin")
        return await asyncio.gather(*(hamlet.engine.connect.connect(LOCAL, wanted) for _ in range(10)))

    names = {done(one).link_id for one in hamlet.run(press())}
    assert len(names) == 1
    assert len(hamlet.run(hamlet.engine.connect.homes(LOCAL))) == 1


def test_two_homes_of_one_name_are_two_homes(hamlet: Hamlet) -> None:
    hamlet.web.answers |= {AIRBNB_LINK: calendar(), BOOKING_LINK: calendar()}
    first = done(connect(hamlet, LOCAL, link=AIRBNB_LINK, name="Moulin"))
    second = done(connect(hamlet, LOCAL, link=BOOKING_LINK, name="Moulin"))
    assert (first.home, second.home) == ("moulin", "moulin-2")


def test_nobody_adds_to_a_home_he_does_not_decide_about() -> None:
    hamlet = Hamlet([Home("moulin", "Le Moulin", "claire")])
    hamlet.web.answers[AIRBNB_LINK] = calendar()
    for person in (MARC, LOOKER):
        refused = connect(hamlet, person, link=AIRBNB_LINK, home="moulin")
        assert isinstance(refused, NotConnected)
        assert refused.field == "home"
        assert hamlet.run(hamlet.engine.connect.homes(person)) == []
    assert isinstance(connect(hamlet, CLAIRE, link=AIRBNB_LINK, home="moulin"), Connected)
    hamlet.close()


def test_nobody_makes_a_home_for_an_owner_he_does_not_decide_for(hamlet: Hamlet) -> None:
    hamlet.web.answers[AIRBNB_LINK] = calendar()
    for person, owner in ((MARC, "claire"), (LOOKER, "claire"), (LOOKER, ""), (MARC, "nobody")):
        refused = connect(hamlet, person, link=AIRBNB_LINK, name="Mine", owner=owner)
        assert isinstance(refused, NotConnected)
        assert refused.field == "owner"
    assert done(connect(hamlet, MARC, link=AIRBNB_LINK, name="Mine")).home == "mine"


def test_a_link_of_somebody_elses_home_tells_nothing_of_it(hamlet: Hamlet) -> None:
    hamlet.web.answers[AIRBNB_LINK] = calendar()
    first = done(connect(hamlet, CLAIRE, link=AIRBNB_LINK, name="Claire's"))
    second = done(connect(hamlet, MARC, link=AIRBNB_LINK, name="Marc's"))
    assert second.anew
    assert first.link_id != second.link_id


def test_somebody_who_only_looks_is_told_that_the_calendar_is_connected(hamlet: Hamlet) -> None:
    hamlet.web.answers[AIRBNB_LINK] = calendar()
    done(connect(hamlet, CLAIRE, link=AIRBNB_LINK, name="Moulin"))
    both = Person("julie", {"claire": Role.VIEWER, "marc": Role.OPERATOR})
    found = connect(hamlet, both, link=AIRBNB_LINK, name="Mine", owner="marc")
    assert isinstance(found, NotConnected)
    assert found.why == Why.KNOWN


@pytest.mark.parametrize(
    "wanted", [{"name": " \n"}, {"name": "x", "zone": "Nowhere/Else"}, {"home": "nowhere"}]
)
def test_what_is_missing_is_named_by_its_field(hamlet: Hamlet, wanted: dict[str, str]) -> None:
    hamlet.web.answers[AIRBNB_LINK] = calendar()
    found = connect(hamlet, LOCAL, link=AIRBNB_LINK, **wanted)
    assert isinstance(found, NotConnected)
    assert found.field in wanted
    assert hamlet.run(hamlet.engine.connect.homes(LOCAL)) == []


@pytest.mark.parametrize("zone", ["Nowhere/Else", "../etc/passwd", "é", "Europe/Paris\n"])
def test_a_zone_nobody_knows_is_named_before_a_calendar_is_read_in_it(hamlet: Hamlet, zone: str) -> None:
    """An event in UTC needs the home's zone; days do not."""
    event = "UID:1\r\nDTSTAMP:20270101T000000Z\r\nDTSTART:20270710T220000Z\r\nDTEND:20270712T220000Z\r\n"
    text = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\n{event}END:VEVENT\r\nEND:VCALENDAR\r\n"
    hamlet.web.answers[AIRBNB_LINK] = text.encode()
    found = connect(hamlet, LOCAL, link=AIRBNB_LINK, name="Moulin", zone=zone)
    assert isinstance(found, NotConnected)
    assert found.field == "zone"
    done(connect(hamlet, LOCAL, link=AIRBNB_LINK, name="Moulin", zone="America/Martinique"))


def test_a_calendar_beside_an_account_by_api_leaves_its_keys_alone() -> None:
    from shared.domain.model import Account

    hamlet = Hamlet([Home("moulin", "Le Moulin", "claire")])
    keyed = Account("airbnb-claire", AIRBNB, "claire", {"api_key": "AIRBNB_KEY"})
    hamlet.run(hamlet.engine.world.accounts.put(keyed))
    hamlet.web.answers[AIRBNB_LINK] = calendar()
    done(connect(hamlet, CLAIRE, link=AIRBNB_LINK, home="moulin"))
    stored = hamlet.run(hamlet.engine.world.accounts.load("airbnb-claire"))
    assert stored is not None
    assert stored.account.secrets == {"api_key": "AIRBNB_KEY"}
    hamlet.close()


def test_a_link_stands_in_no_log_and_no_notice(hamlet: Hamlet, caplog: pytest.LogCaptureFixture) -> None:
    hamlet.web.answers[AIRBNB_LINK] = calendar()
    connect(hamlet, LOCAL, link=AIRBNB_LINK, name="Moulin")
    rung = hamlet.run(hamlet.bus.receive("work", 100, 0))
    assert rung
    hamlet.web.answers[AIRBNB_LINK] = Response(404, {}, b"")
    hamlet.run(hamlet.engine.calendars.shard("0000", force=True))
    assert hamlet.notify.notices, "the owner is told of the dead link"
    assert "secret-of-airbnb" not in caplog.text
    assert "secret-of-airbnb" not in f"{hamlet.notify}{hamlet.telemetry}{rung}"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Le Moulin", "le-moulin"),
        ("L’Été à Vézelay !", "lete-a-vezelay"),
        ("水車小屋", "home"),
        ("--", "home"),
    ],
)
def test_a_homes_id_is_plain(name: str, expected: str) -> None:
    assert slug(name) == expected


def test_a_homes_name_is_one_line_of_what_can_be_seen() -> None:
    assert fit_name("  Le\tMoulin\n\x00 vert ") == "Le Moulin vert"
    assert len(fit_name("x" * 1_000)) == 100


@pytest.mark.parametrize(
    ("text", "french"),
    [
        ("event 3 (line 27): it has no DTSTART", "événement 3 (ligne 27) : il n’a pas de début"),
        ("line 5: neither a property nor a component", "ligne 5 : une ligne qui n’est rien de connu"),
        ("and 4 more", "et 4 autres"),
        ("something new", "something new"),
    ],
)
def test_oddities_are_told_in_french_where_the_words_are_known(text: str, french: str) -> None:
    assert odd(text, "fr") == french
    assert odd(text, "en") == text


def test_whose_doing_a_new_home_is_stands_in_the_record(hamlet: Hamlet) -> None:
    hamlet.web.answers |= {AIRBNB_LINK: calendar(), BOOKING_LINK: calendar()}
    done(connect(hamlet, LOCAL, link=AIRBNB_LINK, name="Moulin"))
    done(connect(hamlet, CLAIRE, link=BOOKING_LINK, name="Grange", owner="claire"))
    for home, person in (("moulin", "local"), ("grange", "claire")):
        lines = Browser(hamlet.engine, hamlet.run, LOCAL).call("GET", f"/api/history?home={home}")
        told = lines.body.decode()
        assert "home added" in told
        assert "listing added" in told
        assert f"person {person}" in told
