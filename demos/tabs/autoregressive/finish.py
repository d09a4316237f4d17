"""The Finish a picture panel: what stands above stays, and the rest is drawn in several ways."""

import functools
import math
import time
from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor

from demos.page.controls import Knob, control_of
from demos.page.handlers import App
from demos.page.image_input import AUTOREGRESSIVE, PictureInput, Pictures
from demos.page.image_io import duration
from demos.page.panel import Panel
from demos.page.script import script
from demos.sampling.generate import NOT_DRAWN
from demos.tabs.autoregressive.beginning import ID
from demos.tabs.autoregressive.brush import Brush
from demos.tabs.autoregressive.picture_texts import FINISH
from demos.tabs.autoregressive.pixels import MODEL, UPDATE_SECONDS
from demos.widgets.tiles import Tile, Tiles, TilesValue
from gen_core.families.pixel_cnn import PixelCNN
from gen_core.progress import Progress
from gen_core.sampling import pixels, seeds_from

KNOBS = [
    Knob("rows", "Rows that stay", "whole", 14, 0, 27),
    Knob("count", "Ways", "whole", 9, 1, 16),
    control_of(PixelCNN, "temperature"),
    Knob("noise_seed", "Noise seed", "seed", 0),
]


def finish(
    model: PixelCNN,
    pictures: Pictures,
    device: str,
    *,
    rows: int,
    count: int,
    temperature: float,
    noise_seed: int,
) -> Iterator[Progress | TilesValue]:
    """Yields the pictures while they are finished."""
    x, seeds = pictures.x[0], seeds_from(noise_seed, count, "noise_seed")
    given = x.clone()
    given[:, rows:] = math.nan
    brush = Brush(model, seeds, {"temperature": temperature}, given)
    rest = -model.pixel_log_probs(x[None])[0, rows:].sum() / math.log(2)
    whole = Tile(pixels(x[None])[0], "The picture", costs(rest), framed=True)
    shown = {"headline": headline(rows, temperature), "name": f"{MODEL}-finished"}
    told = time.perf_counter()
    for frame in brush.frames():
        standing = int(frame.level)
        yield Progress("Pixel", standing - brush.begun, brush.length - brush.begun)
        if standing < brush.length and time.perf_counter() - told > UPDATE_SECONDS:
            tiles = [Tile(p, f"Way {i + 1}") for i, p in enumerate(so_far(frame.x, standing))]
            row = f"row {standing // x.shape[-1] + 1} of {x.shape[-2]}"
            yield TilesValue([whole, *tiles], provenance=row, **shown)
            told = time.perf_counter()
    ways = zip(pixels(brush.frame.x), brush.bits(brush.begun).sum(1), strict=True)
    tiles = [Tile(p, f"Way {i + 1}", costs(bits)) for i, (p, bits) in enumerate(ways)]
    took = f"{count} way{'s' if count > 1 else ''} in {duration(brush.seconds)}"
    source = f"{pictures.origin} · {took} · {device}"
    yield TilesValue([whole, *tiles], provenance=source, **shown)


def headline(rows: int, temperature: float) -> str:
    """What is to be seen."""
    kept = f"The upper {rows} rows stay" if rows else "Nothing stays"
    return (
        f"{kept}; each way is drawn with its own noise, at temperature {temperature:g}. Below each "
        "picture: the bits that the network needs for the rows it was not given."
    )


def costs(bits: Tensor) -> str:
    """ "612 bits" """
    return f"{float(bits):,.0f} bits"


def so_far(x: Tensor, standing: int) -> Any:
    """Pictures x (B, 1, H, W) drawn up to that pixel, as pixels, and grey from there."""
    x = x.clone()
    x.flatten(1)[:, standing:] = NOT_DRAWN[0]
    return pixels(x)


def run(
    app: App, source: PictureInput, /, drawing: Any = None, upload: Any = None, **settings: Any
) -> Iterator[Progress | TilesValue]:
    """Yields what `finish` does for the chosen picture."""
    own = {knob.name: settings[knob.name] for knob in KNOBS}
    pictures = yield from source.read(drawing, upload, settings)
    yield from finish(app.model(MODEL), pictures, app.device_title, **own)


def code(source: PictureInput, k: Mapping[str, Any]) -> str:
    """The lines that draw the same."""
    first, last = k["noise_seed"], k["noise_seed"] + k["count"]
    return script(
        *source.code(k),
        f"model = load({MODEL!r})",
        "given = x[0].clone()",
        f"given[:, {k['rows']}:] = nan  # what is to be drawn",
        f"noise = Noise(range({first}, {last}))",
        f"x = final(model.sample(noise, given=given, temperature={k['temperature']}))",
        "bits = -model.pixel_log_probs(x) / log(2)  # of each pixel",
    )


PANEL = Panel(
    tab=ID,
    id="finish",
    title="Finish a picture",
    button="Finish",
    text=FINISH,
    knobs=[
        functools.partial(
            PictureInput,
            tab=ID,
            panel="finish",
            label="Coat",
            seed=1,
            drawn_by=AUTOREGRESSIVE,
        ),
        *KNOBS,
    ],
    run=run,
    code=code,
    calls=PixelCNN.frames,
    screen=Tiles,
    shows="A picture that is finished in several ways",
    models=(MODEL,),
    seeds=(1,),
    needs=(MODEL,),
)
