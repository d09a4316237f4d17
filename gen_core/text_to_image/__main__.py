"""python -m gen_core.text_to_image
fetch | train PART | look | export | measure | tradeoff | sharpness
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from gen_core.checkpoint import CheckpointError, weights_folder
from gen_core.checks import KnobError
from gen_core.data import MissingData
from gen_core.text_to_image.card import JUDGE, NAME, add_measured

RUNS = Path("runs/text-to-image")


def main(arguments: list[str] | None = None) -> int:
    """The command line. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m gen_core.text_to_image", description=__doc__)
    commands = parser.add_subparsers(required=True)
    commands.add_parser("fetch", help=_fetch.__doc__).set_defaults(does=_fetch)
    does = {
        "train": _train, "look": _look, "export": _export, "measure": _measure,
        "tradeoff": _tradeoff, "sharpness": _sharpness,
    }  # fmt: skip
    for name, function in does.items():
        command = commands.add_parser(name, help=function.__doc__)
        command.set_defaults(does=function)
        if name in ("train", "look", "export"):
            command.add_argument("--runs", type=Path, default=RUNS, help="folder of the trainings")
        if name in ("train", "export", "measure"):
            command.add_argument("--data", help="folder that holds emoji64/, else $GEN_DATA")
        if name != "export":
            command.add_argument("--device", default="auto")
        if name == "train":
            command.add_argument(
                "part", choices=("judge", "autoencoder", "words", "clip", "denoiser", "decoder")
            )
            command.add_argument("--steps", type=int, help="end after so many, not the recipe's")
        if name == "tradeoff":
            command.add_argument("--prompts", type=int, default=40, help="2 to 100")
            command.add_argument("--seeds", type=int, default=8, help="of each prompt, 2 to 64")
        if name == "sharpness":
            command.add_argument("--pictures", type=int, default=200, help="with and without")
    options = parser.parse_args(arguments)
    try:
        options.does(options)
    except (KnobError, CheckpointError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _fetch(options: argparse.Namespace) -> None:
    """Download the 900 drawings of the vocabulary into the cache."""
    from gen_core.data.emoji import STYLES, concepts
    from gen_core.data.emoji_fetch import fetch_emoji
    from gen_core.data.zalando import cache_folder

    with tqdm(total=len(concepts()) * len(STYLES), unit="file") as progress:
        print(fetch_emoji(cache_folder(), tick=progress.update))


def _train(options: argparse.Namespace) -> None:
    """Train one part, or go on where its training stopped."""
    from gen_core.team import joined
    from gen_core.text_to_image.training import run

    training = run(options.part, options.runs, options.steps)
    progress = tqdm(
        total=training.recipe.steps, initial=training.steps_done(), unit="step",
        disable=not joined().leads,
    )  # fmt: skip
    for step in training.train(device=options.device, data_root=options.data):
        progress.update()
        if step.step % 50 == 0:
            losses = {k.split(".")[-1]: f"{float(v):.4f}" for k, v in step.losses.items()}
            progress.set_postfix(losses)


def _look(options: argparse.Namespace) -> None:
    """What the denoiser has learned so far: a grid of fixed prompts, and how many are right."""
    from gen_core.devices import pick_device
    from gen_core.text_to_image.progress import look

    with _bar() as tick:
        print(json.dumps(look(options.runs, pick_device(options.device), tick), indent=1))


def _export(options: argparse.Namespace) -> None:
    """Write the trained parts to the weights folder, in diffusers' format."""
    from gen_core.data.emoji import load_emoji
    from gen_core.text_to_image.export import export

    try:
        emoji = load_emoji(options.data)
    except MissingData as error:
        print(f"{error}; without them, the weights come without search", file=sys.stderr)
        emoji = None
    export(options.runs, _folder(), emoji)


def _measure(options: argparse.Namespace) -> None:
    """How often 500 prompts get what they ask for, and how often the judge is right."""
    from gen_core.data.emoji import load_emoji
    from gen_core.text_to_image import measure
    from gen_core.text_to_image.parts import read_part
    from gen_core.text_to_image.pipeline import open_pipeline

    model = open_pipeline(device=options.device)
    judge = read_part(_folder() / JUDGE).to(model.device)
    emoji, asked = load_emoji(options.data), measure.prompts()
    with _bar() as tick:
        shares = measure.share_right(model, judge, tick=tick)
    figures = {"model": shares, "judge": measure.judge_right(judge, emoji), "pictures": len(asked)}
    _keep("shares", figures, model.device)


def _tradeoff(options: argparse.Namespace) -> None:
    """Fit against diversity at five values of guidance."""
    from gen_core.text_to_image.match import Matcher
    from gen_core.text_to_image.parts import read_part
    from gen_core.text_to_image.pipeline import open_pipeline
    from gen_core.text_to_image.tradeoff import curve

    model = open_pipeline(device=options.device)
    judge = read_part(_folder() / JUDGE).to(model.device)
    matcher = Matcher.open(_folder(), model.device)
    with _bar() as tick:
        figures = curve(
            model, matcher, judge, count=options.prompts, seeds=options.seeds, tick=tick
        )
    _keep("guidance", figures, model.device)


def _sharpness(options: argparse.Namespace) -> None:
    """How much the negative prompt "blurry" sharpens."""
    from gen_core.text_to_image.pipeline import open_pipeline
    from gen_core.text_to_image.sharpness import sharpened

    model = open_pipeline(device=options.device)
    with _bar() as tick:
        figures = sharpened(model, pictures=options.pictures, tick=tick)
    _keep("sharpness", figures, model.device)


def _folder() -> Path:
    return weights_folder() / NAME


def _keep(name: str, figures: dict[str, Any], device: torch.device) -> None:
    """Prints the figures and puts them into the pipeline's card."""
    add_measured(_folder(), name, figures, device)
    print(json.dumps(figures, indent=1))


@contextlib.contextmanager
def _bar() -> Iterator[Callable[[int, int], None]]:
    with tqdm(unit="picture") as progress:

        def tick(done: int, total: int) -> None:
            progress.total = total
            progress.update(done - progress.n)

        yield tick


if __name__ == "__main__":
    sys.exit(main())
