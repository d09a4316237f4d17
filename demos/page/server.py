"""How the page is served: to whom it may concern, and without a word to any other host."""

import html
import re
from pathlib import Path

import gradio as gr
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demos.page import shell
from demos.page.queueing import queue_fairly
from demos.page.theme import theme

UPLOAD_LIMIT = "10mb"
SESSIONS = 100
"""Visits that Gradio remembers, each with the last values on its page: up to a few megabytes. An
older page works on, for it sends every value along."""
FOREIGN = re.compile(r'\s*<meta\s+(?:property|name)="(?:og|twitter):[^>]*>')
"""Gradio's own cards for link previews: they speak of Gradio and point to its hosts."""
ICON = Path(__file__).parent / "icon.svg"


def serve(page: gr.Blocks, host: str, port: int) -> str:
    """Starts the server in the background and returns the page's address.

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
        app_kwargs={"middleware": [Middleware(OwnCard)]},
    )
    return address


class OwnCard:
    """Puts this page's description where Gradio's stands, for search and link previews."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/":
            await self.app(scope, receive, send)
            return
        held: list[Message] = []

        async def hold(message: Message) -> None:
            held.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                for part in rewritten(held):
                    await send(part)

        await self.app(scope, receive, hold)


def rewritten(messages: list[Message]) -> list[Message]:
    """A response's messages with our card in the page; anything but HTML passes as it is."""
    start, *parts = messages
    headers = dict(start["headers"])
    if b"text/html" not in headers.get(b"content-type", b""):
        return messages
    text = b"".join(part.get("body", b"") for part in parts).decode()
    body = FOREIGN.sub("", text).replace("</head>", f"{card()}</head>", 1).encode()
    headers[b"content-length"] = str(len(body)).encode()
    start = {**start, "headers": list(headers.items())}
    return [start, {"type": "http.response.body", "body": body}]


def card() -> str:
    said = {"og:title": shell.TITLE, "og:type": "website", "og:description": shell.TAGLINE}
    tags = [f'<meta property="{k}" content="{html.escape(v)}" />' for k, v in said.items()]
    return "".join([*tags, f'<meta name="description" content="{html.escape(shell.TAGLINE)}" />'])
