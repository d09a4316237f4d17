"""Drives the app as many visitors at once do, and tells how long they wait.

python -m demos.load --visitors 40 --mix workshop        # starts the app, or: --address URL

Three mixes: in *workshop* all press one panel's button within a few seconds; in *light* each moves
a slider once a second, every time to a place of its own; in *free* each presses whatever people
press, with a seed of its own, looks at the result and goes on. A visitor loads the page with its
scripts and pictures, has a session, and hears of its presses through Gradio's queue.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, TypeVar

import httpx

from demos.load.report import GROWTH, Answer, Report, table
from demos.load.visitor import LIVE, PRESSED, Site, Visitor
from demos.page.memory import resident
from demos.page.network import own_address
from gen_core.limits import cores

T = TypeVar("T")
START_SECONDS, ANSWER_SECONDS = 300.0, 600.0
MOVE_EVERY = 1.0
"""Seconds between two moves of a slider."""
LOOK = (1.0, 4.0)
"""Seconds for which a visitor looks at a result."""
VANISH = 0.1
"""In a soak, the share of presses in whose middle the visitor is gone."""


# --- the mixes ------------------------------------------------------------------------------------


async def workshop(visitors: Sequence[Visitor], options: argparse.Namespace) -> list[Answer]:
    """All press one button within `--within` seconds."""

    async def one(number: int, visitor: Visitor) -> Answer:
        await asyncio.sleep(visitor.rng.uniform(0, options.within))
        seed = None if options.seeds == "equal" else 1_000 * (number + 1)
        return await visitor.press(options.panel, visitor.site.values(options.panel, seed))

    return await asyncio.gather(*(one(k, v) for k, v in enumerate(visitors)))


async def light(visitors: Sequence[Visitor], options: argparse.Namespace) -> list[Answer]:
    """Each moves something once in `--every` seconds, and waits for the answer before the next."""
    until = time.perf_counter() + options.seconds

    async def one(visitor: Visitor) -> list[Answer]:
        answers = []
        await asyncio.sleep(visitor.rng.uniform(0, options.every))
        while (began := time.perf_counter()) < until:
            slides = visitor.rng.random() < 2 / 3
            answers.append(await (visitor.move() if slides else visitor.turn()))
            rest = options.every - (time.perf_counter() - began)
            await asyncio.sleep(max(0.0, rest))
        return answers

    return [a for found in await asyncio.gather(*map(one, visitors)) for a in found]


async def free(visitors: Sequence[Visitor], options: argparse.Namespace) -> list[Answer]:
    """Each presses what people press, and looks at what comes."""
    until = time.perf_counter() + options.seconds

    async def one(visitor: Visitor) -> list[Answer]:
        answers = []
        await asyncio.sleep(visitor.rng.uniform(*LOOK))
        while time.perf_counter() < until:
            answers.append(await visitor.whatever())
            await asyncio.sleep(visitor.rng.uniform(*LOOK))
        return answers

    return [a for found in await asyncio.gather(*map(one, visitors)) for a in found]


MIXES = {"workshop": workshop, "light": light, "free": free}


async def alone(visitor: Visitor, kinds: Sequence[str]) -> dict[str, float]:
    """Seconds that each kind takes on the idle machine, once its model is loaded."""
    seconds = {}
    for kind in kinds:
        for seed in (1, 2):
            if kind.startswith("slider"):
                answer = await visitor.move()
            else:
                answer = await visitor.press(kind, visitor.site.values(kind, seed))
            seconds[answer.kind] = answer.seconds
    return seconds


# --- a run ----------------------------------------------------------------------------------------


async def measured(address: str, options: argparse.Namespace, process: int | None) -> Report:
    """Drives the app at an address."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(timeout=ANSWER_SECONDS, limits=limits, trust_env=False) as http:
        site = await Site.of(http, address.rstrip("/"))
        if options.mix == "workshop" and options.panel not in site.events:
            sys.exit(f"--panel {options.panel}: choose one of {', '.join(sorted(site.events))}")
        crowd = [
            Visitor(site, http, random.Random(f"{options.seed}-{k}"))
            for k in range(options.visitors)
        ]
        for visitor in crowd:
            visitor.vanishes = VANISH if options.soak else 0.0
        first = Visitor(site, http, random.Random(-1))
        kinds = {"workshop": [options.panel], "light": [*LIVE], "free": [*PRESSED]}[options.mix]
        kinds = [kind for kind in kinds if kind in site.events]
        sliders = [] if options.mix == "workshop" else ["slider"] * 6
        known = await alone(first, [*kinds, *sliders])
        pages = [] if options.no_page else await asyncio.gather(*(v.load() for v in crowd))
        began, own = time.perf_counter(), time.process_time()
        watch = asyncio.create_task(remembered(process)) if process else None
        answers = await MIXES[options.mix](crowd, options)
        wall = time.perf_counter() - began
        share = (time.process_time() - own) / wall / cores()
        if options.soak:  # whoever comes afterwards is answered
            name = next(kind for kind in PRESSED if kind in site.events)
            answers.append(await first.press(name, site.values(name, None)))
        memory = await stopped(watch) if watch else []
    return Report(wall, answers, known, pages, memory, share)


