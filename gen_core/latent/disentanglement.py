"""What moving codes by meaning does to faces, as a classifier sees it: to one trait, and others."""

from typing import Any

import torch
from torch import Tensor

from gen_core.classifiers.attributes import AttributeClassifier
from gen_core.families.vae import VAE
from gen_core.latent.atlas import Atlas
from gen_core.latent.traits import TRAITS, of_answers, spreads

FACES = 500
STRENGTH = 2.0
"""How far each way, in standard deviations of the trait: from end to end of what there is."""
BATCH = 125


@torch.inference_mode()
def decoded(model: VAE, codes: Tensor) -> Tensor:
    """codes (N, D) -> pictures (N, C, H, W) in [-1, 1], on the model's device."""
    return model.decode(codes.to(model.device))


@torch.inference_mode()
def seen_traits(judge: AttributeClassifier, x: Tensor) -> Tensor:
    """The traits (N, T) that the classifier sees in pictures (N, C, H, W); on the CPU."""
    return of_answers(*judge.answers(judge(x.to(judge.device)))).cpu()


def measure(
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
        up, down = (_seen_after(model, judge, codes) for codes in ends)
        moved = (up - down) / unit
        found["by_trait"][name] = {
            "right": float((moved[:, index] > 0).double().mean()),
            "change": dict(zip(TRAITS, moved.mean(0).tolist(), strict=True)),
            "stir": dict(zip(TRAITS, moved.abs().mean(0).tolist(), strict=True)),
        }
    return found


def _seen_after(model: VAE, judge: AttributeClassifier, codes: Tensor) -> Tensor:
    return torch.cat([seen_traits(judge, decoded(model, z)) for z in codes.split(BATCH)])


def others(found: dict[str, float], own: str) -> float:
    """Of one trait's `change` or `stir`: how much the others moved, on average, as a share of how
    much its own did."""
    rest = [abs(value) for name, value in found.items() if name != own]
    return sum(rest) / len(rest) / abs(found[own])
