"""The app as its host sees it: whether it can serve, and a page of its own with what goes on."""

import asyncio
import hmac
import html
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

import gradio as gr
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Route

from demos.page.handlers import App
from demos.page.memory import free_memory, resident
from demos.page.theme import LIGHT_AND_DARK

TOKEN = "GEN_HOST_TOKEN"
"""The environment's variable without which there is no such page."""
HERE = Path(__file__).parent
UNKEPT = {"cache-control": "no-store", "referrer-policy": "no-referrer"}
COOKIE = "noise-to-data-host"
ENDED = ("done", "stopped", "left", "refused", "failed")
COLUMNS = ("Run", *(name.capitalize() for name in ENDED), "Shared", "Waited", "Ran", "Device")


def routes(app: App, page: gr.Blocks, token: str) -> list[Route]:
    """/healthz: 200, or 503 with the reason. Where there is a token also /host and /host.json,
    which answer 403 to whoever does not name it: in the address, as a bearer, or by the cookie that
    /host sets, so that the token does not stay in the address."""

    async def healthz(request: Request) -> Response:
        fault = await asyncio.to_thread(app.fault)
        said = {"status": fault or "ok", "device": app.device_title}
        return JSONResponse(said, 503 if fault else 200, headers=UNKEPT)

    def to_host(answer: Callable[[Request], Response]) -> Callable:
        async def guarded(request: Request) -> Response:
            if _is_host(request, token):
                return await asyncio.to_thread(answer, request)
            said = f"token: name the one that {TOKEN} sets, and let the page set its cookie"
            return PlainTextResponse(said, 403)

        return guarded

    def seen(request: Request) -> Response:
        if "token" in request.query_params:
            return _without_token(request, token)
        return HTMLResponse(shown(figures(app, page)), headers=UNKEPT)

    def read(request: Request) -> Response:
        return JSONResponse(figures(app, page), headers=UNKEPT)

    hosts = [Route("/host", to_host(seen)), Route("/host.json", to_host(read))]
    return [Route("/healthz", healthz), *(hosts if token else ())]


def _is_host(request: Request, token: str) -> bool:
    """Whether the token is named, or its cookie."""
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        bearer = ""
    pairs = (
        (request.query_params.get("token", "").encode(), token.encode()),
        (bearer.encode("latin-1"), token.encode()),  # as Starlette reads the header's bytes
        (request.cookies.get(COOKIE, "").encode(), _cookie(token).encode()),
    )
    return any(hmac.compare_digest(named, wanted) for named, wanted in pairs)


def _without_token(request: Request, token: str) -> Response:
    """Sends a browser to the page's bare address, the one that histories and logs keep, with a
    cookie for it. Neither names a path, for a proxy may have the page under one of its own. Lax,
    for Strict would refuse who comes by a link on another site; there is nothing here to change.
    """
    answer = RedirectResponse("host", 303, headers=UNKEPT)
    answer.set_cookie(
        COOKIE,
        _cookie(token),
        path=None,
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return answer


def _cookie(token: str) -> str:
    """What follows from the token, and does not tell it."""
    return hmac.digest(token.encode(), COOKIE.encode(), "sha256").hex()


def figures(app: App, page: gr.Blocks) -> dict[str, Any]:
    """What goes on, as plain values fit for JSON: times in seconds, memory in bytes."""
    running, waiting = app.engine.load
    return {
        "status": app.fault() or "ok",
        "device": app.device_title,
        "running": running,
        "waiting": waiting + len(page._queue),  # bigger models wait there
        "memory": resident(),
        "memory_free": free_memory(),
        **app.records.figures(),
    }


def shown(told: Mapping[str, Any]) -> str:
    """The host's page, with figures as `figures` makes them."""
    tiles = {
        "Status": told["status"],
        "Running": told["running"],
        "Waiting": told["waiting"],
        "Visitors in ten minutes": told["sessions"],
        "Runs a minute": f"{told['runs_per_minute']:g}",
        "Rows a second": f"{told['rows_per_second']:,.0f}",
        "Memory of its process": _gigabytes(told["memory"]),
        "Memory that is free": _gigabytes(told["memory_free"]),
        "Up for": _duration(told["uptime"]),
        "Device": told["device"],
    }
    runs = [_run(name, found) for name, found in told["endpoints"].items()]
    errors = [
        (
            time.strftime("%H:%M:%S", time.localtime(e["at"])),
            e["endpoint"],
            f"{e['fault']} {e['number']}",
        )
        for e in told["errors"]
    ]
    return Template(_file("host.html")).substitute(
        colours=_colours(),
        style=_file("host.css"),
        script=_file("host.js"),
        fit="" if told["status"] == "ok" else "unfit",
        tiles="".join(_tile(k, name, said) for k, (name, said) in enumerate(tiles.items())),
        columns=_row(COLUMNS, "th"),
        runs=_rows(runs, len(COLUMNS), "None in the last ten minutes."),
        errors=_rows(errors, 3, "None."),
    )


def _run(name: str, found: Mapping[str, Any]) -> list[Any]:
    counts = [found.get(ended) or "" for ended in (*ENDED, "shared")]
    return [name, *counts, *(_seconds(found[key]) for key in ("waited", "ran", "device"))]


def _tile(number: int, name: str, said: object) -> str:
    value = html.escape(str(said))
    return f'<div><dt>{name}</dt><dd id="tile-{number}">{value}</dd></div>'


def _rows(rows: Sequence[Sequence[Any]], columns: int, empty: str) -> str:
    none = f'<tr><td colspan="{columns}">{empty}</td></tr>'
    return "".join(map(_row, rows)) or none


def _row(cells: Sequence[Any], kind: str = "td") -> str:
    return f"<tr>{''.join(f'<{kind}>{html.escape(str(cell))}</{kind}>' for cell in cells)}</tr>"


def _colours() -> str:
    """The page's own, by the names that Gradio gives them, in light and in dark."""
    pairs = LIGHT_AND_DARK.items()
    return "".join(f"--{n.replace('_', '-')}: light-dark({a}, {b});" for n, (a, b) in pairs)


def _file(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} s"


def _gigabytes(size: int | None) -> str:
    return "unknown" if size is None else f"{size / 1e9:.2f} GB"


def _duration(seconds: float) -> str:
    minutes, hours = int(seconds // 60), int(seconds // 3600)
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"
