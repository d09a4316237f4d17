"""Runs of samplers as they are shown, and the Generate panel: from noise to samples on a timeline.

The panel needs no more than the name of a checkpoint: controls, lanes of the timeline, links and
printed code follow from what the family declares.
"""

import contextlib
import functools
import inspect
import math
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr
import torch
from torch import Tensor

from demos.page.controls import ALL_CLASSES, FASHION, Knob, Knobs, controls_of, labels_for
from demos.page.explain import Explanation
from demos.page.handlers import App
from demos.page.image_io import duration
from demos.page.panel import Panel
from demos.page.script import sampling, script
from demos.widgets.timeline import Lane, Timeline, timeline_value
from gen_core.conditions import Classes
from gen_core.devices import device_title
from gen_core.family import UNDRAWN, Event, Family, Picture, Tokens, registry
from gen_core.progress import Progress
from gen_core.sampling import Frame, Meter, record, seeds_from
from gen_core.training import checkpoint

KEEP = 32
"""Frames of one timeline."""
PREVIEW_SECONDS = 0.3
"""Between two live pictures, at least: each costs the page and the line some work too."""
PREVIEW_SHARE = 1 / 3
"""Of the time so far: a run that takes long shows fewer of them, and is done sooner."""
Finish = Callable[[Sequence[Frame]], Generator[Any, None, dict[str, Any]]]
"""Takes the kept frames, yields turns for others, returns what else `timeline_value` takes."""


SAID = {
    "noise": "Predicted noise",
    "velocity": "Velocity",
    "picture": "The network's picture",
    "logits": "Next token",
}
NOT_DRAWN = (-0.55, -0.55, -0.55)
"""The grey of a token that is not drawn yet."""


# --- runs of samplers, on a timeline or elsewhere -------------------------------------------------


def on_timeline(
    meter: Meter,
    lanes: Sequence[Lane],
    *,
    keep: int = KEEP,
    finish: Finish | None = None,
    **shared: Any,
) -> Iterator[Any]:
    """Yields timeline values: some single frames while the sampler runs, then all `keep`.

    Between them come turns for others, at which the run can be stopped. The last frame, of which
    the network says nothing, keeps what it said of the one before. lanes, shared: what
    `timeline_value` takes.
    """
    frames: list[Frame] = []
    began, shown, said = time.perf_counter(), -math.inf, None
    for frame in meter.frames():
        yield Progress("Step", frame.step, frame.total)
        if frame.step == frame.total:
            frame = replace(frame, x0=frame.x, out=said)
        said = frame.out
        frames += record(iter([frame]), keep)  # record decides for each frame alone
        now = time.perf_counter()
        gap = max(PREVIEW_SECONDS, PREVIEW_SHARE * (now - began))
        if frame.step < frame.total and now - shown > gap:
            so_far = f"step {frame.step} of {frame.total} so far"
            yield timeline_value([frame], lanes, provenance=so_far, autoplay=False, **shared)
            shown = time.perf_counter()
    count = len(meter.seeds)
    yield timeline_value(
        frames,
        lanes,
        provenance=f"{count} picture{'s' if count > 1 else ''} in {duration(meter.seconds)} · "
        f"{meter.evaluations:g} network evaluations per picture · "
        f"{device_title(meter.model.device)}",
        ms_per_step=1000 * meter.seconds / frames[-1].total,
        autoplay=False,  # a run shows its end, and replays for those who want that
        **shared,
        **((yield from finish(frames)) if finish else {}),
    )


