"""Keys whose end is known, as findings, in time to change them. The person who was given them knows it: no platform
tells it by API. What renews itself (Booking.com's tokens, every 55 minutes) is not meant: where that fails, the mode of
the account says so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from shared.domain.health import Code, Finding, Weight, both
from shared.domain.model import Account

AHEAD = timedelta(days=14)
"""How long before its end a key is told of: time to ask a partner manager for the next one."""

_FIRST = datetime(
    1970, 1, 1, tzinfo=UTC
)  # a slip of the pen may name a year from which nothing can be taken away


@dataclass(frozen=True, slots=True)
class Keyed:
    """An account with its platform's name."""

    account: Account
    name: str


def ending_keys(accounts: Iterable[Keyed], now: datetime) -> tuple[Finding, ...]:
    """One finding for each account whose keys end within a fortnight, or have ended, by its owner's word."""
    found = []
    for one in accounts:
        last = one.account.key_ends
        if last is None:
            continue
        end = datetime.combine(last, time(), UTC)
        if end - now <= AHEAD:
            found.append(_finding(one, end, now))
    return tuple(found)


def _finding(one: Keyed, end: datetime, now: datetime) -> Finding:
    account, day = one.account, f"{end:%Y-%m-%d}"
    over = now >= end
    cause = both(
        f"Les clés de {account.id} ({one.name}) {'ont expiré' if over else 'expirent'} le {day}, dit le portefeuille.",
        f"The keys of {account.id} ({one.name}) {'ended' if over else 'end'} on {day}, the portfolio says.",
    )
    settings = ", ".join(account.secrets.values())
    step = both(
        f"Demandez les suivantes à {one.name}, mettez-les dans {settings}, redémarrez, puis changez key_ends dans le "
        "portefeuille.",
        f"Ask {one.name} for the next ones, put them into {settings}, restart, then change key_ends in the portfolio.",
    )
    return Finding(
        Code.KEY_ENDS,
        Weight.TOLD,
        cause,
        step,
        account.id,
        account.platform,
        account.owner,
        max(end, _FIRST) - AHEAD,
        grace=timedelta(0),
    )
