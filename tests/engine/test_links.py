"""Addresses of calendars: who sees them, what renews, revokes and replaces them, and that nothing is lost by it."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.access import ALL_OWNERS, Person, Role
from shared.domain.errors import NotAllowed, NotFound, PayloadRejected
from shared.domain.model import Automatic, Property, Site
from shared.domain.platform import GREENGO, Link
from shared.domain.portfolio import Home, Portfolio, PortfolioListing
from shared.engine.link_view import LinkView
from shared.engine.links import GRACE, Replacement
from shared.engine.look import Refusal
from shared.engine.look_text import Why
from shared.engine.turn import Taken, turn
from shared.ports.http import Request, Response
from shared.use_cases import HttpAnswer
from tests.engine.hamlet import Hamlet, calendar, link, portfolio, stay
from tests.engine.test_connect import CLAIRE, LOOKER, MARC, nights
from tests.web.support import Browser

MOULIN = Home("moulin", "Le Moulin", "claire")
NEW = "https://calendars.example/new.ics"
ROBOT = {"user-agent": "GreenGo-Bot/2"}


@pytest.fixture
def hamlet() -> Iterator[Hamlet]:
    found = Hamlet([MOULIN], {"moulin": GREENGO})
    found.run(found.first_answers())
    yield found
    found.close()


def only(hamlet: Hamlet, person: Person = CLAIRE) -> LinkView:
    (found,) = hamlet.run(hamlet.engine.link_views.listed(person))
    return found


def fetch(hamlet: Hamlet, token: str, headers: dict[str, str] = ROBOT) -> HttpAnswer:
    return hamlet.run(hamlet.engine.export_calendar(token, headers))


def renewed(hamlet: Hamlet, grace: timedelta = GRACE) -> tuple[str, str]:
    old = only(hamlet)
    new = hamlet.run(hamlet.engine.links.renew(CLAIRE, old.id, grace))
    assert new is not None
    return old.token, new.token


def test_only_who_may_decide_sees_an_export_address(hamlet: Hamlet) -> None:
    assert only(hamlet).token == hamlet.tokens["moulin-greengo"]
    assert only(hamlet, LOOKER).token == ""
    assert hamlet.run(hamlet.engine.link_views.listed(MARC)) == []
    with pytest.raises(NotFound):
        hamlet.run(hamlet.engine.link_views.one(MARC, only(hamlet).id))


def test_no_view_shows_an_import_link_or_a_secret_by_accident(hamlet: Hamlet) -> None:
    view = only(hamlet)
    assert view.host == "calendars.example/…"
    assert "moulin.ics" not in repr(view)
    assert view.token not in repr(view)


def test_a_renewed_address_and_its_predecessor_both_open_the_calendar_for_the_days_of_grace(
    hamlet: Hamlet,
) -> None:
    old, new = renewed(hamlet)
    assert old != new
    assert (fetch(hamlet, old).status, fetch(hamlet, new).status) == (200, 200)
    until = only(hamlet).former_until
    assert until is not None
    assert timedelta(days=6, hours=23) < until - hamlet.clock.peek() <= GRACE
    hamlet.clock.advance(GRACE)
    assert (fetch(hamlet, old).status, fetch(hamlet, new).status) == (404, 200)
    assert only(hamlet).former_until is None


def test_without_grace_the_old_address_is_as_unknown_as_any(hamlet: Hamlet) -> None:
    first, second = renewed(hamlet)
    second, third = renewed(hamlet, timedelta())
    unknown = fetch(hamlet, "x" * 32)
    assert [fetch(hamlet, one) for one in (first, second)] == [unknown, unknown]
    assert fetch(hamlet, third).status == 200


def test_a_revoked_address_is_as_unknown_as_any_and_a_new_one_can_be_made(hamlet: Hamlet) -> None:
    old, new = renewed(hamlet)
    revoked = hamlet.run(hamlet.engine.links.revoke(CLAIRE, only(hamlet).id))
    assert revoked is not None
    assert revoked.revoked
    assert {fetch(hamlet, one).status for one in (old, new)} == {404}
    _, again = renewed(hamlet)
    assert fetch(hamlet, again).status == 200
    assert {fetch(hamlet, one).status for one in (old, new)} == {404}


def test_importing_the_portfolio_again_gives_no_revoked_address_back(hamlet: Hamlet) -> None:
    hamlet.run(hamlet.engine.links.revoke(CLAIRE, only(hamlet).id))
    done = hamlet.run(hamlet.engine.portfolio.run(portfolio([MOULIN], hamlet.links)))
    assert "moulin-greengo" not in done.tokens
    assert only(hamlet).revoked


def test_what_a_peer_has_taken_is_known_by_its_listing_and_survives_a_renewal(hamlet: Hamlet) -> None:
    hamlet.booking.tell(stay("B1", ("moulin", nights(5, 3))))
    hamlet.run(hamlet.poll())
    hamlet.run(hamlet.drain())
    assert fetch(hamlet, only(hamlet).token).status == 200
    hamlet.run(hamlet.drain())
    taken = [row.taken_at for row in hamlet.run(hamlet.engine.world.sites.load("moulin")).blocks.values()]
    assert taken
    assert all(taken)
    renewed(hamlet, timedelta())
    after = [row.taken_at for row in hamlet.run(hamlet.engine.world.sites.load("moulin")).blocks.values()]
    assert after == taken


@pytest.mark.parametrize("calls", range(12))
def test_a_crash_in_a_renewal_leaves_one_address_that_works(hamlet: Hamlet, calls: int) -> None:
    from tests.engine.village import Crash, Store

    old = only(hamlet)
    assert isinstance(hamlet.tables, Store)
    hamlet.tables.crash_in = calls
    with contextlib.suppress(Crash):
        hamlet.run(hamlet.engine.links.renew(CLAIRE, old.id, timedelta()))
    hamlet.tables.crash_in = -1
    hamlet.engine = hamlet._engine()
    assert fetch(hamlet, only(hamlet).token).status == 200


def test_nobody_who_may_not_decide_changes_an_address(hamlet: Hamlet) -> None:
    view = only(hamlet)
    for person, no, status in ((LOOKER, NotAllowed, 403), (MARC, NotFound, 404)):
        for doing in (
            hamlet.engine.links.renew(person, view.id),
            hamlet.engine.links.revoke(person, view.id),
            hamlet.engine.links.replace(person, view.id, NEW),
            hamlet.engine.home_names.rename(person, "moulin", "Mine"),
        ):
            with pytest.raises(no):
                hamlet.run(doing)
        somewhere = replace(person, roles={**person.roles, "elsewhere": Role.OPERATOR})
        browser = Browser(hamlet.engine, hamlet.run, somewhere)
        assert browser.call("POST", f"/api/links/{view.id}/revoke").status == status
        assert browser.post(f"/links/{view.id}/revoke").status == status
        assert browser.get(f"/links/{view.id}").status == status
    assert only(hamlet).token == view.token
    with pytest.raises(NotFound):
        hamlet.run(hamlet.engine.link_views.one(CLAIRE, "nonsense"))


@pytest.mark.parametrize("grace", [timedelta(seconds=-1), timedelta(days=31)])
def test_days_of_grace_have_bounds(hamlet: Hamlet, grace: timedelta) -> None:
    with pytest.raises(PayloadRejected, match="from 0 to 30"):
        renewed(hamlet, grace)


def test_who_asked_for_a_calendar_last_is_shown_also_when_there_was_nothing_new(hamlet: Hamlet) -> None:
    token = only(hamlet).token
    assert only(hamlet).fetches.peer is None
    fetch(hamlet, token)
    fetch(hamlet, token, {"user-agent": "Mozilla/5.0"})
    seen = only(hamlet).fetches
    assert seen.peer is not None
    assert seen.other is not None
    assert (seen.peer.agent, seen.peer.status, seen.other.agent) == ("GreenGo-Bot/2", 200, "Mozilla/5.0")


def test_every_change_of_an_address_stands_in_the_record_with_its_person_and_without_the_address(
    hamlet: Hamlet,
) -> None:
    old, new = renewed(hamlet)
    hamlet.run(hamlet.engine.links.revoke(CLAIRE, only(hamlet).id))
    hamlet.web.answers[NEW] = calendar()
    hamlet.run(hamlet.engine.links.replace(CLAIRE, only(hamlet).id, NEW))
    told = Browser(hamlet.engine, hamlet.run, CLAIRE).call("GET", "/api/history").body.decode()
    for words in ("address renewed", "address revoked", "calendar link replaced", "person claire"):
        assert words in told
    assert old not in told
    assert new not in told
    assert NEW not in told


def test_a_replaced_link_is_read_from_then_on_and_what_the_old_one_showed_is_held(hamlet: Hamlet) -> None:
    held, shown = nights(10, 4), nights(30, 2)
    hamlet.web.answers[link("moulin")] = calendar(("a", held), ("b", shown))
    hamlet.run(hamlet.engine.calendars.shard("0000", force=True))
    hamlet.web.answers[NEW] = calendar(("b", shown))
    done = hamlet.run(hamlet.engine.links.replace(CLAIRE, only(hamlet).id, NEW))
    assert isinstance(done, LinkView)
    hamlet.web.answers[link("moulin")] = calendar()
    hamlet.run(hamlet.drain())
    hamlet.run(hamlet.engine.calendars.shard("0000", force=True))
    state = hamlet.run(hamlet.engine.world.sites.load("moulin"))
    facts = {part.dates for fact in state.reservations.values() for part in fact.held()}
    assert facts == {held, shown}
    assert hamlet.web.asked[-1] == NEW


def meanwhile(hamlet: Hamlet, change: Callable[[], Awaitable[object]]) -> None:
    """Have something else happen while the new link is being fetched."""
    hamlet.web.answers[NEW] = calendar()
    really = hamlet.web.send

    async def send(request: Request) -> Response:
        if request.url == NEW:
            await change()
        return await really(request)

    hamlet.web.send = send  # type: ignore[method-assign]


def test_what_is_changed_while_the_new_link_is_fetched_stays_changed(hamlet: Hamlet) -> None:
    changed = Home("moulin", "Le Moulin Vert", "claire", automatic=Automatic.SAFE)
    meanwhile(hamlet, lambda: hamlet.engine.portfolio.run(portfolio([changed], hamlet.links)))
    assert isinstance(hamlet.run(hamlet.engine.links.replace(CLAIRE, only(hamlet).id, NEW)), LinkView)
    home = hamlet.run(hamlet.engine.world.sites.load("moulin")).site.properties["moulin"]
    assert (home.name, home.automatic) == ("Le Moulin Vert", Automatic.SAFE)
    feed = hamlet.run(hamlet.engine.world.shards.get("0000", "moulin-greengo"))
    assert feed is not None
    assert feed.url == NEW


def test_who_may_no_longer_decide_when_the_new_link_is_fetched_replaces_nothing(hamlet: Hamlet) -> None:
    sold = Home("moulin", "Le Moulin", "marc")
    meanwhile(hamlet, lambda: hamlet.engine.portfolio.run(portfolio([sold], hamlet.links)))
    with pytest.raises(NotFound):
        hamlet.run(hamlet.engine.links.replace(CLAIRE, only(hamlet).id, NEW))
    assert hamlet.run(hamlet.engine.world.sites.load("moulin")).site.owner == "marc"
    feed = hamlet.run(hamlet.engine.world.shards.get("0000", "moulin-greengo"))
    assert feed is not None
    assert feed.url == link("moulin")


def test_a_link_and_a_name_are_changed_one_at_a_time_with_imports(hamlet: Hamlet) -> None:
    hamlet.web.answers[NEW] = calendar()
    links, name = hamlet.engine.links, only(hamlet).id

    async def both() -> None:
        async with turn(hamlet.engine.world):
            with pytest.raises(Taken):
                await hamlet.engine.home_names.rename(CLAIRE, "moulin", "Le Moulin Vert")
            with pytest.raises(Taken):
                await links.replace(CLAIRE, name, NEW)

    hamlet.run(both())
    assert only(hamlet).home_name == "Le Moulin"
    assert hamlet.run(hamlet.engine.home_names.rename(CLAIRE, "moulin", "Le Moulin Vert")) is True


def test_a_calendar_with_nothing_that_is_known_is_asked_about_before_it_replaces_another(
    hamlet: Hamlet,
) -> None:
    hamlet.web.answers[link("moulin")] = calendar(("a", nights(10, 4)))
    hamlet.run(hamlet.engine.calendars.shard("0000", force=True))
    hamlet.web.answers[NEW] = calendar(("z", nights(50, 4)))
    links, name = hamlet.engine.links, only(hamlet).id
    doubt = hamlet.run(links.replace(CLAIRE, name, NEW))
    assert isinstance(doubt, Replacement)
    assert (doubt.doubtful, doubt.known, doubt.same) == (True, 1, 0)
    feed = hamlet.run(hamlet.engine.world.shards.get("0000", "moulin-greengo"))
    assert feed is not None
    assert feed.url == link("moulin")
    assert isinstance(hamlet.run(links.replace(CLAIRE, name, NEW, sure=True)), LinkView)


def test_a_calendar_of_another_platform_replaces_none(hamlet: Hamlet) -> None:
    airbnb = "https://www.airbnb.fr/calendar/ical/1.ics?s=abc"
    hamlet.web.answers[airbnb] = calendar()
    found = hamlet.run(hamlet.engine.links.replace(CLAIRE, only(hamlet).id, airbnb))
    assert isinstance(found, Refusal)
    assert found.why is Why.OTHER_PLATFORM


def test_a_home_is_called_by_its_new_name_and_its_facts_stay(hamlet: Hamlet) -> None:
    everybody = Person("local", {ALL_OWNERS: Role.OPERATOR})
    assert hamlet.run(hamlet.engine.home_names.rename(everybody, "moulin", "Le Moulin Vert")) is True
    assert hamlet.run(hamlet.engine.home_names.rename(everybody, "moulin", "Le Moulin Vert")) is False
    with pytest.raises(NotFound):
        hamlet.run(hamlet.engine.home_names.rename(everybody, "nowhere", "x"))
    assert only(hamlet).home_name == "Le Moulin Vert"


def test_an_address_that_opens_nothing_is_not_even_found(hamlet: Hamlet) -> None:
    """So that a release which does not ask the listing answers the same."""
    old, new = renewed(hamlet, timedelta())
    find = hamlet.engine.world.accounts.find_link
    assert hamlet.run(find(old)) is None
    assert hamlet.run(find(new)) is not None
    hamlet.run(hamlet.engine.links.revoke(CLAIRE, only(hamlet).id))
    assert hamlet.run(find(new)) is None


def test_a_listing_is_not_put_into_another_home_by_its_name(hamlet: Hamlet) -> None:
    grange = Site(
        "grange", "claire", {"grange": Property("grange", "G", frozenset({"grange"}))}, {"grange": 1}
    )
    stolen = PortfolioListing("moulin-greengo", "grange", "grange", GREENGO, "greengo-owner", Link.ICAL)
    with pytest.raises(PayloadRejected, match="listing moulin-greengo is stored in site moulin"):
        hamlet.run(hamlet.engine.portfolio.run(Portfolio((), (), (grange,), (stolen,))))
    assert fetch(hamlet, hamlet.tokens["moulin-greengo"]).status == 200
