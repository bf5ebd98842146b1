"""What every connector over HTTP shares: addresses, credentials, one table from status to error, error texts.

A connector itself is data and two translations. It never waits, never retries and never logs; a guard round it
does. Error texts name platform, operation, status and the platform's own reference; never an address with a
token, a header, a body or a guest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from shared.connectors import strict_json
from shared.domain.errors import AuthFailed, PayloadRejected, PlatformDown, RateLimited, SyncError
from shared.meter import calling
from shared.ports.http import Http, Request, Response

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from shared.domain.model import Account
    from shared.domain.platform import Platform
    from shared.ports.people import Secrets

Clock = Callable[[], datetime]
"""The time now, aware and in UTC: the store's, so that it agrees across hosts."""

RetryAfter = Callable[[str | None], float | None]
"""Reads a Retry-After header: seconds to wait, or None when it is missing or rubbish."""

DEADLINE = 10.0
"""Seconds a call may take in all, body included."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call to a platform. ``operation`` names it in error texts, ``host`` is where it goes unless the account says
    otherwise; statuses in ``answers`` are returned to the caller instead of being raised."""

    operation: str
    method: str
    path: str
    host: str
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    answers: frozenset[int] = frozenset()


class HttpConnector:
    """Base of the connectors with an API: subclasses say who they are, how they authorise and what bodies mean."""

    platform: Platform
    title: str
    """The platform's name in error texts."""

    def __init__(
        self,
        http: Http,
        secrets: Secrets,
        *,
        clock: Clock,
        retry_after: RetryAfter,
        deadline: float = DEADLINE,
    ) -> None:
        self._http = http
        self._secrets = secrets
        self._clock = clock
        self._retry_after = retry_after
        self._deadline = deadline

    # ------------------------------------------------------------------------------- for subclasses to say

    async def authorize(self, account: Account) -> Mapping[str, str]:
        """The headers that carry the account's credentials. Raises ``AuthFailed``."""
        raise NotImplementedError

    def renew(self, account: Account, sent: Mapping[str, str]) -> bool:
        """Whether a 401 on these credentials is worth one more call with fresh ones; drops the stale ones."""
        return False

    def reference(self, response: Response) -> str:
        """The platform's own name for this answer, for its support; empty where it has none."""
        return ""

    # ----------------------------------------------------------------------------------- what they call

    def secret(self, account: Account, role: str) -> str:
        """A credential of the account. Raises ``AuthFailed`` naming the role and the setting, never its value."""
        setting = account.secrets.get(role)
        if not setting:
            raise AuthFailed(f"{self.title}: account {account.id} names no setting for its {role}")
        value = self._secrets.get(setting).strip()
        if not value or not value.isascii() or not value.isprintable():
            raise AuthFailed(f"{self.title}: setting {setting} is empty or holds what no header may carry")
        return value

    async def call(self, account: Account, call: Call) -> Response:
        """Make the call with the account's credentials. Raises as ``check`` does, and ``PlatformDown`` when no
        complete answer came in time. A 401 on a token that can be renewed is asked once more: it was refused,
        so nothing happened twice."""
        credentials = await self.authorize(account)
        response = await self.send(account, call, credentials)
        if response.status == 401 and self.renew(account, credentials):
            response = await self.send(account, call, await self.authorize(account))
        self.check(call, response)
        return response

    async def send(self, account: Account, call: Call, credentials: Mapping[str, str]) -> Response:
        """Make the call as it stands; any status is an answer."""
        request = Request(
            method=call.method,
            url=(account.base_url or call.host).rstrip("/") + call.path,
            headers={**call.headers, **credentials},
            body=call.body,
            deadline=self._deadline,
            most_bytes=MOST_BYTES,
        )
        try:
            with calling(self.platform, account.id, call.operation):
                return await self._http.send(request)
        except PlatformDown as error:
            raise PlatformDown(f"{self.title}: {call.operation}: {error}", error.retry_after) from None
        except PayloadRejected as error:
            raise PayloadRejected(f"{self.title}: {call.operation}: {error}") from None

    def check(self, call: Call, response: Response) -> None:
        """Raise what a status means unless it is a success or one the caller asked to see."""
        if 200 <= response.status < 300 or response.status in call.answers:
            return
        wait = self._retry_after(response.headers.get("retry-after"))
        raise error_of(response.status, self.describe(call, response), wait)

    def describe(self, call: Call, response: Response) -> str:
        """The start of every error text about an answer."""
        reference = self.reference(response)
        return f"{self.title}: {call.operation}: HTTP {response.status}" + (
            f" ({reference})" if reference else ""
        )

    def read_json(self, call: Call, response: Response) -> object:
        """The body as JSON. Raises ``PlatformDown`` for a body nobody can read, a login page for one: what it did
        is then unknown, and asking again may help."""
        try:
            return strict_json.load(response.body, most_bytes=MOST_BYTES)
        except PayloadRejected as error:
            raise PlatformDown(f"{self.describe(call, response)}: {error}") from None

    def read_xml(self, call: Call, response: Response) -> Element:
        """The body as XML, as ``read_json`` does it."""
        from shared.connectors import strict_xml

        try:
            root = strict_xml.load(response.body)
        except PayloadRejected as error:
            raise PlatformDown(f"{self.describe(call, response)}: {error}") from None
        if root.tag.lower() == "html":
            raise PlatformDown(f"{self.describe(call, response)}: a web page instead of an answer")
        return root


MOST_BYTES = 8 * 1024 * 1024
"""Bytes of an answer we read: a full queue, or a page of reservations."""


def error_of(status: int, text: str, wait: float | None) -> SyncError:
    """What a status that is no success means for the caller: try again, stop, or ask a person.

    408 says, like a 5xx, that the platform gave up half-way; a redirect is a maintenance page.
    """
    if status in (401, 403):
        return AuthFailed(text)
    if status == 429:
        return RateLimited(text, wait)
    if status == 408 or not 400 <= status < 500:
        return PlatformDown(text, wait)
    return PayloadRejected(text)


def plain_word(text: object, most: int = 60) -> str:
    """A platform's error code as it may stand in our own texts: letters, digits and few signs, else nothing.

    Free text of the platform is left out: it can repeat what a guest wrote, or a line break into a log.
    """
    word = str(text).strip()
    allowed = word.isascii() and all(sign.isalnum() or sign in "_-." for sign in word)
    return word if allowed and len(word) <= most else ""


def strange_word(text: str | None) -> str:
    """A status we do not know, as it may stand in a text for people: itself where it is a plain word."""
    return (plain_word(text) or "(unreadable)") if text else "(none)"


def short_name(first: object, last: object) -> str:
    """A guest as the console needs one: first name and initial, nothing more is kept."""
    given = first.strip()[:60] if isinstance(first, str) else ""
    family = last.strip() if isinstance(last, str) else ""
    return f"{given} {family[0]}." if given and family else given or family[:60]
