"""What the first webhook after a cold start waits for: ``function_app`` imported, the engine built, the body stored.

    python -m bench.first_webhook [--rounds N]

Beside it the least such app there can be, which stands in this file: one HTTP function that inserts the bytes it was
given as one row, with the SDKs alone. Both are fresh processes with compiled files, take turns, and write to the same
table emulator, whose tables are there already; ours rings at the stand-in of Service Bus. Timed from the first import
to the answer, on loopback; the Functions host and the worker around it are not there, they would be the same for both.

What the least app leaves out: it compares no secret, keeps no length, remembers no sender, rings for nobody: its row
would lie there until a timer looked. Ours rings while it answers; when the bell has rung is told beside. Quote the
ratios: the times say more about the machine. Goal: at most 1.3 times the least app.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
from collections.abc import Mapping
from dataclasses import asdict

from bench.cold_start import GOAL, Figures, measure
from bench.score import Score
from local.azurite import Azurite
from local.run_settings import base_values
from local.servicebus.config import QueueConfig
from local.servicebus.standin import StandIn

LEAST, OURS = "the least app", "function_app"

BODY = {"action": "reservation_confirmation", "reservation": {"confirmation_code": "HMBENCH001"}}
"""What is posted: to the receiver it is bytes."""

PREPARE = """
import asyncio, gc, json, os
body = json.dumps({body!r}).encode()
"""

LEAST_APP = """
import azure.functions as func
from azure.data.tables.aio import TableClient

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
table = None

@app.route(route="webhooks/{platform}", methods=["POST"])
async def hook(req: func.HttpRequest) -> func.HttpResponse:
    global table
    import uuid
    if table is None:
        table = TableClient.from_connection_string(os.environ["STORAGE"], "Inbox")
    row = {"PartitionKey": "least", "RowKey": uuid.uuid4().hex, "body": req.get_body()}
    await table.create_entity(row)
    return func.HttpResponse('{"succeed": true}', mimetype="application/json")

path = {"platform": "airbnb"}
"""

OUR_APP = """
import azure.functions as func
import function_app
from webhook_receiver.blueprint import webhook_receiver as hook

path = {"platform": "airbnb", "secret": os.environ["WEBHOOK_SECRET_AIRBNB"], "path": "notification"}
"""

ASK = """
async def ask():
    url = "https://app.example.org/webhooks/" + "/".join(path.values())
    request = func.HttpRequest(method="POST", url=url, headers={}, params={}, route_params=path, body=body)
    answer = await hook._function.get_user_function()(request)
    assert answer.status_code == 200, answer.status_code

loop = asyncio.new_event_loop()
loop.run_until_complete(ask())
"""

RING = """
from shared import bootstrap
loop.run_until_complete(bootstrap.close())
"""

APPS = {LEAST: (LEAST_APP, ""), OURS: (OUR_APP, RING)}


def code(app: str) -> str:
    """What a process of that app does till its first answer has left."""
    return PREPARE.format(body=BODY) + APPS[app][0] + ASK


async def rounds(count: int) -> dict[str, list[Figures]]:
    """Both in turn, ``count`` times, after one round that compiles them and makes the tables."""
    found: dict[str, list[Figures]] = {name: [] for name in APPS}
    queues = [QueueConfig(name, duplicate_detection=True) for name in ("work", "conflicts")]
    async with Azurite() as azurite, StandIn(queues) as bus:
        values = base_values(own=False)
        values |= {"STORAGE": azurite.connection_string, "SERVICEBUS": bus.connection_string}
        for number in range(count + 1):
            for app in APPS if number else (OURS, LEAST):  # ours makes its tables when it first writes
                figures = await asyncio.to_thread(measure, code(app), values, APPS[app][1])
                if number:
                    found[app].append(figures)
        rung = sum(bus.broker.find("work").counts().values())
        assert rung == count + 1, f"{rung} bells for {count + 1} webhooks"
    return found


def ratios(found: Mapping[str, list[Figures]], what: str) -> list[float]:
    """Ours to the least app, round by round."""
    pairs = zip(found[OURS], found[LEAST], strict=True)
    return [asdict(ours)[what] / asdict(least)[what] for ours, least in pairs]


def report(found: Mapping[str, list[Figures]]) -> str:
    """One table of medians; x is the median of the ratios."""
    lines = ["| app | wall ms | CPU ms | peak MiB | modules |", "| --- | --- | --- | --- | --- |"]
    for name, figures in found.items():
        middle = [statistics.median(asdict(one)[what] for one in figures) for what in asdict(figures[0])]
        lines.append(f"| {name} | {' | '.join(f'{one:.0f}' for one in middle)} |")
    middle = [statistics.median(ratios(found, what)) for what in asdict(found[OURS][0])]
    lines.append(f"| x | {' | '.join(f'{one:.2f}' for one in middle)} |")
    each = ", ".join(f"{one:.2f}" for one in ratios(found, "wall"))
    return "\n".join([*lines, f"wall, round by round: {each}"])


def scores(count: int = 7) -> list[Score]:
    """Time and memory for the table of all benches."""
    found = asyncio.run(rounds(count))
    return [
        Score(
            "first webhook",
            f"answered after a cold start: {name} / one insert",
            statistics.median(ratios(found, what)),
            goal=GOAL,
        )
        for what, name in (("wall", "time"), ("cpu", "CPU"), ("peak", "peak memory"))
    ]


def main() -> int:
    """Print the table; 1 when the goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.first_webhook")
    parser.add_argument("--rounds", type=int, default=7)
    found = asyncio.run(rounds(parser.parse_args().rounds))
    print(report(found))
    wall = statistics.median(ratios(found, "wall"))
    print(f"{OURS}: {wall:.2f} x the time of {LEAST} (goal {GOAL})")
    return int(wall > GOAL)


if __name__ == "__main__":
    sys.exit(main())
