"""What "Show the code" shows, as text."""

from __future__ import annotations

import html
import json
import re

import gradio as gr
from starlette.applications import Starlette
from starlette.testclient import TestClient

from demos.page.handlers import App


def code_panels(app: App, page: gr.Blocks) -> list[tuple[str, str]]:
    """Of each code panel of a page: the lines that do the same, and the HTML below them."""
    panels = [b for b in page.blocks.values() if "code-panel" in (b.elem_classes or [])]
    values = [[_begun(app, part.value)["html"] for part in p.children[1:]] for p in panels]
    return [(lines_of(lines), rest) for lines, rest in values]


def lines_of(listing: str) -> str:
    """The code in the HTML of a listing."""
    return html.unescape(re.sub("<figcaption>.*?</figcaption>|<[^>]+>", "", listing))


def _begun(app: App, value: dict[str, str]) -> dict[str, str]:
    """What a widget begins with, which is a file where it is large."""
    if "file" not in value:
        return value
    client = TestClient(Starlette(routes=[app.files.route()]))
    return json.loads(client.get(f"/{value['file']}").content)
