"""The models of What breaks a VAE, and pictures by them: tables and timelines of the same
portraits, codes and walks, and how far these are from any portrait."""

import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from demos.page.handlers import App, once
from demos.page.image_io import CardValue
from demos.tabs.latent_space.models import MOST_PORTRAITS, PORTRAITS, UNSEEN_FROM, portrait
from demos.tabs.latent_space.texts import AWAY, HOLES
from demos.widgets.attribute_picker import JUDGE
from demos.widgets.labelled_grid import Cell, LabelledGridValue, Row
from demos.widgets.timeline import timeline_from_images
from gen_core import Noise, available, final
from gen_core.classifiers.attributes import AttributeClassifier
from gen_core.data.avatars import avatars
from gen_core.families.vae import VAE
from gen_core.knobs import whole
from gen_core.latent.anomaly import ERROR, examine
from gen_core.latent.interpolation import straight
from gen_core.progress import Progress
from gen_core.sampling import pixels, seeds_from

SHOWN = 6
"""Pictures in a row of the tables."""
PORTRAITS_ENDS, RANDOM_ENDS = "Two portraits", "Two random codes"

Run = Generator[Progress, None, CardValue]
"""A run for `yield from`: progress on the way, a widget's value at the end."""
HUES = ("var(--blue)", "var(--amber)", "var(--green)", "var(--violet)", "var(--rose)")
"""CSS colours in the order of the models that are here, as a timeline gives them to its series."""


@dataclass(frozen=True)
class Variant:
    name: str
    """Of the checkpoint."""
    title: str


HEALTHY = Variant(PORTRAITS, "With KL")
FORGOTTEN = Variant("vae-avatars-free", "Without KL")
SEVERED = Variant("vae-avatars-cut", "Without the trick")
VARIANTS = (
    FORGOTTEN,
    HEALTHY,
    Variant("vae-avatars-strong", "KL × 4"),
    Variant("vae-avatars-stronger", "KL × 64"),
    SEVERED,
)


def here() -> list[Variant]:
    """Those whose weights are on this machine."""
    names = available()
    return [variant for variant in VARIANTS if variant.name in names]


def missing(found: Sequence[Variant]) -> str:
    """What is not here and where it comes from, in a line; "" where all are."""
    names = [variant.name for variant in VARIANTS if variant not in found]
    if not names:
        return ""
    made = f"Not on this machine: {', '.join(names)}. `python -m gen_core train {names[0]}` makes"
    made += " one of them." if len(names) > 1 else " it."
    return (
        made
        if len(found) > 1
        else f"There is nothing to compare yet: two models are needed. {made}"
    )


# --- how far pictures are from any portrait ------------------------------------------------------

COUNT, CHUNK = 300, 20
SEEDS = range(UNSEEN_FROM + MOST_PORTRAITS, UNSEEN_FROM + MOST_PORTRAITS + COUNT)
"""Of portraits that no model was trained on, and that are not on offer."""


@dataclass(frozen=True)
class ReferenceSet:
    """Portraits, and the classifier that looks at them.

    The features that the classifier ends with tell who is on a picture and forget all else: to
    them, noise is as near to a portrait as another portrait is. Half way up they still tell how
    lines and surfaces look (as in Zhang et al. 2018, "The Unreasonable Effectiveness of Deep
    Features as a Perceptual Metric"), which is what goes wrong in a hole of the latent space.
    """

    judge: AttributeClassifier
    features: Tensor
    """(N, D) float32, each column with a mean of 0 and a deviation of 1."""
    mean: Tensor
    deviation: Tensor
    """(D,): what the columns had."""
    usual: float
    """How far a portrait is from the nearest other one, at the median: the unit of `distance`."""

    @classmethod
    def of(cls, judge: AttributeClassifier, x: Tensor) -> Self:
        """x (N, 3, H, W) in [-1, 1]: the portraits, two or more."""
        seen = half_way(judge, x)
        mean, deviation = seen.mean(0), seen.std(0).clamp(min=1e-6)
        features = (seen - mean) / deviation
        between = torch.cdist(features, features).fill_diagonal_(torch.inf)
        return cls(judge, features, mean, deviation, float(between.amin(1).median()))

    def distance(self, x: Tensor) -> list[float]:
        """x (B, 3, H, W) in [-1, 1] -> how far each is from the nearest portrait; 1 is as far as
        portraits usually are from each other."""
        seen = (half_way(self.judge, x) - self.mean) / self.deviation
        return (torch.cdist(seen, self.features).amin(1) / self.usual).tolist()


