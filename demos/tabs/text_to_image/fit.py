"""The Does it fit the words? panel: every picture against several texts, by CLIP score.

Below it stand a search, as one types, for the emoji that fit some words best by the same encoder,
and what was measured: how often the model draws what it is asked for, and what guidance trades.
"""

import contextlib
import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
import torch
from torch import Tensor

from demos.page.controls import Knob
from demos.page.handlers import App, watch
from demos.page.image_input import Source
from demos.page.image_io import duration
from demos.page.panel import Page, Panel
from demos.page.script import sampling, script
from demos.tabs.text_to_image.generate import (
    ID,
    MAX_PROMPT,
    MODEL,
    PROMPT,
    REST,
    SOLVERS,
    prompt_tools,
)
from demos.tabs.text_to_image.texts import (
    ACCURACY,
    FIT,
    HOW_TO_READ_ACCURACY,
    HOW_TO_READ_TRADEOFF,
    NO_ACCURACY,
    NO_SEARCH,
    NO_TRADEOFF,
    SEARCH,
    TRADEOFF,
)
from demos.widgets.chart import Axis, Mark, axes, chart, corner, placed
from demos.widgets.labelled_grid import Cell, LabelledGrid, LabelledGridValue, Row
from demos.widgets.measured import card, made, table
from demos.widgets.tiles import Tile, Tiles, TilesValue
from gen_core.data.emoji import Emoji, emoji_here, load_emoji
from gen_core.data.emoji.scenes import portrait
from gen_core.data.images import MissingData
from gen_core.evaluation.report import HEADS, prompt_accuracy_rows
from gen_core.families.text_to_image.folder import EMOJI, measured
from gen_core.families.text_to_image.pipeline import used
from gen_core.knobs import KnobError
from gen_core.progress import Progress
from gen_core.sampling import Meter, pixels, seeds_from
from gen_core.training.checkpoint import weights_folder

if TYPE_CHECKING:
    from gen_core.families.text_to_image.clip_score import Found, Search

SEARCH_NAME = f"{ID}-search"
CLIP = f"{MODEL}/clip"
"""The recipe of the part that scores and searches."""
SHOWN = 12
EXAMPLE = "a 3d dog"
CREDIT = "drawings: 3d by Microsoft (Fluent), noto by Google, flat by Twitter (Twemoji)"
MOST_TEXTS = 8
LONGEST_SHOWN = 120
OTHERS = """a 3d emoji of a panda, on a pink background
a 3d emoji of a dog, on a teal background
a house at night"""
TEXTS = Knob(
    "texts",
    "Other texts to compare with, one per line",
    "text",
    OTHERS,
    high=MAX_PROMPT,
    info=f"Up to {MOST_TEXTS} other texts: which one fits each picture best?",
)
TRADEOFF_HEADS = (
    "Guidance",
    "CLIP score",
    "Right thing, says the judge",
    "Diversity",
    "Burnt-out pixels",
)


# --- search ---------------------------------------------------------------------------------------


def nearest(app: App, words: str, pictures: bool = True) -> TilesValue:
    """The nearest emoji as tiles; pictures: whether to show them, where they are."""
    search = opened("Search", weights_folder() / MODEL, app.device)
    started = time.perf_counter()
    found = search.nearest(words, min(SHOWN, len(search.items)))
    took = duration(time.perf_counter() - started)
    here = None
    with contextlib.suppress(MissingData):
        here = drawings(app.data_root) if pictures else None
    source = CREDIT if here else "names alone: the drawings are not on this machine"
    return TilesValue(
        tiles(search, found, here),
        headline=f"The {len(found)} that fit best, of {len(search.items):,} emoji",
        provenance=f"{app.device_title} · {took} · {source}",
        name=SEARCH_NAME,
    )


@functools.lru_cache(maxsize=2)
def opened(kind: str, folder: Path, device: torch.device) -> Any:
    """The `Search` or the `ClipScorer` of a model's folder, opened once for all visitors."""
    from gen_core.families.text_to_image import clip_score  # heavy, and only for this tab

    return getattr(clip_score, kind).open(folder, device)


def tiles(search: "Search", found: "Sequence[Found]", here: Emoji | None) -> list[Tile]:
    shown = []
    for answer in found:
        item = search.items[answer.index]
        row = here.index.get((item.code, item.style)) if here else None
        picture = None if row is None else portrait(here.at(row))
        shown.append(Tile(picture, answer.name, f"{answer.style} · score {answer.score:.1f}"))
    return shown


@functools.cache
def drawings(root: str | None) -> Emoji:
    """The emoji's drawings, read once for all panels. Raises MissingData where they are not; that
    is asked again the next time."""
    return load_emoji(root)


def search_code(k: Mapping[str, Any]) -> str:
    """The lines that find the same."""
    return script(
        f"search = Search.open(weights_folder() / {MODEL!r})",
        f"for name, style, score, index in search.nearest({k['words']!r}, {SHOWN}):",
        '    print(f"{score:5.1f} {name} ({style})")',
    )


