"""The connectors behind their guard: circuits, limits and retries round every call."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from shared.config import Settings
from shared.connectors.guard.breakers import Breakers
from shared.connectors.guard.guarded import Guard, GuardedConnector
from shared.connectors.guard.limiter import PlatformBudgets, limiter_for
from shared.connectors.registry import find
from shared.domain.platform import Platform
from shared.ports.people import Telemetry
from shared.ports.platforms import ApiConnector, Budgets, Circuits
from shared.ports.stores import Tables
from shared.resilience.retry import RetryPolicyConfig
from shared.state.notes import NoteStore


@dataclass(frozen=True, slots=True)
class Guarded:
    """The connectors, the circuits their calls pass through, and what is left of their limits."""

    apis: Mapping[Platform, ApiConnector]
    circuits: Circuits
    budgets: Budgets


def guarded(
    apis: Mapping[Platform, ApiConnector], tables: Tables, voice: Telemetry, policy: RetryPolicyConfig
) -> Guarded:
    """Each connector behind the guard that all of them share."""
    notes, host, now = NoteStore(tables), secrets.token_urlsafe(6), tables.now
    limiters = {
        name: limiter_for(find(name), notes, clock=now, sleep=asyncio.sleep, host=host, telemetry=voice)
        for name in apis
    }
    breakers = Breakers(notes, voice, now=now, monotonic=time.monotonic)
    guard = Guard(
        breakers,
        now=now,
        monotonic=time.monotonic,
        sleep=asyncio.sleep,
        chance=random.SystemRandom().random,
        policy=policy,
    )
    behind = {name: GuardedConnector(one, guard, limiters[name]) for name, one in apis.items()}
    return Guarded(behind, breakers, PlatformBudgets(limiters))


def retry_policy(settings: Settings) -> RetryPolicyConfig:
    """How often and after how long a call is repeated."""
    most, base, multiplier, longest = settings.retry
    return RetryPolicyConfig(int(most), timedelta(seconds=base), multiplier, timedelta(seconds=longest))
