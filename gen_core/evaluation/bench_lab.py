"""What a game of the adversarial lab costs: steps a second of twenty runs at once, plain and with
each help."""

import statistics
from collections.abc import Callable
from typing import Any

import torch

from gen_core.devices import device_title
from gen_core.evaluation.rounds import interleaved
from gen_core.knobs import whole
from gen_core.lab.game import Game
from gen_core.lab.settings import Settings
from gen_core.progress import Report, ignore

RUNS, STEPS = 20, 5
"""Runs of each game, and its steps in each round."""
GAMES: dict[str, dict[str, Any]] = {
    "plain": {},
    "R1": {"r1": 1.0},
    "gradient penalty": {"gradient_penalty": 1.0},
    "relativistic, R1 and R2": {"loss": "relativistic", "r1": 1.0, "r2": 1.0},
    "spectral norm": {"spectral_norm": True},
    "packing of two": {"packing": 2},
    "input noise": {"input_noise": 0.5},
    "minibatch discrimination": {"minibatch_discrimination": True},
    "unrolled, five steps": {"unrolled": 5},
    "five discriminator steps": {"discriminator_steps": 5},
    "width 128": {"width": 128},
}
AIMS = {
    "plain": 100,
    "R1": 60,
    "gradient penalty": 60,
    "minibatch discrimination": 15,
    "unrolled, five steps": 15,
}
"""Steps a second on two cores, with which a visitor sees a game move."""


def costs(rounds: int = 9, progress: Report = ignore) -> dict[str, Any]:
    """Medians over rounds of steps a second, on one thread and on two, as plain values for JSON."""
    whole("rounds", rounds, 1, 1000)
    found: dict[str, Any] = {"hardware": device_title(torch.device("cpu")), "runs": RUNS}
    before = torch.get_num_threads()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            jobs = {name: _steps(Game(Settings(**s), range(RUNS))) for name, s in GAMES.items()}
            seconds = interleaved(jobs, rounds, progress, f"games on {threads} thread(s)")
            found[f"threads {threads}"] = {
                name: round(STEPS / statistics.median(taken), 1) for name, taken in seconds.items()
            }
    finally:
        torch.set_num_threads(before)
    return found


def _steps(game: Game) -> Callable[[], None]:
    def job() -> None:
        for _ in range(STEPS):
            game.step()

    return job


def as_text(result: dict[str, Any]) -> str:
    """The result of `costs` as a table for a terminal."""
    one, two = result["threads 1"], result["threads 2"]
    lines = [
        f"{result['hardware']}: steps a second of {result['runs']} runs at batch "
        f"{Settings().batch}, two networks of two hidden layers of {Settings().width}",
        f"{'':<26}{'1 thread':>10}{'2 threads':>11}",
    ]
    for name, steps in two.items():
        aim = AIMS.get(name)
        verdict = f"   (aim: {aim}, {'met' if steps >= aim else 'MISSED'})" if aim else ""
        lines.append(f"{name:<26}{one[name]:>10.1f}{steps:>11.1f}{verdict}")
    return "\n".join(lines)
