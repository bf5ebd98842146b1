"""Shut: what webhooks hear while the settings are refused, and nothing can be stored.

Whose secret is right is asked to come again (503 with Retry-After): a platform repeats what was not taken, and what it
gives up its polls find. Everybody else hears the 404 that a stranger always hears: that something is wrong here is told
to nobody whom it does not concern, and nobody can have us answer 5xx at will.
"""

from __future__ import annotations

from collections.abc import Mapping

from shared.domain.errors import SyncError
from shared.engine.webhooks import Networks, is_known, is_near, not_found
from shared.use_cases import HttpAnswer, WebhookCall


class Shut:
    """Takes no webhooks, and says so to those who may call."""

    def __init__(
        self,
        secrets: Mapping[str, tuple[str, ...]],
        networks: Mapping[str, Networks],
        refused: SyncError,
    ) -> None:
        """``secrets`` and ``networks`` are those of the settings that can be used, by sender; ``refused`` is why
        nothing is taken."""
        self._secrets = secrets
        self._networks = networks
        self._refused = refused

    async def receive_webhook(self, call: WebhookCall) -> HttpAnswer:
        """As ``shared.use_cases.Receiver`` says. Raises why the settings are refused, to whoever knows the secret,
        whatever he asks: the trigger's edge puts it into the log and answers 503."""
        known = is_known(self._secrets, call.platform, call.secret)
        if known and is_near(self._networks, call.platform, call.headers):
            raise self._refused
        return not_found()
