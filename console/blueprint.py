"""What calendar programs and monitors open: the export and the health check. All that people see is in ``pages``.

The Functions host answers 404, not 405, to a method that is not listed, and does not derive HEAD from GET.
"""

import azure.functions as func

from shared import bootstrap, edge

bp = func.Blueprint()  # type: ignore[no-untyped-call]  # the SDK leaves it untyped


# HEAD is left out: a request without a body must never count as the peer having fetched the calendar (rule 24).
@bp.function_name("console_export")
@bp.route(route="export/{token}.ics", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@edge.http
async def export_calendar(req: func.HttpRequest) -> func.HttpResponse:
    """One destination's calendar."""
    token = req.route_params["token"]
    return edge.response(await bootstrap.engine().export_calendar(token, req.headers))


@bp.function_name("console_health")
@bp.route(route="health", methods=["GET", "HEAD"], auth_level=func.AuthLevel.ANONYMOUS)
@edge.http
async def health(req: func.HttpRequest) -> func.HttpResponse:
    """For monitors: 200 or 503."""
    return edge.response(await bootstrap.engine().health())
