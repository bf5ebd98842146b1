"""In which site each home and each listing is stored: an import moves none of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shared.domain.errors import PayloadRejected
from shared.domain.model import Site
from shared.domain.portfolio import PortfolioListing
from shared.state.accounts import AccountStore


@dataclass(frozen=True, slots=True)
class Stored:
    """Read once for a whole import, and kept up as it goes on: the portfolio is changed by one at a time
    (``shared.engine.turn``)."""

    homes: dict[str, str]
    listings: dict[str, str]

    def refuse_moves(self, site: Site, named: Iterable[PortfolioListing]) -> None:
        """Raises ``PayloadRejected`` for a home or a listing that is stored in another site."""
        for home in site.properties:
            old = self.homes.get(home, site.id)
            if old != site.id:
                raise PayloadRejected(
                    f"home {home} is stored in site {old}, and the portfolio puts it into {site.id}: "
                    "name the old site in its 'site' field, or remove the home first"
                )
        for one in named:
            old = self.listings.get(one.id, site.id)
            if old != site.id:
                raise PayloadRejected(
                    f"listing {one.id} is stored in site {old}, and the portfolio puts it into {site.id}: "
                    "give the new one an id of its own"
                )

    def add(self, site: Site, named: Iterable[PortfolioListing]) -> None:
        """What an import put there."""
        self.homes.update(dict.fromkeys(site.properties, site.id))
        self.listings.update({one.id: site.id for one in named})


async def where_stored(accounts: AccountStore) -> Stored:
    """All of them; one read for a thousand of each."""
    homes, listings = [await accounts.directory(kind) for kind in ("home", "listing")]
    return Stored(
        {name: one["site"] for name, one in homes.items() if "site" in one},
        {name: one["site"] for name, one in listings.items() if "site" in one},
    )
