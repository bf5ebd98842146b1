"""The timers: one per rhythm, so that a long one never starves the 20 s poll (rule 26).

``run_on_startup`` stays out: it would run at every cold start. ``use_monitor`` keeps its default.
"""

import azure.functions as func

from shared import bootstrap, edge

bp = func.Blueprint()  # type: ignore[no-untyped-call]  # the SDK leaves it untyped


@bp.function_name("sync_scheduler_feeds")
@bp.timer_trigger("timer", schedule="%POLL_FEEDS_SCHEDULE%")
@edge.timer
async def poll_feeds(timer: func.TimerRequest) -> None:
    """Calendar links that are due."""
    await bootstrap.engine().on_timer_poll_feeds()


@bp.function_name("sync_scheduler_accounts")
@bp.timer_trigger("timer", schedule="%POLL_ACCOUNTS_SCHEDULE%")
@edge.timer
async def poll_accounts(timer: func.TimerRequest) -> None:
    """API accounts that are due."""
    await bootstrap.engine().on_timer_poll_accounts()


@bp.function_name("sync_scheduler_sweep")
@bp.timer_trigger("timer", schedule="%SWEEP_SCHEDULE%")
@edge.timer
async def sweep(timer: func.TimerRequest) -> None:
    """What a crash, a lost message or an outage of the bus left behind."""
    await bootstrap.engine().on_timer_sweep()


@bp.function_name("sync_scheduler_walk")
@bp.timer_trigger("timer", schedule="%WALK_SCHEDULE%")
@edge.timer
async def walk(timer: func.TimerRequest) -> None:
    """Every site once a day, index or not."""
    await bootstrap.engine().on_timer_walk()


@bp.function_name("sync_scheduler_deep")
@bp.timer_trigger("timer", schedule="%DEEP_SCHEDULE%")
@edge.timer
async def deep(timer: func.TimerRequest) -> None:
    """At night: what the platforms really show."""
    await bootstrap.engine().on_timer_deep()
