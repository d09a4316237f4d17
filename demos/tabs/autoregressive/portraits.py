"""The Portraits by tokens panel: portraits as rows of tokens, and what each token stands for."""

import functools
import math
import time
from collections.abc import Iterator, Mapping
from typing import Any

import gradio as gr
import numpy as np
import torch
from torch import Tensor

from demos.page.controls import Knob, control_of
from demos.page.handlers import App
from demos.page.image_io import duration, made_by
from demos.page.panel import Page, Panel
from demos.page.script import sampling, script
from demos.sampling.generate import NOT_DRAWN
from demos.tabs.autoregressive.beginning import ID
from demos.tabs.autoregressive.brush import Brush
from demos.tabs.autoregressive.changes import LONGEST, PictureChanges, rows_of
from demos.tabs.autoregressive.picture_texts import TOKENS
from demos.tabs.autoregressive.pixels import UPDATE_SECONDS
from demos.widgets.attribute_picker import AttributeKnob, Attributes
from demos.widgets.live_knob import LivePicture
from demos.widgets.picture_tokens import TokenPictures, TokenPicturesValue
from demos.widgets.token_text import candidates
from gen_core.families.picture_tokens import AUTOENCODER, PictureTokens
from gen_core.family import UNDRAWN
from gen_core.knobs import KnobError, shown
from gen_core.progress import Progress
from gen_core.sampling import pixels, seeds_from

MODEL = "tokens-avatars"
FRAMES = 256
"""Of all films together: each is a pass through the decoder, and as dear as a token."""
AT_ONCE = 32


def draw(
    app: App, *, seed: int, count: int, changes: Any, wish: Attributes, **choosing: Any
) -> Iterator[Progress | TokenPicturesValue]:
    """Yields the portraits while they grow, then whole, with what was said of their tokens."""
    model, seeds = app.model(MODEL), seeds_from(seed, count)
    given = rows_of(changes, (count, model.total({})), model.config.codes)
    brush = Brush(model, seeds, choosing | {"label": wish or None}, given)
    value = functools.partial(
        TokenPicturesValue,
        titles=[f"Seed {s}" for s in seeds],
        columns=model.autoencoder.side,
        codebook=codebook(app),
        changed=[(picture - 1, place - 1) for picture, place, _ in changes],
        name=f"{MODEL}-{seed}",
    )
    told = time.perf_counter()
    for frame in brush.frames():
        standing = int(frame.level)
        yield Progress("Token", standing, brush.length)
        if standing < brush.length and time.perf_counter() - told > UPDATE_SECONDS:
            yield value(
                [*so_far(model, brush.tokens, standing)],
                standing=standing,
                tokens=brush.tokens[:, :standing].tolist(),
                provenance=f"{standing} of {brush.length} tokens",
            )
            told = time.perf_counter()
    every = math.ceil(count * brush.length / FRAMES)
    films = yield from filmed(model, brush.tokens, every)
    own = {name: choosing[name] for name in ("temperature", "top_k", "top_p")}
    tokens = brush.tokens.tolist()
    yield value(
        [*pixels(brush.frame.x)],
        standing=brush.length,
        tokens=tokens,
        bits=brush.bits().tolist(),
        candidates=[
            candidates(said, row, **own) for said, row in zip(brush.logits(), tokens, strict=True)
        ],
        films=films,
        every=every,
        provenance=f"{count} picture{'s' if count > 1 else ''} in {duration(brush.seconds)} · "
        f"{brush.frame.evaluations} network evaluations each · {app.device_title}",
    )


