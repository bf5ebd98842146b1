"""Targets: where a person is told, checked and masked. An address is personal, an ntfy topic and an Apprise address are
passwords: they are shown only through ``Target.masked``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from urllib.parse import urlsplit

from shared.domain.errors import PermanentError

MOST_TARGETS = 5
"""Ways to one person."""

MOST_ADDRESS = 500
"""Characters of one address."""

NTFY = "https://ntfy.sh"


class Way(StrEnum):
    """How a person is reached."""

    EMAIL = "email"
    NTFY = "ntfy"
    APPRISE = "apprise"  # Telegram and many others, where the extra is installed


_NAMES = """
46elks bulksms bulkvs burstsms chanify clickatell clicksend cm d7sms dingtalk discord feishu firehydrant
flock freemobile gchat guilded gupshup httpsms ifttt ilert incidentio join kumulos lark line mobilemsg msg91
msgbird nexmo octopush onesignal pbul plivo pover prowl push pushed pushme pushplus pushward pushy revolt
schan serwersms seven signalgrid slack smsmgr smstunnel spike spugpush spush stackfield strmlabs telesign
telnyx tgram threema twilio viber voipms vonage webex wecombot whapi whatsapp wpush wxpusher wxteams youlmk
zalo
"""

SERVICES = frozenset(_NAMES.split())
"""Services of Apprise that call one host of their own and no other, as long as their address has no options (VERIFIED:
read in the plug-ins of Apprise 2.2.0; "tgram" is Telegram). Those that call a host the user names ("json://",
"mailto://", Home Assistant) are left to the settings (NOTIFY_APPRISE_URLS): whoever fills in a form must not make us
call into the network we run in."""

_MORE = ("?", "#", ",", "://")
"""What an address of a service may not hold after its name. Options (after "?") make Apprise fetch any URL or read any
file ("template="), and wait for hours ("rto=", "retry="); after a comma it reads a second address, of any service
(VERIFIED: Apprise 2.2.0). Channels that are written with "#" have a name without it too."""

_EMAIL = re.compile(r"[^\s@<>(),;:\"\[\]\\]{1,64}@[^\s@<>(),;:\"\[\]\\]+\.[^\s@<>(),;:\"\[\]\\]+")
_TOPIC = re.compile(r"[A-Za-z0-9_-]{8,64}")
_APPRISE = re.compile(r"([a-z0-9][a-z0-9+_]*)://[^\s/][!-~]*")


class TargetRefused(PermanentError):
    """An address nobody can be told at; ``why`` is a word for the page: ``email``, ``ntfy``, ``apprise``, ``service``,
    ``options``, ``long``, ``way``."""

    def __init__(self, why: str, text: str) -> None:
        super().__init__(text)
        self.why = why


@dataclass(frozen=True, slots=True)
class Target:
    """One way to somebody."""

    way: Way
    address: str = field(repr=False)

    @property
    def mark(self) -> str:
        """A name of it that gives nothing away: the same for the same address."""
        return f"{self.way.value}-{sha256(self.address.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"

    @property
    def masked(self) -> str:
        """As a screen may show it: enough to recognise, too little to use."""
        if self.way is Way.EMAIL:
            name, _, domain = self.address.partition("@")
            return f"{name[:1]}…@{domain}"
        if self.way is Way.NTFY:
            host, topic = ntfy_of(self.address)
            return f"{urlsplit(host).hostname}/{topic[:2]}…"
        return f"{self.address.partition(':')[0]}://…"


def target(way: str, written: str) -> Target:
    """What somebody typed, checked. Raises ``TargetRefused``."""
    address = written.strip()
    if len(address) > MOST_ADDRESS:
        raise TargetRefused("long", f"an address has at most {MOST_ADDRESS} characters")
    if way == Way.EMAIL:
        if not _EMAIL.fullmatch(address) or not address.isprintable():
            raise TargetRefused("email", "that is no e-mail address")
        return Target(Way.EMAIL, address)
    if way == Way.NTFY:
        _check_ntfy(address)
        return Target(Way.NTFY, address)
    if way == Way.APPRISE:
        found = _APPRISE.fullmatch(address)
        if found is None:
            raise TargetRefused("apprise", "that is no address of Apprise (service://...)")
        if found[1] not in SERVICES:
            raise TargetRefused("service", f"{found[1]}:// is not among the services one may choose here")
        if any(sign in address[found.end(1) + len("://") :] for sign in _MORE):
            raise TargetRefused(
                "options", "an address of Apprise has no options here: no ?, #, comma or second ://"
            )
        return Target(Way.APPRISE, address)
    raise TargetRefused("way", "there is no such way to be told")


def ntfy_of(address: str) -> tuple[str, str]:
    """Server and topic of an ntfy address: a topic alone is on the public server."""
    if "://" not in address:
        return NTFY, address
    server, _, topic = address.rstrip("/").rpartition("/")
    return server, topic


def _check_ntfy(address: str) -> None:
    server, topic = ntfy_of(address)
    try:
        parts = urlsplit(server)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
        parts = urlsplit("")
    plain = (
        host and "@" not in parts.netloc and not parts.query and not parts.fragment and port in (None, 443)
    )
    if parts.scheme != "https" or not plain or not _TOPIC.fullmatch(topic):
        raise TargetRefused(
            "ntfy", "an ntfy address is a topic of 8 to 64 letters, digits, - or _, or https://server/topic"
        )
