"""A proxy in front of the page, as hosts have them: under a path, passing everything on as it
comes."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import AsyncIterator, Iterator

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from conftest import free_port, wait_until

OWN = {"connection", "host", "keep-alive", "transfer-encoding", "te", "upgrade"}
"""Headers that each connection has for itself."""


@contextlib.contextmanager
def proxy_of(target: str, path: str, strips: bool = True) -> Iterator[str]:
    """Serves the page at `target` under a path such as "/noise"; yields its address there.

    strips: whether it takes the path off before it passes a request on. At /framed another host's
    page has the page in a frame, with the same query.
    """
    passes = Starlette(
        routes=[
            Route("/framed", framed(path)),
            Route(path, with_slash, methods=["GET"]),
            Route(
                path + "/{rest:path}",
                Passing(target, path if strips else "").answer,
                methods=["GET", "POST", "HEAD", "DELETE"],
            ),
        ]
    )
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(passes, port=port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started, 30)
    yield f"http://127.0.0.1:{port}{path}/"
    server.should_exit = server.force_exit = True  # streams of events have no end of their own
    thread.join(20)


class Passing:
    """Passes requests on, bodies and answers as they come."""

    def __init__(self, target: str, strips: str) -> None:
        self.target, self.strips = target.rstrip("/"), strips
        self.client = httpx.AsyncClient(timeout=None)

    async def answer(self, request: Request) -> Response:
        url = self.target + request.url.path.removeprefix(self.strips)
        sent = self.client.build_request(
            request.method,
            f"{url}?{request.url.query}" if request.url.query else url,
            headers=[(k, v) for k, v in request.headers.items() if k not in OWN]
            + [
                ("host", request.headers["host"]),
                ("x-forwarded-proto", request.url.scheme),
                ("x-forwarded-for", request.client.host),
            ],
            content=request.stream(),
        )
        try:
            got = await self.client.send(sent, stream=True)
        except (ClientDisconnect, httpx.HTTPError):
            return Response(status_code=502)
        answer = StreamingResponse(
            self.pieces(got), got.status_code, background=BackgroundTask(got.aclose)
        )
        answer.raw_headers = [
            (k.lower(), v) for k, v in got.headers.raw if k.lower().decode() not in OWN
        ]
        return answer

    async def pieces(self, got: httpx.Response) -> AsyncIterator[bytes]:
        with contextlib.suppress(httpx.HTTPError):
            async for piece in got.aiter_raw():
                yield piece


async def with_slash(request: Request) -> Response:
    """As nginx does: what is in the page is named relative to it."""
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"{request.url.path}/{query}")


def framed(path: str):
    """A page of another name, which browsers take for another host."""

    async def page(request: Request) -> Response:
        address = f"http://127.0.0.1:{request.url.port}{path}/?{request.url.query}"
        return HTMLResponse(
            f'<!doctype html><title>Host</title><link rel="icon" href="data:,">'
            f'<iframe src="{address}" style="width: 1200px; height: 900px"></iframe>'
        )

    return page


def moments(address: str, steps: int = 60) -> set[int]:
    """The tenths of a second in which events of a run of `shell_page.work` arrive: few, where a
    proxy holds them back."""
    config = httpx.get(f"{address}config").json()
    (run,) = (part["id"] for part in config["dependencies"] if part["api_name"] == "work")
    seed = random.randrange(1000)  # else another test's result is at hand
    asked = {"data": ["Bag", steps, 4, 1.0, "euler", False, seed], "fn_index": run}
    session = {"session_hash": f"proxy{seed}"}
    api = f"{config['root']}/gradio_api/queue"
    assert httpx.post(f"{api}/join", json=asked | session).status_code == 200
    arrived = set()
    with httpx.stream("GET", f"{api}/data", params=session, timeout=60) as answer:
        for line in answer.iter_lines():
            if '"progress"' in line:
                arrived.add(int(10 * time.monotonic()))
            if '"process_completed"' in line:
                break
    return arrived
