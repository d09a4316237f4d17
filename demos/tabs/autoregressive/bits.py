"""The Where do the bits go? panel: what a picture costs under models that say how likely it is."""

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from demos.page.handlers import App
from demos.page.image_input import AUTOREGRESSIVE, PictureInput
from demos.page.panel import Panel
from demos.page.script import script
from demos.tabs.autoregressive.beginning import ID
from demos.tabs.autoregressive.picture_texts import BITS
from demos.tabs.autoregressive.pixels import MODEL
from demos.widgets.bit_stacks import BitStacks, BitStacksValue, Picture, Stack, bit_map
from gen_core.evaluation.code_length import REGIONS, CodeLength, code_length, png_bits
from gen_core.progress import Progress
from gen_core.sampling import Noise, pixels

VAE = "vae-fashion"
EXACT, BOUND = "Autoregressive, exact", "VAE, at most"
PARTS = (*REGIONS, "the code", "the file")
SEED = 0
"""Seed of all that is random here: the order of shuffled pixels, the noise, the VAE's codes."""
CAPTION = (
    "Bits a pixel. The VAE's figure is an upper bound; how tight it is, is unknown. The PNG file "
    "has a header of about 0.6 bits a pixel."
)


def altered_pictures(x: Tensor) -> dict[str, Tensor]:
    """What else is counted, by title: made of the picture x (1, H, W), or of nothing."""
    rng = torch.Generator().manual_seed(SEED)
    order = torch.randperm(x.numel(), generator=rng)
    return {
        "The picture": x,
        "Upside down": x.flip(1),
        "Its pixels shuffled": x.flatten()[order].reshape(x.shape),
        "Noise": (256 * Noise([SEED]).rand(*x.shape)[0]).floor() / 127.5 - 1,
        "All black": torch.full_like(x, -1.0),
    }


def counted(app: App, title: str, x: Tensor) -> Picture:
    """The row of one picture x (1, H, W)."""
    vae = app.model(VAE)
    exact = code_length(app.model(MODEL), x)
    bound = code_length(vae, x, torch.Generator(vae.device).manual_seed(SEED))
    file = png_bits(x) / x.numel()
    stacks = [
        Stack(EXACT, parts(exact, x)),
        Stack(BOUND, parts(bound, x)),
        Stack("PNG file", [0.0] * (len(PARTS) - 1) + [round(file, 3)]),
    ]
    maps = [bit_map(length.by_pixel) for length in (exact, bound)]
    return Picture(title, pixels(x[None])[0], maps, stacks)


def parts(length: CodeLength, x: Tensor) -> list[float]:
    """Bits a pixel of each of `PARTS`."""
    shares = [*length.of_regions(x).values(), length.shared, 0.0]
    return [round(bits / x.numel(), 3) for bits in shares]


def run(
    app: App, source: PictureInput, /, drawing: Any = None, upload: Any = None, **settings: Any
) -> Iterator[Progress | BitStacksValue]:
    """Yields the rows, one after the other."""
    pictures = yield from source.read(drawing, upload, settings)
    rows, altered = [], altered_pictures(pictures.x[0])
    for title, x in altered.items():
        yield Progress("Picture", len(rows), len(altered))
        rows.append(counted(app, title, x))
        yield BitStacksValue(
            rows,
            PARTS,
            ("bits, autoregressive", "bits, VAE"),
            caption=CAPTION,
            provenance=f"{pictures.origin} · {app.device_title}",
            name=PANEL.name,
        )


def code(source: PictureInput, k: Mapping[str, Any]) -> str:
    """The lines that count the same."""
    return script(
        *source.code(k),
        f"model, vae = load({MODEL!r}), load({VAE!r})",
        "exact = code_length(model, x[0])",
        f"bound = code_length(vae, x[0], torch.Generator(vae.device).manual_seed({SEED}))",
        "print(exact.per_pixel, bound.per_pixel, exact.of_regions(x[0]))",
    )


PANEL = Panel(
    tab=ID,
    id="bits",
    title="Where do the bits go?",
    button="Count",
    text=BITS,
    knobs=[
        functools.partial(
            PictureInput,
            tab=ID,
            panel="bits",
            label="Ankle boot",
            seed=2,
            drawn_by=AUTOREGRESSIVE,
        )
    ],
    run=run,
    code=code,
    calls=code_length,
    screen=BitStacks,
    shows="What pictures cost in bits, and where",
    models=(MODEL, VAE),
    seeds=(2,),
    needs=(MODEL, VAE),
)
