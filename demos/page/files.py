"""Pictures of the page as files named by their content: fetched when they are first seen, and never
twice by the same browser."""

import base64
import hashlib
import re
from typing import Any

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
KEPT_SECONDS, KEPT_BYTES = 3600.0, 100_000_000
"""How long, and how many of, the pictures of runs are kept; a browser fetches them at once."""
PICTURE = re.compile(rf"data:image/(png|jpeg|webp|gif);base64,([A-Za-z0-9+/=]{{{SMALL},}})")


class Files:
    """What is served from memory, by name: what the page begins with for good, the pictures of runs
    for a while."""

    def __init__(self) -> None:
        self._known: dict[str, bytes] = {}
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
        """Takes the pictures out of what a page begins with."""
        for block in page.blocks.values():
            if isinstance(block, gr.HTML):
                if not str(block.value).startswith("data:"):  # what a pad sends to the server
                    block.value = self.linked(block.value)
                block.html_template = self.linked(block.html_template)

    def route(self) -> Route:
        """Answers for the files; 404 for a name that nobody has."""
        return Route(f"/{FOLDER}/{{name}}", self._answer)

    async def _answer(self, request: Request) -> Response:
        name = request.path_params["name"]
        data = self._known.get(name) or self.passing.get(name)
        if data is None:
            return PlainTextResponse("There is no such file.", 404)
        kind = name.rpartition(".")[2]
        return Response(data, headers=FOREVER, media_type=f"image/{kind}")
