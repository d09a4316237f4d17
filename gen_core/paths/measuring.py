"""What reflow and pairing are worth: how far few steps end from where the same flow leads."""

import argparse
from typing import Any

from torch import Tensor

from gen_core.data.yardstick import RANKED, Yardstick
from gen_core.evaluation.answer import Answer
from gen_core.knobs import choice, whole
from gen_core.paths.fields import Field
from gen_core.paths.reflow import reflow
from gen_core.paths.roads import FINE, distance, road, straightness
from gen_core.paths.settings import Settings
from gen_core.paths.training import Training
from gen_core.progress import Progress, Report, ignore
from gen_core.sampling import Noise

MEASURED = ("ring", "grid", "moons", "spiral")
EULER_STEPS = (1, 2, 4, 16)
"""Of Euler's method."""
REFLOWS = 3
TRAINED = 3000
"""Steps of each training."""

Row = dict[str, float]


def judged(field: Field, start: Tensor, yardstick: Yardstick) -> Row:
    """A flow in numbers: the mean distance between the ends of few steps and of 200, by the number
    of steps; its straightness; the Wasserstein distance to the data after 1 step and after 200."""
    ends = {steps: road(field, start, "euler", steps).end for steps in (*EULER_STEPS, FINE)}
    row = {f"error {n}": round(distance(ends[n], ends[FINE]), 4) for n in EULER_STEPS}
    row["straightness"] = round(straightness(field, start), 4)
    for n in (1, FINE):
        row[f"wasserstein {n}"] = round(float(yardstick.wasserstein(ends[n][None])), 4)
    return row


def measured(settings: Settings, seed: int, progress: Report = ignore) -> dict[str, Row]:
    """A flow of optimally paired batches; and one of others, then reflowed up to three times."""
    start = Noise(range(RANKED)).randn(2)
    paired, training = (
        Training(settings.but(pairing=pairing), [seed]) for pairing in ("optimal", "independent")
    )
    yardstick = Yardstick(training.plane)
    name = "optimal pairs"
    found = {name: judged(_trained(paired, name, progress), start, yardstick)}
    for times in range(REFLOWS + 1):
        training = reflow(training) if times else training
        name = f"reflow {times}" if times else "flow"
        found[name] = judged(_trained(training, name, progress), start, yardstick)
    return found


def _trained(training: Training, name: str, progress: Report) -> Field:
    settings = training.settings[0]
    for step in range(settings.steps):
        if step % 50 == 0:
            progress(Progress(f"{settings.data}: {name}", step, settings.steps))
        training.step()
    return training.field()


def paths(args: argparse.Namespace) -> Answer:
    """The command: one set, or all of them."""
    names = [choice("name", args.name, list(MEASURED))] if args.name else list(MEASURED)
    steps, seed = whole("steps", args.steps, 1, 100_000), whole("seed", args.seed, 0, 2**32 - 1)
    found: dict[str, Any] = {}
    for name in names:
        found[name] = measured(Settings(data=name, steps=steps), seed, args.progress)
    return found, "\n\n".join(as_text(name, rows) for name, rows in found.items())


def as_text(name: str, rows: dict[str, Row]) -> str:
    """The rows of a set as a table, and whether reflow did what it should."""
    columns = list(rows["flow"])
    lines = [f"{name:<16}" + "".join(f"{column:>16}" for column in columns)]
    for flow, row in rows.items():
        lines.append(f"  {flow:<14}" + "".join(f"{row[column]:>16.4f}" for column in columns))
    aim, verdict = rows["flow"]["error 16"], "after no reflow"
    for times in range(1, REFLOWS + 1):
        if rows[f"reflow {times}"]["error 1"] <= aim:
            verdict = f"after reflow {times}"
            break
    lines.append(f"  one step is as near as 16 were at first ({aim:.4f}): {verdict}")
    return "\n".join(lines)
