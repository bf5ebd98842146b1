"""The channels of notices, as the settings name them: a part of the bootstrap, imported where an engine is built."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.adapters.notify_many import NotifyMany
    from shared.config import Settings
    from shared.config_notify import NotifySettings
    from shared.ports import Channel, Http, NewId, Recipients, Tables, Telemetry


def open_notify(
    settings: Settings, tables: Tables, http: Http, telemetry: Telemetry, new_id: NewId
) -> NotifyMany:
    """Every channel the settings name, behind the table of what was told."""
    from shared.adapters.log_voice import LogNotify
    from shared.adapters.notify_many import NotifyMany
    from shared.state.owners import OwnerStore
    from shared.state.told import ToldStore

    recipients = OwnerStore(tables).recipients
    named = [one for one in settings.notify.channels if one != "log"]
    return NotifyMany(
        [channel(one, settings, http, telemetry, recipients, tables.now) for one in named],
        ToldStore(tables),
        telemetry,
        now=tables.now,
        new_id=new_id,
        at_once=[LogNotify(settings.language)] if "log" in settings.notify.channels else [],
    )


def channel(
    name: str,
    settings: Settings,
    http: Http,
    telemetry: Telemetry,
    recipients: Recipients,
    now: Callable[[], datetime],
) -> Channel:
    """One channel by its name in ``NOTIFY`` ("log" too)."""
    makers: dict[str, Callable[[], Channel]] = {
        "log": lambda: _log(settings.language),
        "smtp": lambda: _smtp(settings.notify, telemetry, recipients, now),
        "ntfy": lambda: _ntfy(settings.notify, http),
        "json": lambda: _json(settings.notify, http, now),
        "apprise": lambda: _apprise(settings.notify),
    }
    return makers[name]()


def _log(language: str) -> Channel:
    from shared.adapters.log_voice import LogNotify

    return LogNotify(language)


def _smtp(
    settings: NotifySettings, telemetry: Telemetry, recipients: Recipients, now: Callable[[], datetime]
) -> Channel:
    from shared.adapters.notify_smtp import MailServer, SmtpChannel
    from shared.ports import Recipient

    server = MailServer(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_security,
        settings.smtp_user,
        settings.smtp_password,
        settings.smtp_from,
    )
    return SmtpChannel(server, Recipient(settings.email), recipients, telemetry, now=now)


def _ntfy(settings: NotifySettings, http: Http) -> Channel:
    from shared.adapters.notify_ntfy import NtfyChannel

    return NtfyChannel(http, settings.ntfy_url, settings.ntfy_topic, settings.ntfy_token)


def _json(settings: NotifySettings, http: Http, now: Callable[[], datetime]) -> Channel:
    from shared.adapters.notify_json import JsonChannel

    return JsonChannel(http, settings.json_url, now=now, key=settings.json_key)


def _apprise(settings: NotifySettings) -> Channel:
    from shared.adapters.notify_apprise import AppriseChannel

    return AppriseChannel(settings.apprise_urls)
