"""The command line: python -m gen_core list | sample | train | evaluate | atlas | bench | ..."""

import argparse
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from PIL import Image
from torch import Tensor
from tqdm import tqdm

from gen_core.conditions import Text
from gen_core.data.emoji import load_emoji
from gen_core.data.images import MissingData, grid
from gen_core.devices import keep_to_cores
from gen_core.editing import measuring as editing
from gen_core.evaluation import commands as evaluation
from gen_core.evaluation.answer import Answer
from gen_core.evaluation.evaluate import LEFT_OUT, SAMPLES, evaluate
from gen_core.evaluation.report import (
    markdown_figures,
    markdown_prompt_accuracy,
    markdown_results,
    markdown_table,
)
from gen_core.families.text_to_image import TextToImage, commands
from gen_core.families.text_to_image.folder import NAME as TEXT_TO_IMAGE
from gen_core.family import Family, Picture, own_knobs, registry
from gen_core.files import check_folder, check_writable, in_one_move, naming
from gen_core.knobs import Knob, KnobError, as_number, check_all, whole
from gen_core.lab.counting import MEASURED, lab
from gen_core.lab.presets import PRESETS
from gen_core.paths import measuring
from gen_core.progress import Bars
from gen_core.provenance import watermark
from gen_core.sampling import MAX_SEED, Noise, final, seeds_from
from gen_core.training import checkpoint, recipes
from gen_core.training.distributed import init_distributed
from gen_core.training.train import NotFinite

PICTURE_LIBRARIES = (*TextToImage.libraries, "tokenizers", "accelerate", "torchvision")
EXTRA = {**dict.fromkeys(PICTURE_LIBRARIES, "text-to-image"), "scipy": "paths"}
"""What a command may find missing, and the extra that installs it."""
RULE = "-" * 40
"""Between two texts."""
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")
"""How the name of a file may end in which pictures are drawn."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; 0 on success, 2 with one line on stderr for what the user can mend."""
    try:
        return _run(arguments)
    except BrokenPipeError:  # whoever reads has enough, as `head`
        for stream in (sys.stdout, sys.stderr):
            _drop(stream)
        return 128 + 13  # as the shell counts what the signal for this ends
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 128 + 2


