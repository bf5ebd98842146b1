"""What a portfolio file is judged by, taken from the registry: adapters and connectors know nothing of each other."""

from __future__ import annotations

from collections.abc import Mapping

from shared.adapters.portfolio_values import PortfolioRules
from shared.connectors.ical_links import platform_of
from shared.connectors.registry import PLATFORMS
from shared.domain.model import Link


def portfolio_rules(
    names: Mapping[str, str] | None = None, loopback_ports: frozenset[int] = frozenset()
) -> PortfolioRules:
    """``names`` fill in ``{NAME}`` in addresses; ``loopback_ports`` are allowed on this machine."""
    return PortfolioRules(
        platforms=frozenset(PLATFORMS),
        with_api=frozenset(entry.platform for entry in PLATFORMS.values() if Link.API in entry.links),
        roles={entry.platform: entry.secrets for entry in PLATFORMS.values()},
        units={entry.platform: entry.unit for entry in PLATFORMS.values()},
        names=names or {},
        loopback_ports=loopback_ports,
        recognise=platform_of,
    )
