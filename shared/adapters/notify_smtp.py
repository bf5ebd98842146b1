"""Notices by e-mail: the standard library's client in a thread, one connection a message, plain text.

A header cannot be forged: texts are put on one line first, addresses must be one plain address, and Python's own
message refuses line breaks in a field. What a mail server answers may name the address, so only its code is passed on.
"""

from __future__ import annotations

import asyncio
import smtplib
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from shared.adapters.notify_text import body, is_address, plain_id, title
from shared.domain.errors import AuthFailed, PayloadRejected, PlatformDown, SyncError
from shared.ports.people import Notice, Recipient, Recipients, Telemetry

TIMEOUT = 10.0
"""Seconds for a message, from the connection to the server's yes."""

_HELLO = "[127.0.0.1]"
"""How we greet. Left alone, the library asks the DNS for this machine's own name, which can take many seconds."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over. ``security`` is "starttls" (587), "tls" (465) or "none" (this very machine only)."""

    host: str
    port: int = 587
    security: str = "starttls"
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    sender: str = field(default="", repr=False)


class SmtpChannel:
    """The port ``Channel`` over SMTP."""

    name = "smtp"

    def __init__(
        self,
        server: MailServer,
        fallback: Recipient,
        recipients: Recipients,
        telemetry: Telemetry,
        *,
        now: Callable[[], datetime],
        trust: ssl.SSLContext | None = None,
        seconds: float = TIMEOUT,
    ) -> None:
        """``recipients`` names who takes an owner's notices (those who chose a way of their own get nothing here);
        ``fallback`` takes what belongs to nobody who gave an address. ``trust`` replaces the machine's own
        authorities."""
        self._server = server
        self._fallback = fallback
        self._recipients = recipients
        self._telemetry = telemetry
        self._now = now
        self._trust = trust
        self._seconds = seconds

    async def send(self, notice: Notice) -> None:
        """A message of its own to each person: nobody sees another's address. Where one is refused for good and another
        takes it, that is counted and not tried again, or the other would get it each time."""
        named = await self._recipients(notice.owner) or (self._fallback,)
        people = [one for one in named if not one.chosen]
        outcomes = [await self._outcome(notice, one) for one in people]
        wrong = [one for one in outcomes if one is not None]
        for one in wrong:
            if len(wrong) == len(people) or not isinstance(one, PayloadRejected):
                raise one
            self._telemetry.count("notify_failed", channel=self.name, kind=notice.kind)

    async def _outcome(self, notice: Notice, person: Recipient) -> SyncError | None:
        try:
            await self._hand_over(self._message(notice, person), person.address)
        except SyncError as wrong:
            return wrong
        return None

    def _message(self, notice: Notice, person: Recipient) -> EmailMessage:
        if not is_address(person.address):
            raise PayloadRejected("an owner's e-mail address cannot be used as it stands in the portfolio")
        message = EmailMessage(policy=SMTP)
        message["From"], message["To"] = self._server.sender, person.address
        message["Subject"] = title(notice, person.language)
        message["Date"] = format_datetime(self._now())
        domain = self._server.sender.rpartition("@")[2]
        message["Message-ID"] = f"<{plain_id(notice)}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answering machine answers
        message.set_content(body(notice, person.language) + "\n", charset="utf-8")
        return message

    async def _hand_over(self, message: EmailMessage, address: str) -> None:
        """In a thread; the socket is cut when the time is over, or a server that drips would keep the thread."""
        call = _Call(self._server, self._trust, self._seconds)
        try:
            async with asyncio.timeout(self._seconds):
                await asyncio.to_thread(call.deliver, message, address)
        except TimeoutError:
            raise PlatformDown(f"the mail server gave no answer within {self._seconds:g} s") from None
        finally:
            call.cut()


class _Call:
    """One connection and one message."""

    def __init__(self, server: MailServer, trust: ssl.SSLContext | None, seconds: float) -> None:
        self._server = server
        self._trust = trust
        self._seconds = seconds
        self._client: smtplib.SMTP | None = None

    def deliver(self, message: EmailMessage, address: str) -> None:
        """Connect, hand over, leave. Raises what the port ``Channel`` says."""
        try:
            self._client = client = self._connected()
            if self._server.user:
                client.login(self._server.user, self._server.password)
            client.send_message(message, self._server.sender, [address])
            with suppress(OSError, smtplib.SMTPException):
                client.quit()
        except smtplib.SMTPException as wrong:
            raise _error(wrong) from None
        except ssl.SSLError:
            raise PlatformDown("the mail server's TLS was not accepted") from None
        except UnicodeError:
            raise PayloadRejected(
                "the address, name or password for the mail server cannot be written"
            ) from None
        except OSError as wrong:
            raise PlatformDown(f"the mail server cannot be reached ({type(wrong).__name__})") from None

    def cut(self) -> None:
        """End the connection from outside: whatever the thread waits for fails at once."""
        connection = getattr(self._client, "sock", None)
        if isinstance(connection, socket.socket):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _connected(self) -> smtplib.SMTP:
        host, port = self._server.host, self._server.port
        if self._server.security == "tls":
            self._client = smtplib.SMTP_SSL(
                local_hostname=_HELLO, timeout=self._seconds, context=self._context()
            )
        else:
            self._client = smtplib.SMTP(local_hostname=_HELLO, timeout=self._seconds)
        # What the library checks a certificate against; it sets it only where the host is given at once.
        self._client._host = host  # type: ignore[attr-defined]
        self._client.connect(host, port)
        if self._server.security == "starttls":
            self._client.starttls(context=self._context())
        return self._client

    def _context(self) -> ssl.SSLContext:
        return self._trust or ssl.create_default_context()


def _error(wrong: smtplib.SMTPException) -> SyncError:
    if isinstance(wrong, smtplib.SMTPAuthenticationError):
        return AuthFailed(f"the mail server refused our name or password ({wrong.smtp_code})")
    if isinstance(wrong, smtplib.SMTPNotSupportedError):
        return PayloadRejected(
            "the mail server cannot do what we need (STARTTLS, sign-in, or UTF-8 addresses)"
        )
    if isinstance(wrong, smtplib.SMTPRecipientsRefused):
        code = next((code for code, _ in wrong.recipients.values()), 0)
        return _by_code(code, "the recipient")
    if isinstance(wrong, smtplib.SMTPResponseException):
        return _by_code(wrong.smtp_code, "the message")
    return PlatformDown("the mail server broke off")


def _by_code(code: int, what: str) -> SyncError:
    said = f"the mail server refused {what} ({code})"
    return PayloadRejected(said) if code >= 500 else PlatformDown(said)
