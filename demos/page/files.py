"""Pictures of the page, what its widgets begin with, and their scripts, as files named by their
content: never fetched twice by the same browser, and but for scripts when they are first seen."""

import base64
import gzip
import hashlib
import json
import re
from functools import partial
from typing import Any

import brotli
import gradio as gr
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from gen_core.engine.kept import Kept

FOLDER = "files"
"""Relative to the page's root, wherever a proxy puts that."""
FOREVER = {"cache-control": "public, max-age=31536000, immutable"}
SMALL = 600
"""Characters up to which a data URL costs less than a request."""
SMALL_RESULT = 16_000
"""The same for a picture of a run: each of its previews is seen once, and soon gone."""
LARGE_VALUE = 3_000
"""Characters of JSON from which on what a widget begins with is a file."""
SHOWS = "showValue(view);"
"""In a widget's script: it fetches such a file (see card.js)."""
KEPT_SECONDS, KEPT_BYTES = 3600.0, 100_000_000
"""How long, and how many of, the pictures of runs are kept; a browser fetches them at once."""
ENCODERS = {"br": partial(brotli.compress, quality=10), "gzip": partial(gzip.compress, mtime=0)}
"""By the name that a browser accepts, the best first. Gradio itself needs brotli; with quality 10
the page weighs a tenth less than with 9, and takes half a second once."""
WIDGETS = "noiseToDataWidgets"
"""In the browser, the functions of all widgets by name."""
ARGUMENTS = "element, trigger, props, server, upload, watch"
"""Of the function that Gradio makes of a widget's `js_on_load`."""
TYPES = {"js": "text/javascript", "json": "application/json"}
PICTURE = re.compile(rf"data:image/(png|jpeg|webp|gif);base64,([A-Za-z0-9+/=]{{{SMALL},}})")


class Packed:
    """What is sent compressed; each encoding is made once."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._made: dict[str, bytes] = {}

    def accepted(self, names: str) -> tuple[bytes, str]:
        """names: the encodings that a browser accepts. Returns the data, and in which of them."""
        name = next((name for name in ENCODERS if name in names), "")
        if name and name not in self._made:
            self._made[name] = ENCODERS[name](self.data)
        return self._made.get(name, self.data), name


class Files:
    """What is served from memory, by name: what the page begins with for good, the pictures of runs
    for a while."""

    def __init__(self) -> None:
        self._known: dict[str, bytes] = {}
        self._packed: dict[str, Packed] = {}
        """Scripts, and what widgets begin with."""
        self.passing = Kept(KEPT_SECONDS, KEPT_BYTES)

    def linked(self, value: Any, passing: bool = False) -> Any:
        """JSON with addresses of files in place of the data URLs of pictures that are not small.

        passing: it comes from a run, is kept for `KEPT_SECONDS`, and less where there are more
        than `KEPT_BYTES`; what a pad shows, and sends to the server, stays as it is.
        """
        if isinstance(value, str):
            if passing and value.startswith("data:"):
                return value
            return self._part(value, passing)
        if isinstance(value, list | tuple):  # of outputs
            return type(value)(self.linked(entry, passing) for entry in value)
        return self._part(value, passing)

    def _part(self, value: Any, passing: bool) -> Any:
        if isinstance(value, str):
            return PICTURE.sub(lambda found: self._link(found, passing), value)
        if isinstance(value, dict):
            return {key: self._part(entry, passing) for key, entry in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(self._part(entry, passing) for entry in value)
        return value

    def _link(self, found: re.Match, passing: bool) -> str:
        if passing and len(found[0]) < SMALL_RESULT:
            return found[0]
        kind, data = found[1], base64.b64decode(found[2])
        name = f"{hashlib.sha256(data).hexdigest()[:32]}.{kind}"
        if passing:
            self.passing.put(name, data, len(data))
        else:
            self._known[name] = data
        return f"{FOLDER}/{name}"

    def lighten(self, page: gr.Blocks) -> None:
        """Takes out of what a page begins with its pictures, the large values of its widgets, and
        their scripts, which many have in common: they are a file, of which `scripts` says where it
        is."""
        functions = {}
        for block in page.blocks.values():
            if isinstance(block, gr.HTML):
                if not str(block.value).startswith("data:"):  # what a pad sends to the server
                    block.value = self._outside(self.linked(block.value), block.js_on_load or "")
                if block.js_on_load and not block.js_on_load.startswith(WIDGETS):
                    name = f"w{hashlib.sha256(block.js_on_load.encode()).hexdigest()[:16]}"
                    functions[name] = block.js_on_load
                    block.js_on_load = f"{WIDGETS}.{name}({ARGUMENTS})"
                block.html_template = self.linked(block.html_template)

        bodies = [f"{name}({ARGUMENTS}) {{\n{body}\n}}" for name, body in functions.items()]
        known = f"window.{WIDGETS} ??= {{}}"  # another page of this app may have its own
        script = f"Object.assign({known}, {{\n{','.join(bodies)}\n}});\n".encode()
        if functions:
            self._keep(script, "js")

    def _outside(self, value: Any, script: str) -> Any:
        """Where a widget's value is, if it is large and the widget's script fetches it; else the
        value."""
        if SHOWS not in script or not isinstance(value, dict):
            return value
        text = json.dumps(value, separators=(",", ":")).encode()
        return {"file": self._keep(text, "json")} if len(text) > LARGE_VALUE else value

    def _keep(self, data: bytes, kind: str) -> str:
        """Serves it, compressed; returns its address, relative to the page's own."""
        name = f"{hashlib.sha256(data).hexdigest()[:32]}.{kind}"
        self._packed[name] = Packed(data)
        return f"{FOLDER}/{name}"

    @property
    def scripts(self) -> list[str]:
        """Addresses, relative to the page's own, of what it needs before its widgets are built."""
        return [f"{FOLDER}/{name}" for name in self._packed if name.endswith(".js")]

    def route(self) -> Route:
        """Answers for the files; 404 for a name that nobody has."""
        return Route(f"/{FOLDER}/{{name}}", self._answer)

    async def _answer(self, request: Request) -> Response:
        name = request.path_params["name"]
        if text := self._packed.get(name):
            data, encoding = text.accepted(request.headers.get("accept-encoding", ""))
            packed = {"content-encoding": encoding} if encoding else {}
            headers = FOREVER | packed | {"vary": "accept-encoding"}
            return Response(data, headers=headers, media_type=TYPES[name.rpartition(".")[2]])
        data = self._known.get(name) or self.passing.get(name)
        if data is None:
            return PlainTextResponse("There is no such file.", 404)
        kind = name.rpartition(".")[2]
        return Response(data, headers=FOREVER, media_type=f"image/{kind}")