@torch.inference_mode()
def half_way(judge: AttributeClassifier, x: Tensor) -> Tensor:
    """(B, 3, H, W) -> (B, D), on the CPU: the mean over places after half of the judge's layers."""
    layers = judge.body[: len(judge.body) // 2]
    return layers(x.to(judge.device)).float().mean((2, 3)).cpu()


@once
def load(app: App) -> Generator[Progress, None, ReferenceSet]:
    """The portraits of `SEEDS`. A generator, for `yield from`: drawing takes its time."""
    drawn = []
    for first in range(0, COUNT, CHUNK):
        drawn.append(avatars(SEEDS[first : first + CHUNK])[0])
        yield Progress("Drawing portraits to compare with", first + CHUNK, COUNT, "portraits")
    return ReferenceSet.of(app.model(JUDGE), torch.cat(drawn).float() / 127.5 - 1)


def reference_set(app: App) -> Generator[Progress, None, ReferenceSet | None]:
    """The same, where there is a judge; None elsewhere."""
    return (yield from load(app)) if JUDGE in available() else None


# --- tables ---------------------------------------------------------------------------------------


def side_by_side(app: App, variants: Sequence[Variant], seed: int) -> Run:
    """New faces from the same random codes, one row for each model."""
    seeds = seeds_from(seed, SHOWN)
    known = yield from reference_set(app)
    rows = []
    for done, variant in enumerate(variants, 1):
        model = app.model(variant.name)
        rows.append(_new(model, variant, seeds, f"KL weight {model.config.beta:g}", known))
        yield Progress("Drawing", done, len(variants), "models")
    return _table(app, rows, [f"seed {s}" for s in seeds], "the same code", "kl-side-by-side")


def mistake(app: App, variants: Sequence[Variant], number: int, seed: int) -> Run:
    """The same portraits drawn again, and the same random codes decoded, by each model: the
    healthy one first, so that the damage shows."""
    number = whole("portrait", number, 0, MOST_PORTRAITS - SHOWN)
    seeds, numbers = seeds_from(seed, SHOWN), range(number, number + SHOWN)
    x, known = torch.cat([portrait(n) for n in numbers]), (yield from reference_set(app))
    again, new = [], []
    for done, variant in enumerate(variants, 1):
        model = app.model(variant.name)
        again.append(_again(model, variant, x))
        new.append(_new(model, variant, seeds, "new faces from random codes", known))
        yield Progress("Drawing", done, len(variants), "models")
    real = Row("The portraits", "not shown in training", [Cell(p, "") for p in pixels(x)])
    columns = [f"Portrait {n}, seed {s}" for n, s in zip(numbers, seeds, strict=True)]
    return _table(app, [real, *again, *new], columns, "", f"{variants[-1].name}-mistake")


def _again(model: VAE, variant: Variant, x: Tensor) -> Row:
    copies, scores = examine(model, x)
    errors = scores[ERROR].tolist()
    cells = [Cell(p, f"off by {e:.1%}") for p, e in zip(pixels(copies), errors, strict=True)]
    return Row(variant.title, "the portraits, drawn again", cells)


def _new(
    model: VAE, variant: Variant, seeds: Sequence[int], note: str, known: ReferenceSet | None
) -> Row:
    x = final(model.sample(Noise(seeds)))
    notes = [f"{far:.1f}×" for far in known.distance(x)] if known else [""] * len(seeds)
    cells = [Cell(p, words) for p, words in zip(pixels(x), notes, strict=True)]
    return Row(variant.title, note, cells)


def _table(
    app: App, rows: list[Row], columns: list[str], corner: str, name: str
) -> LabelledGridValue:
    return LabelledGridValue(
        rows,
        columns,
        corner=corner,
        caption=AWAY.format(count=COUNT) if JUDGE in available() else "",
        name=name,
        provenance=app.device_title,
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

    @torch.inference_mode()
    def codes(self, model: VAE) -> Tensor:
        """(2, latent): the means of the encoder's clouds, or draws from the prior."""
        if self.kind == RANDOM_ENDS:
            return Noise([self.a, self.b]).randn(model.config.latent).to(model.device)
        x = torch.cat([portrait(number) for number in (self.a, self.b)])
        return model.encode(x.to(model.device))[0]

    def __str__(self) -> str:
        word = "portrait" if self.kind == PORTRAITS_ENDS else "the code of seed"
        return f"{word} {self.a} → {word} {self.b}"


def walk(app: App, variants: Sequence[Variant], knobs: Mapping[str, Any]) -> Run:
    """`count` pictures on the straight line between two codes, a lane for each model. knobs: those
    of the panel named ends, a, b and count."""
    ends, count = Ends(knobs["ends"], knobs["a"], knobs["b"]), knobs["count"]
    t, known = torch.linspace(0, 1, count), (yield from reference_set(app))
    chart = {"title": HOLES.format(count=COUNT), "x_label": "t"}
    lanes, holes, seconds = {}, [], 0.0
    for done, variant in enumerate(variants, 1):
        started = time.perf_counter()
        with torch.inference_mode():
            model = app.model(variant.name)
            x = model.decode(straight(*ends.codes(model), t)).cpu()
        seconds += time.perf_counter() - started
        far = known.distance(x) if known else []
        title = f"{variant.title}, {max(far):.1f}×" if far else variant.title
        lanes[title] = list(pixels(x)[:, None])
        points = [[round(a, 4), round(b, 3)] for a, b in zip(t.tolist(), far, strict=False)]
        holes.append({"name": variant.title, "points": points})
        yield Progress("Walking", done, len(variants), "models")
    return timeline_from_images(
        lanes,
        [f"t = {value:.2f}" for value in t.tolist()],
        steps=range(1, count + 1),
        step_word="picture",
        ms_per_step=1000 * seconds / count,
        provenance=app.device_title,
        name="kl-walk",
        alt=f"from {ends}",
        notes=[str(ends)] * count,
        curves=[chart | {"series": holes, "at": t.tolist()}] if known else [],
        autoplay=True,
        start=count // 2,
    )
