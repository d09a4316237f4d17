"""The search, as one types, for the emoji that fit some words best: by their names, and by the
encoder that also measures the fit of pictures. The model's decoder draws them."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr

from demos.page.controls import Knob
from demos.page.handlers import App
from demos.page.image_io import duration
from demos.page.panel import Page, Panel
from demos.page.script import script
from demos.tabs.text_to_image.beside import CLIP, searcher
from demos.tabs.text_to_image.generate import ID, MAX_PROMPT, MODEL
from demos.tabs.text_to_image.texts import NO_SEARCH, SEARCH
from demos.widgets.tiles import Tile, Tiles, TilesValue
from gen_core.families.text_to_image.folder import EMOJI
from gen_core.sampling import pixels
from gen_core.training.checkpoint import weights_folder

SHOWN = 12
EXAMPLE = "a 3d dog"
CREDIT = "after drawings by Microsoft (Fluent), Google (Noto), Twitter (Twemoji)"


def nearest(app: App, words: str) -> TilesValue:
    """The nearest emoji as tiles, with their pictures where the weights hold them."""
    search, started = searcher(app.device), time.perf_counter()
    found = search.nearest(words, min(SHOWN, len(search.items)))
    drawn = [None] * len(found)
    if search.packed is not None:
        model = app.model(MODEL)
        drawn = pixels(search.pictures([one.index for one in found], model.decode))
    tiles = [
        Tile(picture, one.name, f"{one.style} · score {one.score:.1f}")
        for one, picture in zip(found, drawn, strict=True)
    ]
    return TilesValue(
        tiles,
        headline=f"The {len(found)} that fit best, of {len(search.items):,} emoji",
        provenance=f"{app.device_title} · {duration(time.perf_counter() - started)} · {CREDIT}",
        name=f"{ID}-search",
    )


def code(k: Mapping[str, Any]) -> str:
    """The lines that find the same."""
    return script(
        f"search = Search.open(weights_folder() / {MODEL!r})",
        f"found = search.nearest({k['words']!r}, {SHOWN})",
        "for name, style, score, index in found:",
        '    print(f"{score:5.1f} {name} ({style})")',
        f"x = search.pictures([f.index for f in found], load({MODEL!r}).decode)",
    )


class SearchPanel(Panel):
    """It runs as one types; a sentence stands in its place where the vectors are missing."""

    def build(self, app: App) -> list[Any]:
        if (weights_folder() / MODEL / EMOJI).exists():
            return super().build(app)
        gr.Markdown(f"{SEARCH}\n\n*{NO_SEARCH}*", elem_classes=["part"])
        return []

    def triggers(self, page: Page) -> dict[str, Callable]:
        return {"": page.knobs.built["words"].change}


PANEL = SearchPanel(
    tab=ID,
    id="search",
    title="Search",
    text=SEARCH,
    knobs=[
        Knob("words", "Words", "text", EXAMPLE, high=MAX_PROMPT, info="It searches as you type")
    ],
    run=lambda app, **asked: iter([nearest(app, **asked)]),
    code=code,
    calls=nearest,
    screen=Tiles,
    shows="The emoji that fit the words best",
    empty="Type some words.",
    models=(MODEL,),
    trained=(CLIP,),
    seeds=(),
)
