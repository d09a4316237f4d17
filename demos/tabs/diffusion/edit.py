"""Diffusion's Edit panel: what a model that only learned to draw does to a given picture.

Fill in, redraw, recast and restore are those of `gen_core.editing`; the picture is one of the data,
a model's, drawn by hand, or a file.
"""

import functools
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from demos.page.controls import FASHION, Knob, Knobs
from demos.page.examples import example
from demos.page.handlers import EXPECTED, App, message_of, watch
from demos.page.image_input import DRAWING, MODELS, UPLOAD, PictureInput, Pictures
from demos.page.panel import Page, Panel, controls, results
from demos.page.picture_files import in_data_url, mask_url
from demos.page.runs import buttons, run_state
from demos.page.script import script
from demos.sampling.generate import on_timeline
from demos.tabs.diffusion.texts import EDIT
from demos.widgets.mask_pad import STACK, MaskedPicture, MaskedPictureValue, MaskKnob, in_pieces
from demos.widgets.timeline import Lane, Timeline
from gen_core.editing import (
    ROUNDS,
    STRENGTH,
    Edit,
    Measurement,
    bicubic,
    blur,
    fill,
    psnr,
    recast,
    redraw,
    restore,
    round_trip,
    shrink,
    wiener,
)
from gen_core.editing.given import checked_mask
from gen_core.families.guided import GUIDANCE, GuidedFamily
from gen_core.progress import Progress
from gen_core.sampling import Frame, Meter, Noise, pixels, seeds_from

NAME = "diffusion-edit"
EDITORS = {"Diffusion": "diffusion-fashion", "Flow matching": "flow-fashion"}
SIDE = 28
PAINTED = -0.4
"""The grey of what is to be drawn anew."""
MIXED = (("Picture so far", "x"), ("Guess of the picture", "x0"))


def square(first: int = 9, last: int = 19) -> Tensor:
    """The mask of the example, (1, 1, 28, 28)."""
    mask = torch.zeros(1, 1, SIDE, SIDE)
    mask[..., first:last, first:last] = 1
    return mask


# --- the controls ---------------------------------------------------------------------------------

FILL, STROKES, VARY = "Fill in what is painted over", "Make a picture of strokes", "Vary it"
RECAST, SHARPEN = "Turn it into another class", "Take a blur away"
TWICE, FOURFOLD = "Enlarge it twice", "Enlarge it four times"
CAMERAS = {
    SHARPEN: lambda: blur(SIDE),
    TWICE: lambda: shrink(SIDE, 2),
    FOURFOLD: lambda: shrink(SIDE, 4),
}
"""What has been done to the picture that is to be restored."""
CAMERA_CODE = {
    SHARPEN: f"blur({SIDE})",
    TWICE: f"shrink({SIDE}, 2)",
    FOURFOLD: f"shrink({SIDE}, 4)",
}
ASKED = ("asked", "guidance_scale")
SHOWN = {
    FILL: ("mask", *ASKED, "rounds", "count", "noise_seed"),
    STROKES: ("strength", *ASKED, "count", "noise_seed"),
    VARY: ("strength", *ASKED, "count", "noise_seed"),
    RECAST: ("other", "strength", "guidance_scale"),
    **dict.fromkeys(CAMERAS, ("count", "noise_seed")),
}
"""By edit, the knobs that it takes besides the picture, the model and the steps."""
HIDDEN = ("mask", "other", "asked", "strength", "guidance_scale", "rounds", "count")
"""Knobs that some edits have no use for."""
ANY = {"Any class": None, **{name: i for i, name in enumerate(FASHION)}}