class SearchPanel(Panel):
    """It runs as one types; a sentence stands in its place where the vectors are missing."""

    def rare(self, app: App) -> bool:
        """Where it finds names alone, as the drawings are not here: then it stands among what the
        switch Advanced shows."""
        return not emoji_here(app.data_root)

    def declared(self, app: App) -> tuple[list[Knob], list[Source]]:
        knobs, sources = super().declared(app)
        return [replace(knob, advanced=self.rare(app)) for knob in knobs], sources

    def build(self, app: App) -> list[Any]:
        if (weights_folder() / MODEL / EMOJI).exists():
            return super().build(app)
        gr.Markdown(f"{SEARCH}\n\n*{NO_SEARCH}*", elem_classes=["part"])
        return []

    def triggers(self, page: Page) -> dict[str, Callable]:
        return {"": page.knobs.built["words"].change}


SEARCH_PANEL = SearchPanel(
    tab=ID,
    id="search",
    title="Search",
    text=SEARCH,
    knobs=[
        Knob("words", "Words", "text", EXAMPLE, high=MAX_PROMPT, info="It searches as you type")
    ],
    run=lambda app, **asked: iter([nearest(app, **asked)]),
    code=search_code,
    calls=nearest,
    screen=Tiles,
    shows="The emoji that fit the words best",
    empty="Type some words.",
    # Without pictures, as the project ships none.
    example={"pictures": False},
    models=(MODEL,),
    trained=(CLIP,),
    generates=False,
    seeds=(),
)


# --- scores ---------------------------------------------------------------------------------------


def fit(
    app: App, *, prompt: str, texts: str, count: int, seed: int, **knobs: Any
) -> Iterator[Progress | LabelledGridValue]:
    """Draws the pictures, then yields the table of their scores."""
    others, seeds = other_texts(prompt, texts), seeds_from(seed, count)
    model, matcher = app.model(MODEL), opened("ClipScorer", weights_folder() / MODEL, app.device)
    meter = Meter(model, seeds, prompt=prompt, **knobs)
    x = yield from watch(meter, "Drawing")
    scores = matcher.scores(x, [prompt, *others])
    yield LabelledGridValue(
        rows(x, scores, [prompt, *others]),
        [str(s) for s in seeds],
        corner="seed",
        name=f"{ID}-fit-{seed}",
        provenance=f"{app.device_title} · {duration(meter.seconds)}",
        caption=summary(scores),
    )


def other_texts(prompt: str, texts: str) -> list[str]:
    """The lines that say something, each once, without the prompt. Raises KnobError."""
    lines = dict.fromkeys(line.strip() for line in texts.splitlines())
    others = [line for line in lines if line and line != prompt.strip()]
    if len(others) > MOST_TEXTS:
        raise KnobError(f"texts has {len(others)} lines: write at most {MOST_TEXTS}")
    return others


def rows(x: Tensor, scores: Tensor, texts: Sequence[str]) -> list[Row]:
    """The pictures with the prompt's score, then each text's scores; the prompt is the first."""
    drawn = [
        Cell(picture, f"{score:.1f}")
        for picture, score in zip(pixels(x), scores[:, 0].tolist(), strict=True)
    ]
    low, span = float(scores.min()), float(scores.max() - scores.min()) or 1.0
    best = scores.argmax(1).tolist()
    table = [Row("CLIP score", "of each picture with the prompt", drawn)]
    for k, text in enumerate(texts):
        cells = [
            Cell(None, f"{score:.1f}", (score - low) / span, best=best[i] == k)
            for i, score in enumerate(scores[:, k].tolist())
        ]
        table.append(Row(f"Text {k}" if k else "The prompt", shortened(text), cells))
    return table


def shortened(text: str) -> str:
    text = " ".join(text.split()) or "(no words)"
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


def summary(scores: Tensor) -> str:
    """How often the prompt won; scores (pictures, texts), the prompt's first."""
    pictures, texts = scores.shape
    if texts == 1:
        return "A score alone says little: write other texts to compare the prompt with."
    won = int((scores.argmax(1) == 0).sum())
    return (
        f"Of these {texts} texts, the prompt fits best in {won} of {pictures} "
        f"picture{'s' if pictures > 1 else ''}. In each column the best text has a frame."
    )


def code(k: Mapping[str, Any]) -> str:
    """The lines that give the same scores."""
    texts = [k["prompt"], *other_texts(k["prompt"], k["texts"])]
    return script(
        "texts = [",
        *(f"    {text!r}," for text in texts),
        "]",
        f"model, matcher = load({MODEL!r}), ClipScorer.open(weights_folder() / {MODEL!r})",
        *sampling(used(k), shape="3, 64, 64", without=("texts",), prompt="texts[0]"),
        f"scores = matcher.scores(x, texts)  # ({k['count']}, {len(texts)}): 100 cos, or 0",
        "best = scores.argmax(1)  # which text fits each picture best",
    )


# --- what was measured ----------------------------------------------------------------------------


