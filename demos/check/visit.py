"""A visit to the app as a browser makes it: the page, a run that comes as a stream, and how many
runs of each family the machine does in a minute, by the seconds that its engine measures."""

import asyncio
import itertools
import random
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import IO

import httpx

from demos.check.finding import Finding, ok, problem, warning
from demos.load.__main__ import NotStarted, started
from demos.load.report import Answer
from demos.load.visitor import PRESSED, Site, Visitor
from demos.page.host import TOKEN
from demos.page.network import network_address
from demos.page.tab import discover

CROWD, CROWD_SECONDS = 4, 5.0
"""Who press at once for a figure of many visitors, and fewer where that would take longer."""
PATIENCE = 60.0
"""Seconds for which a class would wait without complaint."""
TIMEOUT = 120.0
START = "start the app without --check, and look at what it prints"


def visit(host: str, port: int, visitors: int, arguments: Sequence[str] = ()) -> Iterator[Finding]:
    """Starts the app there, and ends it; arguments: its other options."""
    token, elsewhere = secrets.token_urlsafe(), network_address(host, port)
    with tempfile.NamedTemporaryFile("w", suffix=".log") as log:
        try:
            with (
                started(host, port, ["--quiet", *arguments], log, **{TOKEN: token}) as (address, _),
                asyncio.Runner() as runner,
            ):
                findings = _visited(address, elsewhere or f"{address}/", token, visitors)
                while finding := runner.run(_next(findings)):
                    yield finding
        except NotStarted as error:
            yield problem("start", f"{error}{_last(log)}", START)
        except httpx.HTTPError as error:
            said = f"no answer ({type(error).__name__} {error})"
            yield problem("page", said, "look whether a firewall or proxy is in between")


def _last(log: IO[str]) -> str:
    """The last line of what the app has printed, which names an error."""
    text = Path(log.name).read_text(encoding="utf-8", errors="replace")
    said = [line.strip() for line in text.splitlines() if line.strip()]
    return f"; it said: {said[-1][:200]}" if said else ""


async def _next(findings: AsyncIterator[Finding]) -> Finding | None:
    return await anext(findings, None)


async def _visited(
    address: str, elsewhere: str, token: str, visitors: int
) -> AsyncIterator[Finding]:
    """elsewhere: the page's address for other devices."""
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(timeout=TIMEOUT, limits=limits, trust_env=False) as http:
        site = await Site.of(http, address)
        crowd = [Visitor(site, http, random.Random(k)) for k in range(CROWD)]
        seconds = await crowd[0].load()
        (await http.get(f"{elsewhere}here")).raise_for_status()
        yield ok("page", f"{elsewhere} answers; the page comes with its files in {seconds:.1f} s")
        runs = {}
        for tab, endpoint in mains(site).items():
            runs[endpoint] = await crowd[0].press(endpoint, site.values(endpoint, 1))
            own = await _device(http, address, token, endpoint)
            began = time.perf_counter()
            more = await _more(crowd, endpoint, own)
            each = (time.perf_counter() - began) / len(more) if more else 0.0
            if fault := next((a.error for a in (runs[endpoint], *more) if a.error), ""):
                yield problem(tab, f"{endpoint} failed ({fault})", START)
            else:
                own = await _device(http, address, token, endpoint)
                alone = runs[endpoint].seconds if own is None else own
                yield pace(tab, max(alone, each), visitors)
        yield stream([run for name, run in runs.items() if "steps" in site.names[name]])


async def _more(crowd: Sequence[Visitor], endpoint: str, seconds: float | None) -> list[Answer]:
    """Several press at once, each with a seed of their own; seconds: of the device, for one run."""
    many = min(CROWD, int(CROWD_SECONDS / seconds)) if seconds else 0
    presses = (v.press(endpoint, v.site.values(endpoint, 1000 * k)) for k, v in enumerate(crowd, 1))
    return await asyncio.gather(*itertools.islice(presses, many if many > 1 else 0))


async def _device(http: httpx.AsyncClient, address: str, token: str, endpoint: str) -> float | None:
    """Seconds of the device that a run of an endpoint takes, as the engine counted them; None where
    none has succeeded."""
    bearer = {"authorization": f"Bearer {token}"}
    told = (await http.get(f"{address}/host.json", headers=bearer)).json()
    return told["endpoints"].get(endpoint, {}).get("device")


def stream(runs: Sequence[Answer]) -> Finding:
    """runs: of several steps, which show something before their end."""
    for run in runs:
        if run.first is not None and run.first < run.seconds:
            said = f"{run.kind} showed something after {run.first:.1f} s"
            return ok("stream", f"{said}, and ended after {run.seconds:.1f} s")
    todo = "where that is not for speed, look whether a proxy or virus scanner holds it back"
    return warning("stream", "no run showed anything before its end", todo)


def mains(site: Site) -> dict[str, str]:
    """What people press most in each tab that draws, by its title."""
    found = {}
    for tab in discover():
        start = tab.id.replace("-", "_")
        mine = (name for name in PRESSED if name.startswith(f"{start}_") and name in site.events)
        if name := next(mine, None):
            found[tab.title] = name
    return found


def pace(tab: str, seconds: float, visitors: int) -> Finding:
    """seconds: that a run takes of the device, or to be answered among others, if that is more."""
    last = visitors * seconds
    said = (
        f"{60 / max(seconds, 1e-3):,.0f} runs a minute; where {visitors} press at once, each with "
        f"a seed of their own, the last one waits {last:.0f} s"
    )
    if last <= PATIENCE:
        return ok(tab, said)
    return warning(tab, said, "pin one seed for all in the link, or choose fewer pictures")
