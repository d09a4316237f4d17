"""The Generate panel: a class, a few knobs, and the way from noise to a picture on the timeline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from demos.explain import Explanation
from demos.handlers import App
from demos.knobs import ALL_CLASSES, FASHION, Knob, Knobs, controls_of
from demos.labels import label_code, labels_for
from demos.panel import Panel
from demos.pictures import seeds_from
from demos.sampling.walk import KEEP, columns_for, on_timeline
from demos.widgets.timeline import Lane, Timeline
from gen_core.families.guided import GuidedFamily
from gen_core.measure import Meter
from gen_core.solvers import Solver

MAX_COUNT = 64


@dataclass(frozen=True)
class Generation:
    """What the panel needs to know of a family."""

    tab: str
    model: str
    """The checkpoint's name."""
    lanes: Sequence[Lane]
    """As `timeline_value` takes them."""
    text: Explanation
    family: type[GuidedFamily]
    """Its knobs stand on the panel."""
    comment: str
    """Stands under the printed lines: what else the frames hold."""

    @property
    def own(self) -> list[Knob]:
        """The family's knobs."""
        return controls_of(self.family)

    def panel(self) -> Panel:
        return Panel(
            tab=self.tab, id="generate", title="Generate", button="Generate", text=self.text,
            knobs=self._knobs(), run=self.draw, code=self.code, calls=self.family.frames,
            screen=Timeline, shows="From noise to pictures",
            example={"frames": 11}, models=(self.model,), after=self._follow_solver,
        )  # fmt: skip

    def _knobs(self) -> list[Knob]:
        return [
            Knob("label", "What to draw", "label", ALL_CLASSES, all_classes=True),
            *self.own,
            Knob("count", "Pictures", "whole", 10, 1, MAX_COUNT),
            Knob("seed", "Seed", "seed", 0),
        ]  # fmt: skip

    def draw(
        self,
        app: App,
        *,
        label: int | None,
        count: int,
        seed: int,
        frames: int = KEEP,
        **knobs: Any,
    ) -> Iterator[dict[str, Any]]:
        """Yields the timeline's values while the pictures come out of the noise."""
        meter = Meter(
            app.model(self.model), seeds_from(seed, count),
            label=labels_for(label, count), **knobs,
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
        """Knobs of a solver can be turned only where it is chosen."""
        solvers = {solver.label: solver for solver in self._solvers().values()}
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
            taken, chosen, [knobs.built[name] for name in names], queue=False,
            show_progress="hidden", api_visibility="private",
        )  # fmt: skip

    def _solvers(self) -> Mapping[str, Solver]:
        return next(knob.options for knob in self.family.knobs if knob.name == "solver")
