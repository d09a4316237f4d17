"""A Hugging Face Hub of our own on this machine, with one repository: what a download speaks to."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

REPOSITORY = "someone/some-model"
COMMIT = "1" * 40


class Hub(ThreadingHTTPServer):
    """Serves a folder as REPOSITORY.

    gated: answers as the Hub does to whoever has not accepted the licence.
    slow: of these files only the first half comes, until `go_on` is set.
    failing: the status of the error that it answers with, whatever it is asked for.
    """

    daemon_threads = True

    def __init__(
        self, folder: Path, *, gated: bool = False, slow: str = "", failing: int = 0
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.folder, self.gated, self.slow, self.failing = folder, gated, slow, failing
        self.go_on = threading.Event()
        self.given: list[str] = []
        """Files that were sent whole, in order."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_: object) -> None:
        """A client that was ended in the middle is no failure of ours."""

    def files(self) -> dict[str, bytes]:
        found = (path for path in sorted(self.folder.rglob("*")) if path.is_file())
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in found}


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def do_POST(self) -> None:
        """What a push needs: a repository that is made, files that are small, a commit of them."""
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path, answer = self.path.split("?")[0], {}
        if not self.headers.get("Authorization", "").startswith("Bearer "):
            return self.reply(401, b"{}", {"X-Error-Message": "Invalid username or password."})
        if path == "/api/repos/create":
            answer = {"url": f"{self.server.address}/{REPOSITORY}", "id": REPOSITORY}
        elif "/preupload/" in path:
            names = [file["path"] for file in json.loads(sent)["files"]]
            answer = {"files": [_regular(name) for name in names]}
        elif "/commit/" in path:
            lines = [json.loads(line) for line in sent.splitlines()]
            for file in (line["value"] for line in lines if line["key"] == "file"):
                (self.server.folder / file["path"]).parent.mkdir(parents=True, exist_ok=True)
                data = base64.b64decode(file["content"])
                (self.server.folder / file["path"]).write_bytes(data)
            page = f"{self.server.address}/{REPOSITORY}/commit/{COMMIT}"
            answer = {"commitUrl": page, "commitOid": COMMIT}
        return self.reply(200, json.dumps(answer).encode(), {})

    def answer(self, body: bool) -> None:
        path, files = self.path.split("?")[0], self.server.files()
        resolved = f"/{REPOSITORY}/resolve/{COMMIT}/"
        if self.server.failing:
            self.reply(self.server.failing, b"", {}, body)
        elif path.startswith(resolved):
            name = path.removeprefix(resolved)
            if self.server.gated:
                self.reply(403, b"", {"X-Error-Code": "GatedRepo"}, body)
            elif name in files:
                self.give(name, files[name], body)
            else:
                self.reply(404, b"", {"X-Error-Code": "EntryNotFound"}, body)
        elif path.startswith(f"/api/models/{REPOSITORY}/tree/"):
            tree = [
                {"type": "file", "path": name, "oid": _sha(data), "size": len(data)}
                for name, data in files.items()
            ]
            self.reply(200, json.dumps(tree).encode(), {}, body)
        elif path.startswith(f"/api/models/{REPOSITORY}"):
            siblings = [{"rfilename": name} for name in files]
            about = {"id": REPOSITORY, "sha": COMMIT, "siblings": siblings}
            self.reply(200, json.dumps(about).encode(), {}, body)
        else:
            self.reply(404, b"", {"X-Error-Code": "RepoNotFound"}, body)

    def give(self, name: str, data: bytes, body: bool) -> None:
        """A file, or its beginning where that is all that is asked for."""
        headers = {"ETag": f'"{_sha(data)}"', "X-Repo-Commit": COMMIT}
        beginning = re.fullmatch(r"bytes=0-(\d+)", self.headers.get("Range", ""))
        if beginning and int(beginning[1]) < len(data) - 1:
            self.reply(206, data[: int(beginning[1]) + 1], headers, body)
            return
        if not (body and name == self.server.slow):
            self.reply(200, data, headers, body)
        else:
            self.reply(200, data, headers, body=False)
            self.wfile.write(data[: len(data) // 2])
            self.wfile.flush()
            self.server.go_on.wait(60)
            with contextlib.suppress(OSError):  # nobody may be there any more
                self.wfile.write(data[len(data) // 2 :])
        if body:
            self.server.given.append(name)

    def reply(self, status: int, data: bytes, headers: dict[str, str], body: bool = True) -> None:
        self.send_response(status)
        for key, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        if body:
            self.wfile.write(data)


def _regular(name: str) -> dict[str, object]:
    return {"path": name, "uploadMode": "regular", "shouldIgnore": False, "oid": None}


def _sha(data: bytes) -> str:
    return hashlib.sha1(data).hexdigest()


@contextlib.contextmanager
def serving(hub: Hub, cache: Path, patch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """The hub at work, and processes that are started meanwhile go there and nowhere else."""
    for name, value in {"HF_ENDPOINT": hub.address, "HF_HUB_CACHE": str(cache)}.items():
        patch.setenv(name, value)
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE"):
        patch.delenv(name, raising=False)
    patch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    threading.Thread(target=hub.serve_forever, daemon=True).start()
    try:
        yield hub
    finally:
        hub.go_on.set()
        hub.shutdown()