EDIT_KNOB = Knob("edit", "What to do", "choice", FILL, options=[*SHOWN])
MASK = MaskKnob("mask", "The part to draw anew", "mask", mask_url(square()), side=SIDE)
KNOBS = [
    Knob("other", "The other class", "label", "Coat"),
    Knob("asked", "Ask for", "choice", "Any class", options=[*ANY], names=ANY),
    Knob("strength", "Strength", "number", 0.7, STRENGTH.low, 1, step=0.05, info=STRENGTH.info),
    Knob(
        "guidance_scale",
        "Guidance",
        "number",
        2.0,
        GUIDANCE.low,
        GUIDANCE.high,
        step=0.25,
        info="How strongly a class is asked for",
    ),
    Knob("steps", "Steps", "whole", 25, 1, 200),
    Knob("count", "Draws", "whole", 4, 1, 16, info="There is more than one answer"),
    Knob("noise_seed", "Noise seed", "seed", 0),
    Knob(
        "rounds",
        ROUNDS.title,
        "whole",
        ROUNDS.default,
        ROUNDS.low,
        ROUNDS.high,
        advanced=True,
        info=ROUNDS.info,
    ),
    Knob(
        "model",
        "Model that edits",
        "choice",
        "Diffusion",
        options=[*EDITORS],
        names=EDITORS,
        advanced=True,
    ),
]


# --- what a run shows -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Job:
    """An edit of one picture, ready to run."""

    way: Any
    """Of `gen_core.editing`."""
    given: Mapping[str, Any]
    """What it takes."""
    still: Mapping[str, Tensor]
    """What it began from, and what others make of that, by title."""
    lanes: tuple[Lane, ...] = MIXED
    work: int = 1
    """Evaluations of the network at each step, or what costs as much."""


def job_of(edit: str, pictures: Pictures, k: Mapping[str, Any]) -> Job:
    """What the controls ask for. Raises KnobError."""
    x, steps = pictures.x, k["steps"]
    if edit in CAMERAS:
        return restoring(CAMERAS[edit](), x, k)
    asked = {"guidance_scale": k["guidance_scale"], "steps": steps, "picture": x}
    still = {"The picture": x}
    if edit == FILL:
        checked_mask(k["mask"], x)
        still["Painted over"] = torch.where(k["mask"] > 0, torch.tensor(PAINTED), x)
        given = {"mask": k["mask"], "rounds": k["rounds"], "label": k["asked"]}
        return Job(fill, asked | given, still, work=k["rounds"])
    if edit == RECAST:
        given = {"strength": k["strength"], "label": k["other"], "shows": k["shows"]}
        lanes = (("To noise, and back", "x"), MIXED[1])
        return Job(recast, asked | given, still, lanes, work=8)
    if edit == STROKES:
        asked["picture"] = x = x if pictures.names == ("",) else in_strokes(x)
        still = {"The strokes": x}
    given = {"strength": k["strength"], "label": k["asked"]}
    return Job(redraw, asked | given, still)


def in_strokes(x: Tensor) -> Tensor:
    """A picture as a broad brush with four greys would paint it."""
    coarse = (1.5 * shrink(SIDE, 4)(x) + 1.5).round() / 1.5 - 1
    return coarse.repeat_interleave(4, -1).repeat_interleave(4, -2)


def restoring(camera: Measurement, x: Tensor, k: Mapping[str, Any]) -> Job:
    """What a camera saw, what filters make of it, and what is to be drawn from it."""
    *_, own = seeds_from(k["noise_seed"], k["count"] + 1, "noise_seed")  # not that of a draw
    y = camera.taken(x, Noise([own]))
    filtered = {"Wiener": wiener(camera, y)}
    if camera.factor > 1:
        still, filtered = {"Camera": y}, {"Bicubic": bicubic(camera, y), **filtered}
    else:
        still = {f"Camera, {decibels(y, x)}": y}
    still |= {f"{name}, {decibels(z, x)}": z for name, z in filtered.items()}
    given = {"measurement": camera, "y": y, "steps": k["steps"]}
    lanes = (MIXED[0], ("Mean of the draws", mean_guess))
    return Job(restore, given, still, lanes, work=8)


def decibels(x: Tensor, of: Tensor) -> str:
    """ "18.9 dB" """
    return ", ".join(f"{value:.1f}" for value in psnr(x, of).tolist()) + " dB"


def mean_guess(frame: Frame) -> Tensor:
    """What all draws together say, (1, C, H, W)."""
    return (frame.x if frame.x0 is None else frame.x0).mean(0, keepdim=True)


