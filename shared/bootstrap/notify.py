"""The channels of notices, as the settings name them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.adapters.notify_many import NotifyMany
    from shared.adapters.notify_people import Make
    from shared.config import Settings
    from shared.config_notify import NotifySettings
    from shared.domain.targets import Way
    from shared.ports.http import Http
    from shared.ports.people import Channel, NewId, Recipient, Recipients, Telemetry
    from shared.ports.stores import Tables


def open_notify(
    settings: Settings, tables: Tables, http: Http, telemetry: Telemetry, new_id: NewId
) -> NotifyMany:
    """Every channel the settings name, and those that people chose, behind the table of what was told."""
    from shared.adapters.log_voice import LogNotify
    from shared.adapters.notify_many import NotifyMany
    from shared.adapters.notify_people import PeopleFan
    from shared.state.choices import ChoiceStore
    from shared.state.later import LaterStore
    from shared.state.owners import OwnerStore
    from shared.state.people import PeopleStore
    from shared.state.told import ToldStore

    owners = OwnerStore(tables)
    fan = PeopleFan(
        ChoiceStore(tables),
        PeopleStore(tables),
        LaterStore(tables),
        _ways(settings.notify, http, telemetry, tables.now),
        now=tables.now,
        everywhere=everywhere(settings),
        recipients=owners.recipients,
        fallback=settings.notify.email,
    )

    async def recipients(owner: str) -> Sequence[Recipient]:
        named, chose = await owners.recipients(owner), await fan.chose()
        return [replace(one, chosen=one.person in chose) for one in named]

    named = [one for one in settings.notify.channels if one != "log"]
    return NotifyMany(
        [channel(one, settings, http, telemetry, recipients, tables.now) for one in named],
        ToldStore(tables),
        telemetry,
        now=tables.now,
        new_id=new_id,
        at_once=[LogNotify(settings.language)] if "log" in settings.notify.channels else [],
        fan=fan,
    )


def everywhere(settings: Settings) -> frozenset[str]:
    """Who looks after everybody's homes without standing in the portfolio: the settings' operators, and whoever sits at
    this machine where a code signs people in."""
    return settings.operators | ({"local"} if settings.sign_in == "local" else frozenset())


def ways(settings: NotifySettings) -> frozenset[Way]:
    """How this installation can reach a person who chooses for themselves: by mail where a server is set, by Apprise
    where it is installed."""
    from importlib.util import find_spec

    from shared.domain.targets import Way

    found = {Way.NTFY}
    if settings.smtp_host and settings.smtp_from:
        found.add(Way.EMAIL)
    if find_spec("apprise") is not None:
        found.add(Way.APPRISE)
    return frozenset(found)


def _ways(
    settings: NotifySettings, http: Http, telemetry: Telemetry, now: Callable[[], datetime]
) -> Mapping[Way, Make]:
    from shared.adapters.notify_apprise import AppriseChannel
    from shared.adapters.notify_ntfy import NtfyChannel
    from shared.domain.targets import Way, ntfy_of
    from shared.ports.people import Recipient

    async def nobody(owner: str) -> Sequence[Recipient]:
        return ()

    def mail(address: str, language: str) -> Channel:
        return _mail(settings, Recipient(address, language), nobody, telemetry, now)

    def ntfy(address: str, language: str) -> Channel:
        server, topic = ntfy_of(address)
        return NtfyChannel(http, server, topic, language=language, guarded=True)

    def apprise(address: str, language: str) -> Channel:
        return AppriseChannel([address], language)

    made: dict[Way, Make] = {Way.EMAIL: mail, Way.NTFY: ntfy, Way.APPRISE: apprise}
    return {way: made[way] for way in ways(settings)}


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
    from shared.ports.people import Recipient

    return _mail(settings, Recipient(settings.email), recipients, telemetry, now)


def _mail(
    settings: NotifySettings,
    fallback: Recipient,
    recipients: Recipients,
    telemetry: Telemetry,
    now: Callable[[], datetime],
) -> Channel:
    from shared.adapters.notify_smtp import MailServer, SmtpChannel

    server = MailServer(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_security,
        settings.smtp_user,
        settings.smtp_password,
        settings.smtp_from,
    )
    return SmtpChannel(server, fallback, recipients, telemetry, now=now)


def _ntfy(settings: NotifySettings, http: Http) -> Channel:
    from shared.adapters.notify_ntfy import NtfyChannel

    return NtfyChannel(http, settings.ntfy_url, settings.ntfy_topic, settings.ntfy_token)


def _json(settings: NotifySettings, http: Http, now: Callable[[], datetime]) -> Channel:
    from shared.adapters.notify_json import JsonChannel

    return JsonChannel(http, settings.json_url, now=now, key=settings.json_key)


def _apprise(settings: NotifySettings) -> Channel:
    from shared.adapters.notify_apprise import AppriseChannel

    return AppriseChannel(settings.apprise_urls)
