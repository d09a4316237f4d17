"""The GAN's Discriminator panel: its verdict on generated pictures, and on real ones among them."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import gradio as gr
from torch import Tensor

from demos.page.controls import ALL_CLASSES, FASHION, Knob, control_of, label_code
from demos.page.handlers import App
from demos.page.image_input import DATA, PictureInput, Pictures
from demos.page.panel import Page, Panel
from demos.page.runs import buttons
from demos.page.script import sampling, script
from demos.tabs.gan.samples import LABEL, MODEL, TAB, classes_of
from demos.tabs.gan.texts import DISCRIMINATOR
from demos.widgets.tiles import Scale, Tile, Tiles, TilesValue
from gen_core.data import MissingData
from gen_core.devices import device_title
from gen_core.families.gan import GAN
from gen_core.progress import Progress
from gen_core.sampling import Noise, final, pixels, seeds_from

NAME = f"{TAB}-discriminator"
MIX = Knob("mix", "Mix in other pictures", "flag", True)
NOTHING_REAL = "; nothing real among them: Fashion-MNIST is not on this machine"
MIXED = Knob(
    "real_count", "Pictures mixed in", "whole", 8, 1, 24, info="A drawing or an upload is one"
)
DRAWN = [
    LABEL,
    Knob("count", "Pictures", "whole", 24, 1, 48),
    control_of(GAN, "truncation_psi", advanced=True),
    Knob("seed", "Seed", "seed", 0),
]


def judged(
    model: GAN,
    x: Tensor,
    classes: Sequence[int],
    titles: Sequence[str],
    notes: Sequence[str],
    framed: bool = False,
) -> list[Tile]:
    """x (B, 1, H, W), each looked at as one of its class."""
    logits = model.judge(x, list(classes))
    figures = [f"{logit:+.2f}".replace("-", "−") for logit in logits.tolist()]
    said = zip(titles, notes, logits.sigmoid().tolist(), figures, strict=True)
    return [Tile(image, *words, framed) for image, words in zip(pixels(x), said, strict=True)]


def verdict(
    model: GAN,
    *,
    label: int | None,
    count: int,
    truncation_psi: float,
    seed: int,
    others: Pictures | None,
    note: str = "",
) -> TilesValue:
    """Generated pictures, and the others among them, from the least to the most real. note: what
    the headline adds."""
    seeds, classes = seeds_from(seed, count), classes_of(label, count)
    x = final(model.sample(Noise(seeds), label=classes, truncation_psi=truncation_psi))
    names = [FASHION[c] for c in classes]
    tiles = judged(model, x, classes, names, [f"seed {s}" for s in seeds])
    headline = f"It takes {believed(tiles)} of {len(tiles)} generated pictures for real{note}"
    if others is not None:
        mixed = judged_others(model, others)
        headline += f", and {believed(mixed)} of the {len(mixed)} mixed in"
        tiles += mixed
    scale = Scale(
        "looks generated",
        "looks real",
        "generated",
        others.origin if others else "",
        "Percent: how likely the picture is real, says the discriminator; beside it its raw "
        "answer, the logit: above 0 means real",
    )
    return TilesValue(
        sorted(tiles, key=lambda tile: tile.score),
        headline=headline,
        scale=scale,
        provenance=f"pictures and verdict · {device_title(model.device)}",
        name=f"{NAME}-{seed}",
    )


def judged_others(model: GAN, others: Pictures) -> list[Tile]:
    """Pictures with a name are judged as what they are, one without as what it passes for best."""
    if others.names[0]:
        classes = [FASHION.index(name) for name in others.names]
        return judged(model, others.x, classes, others.names, [""] * len(classes), framed=True)
    every = list(range(len(FASHION)))
    c = int(model.judge(others.x.expand(len(every), -1, -1, -1), every).argmax())
    return judged(model, others.x, [c], [f"as {FASHION[c]}"], [others.origin], framed=True)


def believed(tiles: Sequence[Tile]) -> int:
    """How many of them it takes for real."""
    return sum(tile.score > 0.5 for tile in tiles)


def code(source: PictureInput, k: Mapping[str, Any]) -> str:
    """The lines that give the same verdict."""
    drawn = {knob.name: k[knob.name] for knob in DRAWN}
    mixed = [
        "",
        *source.code(k, k["real_count"], name="others"),
        f"other_label = {_other_label(k)}",
        "logits = torch.cat([logits, model.judge(others, other_label)])",
        "x = torch.cat([x, others])",
    ]
    return script(
        f'model = load("{MODEL}")',
        f"label = {label_code(k['label'], k['count'])}",
        *sampling(drawn, label="label"),
        'logits = model.judge(x, label)  # above 0 it says "real"',
        *(mixed if k["mix"] else []),
        "order = logits.argsort().cpu()  # from the least to the most real",
        "x, probability = x[order], logits.sigmoid().cpu()[order]",
    )


def _other_label(k: Mapping[str, Any]) -> str:
    """The class as which the mixed-in pictures are judged, as Python."""
    if k["real_source"] not in (DATA, "A model"):
        return "int(model.judge(others.expand(10, -1, -1, -1), list(range(10))).argmax())"
    if k["real_label"] is None and k["real_source"] == DATA:
        return "data.labels[indices[places]]"
    return label_code(k["real_label"], k["real_count"])


def run(
    app: App,
    source: PictureInput,
    /,
    *,
    mix: bool,
    real_count: int,
    drawing: Any = None,
    upload: Any = None,
    **settings: Any,
) -> Iterator[TilesValue | Progress]:
    """Yields the verdict, on other pictures too where they are mixed in."""
    others, note = None, ""
    if mix:
        try:
            others = yield from source.read(drawing, upload, settings, real_count)
        except MissingData:  # the verdict on generated pictures is worth seeing all the same
            note = NOTHING_REAL
    own = {knob.name: settings[knob.name] for knob in DRAWN}
    yield verdict(app.model(MODEL), others=others, note=note, **own)


class DiscriminatorPanel(Panel):
    """Its source of other pictures is in sight while they are mixed in."""

    def controls(self, page: Page) -> None:
        (source,), knobs = page.sources, page.knobs
        knobs.build(LABEL.name)
        page.go, page.stop = buttons(self.button, self.name)
        knobs.build(*(knob.name for knob in (*DRAWN, MIX)))
        with gr.Column(visible=MIX.default, elem_classes=["controls"]) as mixing:
            source.build(knobs)
            knobs.build(MIXED.name)
        page.inputs = dict(zip(("drawing", "upload"), source.inputs.values(), strict=True))
        knobs.built[MIX.name].change(
            lambda mix: gr.update(visible=mix is True),
            knobs.built[MIX.name],
            mixing,
            queue=False,
            show_progress="hidden",
            api_visibility="private",
        )


PANEL = DiscriminatorPanel(
    tab=TAB,
    id="discriminator",
    title="Discriminator",
    button="Get the verdict",
    text=DISCRIMINATOR,
    knobs=[
        *DRAWN,
        MIX,
        functools.partial(
            PictureInput,
            tab=TAB,
            panel="discriminator",
            prefix="real_",
            which="Mixed-in",
            label=ALL_CLASSES,
            classes=True,
            first=DATA,
        ),
        MIXED,
    ],
    run=run,
    code=code,
    calls=GAN.judge,
    screen=Tiles,
    shows="Pictures from the least to the most real",
    models=(MODEL,),
)
