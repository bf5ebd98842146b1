"""The stored portfolio as a text, for whoever may see it, and a text into the tables, for whoever decides for all."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shared.domain.access import Person
from shared.domain.errors import PermanentError, StateError, Unreadable
from shared.domain.model import Account, Listing, SiteState
from shared.domain.platform import Link
from shared.domain.portfolio import Owner, Portfolio, PortfolioListing
from shared.domain.story import PERSON
from shared.engine.homes_seen import seen_and_unread
from shared.engine.portfolio import PortfolioImport
from shared.engine.turn import turn
from shared.engine.world import World
from shared.ports.portfolio import PortfolioText, TextProblem
from shared.state.people import PeopleStore


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What came of a text: problems, in which case nothing was done (but of one that a stored home raised: what stands
    before it in the text is stored then); else the sites that are new, and those that changed."""

    problems: tuple[TextProblem, ...] = ()
    created: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    homes: int = 0
    listings: int = 0


class Library:
    """Gives the portfolio out, and takes one in."""

    def __init__(self, world: World, portfolio: PortfolioImport) -> None:
        self._world = world
        self._portfolio = portfolio

    async def stored(self, person: Person, *, links: bool = False) -> Portfolio:
        """What is stored of the owners a person sees. Calendar links are in it where they are asked for, of owners the
        person decides for; people and the names of keys likewise of those alone.
        Raises ``Unreadable`` where one of their sites or accounts cannot be read."""
        shown, unread = await seen_and_unread(self._world, person)
        if unread:  # a copy without them would pass for whole
            raise Unreadable(f"the homes of site {next(iter(unread))} cannot be read")
        links_of = await self._links(shown) if links else {}
        listings = [
            _listing(state, one, links_of.get(one.id, "") if person.decides(state.site.owner) else "")
            for state in shown
            for one in state.listings.values()
        ]
        return Portfolio(
            tuple(await self._owners(person)),
            tuple(await self._accounts(person, {one.account for one in listings})),
            tuple(state.site for state in shown),
            tuple(listings),
        )

    async def text(self, person: Person, *, links: bool = False) -> str:
        """The same as a text. With ``links`` it holds secrets, and can be read back where the person decides for all
        the owners in it; without, the host of each is all that is told. Raises ``Unreadable`` like ``stored``."""
        portfolio = await self.stored(person, links=True)
        return self._text().write(portfolio, links=links)

    async def take(self, person: Person, data: bytes) -> ImportReport | None:
        """Add or update everything a text names; nothing is ever deleted. None for whoever does not decide for all
        owners: a text may name anybody's homes, and which setting holds which key. Raises ``Taken`` when others keep
        changing the portfolio, also in its midst, and ``StoreUnavailable``: the same text may be given again."""
        if not person.everywhere:
            return None
        found = self._text().read(data)
        if found.portfolio is None:
            return ImportReport(found.problems)
        portfolio = found.portfolio
        async with turn(self._world) as mine:
            try:
                done = await self._portfolio.run(portfolio, by=f"{PERSON}{person.name}", turn=mine)
            except (PermanentError, StateError) as wrong:
                return ImportReport((TextProblem(0, 0, "", str(wrong)),))
        homes = sum(len(site.properties) for site in portfolio.sites)
        return ImportReport(
            (), tuple(done.sites_created), tuple(done.sites_changed), homes, len(portfolio.listings)
        )

    def _text(self) -> PortfolioText:
        assert self._world.portfolio_text is not None, "this engine was built without texts"
        return self._world.portfolio_text()

    async def _owners(self, person: Person) -> list[Owner]:
        people = await PeopleStore(self._world.tables).all()
        addresses = await self._world.owners.addresses()
        return [
            Owner(owner, one.name, role, addresses.get((owner, one.name), ""), one.language or "fr")
            for one in people
            for owner, role in one.roles.items()
            if person.decides(owner)
        ]

    async def _accounts(self, person: Person, used: set[str]) -> list[Account]:
        found = []
        for name in sorted(used | set(await self._world.accounts.directory("account"))):
            state = await self._world.accounts.load(name)
            if state is None or not person.sees(state.account.owner):
                continue
            mine = person.decides(state.account.owner)
            found.append(state.account if mine else replace(state.account, secrets={}, base_url=""))
        return found

    async def _links(self, states: list[SiteState]) -> dict[str, str]:
        shards = {one.shard for state in states for one in state.listings.values() if one.shard}
        found: dict[str, str] = {}
        for name in sorted(shards):
            found |= {key: feed.url for key, feed in (await self._world.shards.load(name)).feeds.items()}
        return found


def _listing(state: SiteState, one: Listing, link: str) -> PortfolioListing:
    url = link if one.link is Link.ICAL else ""
    return PortfolioListing(
        one.id, one.property, state.site.id, one.platform, one.account, one.link, one.unit, url, one.agent
    )
