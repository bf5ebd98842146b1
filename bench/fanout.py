"""How much of the latency-bound ideal the way out reaches when it calls three slow platforms at once.

    python -m bench.fanout

The ideal is concurrency / latency. Each round runs every contender once, in turn, against the same server; the
table holds the median over the rounds of each contender's share. ``by hand`` is HTTP/1.1 written on bare asyncio
streams without any checks: what this machine and server allow at all. Quote the ratios, never the rates, and
measure on an idle machine: the calls of a round march in step, so each microsecond of another program's work on
this core counts once for every call.
"""

from __future__ import annotations

import asyncio
import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack

from bench.score import Score

DELAY = 0.05
HOSTS = 3
ROUND_SECONDS = 1.2
ROUNDS = 3
GOALS = {50: (0.90, 0.75), 200: (0.50, 0.25)}
PAYLOAD = json.dumps(
    {
        "listing": "invented-17",
        "nights": [{"day": f"2031-05-{day:02}", "open": False} for day in range(1, 12)],
    }
).encode()
HEADERS = {"content-type": "application/json", "authorization": "Bearer invented"}

Call = Callable[[str], Coroutine[None, None, int]]
Contender = Callable[[AsyncExitStack], Awaitable[Call]]


async def ours(stack: AsyncExitStack) -> Call:
    """The adapter as shipped."""
    from shared.adapters.http import HttpxHttp
    from shared.ports.http import Request

    http = HttpxHttp()
    stack.push_async_callback(http.close)

    async def call(url: str) -> int:
        return (await http.send(Request("POST", url, HEADERS, PAYLOAD))).status

    return call


async def plain_httpx(stack: AsyncExitStack) -> Call:
    """One httpx client on its own transport, without a limit that would queue inside its pool."""
    import httpx

    client = await stack.enter_async_context(
        httpx.AsyncClient(limits=httpx.Limits(max_connections=None, max_keepalive_connections=None))
    )

    async def call(url: str) -> int:
        return (await client.post(url, headers=HEADERS, content=PAYLOAD, timeout=30)).status_code

    return call


async def bare_aiohttp(stack: AsyncExitStack) -> Call:
    """aiohttp as its documentation shows it, unlimited."""
    import aiohttp

    session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))

    async def call(url: str) -> int:
        async with session.post(url, headers=HEADERS, data=PAYLOAD) as answer:
            await answer.read()
            return answer.status

    return call


async def by_hand(stack: AsyncExitStack) -> Call:
    """The limit: one write, one header scan, one read, on pooled streams."""
    idle: dict[str, list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]] = {}
    head = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    text = f"POST / HTTP/1.1\r\nhost: x\r\n{head}content-length: {len(PAYLOAD)}\r\n\r\n"
    message = text.encode() + PAYLOAD

    async def call(url: str) -> int:
        pool = idle.setdefault(url, [])
        if pool:
            reader, writer = pool.pop()
        else:
            port = int(url.rsplit(":", 1)[1].rstrip("/"))
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            stack.callback(writer.close)
        writer.write(message)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        pool.append((reader, writer))
        return int(answer[9:12])

    return call


CONTENDERS: dict[str, Contender] = {
    "this adapter": ours,
    "aiohttp": bare_aiohttp,
    "httpx": plain_httpx,
    "by hand": by_hand,
}


async def share(contender: Contender, urls: list[str], concurrency: int, seconds: float) -> float:
    """Answers over the time until the last of them, as a share of what pure latency would allow."""
    async with AsyncExitStack() as stack:
        call = await contender(stack)
        # Connections are made before the clock starts: a process makes them once and keeps them.
        await _within(seconds, [call(urls[task % len(urls)]) for task in range(concurrency)])
        start = time.perf_counter()
        stop = start + seconds
        done = 0

        async def work(task: int) -> int:
            nonlocal done
            turn = task
            while time.perf_counter() < stop:
                status = await call(urls[turn % len(urls)])
                assert status == 200, status
                done += 1
                turn += 1
            return done

        await _within(2 * seconds, [work(task) for task in range(concurrency)])
        return done / (time.perf_counter() - start) / (concurrency / DELAY)


async def _within(seconds: float, jobs: list[Coroutine[None, None, int]]) -> None:
    """All of them, or as many as end in time: plain httpx would stand still for half a minute."""
    done, late = await asyncio.wait([asyncio.ensure_future(job) for job in jobs], timeout=seconds)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    for task in done:
        task.result()


def measure(urls: list[str], rounds: int) -> dict[int, dict[str, float]]:
    """The median share of every contender at every concurrency."""
    shares: dict[int, dict[str, list[float]]] = {level: {name: [] for name in CONTENDERS} for level in GOALS}
    for _ in range(rounds):
        for level, columns in shares.items():
            for name, contender in CONTENDERS.items():
                gc.collect()
                columns[name].append(asyncio.run(share(contender, urls, level, ROUND_SECONDS)))
    return {
        level: {name: statistics.median(values) for name, values in columns.items()}
        for level, columns in shares.items()
    }


def show(result: dict[int, dict[str, float]]) -> bool:
    """Print the table; whether every least figure was reached."""
    names = list(CONTENDERS)
    print(f"share of the ideal ({HOSTS} hosts, {DELAY * 1000:.0f} ms), median of {ROUNDS} rounds")
    print("| at once | " + " | ".join(names) + " | adapter / aiohttp | goal | at least | verdict |")
    print("|---|" + "---|" * (len(names) + 4))
    reached = True
    for level, shares in result.items():
        goal, least = GOALS[level]
        mine = shares["this adapter"]
        verdict = "goal" if mine >= goal else "at least" if mine >= least else "MISSED"
        reached = reached and mine >= least
        cells = " | ".join(f"{shares[name]:.3f}" for name in names)
        ratio = mine / shares["aiohttp"]
        print(f"| {level} | {cells} | {ratio:.2f} | {goal:.2f} | {least:.2f} | {verdict} |")
    return reached


def scores() -> list[Score]:
    """The adapter's shares for the table of all benches, the peers' beside them."""
    found = []
    for level, shares in run().items():
        goal, least = GOALS[level]
        what = f"{level} calls at once, {HOSTS} hosts x {DELAY * 1000:.0f} ms: share of the ideal"
        peers = ", ".join(f"{name} {share:.3f}" for name, share in shares.items() if name != "this adapter")
        found.append(
            Score("fan-out", what, shares["this adapter"], goal=goal, least=least, rising=True, note=peers)
        )
    return found


def run() -> dict[int, dict[str, float]]:
    """Start the server and measure."""
    command = [sys.executable, "-m", "bench.delay_server", "--hosts", str(HOSTS), "--delay", str(DELAY)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603
        assert server.stdin
        assert server.stdout
        try:
            ports = json.loads(server.stdout.readline())
            return measure([f"http://127.0.0.1:{port}/" for port in ports], ROUNDS)
        finally:
            server.stdin.close()


def main() -> int:
    """Measure and print; 1 when a least figure was missed."""
    return 0 if show(run()) else 1


if __name__ == "__main__":
    sys.exit(main())
