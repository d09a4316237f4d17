"""The GAN's Mode collapse panel: two trainings side by side, one healthy, one that collapses.

The pictures are drawn when asked for, by the generators that the checkpoints kept on the way; what
needs thousands of samples at each of them was measured before and stands in the checkpoint's card.
"""

import bisect
import functools
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from demos.page.controls import FASHION, Knob
from demos.page.handlers import App
from demos.page.image_io import duration
from demos.page.panel import Panel
from demos.page.script import script
from demos.tabs.gan.samples import TAB
from demos.tabs.gan.texts import COLLAPSE
from demos.widgets.timeline import Timeline, TimelineValue, timeline_from_images
from gen_core.evaluation.metrics import ALIVE
from gen_core.families.gan import GAN
from gen_core.progress import Progress
from gen_core.sampling import Noise, final, pixels, seeds_from
from gen_core.training.checkpoint import CheckpointError

RUNS = {"Healthy": "gan-fashion-healthy", "Collapsed": "gan-fashion-collapsed"}
COLLAPSED, RECOVERED = 3, 5
"""A run has collapsed when no more classes than the first are alive, and it ends so; before, more
than the second were. Between the two it flickers: one picture passes for this class or that."""
MOST_POINTS = 80
"""Of a loss curve: more would be a thicket."""
LOSSES = {"Discriminator": "discriminator.loss", "Generator": "generator.loss"}


@dataclass(frozen=True)
class History:
    """What is known of one training, before anything is drawn."""

    title: str
    model: GAN
    rows: Sequence[Mapping[str, Any]]
    """What was measured of each snapshot, in the order of training."""
    turn: int = 0
    """The training step at which its recipe changes; 0: never."""

    @classmethod
    def of(cls, title: str, name: str, model: GAN) -> Self:
        """Raises CheckpointError where the checkpoint has no snapshots, or they are unmeasured."""
        measured = {entry["step"]: entry for entry in model.card["metrics"].get("snapshots", [])}
        if not model.snapshots or not set(model.snapshots) <= measured.keys():
            raise CheckpointError(
                f"the snapshots of {name} have not been measured: "
                f"run `python -m gen_core evaluate {name} --write`"
            )
        rows = [measured[step] for step in model.snapshots]
        recipe = model.card.get("recipe", {})
        turn = recipe.get("switch_step", recipe.get("turn", 0))  # the latter in older files
        return cls(title, model, rows, turn)

    @functools.cached_property
    def steps(self) -> list[int]:
        return [row["step"] for row in self.rows]

    @functools.cached_property
    def alive(self) -> list[int]:
        return [row["classes_alive"] for row in self.rows]

    def at(self, step: int) -> int:
        """The place of the last snapshot up to a training step."""
        return max(0, bisect.bisect_right(self.steps, step) - 1)

    @property
    def collapse(self) -> int | None:
        """The place of the snapshot at which the run has collapsed; None where it has not."""
        if self.alive[-1] > COLLAPSED:
            return None
        lively = [k for k, alive in enumerate(self.alive) if alive > RECOVERED]
        after = lively[-1] + 1 if lively else 0
        return next(k for k in range(after, len(self.alive)) if self.alive[k] <= COLLAPSED)

    def caption(self, step: int) -> str:
        """What has happened by a training step to a run that does not stay healthy."""
        if self.collapse is None or self.at(step) < self.collapse:
            neglected = self.turn and step >= self.turn
            said = f"From step {self.turn:,} on the discriminator is trained too little"
            return said if neglected else ""
        where, now = self.steps[self.collapse], self.alive[self.at(step)]
        if self.at(step) == self.collapse:
            before = f", {self.alive[self.collapse - 1]} just before" if self.collapse else ""
            return f"Mode collapse: {now} of {len(FASHION)} classes alive{before}"
        return f"Collapsed at step {where:,}: {now} of {len(FASHION)} classes alive"


def moments(runs: Sequence[History]) -> list[int]:
    """Every training step at which one of the runs kept a snapshot, once all have one."""
    first = max(run.steps[0] for run in runs)
    return sorted({step for run in runs for step in run.steps if step >= first} | {first})


def opening(runs: Sequence[History], steps: Sequence[int]) -> int:
    """The moment that is shown first: when one of the runs collapses, else the end."""
    collapses = [run.steps[run.collapse] for run in runs if run.collapse is not None]
    return bisect.bisect_left(steps, min(collapses)) if collapses else len(steps) - 1


