"""The settings of notices: which channels there are, and what each needs; what is not named needs nothing."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.config_reader import Reader

CHANNELS = ("log", "smtp", "ntfy", "json", "apprise")
"""Where notices may go. The log alone is the default."""

SECURITIES = ("starttls", "tls", "none")
"""How the way to the mail server is closed: STARTTLS (587), TLS at once (465), or not at all."""

_SECRET = {"secret": True}
_EMAIL = r"[^\s@<>(),;:\"\[\]\\]+@[^\s@<>(),;:\"\[\]\\]+\.[^\s@<>(),;:\"\[\]\\]+"
_HOST = r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?"
_HERE = r"localhost|127\.0\.0\.1|::1"
_KEY = r"whsec_([A-Za-z0-9+/]{4}){4,}([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?|(?!whsec_)[!-~]{16,}"
_ASCII = r"[ -~]+"  # smtplib encodes both as ASCII, and fails on anything else
_APPRISE = r"[a-z][a-z0-9+.-]*://\S+(\s+[a-z][a-z0-9+.-]*://\S+)*"


@dataclass(frozen=True, slots=True, repr=False)
class NotifySettings:
    """What the channels need; empty where it is not named. All but the choices is kept out of texts and logs: an
    address is personal, an ntfy topic and a webhook's address are passwords."""

    channels: tuple[str, ...] = ("log",)
    email: str = field(default="", metadata=_SECRET)
    smtp_host: str = ""
    smtp_port: int = 587
    smtp_security: str = "starttls"
    smtp_user: str = field(default="", metadata=_SECRET)
    smtp_password: str = field(default="", metadata=_SECRET)
    smtp_from: str = field(default="", metadata=_SECRET)
    ntfy_url: str = ""
    ntfy_topic: str = field(default="", metadata=_SECRET)
    ntfy_token: str = field(default="", metadata=_SECRET)
    json_url: str = field(default="", metadata=_SECRET)
    json_key: str = field(default="", metadata=_SECRET)
    apprise_urls: tuple[str, ...] = field(default=(), metadata=_SECRET)

    def __repr__(self) -> str:
        shown = [
            f"{one.name}={'***' if 'secret' in one.metadata and value else repr(value)}"
            for one in fields(self)
            if (value := getattr(self, one.name))
        ]
        return f"NotifySettings({', '.join(shown)})"


def read_notify(ask: Reader) -> NotifySettings:
    """Ask for what the named channels need; what is wrong is kept by ``ask``."""
    channels = ask.words("NOTIFY", CHANNELS)
    security = ask.choice("SMTP_SECURITY", SECURITIES)
    shape, expected = (
        (_HERE, "localhost, since SMTP_SECURITY is none") if security == "none" else (_HOST, "a host")
    )
    host = ask.asked("SMTP_HOST", shape, expected, needed="smtp" in channels)
    apprise = ask.asked(
        "NOTIFY_APPRISE_URLS", _APPRISE, "Apprise addresses separated by blanks", needed="apprise" in channels
    )
    port = ask.asked(
        "SMTP_PORT", r"[1-9]\d{0,4}", "a port number", default="465" if security == "tls" else "587"
    )
    return NotifySettings(
        channels=channels,
        email=ask.asked("NOTIFY_EMAIL", _EMAIL, "one e-mail address", needed="smtp" in channels),
        smtp_host=host,
        smtp_port=int(port) if port.isdecimal() else 0,
        smtp_security=security,
        smtp_user=ask.asked("SMTP_USER", _ASCII, "a name in ASCII"),
        smtp_password=ask.asked("SMTP_PASSWORD", _ASCII, "a password in ASCII"),
        smtp_from=ask.asked("SMTP_FROM", _EMAIL, "one e-mail address", needed="smtp" in channels),
        ntfy_url=ask.target("NTFY_URL", needed=False) or "https://ntfy.sh",
        ntfy_topic=ask.asked(
            "NTFY_TOPIC", r"[A-Za-z0-9_-]{1,64}", "1 to 64 letters, digits, - or _", needed="ntfy" in channels
        ),
        ntfy_token=ask.asked("NTFY_TOKEN", r"[!-~]+", "a token without blanks"),
        json_url=ask.target("NOTIFY_JSON_URL", needed="json" in channels),
        json_key=ask.asked("NOTIFY_JSON_KEY", _KEY, "whsec_ and base64, or 16 or more other characters"),
        apprise_urls=tuple(apprise.split()),
    )
