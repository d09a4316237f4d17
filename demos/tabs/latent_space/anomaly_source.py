"""The picture that may be odd: a portrait and what was done to it, a drawing, clothing, a file."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

import gradio as gr
import torch
from torch import Tensor
from torch.nn import functional

from demos.page.controls import FASHION, Knob, Knobs
from demos.page.figures import pixels, png_data_url
from demos.page.handlers import App
from demos.page.image_input import sampled_pictures
from demos.page.image_io import COLOUR_SIDE
from demos.page.progress import Working
from demos.page.source import Lines, Pictures, Shown, Source
from demos.tabs.latent_space.models import UNSEEN_FROM, portrait
from gen_core.data.avatars import avatars
from gen_core.data.avatars.schema import BACKGROUNDS, CLOTH_COLOURS
from gen_core.latent.corruptions import KINDS, corrupt

PORTRAIT, DRAWING, GARMENT, UPLOAD = "A portrait", "A face to draw on", "Clothing", Source.upload
AS_IT_IS = "nothing"
START = 4
"""The portrait on the page at first."""
TAILOR = "flow-fashion"
"""Draws the clothing."""
PAPER_SIDE = 320
"""Pixels a side of the pad's paper."""


class OddSource(Source):
    """Controls that choose the picture."""

    drawing, pad, column_width = DRAWING, DRAWING, 0

    def __init__(self, app: App) -> None:
        sources = [PORTRAIT, DRAWING, GARMENT, UPLOAD]
        done = [AS_IT_IS, *KINDS]
        super().__init__(
            app,
            [
                Knob("source", "Picture", "choice", PORTRAIT, options=sources),
                Knob("change", "What is done to it", "choice", "scribbled on", options=done),
                Knob("label", "Class", "label", FASHION[9]),
                Knob("seed", "Number (seed)", "seed", START),
            ],
        )

    def shown_with(self, *knobs: gr.components.Component) -> Shown:
        change, label, seed = knobs
        return {
            change: lambda choice: choice == PORTRAIT,
            label: lambda choice: choice == GARMENT,
            seed: lambda choice: choice != UPLOAD,
        }

    def above_pad(self) -> None:
        self.put = gr.Button("Put this face under the brush", size="sm")

    def connect(self, knobs: Knobs) -> None:
        """Once all knobs of the panel are on the page: the button that puts a face on the pad."""
        self.app.on(
            self.put.click,
            lambda seed, **others: face(seed),
            knobs,
            self.inputs["drawing"],
            api_name="latent_space_odd_face",
            show_progress="hidden",
        )

    def read(
        self, drawing: Any, upload: Any, settings: Mapping[str, Any]
    ) -> Generator[Working, None, Pictures]:
        """The chosen picture, x (1, 3, 64, 64). A generator, for sampling takes its time.

        Raises KnobError with a message for the visitor.
        """
        if own := self.brought(drawing, upload, settings):
            return own
        source, change, label, seed = self.values(settings)
        if source == GARMENT:
            drawn = yield from sampled_pictures(self.app, TAILOR, seed, 1, label)
            x = coloured(drawn.x, torch.Generator().manual_seed(seed))
            return Pictures(x, f"{drawn.names[0]} by {TAILOR}, seed {seed}, coloured", drawn.names)
        done = "" if change == AS_IT_IS else f", {change}"
        return Pictures(changed(seed, change), f"portrait {seed}{done}", ("",))

    def code(self, settings: Mapping[str, Any]) -> Lines:
        """Lines that make the same `x` (1, 3, 64, 64)."""
        source, change, label, seed = self.values(settings)
        if source == GARMENT:
            core = [("gen_core", name) for name in ("Noise", "final", "load")]
            sample = f"tailor.sample(Noise([{seed}]), label=[{label}], **published(tailor))"
            return Lines(
                [
                    *core,
                    ("torch", ""),
                    ("gen_core.evaluation.cost", "published"),
                    ("demos.tabs.latent_space.anomaly_source", "coloured"),
                ],
                [
                    f'tailor = load("{TAILOR}")',
                    f"grey = final({sample})",
                    f"x = coloured(grey, torch.Generator().manual_seed({seed}))",
                ],
            )
        if source != PORTRAIT:
            return self.brought_code("x")
        first = UNSEEN_FROM + seed
        lines = [f"images, people = avatars([{first}, {first + 1}])", "x = images / 127.5 - 1"]
        needs = [("gen_core.data.avatars", "avatars")]
        if change != AS_IT_IS:
            needs += [("gen_core.latent.corruptions", name) for name in ("KINDS", "corrupt")]
            lines.append(f"x = corrupt(x, KINDS[{change!r}], {seed})")
        return Lines(needs, [*lines, "x = x[:1]"])


def changed(number: int, change: str) -> Tensor:
    """(1, 3, 64, 64): portrait `number`, and what `change` does to it; the next one is at hand for
    what takes a piece of another."""
    pair = torch.cat([portrait(number), portrait(number + 1)])
    return (pair if change == AS_IT_IS else corrupt(pair, KINDS[change], number))[:1]


def face(number: int) -> str:
    """Portrait `number`, drawn as large as the pad's paper, as its value."""
    images, _ = avatars([UNSEEN_FROM + number], PAPER_SIDE)
    return png_data_url(pixels(images / 127.5 - 1)[0])


def coloured(x: Tensor, rng: torch.Generator) -> Tensor:
    """Clothing (B, 1, H, W) in [-1, 1], bright on black -> (B, 3, 64, 64): in colours that clothes
    and grounds of portraits have, so that its shape alone is odd."""
    large = functional.interpolate(x, COLOUR_SIDE, mode="bilinear")
    ink, ground = (_picked(colours, len(x), rng) for colours in (CLOTH_COLOURS, BACKGROUNDS))
    return ground + (ink - ground) * ((large + 1) / 2)


def _picked(colours: Mapping[str, tuple[float, ...]], count: int, rng: torch.Generator) -> Tensor:
    """(count, 3, 1, 1) in [-1, 1]"""
    chosen = torch.randint(len(colours), (count,), generator=rng)
    return (2 * torch.tensor(list(colours.values())) - 1)[chosen, :, None, None]
