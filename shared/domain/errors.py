"""Errors, sorted by what the caller should do: try again, stop, reload, or ask a person."""

from __future__ import annotations


class SyncError(Exception):
    """Anything that went wrong in a way the engine knows. ``str()`` is safe to log: no secret, no guest."""


class TransientError(SyncError):
    """Try again later, not before ``retry_after`` seconds when the other side said so."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RateLimited(TransientError):
    """The platform asked us to slow down. Budget, not failure: it never opens a circuit."""


class PlatformDown(TransientError):
    """No answer, a timeout, or a 5xx. The outcome of a write is unknown until it is read back."""


class CircuitOpen(TransientError):
    """Our own breaker refused the call: nothing was sent."""


class StoreUnavailable(TransientError):
    """The table store did not answer; a write may or may not have happened."""


class BusUnavailable(TransientError):
    """The queue did not take or give the message within its time."""


class PermanentError(SyncError):
    """The same call will fail again: do not repeat it, tell a person."""


class AuthFailed(PermanentError):
    """The account's credentials are refused or revoked: pause the account, keep every closure."""


class PayloadRejected(PermanentError):
    """The other side understood us and refused, or sent something nobody can read."""


class FeedRefused(PermanentError):
    """A calendar answer that must not be believed as a whole; the last good one stays in force."""


class AddressRefused(PermanentError):
    """A calendar address that may not be fetched: scheme, host or address is not allowed."""


class NotAllowed(PermanentError):
    """Whoever asks may look at this, and not decide about it."""


class StateError(SyncError):
    """Our own stored state is not what the caller thought."""


class StaleWrite(StateError):
    """Somebody else wrote first (ETag): reload and decide again."""


class AlreadyExists(StateError):
    """The row is there already."""


class NotFound(StateError):
    """There is no such row."""


class Unreadable(StateError):
    """A stored row this release cannot read: the site may close nights, never open any."""


class Moved(StateError):
    """The site was joined with another; ``moved_to`` names it."""

    def __init__(self, moved_to: str) -> None:
        super().__init__(f"moved to {moved_to}")
        self.moved_to = moved_to
