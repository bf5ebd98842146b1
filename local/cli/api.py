"""The control API as the commands call it: one request, one answer, and for each refusal a word about what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import httpx

from local.cli.place import Place
from local.cli.reading import Json, said, text
from local.cli.trouble import A_PERSON, NO_ANSWER, WRONG_USE, Trouble

PATIENCE = httpx.Timeout(30.0, connect=5.0)
"""Seconds: no use case takes longer than 15, and a function app that sleeps needs some to wake."""


LONGEST_PAUSE = 60
"""Seconds that a pause an app asks for is kept at most."""


def at_path(*parts: str) -> str:
    """A path below /api made of names, of which some were typed: none of them leads elsewhere. Raises ``Refusal`` for
    one that can name nothing."""
    if not all(one.strip(".") for one in parts):
        raise Refusal("no such name", 404, {})
    return "/".join(("/api", *(quote(one, safe="") for one in parts)))


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer: its JSON, and the tag of what was read where it has one."""

    status: int
    json: Json
    etag: str = ""
    text: str = field(default="", repr=False)


class Api:
    """Calls the app at one place. ``transport`` stands in for the network."""

    def __init__(self, place: Place, language: str, transport: httpx.BaseTransport | None = None) -> None:
        headers = {"accept-language": language, "user-agent": "sync-engine-cli"}
        if place.token:
            headers["authorization"] = f"Bearer {place.token}"
        self._place = place
        self._language = language
        # A proxy of the environment is for other machines; a redirect would carry the token elsewhere.
        self._client = httpx.Client(
            base_url=place.address,
            headers=headers,
            timeout=PATIENCE,
            transport=transport,
            trust_env=not place.is_here,
            follow_redirects=False,
        )

    @property
    def address(self) -> str:
        """Where the app is."""
        return self._place.address

    def get(self, path: str, **query: str) -> Answer:
        """Look. Raises ``Trouble`` for anything but a good answer."""
        return self._ask("GET", path, query={name: one for name, one in query.items() if one})

    def post(self, path: str, body: object = None, etag: str = "") -> Answer:
        """Change. Raises ``Trouble``."""
        return self._ask("POST", path, headers={"if-match": etag} if etag else {}, json=body)

    def put(self, path: str, content: bytes, kind: str) -> Answer:
        """Hand a text in, of the kind named. Raises ``Trouble``."""
        return self._ask("PUT", path, headers={"content-type": kind}, content=content)

    def close(self) -> None:
        """Free the connection."""
        self._client.close()

    def _ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        json: object = None,
        content: bytes | None = None,
    ) -> Answer:
        try:
            answer = self._client.request(
                method, path, params=query, headers=headers, json=json, content=content
            )
        except httpx.TimeoutException:
            raise Silence("trouble.slow", address=self._place.address) from None
        except (httpx.HTTPError, httpx.InvalidURL) as wrong:
            key = "trouble.not_running" if self._place.is_here else "trouble.unreachable"
            raise Silence(key, address=self._place.address, why=type(wrong).__name__) from None
        if answer.is_success:
            return Answer(answer.status_code, self._read(answer), answer.headers.get("etag", ""), answer.text)
        raise self._refused(answer)

    def _read(self, answer: httpx.Response) -> Json:
        """The JSON of an answer; empty for a good one of another kind."""
        if "json" not in answer.headers.get("content-type", ""):
            return {}
        try:
            value = answer.json()
        except ValueError:
            raise Trouble(NO_ANSWER, "trouble.not_ours", address=self._place.address) from None
        return value if isinstance(value, dict) else {}

    def _refused(self, answer: httpx.Response) -> Trouble:
        status, problem = answer.status_code, self._read(answer)
        why = said(problem, "said", self._language) or text(problem, "detail") or text(problem, "title")
        if status == 401 or answer.is_redirect:
            return Trouble(NO_ANSWER, "trouble.token_here" if self._place.is_here else "trouble.token")
        if not problem:
            return Trouble(NO_ANSWER, "trouble.not_ours", address=self._place.address)
        if status == 429:
            wait = answer.headers.get("retry-after", "")
            return Silence("trouble.busy", pause=int(wait) if wait.isdecimal() else 60)
        if status >= 500:
            trace = text(problem, "correlation") or "?"
            return Silence("trouble.failed", status=status, why=why, correlation=trace)
        if status == 403:
            return Trouble(NO_ANSWER, "trouble.refused", why=why)
        if status in (409, 412, 428):
            return Overtaken(why, status)
        return Refusal(why, status, problem)


class Silence(Trouble):
    """No answer, or none just now: another try may find one, after ``pause`` seconds."""

    def __init__(self, key: str, *, pause: int = 0, **values: object) -> None:
        super().__init__(NO_ANSWER, key, seconds=pause, **values)
        self.pause = min(pause, LONGEST_PAUSE)


class Refusal(Trouble):
    """The app understood the request, and something in it is wrong or not there."""

    def __init__(self, why: str, status: int, problem: Json) -> None:
        super().__init__(WRONG_USE, "trouble.refused", why=why)
        self.status = status
        self.problem = problem


class Overtaken(Trouble):
    """Somebody was faster, or the facts have changed: a person has to look again."""

    def __init__(self, why: str, status: int) -> None:
        super().__init__(A_PERSON, "trouble.overtaken", why=why)
        self.status = status
