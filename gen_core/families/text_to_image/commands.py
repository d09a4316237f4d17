"""What only a text-to-image model has: python -m gen_core fetch | look | export | ..."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gen_core.checks import KnobError
from gen_core.data.images import MissingData
from gen_core.families.text_to_image.card import NAME, classifier_of
from gen_core.knobs import as_number
from gen_core.progress import Bars
from gen_core.training import checkpoint

Answer = tuple[Any, str]
"""What a command returns: plain values for JSON, and text for a person."""


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Adds the commands to the command line; `command` makes a parser of a name, a function and
    what it is about."""
    command("fetch", _fetch, "download the 900 drawings of emoji into the cache")
    look = command("look", _look, "draw with the denoiser as its training stands, and measure it")
    export = command("export", _export, "write the trained parts to the weights, for diffusers")
    for parser in (look, export):
        parser.add_argument("--folder", default="runs", help="of the runs (default: runs)")
    export.add_argument("--data", metavar="FOLDER", help="where emoji64/ is (or set GEN_DATA)")
    tradeoff = command("tradeoff", _tradeoff, "fit against diversity at five values of guidance")
    tradeoff.add_argument("--prompts", type=as_number, default=40, help="2 to 100 (default: 40)")
    tradeoff.add_argument("--seeds", type=as_number, default=8, help="of each prompt, 2 to 64")
    sharp = command("sharpness", _sharpness, 'how much the negative prompt "blurry" sharpens')
    sharp.add_argument("--pictures", type=as_number, default=200, help="with and without it")
    for parser in (tradeoff, sharp):
        parser.add_argument("name", nargs="?", default=NAME, help=f"default: {NAME}")
        parser.add_argument("--write", action="store_true", help="put the result into the card")


def _fetch(args: argparse.Namespace) -> Answer:
    from gen_core.data.emoji.fetch import fetch_emoji
    from gen_core.data.fashion import cache_folder

    with Bars() as report:
        folder = str(fetch_emoji(cache_folder(), report=report))
    return {"folder": folder}, folder


def _look(args: argparse.Namespace) -> Answer:
    from gen_core.devices import pick_device
    from gen_core.families.text_to_image.look import look

    with Bars() as report:
        said = look(args.folder, pick_device(args.device), report)
    return said, json.dumps(said, indent=1)


def _export(args: argparse.Namespace) -> Answer:
    from gen_core.data.emoji import load_emoji
    from gen_core.families.text_to_image.export import export

    emoji, note = None, ""
    try:
        emoji = load_emoji(args.data)
    except MissingData as error:
        note = f"; without search, for there are {error}"
    folder = checkpoint.weights_folder() / NAME
    export(Path(args.folder) / NAME, folder, emoji)
    return {"folder": str(folder), "search": emoji is not None}, f"{folder}{note}"


def _tradeoff(args: argparse.Namespace) -> Answer:
    from gen_core.evaluation.tradeoff import curve
    from gen_core.families.text_to_image.clip_score import ClipScorer

    model = _model(args)
    judge, matcher = classifier_of(model.folder), ClipScorer.open(model.folder, model.device)
    with Bars() as report:
        figures = curve(
            model,
            matcher,
            judge.to(model.device),
            count=args.prompts,
            seeds=args.seeds,
            report=report,
        )
    return _measured("guidance", figures, model, args)


def _sharpness(args: argparse.Namespace) -> Answer:
    from gen_core.evaluation.sharpness import sharpened

    model = _model(args)
    with Bars() as report:
        figures = sharpened(model, pictures=args.pictures, report=report)
    return _measured("sharpness", figures, model, args)


def _model(args: argparse.Namespace) -> Any:
    """The text-to-image model that is named. Raises KnobError for another kind."""
    model = checkpoint.load(args.name, args.device)
    if getattr(model, "folder", None) is None:
        raise KnobError(f"name={args.name!r}: choose a text-to-image model, such as {NAME}")
    return model


def _measured(section: str, figures: dict[str, Any], model: Any, args: Any) -> Answer:
    """With the day and the device; `--write` puts them into the card."""
    from gen_core.devices import device_title
    from gen_core.evaluation.evaluate import today

    figures = figures | {"date": today(), "hardware": device_title(model.device)}
    if args.write:
        checkpoint.amend(args.name, figures, section=section)
    return figures, json.dumps(figures, indent=1)
