"""What webhooks hear while the settings are refused, made of what can still be read of them."""

from __future__ import annotations

import os
from ipaddress import ip_network

from shared.config import SettingsRefused, callers
from shared.engine.shut import Shut


def open_shut(refused: SettingsRefused) -> Shut:
    """Tells those who may call from strangers; ``refused`` is what the former raise. Raises nothing itself."""
    secrets, named = callers(os.environ)
    networks = {name: tuple(ip_network(one) for one in listed) for name, listed in named.items()}
    return Shut(secrets, networks, refused)