def watch_both(app: App, *, count: int, seed: int) -> Iterator[TimelineValue | Progress]:
    """Yields Progress for each snapshot, then the timeline: both runs from the same seeds."""
    runs = [History.of(title, name, app.model(name)) for title, name in RUNS.items()]
    seeds, total = seeds_from(seed, count), sum(len(run.steps) for run in runs)
    drawn: dict[str, list[np.ndarray]] = {}
    seconds = 0.0
    for run in runs:
        drawn[run.title] = []
        for step in run.steps:
            started = time.perf_counter()
            x = final(run.model.at_snapshot(step).sample(Noise(seeds)))
            seconds += time.perf_counter() - started
            drawn[run.title].append(pixels(x))
            yield Progress("Snapshot", sum(map(len, drawn.values())), total)
    steps = moments(runs)
    where = f"{count * total} pictures in {duration(seconds)} · {app.device_title}"
    yield timeline_from_images(
        {run.title: [drawn[run.title][run.at(s)] for s in steps] for run in runs},
        [
            "snapshots: "
            + ", ".join(f"{run.title.lower()} {run.steps[run.at(step)]:,}" for run in runs)
            for step in steps
        ],
        steps=steps,
        total=steps[-1],
        step_word="training step",
        notes=[" · ".join(filter(None, (run.caption(s) for run in runs))) for s in steps],
        provenance=f"{where}. Classes, recall and losses: computed earlier",
        name=f"mode-collapse-{seed}",
        alt="pictures from the same seeds as training goes on",
        bars=[bars(run, steps) for run in runs],
        curves=curves(runs, steps),
        start=opening(runs, steps),
    )


def bars(run: History, steps: Sequence[int]) -> dict[str, Any]:
    """The class-coverage bars of one run, for each moment."""
    places, samples = [run.at(step) for step in steps], run.rows[0]["samples"]
    return {
        "lane": run.title,
        "title": f"Share of each class in {samples:,} pictures; alive from {ALIVE:.0%} on",
        "labels": list(FASHION),
        "values": [run.rows[k]["class_shares"] for k in places],
        "threshold": ALIVE,
        "percent": True,
        "summary": [
            ("Collapsed · " if run.collapse is not None and k >= run.collapse else "")
            + f"{run.alive[k]} of {len(FASHION)} classes alive · recall {run.rows[k]['recall']:.2f}"
            for k in places
        ],
    }


def curves(runs: Sequence[History], steps: Sequence[int]) -> list[dict[str, Any]]:
    """Classes alive, recall and the losses over training, for the timeline's charts."""
    shared = {"x_label": "training step", "log_x": True, "at": list(steps)}
    alive = [measured(run, "classes_alive", steps) for run in runs]
    for run in runs:
        if run.collapse is not None:  # an upright line where it happens
            step = run.steps[run.collapse]
            beside = step + 0.01  # so that the line says no value of its own at that step
            alive.append(series(f"collapse, step {step:,}", [beside] * 2, [0, len(FASHION)]))
    recall = [measured(run, "recall", steps) for run in runs]
    return [
        {"title": f"Classes alive, of {len(FASHION)}", "series": alive, **shared},
        {
            "title": "Recall: share of real pictures with a forgery near them",
            "series": recall,
            **shared,
        },
        *(
            {
                "title": f"Losses of the {run.title.lower()} run",
                "log_y": True,
                **shared,
                "series": [loss(run.model, title, name) for title, name in LOSSES.items()],
            }
            for run in runs
        ),
    ]


def measured(run: History, figure: str, steps: Sequence[int]) -> dict[str, Any]:
    """A figure of each snapshot, at every moment that is shown until the run ends."""
    steps = [step for step in steps if step <= run.steps[-1]]
    return series(run.title, steps, [run.rows[run.at(step)][figure] for step in steps])


def series(name: str, x: Sequence[float], y: Sequence[float]) -> dict[str, Any]:
    return {"name": name, "points": [list(point) for point in zip(x, y, strict=True)]}


def loss(model: GAN, title: str, name: str) -> dict[str, Any]:
    """A curve of the checkpoint, the mean of each stretch; stretches are even in log(step)."""
    x, y = (model.extra[f"curve.{key}"].double().numpy() for key in ("step", name))
    there = np.isfinite(x) & np.isfinite(y) & (x > 0)  # where it was logged
    x, y = x[there], y[there]
    stretch = np.digitize(x, np.geomspace(x[0], x[-1], MOST_POINTS))
    means = [(x[stretch == k].mean(), y[stretch == k].mean()) for k in np.unique(stretch)]
    return series(title, *zip(*((round(a), round(b, 3)) for a, b in means), strict=True))


def code(k: Mapping[str, Any]) -> str:
    seeds = f"range({k['seed']}, {k['seed'] + k['count']})"
    return script(
        f"for name in {tuple(RUNS.values())}:",
        "    model = load(name)",
        '    for measured in model.card["metrics"]["snapshots"]:',
        '        step = measured["step"]',
        f"        x = final(model.at_snapshot(step).sample(Noise({seeds})))",
        '        alive, recall = measured["classes_alive"], measured["recall"]',
        '        print(f"{name}, step {step}: {alive} classes alive, recall {recall:.2f}")',
    )


PANEL = Panel(
    tab=TAB,
    id="collapse",
    title="Mode collapse",
    button="Watch both runs",
    text=COLLAPSE,
    knobs=[
        Knob("seed", "Seed", "seed", 0),
        Knob("count", "Pictures in each grid", "whole", 16, 1, 36, advanced=True),
    ],
    run=watch_both,
    code=code,
    calls=GAN.at_snapshot,
    screen=Timeline,
    shows="Two trainings side by side",
    models=tuple(RUNS.values()),
)
