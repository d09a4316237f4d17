"""Pictures to try in the panel Was it made here?: one that was saved here, the same after it was
shared, and one that no model made."""

import html
import io
from collections.abc import Mapping
from pathlib import Path

import gradio as gr
import numpy as np
from PIL import Image

from demos.page.examples import Keep, example
from demos.page.handlers import App
from demos.page.image_io import data_url
from demos.page.saving import files, run_of
from demos.tabs.text_to_image import generate
from demos.widgets.card import read
from gen_core.data.avatars import portrait, random_avatar
from gen_core.provenance import watermark
from gen_core.provenance.metadata import png

HERE = Path(__file__).parent
NAME = f"{generate.ID}-tries"
SEED = 3
QUALITY = 80
"""Of a JPEG, as sites make them of what they are sent."""
PERSON = 7
"""The portrait's number."""


def saved(app: App) -> bytes:
    """A PNG file as the panel Generate saves it, of its first settings and another seed."""
    asked = generate.PANEL.first_settings(app) | {"count": 1, "seed": SEED}
    *_, value = generate.PANEL.run(app, **asked)
    (file,) = files(run_of(generate.MODEL, asked, value)).values()
    return file


def shared(file: bytes) -> bytes:
    """The picture of a file as a JPEG, which says nothing of itself."""
    small = io.BytesIO()
    Image.open(io.BytesIO(file)).convert("RGB").save(small, "JPEG", quality=QUALITY)
    return small.getvalue()


def by_rule() -> bytes:
    """A PNG file of a portrait that the library's own program draws, without a model."""
    drawn = np.asarray(portrait(random_avatar(PERSON), 64))
    return png(watermark.enlarged(drawn), {})


def make(app: App) -> list[dict[str, str]]:
    """What a visitor may try: a title, the file's name and its data URL."""
    here = saved(app)
    tries = [
        ("Saved here", "saved-here.png", here, "png"),
        ("Saved here, shared as JPEG", "shared.jpg", shared(here), "jpeg"),
        ("Drawn by a program", "portrait.png", by_rule(), "png"),
    ]
    return [
        {"title": title, "name": name, "file": data_url(data, kind)}
        for title, name, data, kind in tries
    ]


KEEP = Keep(NAME, make, models=(generate.MODEL,), seeds=(SEED,))


def offered() -> None:
    """Puts the pictures on the page, where they are kept: who presses one has it checked."""
    if kept := example(NAME):
        gr.HTML(
            f'<p id="{NAME}-head">Or try one of these:</p>'
            f'<div class="tries" role="group" aria-labelledby="{NAME}-head">'
            f"{''.join(map(_button, kept.value))}</div>",
            css_template=read(HERE / "tries.css"),
            js_on_load=read(HERE / "tries.js"),
            apply_default_css=False,
        )


def _button(shown: Mapping[str, str]) -> str:
    title, name = html.escape(shown["title"]), html.escape(shown["name"])
    return (
        f'<button type="button" data-name="{name}"><img src="{shown["file"]}" alt="" '
        f'loading="lazy">{title}</button>'
    )
