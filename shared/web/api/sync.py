"""Synchronisations that people ask for."""

from __future__ import annotations

from shared.use_cases import Ask, HttpAnswer
from shared.web.desk import Desk


async def start(desk: Desk, ask: Ask) -> HttpAnswer:
    """Start one, or learn which one does it already."""
    return await desk.operations.asked.sync(ask.person, ask.body)


async def job(desk: Desk, ask: Ask) -> HttpAnswer:
    """How far it is."""
    return await desk.operations.asked.job(ask.person, ask.params["id"])
