"""A real SMTP server on loopback for tests: takes whole messages, fails as it is told, records what came."""

from __future__ import annotations

import asyncio
import base64
import email
import email.policy
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from types import TracebackType


@dataclass
class Taken:
    """One message as it came: from whom, to whom, and its bytes."""

    sender: str
    to: list[str]
    raw: bytes
    connection: int
    tls: bool
    user: str

    @property
    def message(self) -> EmailMessage:
        """The message, read."""
        read = email.message_from_bytes(self.raw, policy=email.policy.default)
        assert isinstance(read, EmailMessage)
        return read

    @property
    def text(self) -> str:
        """The body of the message."""
        return str(self.message.get_content()).replace("\r\n", "\n")


@dataclass
class Mail:
    """``async with Mail() as server``. ``refuse`` maps a command ("RCPT") to the line it is answered with; at ``hang``
    the server falls silent; ``at_once`` means TLS from the first byte; ``login`` is the name and password."""

    tls: ssl.SSLContext | None = None
    at_once: bool = False
    login: tuple[str, str] | None = None
    refuse: Mapping[str, str] = field(default_factory=dict)
    hang: str = ""
    taken: list[Taken] = field(default_factory=list)
    connections: int = 0

    async def __aenter__(self) -> Mail:
        self._tasks: set[asyncio.Task[None]] = set()
        tls = self.tls if self.at_once else None
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.ensure_future(_Session(self, reader, writer, self.connections).run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Session:
    def __init__(
        self, mail: Mail, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        self._mail, self._reader, self._writer = mail, reader, writer
        self._number, self._tls, self._user = number, mail.at_once, ""
        self._sender, self._to = "", list[str]()

    async def run(self) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError):
            try:
                if self._mail.hang == "CONNECT":
                    await asyncio.Event().wait()
                await self._say("220 invented")
                while await self._one():
                    pass
            finally:
                self._writer.close()

    async def _one(self) -> bool:
        line = (await self._reader.readuntil(b"\r\n")).decode().rstrip("\r\n")
        verb = line[:4].upper()
        if verb == self._mail.hang:
            await asyncio.Event().wait()
        if verb in self._mail.refuse:
            await self._say(self._mail.refuse[verb])
            return True
        answers = {"EHLO": self._hello, "STAR": self._start_tls, "AUTH": self._sign_in, "DATA": self._data}
        if verb in answers:
            await answers[verb](line)
        elif verb == "QUIT":
            await self._say("221 bye")
            return False
        else:
            self._note(verb, line)
            await self._say("250 fine")
        return True

    def _note(self, verb: str, line: str) -> None:
        address = line.partition("<")[2].partition(">")[0]
        if verb == "MAIL":
            self._sender, self._to = address, []
        elif verb == "RCPT":
            self._to.append(address)

    async def _hello(self, line: str) -> None:
        offers = ["invented", "8BITMIME", "SMTPUTF8"]
        offers += ["STARTTLS"] if self._mail.tls and not self._tls else []
        offers += ["AUTH PLAIN"] if self._mail.login else []
        await self._say(*[f"250-{one}" for one in offers[:-1]], f"250 {offers[-1]}")

    async def _start_tls(self, line: str) -> None:
        await self._say("220 go on")
        await self._writer.start_tls(self._mail.tls)  # type: ignore[arg-type]
        self._tls = True

    async def _sign_in(self, line: str) -> None:
        _, name, password = base64.b64decode(line.split(" ")[2]).decode().split("\0")
        self._user = name
        await self._say("235 welcome" if (name, password) == self._mail.login else f"535 no, {name}")

    async def _data(self, line: str) -> None:
        await self._say("354 go on")
        raw = (await self._reader.readuntil(b"\r\n.\r\n"))[:-3]
        taken = Taken(
            self._sender, self._to, raw.replace(b"\r\n..", b"\r\n."), self._number, self._tls, self._user
        )
        self._mail.taken.append(taken)
        await self._say("250 taken")

    async def _say(self, *lines: str) -> None:
        self._writer.write("".join(f"{line}\r\n" for line in lines).encode())
        await self._writer.drain()
