"""What the table service's answers mean to the caller. Texts name the operation and the table, never a key."""

from __future__ import annotations

import json
from http.client import HTTPException

from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.rest import AsyncHttpResponse

from shared.domain.errors import (
    AlreadyExists,
    NotFound,
    PermanentError,
    StaleWrite,
    StoreUnavailable,
    SyncError,
)


class TableMissing(NotFound):
    """The table itself is not there yet; nothing was written."""


class StoreFailed(StoreUnavailable):
    """The store answered, and said it could not (5xx) without asking for patience: a read may ask once more."""


def translate(error: AzureError | HTTPException, where: str) -> SyncError:
    """The project's own error for one of the SDK's. ``where`` names operation and table.

    Everything that leaves the outcome of a write open is ``StoreUnavailable``: no answer, 5xx, a body cut short.
    So are refused credentials (401, 403): they are an outage of ours (a rotated key, a role not yet granted, a
    host clock more than 15 min off) and must not look like a platform's.
    """
    if not isinstance(error, HttpResponseError) or error.status_code is None:
        return StoreUnavailable(f"{where}: no complete answer ({type(error).__name__})")
    code, status = _code(error), error.status_code
    said = f"{where}: {status} {code}".rstrip()
    if status in (401, 403):
        return StoreUnavailable(f"{said}: credentials refused; check the key or role, and this host's clock")
    retry_after = _retry_after(error)
    if status >= 500 and retry_after is None:
        return StoreFailed(said)
    if code == "TableBeingDeleted" or status in (408, 429) or status >= 500 or status < 300:
        return StoreUnavailable(said, retry_after)
    if status == 404:
        return TableMissing(said) if code == "TableNotFound" else NotFound(said)
    known = {409: AlreadyExists, 412: StaleWrite}
    return known.get(status, PermanentError)(said)


def _code(error: HttpResponseError) -> str:
    """The service's name for the error: set by the SDK, but for inserts, whose errors it hands on unread."""
    code = getattr(error, "error_code", None) or _header(error, "x-ms-error-code") or _body_code(error)
    return str(getattr(code, "value", code))


def _body_code(error: HttpResponseError) -> str:
    try:
        body = json.loads(error.response.text()) if isinstance(error.response, AsyncHttpResponse) else {}
    except (ValueError, AzureError):  # not JSON; not read to its end
        return ""
    said = body.get("odata.error") if isinstance(body, dict) else None
    return str(said.get("code", "")) if isinstance(said, dict) else ""


def _retry_after(error: HttpResponseError) -> float | None:
    seconds = _header(error, "Retry-After")
    return float(seconds) if seconds.isascii() and seconds.isdigit() else None


def _header(error: HttpResponseError, name: str) -> str:
    headers = getattr(error.response, "headers", None)
    return str(headers.get(name, "")) if headers else ""
