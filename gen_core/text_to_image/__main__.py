"""python -m gen_core.text_to_image train PART | export | measure"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tqdm import tqdm

from gen_core.checkpoint import CheckpointError, weights_folder
from gen_core.checks import KnobError

RUNS = Path("runs/text-to-image")


def main(arguments: list[str] | None = None) -> int:
    """The command line. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m gen_core.text_to_image", description=__doc__)
    commands = parser.add_subparsers(required=True)
    for name, does in (("train", _train), ("export", _export), ("measure", _measure)):
        command = commands.add_parser(name, help=does.__doc__)
        command.add_argument("--runs", type=Path, default=RUNS, help="folder of the trainings")
        command.set_defaults(does=does)
        if name != "export":
            command.add_argument("--data", help="folder that holds emoji64/")
            command.add_argument("--device", default="auto")
        if name == "train":
            command.add_argument("part", choices=("judge", "autoencoder", "clip", "denoiser"))
    options = parser.parse_args(arguments)
    try:
        options.does(options)
    except (KnobError, CheckpointError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _train(options: argparse.Namespace) -> None:
    """Train one part, or go on where its training stopped."""
    from gen_core.text_to_image.training import run

    training = run(options.part, options.runs)
    progress = tqdm(total=training.recipe.steps, initial=training.steps_done(), unit="step")
    for step in training.train(device=options.device, data_root=options.data):
        progress.update()
        if step.step % 50 == 0:
            losses = {k.split(".")[-1]: f"{float(v):.4f}" for k, v in step.losses.items()}
            progress.set_postfix(losses)


def _export(options: argparse.Namespace) -> None:
    """Write the trained parts to the weights folder, in diffusers' format."""
    from gen_core.text_to_image.export import export
    from gen_core.text_to_image.pipeline import NAME

    export(options.runs, weights_folder() / NAME)


def _measure(options: argparse.Namespace) -> None:
    """Print how often 500 prompts get what they ask for, and how often the judge is right."""
    from gen_core.data.emoji import load_emoji
    from gen_core.text_to_image import measure
    from gen_core.text_to_image.pipeline import open_pipeline
    from gen_core.text_to_image.training import part

    model = open_pipeline(device=options.device)
    judge = part("judge", options.runs).to(model.device)
    emoji = load_emoji(options.data)
    with tqdm(total=len(measure.prompts()), unit="picture") as progress:
        shares = measure.share_right(
            model, judge, tick=lambda done, _: progress.update(done - progress.n)
        )
    print(json.dumps({"model": shares, "judge": measure.judge_right(judge, emoji)}, indent=1))


if __name__ == "__main__":
    sys.exit(main())
