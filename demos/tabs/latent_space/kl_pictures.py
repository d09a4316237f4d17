"""The same portraits, codes and walks in several models: tables and timelines of them."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from demos.page.figures import pixels
from demos.page.handlers import App
from demos.page.image_input import seeds_from
from demos.page.progress import Working
from demos.tabs.latent_space.kl_holes import COUNT, Crowd, meet
from demos.tabs.latent_space.kl_models import Variant, weight
from demos.tabs.latent_space.kl_texts import AWAY, HOLES
from demos.tabs.latent_space.models import JUDGE, MOST_PORTRAITS, portrait
from demos.widgets.labelled_grid import Cell, Row, labelled_grid_value
from demos.widgets.timeline import timeline_from_images
from gen_core import Noise, available, final
from gen_core.checks import whole
from gen_core.devices import device_title
from gen_core.families.vae import VAE
from gen_core.latent.anomaly import ERROR, examine
from gen_core.latent.interpolation import straight

SHOWN = 6
"""Pictures in a row of the tables."""
PORTRAITS_ENDS, RANDOM_ENDS = "Two portraits", "Two random codes"

Run = Generator[Working, None, dict[str, Any]]
"""A run for `yield from`: progress on the way, a widget's value at the end."""


# --- tables ---------------------------------------------------------------------------------------


def side_by_side(app: App, variants: Sequence[Variant], seed: int) -> Run:
    """New faces from the same random codes, one row for each model."""
    seeds = seeds_from(seed, SHOWN)
    known = yield from meet(app)
    rows = []
    for done, variant in enumerate(variants, 1):
        model = app.model(variant.name)
        rows.append(_new(model, variant, seeds, weight(vars(model.config)), known))
        yield Working(done, len(variants), "Drawing", "models")
    return _table(app, rows, [f"seed {s}" for s in seeds], "the same code", "kl-side-by-side")


def mistake(app: App, variants: Sequence[Variant], number: int, seed: int) -> Run:
    """The same portraits drawn again, and the same random codes decoded, by each model: the
    healthy one first, so that the damage shows."""
    number = whole("portrait", number, 0, MOST_PORTRAITS - SHOWN)
    seeds, numbers = seeds_from(seed, SHOWN), range(number, number + SHOWN)
    x, known = torch.cat([portrait(n) for n in numbers]), (yield from meet(app))
    again, new = [], []
    for done, variant in enumerate(variants, 1):
        model = app.model(variant.name)
        again.append(_again(model, variant, x))
        new.append(_new(model, variant, seeds, "new faces from random codes", known))
        yield Working(done, len(variants), "Drawing", "models")
    real = Row("The portraits", "not shown in training", [Cell(p, "") for p in pixels(x)])
    columns = [f"Portrait {n}, seed {s}" for n, s in zip(numbers, seeds, strict=True)]
    return _table(app, [real, *again, *new], columns, "", f"{variants[-1].name}-mistake")


def _again(model: VAE, variant: Variant, x: Tensor) -> Row:
    copies, scores = examine(model, x)
    errors = scores[ERROR].tolist()
    cells = [Cell(p, f"off by {e:.1%}") for p, e in zip(pixels(copies), errors, strict=True)]
    return Row(variant.title, "the portraits, drawn again", cells)


def _new(model: VAE, variant: Variant, seeds: Sequence[int], note: str, known: Crowd | None) -> Row:
    x = final(model.sample(Noise(seeds)))
    notes = [_times(far) for far in known.away(x)] if known else [""] * len(seeds)
    cells = [Cell(p, words) for p, words in zip(pixels(x), notes, strict=True)]
    return Row(variant.title, note, cells)


def _times(far: float) -> str:
    return f"{far:.1f}×"


def _table(app: App, rows: list[Row], columns: list[str], corner: str, name: str) -> dict[str, Any]:
    away = AWAY.format(count=COUNT) if JUDGE in available() else ""
    return labelled_grid_value(
        rows,
        columns,
        corner=corner,
        caption=away,
        name=name,
        provenance=device_title(app.device),
    )


# --- walks ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ends:
    """Where a walk begins and ends: in each model a code of its own, of the same thing."""

    kind: str
    """PORTRAITS_ENDS or RANDOM_ENDS"""
    a: int
    b: int

    def __post_init__(self) -> None:
        """Raises KnobError for a number beyond the portraits."""
        for name in "ab" if self.kind == PORTRAITS_ENDS else "":
            whole(name, getattr(self, name), 0, MOST_PORTRAITS - 1)

    @property
    def numbers(self) -> tuple[int, ...]:
        """Of the portraits, if it is any."""
        return (self.a, self.b) if self.kind == PORTRAITS_ENDS else ()

    @torch.inference_mode()
    def codes(self, model: VAE) -> Tensor:
        """(2, latent): the means of the encoder's clouds, or draws from the prior."""
        if self.kind == RANDOM_ENDS:
            return Noise([self.a, self.b]).randn(model.config.latent).to(model.device)
        x = torch.cat([portrait(number) for number in self.numbers])
        return model.encode(x.to(model.device))[0]

    def __str__(self) -> str:
        word = "portrait" if self.kind == PORTRAITS_ENDS else "the code of seed"
        return f"{word} {self.a} → {word} {self.b}"


def walk(app: App, variants: Sequence[Variant], ends: Ends, count: int) -> Run:
    """`count` pictures on the straight line between two codes, a lane for each model."""
    t, known = torch.linspace(0, 1, count), (yield from meet(app))
    lanes, holes, seconds = {}, [], 0.0
    for done, variant in enumerate(variants, 1):
        started = time.perf_counter()
        x = _on_the_way(app.model(variant.name), ends, t)
        seconds += time.perf_counter() - started
        far = known.away(x) if known else []
        title = f"{variant.title}, {_times(max(far))}" if far else variant.title
        lanes[title] = list(pixels(x)[:, None])
        holes.append({"name": variant.title, "points": _points(t, far)})
        yield Working(done, len(variants), "Walking", "models")
    return timeline_from_images(
        lanes,
        [f"t = {value:.2f}" for value in t.tolist()],
        steps=range(1, count + 1),
        step_word="picture",
        ms_per_step=1000 * seconds / count,
        provenance=device_title(app.device),
        name="kl-walk",
        alt=f"from {ends}",
        notes=[str(ends)] * count,
        curves=[_chart(holes, t)] if known else [],
        autoplay=True,
        start=count // 2,
    )


@torch.inference_mode()
def _on_the_way(model: VAE, ends: Ends, t: Tensor) -> Tensor:
    """(len(t), 3, H, W), on the CPU"""
    z_a, z_b = ends.codes(model)
    return model.decode(straight(z_a, z_b, t)).cpu()


def _points(t: Tensor, far: Sequence[float]) -> list[list[float]]:
    return [[round(a, 4), round(b, 3)] for a, b in zip(t.tolist(), far, strict=False)]


def _chart(holes: list[dict[str, Any]], t: Tensor) -> dict[str, Any]:
    return {
        "title": HOLES.format(count=COUNT),
        "x_label": "t",
        "series": holes,
        "at": t.tolist(),
    }
