"""What stops the host before it starts."""

from __future__ import annotations


class HostRefused(Exception):
    """The app, its settings or this machine are not fit to start; the text says what to do about it."""
