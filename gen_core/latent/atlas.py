"""What a VAE's checkpoint keeps of its latent space: codes of pictures that training did not show,
what is on these, where they lie on a map, and the directions found among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from gen_core.data import ImageSet
from gen_core.families.vae import VAE
from gen_core.latent.directions import by_meaning, by_variance
from gen_core.latent.traits import of_facts
from gen_core.latent.tsne import tsne

POINTS = 2000
"""Pictures on the map: many, and still few enough for a phone to draw."""
PREFIX = "latent."
NEAR = 8
"""Codes that a place between the points of the map is mixed of."""


@dataclass(frozen=True)
class Atlas:
    codes: Tensor
    """(N, D) float16: the mean code of each picture."""
    labels: Tensor
    """(N,) or (N, attributes) int16: as the data set's."""
    places: Tensor
    """(N, 2) float16, each axis from -1 to 1: a map on which neighbours stay neighbours."""
    axes: Tensor
    """(D, D) float16: principal components of all codes, unit rows, the widest first."""
    scales: Tensor
    """(D,) float32: the standard deviation along each."""
    directions: Tensor
    """(T, D) float32: how codes change with each of `TRAITS`, per standard deviation of it; no
    rows where the data set has classes."""

    @classmethod
    def of(cls, model: VAE, data: ImageSet, learn: ImageSet) -> Atlas:
        """Points from `data`, which training did not show; axes and directions from `learn`."""
        points, known = encoded(model, data, POINTS), encoded(model, learn, len(learn))
        axes, scales = by_variance(known)
        directions = torch.empty(0, known.shape[1])
        if data.labels.ndim == 2:
            directions = by_meaning(known, *of_facts(learn.labels[: len(known)]))
        flat = points if points.shape[1] == 2 else tsne(points)
        places = flat / flat.abs().amax(0)
        labels = data.labels[: len(points)].to(torch.int16)
        return cls(points.half(), labels, places.half(), axes.half(), scales, directions)

    def tensors(self) -> dict[str, Tensor]:
        """What a checkpoint keeps."""
        return {PREFIX + f.name: getattr(self, f.name) for f in fields(self)}

    @classmethod
    def kept(cls, extra: Mapping[str, Tensor]) -> Atlas:
        """From what a checkpoint kept. Raises KeyError where it kept none."""
        return cls(*(extra[PREFIX + f.name].cpu() for f in fields(cls)))

    @property
    def mean(self) -> Tensor:
        """(D,): the middle of the codes."""
        return self.codes.float().mean(0)

    def at(self, place: tuple[float, float]) -> Tensor:
        """A place of the map, each axis -1 to 1 -> (D,): the mean code of the nearest points,
        which count less the further away they are."""
        squared = (self.places.float() - torch.tensor(place)).square().sum(1)
        near, which = squared.topk(min(NEAR, len(squared)), largest=False)
        weights = torch.exp(-near / near[-1].clamp(min=1e-9) * 3)
        return (weights[:, None] * self.codes[which].float()).sum(0) / weights.sum()


@torch.inference_mode()
def encoded(model: VAE, data: ImageSet, count: int) -> Tensor:
    """The mean codes (count, D) of the first pictures."""
    rows = torch.arange(min(count, len(data))).split(250)
    return torch.cat([model.encode(data.pictures(r).to(model.device))[0].cpu() for r in rows])
