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
import re
import socket
import string
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from demos.page.handlers import SHARED

START_SECONDS, ANSWER_SECONDS = 300.0, 600.0
OWN_SHARE = 0.25
"""Of the processors: where this tool takes more, it measures itself."""
MOVE_EVERY = 1.0
"""Seconds between two moves of a slider."""
LOOK = (1.0, 4.0)
"""Seconds for which a visitor looks at a result."""
LIVE = ("vae_samples_temperature", "gan_samples_truncation_psi", "gan_portraits_truncation_psi")
"""Endpoints that answer while a knob moves."""
PRESSED = {
    "diffusion_generate": 5,
    "flow_generate": 4,
    "text_to_image_generate": 3,
    "vae_samples": 3,
    "gan_samples": 3,
    "gan_portraits": 2,
    "vae_interpolate": 2,
    "latent_space_mix": 2,
    "diffusion_person": 1,
    "flow_person": 1,
    "gan_walk": 1,
    "gan_styles": 1,
    "latent_space_between": 1,
    "text_to_image_search": 1,
}
"""What people press, and how often."""
MOVED = 12
"""How often they move a slider instead."""
SINGLE = ("vae_", "gan_", "latent_space_m", "slider ")
"""Names begin so where a press takes a pass or two."""
FILE = re.compile(r"(?:assets|files|static)/[\w./-]+\.(?:js|css|png|woff2)")


@dataclass
class Answer:
    """What came of one press or one move."""

    kind: str
    seconds: float
    first: float | None = None
    """Until the first picture."""
    error: str = ""
    rows: float = 0.0
    """Pictures times evaluations of the network, as the answer says."""
    size: int = 0
    """Bytes of messages."""


@dataclass
class Report:
    """All answers of a run, and what it took."""

    wall: float
    answers: list[Answer]
    alone: dict[str, float] = field(default_factory=dict)
    """Seconds of each kind on the idle machine."""
    pages: list[float] = field(default_factory=list)
    memory: int | None = None
    """Resident bytes of the app, where it was started here."""
    own_share: float = 0.0

    def figures(self) -> dict[str, Any]:
        """As plain values fit for JSON."""
        done = [a for a in self.answers if not a.error]
        kinds: dict[str, list[Answer]] = defaultdict(list)
        for answer in self.answers:
            kinds[answer.kind].append(answer)
        work = sum(self.alone.get(a.kind, 0.0) for a in done)
        return {
            "seconds": round(self.wall, 2),
            "presses": len(self.answers),
            "failures": len(self.answers) - len(done),
            "errors": sorted({a.error for a in self.answers if a.error})[:5],
            "presses_per_second": round(len(done) / self.wall, 3),
            "work_rate": round(work / self.wall, 3) if self.alone else None,
            "rows_per_second": round(sum(a.rows for a in done) / self.wall, 1),
            "single_passes": spread([a for a in done if a.kind.startswith(SINGLE)]),
            "all": spread(done),
            "page_seconds": percentiles(self.pages),
            "memory_mb": None if self.memory is None else round(self.memory / 1e6),
            "own_share": round(self.own_share, 3),
            "kinds": {kind: spread(found) for kind, found in sorted(kinds.items())},
        }


def percentiles(seconds: Sequence[float]) -> dict[str, float] | None:
    """p50, p95 and the last; None of none."""
    if not seconds:
        return None
    ordered = sorted(seconds)
    at = {"p50": 0.5, "p95": 0.95, "last": 1.0}
    return {
        n: round(ordered[min(len(ordered) - 1, int(q * len(ordered)))], 3) for n, q in at.items()
    }


def spread(answers: Sequence[Answer]) -> dict[str, Any]:
    """How long one kind of answer took."""
    firsts = [a.first for a in answers if a.first is not None]
    return {
        "count": len(answers),
        "failures": sum(bool(a.error) for a in answers),
        "mean": round(sum(a.seconds for a in answers) / max(1, len(answers)), 3),
        "end": percentiles([a.seconds for a in answers]),
        "first": percentiles(firsts),
    }


# --- one visitor ----------------------------------------------------------------------------------


