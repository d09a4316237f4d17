"""As test_cuda_contract, of the parts of text to image and of the loop that draws with them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch
from torch import Tensor

from gen_core import Noise
from gen_core.data.emoji import STYLES, Emoji, concepts
from gen_core.evaluation.pictures import laplacian_variance
from gen_core.evaluation.prompt_accuracy import answers, prompts
from gen_core.families.text_to_image import TextToImage, batches
from gen_core.families.text_to_image.clip_score import ClipScorer
from gen_core.families.text_to_image.folder import assembled
from gen_core.families.text_to_image.pipeline import SCHEDULERS, Start
from gen_core.families.text_to_image.search import Item, Search
from gen_core.families.text_to_image.tokens import learned
from gen_core.training.train import Trainer
from paper_gpu import PaperGPU, paper_gpu

TOKENIZER = learned(["a cat left of a dog, on a red background"] * 50)

pytestmark = pytest.mark.heavy


@pytest.fixture
def gpu() -> Iterator[PaperGPU]:
    with paper_gpu() as gpu:
        yield gpu


def part(name: str) -> Any:
    kind = TextToImage.parts[name]
    size = {"vocabulary": len(TOKENIZER)} if name in ("clip", "words") else {}
    return kind(dataclasses.replace(kind.tiny(), **size)).to("cuda")


def plain_emoji() -> Emoji:
    """All that there are, as grey squares: what is on a picture does not matter here."""
    items = [{"code": c.code, "style": s, "name": c.name} for c in concepts() for s in STYLES]
    return Emoji(np.full((len(items), 64, 64, 4), 128, np.uint8), tuple(items))


def batch_for(name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """As `training` makes them, each in its own way."""
    emoji = plain_emoji()
    scenes = batches.SceneBatches(emoji, TOKENIZER, 4, 0)
    if name == "judge":
        return batches.ClassifierBatches(emoji, 4, 0)[0]
    if name == "autoencoder":
        return batches.WindowBatches(emoji, 4, 0)[0]
    if name == "clip":
        return scenes[0]
    if name == "words":  # sketches of captions, made on the CPU
        return torch.randn(4, TextToImage.parts["words"].tiny().width), scenes[0][1]
    helpers = part("autoencoder").net, part("words").net
    if name == "denoiser":
        return batches.LatentBatches(scenes, *helpers)[0]
    assert name == "decoder"
    return batches.GuessBatches(scenes, *helpers, part("denoiser"))[0]


@pytest.mark.parametrize("name", TextToImage.parts)
def test_each_part_trains_on_the_gpu(gpu, name):
    trainer = Trainer(part(name).train(), steps=8, seed=0, ema=0.9, warmup=1)
    batch = batch_for(name)
    if name == "denoiser":  # diffusers moves its schedule once, in the first update
        trainer.model.schedule.add_noise(
            *[torch.zeros(1, device="cuda")] * 2, torch.zeros(1).long()
        )
    gpu.asked.clear()
    gpu.sent.clear()
    losses = trainer.update(*batch)
    assert {value.device.type for value in losses.values()} == {"cuda"}
    assert gpu.asked == gpu.sent == []


class Through(torch.nn.Module):
    """In place of the denoiser, which is asked elsewhere, where samplers are asked."""

    def forward(self, x: Tensor, t: Tensor, words: Tensor) -> SimpleNamespace:
        assert {x.device.type, t.device.type, words.device.type} == {"cuda"}
        return SimpleNamespace(sample=0.5 * x)


@pytest.fixture
def sampled(model) -> Iterator[tuple[PaperGPU, TextToImage]]:
    with mock.patch.object(model[1], "unet", Through()):
        yield model


@pytest.fixture(scope="module")
def model() -> Iterator[tuple[PaperGPU, TextToImage]]:
    with paper_gpu() as gpu:
        parts = (part(name).net for name in ("decoder", "words", "denoiser"))
        yield gpu, TextToImage(TextToImage.tiny(), assembled(*parts, TOKENIZER))


SENDING = {"unipc", "euler-ancestral"}
"""What these send in each step: the first small matrices, in diffusers, the second fresh noise."""


@pytest.mark.parametrize("solver", SCHEDULERS)
def test_each_solver_draws_on_the_gpu(sampled, solver):
    gpu, model = sampled
    gpu.asked.clear()
    frames = model.sample(Noise([1, 2]), prompt=["a cat", "a dog"], steps=3, solver=solver)
    for frame in frames:
        parts = (frame.x, frame.x0, frame.out)
        assert {part.device.type for part in parts if part is not None} == {"cuda"}
        if frame.step == 0:
            gpu.sent.clear()  # so far the words, the noise and the times
    assert gpu.asked == []
    assert gpu.sent == [] or solver in SENDING


@pytest.mark.parametrize("solver", SCHEDULERS)
def test_a_picture_may_be_started_from_on_the_gpu(sampled, solver):
    gpu, model = sampled
    gpu.asked.clear()
    start = Start(torch.zeros(1, 3, 64, 64), 0.5, torch.zeros(1, 1, 64, 64))
    for frame in model.sample(Noise([1]), steps=4, guidance_scale=1.0, solver=solver, start=start):
        assert frame.x.device.type == "cuda"
    assert gpu.asked == []


def test_the_network_is_asked_on_the_gpu_and_where_words_looked_comes_to_the_cpu(model):
    gpu, model = model
    gpu.asked.clear()
    last = list(model.sample(Noise([1]), prompt="a cat", steps=1))[-1]
    assert gpu.asked == [] and last.x.device.type == "cuda" and last.x.shape == (1, 3, 64, 64)
    first = next(model.sample(Noise([1]), prompt="a cat", steps=1, attention=True))
    assert first.heat.shape == (1, 32, 8, 8) and first.heat.device.type == "cpu"


def test_fit_search_and_what_is_right_are_measured_from_the_gpu(gpu):
    """All of it is asked for once, when the pictures are there."""
    matcher = ClipScorer(part("clip").net, TOKENIZER)
    judge, asked = part("judge"), prompts()
    alone = next(a.scene for a in asked if not a.scene.relation)
    pair = next(a.scene for a in asked if a.scene.relation)
    for place in ("cpu", "cuda"):
        x = torch.zeros(2, 3, 64, 64, device=place)
        assert matcher.score(x, ["a cat", "a dog"]).device.type == "cpu"
        assert matcher.scores(x, ["a cat"]).shape == (2, 1)
        assert laplacian_variance(x).device == x.device
    found = Search(
        matcher, torch.randn(3, TextToImage.parts["clip"].tiny().shared), [Item("1", "a", "b")] * 3
    )
    assert len(found.nearest("a cat", 2)) == 2
    first, second = answers(judge, x, [alone, pair])
    assert {"concept", "style"} <= first.keys() and {"relation", "both"} <= second.keys()
