"""The fields of the portfolio file that need judgement: addresses, time zones and names of settings."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from zoneinfo import available_timezones

from shared.adapters.yaml_fields import Section, did_you_mean
from shared.adapters.yaml_tree import shown
from shared.domain.addresses import FeedAddress, parse_feed_url
from shared.domain.errors import AddressRefused
from shared.domain.zones import is_zone

ANY_CALENDAR = "ical"
"""The platform of a calendar link whose shape says nothing."""

_MOST_ADDRESS = 2048
# Capitals in words of at most 20: a name a person would give, and no key looks like one.
_SETTING = re.compile(r"[A-Z][A-Z0-9]{0,19}(?:_[A-Z0-9]{1,20}){1,7}")
_ROLE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_PLACEHOLDER = re.compile(r"\{([A-Z][A-Z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class PortfolioRules:
    """What the file is judged by, from the registry of platforms: all that exist, those ``with_api``, those
    ``api_only`` (without calendars), the ``roles`` of the keys that such an account needs, and how a listing's
    ``units`` are written ("hotel:room").

    ``names`` fill in ``{NAME}`` in addresses; ``loopback_ports`` may be named on this machine (local runs and
    tests); ``recognise`` tells whose calendar a link is, "ical" where it cannot.
    """

    platforms: frozenset[str]
    with_api: frozenset[str] = frozenset()
    api_only: frozenset[str] = frozenset()
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    loopback_ports: frozenset[int] = frozenset()
    recognise: Callable[[str], str] | None = None


def address(section: Section, name: str, rules: PortfolioRules) -> FeedAddress | None:
    """An address with its placeholders filled in, or None; what is wrong is reported without repeating it."""
    text = section.text(name, most=_MOST_ADDRESS)
    unknown = sorted(set(_PLACEHOLDER.findall(text)) - set(rules.names))
    if unknown:
        section.problem(
            name, f"{{{unknown[0]}}} is filled in only by the example's own run: put your address here"
        )
    if not text or unknown:
        return None
    try:
        filled = _PLACEHOLDER.sub(lambda found: rules.names[found[1]], text)
        return parse_feed_url(filled, loopback_ports=rules.loopback_ports)
    except AddressRefused as error:
        section.problem(name, str(error))
        return None


def base_url(section: Section, rules: PortfolioRules) -> str:
    """Where an account's platform answers instead of at its own host; empty for its own host."""
    found = address(section, "base_url", rules)
    if found is None:
        return ""
    if found.scheme != "https" and found.port not in rules.loopback_ports:
        section.problem("base_url", "must begin with https://, since keys are sent there")
    return found.url.rstrip("/")


def settings(section: Section, platform: str, rules: PortfolioRules) -> dict[str, str]:
    """The names of an account's settings by their role. A key in the place of a name is refused, unrepeated."""
    found: dict[str, str] = {}
    roles = rules.roles.get(platform, ())
    for role, name, spot in section.texts("secrets"):
        if not _ROLE.fullmatch(role):
            section.report(spot, "secrets", "before the ':' stands what the key is for, such as client_id")
        elif roles and role not in roles:
            section.report(spot, shown(role), f"unknown key of {platform}, {did_you_mean(role, roles)}")
        elif name and not _SETTING.fullmatch(name):
            hint = "give the name of a setting instead of the key itself, such as BOOKING_CLIENT_ID"
            section.report(spot, shown(role), hint)
            found[role] = ""
        elif name:
            found[role] = name
    missing = [role for role in roles if role not in found]
    if missing and section.has("secrets"):
        section.problem("secrets", f"{platform} also needs the name of a setting for {' and '.join(missing)}")
    return found


def day(section: Section, name: str) -> date | None:
    """A date such as 2027-03-01; None where none is given."""
    written = section.text(name, most=40)
    try:
        return date.fromisoformat(written) if written else None
    except ValueError:
        section.problem(name, "write the day as in 2027-03-01")
        return None


def zone(section: Section) -> str:
    """The IANA time zone in which the home's days begin."""
    name = section.text("zone", default="Europe/Paris", most=60)
    if not is_zone(name):
        section.problem("zone", f"no such time zone, {_zone_hint(name)}")
    return name


def _zone_hint(name: str) -> str:
    known = {zone.lower(): zone for zone in available_timezones()}
    close = get_close_matches(name.lower(), known, n=1, cutoff=0.7)
    return f"did you mean {known[close[0]]}?" if close else "write it as in Europe/Paris or Indian/Reunion"
