"""Examples computed before: what a tab shows until something live takes its place.

`python -m demos.page.examples` makes them all with the real models and writes them to
demos/cached/. Each panel of each tab says what it wants kept, and reads it with `example(name)`.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from demos.page.handlers import App
from demos.page.image_io import day
from demos.page.tab import declared
from gen_core.evaluation.evaluate import today
from gen_core.training.checkpoint import CheckpointError

FOLDER = Path(__file__).parent.parent / "cached"
PICTURE = "$picture"
"""In the JSON, {PICTURE: file, "shape": [...]} stands for an array of pixels."""


@dataclass(frozen=True)
class Keep:
    """One example that a tab wants to have at hand."""

    name: str
    """Of its files in demos/cached/."""
    make: Callable[[App], Any]
    """Returns plain values for JSON, with uint8 arrays (H, W), (B, H, W) or (B, H, W, 3) in
    them wherever there are pictures."""
    models: tuple[str, ...]
    seeds: tuple[int, ...]
    asked: Callable[[App], dict[str, Any]] = lambda app: {}
    """The settings that it is made with, by name."""


@dataclass(frozen=True)
class Example:
    """What `make` returned, and how it came about."""

    value: Any
    models: tuple[str, ...]
    seeds: tuple[int, ...]
    hardware: str
    date: str
    """YYYY-MM-DD"""
    seconds: float | None = None
    """That it took there, once its models were loaded."""
    asked: dict[str, Any] | None = None
    """The settings that it was made with: what the page begins with must not be others."""

    @property
    def note(self) -> str:
        """Such as "example, computed on 21 November 2026, AMD EPYC, 2 threads"."""
        return f"example, computed on {day(self.date)}, {self.hardware}"


def example(name: str, folder: Path = FOLDER) -> Example | None:
    """The example of that name; None if nobody has made it yet."""
    path = folder / f"{name}.json"
    if not path.exists():
        return None
    kept = json.loads(path.read_text(encoding="utf-8"))
    models, seeds = tuple(kept["models"]), tuple(kept["seeds"])
    value, took = _unpacked(kept["value"], folder), kept.get("seconds")
    asked = kept.get("asked")
    return Example(value, models, seeds, kept["hardware"], kept["date"], took, asked)


def write(keep: Keep, app: App, folder: Path = FOLDER) -> int:
    """Makes one example and writes its files, JSON last; returns their size in bytes."""
    keep.make(app)  # loads its models
    began = time.perf_counter()
    value = keep.make(app)
    seconds = round(time.perf_counter() - began, 2)
    folder.mkdir(exist_ok=True)
    for old in folder.glob(f"{keep.name}.*.png"):
        old.unlink()
    pictures: list[Path] = []
    packed = _packed(value, folder / keep.name, pictures)
    asked = plain(keep.asked(app))
    made = Example(packed, keep.models, keep.seeds, app.device_title, today(), seconds, asked)
    path = folder / f"{keep.name}.json"
    path.write_text(json.dumps(asdict(made), ensure_ascii=False) + "\n", encoding="utf-8")
    return sum(p.stat().st_size for p in (path, *pictures))


def plain(asked: dict[str, Any]) -> dict[str, Any]:
    """Settings as JSON has them, what is no plain value as text."""
    return json.loads(json.dumps(asked, default=str))


def _packed(value: Any, stem: Path, pictures: list[Path]) -> Any:
    """The value with each array in a PNG of its own, batches one below the other."""
    if isinstance(value, np.ndarray):
        if value.dtype != np.uint8:
            raise TypeError(f"an array of {value.dtype}: pictures are uint8, the rest plain values")
        path = stem.with_name(f"{stem.name}.{len(pictures)}.png")
        width = value.shape[2] if value.ndim > 2 else value.shape[1]
        colours = value.shape[3:] if value.ndim == 4 else ()
        Image.fromarray(value.reshape(-1, width, *colours)).save(path, optimize=True)
        pictures.append(path)
        return {PICTURE: path.name, "shape": list(value.shape)}
    if isinstance(value, dict):
        return {k: _packed(v, stem, pictures) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_packed(v, stem, pictures) for v in value]
    return value


def _unpacked(value: Any, folder: Path) -> Any:
    if isinstance(value, dict) and PICTURE in value:
        with Image.open(folder / value[PICTURE]) as image:
            return np.asarray(image).reshape(value["shape"])
    if isinstance(value, dict):
        return {k: _unpacked(v, folder) for k, v in value.items()}
    if isinstance(value, list):
        return [_unpacked(v, folder) for v in value]
    return value


def kept() -> list[Keep]:
    """What all tabs want kept."""
    return [keep for tab in declared() for panel in tab.panels for keep in panel.keeps()]


def main(arguments: list[str] | None = None) -> int:
    """Makes all examples, or those named; 2 if the weights of one are not here."""
    wanted = {keep.name: keep for keep in kept()}
    parser = argparse.ArgumentParser(prog="python -m demos.page.examples", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(wanted)}")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: auto)")
    args = parser.parse_args(arguments)
    if unknown := set(args.names) - set(wanted):
        parser.error(f"no example {', '.join(sorted(unknown))}: there are {', '.join(wanted)}")
    app, missing = App(args.device), False
    for name in args.names or wanted:
        started = time.perf_counter()
        try:
            size = write(wanted[name], app)
        except CheckpointError as error:
            print(f"{name}: left as it was, {error}", file=sys.stderr)
            missing = True
            continue
        print(f"{name}: {size / 1000:.0f} kB in {time.perf_counter() - started:.1f} s")
    return 2 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
