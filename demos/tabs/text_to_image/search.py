"""Search, as one types: the emoji that fit some words best, by the encoder of the CLIP score."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr

from demos.page.controls import Knob
from demos.page.figures import duration
from demos.page.handlers import App
from demos.page.panel import Page, Panel
from demos.page.script import script
from demos.tabs.text_to_image.generate import ID, MAX_PROMPT, MODEL
from demos.tabs.text_to_image.texts import NO_SEARCH, SEARCH
from demos.widgets.tiles import Tile, Tiles, tiles_value
from gen_core.data.emoji import Emoji, load_emoji
from gen_core.data.emoji.scenes import portrait
from gen_core.data.images import MissingData
from gen_core.devices import device_title
from gen_core.families.text_to_image.card import EMOJI
from gen_core.training.checkpoint import weights_folder

if TYPE_CHECKING:
    from gen_core.families.text_to_image.search import Found, Search

NAME = f"{ID}-search"
SHOWN = 12
EXAMPLE = "a 3d dog"
WORDS = Knob("words", "Words", "text", EXAMPLE, high=MAX_PROMPT, info="It searches as you type")
CREDIT = "drawings: 3d by Microsoft (Fluent), noto by Google, flat by Twitter (Twemoji)"


def nearest(app: App, words: str, pictures: bool = True) -> dict[str, Any]:
    """The nearest emoji as tiles; pictures: whether to show them, where they are."""
    search = _search(str(weights_folder() / MODEL), str(app.device))
    started = time.perf_counter()
    found = search.nearest(words, min(SHOWN, len(search.items)))
    took = duration(time.perf_counter() - started)
    here = drawings_here(app.data_root) if pictures else None
    told = CREDIT if here else "names alone: the drawings are not on this machine"
    return tiles_value(
        tiles(search, found, here),
        headline=f"The {len(found)} that fit best, of {len(search.items):,} emoji",
        provenance=f"{device_title(app.device)} · {took} · {told}",
        name=NAME,
    )


@functools.lru_cache(maxsize=1)
def _search(folder: str, device: str) -> Search:
    from gen_core.families.text_to_image.search import Search  # heavy, and only for this tab

    return Search.open(folder, device)


def tiles(search: Search, found: Sequence[Found], here: Emoji | None) -> list[Tile]:
    shown = []
    for answer in found:
        item = search.items[answer.index]
        row = here.index.get((item.code, item.style)) if here else None
        picture = None if row is None else portrait(here.at(row))
        shown.append(Tile(picture, answer.name, f"{answer.style} · {answer.score:.1f}"))
    return shown


@functools.cache
def drawings(root: str | None) -> Emoji:
    """The emoji's drawings, read once for all panels. Raises MissingData where they are not; that
    is asked again the next time."""
    return load_emoji(root)


def drawings_here(root: str | None) -> Emoji | None:
    """The drawings, where they are on this machine."""
    try:
        return drawings(root)
    except MissingData:
        return None


def code(k: Mapping[str, Any]) -> str:
    """The lines that find the same."""
    return script(
        f"search = Search.open(weights_folder() / {MODEL!r})",
        f"for name, style, score, index in search.nearest({k['words']!r}, {SHOWN}):",
        '    print(f"{score:5.1f} {name} ({style})")',
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
    knobs=[WORDS],
    run=lambda app, **asked: iter([nearest(app, **asked)]),
    code=code,
    calls=nearest,
    screen=Tiles,
    shows="The emoji that fit the words best",
    empty="Type some words.",
    progress="hidden",
    # Without pictures, as the project ships none.
    example={"pictures": False},
    models=(MODEL,),
    seeds=(),
)
