"""The Does it fit the words? panel: every picture against several texts, by CLIP score.

Below it stand the search, and what was measured: how often the model draws what it is asked for,
and what guidance trades.
"""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from torch import Tensor

from demos.page.controls import Knob
from demos.page.handlers import App, watch
from demos.page.image_io import duration
from demos.page.panel import Panel
from demos.page.script import sampling, script
from demos.tabs.text_to_image import search
from demos.tabs.text_to_image.beside import CLIP, scorer
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
    NO_TRADEOFF,
    TRADEOFF,
)
from demos.widgets.chart import Axis, Mark, axes, chart, corner, placed
from demos.widgets.labelled_grid import Cell, LabelledGrid, LabelledGridValue, Row
from demos.widgets.measured import card, made, table
from gen_core.evaluation.report import HEADS, prompt_accuracy_rows
from gen_core.families.text_to_image.folder import measured
from gen_core.families.text_to_image.pipeline import used
from gen_core.knobs import KnobError
from gen_core.progress import Progress
from gen_core.sampling import Meter, pixels, seeds_from
from gen_core.training.checkpoint import weights_folder

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


# --- scores ---------------------------------------------------------------------------------------


def fit(
    app: App, *, prompt: str, texts: str, count: int, seed: int, **knobs: Any
) -> Iterator[Progress | LabelledGridValue]:
    """Draws the pictures, then yields the table of their scores."""
    others, seeds = other_texts(prompt, texts), seeds_from(seed, count)
    model, matcher = app.model(MODEL), scorer(app.device)
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
    search.PANEL.build(app)
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
    parts=(search.PANEL,),
)