def so_far(model: PictureTokens, tokens: Tensor, standing: int | Tensor) -> np.ndarray:
    """What the first tokens of each row (B, n) decode to, as pixels, grey where there are none.
    standing: how many they are, in all rows or (B, 1)."""
    places = torch.arange(tokens.shape[1])
    drawn = (places < standing).expand(len(tokens), -1)
    x = model.decode(tokens.masked_fill(~drawn, UNDRAWN)).cpu()
    side = model.autoencoder.side
    squares = drawn.view(-1, 1, side, side)
    for axis in (2, 3):
        squares = squares.repeat_interleave(x.shape[axis] // side, axis)
    return pixels(torch.where(squares, x, NOT_DRAWN[0]))


def filmed(
    model: PictureTokens, tokens: Tensor, every: int
) -> Iterator[Progress | list[np.ndarray]]:
    """Yields Progress; returns of each picture (a row of `tokens`) what its first tokens decode to,
    after every so-many-th of them."""
    steps = torch.arange(every, tokens.shape[1] + 1, every)
    films = []
    for row in tokens:
        frames = []
        for some in steps.split(AT_ONCE):
            done = len(films) * len(steps) + sum(map(len, frames))
            yield Progress("Picture on the way", done, len(tokens) * len(steps))
            frames.append(so_far(model, row.expand(len(some), -1), some[:, None]))
        films.append(np.concatenate(frames))
    return films


@functools.lru_cache(maxsize=4)
def codebook(app: App) -> np.ndarray:
    """Of each code uint8 (h, w, 3): what it stands for."""
    return pixels(app.model(MODEL).entries())


class Decoder:
    """What the card asks the server."""

    def __init__(self, app: App) -> None:
        self.app = app

    def decode(self, text: Any) -> LivePicture:
        """What the tokens of one picture decode to, numbers as text. Raises KnobError."""
        model = self.app.model(MODEL)
        length, codes = model.total({}), model.config.codes
        words = text.split() if isinstance(text, str) and len(text) < LONGEST else []
        if len(words) != length or not all(w.isdecimal() and int(w) < codes for w in words):
            raise KnobError(
                f"tokens={shown(text)}: give {length} numbers from 0 to {codes - 1}, with spaces "
                "between them"
            )
        tokens = torch.tensor([[int(word) for word in words]])
        return LivePicture.of(lambda: model.decode(tokens), made_by(MODEL, {"tokens": text}))


class PortraitsPanel(Panel):
    """Its card asks for a picture whenever a token is put in."""

    def screens(self, page: Page) -> list[gr.components.Component]:
        return [
            self.screen(
                elem_id=self.name,
                label=self.shows,
                value=page.first,
                decode=page.app.serve(Decoder(page.app).decode),
            )
        ]


def code(k: Mapping[str, Any]) -> str:
    """The lines that draw the same."""
    lines, given = [f"model = load({MODEL!r})"], {}
    if k["changes"]:
        lines.append(f"given = torch.full(({k['count']}, 256), -1)  # what is to be drawn")
        given = {"given": "given"}
    for picture, place, kind in k["changes"]:
        lines.append(f"given[{picture - 1}, {place - 1}] = {kind}")
    if k["wish"]:
        lines.append(f"attributes = {dict(k['wish'])!r}  # what is left out stays open")
        given["label"] = "attributes"
    return script(
        *lines,
        *sampling(k, "*_, last = ", without=("changes", "wish"), **given),
        "x = last.x  # the pictures",
        "tokens = last.tokens  # which they were written in",
        "x = model.decode(tokens)  # the same",
    )


PANEL = PortraitsPanel(
    tab=ID,
    id="portraits",
    title="Portraits by tokens",
    button="Draw",
    text=TOKENS,
    knobs=[
        Knob("seed", "Seed", "seed", 0, fresh=True),
        Knob("count", "Pictures", "whole", 1, 1, 8),
        control_of(PictureTokens, "temperature"),
        control_of(PictureTokens, "guidance_scale", default=2.0, high=8, advanced=True),
        control_of(PictureTokens, "top_k", high=512),
        control_of(PictureTokens, "top_p"),
        PictureChanges(
            "changes",
            "Tokens you put in",
            "text",
            "",
            high=LONGEST,
            info="Which token of which picture is which code: 1/117:481",
            advanced=True,
        ),
        AttributeKnob("wish", "The person to draw", "wish", ""),
    ],
    run=draw,
    code=code,
    calls=PictureTokens.frames,
    screen=TokenPictures,
    shows="Portraits, token by token",
    models=(MODEL,),
    trained=(f"{MODEL}/{AUTOENCODER}",),
    needs=(MODEL,),
)