def _run(arguments: Sequence[str] | None) -> int:
    if isinstance(sys.stdout, io.TextIOWrapper):  # whatever its encoding has not
        sys.stdout.reconfigure(errors="replace")
    try:
        args = _parser().parse_args(arguments)
    finally:
        if sys.stdout:  # which may be closed
            sys.stdout.flush()  # the help; Python would tell of a closed pipe once it ends
    keep_to_cores()
    try:
        with Bars() as args.progress:
            _check_places(args)
            result, text = args.run(args)
    except BrokenPipeError:
        raise
    # OSError: data or InceptionV3 missing, a file that cannot be read or written
    except (KnobError, checkpoint.CheckpointError, NotFinite, OSError) as error:
        print(f"error: {_in_one_line(error)}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        if error.name not in EXTRA:
            raise
        way_out = f"install gen_core with `pip install '.[{EXTRA[error.name]}]'`"
        print(f"error: this needs {error.name}: {way_out}", file=sys.stderr)
        return 2
    print(json.dumps(result, indent=2) if args.json else text, flush=True)
    return 0


def _in_one_line(error: Exception) -> str:
    """What went wrong, without the number that systems have for it."""
    numbered = isinstance(error, OSError) and error.strerror and error.filename
    return f"{error.filename}: {error.strerror}" if numbered else " ".join(str(error).split())


def _drop(stream: TextIO) -> None:
    """Whatever a stream still holds goes nowhere, where nobody reads it."""
    try:
        stream.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _check_places(args: argparse.Namespace) -> None:
    """Whether what is to be written can be, before hours of work."""
    if getattr(args, "write", False):
        measured = {_watermark: watermark.MEASURED, lab: MEASURED}.get(args.run)
        check_folder("write", measured.parent if measured else checkpoint.weights_folder())


Argument = tuple[tuple[str, ...], dict[str, Any]]
Command = tuple[Callable[..., Answer], str, list[Argument]]
"""A function, after which the command is named, what it is about, and what it takes."""


def _argument(*names: str, **options: Any) -> Argument:
    """What `add_argument` takes."""
    return names, options


def _number(flag: str, default: float | None, about: str = "") -> Argument:
    """A number if the text is one. Whether it suits the knob is for the knob to say."""
    return _argument(flag, type=as_number, default=default, help=about)


def _some(names: Iterable[str]) -> Argument:
    """One of them, or all."""
    return _argument("name", nargs="?", help=f"one of {', '.join(names)}; default: all")


NAME = _argument("name")
SEED = _number("--seed", 0)
TESTED = _number("--pictures", 100, "of the test set")
DATA = _argument("--data", metavar="FOLDER", help="where the data set is (or set GEN_DATA)")
RUNS = _argument("--folder", default="runs", help="of the runs' state (default: runs)")
REPLACE = _argument(
    "--replace", action="store_true", help="put the result in place of the checkpoint that is there"
)
WRITE = _argument("--write", action="store_true", help="put the result into the checkpoint")
EMOJI_MODEL = _argument("name", nargs="?", default=TEXT_TO_IMAGE, help=f"default: {TEXT_TO_IMAGE}")


def _commands() -> Iterator[Command]:
    """All of them, in the order of the help."""
    yield from _commands_of_models()
    yield from _commands_that_measure()
    yield from _text_to_image_commands()


def _commands_of_models() -> Iterator[Command]:
    """To look at checkpoints, to draw with them and to train them."""
    yield (
        _list,
        "the checkpoints that are here, and what they reach",
        [_argument("--markdown", action="store_true", help="the tables of docs/models.md")],
    )
    yield (
        evaluation.cards,
        "the model cards, as Markdown",
        [
            _argument("name", nargs="?", help="of one checkpoint; default: all"),
            _argument("--into", metavar="FILE", help="renew the tables and cards of this page"),
        ],
    )
    yield (
        _sample,
        "draw from a checkpoint: pictures in a grid, or texts",
        [
            NAME,
            _argument("--out", metavar="FILE", help="default: samples.png; texts are printed"),
            _number("--count", 16),
            _number("--seed", 0, "of the first; the rest count on"),
            *_knob_arguments(),
        ],
    )
    yield (
        _train,
        "train a recipe; run it again to go on where it stopped",
        [
            _argument("name", help=f"one of {', '.join(recipes.RECIPES)}"),
            _number("--steps", None, "default: the recipe's own"),
            RUNS,
            DATA,
            REPLACE,
        ],
    )


def _commands_that_measure() -> Iterator[Command]:
    """What models reach, and how fast."""
    yield (
        _evaluate,
        "measure a checkpoint against real pictures",
        [
            _argument("name", nargs="?", help="of a checkpoint"),
            _argument("--all", action="store_true", help="measure every checkpoint"),
            _number("--samples", SAMPLES),
            _number("--batch", 250, "pictures drawn at once"),
            SEED,
            DATA,
            WRITE,
            _argument("--inception", action="store_true", help="add the standard FID"),
            *_knob_arguments(),
        ],
    )
    yield (
        evaluation.floors,
        "what a perfect model would reach: the distance of real training pictures",
        [_argument("name", help="of a classifier"), DATA, WRITE],
    )
    yield _atlas, "survey a VAE's latent space: a map, sliders", [NAME, DATA, WRITE]
    yield (
        evaluation.bench,
        "time the samplers against the network and diffusers",
        [
            _argument(
                "families",
                nargs="*",
                metavar="FAMILY",
                help="the grids of these alone; lab: the games of the adversarial lab",
            ),
            _number("--count", 16),
            _number("--steps", 20),
            _number("--rounds", 9),
        ],
    )
    yield (
        lab,
        "play a preset of the adversarial lab from many seeds, and count how the runs end",
        [
            _some(PRESETS),
            _number("--seeds", 100, "from 0 on, 1 to 1000 (default: 100)"),
            _argument("--write", action="store_true", help="make these the figures on the page"),
        ],
    )
    yield (
        measuring.paths,
        "train flows on sets in the plane, reflow them, and measure how few steps then do",
        [_some(measuring.MEASURED), _number("--steps", measuring.TRAINED, "of training"), SEED],
    )
    yield (
        editing.edit,
        "measure editing without training: filling in, inversion, restored pictures beside filters",
        [_some(editing.MEASURED), TESTED, _number("--draws", 8), _number("--steps", 20), DATA],
    )
    yield (
        _watermark,
        "measure how often the invisible mark is found",
        [
            _number("--pictures", 200, "that are marked"),
            _argument("--model", action="store_true", help="mark its pictures, not painted scenes"),
            _number("--unmarked", 1000),
            _argument("--others", metavar="FOLDER", help="photographs, for the unmarked ones"),
            DATA,
            _argument("--write", action="store_true", help="make these the figures on the page"),
        ],
    )


def _text_to_image_commands() -> Iterator[Command]:
    """Those of the small Stable Diffusion: from its drawings to what is measured of it."""
    yield commands.fetch, "download the 900 drawings of emoji into the cache", []
    yield commands.look, "draw with the denoiser as its training stands, and measure it", [RUNS]
    yield (
        commands.export,
        "write the trained parts to the weights, for diffusers",
        [RUNS, DATA, REPLACE],
    )
    yield (
        commands.tradeoff,
        "fit against diversity at five values of guidance",
        [
            EMOJI_MODEL,
            _number("--prompts", 40, "2 to 100 (default: 40)"),
            _number("--seeds", 8, "of each prompt, 2 to 64"),
            WRITE,
        ],
    )
    yield (
        commands.sharpness,
        'how much the negative prompt "blurry" sharpens',
        [EMOJI_MODEL, _number("--pictures", 200, "with and without it"), WRITE],
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gen_core", description="Noise to data.")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for run, about, arguments in _commands():
        command = subparsers.add_parser(
            run.__name__.removeprefix("_"), help=about, description=about
        )
        command.set_defaults(run=run)
        command.add_argument("--json", action="store_true", help="print the result as JSON")
        command.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1 or mps")
        for names, options in arguments:
            command.add_argument(*names, **options)
    return parser


def _knob_arguments() -> Iterator[Argument]:
    """A flag for each knob that any family has, and those for what is asked for."""
    about = "what is asked for, a class or attributes as JSON; default: everything in turn"
    yield _argument("--label", type=_label, help=about)
    for knob in Text.knobs:
        begins = "; or what a text begins with" if knob.name == "prompt" else ""
        yield _argument(_flag(knob.name), help=f"{knob.info} (text-to-image){begins}")
    for name, owners in _every_knob().items():
        kinds = (
            f"{', '.join(families)}: {knob.takes} (default {knob.default})"
            for knob, families in owners
        )
        yield _number(_flag(name), None, "; ".join(kinds).replace("%", "%%"))


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _every_knob() -> dict[str, list[tuple[Knob, list[str]]]]:
    """The knobs of all families by name: each of the kinds in which there are such, with the
    families that have it."""
    found: dict[str, dict[tuple, tuple[Knob, list[str]]]] = {}
    for family, kind in registry.classes.items():
        for knob in own_knobs(kind) if issubclass(kind, Family) else ():
            kinds = found.setdefault(knob.name, {})
            kinds.setdefault((knob.takes, knob.default), (knob, []))[1].append(family)
    return {name: list(kinds.values()) for name, kinds in found.items()}


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


def _list(args: argparse.Namespace) -> Answer:
    rows = []
    for name in checkpoint.available():
        card = checkpoint.card(name)
        megabytes = round(checkpoint.size(name) / 1e6, 2)
        rows.append({"name": name, "megabytes": megabytes, **card})
    if not rows:
        folder = checkpoint.weights_folder()
        return rows, f"no checkpoints in {folder}: set GEN_WEIGHTS to the folder that has them"
    if args.markdown:
        return rows, f"{markdown_table()}\n\n{markdown_figures()}"
    lines = [f"{'name':<24}{'MB':>6}{'steps':>9}{'hours':>8}  Fréchet"]
    for row in rows:
        numbers = f"{row['megabytes']:>6.1f}{row['steps']:>9}{row['hours']:>8.2f}"
        lines.append(f"{row['name']:<24}{numbers}  {row['metrics'].get('frechet', '')}")
    return rows, "\n".join(lines)


def _sample(args: argparse.Namespace) -> Answer:
    count = whole("count", args.count, 1, 4096)
    seeds = seeds_from(whole("seed", args.seed, 0, MAX_SEED), count)
    model = checkpoint.load(args.name, args.device)
    if not isinstance(model, Family):
        raise KnobError(f"name={args.name!r}: a classifier, which draws no pictures")
    pictures = isinstance(model.event, Picture)
    out = _picture_file("out", args.out or "samples.png") if pictures else _text_file(args.out)
    knobs = model.balanced(range(count)) | _knobs(args)
    check_all(model.every_knob, knobs, args.name)
    bar = tqdm(model.sample(Noise(seeds), **knobs), desc="sampling", unit="frame")
    x = final(iter(bar))
    plain = {k: v.tolist() if isinstance(v, Tensor) else v for k, v in knobs.items()}
    result = {"name": args.name, "count": count, "seed": args.seed, "knobs": plain}
    if not pictures:
        texts = model.text(x)
        result, whole_text = (
            result | {"tokens": x.tolist(), "texts": texts},
            f"\n{RULE}\n".join(texts),
        )
        if out is None:
            return result, whole_text
        with naming(out):
            out.write_text(f"{whole_text}\n", encoding="utf-8")
        return result | {"file": str(out)}, f"{count} texts in {out}"
    with naming(out):
        Image.fromarray(grid(x, columns=round(count**0.5), scale=1)).save(out)
    return result | {"file": str(out)}, f"{count} pictures in {out}"


def _text_file(path: str | None) -> Path | None:
    """Where texts shall be written; None: nowhere. Raises KnobError for a picture's ending."""
    if path is None:
        return None
    if (kind := Path(path).suffix.lower()) in PICTURES:
        raise KnobError(f"out={path!r}: it ends with {kind}, and texts are drawn; choose .txt")
    return check_writable("out", path)


def _picture_file(name: str, path: str) -> Path:
    """A path to which a picture can be written. Raises KnobError for any other."""
    kind = Path(path).suffix.lower()
    if kind not in PICTURES:
        ends = f"it ends with {kind}" if kind else "it has no ending"
        raise KnobError(f"{name}={path!r}: {ends}; choose one of {', '.join(PICTURES)}")
    return check_writable(name, path)


def _train(args: argparse.Namespace) -> Answer:
    steps = None if args.steps is None else whole("steps", args.steps, 1, 10_000_000)
    run = recipes.run(args.name, args.folder, steps)
    steps = run.train(device=args.device, data_root=args.data, replace=args.replace)
    done, helper = run.steps_done(), not init_distributed().is_main
    with tqdm(steps, args.name, run.recipe.steps, initial=done, unit="step", disable=helper) as bar:
        for step in bar:
            if step.step % 10 == 0:
                bar.set_postfix({k: f"{float(v):.3f}" for k, v in step.losses.items()})
    card = checkpoint.card(run.result.stem, run.result.parent)
    result = {"name": args.name, "file": str(run.result), **card}
    return result, f"{run.result}: {result['steps']} steps, {result['hours']} hours"


def _evaluate(args: argparse.Namespace) -> Answer:
    if (args.name is None) is not args.all:
        raise KnobError("evaluate takes the name of a checkpoint, or --all")
    if not args.all:
        return _evaluated(args, args.name)
    results = {}
    for name in checkpoint.available():
        try:
            results[name], _ = _evaluated(args, name)
        except MissingData as error:  # the others need none
            results[name] = {LEFT_OUT: {"all": str(error)}}
        # What breaks off after hours leaves what was measured by then.
        tqdm.write(json.dumps({name: results[name]}), file=sys.stderr)
    return results, markdown_results(results)


def _evaluated(args: argparse.Namespace, name: str) -> Answer:
    result = evaluate(
        name,
        samples=args.samples,
        batch=args.batch,
        seed=args.seed,
        device=args.device,
        data_root=args.data,
        write=args.write,
        inception=args.inception,
        progress=args.progress,
        **_knobs(args),
    )
    apart = ("snapshots", "shares")
    lines = [f"{name:<22}{value}" for name, value in result.items() if name not in apart]
    for row in result.get("snapshots", []):
        lines.append(
            f"  step {row['step']:>6}  Fréchet {row['frechet']:>8}  recall {row['recall']:>6}  "
            f"classes alive {row['classes_alive']}"
        )
    if "model" in (shares := result.get("shares", {})):  # those of a portrait are of attributes
        lines.append(markdown_prompt_accuracy(shares))
    return result, "\n".join(lines)


def _atlas(args: argparse.Namespace) -> Answer:
    from gen_core.latent.analyze import analyze, report

    found = analyze(args.name, device=args.device, data_root=args.data, write=args.write)
    return found, report(found)


def _watermark(args: argparse.Namespace) -> Answer:
    from gen_core.provenance.watermark_rates import as_text, rates

    count = whole("pictures", args.pictures, 1, 500 if args.model else 100_000)
    model = checkpoint.load(TEXT_TO_IMAGE, args.device) if args.model else None
    result = rates(
        load_emoji(args.data),
        pictures=count,
        model=model,
        others=args.others,
        unmarked=whole("unmarked", args.unmarked, 2, 100_000),
        progress=args.progress,
    )
    if args.write:
        with in_one_move(watermark.MEASURED) as partial:
            partial.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return result, as_text(result)


if __name__ == "__main__":
    sys.exit(main())