def run(
    app: App,
    source: PictureInput,
    /,
    *,
    edit: str,
    model: str,
    drawing: Any = None,
    upload: Any = None,
    **k: Any,
) -> Iterator[Any]:
    """Yields the timeline's values while the picture is edited."""
    pictures = yield from source.read(drawing, upload, k)
    count = k["count"] if "count" in SHOWN[edit] else 1
    job = job_of(edit, pictures, k | {"shows": shown_class(source, k)})
    app.check_work(count, k["steps"], job.work)
    family, seeds = app.model(model), seeds_from(k["noise_seed"], count, "noise_seed")

    def finish(frames: list[Frame]) -> Generator[Progress, None, dict[str, Any]]:
        note = yield from remark(family, edit, pictures.x, job, frames[-1].x, k)
        return {"notes": [note] * len(frames)} if note else {}

    yield from on_timeline(
        Meter(Edit(family, job.way), seeds, **job.given),
        job.lanes,
        finish=finish,
        name=f"{NAME}-{k['noise_seed']}",
        still={title: pixels(x) for title, x in job.still.items()},
        alt=f"{edit}: {pictures.origin}",
    )


def remark(
    model: GuidedFamily, edit: str, x: Tensor, job: Job, drawn: Tensor, k: Mapping[str, Any]
) -> Generator[Progress, None, str]:
    """What was measured of an edit, in words; "" where there is nothing to measure."""
    if edit in CAMERAS:
        mean = decibels(drawn.mean(0, keepdim=True), x)
        rest = (job.given["y"] - job.given["measurement"](drawn)).square().mean().sqrt()
        noise = job.given["measurement"].noise
        return (
            f"Draws: {decibels(drawn, x)}; their mean: {mean}. What they leave unexplained of what "
            f"the camera saw is {float(rest):.3f}; its noise is {noise:g}."
        )
    if edit == FILL:
        return "What is not painted over is that of the picture, bit for bit."
    if edit != RECAST:
        return ""
    how = {"picture": x, "label": job.given["shows"], "steps": k["steps"]}
    how["strength"] = k["strength"]
    told = []
    for scale in dict.fromkeys((1.0, k["guidance_scale"] if how["label"] is not None else 1.0)):
        meter = Meter(Edit(model, way_back), [0], guidance_back=scale, **how)
        back = yield from watch(meter, "The way back as the same class")
        told.append(f"guidance {scale:g} gives {float((back - x).abs().mean()):.3f}")
    return (
        "Back as what it is, the picture should return. Mean error of its pixels, from -1 to 1: "
        f"{', '.join(told)}."
    )


def way_back(model: GuidedFamily, noise: Noise, **how: Any) -> Iterator[Frame]:
    """The round trip as `Edit` takes it: nothing of it is left to chance."""
    return round_trip(model, **how)


def shown_class(source: PictureInput, k: Mapping[str, Any]) -> int | None:
    """What the picture shows, where that is known."""
    return None if k["source"] in (DRAWING, UPLOAD) else k["label"]


# --- the code -------------------------------------------------------------------------------------


def code(source: PictureInput, k: Mapping[str, Any]) -> str:
    """The lines that do the same."""
    edit, head = k["edit"], [*source.code(k, name="picture"), f'model = load("{k["model"]}")']
    count = k["count"] if "count" in SHOWN[edit] else 1
    first, given = k["noise_seed"], {"picture": "picture"}
    if edit in CAMERAS:
        head += [
            f"camera = {CAMERA_CODE[edit]}",
            f"y = camera.taken(picture, Noise([{first + count}]))",
        ]
        given = {"measurement": "camera", "y": "y"}
    elif edit == FILL:
        masked = k["mask"] is not None
        url = in_pieces(mask_url(k["mask"])) if masked else ['    ""']
        head += ["mask = prepare_mask(", *url[:-1], f"{url[-1]},", f"    {SIDE},", ")"]
        given |= {"mask": "mask", "label": repr(k["asked"]), "rounds": repr(k["rounds"])}
    elif edit == RECAST:
        given |= {"shows": repr(shown_class(source, k)), "label": repr(k["other"])}
        given["strength"] = repr(k["strength"])
    else:
        if edit == STROKES and k["source"] not in (DRAWING, UPLOAD):
            head += [
                f"coarse = (1.5 * shrink({SIDE}, 4)(picture) + 1.5).round() / 1.5 - 1",
                "picture = coarse.repeat_interleave(4, -1).repeat_interleave(4, -2)",
            ]
        given |= {"label": repr(k["asked"]), "strength": repr(k["strength"])}
    if edit not in CAMERAS:
        given["guidance_scale"] = repr(k["guidance_scale"])
    given["steps"] = repr(k["steps"])
    way = {FILL: "fill", RECAST: "recast", **dict.fromkeys(CAMERAS, "restore")}.get(edit, "redraw")
    return script(
        *head,
        f"frames = record({way}(",
        "    model,",
        f"    Noise(range({first}, {first + count})),",
        *(f"    {name}={value}," for name, value in given.items()),
        "))",
        f"x = frames[-1].x  # ({count}, 1, {SIDE}, {SIDE}) in [-1, 1]",
    )


