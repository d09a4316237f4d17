"""What editing without training is worth: restored pictures beside filters, and inversion's way
back. Filters are tuned on training pictures, all is measured on test pictures."""

import argparse
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from gen_core.classifiers.images import ImageClassifier
from gen_core.data import ImageSet, load_data
from gen_core.editing.inversion import METHODS, round_trip
from gen_core.editing.measurements import (
    Measurement,
    bicubic,
    blur,
    psnr,
    shrink,
    wiener,
)
from gen_core.editing.redrawing import fill
from gen_core.editing.restoration import restore
from gen_core.evaluation import metrics
from gen_core.evaluation.answer import Answer
from gen_core.families.guided import GuidedFamily
from gen_core.knobs import choice, whole
from gen_core.progress import Progress, Report, ignore
from gen_core.sampling import Frame, Noise
from gen_core.training import checkpoint

MODEL, JUDGE = "diffusion-fashion", "judge-fashion"
BATCH = 50
"""Pictures that are drawn at once."""
TUNED_ON = 500
"""Training pictures."""
CORRELATIONS = (0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
CAMERAS: dict[str, Callable[[int], Measurement]] = {
    "blurred": blur,
    "half": lambda size: shrink(size, 2),
    "quarter": lambda size: shrink(size, 4),
}
"""By what they make of a picture."""
INVERTED, FILLED = "inverted", "filled"
MEASURED = (*CAMERAS, INVERTED, FILLED)
ROUNDS = (1, 2, 4)
"""Of filling in."""
WAYS_BACK = {"ddim": [(1.0, 1.0)], "heun": [(1.0, 1.0), (1.0, 3.0), (3.0, 3.0)]}
"""By method, the guidance there and back that the round trip is measured with."""

DIGITS = {
    "psnr": 2,
    "feature distance": 3,
    "kernel distance": 4,
    "accuracy": 3,
    "residual": 2,
}
"""That are told of each figure."""

Row = dict[str, float]


def last(frames: Iterator[Frame], stage: str, progress: Report) -> Tensor:
    """The pictures at the end, with progress."""
    for frame in frames:
        progress(Progress(stage, frame.step, frame.total))
    return frame.x


def judged(
    x: Tensor, of: Tensor, labels: Tensor, y: Tensor, camera: Measurement, judge: ImageClassifier
) -> Row:
    """Restored pictures in numbers, (N, 1, H, W) each: PSNR; the distance of their features to
    those of the originals, of each to its own and of all to all (kernel distance); how often the
    judge sees their class; and what they leave of y unexplained, in units of its noise."""
    with torch.inference_mode():
        features, real = judge.features(x), judge.features(of)
        answers = judge(x)
    rest = (y - camera(x)).square().mean().sqrt() / camera.noise
    found = {
        "psnr": float(psnr(x, of).mean()),
        "feature distance": float((features - real).norm(dim=1).mean()),
        "kernel distance": metrics.kernel_distance(features, real),
        "accuracy": metrics.accuracy(answers, labels),
        "residual": float(rest),
    }
    return rounded(found)


def rounded(row: Row) -> Row:
    return {name: round(value, DIGITS[name]) for name, value in row.items()}


def tuned(camera: Measurement, training: ImageSet) -> float:
    """The correlation with which the Wiener filter does best."""
    x = training.pictures(torch.arange(TUNED_ON))
    y = camera.taken(x, Noise(range(TUNED_ON)))
    reached = {value: float(psnr(wiener(camera, y, value), x).mean()) for value in CORRELATIONS}
    return max(reached, key=reached.__getitem__)


def restored(
    model: GuidedFamily,
    judge: ImageClassifier,
    name: str,
    training: ImageSet,
    test: ImageSet,
    *,
    pictures: int,
    draws: int,
    steps: int,
    progress: Report = ignore,
) -> dict[str, Any]:
    """Test pictures as that camera saw them, and what filters and draws make of them."""
    camera = CAMERAS[name](model.event.height)
    x, labels = test.batch(torch.arange(pictures))
    y = camera.taken(x, Noise(range(pictures)))
    drawn = []
    for draw in range(draws):
        for part in torch.arange(pictures).split(BATCH):
            noise = Noise([pictures * (draw + 1) + i for i in part.tolist()])
            frames = restore(model, noise, measurement=camera, y=y[part], steps=steps)
            drawn.append(last(frames, f"{name}: draw {draw + 1} of {draws}", progress))
    every = torch.cat(drawn).view(draws, *x.shape)
    correlation = tuned(camera, training)
    single = [judged(one, x, labels, y, camera, judge) for one in every]
    original = judged(x, x, labels, y, camera, judge)
    del original["psnr"]  # it has no error
    found: dict[str, Row] = {
        "original": original,
        "bicubic": judged(bicubic(camera, y), x, labels, y, camera, judge),
        "wiener": judged(wiener(camera, y, correlation), x, labels, y, camera, judge),
        "one draw": rounded({key: sum(r[key] for r in single) / draws for key in single[0]}),
        f"mean of {draws}": judged(every.mean(0), x, labels, y, camera, judge),
    }
    asked = {"pictures": pictures, "draws": draws, "steps": steps, "correlation": correlation}
    return {"of": asked, "rows": found}


def inverted(
    model: GuidedFamily, test: ImageSet, *, pictures: int, steps: int, progress: Report = ignore
) -> dict[str, Any]:
    """Test pictures to noise and back as their own class: how far from where they began."""
    x, labels = test.batch(torch.arange(pictures))
    found: dict[str, Row] = {}
    for method in METHODS:
        for there, back in WAYS_BACK[method]:
            name, errors = f"{method}, guidance {there:g} there, {back:g} back", []
            for part in torch.arange(pictures).split(BATCH):
                how = {"guidance_scale": there, "guidance_back": back, "steps": steps}
                how |= {"label": labels[part].tolist(), "method": method}
                arrived = last(round_trip(model, picture=x[part], **how), name, progress)
                errors.append((arrived - x[part]).abs().mean((1, 2, 3)))
            every = torch.cat(errors)
            found[name] = {
                "mean absolute error": round(float(every.mean()), 4),
                "the worst": round(float(every.max()), 4),
            }
    return {"of": {"pictures": pictures, "steps": steps}, "rows": found}


def filled(
    model: GuidedFamily,
    judge: ImageClassifier,
    test: ImageSet,
    *,
    pictures: int,
    steps: int,
    progress: Report = ignore,
) -> dict[str, Any]:
    """Test pictures whose lower half is drawn anew, without a class: how far the jump across the
    seam is beyond that of the originals, and how well the class and features fit these."""
    x, labels = test.batch(torch.arange(pictures))
    middle = model.event.height // 2
    mask = torch.zeros(1, 1, *model.event.shape[1:])
    mask[..., middle:, :] = 1

    def jump(x: Tensor) -> float:
        return float((x[..., middle, :] - x[..., middle - 1, :]).abs().mean())

    found: dict[str, Row] = {}
    for rounds in ROUNDS:
        drawn = []
        for part in torch.arange(pictures).split(BATCH):
            how = {"picture": x[part], "mask": mask, "rounds": rounds, "steps": steps}
            frames = fill(model, Noise(part.tolist()), **how)
            drawn.append(last(frames, f"rounds {rounds}", progress))
        every = torch.cat(drawn)
        with torch.inference_mode():
            apart = (judge.features(every) - judge.features(x)).norm(dim=1)
            answers = judge(every)
        found[f"rounds {rounds}"] = {
            "seam": round(jump(every) - jump(x), 3),
            "feature distance": round(float(apart.mean()), 3),
            "accuracy": round(metrics.accuracy(answers, labels), 3),
        }
    return {"of": {"pictures": pictures, "steps": steps}, "rows": found}


def edit(args: argparse.Namespace) -> Answer:
    """The command: one of the measurements, or all of them."""
    chosen = [choice("name", args.name, MEASURED)] if args.name else MEASURED
    pictures = whole("pictures", args.pictures, 2, 10_000)
    steps, draws = whole("steps", args.steps, 1, 1000), whole("draws", args.draws, 1, 64)
    model = checkpoint.load(MODEL, args.device)
    found: dict[str, Any] = {}
    for name in chosen:
        shared = {"pictures": pictures, "steps": steps, "progress": args.progress}
        test = load_data("fashion", "test", args.data)
        if name == INVERTED:
            found[name] = inverted(model, test, **shared)
            continue
        judge = checkpoint.load(JUDGE, args.device)
        if name == FILLED:
            found[name] = filled(model, judge, test, **shared)
        else:
            training = load_data("fashion", "train", args.data)
            found[name] = restored(model, judge, name, training, test, draws=draws, **shared)
    return found, "\n\n".join(as_markdown(name, told) for name, told in found.items())


def as_markdown(name: str, found: dict[str, Any]) -> str:
    """What was measured as a table."""
    asked = ", ".join(f"{value:g} {key}" for key, value in found["of"].items())
    columns = [*[*found["rows"].values()][-1]]
    lines = [f"{name} ({asked})", "", f"| | {' | '.join(columns)} |"]
    lines.append("| --- |" + " ---: |" * len(columns))
    for title, row in found["rows"].items():
        cells = [f"{row[key]:g}" if key in row else "" for key in columns]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines)
