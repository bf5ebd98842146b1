"""One run: links, accounts, writes where they are allowed, our own side if it can be reached, then the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from local.live import accounts, calendars, report
from local.live.beliefs import Seen, judge
from local.live.ledger import Ledger
from local.live.permit import MarkedOnly, Permit, ReadOnlyHttp
from local.live.reach import Reach, waited
from local.live.wanted import Live
from local.live.words import Mask, Outcome, Step, Words
from local.live.writes import Writer
from shared.adapters.secrets import SettingSecrets
from shared.connectors.ical import IcalConnector
from shared.connectors.registry import connect
from shared.domain.model import Account, Listing, Property
from shared.domain.platform import Link, Platform
from shared.domain.portfolio import PortfolioListing
from shared.ports.http import Http
from shared.ports.people import Sleep
from shared.ports.platforms import ApiConnector
from shared.resilience.retry_after import parse_retry_after

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Given:
    """What a run is told. ``asked``: LIVE_WRITES=1. ``public`` is our own address, empty for none, and ``wait`` the
    most seconds we listen there; ``take_away`` only opens what earlier runs left; ``played``: simulated platforms."""

    live: Live
    folder: Path
    asked: bool = False
    public: str = ""
    port: int = 0
    wait: float = 900.0
    take_away: bool = False
    show_links: bool = False
    played: bool = False
    command: str = "make live LIVE=live.yaml LIVE_WRITES=1 OPTIONS=--take-away"


class Run:
    """The parts, in order. ``http`` is closed by its maker; ``now`` is aware, in UTC."""

    def __init__(self, given: Given, http: Http, now: Callable[[], datetime], sleep: Sleep, say: Say) -> None:
        self._given, self._now, self._sleep = given, now, sleep
        self._live = given.live
        self.ledger = Ledger(given.folder / "state.json")
        secrets = [one.import_url for one in self._live.portfolio.listings]
        secrets += [value for name, value in self._live.secrets.items() if _secret(name, self._live)]
        secrets += [self.ledger.token(one.id) for one in self._calendars(marked=True)]
        self.mask = Mask(secrets)
        self._say = say
        self._http = ReadOnlyHttp(http)
        self._connectors = self._connected()
        self._seen: list[Seen] = []
        self._parts: list[tuple[Words, tuple[Step, ...]]] = []
        self._taken: dict[str, frozenset[date]] = {}

    async def run(self) -> report.Report:
        """Everything, and the report of it."""
        began = self._now()
        self._add(Words("Ce qui est donné", "What was given"), self._overview())
        if not self._given.take_away:
            self._add(Words("Liens de calendrier", "Calendar links"), await self._links())
            self._add(Words("Comptes par API", "Accounts by API"), await self._accounts())
        self._add(Words("Écritures", "Writes"), await self._writes())
        self._add(Words("Notre côté", "Our side"), await self._reached())
        return report.Report(
            began,
            self._given.played,
            tuple(self._parts),
            judge(self._seen),
            self.ledger.closed(),
            self._given.command,
        )

    # ---------------------------------------------------------------------------------------- the parts

    def _overview(self) -> list[Step]:
        found, marked = self._live.portfolio, sorted(self._live.marked)
        may = marked or "aucune"
        fr = f"{len(found.listings)} annonces, {len(found.accounts)} comptes\u202f; écriture permise\u202f: {may}"
        en = f"{len(found.listings)} listings, {len(found.accounts)} accounts; may be written: {marked or 'none'}"
        steps = [Step("live.yaml", Outcome.DONE, Words(fr, en))]
        for left in self.ledger.closed():
            said = Words(f"reste d’avant\u202f: {left.night}", f"left from before: {left.night}")
            steps.append(Step(left.listing, Outcome.SKIPPED, said))
        return steps

    async def _links(self) -> list[Step]:
        people = [owner.email for owner in self._live.portfolio.owners if owner.email]
        agent = f"SyncEngine/0.1 (+{people[0] if people else 'no address given'})"
        connector = IcalConnector(self._http, agent=agent, retry_after=self._wait_of)
        steps = []
        for listing in self._calendars():
            zone = self._zone(listing)
            read = await calendars.read_link(listing, zone, self._now().date(), connector, self._http)
            if read.whole:
                self._taken[listing.id] = read.taken
            self._seen += read.seen
            steps.append(read.step)
        return steps

    async def _accounts(self) -> list[Step]:
        steps = []
        for account in self._api_accounts():
            step, seen = await accounts.read_queue(account, self._connectors[account.platform])
            steps.append(step)
            self._seen += seen
            for listing in self._units(account):
                unit = await accounts.read_unit(
                    account, listing, self._connectors[account.platform], self._now().date()
                )
                steps.append(unit.step)
                self._seen += unit.seen
        return steps

    async def _writes(self) -> list[Step]:
        steps = []
        for account in self._api_accounts():
            writer = Writer(self._connectors[account.platform], self.ledger, self._now, self._sleep)
            units = {one.id: one for one in self._units(account) if one.id in self._live.marked}
            for left in self.ledger.closed():
                if left.listing in units and self._given.asked:
                    night = date.fromisoformat(left.night)
                    steps.append(await writer.open_again(account, units[left.listing], night, left.level))
            for unit in [] if self._given.take_away else units.values():
                done, seen = await writer.try_unit(account, unit, self._given.asked)
                steps += done
                self._seen += seen
        return steps

    async def _reached(self) -> list[Step]:
        if not self._given.public:
            said = Words(
                "pas d’adresse\u202f: PUBLIC_BASE_URL=https://… servirait un calendrier et attendrait les webhooks",
                "no address: PUBLIC_BASE_URL=https://… would serve a calendar and wait for webhooks",
            )
            return [Step("PUBLIC_BASE_URL", Outcome.SKIPPED, said)]
        given = self._given
        reach = Reach(
            served=self._calendars(marked=True),
            taken={} if given.take_away else self._taken,
            connectors=self._connectors,
            settings=self._live.secrets,
            public=given.public,
            port=given.port,
            wait=given.wait,
            permit=self._permit(),
            show_links=given.show_links,
        )
        steps, seen = await waited(reach, self.ledger, self._now, self._say)
        self._seen += seen
        return steps

    # ------------------------------------------------------------------------------------------- helpers

    def _connected(self) -> dict[Platform, ApiConnector]:
        """Every connector behind its two doors: the only place where one is made."""
        keys = SettingSecrets(self._live.secrets)
        return {
            name: MarkedOnly(
                connect(name, self._http, keys, clock=self._now, retry_after=self._wait_of), self._permit
            )
            for name in {account.platform for account in self._api_accounts()}
        }

    def _permit(self) -> Permit:
        return Permit(self._live.marked, self._given.asked, self._now().date(), self.ledger.ours())

    def _wait_of(self, value: str | None) -> float | None:
        return parse_retry_after(value, self._now())

    def _calendars(self, *, marked: bool = False) -> list[PortfolioListing]:
        links = [one for one in self._live.portfolio.listings if one.link is Link.ICAL]
        return [one for one in links if one.id in self._live.marked] if marked else links

    def _api_accounts(self) -> list[Account]:
        return [account for account in self._live.portfolio.accounts if account.secrets]

    def _units(self, account: Account) -> list[Listing]:
        return [
            Listing(one.id, one.property, one.platform, one.account, one.link, one.unit)
            for one in self._live.portfolio.listings
            if one.account == account.id and one.link is Link.API
        ]

    def _zone(self, listing: PortfolioListing) -> str:
        sites = {site.id: site for site in self._live.portfolio.sites}
        home: Property = sites[listing.site].properties[listing.property]
        return home.zone

    def _add(self, title: Words, steps: list[Step]) -> None:
        self._parts.append((title, tuple(steps)))
        self._say(self.mask(f"{title}"))
        for step in steps:
            self._say(self.mask(f"  {step.outcome:<8} {step.about}: {step.said}"))


def _secret(name: str, live: Live) -> bool:
    """Whether a setting's value must never show: what accounts name, and what webhooks use."""
    named = {setting for account in live.portfolio.accounts for setting in account.secrets.values()}
    return name in named or name.startswith(("WEBHOOK_SECRET_", "WEBHOOK_KEY_"))
