"""What a VAE's checkpoint keeps of its latent space: codes of pictures that training did not show,
what is on these, where they lie on a map, the axes they vary along, and a regressor of traits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from gen_core.data import ImageSet
from gen_core.devices import fast_math
from gen_core.families.vae import VAE
from gen_core.latent.directions import TRAINING_STEPS, TraitRegressor, learn
from gen_core.latent.projection import principal_axes, tsne
from gen_core.latent.traits import of_labels

POINTS = 2000
"""Pictures on the map: many, and still few enough for a phone to draw."""
PREFIX, READER = "latent.", "reader."
TENSORS = ("codes", "labels", "places", "axes", "scales")
"""What an atlas has besides its regressor, which files call a reader."""
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
    regressor: TraitRegressor | None = None
    """Tells traits from codes; None where the data set has classes."""

    @classmethod
    def of(cls, model: VAE, data: ImageSet, train: ImageSet, steps: int = TRAINING_STEPS) -> Self:
        """Points from `data`, which training did not show; axes and regressor from `train`."""
        points, known = encoded(model, data, POINTS), encoded(model, train, len(train))
        axes, scales = principal_axes(known)
        regressor = None
        if data.labels.ndim == 2:
            regressor = learn(known, *of_labels(train.labels[: len(known)]), steps=steps)
        flat = points if points.shape[1] == 2 else tsne(points)
        places = flat / flat.abs().amax(0)
        labels = data.labels[: len(points)].to(torch.int16)
        return cls(points.half(), labels, places.half(), axes.half(), scales, regressor)

    def tensors(self) -> dict[str, Tensor]:
        """What a checkpoint keeps."""
        kept = {name: getattr(self, name) for name in TENSORS}
        if self.regressor is not None:
            kept |= {READER + name: value for name, value in self.regressor.state_dict().items()}
        return {PREFIX + name: value.clone() for name, value in kept.items()}

    @classmethod
    def kept(cls, extra: Mapping[str, Tensor]) -> Self:
        """From what a checkpoint kept. Raises KeyError where it kept none."""
        kept = {k.removeprefix(PREFIX): v.cpu() for k, v in extra.items() if k.startswith(PREFIX)}
        weights = {k.removeprefix(READER): kept.pop(k) for k in [*kept] if k.startswith(READER)}
        regressor = None
        if weights:
            regressor = TraitRegressor(kept["codes"].shape[1], len(weights["out.bias"]))
            regressor.load_state_dict(weights)
            regressor.requires_grad_(False).eval()
        return cls(*(kept[name] for name in TENSORS), regressor)

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
    with fast_math(model.device):
        return torch.cat([model.encode(data.pictures(r).to(model.device))[0].cpu() for r in rows])
