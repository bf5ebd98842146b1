"""The conflict room: double bookings over HTTP. Look at them, say that somebody takes care, decide.

A decision names the ETag of what its maker read, so that of two people one decides and the other learns who did, and
nobody decides about facts that are no longer so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from shared.domain.conflict_alerts import home_of
from shared.domain.conflict_policy import POLICY
from shared.domain.errors import Moved, NotFound, PayloadRejected
from shared.domain.model import BookingConflict, ConflictSeverity, Decision, SiteState
from shared.domain.proposals import kind_of
from shared.domain.spoken import LANGUAGES, Said, moment
from shared.engine import conflict_text
from shared.engine.answers import json_answer, problem, problem_in_words
from shared.engine.conflict_decide import AlreadyDecided, Decisions, FactsChanged, Wish
from shared.engine.conflict_options import Options
from shared.engine.conflict_version import read_tag, seen
from shared.engine.conflict_view import Json, View
from shared.engine.opaque import unsealed
from shared.engine.who import who
from shared.engine.work import parse_request
from shared.engine.world import World
from shared.use_cases import HttpAnswer

KEPT = timedelta(days=30)
"""How long what is over stays in the list."""

MOST_NOTE = 500
"""Characters of a person's note."""

_FIELDS = ("proposal", "note")


