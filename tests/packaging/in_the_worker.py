"""Run by another Python, with Microsoft's worker runtime and the unpacked package: loads it as the worker does, and
invokes every function once. Prints one line of JSON.

``python in_the_worker.py APP``. The wire (gRPC, protobuf) is left out: the runtime's own entry without it takes and
gives what stands behind the wire.
"""

from __future__ import annotations

import asyncio
import json
import sys
from types import SimpleNamespace
from typing import Any


class Kind:
    """Any message of the wire: what it is made of."""

    undefined, inout, out, in_ = 0, 2, 1, 0
    Success, Failure = "success", "failure"

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


class Wire:
    """Stands in for the generated classes of the wire."""

    def __getattr__(self, name: str) -> type[Kind]:
        return Kind


class Recorder:
    """An engine and a console that answer everything, and remember being asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __getattr__(self, name: str) -> Any:
        from shared.use_cases import HttpAnswer

        async def answer(*given: object, **named: object) -> HttpAnswer | None:
            self.asked += 1
            if name.startswith("on_timer") or name in ("work", "conflict"):
                return None
            return HttpAnswer(200, b"asked", {"Content-Type": "text/plain"})

        return answer


def inputs(trigger: dict[str, Any], datum: Any) -> tuple[list[tuple[str, Any]], dict[str, Any]]:
    """What the host would hand over for one trigger."""
    if trigger["type"] == "timerTrigger":
        past = {"IsPastDue": False, "Schedule": {}, "ScheduleStatus": {}}
        return [(trigger["name"], datum(json.dumps(past), "json"))], {}
    if trigger["type"] == "serviceBusTrigger":
        about = {"DeliveryCount": datum("1", "json"), "MessageId": datum('"site 1"', "json")}
        about["UserProperties"] = datum("{}", "json")
        return [(trigger["name"], datum(b"{}", "bytes"))], about
    texts = {"x-name": "worker"}
    params = {"platform": "airbnb", "secret": "s", "path": "p", "token": "t", "name": "n", "id": "i"}
    request = {
        "method": datum(trigger["methods"][0], "string"),
        "url": datum("http://localhost/" + trigger["route"].lstrip("/"), "string"),
        "headers": {key: datum(text, "string") for key, text in texts.items()},
        "query": {},
        "params": {key: datum(text, "string") for key, text in params.items()},
        "body": datum(b"{}", "bytes"),
    }
    return [(trigger["name"], datum(request, "http"))], {}


async def main(app: str) -> dict[str, Any]:
    sys.path.insert(0, app)
    import azure.functions as func
    from azure_functions_runtime import handle_event
    from azure_functions_runtime.bindings.datumdef import Datum
    from azure_functions_runtime.native_invocation import invocation_request_native

    init = SimpleNamespace(worker_init_request=SimpleNamespace(capabilities={}, function_app_directory=app))
    answer = await handle_event.worker_init_request(
        SimpleNamespace(request=init, properties={"host": "localhost", "protos": Wire()})
    )
    if answer.result.status != Kind.Success:
        return {"failed": str(answer.result.exception.__dict__)}
    from shared import bootstrap

    recorder = Recorder()
    bootstrap.engine = bootstrap.receiver = bootstrap.console = lambda: recorder
    done, wrong = {}, {}
    for one in handle_event._metadata_result:
        trigger = next(raw for raw in map(json.loads, one.raw_bindings) if raw["type"].endswith("rigger"))
        given, about = inputs(trigger, Datum)
        before = recorder.asked
        well, gave, _, said, _ = await invocation_request_native("1", one.function_id, given, about)
        if well and recorder.asked == before + 1:
            done[one.name] = trigger["type"]
        else:
            wrong[one.name] = said or str(gave)
    return {"python": sys.version, "sdk": func.__version__, "done": done, "wrong": wrong}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1]))))
