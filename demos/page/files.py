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

FOLDER = "files"
"""Relative to the page's root, wherever a proxy puts that."""
FOREVER = {"cache-control": "public, max-age=31536000, immutable"}
SMALL = 600
"""Characters up to which a data URL costs less than a request."""
PICTURE = re.compile(rf"data:image/(png|jpeg|webp|gif);base64,([A-Za-z0-9+/=]{{{SMALL},}})")


class Files:
    """What is served from memory, by name."""

    def __init__(self) -> None:
        self._known: dict[str, bytes] = {}

    def add(self, data: bytes, kind: str) -> str:
        """Keeps an image file ("png", "jpeg", ...); returns its address."""
        name = f"{hashlib.sha256(data).hexdigest()[:32]}.{kind}"
        self._known[name] = data
        return f"{FOLDER}/{name}"

    def linked(self, value: Any) -> Any:
        """JSON with addresses of files in place of the data URLs of pictures that are not small."""
        if isinstance(value, str):
            return PICTURE.sub(self._link, value)
        if isinstance(value, dict):
            return {key: self.linked(entry) for key, entry in value.items()}
        if isinstance(value, list):
            return [self.linked(entry) for entry in value]
        return value

    def _link(self, found: re.Match) -> str:
        kind, data = found.groups()
        return self.add(base64.b64decode(data), kind)

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
        if name not in self._known:
            return PlainTextResponse("There is no such file.", 404)
        kind = name.rpartition(".")[2]
        return Response(self._known[name], headers=FOREVER, media_type=f"image/{kind}")
