"""Analyzes a VAE's latent space once, after training: its atlas and what moves do in it."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gen_core.classifiers.attributes import AttributeClassifier
from gen_core.data import load_data
from gen_core.devices import device_title
from gen_core.evaluation.evaluate import today
from gen_core.evaluation.reference import rounded
from gen_core.families.vae import VAE
from gen_core.knobs import KnobError
from gen_core.latent import anomaly
from gen_core.latent.atlas import Atlas
from gen_core.latent.traits import TRAITS, of_answers, spreads
from gen_core.training import checkpoint

SECTION = "latent"
"""Where a checkpoint's card keeps what was measured here."""
FACES = 500
STRENGTH = 2.0
"""How far each way, in standard deviations of the trait: from end to end of what there is."""
BATCH = 125


def analyze(
    name: str,
    *,
    device: str = "auto",
    data_root: str | None = None,
    folder: Path | str | None = None,
    write: bool = False,
) -> dict[str, Any]:
    """The atlas of a VAE by name and, of portraits, what its sliders do, as plain values.

    `write` puts both into the checkpoint, beside its metrics. Takes minutes. Raises
    CheckpointError, MissingData, and KnobError for a model that is no VAE.
    """
    model = checkpoint.load(name, device, folder)
    if not isinstance(model, VAE):
        raise KnobError(f"name={name!r}: of family {model.name}; only a VAE has codes for pictures")
    data = model.card["data"]
    test, train = (load_data(data, split, data_root) for split in ("test", "train"))
    atlas = Atlas.of(model, test, train)
    found: dict[str, Any] = {
        "date": today(),
        "hardware": device_title(model.device),
        "points": len(atlas.codes),
        "scales": atlas.scales.tolist(),
    }
    if atlas.regressor is not None:
        judge = checkpoint.load(f"judge-{data}", device, folder)
        found["sliders"] = measure_sliders(model, judge, atlas)
        found["anomaly"] = anomaly.measure(model)
    found = rounded(found)
    if write:
        checkpoint.amend(name, found, atlas.tensors(), folder, section=SECTION)
    return found


def report(found: dict[str, Any]) -> str:
    """The analysis for a person: a line for each slider."""
    lines = [f"{found['points']:,} pictures on the map"]
    for name, row in found.get("sliders", {}).get("by_trait", {}).items():
        own, besides = row["change"][name], others(row["change"], name)
        stir = others(row["stir"], name)
        lines.append(
            f"{name:<12} right {row['right']:6.1%}  own {own:+.2f}  others {besides:.0%} of it, "
            f"without sign {stir:.0%}"
        )
    return "\n".join(lines)


# --- what moving codes by meaning does to faces, as a classifier sees it: to one trait, and others


@torch.inference_mode()
def decoded(model: VAE, codes: Tensor) -> Tensor:
    """codes (N, D) -> pictures (N, C, H, W) in [-1, 1], on the model's device."""
    return model.decode(codes.to(model.device))


@torch.inference_mode()
def seen_traits(judge: AttributeClassifier, x: Tensor) -> Tensor:
    """The traits (N, T) that the classifier sees in pictures (N, C, H, W); on the CPU."""
    return of_answers(*judge.answers(judge(x.to(judge.device)))).cpu()


def measure_sliders(
    model: VAE,
    judge: AttributeClassifier,
    atlas: Atlas,
    *,
    faces: int = FACES,
    strength: float = STRENGTH,
) -> dict[str, Any]:
    """Each trait moved from `strength` below a face to as much above it, for faces that training
    did not show. By trait: how often its own went up, and by how many standard deviations of the
    data every trait changed, on average (`change`) and without regard to sign (`stir`)."""
    start, unit = atlas.codes[:faces].float(), spreads()
    found: dict[str, Any] = {"faces": len(start), "strength": strength, "by_trait": {}}
    for index, name in enumerate(TRAITS):
        ends = (atlas.regressor.moved(start, {name: sign * strength}) for sign in (1, -1))
        up, down = (
            torch.cat([seen_traits(judge, decoded(model, z)) for z in codes.split(BATCH)])
            for codes in ends
        )
        moved = (up - down) / unit
        found["by_trait"][name] = {
            "right": float((moved[:, index] > 0).double().mean()),
            "change": dict(zip(TRAITS, moved.mean(0).tolist(), strict=True)),
            "stir": dict(zip(TRAITS, moved.abs().mean(0).tolist(), strict=True)),
        }
    return found


def others(found: dict[str, float], own: str) -> float:
    """Of one trait's `change` or `stir`: how much the others moved, on average, as a share of how
    much its own did."""
    rest = [abs(value) for name, value in found.items() if name != own]
    return sum(rest) / len(rest) / abs(found[own])
