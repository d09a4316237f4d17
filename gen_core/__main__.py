"""The command line: python -m gen_core list | sample | train | evaluate | atlas | bench | ..."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from PIL import Image
from torch import Tensor
from tqdm import tqdm

from gen_core import Noise, final
from gen_core.checks import KnobError, whole
from gen_core.conditions import Text
from gen_core.data.images import grid
from gen_core.evaluation.evaluate import SAMPLES, evaluate, known
from gen_core.evaluation.prompt_report import markdown_prompt_accuracy
from gen_core.evaluation.report import markdown_table
from gen_core.families.text_to_image import TextToImage
from gen_core.families.text_to_image import commands as words_to_pictures
from gen_core.families.text_to_image.card import NAME as TEXT_TO_IMAGE
from gen_core.family import Family, Picture, own_knobs, registry
from gen_core.knobs import Knob, as_number
from gen_core.noise import MAX_SEED
from gen_core.progress import Bars
from gen_core.training import checkpoint, recipes
from gen_core.training.checkpoint import CheckpointError, available, load

EXTRA = (*TextToImage.libraries, "tokenizers", "accelerate")
"""What the extra "text-to-image" installs, and a command may find missing."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; 0 on success, 2 with one line on stderr for what the user can mend."""
    args = _parser().parse_args(arguments)
    try:
        result, text = args.run(args)
    except (KnobError, CheckpointError, OSError) as error:  # OSError: data or InceptionV3 missing
        print(f"error: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        if error.name not in EXTRA:
            raise
        way_out = "install gen_core with `pip install '.[text-to-image]'`"
        print(f"error: this needs {error.name}: {way_out}", file=sys.stderr)
        return 2
    print(json.dumps(result, indent=2) if args.json else text)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gen_core", description="Noise to data.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Any, about: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=about, description=about)
        sub.set_defaults(run=run)
        sub.add_argument("--json", action="store_true", help="print the result as JSON")
        sub.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: auto)")
        return sub

    listing = command("list", _list, "the checkpoints that are here, and what they reach")
    listing.add_argument("--markdown", action="store_true", help="the README's table")

    sample = command("sample", _sample, "draw pictures from a checkpoint into a PNG grid")
    sample.add_argument("name")
    sample.add_argument("--out", default="samples.png", metavar="FILE")
    sample.add_argument("--count", type=_value, default=16)
    sample.add_argument("--seed", type=_value, default=0, help="of the first; the rest count on")
    _add_knobs(sample)

    train = command("train", _train, "train a recipe; run it again to go on where it stopped")
    train.add_argument("name", help=f"one of {', '.join(recipes.RECIPES)}")
    train.add_argument("--steps", type=_value, help="default: the recipe's own")
    train.add_argument("--folder", default="runs", help="of the run's state (default: runs)")
    train.add_argument("--data", metavar="FOLDER", help="where the data set is (or set GEN_DATA)")

    measure = command("evaluate", _evaluate, "measure a checkpoint against real pictures")
    measure.add_argument("name")
    measure.add_argument("--samples", type=_value, default=SAMPLES)
    measure.add_argument("--batch", type=_value, default=250, help="pictures drawn at once")
    measure.add_argument("--seed", type=_value, default=0)
    measure.add_argument("--data", metavar="FOLDER", help="where the data set is (or set GEN_DATA)")
    measure.add_argument("--write", action="store_true", help="put the result into the checkpoint")
    measure.add_argument("--inception", action="store_true", help="add the standard FID")
    _add_knobs(measure)

    atlas = command("atlas", _atlas, "survey a VAE's latent space: a map, sliders")
    atlas.add_argument("name")
    atlas.add_argument("--data", metavar="FOLDER", help="where the data set is (or set GEN_DATA)")
    atlas.add_argument("--write", action="store_true", help="put the result into the checkpoint")

    timing = command("bench", _bench, "time the samplers against the network and diffusers")
    timing.add_argument("families", nargs="*", metavar="FAMILY", help="the grids of these alone")
    timing.add_argument("--count", type=_value, default=16)
    timing.add_argument("--steps", type=_value, default=20)
    timing.add_argument("--rounds", type=_value, default=9)

    mark = command("watermark", _watermark, "measure how often the invisible mark is found")
    mark.add_argument("--pictures", type=_value, default=200, help="that are marked")
    mark.add_argument("--model", action="store_true", help="mark its pictures, not painted scenes")
    mark.add_argument("--unmarked", type=_value, default=1000)
    mark.add_argument("--others", metavar="FOLDER", help="photographs, for the unmarked ones")
    mark.add_argument("--data", metavar="FOLDER", help="where emoji64/ is (or set GEN_DATA)")
    mark.add_argument("--write", action="store_true", help="make these the figures on the page")
    words_to_pictures.add(command)
    return parser


