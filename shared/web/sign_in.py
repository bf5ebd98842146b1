"""Who asks. On Azure the platform signs people in (App Service authentication) and tells us in headers that it takes
away from everybody else; on one's own machine a code does.

It fails closed: without the platform's own word that its sign-in is switched on, nobody is anybody, since the headers
could then come from anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shared.domain.access import ALL_OWNERS, NOBODY, Person, Role
from shared.state.people import KEPT, PeopleStore
from shared.web.cookies import cookies
from shared.web.local_keys import LocalKeys

SESSION = "session"
"""The cookie of a browser that typed a code."""

LOCAL = Person("local", {ALL_OWNERS: Role.OPERATOR})
"""Whoever sits at the machine that runs the engine."""

_ID, _NAME, _FROM = "x-ms-client-principal-id", "x-ms-client-principal-name", "x-ms-client-principal-idp"
"""VERIFIED learn.microsoft.com, "Work with user identities in Azure App Service authentication"."""

_NAMES_ARE_PROVEN = frozenset({"aad", "google"})
"""Providers whose name of a person is an address they vouch for: Entra ID in one's own tenant, Google."""

MOST_NAME = 100
"""Characters of a name that are kept."""


class SignIn(Protocol):
    """Tells who sent a request."""

    @property
    def where(self) -> str:
        """The address where people sign in."""
        ...

    async def person(self, headers: Mapping[str, str], now: datetime, most: timedelta = KEPT) -> Person:
        """Who asks; NOBODY for whoever is not signed in. Somebody who is signed in and looks after no home has no
        roles. What is known of them may be ``most`` old."""
        ...


@dataclass(frozen=True, slots=True)
class AzureSignIn:
    """App Service authentication in front of us. ``enabled`` is the platform's word for it
    (``WEBSITE_AUTH_ENABLED``); ``operators`` decide for all owners, whatever the portfolio says."""

    people: PeopleStore
    enabled: bool
    operators: frozenset[str] = frozenset()

    @property
    def where(self) -> str:
        """The platform's own page; ours, which says what is missing, while the platform's sign-in is switched off."""
        return "/.auth/login/aad?post_login_redirect_uri=/" if self.enabled else "/sign-in"

    async def person(self, headers: Mapping[str, str], now: datetime, most: timedelta = KEPT) -> Person:
        """By the id the provider gives; by the name it vouches for where nobody has that id."""
        found = headers.get(_ID, "").strip()
        if not self.enabled or not found:
            return NOBODY
        name = headers.get(_NAME, "").strip()
        proven = [found, *([name] if name and headers.get(_FROM, "") in _NAMES_ARE_PROVEN else [])]
        shown = fit_to_show(name) or fit_to_show(found)
        known = self.operators & {one.lower() for one in proven}
        if known:
            return Person(shown, {ALL_OWNERS: Role.OPERATOR}, principal=min(known))
        for principal in proven:
            person = await self.people.find(principal, now, most)
            if person is not None:
                return Person(shown, person.roles, person.language, person.name)
        return Person(shown)


@dataclass(frozen=True, slots=True)
class LocalSignIn:
    """A code typed into the first page, or the token of a program."""

    keys: LocalKeys
    where: str = "/sign-in"

    async def person(self, headers: Mapping[str, str], now: datetime, most: timedelta = KEPT) -> Person:
        """Whoever has the cookie or the token is the one person there is."""
        if self.keys.is_token(headers.get("authorization", "")):
            return LOCAL
        return LOCAL if self.keys.is_session(cookies(headers).get(SESSION, ""), now) else NOBODY


def fit_to_show(name: str) -> str:
    """A name as it may be stored and shown: printable, not too long."""
    return "".join(letter for letter in name if letter.isprintable()).strip()[:MOST_NAME]
