"""The VAE's Reconstruct panel: pictures, what it makes of them, and what is lost on the way."""

import functools
import html
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import torch
from torch import Tensor

from demos.page.controls import ALL_CLASSES, Knob
from demos.page.handlers import App
from demos.page.image_input import MODELS, PictureInput, Pictures
from demos.page.image_io import data_url, png_data_url
from demos.page.panel import Panel
from demos.page.script import script
from demos.tabs.vae.samples import DEFAULT, MODEL, TAB
from demos.tabs.vae.texts import RECONSTRUCT
from demos.widgets.card import read
from gen_core.data.images import grid
from gen_core.families.vae import VAE
from gen_core.progress import Progress
from gen_core.provenance.metadata import about, png
from gen_core.sampling import pixels

"""Draws the pictures of the example."""
STYLE = Path(__file__).with_suffix(".css")
COUNT = Knob(
    "count", "Pictures", "whole", 5, 1, 8, info="A drawing or an upload is one", advanced=True
)
GAIN = 2.0
"""The error map is at full colour where a pixel is off by half of the range."""
LOST, ADDED = np.array([190, 60, 0]), np.array([20, 80, 200])
"""RGB of what the reconstruction shows too dark, and too bright."""


@dataclass(frozen=True)
class Reconstruction:
    """Plain values and arrays, B pictures each, so that it can be kept as an example."""

    picture: np.ndarray
    """uint8 (B, H, W)"""
    decoded: np.ndarray
    """uint8 (B, H, W)"""
    error: np.ndarray
    """uint8 (B, H, W, 3)"""
    rmse: list[float]
    """Root mean square error of a pixel, as a share of its range, 0 to 1."""
    distortion: list[float]
    """-log p(x | z) in nats, one draw of z."""
    rate: list[float]
    """KL(q(z | x) || p(z)) in nats."""
    names: list[str]
    origin: str
    model: str = DEFAULT


@torch.inference_mode()
def reconstruct(model: Any, pictures: Pictures, seed: int) -> Reconstruction:
    """Encodes and decodes; the reconstruction is decoded from the code's mean."""
    x = pictures.x.to(model.device)
    decoded = model.decode(model.encode(x)[0])
    rng = torch.Generator(model.device).manual_seed(seed)
    distortion, rate = model.bound(x, rng)
    rmse = ((decoded - x) / 2).square().mean(dim=(1, 2, 3)).sqrt()
    return Reconstruction(
        pixels(x),
        pixels(decoded),
        error_map(x, decoded),
        *([round(v, 4) for v in values.tolist()] for values in (rmse, distortion, rate)),
        list(pictures.names),
        pictures.origin,
    )


def error_map(x: Tensor, decoded: Tensor) -> np.ndarray:
    """Two (B, 1, H, W) in [-1, 1] -> uint8 (B, H, W, 3): white where they agree."""
    error = ((decoded - x)[:, 0] / 2).cpu().numpy()
    strength = np.minimum(np.abs(error) * GAIN, 1)[..., None]
    colour = np.where((error > 0)[..., None], ADDED, LOST)
    return (255 * (1 - strength) + colour * strength).round().astype(np.uint8)


def table(shown: Reconstruction, note: str) -> str:
    """The reconstruction as HTML: a column for each picture, its figures below, a PNG of it all."""
    names = shown.names if any(shown.names) else [""] * len(shown.rmse)
    both = [d + r for d, r in zip(shown.distortion, shown.rate, strict=True)]
    rows = [
        _pictures("Picture", shown.picture, names),
        _pictures("Reconstruction", shown.decoded, names),
        _pictures("Error map", shown.error, names),
        _figures("Error", shown.rmse, "per pixel, root mean square", ".1%"),
        _figures("Distortion", shown.distortion, "nats: less is closer"),
        _figures("Rate", shown.rate, "nats: what the code costs"),
        _figures("Their sum", both, "nats: the loss, −ELBO"),
    ]
    grey = (np.repeat(row[..., None], 3, axis=3) for row in (shown.picture, shown.decoded))
    whole = grid(np.concatenate([*grey, shown.error]), columns=len(names))
    saved = data_url(png(whole, about(shown.model, {})))  # the pictures may be the visitor's own
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in names)
    return f"""
    <section class="card reconstruction">
      <div class="reconstruction-scroll"><table>
        <thead><tr><td></td>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>
      <p class="reconstruction-key"><span><i class="lost"></i>too dark in the reconstruction</span>
        <span><i class="added"></i>too bright</span><span><i></i>the same</span></p>
      <p class="reconstruction-note">{html.escape(shown.origin)} · {html.escape(note)}
        <a download="vae-reconstruction.png" href="{saved}">Download PNG</a></p>
    </section>"""


def _pictures(title: str, images: np.ndarray, names: list[str]) -> str:
    cells = "".join(
        f'<td><img alt="{html.escape(f"{title}: {name}" if name else title)}"'
        f' src="{png_data_url(image)}"></td>'
        for image, name in zip(images, names, strict=True)
    )
    return f'<tr><th scope="row">{title}</th>{cells}</tr>'


def _figures(title: str, values: list[float], unit: str, form: str = ".1f") -> str:
    cells = "".join(f"<td>{value:{form}}</td>".replace(">-", ">−") for value in values)
    return f'<tr class="figures"><th scope="row">{title} <small>{unit}</small></th>{cells}</tr>'


# --- the panel ------------------------------------------------------------------------------------


def run(
    app: App,
    source: PictureInput,
    /,
    *,
    model: str,
    count: int,
    drawing: Any = None,
    upload: Any = None,
    **settings: Any,
) -> Iterator[Progress | dict[str, Any]]:
    """Yields the `Reconstruction` of the chosen pictures as a dict."""
    pictures = yield from source.read(drawing, upload, settings, count)
    yield asdict(reconstruct(app.model(model), pictures, settings["seed"])) | {"model": model}


def code(source: PictureInput, knobs: Mapping[str, Any]) -> str:
    """The lines that do the same."""
    return script(
        *source.code(knobs, knobs["count"]),
        "",
        f'model = load("{knobs["model"]}")',
        "x = x.to(model.device)",
        "mean, logvar = model.encode(x)  # each (B, latent)",
        "reconstruction = model.decode(mean)",
        "error = (reconstruction - x) / 2  # as a share of a pixel's range",
        f"rng = torch.Generator(model.device).manual_seed({knobs['seed']})",
        "distortion, rate = model.bound(x, rng)  # nats, each (B,)",
    )


def result(elem_id: str, label: str, empty: str, value: str | None) -> gr.HTML:
    """The screen: the table as HTML."""
    return gr.HTML(
        value or empty,
        css_template=read("card/card.css", STYLE),
        apply_default_css=False,
        elem_id=elem_id,
    )


class ReconstructPanel(Panel):
    """Its screen is a table."""

    def drawn(self, value: Any, note: str, live: bool) -> str:
        return table(Reconstruction(**value), f"live, {note}" if live else note)


PANEL = ReconstructPanel(
    tab=TAB,
    id="reconstruct",
    title="Reconstruct",
    button="Reconstruct",
    text=RECONSTRUCT,
    knobs=[
        MODEL,
        functools.partial(
            PictureInput, tab=TAB, panel="reconstruct", label=ALL_CLASSES, classes=True
        ),
        COUNT,
    ],
    run=run,
    code=code,
    calls=VAE.bound,
    screen=result,
    models=(DEFAULT, MODELS[0]),
    seeds=range(COUNT.default),
)
