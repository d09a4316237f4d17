"""A server of OpenAI's protocol on this machine, which answers as it is told, or badly."""

from __future__ import annotations

import contextlib
import json
import math
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

NAME = "ONE"
KEY = "sk-a-key-that-nobody-may-see"
WORDS = ["Who", " sings", "?", " A", " <b>bird</b>", " む", "か", "し"]


def event(text: str = "", logprobs: Any = None, end: str | None = None) -> bytes:
    """A line of the stream."""
    choice = {"index": 0, "delta": {"content": text}, "logprobs": logprobs, "finish_reason": end}
    return f"data: {json.dumps({'choices': [choice]})}\r\n\r\n".encode()


def place(text: str, p: float = 0.5, spelt: list[int] | None = None, others: int = 2) -> dict:
    """What the protocol says of one token."""
    spelt = list(text.encode()) if spelt is None else spelt
    own = {"token": text, "logprob": math.log(p), "bytes": spelt}
    more = [{"token": f"o{k}", "logprob": math.log(p / 2**k), "bytes": None} for k in range(others)]
    return own | {"top_logprobs": [own, *more]}


def answer(told: bool = True) -> list[bytes]:
    """The events of a whole answer, with or without log-probabilities."""
    events = [event(word, {"content": [place(word)]} if told else None) for word in WORDS]
    return [b": a comment\n\n", *events, event(end="stop"), b"data: [DONE]\n\n"]


class ChatServer(ThreadingHTTPServer):
    """stream: what comes, piece by piece; a callable is called for each request.

    status, headers, body: of an answer that is no stream. silent: nothing comes, or nothing after
    the stream, until `go_on` is set."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.stream: list[bytes] | Callable[[], Iterator[bytes]] = answer()
        self.status, self.headers, self.body, self.silent = 200, {}, b"", False
        self.go_on = threading.Event()
        self.asked: list[dict[str, Any]] = []
        """What came, as JSON."""
        self.keys: list[str | None] = []
        """And the header in which the key stands."""
        self.paths: list[str] = []
        self.left = threading.Event()
        """Whether somebody has gone before the end."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, *_: object) -> None:
        """One that is left in the middle is no failure of ours."""


class _Answers(BaseHTTPRequestHandler):
    server: ChatServer

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        server, sent = self.server, self.rfile.read(int(self.headers.get("Content-Length", 0)))
        server.asked.append(json.loads(sent or b"{}"))
        server.keys.append(self.headers.get("Authorization"))
        server.paths.append(self.path)
        if server.silent and not server.stream:
            server.go_on.wait(60)
        self.send_response(server.status)
        for name, value in ({"Content-Type": "text/event-stream"} | server.headers).items():
            self.send_header(name, value)
        self.end_headers()
        try:
            if server.status != 200:
                self.wfile.write(server.body)
                return
            for piece in server.stream() if callable(server.stream) else server.stream:
                self.wfile.write(piece)
                self.wfile.flush()
            if server.silent:
                server.go_on.wait(60)
        except OSError:
            server.left.set()


@contextlib.contextmanager
def chatting(patch: pytest.MonkeyPatch, key: str = KEY) -> Iterator[ChatServer]:
    """The server at work, and the environment of a host who uses it."""
    server = ChatServer()
    patch.setenv(f"GEN_CHAT_SERVER_{NAME}", server.address)
    patch.setenv(f"GEN_CHAT_KEY_{NAME}", key)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.go_on.set()
        server.shutdown()
        server.server_close()
