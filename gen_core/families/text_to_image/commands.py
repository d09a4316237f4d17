"""The commands of the small Stable Diffusion: from its drawings to what is measured of it."""

import argparse
import json
from pathlib import Path
from typing import Any

from gen_core.data.emoji import load_emoji
from gen_core.data.images import MissingData
from gen_core.devices import pick_device
from gen_core.evaluation.answer import Answer, dated
from gen_core.families.text_to_image.folder import NAME, classifier_of
from gen_core.families.text_to_image.folder import export as written
from gen_core.files import check_folder
from gen_core.knobs import KnobError
from gen_core.training import checkpoint


def fetch(args: argparse.Namespace) -> Answer:
    """Downloads the drawings."""
    from gen_core.data.emoji import fetch_emoji
    from gen_core.data.fashion import cache_folder

    folder = str(fetch_emoji(cache_folder(), progress=args.progress))
    return {"folder": folder}, folder


def look(args: argparse.Namespace) -> Answer:
    """Draws with the denoiser as its training stands."""
    from gen_core.families.text_to_image import training

    figures = training.look(args.folder, pick_device(args.device), args.progress)
    return figures, json.dumps(figures, indent=1)


def export(args: argparse.Namespace) -> Answer:
    """Writes the trained parts as a pipeline. Raises KnobError where there is one already."""
    emoji, note = None, ""
    try:
        emoji = load_emoji(args.data)
    except MissingData as error:
        note = f"; without search, for there are {error}"
    folder = checkpoint.weights_folder() / NAME
    if (folder / checkpoint.CARD).exists() and not args.replace:
        raise KnobError(
            f"{folder} is there already: add --replace if it shall be replaced, or set GEN_WEIGHTS "
            "to another folder for the result"
        )
    check_folder("GEN_WEIGHTS", folder)
    written(Path(args.folder) / NAME, folder, emoji)
    return {"folder": str(folder), "search": emoji is not None}, f"{folder}{note}"


def tradeoff(args: argparse.Namespace) -> Answer:
    """Fit against diversity, by guidance."""
    from gen_core.evaluation import guidance
    from gen_core.families.text_to_image.clip_score import ClipScorer

    model = _emoji_model(args)
    figures = guidance.tradeoff(
        model,
        ClipScorer.open(model.folder, model.device),
        classifier_of(model.folder).to(model.device),
        count=args.prompts,
        seeds=args.seeds,
        progress=args.progress,
    )
    return dated("guidance", figures, model.device, args)


def sharpness(args: argparse.Namespace) -> Answer:
    """What a negative prompt does."""
    from gen_core.evaluation import guidance

    model = _emoji_model(args)
    figures = guidance.sharpness(model, pictures=args.pictures, progress=args.progress)
    return dated("sharpness", figures, model.device, args)


def _emoji_model(args: argparse.Namespace) -> Any:
    """The text-to-image model that is named. Raises KnobError for another kind."""
    model = checkpoint.load(args.name, args.device)
    if getattr(model, "folder", None) is None:
        raise KnobError(f"name={args.name!r}: choose a text-to-image model, such as {NAME}")
    return model
