"""How the page is served: to whom it may concern, and without a word to any other host."""

import hashlib
import html
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
from gradio.state_holder import SessionState, StateHolder
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demos.environment import past_proxies
from demos.page import controls, image_input, links, network, runs, shell
from demos.page.cleaning import cleaning
from demos.page.faults import Faults, tell_numbers
from demos.page.files import FOREVER, Packed
from demos.page.handlers import App
from demos.page.host import TOKEN
from demos.page.host import routes as host_routes
from demos.page.queueing import queue_fairly
from demos.page.theme import theme

UPLOAD_LIMIT = "100mb"
"""As much as a JPEG of 200 megapixels may take, which is what `demos.page.decoding` can read."""
SESSIONS = 100
"""Visits that Gradio remembers, each with the last values on its page: up to a few megabytes. An
older page works on, for it sends every value along."""
FOREIGN = re.compile(r'<meta\s+(?:property|name)="(?:og|twitter):[^>]*>|<link rel="manifest"[^>]*>')
"""Gradio's own cards for link previews, which speak of Gradio and point to its hosts, and where it
looks for a manifest: at the root of the host, where somebody else answers if a proxy has this page
under a path."""
ICON_LINK = '<link rel="icon" href="favicon.ico" type="image/svg+xml" />'
"""For the same reason: without it browsers ask the root of the host."""
OF_PARTS = [part.SCRIPT for part in (controls, image_input, runs, links)]
SCRIPTS = (shell.SCRIPT, *shell.ACCESS, *OF_PARTS)
"""In the page itself, each for a part of it that has one module here."""
COMMENT = re.compile(r"^ *//.*\n", re.MULTILINE)
ICON = Path(__file__).parent / "icon.svg"


def serve(page: gr.Blocks, app: App, host: str, port: int, root_path: str = "") -> str:
    """Starts the server in the background and returns the page's address.

    app: what the page was built for; its files are answered for beside it.
    root_path: where a proxy serves the page, such as "/noise", whether it takes that off or not.

    Without Gradio's own check that the page answers within three seconds (`_frontend`), which ends
    the app on a busy machine. Raises OSError where the port is taken. `page.block_thread()` waits
    for its end.
    """
    queue_fairly(page, stopped=app.stopped)
    tell_numbers()
    elsewhere = network.network_address(host, port)
    launch = past_proxies()(page.launch)
    launch(
        server_name=network.in_address(host),
        server_port=port,
        root_path=root_path.rstrip("/"),
        theme=theme(),
        css_paths=list(shell.STYLES),
        head="".join(map(inlined, SCRIPTS)),
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
            "lifespan": cleaning(page),
            "middleware": [
                Middleware(Faults),
                Middleware(Light, scripts=app.files.scripts, elsewhere=elsewhere),
            ],
            "routes": [
                app.files.route(),
                *network.routes(),
                *host_routes(app, page, os.environ.get(TOKEN, "")),
            ],
        },
    )
    page.app.state_holder = Sessions()
    page.app.state_holder.set_blocks(page)
    return network.own_address(host, port)


class Sessions(StateHolder):
    """What Gradio remembers of each visit, without a copy of the page's whole config: it makes one
    for its own deep links, which are not used here, and takes a third of a second for it."""

    def __getitem__(self, session_id: str) -> SessionState:
        if session_id not in self.session_data:
            without = SimpleNamespace(default_config=self.blocks.default_config, blocks={})
            session = SessionState(without)
            session.config_values = Unkept()
            self.session_data[session_id] = session
        return super().__getitem__(session_id)


class Unkept(dict):
    """Holds nothing, whatever is put into it or changed in it."""

    def __contains__(self, key: object) -> bool:
        return True

    def __getitem__(self, key: object) -> dict:
        return {}

    def __setitem__(self, key: object, value: object) -> None:
        pass


