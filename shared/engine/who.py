"""Who asks: the one place that says in whose name a request of the console acts.

Azure's sign-in (App Service authentication) puts the name into a header it takes away from everybody else; where it
is switched off, on a laptop, whoever reaches the console is "local". Who may do what is not judged here yet.
"""

from __future__ import annotations

from collections.abc import Mapping

PRINCIPAL = "X-MS-CLIENT-PRINCIPAL-NAME"
"""The header with the name of who signed in (VERIFIED: learn.microsoft.com, "Work with user identities in Azure App
Service authentication")."""

LOCAL = "local"
"""Who acts where nobody signs in."""

MOST_NAME = 100
"""Characters of a name that are kept."""


def who(headers: Mapping[str, str]) -> str:
    """The name of who asks, fit to be stored and shown; header names count in any case."""
    found = next((value for name, value in headers.items() if name.lower() == PRINCIPAL.lower()), "")
    shown = "".join(letter for letter in found if letter.isprintable()).strip()
    return shown[:MOST_NAME] or LOCAL
