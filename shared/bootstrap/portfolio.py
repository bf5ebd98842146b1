"""Joins the portfolio's text with the registry of platforms: adapters and connectors know nothing of each other."""

from __future__ import annotations

from collections.abc import Mapping

from shared.adapters.portfolio_values import PortfolioRules
from shared.adapters.portfolio_write import write_portfolio
from shared.adapters.portfolio_yaml import PortfolioUnreadable, read_portfolio
from shared.connectors.ical_links import platform_of
from shared.connectors.registry import PLATFORMS
from shared.domain.platform import Link
from shared.domain.portfolio import Portfolio
from shared.ports.portfolio import PortfolioRead, TextProblem


def portfolio_rules(
    names: Mapping[str, str] | None = None, loopback_ports: frozenset[int] = frozenset()
) -> PortfolioRules:
    """What a portfolio's text is judged by. ``names`` fill in ``{NAME}`` in addresses; ``loopback_ports`` are allowed
    on this machine."""
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


class YamlPortfolio:
    """The port ``PortfolioText`` in YAML. ``usual_hosts`` are where platforms' APIs are when nothing is said."""

    def __init__(
        self, loopback_ports: frozenset[int] = frozenset(), usual_hosts: Mapping[str, str] | None = None
    ) -> None:
        self._rules = portfolio_rules(loopback_ports=loopback_ports)
        self._usual_hosts = usual_hosts or {}

    def read(self, data: bytes) -> PortfolioRead:
        """Everything that is wrong, or the portfolio."""
        try:
            return PortfolioRead(read_portfolio(data, self._rules))
        except PortfolioUnreadable as wrong:
            problems = (
                TextProblem(one.spot.line, one.spot.column, one.field, one.text) for one in wrong.problems
            )
            return PortfolioRead(None, tuple(problems))

    def write(self, portfolio: Portfolio, *, links: bool) -> str:
        """YAML, in the form of ``portfolio.example.yaml``."""
        return write_portfolio(portfolio, links=links, usual_hosts=self._usual_hosts)