class ConflictRoom:
    """Answers what people ask about conflicts."""

    def __init__(self, world: World, options: Options, decisions: Decisions) -> None:
        self._world = world
        self._options = options
        self._decisions = decisions

    async def listed(self) -> HttpAnswer:
        """200 with every conflict, open ones on top, the worst and soonest first; what is over for 30 days."""
        now = self._world.now()
        found: list[tuple[tuple[object, ...], Json]] = []
        for site in await self._world.accounts.directory("site"):
            state = await self._state(site)
            view = View(self._world, state) if state is not None else None
            for clash in state.conflicts.values() if state is not None else ():
                if view is not None and (clash.ended_at is None or now - clash.ended_at <= KEPT):
                    found.append((_order(clash), view.short(clash)))
        found.sort(key=lambda item: item[0])
        return json_answer(200, {"at": now.isoformat(), "conflicts": [shown for _, shown in found]})

    async def shown(self, name: str) -> HttpAnswer:
        """200 with the conflict, its proposals, and the ETag that a decision must name; 404 for no conflict of ours."""
        try:
            state, clash = await self._load(name)
        except NotFound as wrong:
            return problem(404, str(wrong))
        return await self._answer(state, clash)

    async def acknowledge(self, name: str, headers: Mapping[str, str]) -> HttpAnswer:
        """200 with the conflict, acknowledged by whoever was first; 404; 409 for one that is over."""
        try:
            site, conflict = _place(name)
            state, clash = await self._decisions.acknowledge(site, conflict, who(headers))
        except NotFound as wrong:
            return problem(404, str(wrong))
        except FactsChanged as wrong:
            return problem_in_words(409, "over", _joined("", wrong.what))
        return await self._answer(state, clash)

    async def resolve(self, name: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """Decide. 200 with the conflict as it is then; 400 naming a wrong field, 404, 409 when somebody was first, 412
        when the facts have changed, 428 without If-Match."""
        try:
            site, conflict = _place(name)
            wish = _wish(headers, body)
        except NotFound as wrong:
            return problem(404, str(wrong))
        except PayloadRejected as wrong:
            return problem(400, str(wrong))
        if wish is None:
            return problem_in_words(428, "unread", _UNREAD)
        try:
            state, clash = await self._decisions.decide(site, conflict, wish)
        except NotFound as wrong:
            return problem(404, str(wrong))
        except AlreadyDecided as wrong:
            return await self._too_late(site, conflict, wrong.decision)
        except FactsChanged as wrong:
            return problem_in_words(412, "facts-changed", _joined("changed", wrong.what))
        return await self._answer(state, clash)

    async def _answer(self, state: SiteState, clash: BookingConflict) -> HttpAnswer:
        proposals = await self._options.of(state, clash)
        shown = View(self._world, state).whole(clash, proposals)
        return json_answer(200, shown, etag=seen(clash).tag)

    async def _too_late(self, site: str, conflict: str, decision: Decision) -> HttpAnswer:
        state, clash = await self._decisions.load(site, conflict)
        zone = home_of(state, clash).zone
        return problem_in_words(409, "already-decided", _decided_by(decision, zone), etag=seen(clash).tag)

    async def _load(self, name: str) -> tuple[SiteState, BookingConflict]:
        return await self._decisions.load(*_place(name))

    async def _state(self, site: str) -> SiteState | None:
        try:
            return await self._world.sites.load(site)
        except (NotFound, Moved):
            return None


def _place(name: str) -> tuple[str, str]:
    """Site and conflict. Raises ``NotFound`` for a word that is none of ours."""
    try:
        site, conflict = unsealed(name, 2)
    except PayloadRejected:
        raise NotFound("there is no such conflict") from None
    return site, conflict


def _wish(headers: Mapping[str, str], body: bytes) -> Wish | None:
    """What is wished, or None where it does not say what it rests on. Raises ``PayloadRejected`` naming the field."""
    fields = parse_request(body)
    unknown = sorted(fields.keys() - set(_FIELDS))
    if unknown:
        raise PayloadRejected(f"unknown field {unknown[0][:40]!r}: there are {', '.join(_FIELDS)}")
    if not fields.get("proposal"):
        raise PayloadRejected("proposal is missing: the id of one of the conflict's proposals")
    note = fields.get("note", "")
    if len(note) > MOST_NOTE or not note.replace("\n", " ").isprintable():
        raise PayloadRejected(f"note is longer than {MOST_NOTE} characters, or holds control characters")
    tag = next((value for key, value in headers.items() if key.lower() == "if-match"), "").strip()
    if tag in ("", "*"):
        return None
    before = read_tag(tag)
    if before is None:
        raise PayloadRejected("If-Match is no ETag of this conflict: send the one you got with it")
    return Wish(fields["proposal"], who(headers), note, before)


def _order(clash: BookingConflict) -> tuple[object, ...]:
    """Open ones first, the worst and soonest of them; then what is over, the latest first."""
    if clash.ended_at is None:
        return (0, list(ConflictSeverity).index(clash.severity), clash.conflict_dates, clash.id)
    return (1, -clash.ended_at.timestamp(), clash.conflict_dates, clash.id)


_UNREAD: Said = {
    "fr": "Lisez d'abord le conflit, puis renvoyez son ETag dans If-Match.",
    "en": "Read the conflict first, then send its ETag in If-Match.",
}
_CHANGED: Said = {"fr": "Les faits ont changé : ", "en": "The facts have changed: "}


def _joined(kind: str, what: Iterable[Said]) -> Said:
    found: Said = {}
    for language in LANGUAGES:
        text = {"fr": " ; ", "en": "; "}[language].join(one[language] for one in what)
        begin = _CHANGED[language] if kind else ""
        found[language] = f"{begin}{text}." if begin else f"{text[:1].upper()}{text[1:]}."
    return found


def _decided_by(decision: Decision, zone: str) -> Said:
    """ "Déjà décidé par ... le ... à ..." and what."""
    kind = kind_of(decision.proposal)
    found: Said = {}
    for language in LANGUAGES:
        what = f" ({conflict_text.LABELS[kind][language]})" if kind else ""
        at = moment(decision.at, zone, language)
        by = _BY_POLICY[language] if decision.by == POLICY else decision.by
        found[language] = {
            "fr": f"Déjà décidé par {by}, le {at}{what}.",
            "en": f"Already decided by {by} at {at}{what}.",
        }[language]
    return found


_BY_POLICY: Said = {"fr": "la règle du logement", "en": "the home's policy"}