# --- on the page ----------------------------------------------------------------------------------


class EditPanel(Panel):
    """A panel with the picture that is edited beside its controls, and the mask over it."""

    def layout(self, page: Page) -> None:
        (source,), knobs = page.sources, page.knobs
        with gr.Row():
            with controls():
                knobs.build(EDIT_KNOB.name)
                page.go, page.stop = buttons(self.button, self.name)
                with gr.Column(elem_classes=["drawing-column"]), gr.Column(elem_classes=[STACK]):
                    picture = MaskedPicture(value=first_picture())
                    knobs.build(MASK.name)
                with gr.Accordion("Another picture", open=False, elem_classes=["start-source"]):
                    source.build(knobs)
                knobs.build()
            with results():
                page.state = run_state(self.name)
                page.outputs = self.screens(page)
        page.inputs = source.inputs
        follow_edit(knobs)
        follow_picture(page, source, picture)

    def maker(self, settings: Mapping[str, Any]) -> str:
        return settings["model"]


def first_picture() -> MaskedPictureValue | None:
    """That of the example."""
    before = example(NAME)
    if before is None:
        return None
    with Image.open(in_data_url(before.value["lanes"][0]["sheet"], "example")) as sheet:
        return MaskedPictureValue(np.asarray(sheet)[:SIDE, :SIDE], "The picture")


def follow_edit(knobs: Knobs) -> None:
    """Only the knobs that the chosen edit takes are shown."""
    parts = [knobs.built[name] for name in HIDDEN]
    choice = knobs.built[EDIT_KNOB.name]
    for name, part in zip(HIDDEN, parts, strict=True):
        part.visible = name in SHOWN[EDIT_KNOB.default]
    choice.change(
        lambda edit: [gr.update(visible=name in SHOWN.get(edit, HIDDEN)) for name in HIDDEN],
        choice,
        parts,
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    )


def follow_picture(page: Page, source: PictureInput, picture: gr.HTML) -> None:
    """Keeps the shown picture up to date."""
    parts = [*(page.knobs.built[knob.name] for knob in source.knobs), *source.inputs.values()]
    page.app.on(
        functools.partial(gr.on, [part.change for part in parts]),
        functools.partial(look, source),
        page.knobs,
        picture,
        inputs=source.inputs,
        api_name="diffusion_edit_picture",
        about="The picture that a run would edit.",
        trigger_mode="always_last",
    )


def look(
    source: PictureInput, /, drawing: Any, upload: Any, **settings: Any
) -> Iterator[Progress | MaskedPictureValue]:
    """The chosen picture as it lies under the mask, or why there is none."""
    try:
        pictures = yield from source.read(drawing, upload, settings)
    except EXPECTED as error:
        yield MaskedPictureValue("", message_of(error))
    else:
        yield MaskedPictureValue(pixels(pictures.x)[0], pictures.origin)


def used(k: Mapping[str, Any]) -> Mapping[str, Any]:
    """The knobs that had an effect."""
    without = {name for name in HIDDEN if name not in SHOWN[k["edit"]]} | {"mask"}
    return {name: value for name, value in k.items() if name not in without}


PANEL = EditPanel(
    tab="diffusion",
    id="edit",
    title="Edit",
    button="Edit",
    text=EDIT,
    knobs=[
        EDIT_KNOB,
        functools.partial(PictureInput, tab="diffusion", panel="edit", label=FASHION[8], seed=3),
        MASK,
        *KNOBS,
    ],
    run=run,
    code=code,
    calls=fill,
    screen=Timeline,
    shows="A picture is edited",
    models=(EDITORS["Diffusion"], MODELS[0]),
    seeds=(0, 1, 2, 3),
    used=used,
)
