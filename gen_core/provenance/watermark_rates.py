"""How often the invisible mark is found, and how often one is found where there is none."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gen_core.data.emoji import Emoji
from gen_core.data.emoji.scenes import any_scene, paint
from gen_core.evaluation.evaluate import today
from gen_core.families.text_to_image import TextToImage
from gen_core.progress import Progress, Report, ignore
from gen_core.provenance import watermark
from gen_core.sampling import pixels

FALSE_ALARMS = 0.01
CROPPED = 0.1
QUALITY = 75
Change = Callable[[Image.Image, np.random.Generator], Image.Image]


def as_jpeg(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=QUALITY)
    return Image.open(file).convert("RGB")


def halved(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    return picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.BICUBIC)


def cropped(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Without a tenth of its width and of its height, taken from either side at random."""
    width, height = (round((1 - CROPPED) * side) for side in picture.size)
    left = int(rng.integers(picture.width - width + 1))
    top = int(rng.integers(picture.height - height + 1))
    return picture.crop((left, top, left + width, top + height))


CHANGES: dict[str, tuple[Change, ...]] = {
    "untouched": (),
    "JPEG 75": (as_jpeg,),
    "half size": (halved,),
    "10% crop": (cropped,),
    "crop, JPEG": (cropped, as_jpeg),
    "half size, JPEG": (halved, as_jpeg),
    "crop, half size": (cropped, halved),
    "crop, half size, JPEG": (cropped, halved, as_jpeg),
}
"""What happens to a picture on its way, in this order."""


def rates(
    emoji: Emoji,
    *,
    pictures: int = 200,
    unmarked: int = 1000,
    others: Path | str | None = None,
    seed: int = 0,
    model: TextToImage | None = None,
    progress: Report = ignore,
) -> dict[str, Any]:
    """Shares of marked pictures that are found after each change, at 1% false alarms.

    With `model` the marked ones are its own, at most 500; else scenes as it was trained on. The
    threshold is set on one half of the unmarked pictures, the false alarms are counted on the
    other. These are such scenes too, changed like the marked ones; with `others`, a folder of
    photographs, every second is a window of one of them.
    """
    rng = np.random.default_rng(seed)
    scores = []
    for score in _unmarked(emoji, unmarked, others, rng):
        scores.append(score)
        progress(Progress("unmarked pictures", len(scores), unmarked, "pictures"))
    plain = np.array(scores)
    threshold = float(np.quantile(plain[::2], 1 - FALSE_ALARMS, method="higher"))
    found: dict[str, list[float]] = {name: [] for name in CHANGES}
    noise = []
    for k, picture in enumerate(_pictures(emoji, pictures, model, rng)):
        before = watermark.enlarged(picture)
        after = watermark.marked(before)
        noise.append(signal_to_noise(before, after))
        for name in CHANGES:
            found[name].append(_score(Image.fromarray(after), name, rng))
        progress(Progress("marked pictures", k + 1, pictures, "pictures"))
    return {
        "date": today(),
        "pictures": len(noise),
        "by_model": model is not None,
        "unmarked": unmarked,
        "photographs": len(_files(others)),
        "threshold": round(threshold, 4),
        "false_alarms": round(float((plain[1::2] > threshold).mean()), 4),
        "highest_unmarked": round(float(plain.max()), 4),
        "psnr": {"mean": round(float(np.mean(noise)), 1), "least": round(min(noise), 1)},
        "found": {n: round(float((np.array(s) > threshold).mean()), 4) for n, s in found.items()},
        "lowest": {n: round(min(s), 4) for n, s in found.items()},
    }


def _pictures(
    emoji: Emoji, count: int, model: TextToImage | None, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """(64, 64, 3) uint8"""
    if model is None:
        yield from (paint(any_scene(rng), emoji) for _ in range(count))
        return
    from gen_core.evaluation.prompt_accuracy import drawn, prompts  # heavy

    for _, x in drawn(model, prompts()[:count], range(count)):
        yield from pixels(x)


def signal_to_noise(before: np.ndarray, after: np.ndarray) -> float:
    """Peak signal to noise ratio in decibels, of two different uint8 pictures."""
    return float(10 * np.log10(255**2 / np.square(after.astype(float) - before).mean()))


def _score(picture: Image.Image, change: str, rng: np.random.Generator) -> float:
    for step in CHANGES[change]:
        picture = step(picture, rng)
    return watermark.score(picture)


def _unmarked(
    emoji: Emoji, count: int, others: Path | str | None, rng: np.random.Generator
) -> Iterator[float]:
    names, files = list(CHANGES), _files(others)
    for k in range(count):
        if files and k // 2 % 2:  # both halves hold both kinds
            picture = _window(files[int(rng.integers(len(files)))], rng)
        else:
            picture = Image.fromarray(watermark.enlarged(paint(any_scene(rng), emoji)))
        yield _score(picture, names[int(rng.integers(len(names)))], rng)


def _files(folder: Path | str | None) -> list[Path]:
    kinds = (".png", ".jpg", ".jpeg", ".webp")
    return sorted(p for p in Path(folder).iterdir() if p.suffix.lower() in kinds) if folder else []


def _window(path: Path, rng: np.random.Generator) -> Image.Image:
    """A random square of a photograph, a third of it or more, at 512 pixels."""
    with Image.open(path) as image:
        photograph = image.convert("RGB")
    side = int(rng.integers(min(photograph.size) // 3, min(photograph.size) + 1))
    left = int(rng.integers(photograph.width - side + 1))
    top = int(rng.integers(photograph.height - side + 1))
    window = photograph.crop((left, top, left + side, top + side))
    return window.resize((watermark.SIDE, watermark.SIDE), Image.Resampling.BICUBIC)


def as_text(result: dict[str, Any]) -> str:
    """The rates as lines for a person."""
    lines = [
        f"{result['pictures']} marked pictures{' of the model' * result['by_model']}, "
        f"{result['unmarked']} without the mark "
        f"(windows of {result['photographs']} photographs among them)",
        f"threshold {result['threshold']}: {result['false_alarms']:.1%} false alarms on the half "
        f"that it was not set on; highest unmarked score {result['highest_unmarked']}",
        f"PSNR {result['psnr']['mean']} dB on average, {result['psnr']['least']} at least",
    ]
    lines += [
        f"  {name:<24}found {share:7.1%}   lowest score {result['lowest'][name]}"
        for name, share in result["found"].items()
    ]
    return "\n".join(lines)
