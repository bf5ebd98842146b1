"""What a portfolio file is judged by, and what to look at in one that is sound."""

from __future__ import annotations

from shared.bootstrap.portfolio import portfolio_rules
from shared.connectors.registry import PLATFORMS
from shared.domain.portfolio import Portfolio

__all__ = ["portfolio_rules", "sold_twice"]


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
                f"{manager.property}\u202f: si {entry.name} le vend déjà sur {other}, retirez l’un des deux, sinon "
                f"chaque séjour paraît deux fois / if {entry.name} sells it on {other} already, remove one of "
                "the two, or every stay shows twice"
            )
    return lines