def measured_cards() -> None:
    """The table and the curve, where the card of the weights holds their figures."""
    figures = measured(weights_folder() / MODEL)
    shares = prompt_accuracy(figures["metrics"]) if "metrics" in figures else ""
    card(f"{ID}-shares", ACCURACY, shares, otherwise=NO_ACCURACY)
    curves = tradeoff(figures) if "guidance" in figures else ""
    card(f"{ID}-tradeoff", TRADEOFF, curves, "chart/chart.css", otherwise=NO_TRADEOFF)


def prompt_accuracy(metrics: Mapping[str, Any]) -> str:
    """What `evaluate` has measured, as HTML."""
    return f"""
    <section class="card measured">{table(HEADS, prompt_accuracy_rows(metrics["shares"]))}
      <p>{escape(HOW_TO_READ_ACCURACY)}</p>
      <p>{metrics["samples"]:,} prompts, a picture of each. {escape(made(metrics))}</p>
    </section>"""


def tradeoff(figures: Mapping[str, Any]) -> str:
    """The chart, and the figures as a table; `figures` is what the card has measured."""
    found = figures["guidance"]
    how = (
        f"Each row: {found['pictures']:,} pictures, {found['prompts']} prompts with the same "
        f"{found['seeds']} seeds, {found['steps']} steps of {SOLVERS[found['solver']]}. "
        f"{made(found)}"
    )
    return f"""
    <section class="card measured beside-chart">
      <div>{curve(found["points"])}</div>
      <div>{table(TRADEOFF_HEADS, tradeoff_rows(found["points"]))}
        <p>{escape(how)}</p>
        <p>{escape(HOW_TO_READ_TRADEOFF)}{_judge(figures)}</p>{_sharper(figures)}</div>
    </section>"""


def curve(points: Sequence[Mapping[str, float]]) -> str:
    """Diversity across, CLIP score up, a line through the values of guidance."""
    across = Axis.across([p["diversity"] for p in points])
    up = Axis.upward([p["score"] for p in points])
    marks = [
        Mark(
            across.at(p["diversity"]),
            up.at(p["score"]),
            f"{p['guidance']:g}" if k else f"guidance {p['guidance']:g}",
            "",
            "var(--color-accent)",
        )
        for k, p in enumerate(points)
    ]
    line = "L".join(f"{mark.x:.1f} {mark.y:.1f}" for mark in marks)
    drawn = axes(across, up, below="diversity: how much seeds differ", beside="CLIP score")
    drawn += f'<path class="line" d="M{line}"/>' + corner("better: up, right") + placed(marks)
    spoken = "; ".join(
        f"guidance {p['guidance']:g}: score {p['score']:.1f}, diversity {p['diversity']:.2f}"
        for p in points
    )
    return chart(drawn, f"CLIP score against diversity. {spoken}")


def tradeoff_rows(points: Sequence[Mapping[str, float]]) -> Iterator[tuple[str, ...]]:
    for p in points:
        yield (
            f"{p['guidance']:g}",
            f"{p['score']:.1f} <small>± {p['score_error']:.1f}</small>",
            f"{p['recognised']:.0%}",
            f"{p['diversity']:.3f} <small>± {p['diversity_error']:.3f}</small>",
            f"{p['clipped']:.1%}",
        )


def _judge(figures: Mapping[str, Any]) -> str:
    """How good the judge itself is, where that was measured."""
    if "metrics" not in figures:
        return ""
    share = figures["metrics"]["shares"]["judge"]["seen"]["concept"]
    return f" It recognises {share:.0%} of things in real drawings."


def _sharper(figures: Mapping[str, Any]) -> str:
    """What a negative prompt does, where that was measured."""
    if "sharpness" not in figures:
        return ""
    found = figures["sharpness"]
    words = (
        f"The negative prompt “{found['negative_prompt']}” made {found['sharper']:.0%} of "
        f"{found['pictures']} pictures sharper: the variance of the Laplacian, which grows with "
        f"sharp edges, is {found['ratio']:.2f} ± {found['ratio_error']:.2f} times that of the same "
        f"prompts and seeds without it, at guidance {found['guidance_scale']:g}. {made(found)}"
    )
    return f"<p>{escape(words)}</p>"


# --- the panel ------------------------------------------------------------------------------------


def further(app: App) -> None:
    with gr.Column(elem_classes=["advanced"] if SEARCH_PANEL.rare(app) else []):
        SEARCH_PANEL.build(app)
    measured_cards()


PANEL = Panel(
    tab=ID,
    id="fit",
    title="Does it fit the words?",
    button="Generate and score",
    text=FIT,
    knobs=[PROMPT, TEXTS, *REST],
    run=fit,
    code=code,
    calls=fit,
    screen=LabelledGrid,
    shows="Pictures and their CLIP scores with several texts",
    models=(MODEL,),
    trained=(MODEL, CLIP),
    above=("texts",),
    used=used,
    beneath=prompt_tools,
    further=further,
    parts=(SEARCH_PANEL,),
)
