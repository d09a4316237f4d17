"""The GAN's Samples panel: pictures of a class or of all ten, with truncation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from demos.page.controls import ALL_CLASSES, FASHION, Knob, control_of, label_code, labels_for
from demos.page.handlers import App
from demos.page.image_input import seeds_from
from demos.page.panel import Panel
from demos.page.sample_tiles import one_pass
from demos.tabs.gan.texts import SAMPLES
from demos.widgets.tiles import Tiles
from gen_core.families.gan import GAN

TAB, MODEL = "gan", "gan-fashion"
LABEL = Knob("label", "What to draw", "label", ALL_CLASSES, all_classes=True)


def psi_knob(*, advanced: bool) -> Knob:
    return control_of(GAN, "truncation_psi", advanced=advanced)


def classes_of(label: int | None, count: int) -> list[int]:
    """The class of each of `count` pictures; all ten in turn for None."""
    labels = labels_for(label, count)
    return [labels] * count if isinstance(labels, int) else labels


def draw(
    app: App, *, label: int | None, truncation_psi: float, count: int, seed: int
) -> Iterator[dict[str, Any]]:
    """Yields the pictures, as `tiles_value` gives them."""
    classes = classes_of(label, count)
    yield one_pass(
        app.model(MODEL),
        seeds_from(seed, count),
        [FASHION[c] for c in classes],
        headline=meaning(truncation_psi),
        file=f"{MODEL}-{seed}",
        label=classes,
        truncation_psi=truncation_psi,
    )


def meaning(psi: float, mean: str = "the mean of its class", beside: str = "") -> str:
    """What a truncation does to the pictures, in a line; beside: what still differs at 0."""
    if psi == 0:
        return f"ψ = 0: every picture is {mean}, whatever its seed{beside}"
    if psi == 1:
        return "ψ = 1: as variedly as the generator learned to draw"
    if psi < 1:
        return f"ψ = {psi:g}: nearer to {mean}, so safer and more alike"
    return f"ψ = {psi:g}: further out than training went, so stranger"


def code(k: Mapping[str, Any]) -> str:
    count, seed = k["count"], k["seed"]
    return f"""
        from gen_core import Noise, final, load

        model = load("{MODEL}")
        x = final(model.sample(
            Noise(range({seed}, {seed + count})),
            label={label_code(k["label"], count)},
            truncation_psi={k["truncation_psi"]:g},
        ))  # ({count}, 1, 28, 28) in [-1, 1]
    """


PANEL = Panel(
    tab=TAB,
    id="samples",
    title="Samples",
    button="Draw new pictures",
    text=SAMPLES,
    knobs=[
        LABEL,
        psi_knob(advanced=False),
        Knob("seed", "Seed", "seed", 0),
        Knob("count", "Pictures", "whole", 30, 1, 64, advanced=True),
    ],
    run=draw,
    code=code,
    calls=GAN.frames,
    screen=Tiles,
    shows="Pictures by the generator",
    models=(MODEL,),
    live=("truncation_psi",),
)
