"""Where secrets enter the process: each is told to the watch where the code itself gets hold of it, so that no fixture
has to."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any

from tests.planted import KEY, SHOWN, WATCH

PUBLIC = ("UseDevelopmentStorage=true", "replace-me", "devstoreaccount1", "SAS_KEY_VALUE")
"""What stands in secrets' places and is none: the samples' own, and the emulators' published keys."""

_UNGUESSABLE = re.compile(r"[A-Za-z0-9_-]{16,}")
_NAMED = ("SECRET", "TOKEN", "PASSWORD", "TOPIC", "APPRISE", "JSON", "KEY")


def watch_sources() -> None:
    """Once a process, before the first test."""
    from local import run_stack
    from shared.adapters.secrets import SettingSecrets
    from shared.config import Settings
    from shared.config_notify import NotifySettings
    from shared.connectors.ical import IcalConnector
    from shared.state.accounts import AccountStore
    from shared.web.local_keys import LocalKeys

    for settings in (Settings, NotifySettings):
        after(settings, "__init__", lambda of, *_, **__: _fields(of))
    before(SettingSecrets, "get", lambda of, name: _plant(of._settings.get(name, "")))
    before(IcalConnector, "fetch", lambda _, url, *__: _address(url))
    before(LocalKeys, "__init__", lambda _, key, *__: _plant(key, SHOWN))
    before(run_stack.Stack, "start_hosts", lambda of: _values(of.values))
    _tokens(AccountStore)


def before(owner: Any, name: str, told: Callable[..., None]) -> None:
    """Have ``told`` hear the arguments of each call."""
    inner = getattr(owner, name)

    @functools.wraps(inner)
    def watched(*args: Any, **kwargs: Any) -> Any:
        told(*args, **kwargs)
        return inner(*args, **kwargs)

    setattr(owner, name, watched)


def after(owner: Any, name: str, told: Callable[..., None]) -> None:
    """The same, once the call is over."""
    inner = getattr(owner, name)

    @functools.wraps(inner)
    def watched(*args: Any, **kwargs: Any) -> Any:
        result = inner(*args, **kwargs)
        told(*args, **kwargs)
        return result

    setattr(owner, name, watched)


def _tokens(store: Any) -> None:
    """The secrets of our own calendars' addresses, where they are first stored."""
    inner = store.put_links

    @functools.wraps(inner)
    async def watched(self: Any, links: Iterable[tuple[str, Any]]) -> None:
        links = list(links)
        for token, _ in links:
            _plant(token, SHOWN)
        await inner(self, links)

    store.put_links = watched


def _fields(of: Any) -> None:
    for one in fields(of):
        if "secret" in one.metadata and one.name not in ("operators", "email"):
            _each(getattr(of, one.name))


def _each(value: object) -> None:
    if isinstance(value, str):
        _plant(value)
    elif isinstance(value, Mapping):
        _each(tuple(value.values()))
    elif isinstance(value, tuple | frozenset):
        for one in value:
            _each(one)


def _values(values: Mapping[str, str]) -> None:
    """The settings of hosts that run as processes of their own, for good: they outlive the test that started them."""
    for name, value in values.items():
        if any(word in name for word in _NAMED):
            _plant(value, SHOWN if name.startswith("WEBHOOK_SECRET") else KEY, lasting=True)


def _address(url: str) -> None:
    """What is secret in the address of a platform's calendar: whatever behind the host nobody could guess."""
    for piece in _UNGUESSABLE.findall(url.partition("://")[2].partition("/")[2]):
        if len(set(piece)) > 6:
            _plant(piece)


def _plant(value: str, kind: str = KEY, *, lasting: bool = False) -> None:
    if not any(word in value for word in PUBLIC):
        WATCH.plant(value, kind, lasting=lasting)