class Site:
    """What every visitor knows of the page: its endpoints with their defaults, and its sliders."""

    def __init__(self, address: str, config: Any, info: Any) -> None:
        self.address = address
        events = {d["api_name"]: d["id"] for d in config["dependencies"] if d["api_name"]}
        parameters = {name.strip("/"): told["parameters"] for name, told in info.items()}
        self.events = {name: events[name] for name in parameters if name in events}
        self.names = {n: [p["parameter_name"] for p in ps] for n, ps in parameters.items()}
        self.defaults = {
            n: [p.get("parameter_default") for p in ps] for n, ps in parameters.items()
        }
        self.sliders = {
            c["id"]: (fn, str(c["props"].get("value", "")))
            for c in config["components"]
            for fn in ("decode", "move")
            if fn in (c["props"].get("server_fns") or ())
        }

    @classmethod
    async def of(cls, http: httpx.AsyncClient, address: str) -> "Site":
        config = (await http.get(f"{address}/config")).json()
        info = (await http.get(f"{address}/gradio_api/info")).json()
        return cls(address, config, info["named_endpoints"])

    def values(self, name: str, seed: int | None, **changes: Any) -> list[Any]:
        """An endpoint's defaults, with a seed of one's own if it has one."""
        own = dict(zip(self.names[name], self.defaults[name], strict=True)) | changes
        if seed is not None and "seed" in own:
            own["seed"] = seed
        return [own[parameter] for parameter in self.names[name]]


class Visitor:
    """A browser tab: a session, and what it does."""

    def __init__(self, site: Site, http: httpx.AsyncClient, rng: random.Random) -> None:
        self.site, self.http, self.rng = site, http, rng
        self.session = "".join(rng.choices(string.ascii_lowercase + string.digits, k=11))

    async def load(self) -> float:
        """The page with what it names; seconds."""
        began = time.perf_counter()
        page = (await self.http.get(f"{self.site.address}/")).text
        for file in sorted(set(FILE.findall(page))):
            await self.http.get(f"{self.site.address}/{file}")
        return time.perf_counter() - began

    async def press(self, name: str, values: Sequence[Any]) -> Answer:
        """An endpoint through the queue, to its end."""
        answer, began = Answer(name, 0.0), time.perf_counter()
        try:
            joined = await self.http.post(
                f"{self.site.address}/gradio_api/queue/join",
                json={
                    "data": [*values],
                    "fn_index": self.site.events[name],
                    "session_hash": self.session,
                },
            )
            joined.raise_for_status()
            async for message in self._messages(answer):
                data = (message.get("output") or {}).get("data") or []
                if answer.first is None and any(_shows(part) for part in data):
                    answer.first = time.perf_counter() - began
                if message["msg"] == "process_completed":
                    if not message.get("success"):
                        answer.error = str((message.get("output") or {}).get("error"))[:200]
                    break
            else:
                answer.error = "the stream ended before the answer"
        except httpx.HTTPError as error:
            answer.error = f"{type(error).__name__} {error}"[:200]
        answer.seconds = time.perf_counter() - began
        return answer

    async def _messages(self, answer: Answer) -> AsyncIterator[dict[str, Any]]:
        stream = self.http.stream(
            "GET",
            f"{self.site.address}/gradio_api/queue/data",
            params={"session_hash": self.session},
        )
        async with stream as lines:
            async for line in lines.aiter_lines():
                if line.startswith("data:"):
                    answer.size += len(line)
                    answer.rows = _rows(line) or answer.rows
                    yield json.loads(line[5:])

    async def move(self) -> Answer:
        """A slider, to a place of its own."""
        component = self.rng.choice([*self.site.sliders])
        fn, text = self.site.sliders[component]
        answer, began = Answer(f"slider {fn}", 0.0), time.perf_counter()
        try:
            said = await self.http.post(
                f"{self.site.address}/gradio_api/component_server",
                json={
                    "data": self._moved(text),
                    "component_id": component,
                    "fn_name": fn,
                    "session_hash": self.session,
                },
            )
            said.raise_for_status()
            answer.error = str((said.json() or {}).get("error") or "")
        except httpx.HTTPError as error:
            answer.error = f"{type(error).__name__} {error}"[:200]
        answer.seconds = answer.first = time.perf_counter() - began
        return answer

    def _moved(self, text: str) -> str:
        head, colon, rest = text.partition(":")
        if ";" in head:  # a face, then directions
            return f"{text.split(';')[0]};smile:{self.rng.uniform(-2, 2):.2f}"
        place = rest.split(";")[0]
        return (
            head
            + colon
            + re.sub(r"-?\d+(\.\d+)?", lambda _: f"{self.rng.uniform(-1, 1):.2f}", place)
        )

    async def turn(self) -> Answer:
        """A knob that answers while it moves."""
        name = self.rng.choice([name for name in LIVE if name in self.site.events])
        (knob,) = (k for k in ("temperature", "truncation_psi") if name.endswith(k))
        seed = self.rng.randrange(1_000_000)
        value = round(self.rng.uniform(0.3, 1.2), 2)
        return await self.press(name, self.site.values(name, seed, **{knob: value}))

    async def whatever(self) -> Answer:
        """What somebody would press, with a seed of one's own."""
        names = [name for name in PRESSED if name in self.site.events]
        weights = [*(PRESSED[name] for name in names), MOVED]
        (name,) = self.rng.choices([*names, ""], weights)
        if not name:
            return await self.move()
        changes = {}
        if name == "text_to_image_search":
            changes = {self.site.names[name][0]: f"a 3d dog {self.rng.randrange(1_000)}"}
        seed = self.rng.randrange(1_000_000)
        return await self.press(name, self.site.values(name, seed, **changes))


