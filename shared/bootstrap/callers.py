"""Who may call us: signatures, networks and mail senders of the platforms, from the registry and the settings."""

from __future__ import annotations

from ipaddress import ip_network

from shared.config import Settings, SettingsRefused
from shared.connectors.registry import PLATFORMS
from shared.connectors.webhook_signature import verifier
from shared.domain.errors import PayloadRejected
from shared.domain.platform import Platform
from shared.engine.webhooks import Senders


def senders(settings: Settings) -> Senders:
    """What is known of those who call us. Raises ``SettingsRefused`` for signing keys nobody can use."""
    verifiers, problems = {}, []
    for name, keys in settings.webhook_keys.items():
        entry = PLATFORMS.get(Platform(name))
        try:
            verifiers[name] = verifier(entry.signature if entry else "", keys)
        except PayloadRejected as wrong:
            problems.append(f"WEBHOOK_KEY_{name.upper()}: {wrong}")
    if problems:
        raise SettingsRefused(problems)
    networks = {
        name: tuple(ip_network(one) for one in listed) for name, listed in settings.webhook_networks.items()
    }
    return Senders(verifiers, networks, {platform: entry.mail for platform, entry in PLATFORMS.items()})
