"""The Generate panel: a class, a few knobs, and the way from noise to a picture on the timeline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from demos.explain import Explanation
from demos.handlers import App
from demos.knobs import ALL_CLASSES, FASHION, Knob, Knobs
from demos.labels import label_code, labels_for
from demos.panel import Panel
from demos.pictures import seeds_from
from demos.sampling.walk import KEEP, columns_for, on_timeline
from demos.widgets.timeline import Lane, Timeline
from gen_core.families.guided import MAX_GUIDANCE
from gen_core.measure import Meter
from gen_core.solvers import MAX_STEPS

MAX_COUNT = 64


def guidance_knob() -> Knob:
    return Knob(
        "guidance_scale", "Guidance", "number", 2.0, 0, MAX_GUIDANCE, step=0.25,
        info="0 ignores the class, 1 follows it, more exaggerates it",
    )  # fmt: skip


@dataclass(frozen=True)
class Generation:
    """What the panel needs to know of a family."""

    tab: str
    model: str
    """The checkpoint's name."""
    lanes: Sequence[Lane]
    """As `timeline_value` takes them."""
    text: Explanation
    solvers: Mapping[str, str]
    """As a visitor reads it -> as `sample` calls it."""
    solver: str
    """The first choice, as a visitor reads it."""
    source: Callable
    """`sample` of the family."""
    comment: str
    """Stands under the printed lines: what else the frames hold."""
    extra: Sequence[Knob] = ()
    """Knobs of `sample` that only this family has."""
    extra_with: str = ""
    """The solver that takes them; the others leave them out of account."""

    def panel(self) -> Panel:
        return Panel(
            tab=self.tab, id="generate", title="Generate", button="Generate", text=self.text,
            knobs=self._knobs(), run=self.draw, code=self.code, calls=self.source,
            screen=Timeline, shows="From noise to pictures",
            example={"frames": 11}, models=(self.model,), after=self._follow_solver,
        )  # fmt: skip

    def _knobs(self) -> list[Knob]:
        return [
            Knob("label", "What to draw", "label", ALL_CLASSES, all_classes=True),
            Knob("steps", "Steps", "whole", 20, 1, MAX_STEPS),
            guidance_knob(),
            Knob("solver", "Solver", "choice", self.solver, options=list(self.solvers),
                 advanced=True),
            *self.extra,
            Knob("count", "Pictures", "whole", 10, 1, MAX_COUNT),
            Knob("seed", "Seed", "seed", 0),
        ]  # fmt: skip

    def draw(
        self, app: App, *, label: int | None, count: int, seed: int, solver: str,
        frames: int = KEEP, **knobs: Any,
    ) -> Iterator[dict[str, Any]]:  # fmt: skip
        """Yields the timeline's values while the pictures come out of the noise."""
        meter = Meter(
            app.model(self.model), seeds_from(seed, count),
            label=labels_for(label, count), solver=self.solvers[solver], **knobs,
        )  # fmt: skip
        what = "clothes of all ten classes" if label is None else FASHION[label]
        return on_timeline(
            meter, self.lanes, keep=frames, columns=columns_for(label, count),
            name=f"{self.model}-{seed}", alt=f"{count} pictures come out of noise: {what}",
        )  # fmt: skip

    def code(self, knobs: Mapping[str, Any]) -> str:
        """The lines that draw the same."""
        label, count, seed = (knobs[name] for name in ("label", "count", "seed"))
        own = {k: v for k, v in knobs.items() if k not in ("label", "count", "seed")}
        own["solver"] = self.solvers[own["solver"]]
        options = "".join(f"    {name}={value!r},\n" for name, value in own.items())
        return (
            "from gen_core import Noise, load, record\n\n"
            f'model = load("{self.model}")\n'
            "frames = record(model.sample(\n"
            f"    Noise(range({seed}, {seed + count})),\n"
            f"    label={label_code(label, count)},\n{options}))\n"
            f"x = frames[-1].x  # ({count}, 1, 28, 28) in [-1, 1]\n# {self.comment}"
        )

    def _follow_solver(self, knobs: Knobs) -> None:
        """The extra knobs can be turned only with the solver that takes them."""
        extra = [knobs.built[knob.name] for knob in self.extra]
        if not extra:
            return
        for component in extra:
            component.interactive = self.solver == self.extra_with
        knobs.built["solver"].change(
            lambda solver: {c: gr.update(interactive=solver == self.extra_with) for c in extra},
            knobs.built["solver"], extra, queue=False, show_progress="hidden",
            api_visibility="private",
        )  # fmt: skip