async def remembered(process: int) -> list[tuple[float, int]]:
    """A process's memory every few seconds, until it is stopped."""
    began, found = time.perf_counter(), []
    with contextlib.suppress(asyncio.CancelledError):
        while (size := resident(process)) is not None:
            found.append((time.perf_counter() - began, size))
            await asyncio.sleep(5)
    if (size := resident(process)) is not None:
        found.append((time.perf_counter() - began, size))
    return found


async def stopped(task: "asyncio.Task[T]") -> T:
    """What a task makes of being cancelled."""
    task.cancel()
    return await task


class NotStarted(RuntimeError):
    """The app has ended, or not answered in time."""


@contextlib.contextmanager
def started(
    host: str = "127.0.0.1",
    port: int | None = None,
    arguments: Sequence[str] = (),
    log: IO[str] | None = None,
    **more: str,
) -> Iterator[tuple[str, int]]:
    """The app in a process of its own, as (address, process). Raises NotStarted.

    port: None for a free one; arguments: further ones; log: takes what it prints, else stderr does;
    more: of its environment.
    """
    with socket.socket() as free_port:
        free_port.bind(("127.0.0.1", 0))
        port = port or free_port.getsockname()[1]
    app = Path(__file__).resolve().parents[2] / "app.py"
    command = [sys.executable, str(app), "--host", host, "--port", str(port), *arguments]
    out = log or sys.stderr  # what is printed here are the figures
    process = subprocess.Popen(command, stdout=out, stderr=out, env=os.environ | more)
    address = own_address(host, port).rstrip("/")
    until = time.monotonic() + START_SECONDS
    try:
        while not answers(address):
            if process.poll() is not None:
                raise NotStarted(f"the app did not start: it ended with {process.returncode}")
            if time.monotonic() > until:
                raise NotStarted(f"the app did not start within {START_SECONDS:g} s")
            time.sleep(0.2)
        yield address, process.pid
    finally:
        process.terminate()
        process.wait()


def answers(address: str) -> bool:
    """Whether a page is served there."""
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"{address}/config", timeout=30, trust_env=False).is_success
    return False


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m demos.load",
        description="Drives the app as many visitors at once do, and tells how long they wait.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--visitors", type=int, default=40)
    add("--mix", choices=[*MIXES], default="workshop")
    add("--address", help="of an app on this machine; without, one is started")
    add("--panel", default="diffusion_generate", help="workshop: the endpoint that all press")
    add("--seeds", choices=["equal", "own"], default="equal", help="workshop: of all, or each")
    add("--within", type=float, default=10.0, help="workshop: seconds in which all have pressed")
    add("--every", type=float, default=MOVE_EVERY, help="light: seconds between two moves")
    add("--seconds", type=float, default=60.0, help="light, free: how long")
    add("--soak", type=float, metavar="MINUTES", help="free for so long, some visitors vanish")
    add("--no-page", action="store_true", help="leave out the loading of the page")
    add("--seed", type=int, default=0, help="of what the visitors do")
    add("--json", action="store_true")
    options = parser.parse_args(arguments)
    if options.soak is not None:
        options.mix, options.seconds = "free", 60 * options.soak
    if not 1 <= options.visitors <= 1000:
        parser.error(f"--visitors {options.visitors}: choose 1 to 1000")
    for name in ("within", "every", "seconds"):
        if not 0 <= getattr(options, name) <= 86_400:
            parser.error(f"--{name} {getattr(options, name)}: choose 0 to 86400 seconds")
    host = httpx.URL(options.address).host if options.address else "127.0.0.1"
    if host not in ("127.0.0.1", "localhost", "::1"):
        parser.error(f"--address {options.address}: choose an app on this machine")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    here = contextlib.nullcontext((options.address, None)) if options.address else started()
    try:
        with here as (address, process):
            figures = asyncio.run(measured(address, options, process)).figures()
    except NotStarted as error:
        sys.exit(str(error))
    print(json.dumps(figures, indent=2) if options.json else table(figures))
    grown = bool(options.soak) and (figures["memory_growth"] or 0) > GROWTH
    return 1 if figures["failures"] or grown else 0


if __name__ == "__main__":
    sys.exit(main())
