"""The Bigger models panel: the host's list, what runs on this machine, and a picture by one."""

import contextlib
import functools
import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import gradio as gr
import torch

from demos.page.controls import Knob
from demos.page.explain import explanation
from demos.page.handlers import App
from demos.page.image_io import data_url, duration
from demos.page.panel import Page, Panel
from demos.page.script import script
from demos.tabs.text_to_image.generate import ID, MAX_PROMPT
from demos.tabs.text_to_image.texts import BIGGER
from demos.tabs.text_to_image.zero_gpu import ZeroGpu
from demos.widgets.card import read
from gen_core.devices import device_title, gpu_is_lent
from gen_core.hub.models import BigModel, big_models
from gen_core.hub.pipeline import Drawn, generate
from gen_core.hub.server import Server
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
def slot(device: torch.device, models: tuple[BigModel, ...]) -> Server | ZeroGpu:
    """One for all pages and visitors."""
    return ZeroGpu(models) if gpu_is_lent() else Server(device, models)


@dataclass(frozen=True, kw_only=True)
class BiggerModels(Panel):
    """One model of the host's list draws, in a process of its own."""

    table: str = ""
    """The host's list as HTML."""
    able: bool = False
    """Whether one of them runs on this machine."""

    def rare(self, app: App) -> bool:
        """Where none of the models runs."""
        models = big_models()
        return not models or not self._of(slot(app.device, models), models).able

    def build(self, app: App) -> list[Any]:
        """Raises KnobError where the host's list is not one."""
        if models := big_models():
            return Panel.build(self._of(slot(app.device, models), models), app)
        explanation(self.text, self.title)
        gr.HTML(f"<p>{NONE_ALLOWED}</p>")
        return []

    def _of(self, place: Server | ZeroGpu, models: tuple[BigModel, ...]) -> Self:
        """The panel with the host's models."""
        reasons = {model.name: place.obstacles(model) for model in models}
        able = [name for name, why in reasons.items() if not why]
        return replace(
            self,
            knobs=_knobs([*reasons], (able or [*reasons])[0]),
            run=lambda app, **knobs: draw(place, **knobs),
            code=functools.partial(code, models),
            empty="Press Generate." if able else NONE_RUNS,
            table=table(models, reasons),
            able=bool(able),
        )

    def layout(self, page: Page) -> None:
        super().layout(page)
        _html(self.table, f"{NAME}-list")

    def controls(self, page: Page) -> None:
        super().controls(page)
        page.go.interactive = self.able


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


def _html(value: str, elem_id: str) -> gr.HTML:
    return gr.HTML(
        value,
        css_template=read("card/card.css", STYLE),
        apply_default_css=False,
        elem_id=elem_id,
    )


def result(elem_id: str, label: str, empty: str, value: str | None) -> gr.HTML:
    """The screen, where the picture will stand as HTML."""
    return _html(value or f'<p class="card big-empty">{empty}</p>', elem_id)


def draw(
    place: Server | ZeroGpu, *, model: str, prompt: str, negative_prompt: str, seed: int
) -> Iterator[Progress | str]:
    """Yields the progress, then the picture as HTML."""
    run = place.draw(model, prompt, negative_prompt=negative_prompt, seed=seed)
    with contextlib.closing(run):
        drawn = yield from run
    yield figure(place.models[model], drawn, prompt, negative_prompt, seed, place.device)


def table(models: Sequence[BigModel], reasons: Mapping[str, Sequence[str]]) -> str:
    """The host's list as HTML: what each model needs, and why it does not run here."""
    head = "".join(
        f'<th scope="col">{title}</th>'
        for title in ("Model", "Size", "Licence", "Access token", "On this machine")
    )
    rows = "".join(_row(model, reasons[model.name]) for model in models)
    return (
        f'<section class="card big-models"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></section>"
    )


def _row(model: BigModel, reasons: Sequence[str]) -> str:
    page = html.escape(model.licence_page)
    why = [
        f"{reason[0].upper()}{reason[1:]}" if k else f"No: {reason}"
        for k, reason in enumerate(reasons)
    ]
    here = "".join(f"<li>{html.escape(reason)}</li>" for reason in why)
    size = model.gigabytes
    cells = {
        "Size": f"{size:.1f} GB" if size >= 1 else f"{1000 * size:.0f} MB",
        "Licence": f'<a href="{page}" target="_blank" rel="noopener">'
        f"{html.escape(model.licence)}</a>",
        "Access token": "needed" if model.token else "not needed",
        "On this machine": f'<ul class="big-not">{here}</ul>' if here else "Runs here",
    }
    row = "".join(f'<td data-title="{title}">{cell}</td>' for title, cell in cells.items())
    return f'<tr><th scope="row">{html.escape(model.name)}</th>{row}</tr>'


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
    above=("prompt",),
    example=None,
    own_process=True,
)