# --- the panel ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Generation:
    """The panel of one checkpoint; what is left out follows from its family."""

    tab: str
    model: str
    """The checkpoint's name."""
    kind: type[Family] | None = None
    lanes: Sequence[Lane] = ()
    """As `timeline_value` takes them."""
    text: Explanation | None = None
    comment: str = ""
    """Stands under the printed lines: what else the frames hold."""

    @functools.cached_property
    def family(self) -> type[Family]:
        """Whose knobs stand on the panel."""
        return self.kind or registry.classes[checkpoint.card(self.model)["family"]]

    @functools.cached_property
    def has_classes(self) -> bool:
        """Whether a class can be asked for."""
        config = self.family.Config()
        with contextlib.suppress(checkpoint.CheckpointError):  # drawing with it raises that again
            config = checkpoint.config_of(checkpoint.card(self.model))
        return isinstance(self.family.condition_of(config), Classes)

    def panel(self) -> Panel:
        label = Knob("label", "What to draw", "label", ALL_CLASSES, all_classes=True)
        return Panel(
            tab=self.tab,
            id="generate",
            title="Generate",
            button="Generate",
            text=self.text or described(self.family),
            knobs=[
                *([label] if self.has_classes else []),
                *controls_of(self.family),
                Knob("count", "Pictures", "whole", 10, 1, 64),
                Knob("seed", "Seed", "seed", 0),
            ],
            run=self.draw,
            code=self.code,
            calls=self.family.frames,
            screen=Timeline,
            shows="From noise to pictures",
            models=(self.model,),
            after=self._follow_solver,
        )

    def draw(self, app: App, *, count: int, seed: int, **knobs: Any) -> Iterator[Any]:
        """Yields the timeline's values while the samples come out of the noise."""
        model, shown, what = app.model(self.model), {}, self.model
        if self.has_classes:
            label = knobs["label"]
            knobs["label"] = labels_for(label, count)
            what = "clothes of all ten classes" if label is None else FASHION[label]
            if label is None and count > 5:
                shown["columns"] = 5  # the ten classes on two lines
        return on_timeline(
            Meter(model, seeds_from(seed, count), **knobs),
            self.lanes or lanes_of(self.family, model.event),
            name=f"{self.model}-{seed}",
            alt=f"{count} pictures come out of noise: {what}",
            **shown,
        )

    def code(self, knobs: Mapping[str, Any]) -> str:
        """The lines that draw the same."""
        count = knobs["count"]
        shape = f"({count}, 1, 28, 28) in [-1, 1]" if self.has_classes else f"{count} samples"
        return script(
            f'model = load("{self.model}")',
            *sampling(knobs, "frames = record"),
            f"x = frames[-1].x  # {shape}",
            *([f"# {self.comment}"] if self.comment else []),
        )

    def _follow_solver(self, knobs: Knobs) -> None:
        """Knobs of a solver can be turned only where it is chosen."""
        options = [knob.options for knob in self.family.knobs if knob.name == "solver"]
        own = {s.label: {k.name for k in s.knobs} for found in options for s in found.values()}
        names = set().union(*own.values())
        if not names:
            return

        def taken(label: str) -> dict[Any, Any]:
            chosen = own.get(label, ())
            return {knobs.built[name]: gr.update(interactive=name in chosen) for name in names}

        solver = knobs.built["solver"]
        for component, update in taken(solver.value).items():
            component.interactive = update["interactive"]
        solver.change(
            taken,
            solver,
            [knobs.built[name] for name in names],
            queue=False,
            show_progress="hidden",
            api_visibility="private",
        )


def described(family: type[Family]) -> Explanation:
    """A family's own docstring and that of its file, for a panel without a text."""
    sentence, _, more = inspect.cleandoc(family.__doc__ or family.name).partition("\n\n")
    about = inspect.cleandoc(inspect.getmodule(family).__doc__ or "")
    return Explanation(sentence, f"{more}\n\n{about}", "", [], "")


# --- lanes for a family that nobody has described -------------------------------------------------


def lanes_of(family: type[Family], event: Event) -> list[Lane]:
    """The timeline's lanes: what the family's frames hold."""
    if isinstance(event, Tokens):
        return [("Tokens", token_pictures(event)), (SAID["logits"], next_token(event))]
    if family.out == "logits":
        return [("Picture", "x"), (SAID["logits"], next_token(event))]
    lanes: list[Lane] = [("State", "x"), ("Guess of the picture", "x0")]
    return [*lanes, (SAID[family.out], "out")] if isinstance(event, Picture) else lanes


def token_pictures(event: Tokens) -> Callable[[Frame], Tensor]:
    """Frame -> (B, 3, side, side) in [-1, 1]: each token a cell of its own colour, in rows."""
    side = math.ceil(math.sqrt(event.length))
    t = torch.linspace(0, 1, event.vocabulary)[:, None]  # from dark blue to pale yellow
    low, high = torch.tensor([[-0.7, -0.6, 0.1]]), torch.tensor([[1.0, 0.9, 0.3]])
    colours = torch.cat([torch.tensor([NOT_DRAWN]), low + t * (high - low)])

    def pictured(frame: Frame) -> Tensor:
        cells = torch.full((len(frame.x), side * side), UNDRAWN, device=frame.x.device)
        cells[:, : event.length] = frame.x
        return colours[cells.cpu() + 1].unflatten(1, (side, side)).permute(0, 3, 1, 2)

    return pictured


def next_token(event: Event) -> Callable[[Frame], Tensor | None]:
    """Frame -> (B, 1, side, kinds) in [-1, 1]: how likely each kind of the next token, or each
    level of the next pixel, is, the brighter the likelier; None where the network said nothing."""

    def pictured(frame: Frame) -> Tensor | None:
        if frame.out is None or frame.out.ndim != 2:  # of one token, not of all of them
            return None
        shares = frame.out.float().softmax(1).cpu()
        brightness = 2 * shares / shares.amax(1, keepdim=True) - 1
        kinds = event.vocabulary if isinstance(event, Tokens) else event.levels
        rows = max(1, kinds // 4)
        return brightness[:, None, None, :].expand(-1, 1, rows, -1).contiguous()

    return pictured
