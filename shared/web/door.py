"""The door: every request of a person passes it. How fast, who, what right, forged or not; then the handler, and on
its answer what keeps a browser safe."""

from __future__ import annotations

import functools
import gzip
import importlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from math import ceil
from typing import cast

from shared.domain.access import NOBODY, Right
from shared.engine.stamps import OLD
from shared.engine.webhooks import caller
from shared.routes import Route
from shared.state.people import KEPT
from shared.state.table_keys import KeyTooLong
from shared.use_cases import Ask, HttpAnswer
from shared.web import csrf
from shared.web.api.checks import is_too_large, named_well, wrong_with
from shared.web.cookies import YEAR, cookie, cookies
from shared.web.desk import Desk
from shared.web.forms import form
from shared.web.language import spoken_by
from shared.web.limit import Limit
from shared.web.refusals import refuse
from shared.web.render import see
from shared.web.sign_in import SignIn
from shared.web.ticks import is_tick

Handler = Callable[[Desk, Ask], Awaitable[HttpAnswer]]

SAFE = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not "no-referrer": a form's Origin would be "null" then, and it is one of the proofs that a form is ours.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
"""Headers of every answer."""

_HTTPS = {"strict-transport-security": "max-age=31536000"}
TICKING = OLD + timedelta(seconds=30)
"""How old may be what is known of a person whose page asks whether there is news: as long as a page can be without
looking everything up again, and with it the person. A tick tells nothing of any home, and costs one read at most."""

_WORTH_PACKING = 1_000
"""Bytes from which an answer is compressed."""


@dataclass(frozen=True, slots=True)
class Door:
    """``shared.use_cases.Console`` over a desk."""

    desk: Desk
    sign_in: SignIn
    limit: Limit
    strangers: Limit

    async def answer(self, route: Route, ask: Ask) -> HttpAnswer:
        """Judge, answer, and make the answer safe."""
        sent = cookies(ask.headers)
        secret = sent.get(csrf.FIELD, "")
        fresh = "" if csrf.is_secret(secret) else csrf.new_secret()
        ask = replace(
            ask,
            csrf=csrf.masked(fresh or secret),
            language=spoken_by(ask.headers, sent),
            part="hx-request" in ask.headers,
        )
        answer = await self._judged(route, ask, secret)
        headers = {**SAFE, **(_HTTPS if self.desk.secure else {}), **answer.headers}
        if fresh and route.is_page and "set-cookie" not in headers:
            headers["set-cookie"] = cookie(csrf.FIELD, fresh, age=YEAR, secure=self.desk.secure)
        return _packed(HttpAnswer(answer.status, answer.body, headers), ask)

    async def _judged(self, route: Route, ask: Ask, secret: str) -> HttpAnswer:
        if is_too_large(route, ask):
            return refuse(self.desk.pages, route, ask, 413, "refused.large")
        most = TICKING if route.ticks and is_tick(ask) else KEPT
        person = await self.sign_in.person(ask.headers, self.desk.operations.world.now(), most)
        known = person is not NOBODY
        wait = (
            self.limit.wait(person.principal or person.name)
            if known
            else self.strangers.wait(caller(ask.headers))
        )
        ask = replace(ask, person=person, language=_language(ask, person.language))
        no = functools.partial(refuse, self.desk.pages, route, ask)
        if wait:
            seconds = ceil(wait)
            refused = no(429, "refused.slow", seconds=seconds)
            return replace(refused, headers={**refused.headers, "retry-after": str(seconds)})
        if not known and route.right is not Right.OPEN:
            if route.is_page and not route.changes:
                return see(self.sign_in.where)
            return no(401, "refused.title_401")
        if not person.has(route.right):
            return no(403, "refused.viewer" if person.roles else "refused.no_home", name=person.name)
        if route.changes and not self._is_meant(ask, secret):
            return no(403, "refused.forged")
        try:
            return await self._handled(route, ask) if named_well(ask) else no(404, "refused.nothing")
        except KeyTooLong:  # what can be no key was never stored
            return no(404, "refused.nothing")

    async def _handled(self, route: Route, ask: Ask) -> HttpAnswer:
        if wrong := wrong_with(route, ask):
            return wrong
        answer = await _handler(route.handler)(self.desk, ask)
        if route.changes and route.right is Right.DECIDE and answer.status < 400:
            await self.desk.operations.calendar.stamps.note(route.name)  # who looks at a page sees it soon
        return answer

    def _is_meant(self, ask: Ask, secret: str) -> bool:
        if not csrf.is_ours(ask.headers, self.desk.public):
            return False
        if csrf.cannot_be_forged(ask.headers):
            return True
        token = ask.headers.get(csrf.HEADER, "") or form(ask.body).get(csrf.FIELD, "")
        return csrf.fits(token, secret)


@functools.cache
def _handler(name: str) -> Handler:
    module, _, function = name.partition(":")
    return cast(Handler, getattr(importlib.import_module(f"shared.web.{module}"), function))


def _language(ask: Ask, chosen: str) -> str:
    """A cookie is this browser's choice and goes before what the portfolio says of the person."""
    return ask.language if "language" in cookies(ask.headers) or not chosen else chosen


def _packed(answer: HttpAnswer, ask: Ask) -> HttpAnswer:
    wanted = "gzip" in ask.headers.get("accept-encoding", "")
    if not wanted or len(answer.body) < _WORTH_PACKING or "content-encoding" in answer.headers:
        return answer
    more = {"content-encoding": "gzip", "vary": "accept-encoding"}
    # Level 5: a page of 300 kB in 3 ms.
    return HttpAnswer(answer.status, gzip.compress(answer.body, 5, mtime=0), {**answer.headers, **more})
