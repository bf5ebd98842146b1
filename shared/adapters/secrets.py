"""Secrets from the process's settings: in Azure these are Key Vault references, resolved by the platform itself."""

from __future__ import annotations

from collections.abc import Mapping

from shared.domain.errors import AuthFailed


class SettingSecrets:
    """The port ``Secrets`` over a mapping of settings."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings

    def get(self, name: str) -> str:
        """The secret. Raises ``AuthFailed`` naming the setting that is missing or empty, never a value."""
        value = self._settings.get(name, "")
        if not value:
            raise AuthFailed(f"the setting {name} is missing: an account of the portfolio refers to it")
        return value
