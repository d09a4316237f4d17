"""Draws with every checkpoint, solver and kind of condition: what must never change unseen.

Run as a script in any revision's folder, it writes what that revision draws: see `golden.py`. So
it uses nothing but what every revision has: `load`, `Noise` and `sample`.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

SEEDS = range(4)
TEXT_TO_IMAGE = "text-to-image-emoji"
CAP = {"hat": "cap", "smile": 0.8}
BLOND = {"hair": "afro", "hair_colour": "blond", "hat": "none"}
PEOPLE = [CAP, BLOND, {}, {"glasses": "round", "age": 0.9}]
"""One wish each."""
PANDA = "a 3d emoji of a panda, on a teal background"
PROMPTS = [PANDA, "a flat rocket", "two lemons, on the left a cat", ""]
DIFFUSION, FLOW = ("ddpm", "ddim", "dpm++2m", "euler", "heun"), ("euler", "midpoint", "heun")
SAMPLERS = ("DPM-Solver++", "DDIM", "PNDM", "Euler", "Euler ancestral", "UniPC")

Knobs = dict[str, Any]


def checkpoints(weights: Path) -> list[str]:
    """All that draw or write: the classifiers do not."""
    names = [path.stem for path in weights.glob("*.safetensors") if "judge" not in path.stem]
    return sorted([*names, *(p.parent.name for p in weights.glob("*/model_index.json"))])


def fingerprint(weights: Path, name: str) -> str:
    """SHA-256 of a checkpoint's weights: a file's, or those of a folder in order."""
    folder = weights / name
    files = sorted(folder.rglob("*.safetensors")) or [weights / f"{name}.safetensors"]
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def cases(name: str, model: Any) -> dict[str, Knobs]:
    """What to draw with a checkpoint, each case by its name."""
    family, _, data = name.partition("-")
    if name == TEXT_TO_IMAGE:
        return _of_words()
    if hasattr(model.event, "vocabulary"):
        return _of_texts({"tokens": 40} if family == "gpt" else {"steps": 8})
    if family in ("diffusion", "flow"):
        return _guided(family, [8, 0, 3, 5] if data == "fashion" else PEOPLE)
    if family == "autoregressive":
        return {"classes": {"label": [8, 0, 3, 5]}, "cool": {"temperature": 0.5}}
    if family == "tokens":
        return {"anybody": {}, "people": {"label": PEOPLE}}
    if family == "vae":
        return {"prior": {}, "narrow": {"temperature": 0.5}}
    if name == "gan-avatars":
        return {
            "anybody": {},
            "cap": {"label": CAP},
            "people": {"label": PEOPLE},
            "near the mean": {"truncation_psi": 0.6},
        }
    found: dict[str, Knobs] = {"default": {}, "near the mean": {"truncation_psi": 0.5}}
    if model.config.classes:
        found["classes"] = {"label": [8, 0, 3, 5]}
    return found | {f"snapshot {step}": {"snapshot": step} for step in model.snapshots[::5]}


def _guided(family: str, labels: list[Any]) -> dict[str, Knobs]:
    steps = {"steps": 5}
    found = {
        "anything": steps,
        "one for all": steps | {"label": labels[0]},
        "ignored": steps | {"label": labels, "guidance_scale": 0.0},
    }
    for solver in DIFFUSION if family == "diffusion" else FLOW:
        found[solver] = steps | {"label": labels, "guidance_scale": 2.0, "solver": solver}
    if family == "diffusion":
        found["ddim with fresh noise"] = found["ddim"] | {"eta": 0.7}
    return found


def _of_texts(short: Knobs) -> dict[str, Knobs]:
    beginning = {"prompt": "Once upon a time"}
    return {
        "from nothing": short,
        "from a beginning": short | beginning,
        "narrow": short | beginning | {"temperature": 0.7, "top_k": 20, "top_p": 0.9},
        "greedy": short | beginning | {"temperature": 0.0},
    }


def _of_words() -> dict[str, Knobs]:
    steps = {"steps": 4, "prompt": PROMPTS}
    ramp = torch.linspace(-1, 1, 64)
    picture = torch.stack([ramp.expand(64, 64), ramp[:, None].expand(64, 64), -ramp.expand(64, 64)])
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 20:44, 16:] = 1.0
    start = {"picture": picture[None], "strength": 0.7}
    found = {sampler: steps | {"sampler": sampler} for sampler in SAMPLERS}
    return found | {
        "unguided": {"steps": 4, "prompt": PANDA, "guidance_scale": 1.0},
        "negative": {"steps": 4, "prompt": PANDA, "negative_prompt": "blurry"},
        "from a picture": steps | {"start": start},
        "inpainting": steps | {"start": start | {"mask": mask}},
    }


def opened(name: str, weights: Path) -> Any:
    """A model by name on the CPU, with the words of the revision at hand."""
    from gen_core import load

    if name != TEXT_TO_IMAGE:
        return load(name, "cpu", weights)
    try:
        from gen_core.text_to_image.pipeline import open_pipeline
    except ImportError:  # it has become a family like any other
        return load(name, "cpu", weights)
    return open_pipeline(weights / name, "cpu")


def drawn(model: Any, knobs: Knobs) -> list[Tensor]:
    """The states of a generation, the pictures (B, C, H, W) in [-1, 1] last, or tokens (B, n)."""
    from gen_core import Noise

    knobs = dict(knobs)
    if "snapshot" in knobs:
        model = model.at_snapshot(knobs.pop("snapshot"))
    if "start" in knobs:
        knobs["start"] = _start_of_today()(**knobs["start"])
    if "sampler" in knobs and hasattr(model, "every_knob"):  # it has the library's word since
        offered = next(knob.options for knob in model.every_knob if knob.name == "solver")
        names = {scheduler.label: name for name, scheduler in offered.items()}
        knobs["solver"] = names[knobs.pop("sampler")]
    states = [frame.x for frame in model.sample(Noise(SEEDS), **knobs)]
    if states[-1].shape[1] == 4:  # latents, in the revisions that leave it to the caller
        states[-1] = model.decode(states[-1])
    return [x.detach().float().cpu().clone() for x in states]


def _start_of_today() -> type:
    """`Start`, wherever the revision keeps it."""
    try:
        from gen_core.text_to_image.pipeline import Start
    except ImportError:
        from gen_core.families.text_to_image.pipeline import Start
    return Start


def in_float32() -> None:
    """Turns autocast off on any processor, so that pictures are the same on all of them."""
    from gen_core import devices

    devices.has_bf16_units = lambda device: False


def main(root: str, weights: str, out: str) -> None:
    """Writes every state of every case as `root`'s code draws it with these weights."""
    from safetensors.torch import save_file

    sys.path.insert(0, root)
    torch.set_num_threads(1)
    in_float32()
    folder, found = Path(weights), {}
    for name in checkpoints(folder):
        model = opened(name, folder)
        for case, knobs in cases(name, model).items():
            for index, x in enumerate(drawn(model, knobs)):
                found[f"{name} / {case} / {index}"] = x.contiguous()
        print(name, flush=True)
    save_file(found, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
