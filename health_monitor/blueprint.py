"""The watch over lag, circuits and dead letters. A deployment can stop every timer of an app at once, this one too:
``GET /health`` (console) judges the same from outside."""

import azure.functions as func

from shared import bootstrap, edge

bp = func.Blueprint()  # type: ignore[no-untyped-call]  # the SDK leaves it untyped


@bp.function_name("health_monitor")
@bp.timer_trigger("timer", schedule="%HEALTH_SCHEDULE%")
@edge.timer
async def health_monitor(timer: func.TimerRequest) -> None:
    """One report, its metrics, its alerts."""
    await bootstrap.engine().on_timer_health()
