"""The Generate panel: what to draw, a few knobs, and the way from noise to samples.

It needs no more than the name of a checkpoint: controls, lanes of the timeline, links and printed
code follow from what the family declares.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from demos.page.controls import (
    ALL_CLASSES,
    FASHION,
    Knob,
    Knobs,
    controls_of,
    label_code,
    labels_for,
)
from demos.page.explain import Explanation
from demos.page.handlers import App
from demos.page.image_input import seeds_from
from demos.page.panel import Panel
from demos.sampling.tokens import next_token, token_pictures
from demos.sampling.walk import KEEP, columns_for, on_timeline
from demos.widgets.timeline import Lane, Timeline
from gen_core.conditions import Classes
from gen_core.evaluation.cost import Meter
from gen_core.family import Event, Family, Picture, Tokens, registry
from gen_core.solvers import Solver
from gen_core.training import checkpoint
from gen_core.training.checkpoint import CheckpointError

MAX_COUNT = 64
SAID = {
    "noise": "Predicted noise",
    "velocity": "Velocity",
    "picture": "The network's picture",
    "logits": "Next token",
}


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
        with contextlib.suppress(CheckpointError):  # whoever draws with it is told
            config = checkpoint.config_of(checkpoint.card(self.model))
        return isinstance(self.family.condition_of(config), Classes)

    def panel(self) -> Panel:
        return Panel(
            tab=self.tab,
            id="generate",
            title="Generate",
            button="Generate",
            text=self.text or described(self.family),
            knobs=self._knobs(),
            run=self.draw,
            code=self.code,
            calls=self.family.frames,
            screen=Timeline,
            shows="From noise to pictures",
            example={"frames": 11},
            models=(self.model,),
            after=self._follow_solver,
        )

    def _knobs(self) -> list[Knob]:
        label = Knob("label", "What to draw", "label", ALL_CLASSES, all_classes=True)
        return [
            *([label] if self.has_classes else []),
            *controls_of(self.family),
            Knob("count", "Pictures", "whole", 10, 1, MAX_COUNT),
            Knob("seed", "Seed", "seed", 0),
        ]

    def draw(
        self, app: App, *, count: int, seed: int, frames: int = KEEP, **knobs: Any
    ) -> Iterator[dict[str, Any]]:
        """Yields the timeline's values while the samples come out of the noise."""
        model, shown = app.model(self.model), {}
        if self.has_classes:
            label = knobs.pop("label")
            knobs["label"] = labels_for(label, count)
            what = "clothes of all ten classes" if label is None else FASHION[label]
            shown["columns"] = columns_for(label, count)
        else:
            what = self.model
        return on_timeline(
            Meter(model, seeds_from(seed, count), **knobs),
            self.lanes or lanes_of(self.family, model.event),
            keep=frames,
            name=f"{self.model}-{seed}",
            alt=f"{count} pictures come out of noise: {what}",
            **shown,
        )

    def code(self, knobs: Mapping[str, Any]) -> str:
        """The lines that draw the same."""
        count, seed = (knobs[name] for name in ("count", "seed"))
        own = {k: repr(v) for k, v in knobs.items() if k not in ("count", "seed")}
        if "label" in own:
            own["label"] = label_code(knobs["label"], count)
        options = "".join(f"    {name}={value},\n" for name, value in own.items())
        shape = f"({count}, 1, 28, 28) in [-1, 1]" if self.has_classes else f"{count} samples"
        comment = f"\n# {self.comment}" if self.comment else ""
        return (
            "from gen_core import Noise, load, record\n\n"
            f'model = load("{self.model}")\n'
            "frames = record(model.sample(\n"
            f"    Noise(range({seed}, {seed + count})),\n"
            f"{options}))\n"
            f"x = frames[-1].x  # {shape}{comment}"
        )

    def _follow_solver(self, knobs: Knobs) -> None:
        """Knobs of a solver can be turned only where it is chosen."""
        solvers = self._solvers()
        names = {knob.name for solver in solvers.values() for knob in solver.knobs}
        if not names:
            return

        def taken(label: str) -> dict[Any, Any]:
            own = {knob.name for knob in solvers[label].knobs} if label in solvers else set()
            return {knobs.built[name]: gr.update(interactive=name in own) for name in names}

        chosen = knobs.built["solver"]
        for component, update in taken(chosen.value).items():
            component.interactive = update["interactive"]
        chosen.change(
            taken,
            chosen,
            [knobs.built[name] for name in names],
            queue=False,
            show_progress="hidden",
            api_visibility="private",
        )

    def _solvers(self) -> dict[str, Solver]:
        """The family's solvers as a visitor reads them; none for most families."""
        options = [knob.options for knob in self.family.knobs if knob.name == "solver"]
        return {solver.label: solver for found in options for solver in found.values()}


def lanes_of(family: type[Family], event: Event) -> list[Lane]:
    """The timeline's lanes for a family that nobody has described: what its frames hold."""
    if isinstance(event, Tokens):
        return [("Tokens", token_pictures(event)), (SAID["logits"], next_token(event))]
    lanes: list[Lane] = [("State", "x"), ("Guess of the picture", "x0")]
    return [*lanes, (SAID[family.out], "out")] if isinstance(event, Picture) else lanes


def described(family: type[Family]) -> Explanation:
    """A family's own docstring and that of its file, for a panel without a text."""
    sentence, _, more = inspect.cleandoc(family.__doc__ or family.name).partition("\n\n")
    about = inspect.cleandoc(inspect.getmodule(family).__doc__ or "")
    return Explanation(sentence, f"{more}\n\n{about}", "", [], "")
