"""How the page is served: to whom it may concern, and without a word to any other host."""

import gzip
import hashlib
import html
import re
from functools import partial
from pathlib import Path

import brotli
import gradio as gr
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demos.page import shell
from demos.page.files import FOREVER, Files
from demos.page.queueing import queue_fairly
from demos.page.theme import theme

UPLOAD_LIMIT = "10mb"
SESSIONS = 100
"""Visits that Gradio remembers, each with the last values on its page: up to a few megabytes. An
older page works on, for it sends every value along."""
FOREIGN = re.compile(r'<meta\s+(?:property|name)="(?:og|twitter):[^>]*>')
"""Gradio's own cards for link previews: they speak of Gradio and point to its hosts."""
ENCODERS = {"br": partial(brotli.compress, quality=9), "gzip": partial(gzip.compress, mtime=0)}
"""By the name that a browser accepts, the best first. Gradio itself needs brotli."""
ICON = Path(__file__).parent / "icon.svg"


def serve(page: gr.Blocks, files: Files, host: str, port: int) -> str:
    """Starts the server in the background and returns the page's address.

    files: the page's pictures, which are answered for beside it.

    Without Gradio's own check that the page answers within three seconds (`_frontend`), which ends
    the app on a busy machine. Raises OSError where the port is taken. `page.block_thread()` waits
    for its end.
    """
    queue_fairly(page)
    _, address, _ = page.launch(
        server_name=host,
        server_port=port,
        theme=theme(),
        css_paths=shell.CSS,
        head=f"<script>{shell.SCRIPT.read_text(encoding='utf-8')}</script>",
        favicon_path=ICON,
        footer_links=["api"],
        max_file_size=UPLOAD_LIMIT,
        show_error=True,
        _frontend=False,
        quiet=True,
        prevent_thread_lock=True,
        share=False,
        ssr_mode=False,
        mcp_server=False,
        pwa=False,
        run_history=False,
        enable_monitoring=False,
        num_workers=0,
        state_session_capacity=SESSIONS,
        app_kwargs={
            "middleware": [Middleware(Light)],
            "routes": [files.route()],
        },
    )
    return address


class Light:
    """Lets browsers keep Gradio's files whose names change with their content, and sends the page
    and its config compressed, and to a browser that has them not at all. Everything else, streams
    of events above all, passes as it comes."""

    WHOLE = ("/", "/config")
    FOR_GOOD = ("/assets/", "/static/fonts/")

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.packed: dict[str, tuple[str, bytes]] = {}
        """Path and encoding -> the last tag and the body that was compressed with it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        if path.startswith(self.FOR_GOOD):
            await self.app(scope, receive, kept_for_good(send))
        elif path in self.WHOLE:
            held: list[Message] = []

            async def hold(message: Message) -> None:
                held.append(message)

            await self.app(scope, receive, hold)
            await self._answer(scope, held)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _answer(self, scope: Scope, held: list[Message]) -> Response:
        """The response in these messages, with our card in the page, as small as can be."""
        start = next(part for part in held if part["type"] == "http.response.start")
        body = b"".join(part.get("body", b"") for part in held)
        response = Response(status_code=start["status"])
        response.raw_headers = [pair for pair in start["headers"] if pair[0] != b"content-length"]
        if "text/html" in response.headers.get("content-type", ""):
            body = with_own_card(body)
        if start["status"] == 200 and scope["method"] == "GET":
            asked = Headers(scope=scope)
            tag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
            response.headers.update({"etag": tag, "cache-control": "no-cache"})
            response.headers.add_vary_header("accept-encoding")
            if tag in asked.get("if-none-match", ""):
                response.status_code = 304
                return response
            body = self._compressed(scope["path"], asked, tag, body, response.headers)
        response.body = body
        response.headers["content-length"] = str(len(body))
        return response

    def _compressed(
        self, path: str, asked: Headers, tag: str, body: bytes, headers: MutableHeaders
    ) -> bytes:
        accepted = asked.get("accept-encoding", "")
        encoding = next((name for name in ENCODERS if name in accepted), None)
        if encoding is None:
            return body
        headers["content-encoding"] = encoding
        known, packed = self.packed.get(path + encoding, ("", b""))
        if known != tag:  # once for all visitors
            packed = ENCODERS[encoding](body)
            self.packed[path + encoding] = tag, packed
        return packed


def kept_for_good(send: Send) -> Send:
    """Sends a file so that a browser need not ask for it again."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            MutableHeaders(scope=message).update(FOREVER)
        await send(message)

    return sent


def with_own_card(body: bytes) -> bytes:
    """A page with this app's description where Gradio's stands, for search and link previews."""
    return FOREIGN.sub("", body.decode()).replace("</head>", f"{card()}</head>", 1).encode()


def card() -> str:
    said = {"og:title": shell.TITLE, "og:type": "website", "og:description": shell.TAGLINE}
    tags = [f'<meta property="{k}" content="{html.escape(v)}" />' for k, v in said.items()]
    return "".join([*tags, f'<meta name="description" content="{html.escape(shell.TAGLINE)}" />'])