def _shows(part: Any) -> bool:
    """Whether an output changes what is on the page."""
    return not (part is None or (isinstance(part, dict) and part.get("__type__") == "update"))


def _rows(line: str) -> float:
    """Pictures times evaluations of a finished run, of which its card says both."""
    count = re.search(r"(\d+) pictures? in [\d.]+ m?s", line)
    each = re.search(r"([\d.]+) network evaluations per picture", line)
    shared = SHARED.strip(" ·") in line
    return float(count[1]) * float(each[1]) if count and each and not shared else 0.0


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
    async with httpx.AsyncClient(timeout=ANSWER_SECONDS, limits=limits) as http:
        site = await Site.of(http, address.rstrip("/"))
        if options.mix == "workshop" and options.panel not in site.events:
            sys.exit(f"--panel {options.panel}: choose one of {', '.join(sorted(site.events))}")
        crowd = [
            Visitor(site, http, random.Random(f"{options.seed}-{k}"))
            for k in range(options.visitors)
        ]
        first = Visitor(site, http, random.Random(-1))
        kinds = {"workshop": [options.panel], "light": [*LIVE], "free": [*PRESSED]}[options.mix]
        kinds = [kind for kind in kinds if kind in site.events]
        sliders = [] if options.mix == "workshop" else ["slider"] * 6
        known = await alone(first, [*kinds, *sliders])
        pages = [] if options.no_page else await asyncio.gather(*(v.load() for v in crowd))
        began, own = time.perf_counter(), time.process_time()
        answers = await MIXES[options.mix](crowd, options)
        wall = time.perf_counter() - began
        share = (time.process_time() - own) / wall / (os.cpu_count() or 1)
    return Report(wall, answers, known, pages, resident(process) if process else None, share)


def resident(process: int) -> int | None:
    """Bytes of memory that a process has, where the system tells."""
    with contextlib.suppress(OSError):
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
        return int(found[1]) * 1024 if found else None
    return None


@contextlib.contextmanager
def started() -> Iterator[tuple[str, int]]:
    """The app on a free port, as (address, process)."""
    with socket.socket() as free_port:
        free_port.bind(("127.0.0.1", 0))
        port = free_port.getsockname()[1]
    app = Path(__file__).resolve().parent.parent / "app.py"
    process = subprocess.Popen([sys.executable, str(app), "--port", str(port)])
    address, until = f"http://127.0.0.1:{port}", time.monotonic() + START_SECONDS
    try:
        while time.monotonic() < until and process.poll() is None:
            with contextlib.suppress(httpx.HTTPError):
                httpx.get(f"{address}/config", timeout=30).raise_for_status()
                yield address, process.pid
                return
            time.sleep(0.2)
        sys.exit("the app did not start")
    finally:
        process.terminate()
        process.wait()


def table(figures: dict[str, Any]) -> str:
    """The figures for people."""
    shown = [f"{'':<34}{'count':>6}{'lost':>6}{'first p95':>11}{'p50':>9}{'p95':>9}{'last':>9}"]
    rows = {**figures["kinds"], "single passes": figures["single_passes"], "all": figures["all"]}
    for kind, found in rows.items():
        if not found["count"]:
            continue
        first, end = found["first"] or {}, found["end"]
        shown.append(
            f"{kind:<34}{found['count']:>6}{found['failures']:>6}{first.get('p95', '-'):>11}"
            f"{end['p50']:>9}{end['p95']:>9}{end['last']:>9}"
        )
    said = ("presses_per_second", "work_rate", "rows_per_second", "memory_mb", "page_seconds")
    shown += [f"{name.replace('_', ' ')}: {figures[name]}" for name in said]
    shown += [f"failed: {error}" for error in figures["errors"]]
    if figures["own_share"] > OWN_SHARE:
        shown.append(f"warning: this tool took {figures['own_share']:.0%} of the processors itself")
    return "\n".join(shown)


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
    add("--no-page", action="store_true", help="leave out the loading of the page")
    add("--seed", type=int, default=0, help="of what the visitors do")
    add("--json", action="store_true")
    options = parser.parse_args(arguments)
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
    with here as (address, process):
        figures = asyncio.run(measured(address, options, process)).figures()
    print(json.dumps(figures, indent=2) if options.json else table(figures))
    return 0 if not figures["failures"] else 1


if __name__ == "__main__":
    sys.exit(main())