def _add_knobs(parser: argparse.ArgumentParser) -> None:
    """A flag for each knob that any family has, and those for what is asked for."""
    parser.add_argument(
        "--label",
        type=_label,
        default=None,
        help="what is asked for, a class or attributes as JSON; default: everything in turn",
    )
    for knob in Text.knobs:
        parser.add_argument(f"--{knob.name.replace('_', '-')}", help=f"{knob.info} (text-to-image)")
    for name, owners in _every_knob().items():
        about = "; ".join(
            f"{', '.join(families)}: {knob.takes} (default {knob.default})"
            for knob, families in owners
        )
        flag = f"--{name.replace('_', '-')}"
        parser.add_argument(flag, type=as_number, default=None, help=about.replace("%", "%%"))


def _every_knob() -> dict[str, list[tuple[Knob, list[str]]]]:
    """The knobs of all families by name: each of the kinds in which there are such, with the
    families that have it."""
    found: dict[str, list[tuple[Knob, list[str]]]] = {}
    for family, kind in registry.classes.items():
        for knob in own_knobs(kind) if issubclass(kind, Family) else ():
            kinds = found.setdefault(knob.name, [])
            alike = [owners for other, owners in kinds if _same(knob, other)]
            alike[0].append(family) if alike else kinds.append((knob, [family]))
    return found


def _same(knob: Knob, other: Knob) -> bool:
    """Whether two families' knobs take the same, with the same default."""
    return (knob.takes, knob.default) == (other.takes, other.default)


_value = as_number
"""A number if the text is one. Whether it suits the knob is for the knob to say."""


