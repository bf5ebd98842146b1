"""Words of a platform's that we do not know: each is a task for a person, once, whoever met it first.

A status we do not know holds its nights; an action we do not know is a doorbell where it names a reservation. So
nothing is lost; but somebody should learn what the word means before the first guest is kept out by it.
"""

from __future__ import annotations

import json

from shared.domain.errors import StaleWrite, SyncError
from shared.domain.platform import Platform
from shared.engine.world import World
from shared.ports.people import Notice

MOST_WORDS = 50
"""Words of one kind and platform that are told of: who makes up more of them than that is no platform."""

_ACCOUNT = "~words"
_TRIES = 3


class Words:
    """Tells of strange words."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._met: set[tuple[str, str, str]] = set()

    async def tell(self, platform: Platform, kind: str, word: str) -> None:
        """Tell of a word ("status" or "action") unless that was done before, by any host. It is told before that is
        written down: at worst it is told twice. Never fails: the nights it came with must not wait for it."""
        met = (str(platform), kind, word)
        if met in self._met or len(self._met) >= MOST_WORDS * 10:
            return
        try:
            await self._tell(platform, kind, word)
        except SyncError as wrong:
            self._world.telemetry.event("word_not_told", platform=platform, kind=kind, why=str(wrong))
            return
        self._met.add(met)

    async def _tell(self, platform: Platform, kind: str, word: str) -> None:
        name, told = f"{platform}|{kind}", False
        for _ in range(_TRIES):
            note = await self._world.notes.read(_ACCOUNT, name)
            known: list[str] = json.loads(note.text or "[]")
            if word in known or len(known) >= MOST_WORDS:
                return
            if not told:
                await self._world.notify.tell(_notice(platform, kind, word))
                told = True
            try:
                await self._world.notes.swap(_ACCOUNT, name, json.dumps([*known, word]), note.etag)
            except StaleWrite:
                continue
            return


def _notice(platform: Platform, kind: str, word: str) -> Notice:
    french, english = {
        "status": (
            f"{platform} donne à une réservation l’état «\u202f{word}\u202f», que nous ne connaissons "
            "pas. Ses nuits restent fermées partout. Regardez sur la plateforme ce qu’il veut dire.",
            f"{platform} gives a reservation the status '{word}', which we do not know. Its nights stay closed "
            "everywhere. Look on the platform what it means.",
        ),
        "action": (
            f"{platform} nous envoie un message «\u202f{word}\u202f», que nous ne connaissons pas. Ce "
            "qu’il nomme a été relu\u202f; rien n’a été ouvert.",
            f"{platform} sends us a message '{word}', which we do not know. What it names was read again; nothing "
            "was opened.",
        ),
    }[kind]
    return Notice(f"unknown_{kind}", f"{platform}/{word}", "high", {"fr": french, "en": english})
