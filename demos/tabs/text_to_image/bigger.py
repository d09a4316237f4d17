"""The Bigger models panel: the host's list, what runs on this machine, and a picture by one."""

import contextlib
import functools
import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import torch

from demos.page.controls import Knob
from demos.page.handlers import App
from demos.page.hosted import HostedPanel
from demos.page.image_io import data_url, duration
from demos.page.script import script
from demos.tabs.text_to_image.generate import ID, MAX_PROMPT
from demos.tabs.text_to_image.texts import BIGGER
from demos.tabs.text_to_image.zero_gpu import ZeroGpu
from demos.widgets.card import read
from demos.widgets.model_list import model_table
from gen_core.devices import device_title, gpu_is_lent
from gen_core.hub.models import BigModel, big_models
from gen_core.hub.picture_server import PictureServer
from gen_core.hub.pipeline import Drawn, generate
from gen_core.progress import Progress
from gen_core.provenance import watermark
from gen_core.provenance.metadata import about, png

NAME = f"{ID}-bigger"
STYLE = Path(__file__).with_suffix(".css")
EXAMPLE = "a red fox in the snow, watercolour"
NONE_ALLOWED = "The host of this page allows no bigger models."
NONE_RUNS = (
    "None of these models runs on this machine, for the reasons in the list. The code below does "
    "the same on one that can; the small model in the panel Generate draws here."
)
FLAGGED = (
    "The safety checker has blacked this picture out: it classified it as sexual (NSFW), which it "
    "does now and then without reason. Try another seed or other words."
)


@functools.cache
def slot(device: torch.device, models: tuple[BigModel, ...]) -> PictureServer | ZeroGpu:
    """One for all pages and visitors."""
    return ZeroGpu(models) if gpu_is_lent() else PictureServer(device, models)


@dataclass(frozen=True, kw_only=True)
class BiggerModels(HostedPanel):
    """One model of the host's list draws, in a process of its own."""

    def listed(self) -> tuple[BigModel, ...]:
        return big_models()

    def place(self, app: App, models: Sequence[BigModel]) -> PictureServer | ZeroGpu:
        return slot(app.device, tuple(models))

    def given(
        self, place: PictureServer | ZeroGpu, models: Sequence[BigModel], able: Sequence[str]
    ) -> dict[str, Any]:
        reasons = {model.name: place.obstacles(model) for model in models}
        return {
            "knobs": _knobs([*reasons], (able or [*reasons])[0]),
            "run": lambda app, **knobs: draw(place, **knobs),
            "code": functools.partial(code, models),
            "table": model_table(models, reasons),
        }


def _knobs(names: Sequence[str], first: str) -> list[Knob]:
    return [
        Knob("model", "Model", "choice", first, options=names),
        Knob("prompt", "Prompt", "text", EXAMPLE, high=MAX_PROMPT),
        Knob(
            "negative_prompt",
            "Negative prompt",
            "text",
            "",
            high=MAX_PROMPT,
            info="What should not appear; only for models with guidance above 1",
        ),
        Knob("seed", "Seed", "seed", 0),
    ]


def result(elem_id: str, label: str, empty: str, value: str | None) -> gr.HTML:
    """The screen, where the picture will stand as HTML."""
    return gr.HTML(
        value or f'<p class="card big-empty">{empty}</p>',
        css_template=read("card/card.css", STYLE),
        apply_default_css=False,
        elem_id=elem_id,
    )


def draw(
    place: PictureServer | ZeroGpu, *, model: str, prompt: str, negative_prompt: str, seed: int
) -> Iterator[Progress | str]:
    """Yields the progress, then the picture as HTML."""
    run = place.draw(model, prompt, negative_prompt=negative_prompt, seed=seed)
    with contextlib.closing(run):
        drawn = yield from run
    yield figure(place.models[model], drawn, prompt, negative_prompt, seed, place.device)


def figure(
    model: BigModel,
    drawn: Drawn,
    prompt: str,
    negative_prompt: str,
    seed: int,
    device: torch.device,
) -> str:
    """The picture as HTML, with what it was drawn from and what there is to say of it."""
    facts = [
        model.name,
        f"seed {seed}",
        f"{drawn.steps} step{'s' if drawn.steps > 1 else ''}",
        f"guidance {model.guidance_scale:g}",
        duration(drawn.seconds),
        f"live, {device_title(device)}",
    ]
    notes = [FLAGGED] if drawn.flagged else []
    if negative_prompt and not drawn.guided:
        notes.append(f"The negative prompt was not used: {model.name} works without guidance.")
    said = "".join(f'<p class="big-said">{html.escape(note)}</p>' for note in notes)
    knobs = {"prompt": prompt, "seed": seed, "steps": drawn.steps}
    knobs |= {"negative_prompt": negative_prompt} if drawn.guided else {}
    url = data_url(png(watermark.marked(drawn.picture), about(model.name, knobs)))
    file = re.sub(r"[^a-z0-9]+", "-", f"{model.name}-seed-{seed}".lower()).strip("-")
    return f"""
    <figure class="card big-figure">
      <img src="{url}" alt="{html.escape(f"A picture by {model.name} for the words: {prompt}")}">
      <figcaption>{said}<p class="big-words">{html.escape(prompt)}</p>
        <p class="big-note">{html.escape(" · ".join(facts))}
          <a download="{file}.png" href="{url}">Download PNG</a></p></figcaption>
    </figure>"""


def code(models: Sequence[BigModel], knobs: Mapping[str, Any]) -> str:
    """The lines that draw the same, on a machine with a GPU."""
    model = next(model for model in models if model.name == knobs["model"])
    own = Path(model.repository).is_dir()  # where it lies on this server is nobody's business
    source = Path(model.repository).name if own else model.repository
    variant = f"variant={model.variant!r}, " if model.variant else ""
    options = {
        "prompt": knobs["prompt"],
        "negative_prompt": knobs["negative_prompt"] if model.guidance_scale > 1 else None,
        "num_inference_steps": model.steps,
        "guidance_scale": model.guidance_scale,
        "height": model.side,
        "width": model.side,
        "max_sequence_length": model.max_sequence_length or None,
    }
    return script(
        "pipeline = AutoPipelineForText2Image.from_pretrained(",
        f"    {source!r}, dtype=torch.{model.half}, {variant}use_safetensors=True,",
        ")",
        "pipeline.enable_model_cpu_offload()  # each part is on the GPU only while it works",
        "pipeline.vae.enable_slicing()",
        "pipeline.vae.enable_tiling()",
        f'rng = torch.Generator("cpu").manual_seed({knobs["seed"]})',
        "result = pipeline(",
        *(f"    {name}={value!r}," for name, value in options.items() if value is not None),
        "    generator=rng,",
        ")",
        'result.images[0].save("picture.png")',
    )


PANEL = BiggerModels(
    tab=ID,
    id="bigger",
    title="Bigger models",
    button="Generate",
    text=BIGGER,
    run=draw,
    calls=generate,
    screen=result,
    none_allowed=NONE_ALLOWED,
    none_runs=NONE_RUNS,
    above=("prompt",),
    example=None,
    own_process=True,
)
