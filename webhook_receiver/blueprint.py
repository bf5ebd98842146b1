"""Where platforms call us: bytes in, stored, doorbell rung, status out.

The secret stands in the path, since no platform signs its calls in a way anybody could verify; so the path must
never reach a log. GET and PUT are Airbnb's availability and alteration checks, POST its reservations and notices.
"""

import azure.functions as func

from shared import bootstrap, edge
from shared.use_cases import WebhookCall

bp = func.Blueprint()  # type: ignore[no-untyped-call]  # the SDK leaves it untyped


@bp.function_name("webhook_receiver")
@bp.route(
    route="webhooks/{platform}/{secret}/{*path}",
    methods=["GET", "POST", "PUT"],
    auth_level=func.AuthLevel.ANONYMOUS,
)
@edge.http
async def webhook_receiver(req: func.HttpRequest) -> func.HttpResponse:
    """Hand the call over as it came."""
    at = req.route_params
    call = WebhookCall(
        platform=at["platform"],
        secret=at["secret"],
        path=at.get("path") or "",
        method=req.method,
        headers=req.headers,
        query=req.params,
        body=req.get_body(),
    )
    return edge.response(await bootstrap.receiver().receive_webhook(call))
