"""What a portfolio file is judged by, taken from the registry: adapters and connectors know nothing of each other."""

from __future__ import annotations

from collections.abc import Mapping

from shared.adapters.portfolio_values import PortfolioRules
from shared.connectors.ical_links import platform_of
from shared.connectors.registry import PLATFORMS
from shared.domain.model import Link
from shared.domain.portfolio import Portfolio


def portfolio_rules(
    names: Mapping[str, str] | None = None, loopback_ports: frozenset[int] = frozenset()
) -> PortfolioRules:
    """``names`` fill in ``{NAME}`` in addresses; ``loopback_ports`` are allowed on this machine."""
    return PortfolioRules(
        platforms=frozenset(PLATFORMS),
        with_api=frozenset(entry.platform for entry in PLATFORMS.values() if Link.API in entry.links),
        api_only=frozenset(entry.platform for entry in PLATFORMS.values() if Link.ICAL not in entry.links),
        roles={entry.platform: entry.secrets for entry in PLATFORMS.values()},
        units={entry.platform: entry.unit for entry in PLATFORMS.values()},
        names=names or {},
        loopback_ports=loopback_ports,
        recognise=platform_of,
    )


def sold_twice(portfolio: Portfolio) -> list[str]:
    """For each home that a channel manager sells, and that stands here on a platform it may sell on too, what to look
    at: whether it does is known to the owner alone."""
    lines = []
    for manager in portfolio.listings:
        entry = PLATFORMS[manager.platform]
        others = {
            PLATFORMS[one.platform].name
            for one in portfolio.listings
            if one.property == manager.property and one.platform in entry.sells_on
        }
        for other in sorted(others):
            lines.append(
                f"{manager.property} : si {entry.name} le vend déjà sur {other}, retirez l'un des deux, sinon "
                f"chaque séjour paraît deux fois / if {entry.name} sells it on {other} already, remove one of "
                "the two, or every stay shows twice"
            )
    return lines
