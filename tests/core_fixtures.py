"""What the tests of gen_core share: tiny models, a made-up data set, exact denoisers."""

from __future__ import annotations

import dataclasses
import functools
import gzip
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from gen_core.conditions import Attributes, CompleteAttributes
from gen_core.data import SCHEMAS, Batches, DataSet, ImageSet
from gen_core.data.avatars import Avatar, avatars
from gen_core.data.avatars.schema import attribute_labels
from gen_core.family import Family, Tokens, Trainable, registry
from gen_core.solvers import NoiseSchedule, Prediction
from gen_core.training.train import BatchSource

GENERATIVE = sorted(name for name, kind in registry.classes.items() if issubclass(kind, Family))
TRAINED = sorted(name for name, kind in registry.classes.items() if not kind.parts)
"""All that are trained as a whole and kept in one file: a family of parts has none of its own."""

ATTRIBUTES = Attributes(SCHEMAS["avatars"])
complete_attributes = CompleteAttributes(SCHEMAS["avatars"]).complete


def tiny(family: str, seed: int = 0, **changes) -> Trainable:
    """An untrained model of a family whose answers are not zero, in eval mode."""
    kind = registry.classes[family]
    torch.manual_seed(seed)
    model = kind(dataclasses.replace(kind.tiny(), **changes))
    for parameter in model.parameters():
        if not parameter.any():  # layers that start at zero would hide what the rest says
            torch.nn.init.normal_(parameter, std=0.1)
    return model.eval()


def striped(count: int = 64, seed: int = 0, size: int = 28) -> ImageSet:
    """Pictures (count, 1, size, size) of stripes: five widths, across (even classes) or down."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 10
    images = rng.integers(0, 40, (count, 1, size, size), dtype=np.uint8)
    across = [np.arange(size)[:, None] // width % 2 for width in (1, 2, 4, 7, 14)]
    stripes = [kind for width in across for kind in (width, width.T)]
    for image, label in zip(images, labels, strict=True):
        image[0] += (200 * stripes[label]).astype(np.uint8)
    names = tuple("0123456789")
    return ImageSet("fashion", torch.from_numpy(images), torch.from_numpy(labels), names)


_drawn = functools.cache(lambda seed, size: avatars([seed], size))


def avatars_once(seeds: Sequence[int], size: int = 64) -> tuple[torch.Tensor, list[Avatar]]:
    """What `avatars` returns, but nobody is drawn twice: a portrait takes 30 ms."""
    drawn = [_drawn(seed, size) for seed in seeds]
    return torch.cat([x for x, _ in drawn]), [person for _, (person,) in drawn]


def portraits(count: int = 64, size: int = 28) -> ImageSet:
    """Small portraits, with what is known of them."""
    images, people = avatars_once(range(count), size)
    return ImageSet("avatars", images, attribute_labels(people), ())


@dataclasses.dataclass(frozen=True)
class RandomTokens:
    """Tokens without any rule."""

    event: Tokens
    count: int

    def __len__(self) -> int:
        return self.count

    def batch(self, indices: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        tokens = (indices[:, None] * torch.arange(3, 3 + self.event.length)) % 101
        return tokens % self.event.vocabulary, torch.zeros_like(indices)


def examples(model: Trainable, count: int = 64) -> DataSet:
    """Something for a model to train on."""
    if isinstance(getattr(model, "event", None), Tokens):
        return RandomTokens(model.event, count)
    if isinstance(getattr(model, "condition", None), Attributes):
        return portraits(count, model.event.height)
    if getattr(model.config, "channels", 1) == 3:
        return portraits(count, getattr(model.config, "size", 28))
    return striped(count, size=getattr(getattr(model, "event", None), "height", 28))


def batches(family: str, size: int = 16) -> BatchSource:
    """Endless batches of such examples; for the parts of a model, of what the parts before make."""
    if not family.startswith("text-to-image/"):
        return Batches(examples(tiny(family)), size, 0)
    return PartBatches(family.removeprefix("text-to-image/"), min(size, 4))


@dataclasses.dataclass(frozen=True)
class PartBatches:
    part: str
    size: int

    def __getitem__(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        rng = torch.Generator().manual_seed(step)
        pictures, latents = (torch.rand(self.size, *s, generator=rng) * 2 - 1 for s in SHAPES)
        tokens = torch.randint(512, (self.size, 32), generator=rng)
        tokens[:, 20:] = 513  # the end marker, which fills the rest
        words = torch.randn(self.size, 32, 32, generator=rng)
        answers = torch.randint(4, (self.size, 4), generator=rng) % 2
        return {
            "autoencoder": (pictures, torch.empty(self.size, 0)),
            "words": (words[:, 0], tokens),
            "clip": (pictures, tokens),
            "denoiser": (latents, words),
            "decoder": (pictures, latents),
            "judge": (pictures, answers),
        }[self.part]


SHAPES = (3, 64, 64), (4, 16, 16)


def write_idx(path: Path, values: np.ndarray) -> None:
    """Writes unsigned bytes as a gzipped idx file."""
    head = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}i", *values.shape)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(head + values.astype(np.uint8).tobytes()))


def write_fashion(root: Path, train: int = 128, test: int = 64) -> dict[str, ImageSet]:
    """Lays a made-up Fashion-MNIST under root as torchvision would, and returns what it holds."""
    sets = {"train": striped(train, seed=1), "test": striped(test, seed=2)}
    for prefix, data in (("train", sets["train"]), ("t10k", sets["test"])):
        raw = root / "FashionMNIST" / "raw"
        write_idx(raw / f"{prefix}-images-idx3-ubyte.gz", data.images[:, 0].numpy())
        write_idx(raw / f"{prefix}-labels-idx1-ubyte.gz", data.labels.numpy())
    return sets


def exact(distribution, schedule: NoiseSchedule):
    """predict(x_t, t) for a toy whose best denoiser is known: a network without any error."""

    def predict(x_t: torch.Tensor, t: float) -> Prediction:
        signal, spread = schedule.scales_at(t)
        x0 = distribution.denoise(x_t / signal, spread / signal)
        return Prediction(x0, (x_t - signal * x0) / spread)

    return predict