class Light:
    """Lets browsers keep Gradio's files whose names change with their content, and answers for the
    page and its config as `Whole` does. Everything else, streams of events above all, passes as it
    comes.

    Both are the same for all visitors who reached them by the same address (nobody logs in), so
    Gradio makes each once: it needs a fifth of a second.
    """

    WHOLE = ("/", "/config")
    FOR_GOOD = ("/assets/", "/static/fonts/")
    ADDRESS = ("host", "x-forwarded-host", "x-forwarded-proto")
    """Headers from which Gradio tells the page's own address."""
    MOST = 16
    """Answers that are kept."""

    def __init__(
        self, app: ASGIApp, scripts: Sequence[str] = (), elsewhere: str | None = None
    ) -> None:
        """scripts: addresses of those that the page needs before it is built; elsewhere: its own
        address for other devices."""
        self.app, self.head = app, own_head(scripts, elsewhere)
        self.kept: dict[tuple[str | None, ...], Whole] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        get = scope["method"] == "GET"
        path = scope["path"].removeprefix(scope.get("root_path", ""))  # some proxies leave it there
        if get and path.startswith(self.FOR_GOOD):
            await self.app(scope, receive, kept_for_good(send))
        elif get and path in self.WHOLE:
            await self._whole(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _whole(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = Headers(scope=scope)
        address = (scope["path"], scope["scheme"], *map(asked.get, self.ADDRESS))
        asks_nothing_else = b"deep_link" not in scope["query_string"]  # all that Gradio reads there
        if not (whole := self.kept.get(address) if asks_nothing_else else None):
            held: list[Message] = []

            async def hold(message: Message) -> None:
                held.append(message)

            await self.app(scope, receive, hold)
            start = next(part for part in held if part["type"] == "http.response.start")
            if start["status"] != 200:
                for part in held:
                    await send(part)
                return
            body = b"".join(part.get("body", b"") for part in held)
            whole = Whole.of(start["headers"], body, self.head)
            if asks_nothing_else and b"set-cookie" not in dict(whole.headers):
                self.kept[address] = whole
            if len(self.kept) > self.MOST:
                self.kept.pop(next(iter(self.kept)))
        await whole.answer(asked)(scope, receive, send)


@dataclass(frozen=True)
class Whole:
    """A page or its config: sent compressed, and not at all to a browser that has it."""

    headers: list[tuple[bytes, bytes]]
    body: Packed
    tag: str

    @classmethod
    def of(cls, headers: list[tuple[bytes, bytes]], body: bytes, head: str) -> "Whole":
        """What Gradio answered, with our own head where it is HTML."""
        said = [pair for pair in headers if pair[0] != b"content-length"]
        if b"text/html" in dict(said).get(b"content-type", b""):
            body = with_own_head(body, head)
        return cls(said, Packed(body), f'W/"{hashlib.sha256(body).hexdigest()[:32]}"')

    def answer(self, asked: Headers) -> Response:
        """The response to these request headers."""
        response = Response()
        response.raw_headers = [*self.headers]
        response.headers.update({"etag": self.tag, "cache-control": "no-cache"})
        response.headers.add_vary_header("accept-encoding")
        if self.tag in asked.get("if-none-match", ""):
            response.status_code = 304
            return response
        response.body, encoding = self.body.accepted(asked.get("accept-encoding", ""))
        if encoding:
            response.headers["content-encoding"] = encoding
        response.headers["content-length"] = str(len(response.body))
        return response


def kept_for_good(send: Send) -> Send:
    """Sends a file so that a browser need not ask for it again."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            MutableHeaders(scope=message).update(FOREVER)
        await send(message)

    return sent


def with_own_head(body: bytes, head: str) -> bytes:
    """A page with this app's description where Gradio's stands."""
    return FOREIGN.sub("", body.decode()).replace("</head>", f"{head}</head>", 1).encode()


def own_head(scripts: Sequence[str], elsewhere: str | None) -> str:
    """This app's description, for search and link previews, its address for other devices, and the
    scripts that run before Gradio's: those that show first what the address names, and those at
    these addresses."""
    where = (
        f'<meta name="network-address" content="{html.escape(elsewhere)}" />' if elsewhere else ""
    )
    first = "".join(map(inlined, (runs.REJOIN, shell.VIEWS, shell.MORE, shell.ADDRESS)))
    fetched = "".join(f'<script src="{address}"></script>' for address in scripts)
    return f"{card()}{ICON_LINK}{where}{first}{fetched}"


def inlined(script: Path) -> str:
    """For the page, without the lines that only speak to who reads the file."""
    return f"<script>{COMMENT.sub('', script.read_text(encoding='utf-8'))}</script>"


def card() -> str:
    said = {"og:title": shell.TITLE, "og:type": "website", "og:description": shell.TAGLINE}
    tags = [f'<meta property="{k}" content="{html.escape(v)}" />' for k, v in said.items()]
    return "".join([*tags, f'<meta name="description" content="{html.escape(shell.TAGLINE)}" />'])
