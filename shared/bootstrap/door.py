"""The console's door before an engine: who is it, and may they, then the pages and the API."""

from __future__ import annotations

import time

from shared.config import Settings
from shared.engine.operations import Operations
from shared.state.notes import NoteStore
from shared.state.people import PeopleStore
from shared.web.desk import Desk
from shared.web.door import Door
from shared.web.limit import Limit
from shared.web.local_keys import LocalKeys
from shared.web.render import Pages
from shared.web.sign_in import AzureSignIn, LocalSignIn, SignIn


def open_door(operations: Operations, settings: Settings) -> Door:
    """A door that signs people in as the settings say: by Azure's headers, or by this machine's own code."""
    tables = operations.world.tables
    keys = LocalKeys(settings.sign_in_key, NoteStore(tables)) if settings.sign_in == "local" else None
    sign_in: SignIn = (
        LocalSignIn(keys)
        if keys is not None
        else AzureSignIn(PeopleStore(tables), settings.auth_enabled, settings.operators)
    )
    desk = Desk(operations, Pages(), settings.public_base_url, keys)
    calls = settings.requests_per_minute
    return Door(desk, sign_in, Limit(calls, 60, time.monotonic), Limit(60, 60, time.monotonic))