def _label(text: str) -> Any:
    """A class, or attributes as JSON; what is neither is for the condition to refuse."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _knobs(args: argparse.Namespace) -> dict[str, Any]:
    """The knobs that were set: the rest keep the defaults of the family."""
    names = ("label", *(knob.name for knob in Text.knobs), *_every_knob())
    return {name: getattr(args, name) for name in names if getattr(args, name) is not None}


Answer = tuple[Any, str]
"""What a command returns: plain values for JSON, and text for a person."""


def _list(args: argparse.Namespace) -> Answer:
    rows = []
    for name in available():
        card = checkpoint.card(name)
        megabytes = round(checkpoint.size(name) / 1e6, 2)
        rows.append({"name": name, "megabytes": megabytes, **card})
    if not rows:
        folder = checkpoint.weights_folder()
        return rows, f"no checkpoints in {folder}: set GEN_WEIGHTS to the folder that has them"
    if args.markdown:
        return rows, markdown_table()
    lines = [f"{'name':<24}{'MB':>6}{'steps':>9}{'hours':>8}  Fréchet"]
    for row in rows:
        numbers = f"{row['megabytes']:>6.1f}{row['steps']:>9}{row['hours']:>8.2f}"
        lines.append(f"{row['name']:<24}{numbers}  {row['metrics'].get('frechet', '')}")
    return rows, "\n".join(lines)


def _sample(args: argparse.Namespace) -> Answer:
    count = whole("count", args.count, 1, 4096)
    seed = whole("seed", args.seed, 0, MAX_SEED - count)
    model = load(args.name, args.device)
    if not isinstance(model, Family):
        raise KnobError(f"name={args.name!r}: a classifier, which draws no pictures")
    knobs = known(model, args.name, _knobs(args))
    knobs = model.balanced(range(count)) | knobs
    frames = model.sample(Noise(range(seed, seed + count)), **knobs)
    bar = tqdm(frames, desc="sampling", unit="frame")
    x = final(iter(bar))
    plain = {k: v.tolist() if isinstance(v, Tensor) else v for k, v in knobs.items()}
    result = {"name": args.name, "count": count, "seed": seed, "knobs": plain}
    if not isinstance(model.event, Picture):
        return result | {"tokens": x.tolist()}, "\n".join(
            " ".join(map(str, row)) for row in x.tolist()
        )
    Image.fromarray(grid(x, columns=round(count**0.5), scale=1)).save(args.out)
    return result | {"file": args.out}, f"{count} pictures in {args.out}"


def _train(args: argparse.Namespace) -> Answer:
    steps = None if args.steps is None else whole("steps", args.steps, 1, 10_000_000)
    run = recipes.run(args.name, args.folder, steps)
    bar = None
    for step in run.train(device=args.device, data_root=args.data):
        bar = bar or tqdm(
            desc=args.name,
            total=step.total,
            initial=step.step - 1,
            unit="step",
            disable=not step.trainer.world.is_main,
        )
        if step.step % 10 == 0:
            bar.set_postfix({k: f"{float(v):.3f}" for k, v in step.losses.items()})
        bar.update()
    if bar is not None:
        bar.close()
    card = checkpoint.card(run.result.stem, run.result.parent)
    result = {"name": args.name, "file": str(run.result), **card}
    return result, f"{run.result}: {result['steps']} steps, {result['hours']} hours"


def _evaluate(args: argparse.Namespace) -> Answer:
    with Bars() as report:
        result = evaluate(
            args.name,
            samples=args.samples,
            batch=args.batch,
            seed=args.seed,
            device=args.device,
            data_root=args.data,
            write=args.write,
            inception=args.inception,
            report=report,
            **_knobs(args),
        )
    apart = ("snapshots", "shares")
    lines = [f"{name:<22}{value}" for name, value in result.items() if name not in apart]
    for row in result.get("snapshots", []):
        lines.append(
            f"  step {row['step']:>6}  Fréchet {row['frechet']:>8}  recall {row['recall']:>6}  "
            f"classes alive {row['classes_alive']}"
        )
    if "shares" in result:
        lines.append(markdown_prompt_accuracy(result["shares"]))
    return result, "\n".join(lines)


def _atlas(args: argparse.Namespace) -> Answer:
    from gen_core.latent.analyze import report, survey

    found = survey(args.name, device=args.device, data_root=args.data, write=args.write)
    return found, report(found)


def _bench(args: argparse.Namespace) -> Answer:
    from gen_core.evaluation.bench import as_text, bench

    with Bars() as report:
        result = bench(
            *args.families,
            device=args.device,
            count=args.count,
            steps=args.steps,
            rounds=args.rounds,
            report=report,
        )
    return result, as_text(result)


def _watermark(args: argparse.Namespace) -> Answer:
    from gen_core.data.emoji import load_emoji
    from gen_core.provenance import watermark
    from gen_core.provenance.watermark_rates import rates, report

    count, model = whole("pictures", args.pictures, 1, 500 if args.model else 100_000), None
    if args.model:
        model = load(TEXT_TO_IMAGE)
    with Bars() as report_progress:
        result = rates(
            load_emoji(args.data),
            pictures=count,
            model=model,
            others=args.others,
            unmarked=whole("unmarked", args.unmarked, 2, 100_000),
            report=report_progress,
        )
    if args.write:
        watermark.MEASURED.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return result, report(result)


if __name__ == "__main__":
    sys.exit(main())
