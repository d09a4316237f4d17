"""A network draws what its config says, or says what it cannot."""

from __future__ import annotations

import dataclasses
import re

import pytest
import torch

from core_fixtures import tiny
from gen_core import Noise, final
from gen_core.families.gan import GAN, GANConfig
from gen_core.family import registry
from gen_core.nets.adversarial import Discriminator
from gen_core.training import checkpoint


@pytest.mark.parametrize(
    ("family", "changes", "said"),
    [
        ("gan", {"size": 30}, "size=30: choose a multiple of 4, because"),
        ("gan", {"size": 2}, "size=2: choose a multiple of 4, because"),
        ("gan", {"widths": (64, 48, 24, 24)}, "widths=(64, 48, 24, 24): takes three"),
        ("gan", {"widths": (64, 48)}, "widths=(64, 48): takes three"),
        ("gan", {"widths": (64, 40, 33)}, "width=33: choose a multiple of 16"),
        ("gan", {"projection": "product"}, "projection='product': choose sum or mean"),
        ("diffusion", {"size": 30, "patch": 4}, "size=30: choose a multiple of 8, because patch=4"),
        (
            "diffusion",
            {"size": 30},
            "size=30: choose a multiple of 4, because patch=2 and 2 widths",
        ),
        ("flow", {"size": 28, "widths": (16, 32, 32, 32)}, "size=28: choose a multiple of 16"),
        ("flow", {"patch": 0}, "patch=0: choose a whole number from 1 to 64"),
        ("flow", {"widths": ()}, "widths=(): takes a tuple of 1 to 12 whole numbers"),
        ("diffusion", {"widths": (16, 112)}, "width=112: choose a multiple of 32"),
        ("diffusion", {"widths": (50, 64)}, "width=50: choose a multiple of 16"),
        ("vae", {"size": 30}, "size=30: choose a multiple of 4, because 2 levels"),
        ("style-gan", {"size": 28}, "size=28: 3 widths reach from 4 to 16 pixels"),
        ("style-gan", {"widths": (16, 16)}, "size=16: 2 widths reach from 4 to 8 pixels"),
        ("style-gan", {"discriminator_widths": (16,)}, "1 discriminator_widths reach from 4 to 8"),
        ("judge", {"widths": (8, 33)}, "width=33: choose a multiple of 16"),
    ],
)
def test_a_config_that_cannot_be_drawn_is_an_error(family, changes, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        tiny(family, **changes)


@pytest.mark.parametrize(
    ("family", "changes"),
    [
        ("gan", {"size": 32}),
        ("gan", {"channels": 3, "size": 20, "widths": (40, 16, 20)}),
        ("diffusion", {"size": 30, "patch": 1}),
        ("diffusion", {"size": 24, "patch": 4, "widths": (16,)}),
        ("flow", {"size": 32, "widths": (16, 16, 48), "blocks": 2}),
        ("flow", {"classes": 0}),
        ("vae", {"size": 24, "widths": (16, 16, 16)}),
        ("style-gan", {"size": 8, "widths": (16, 16), "discriminator_widths": (16,)}),
    ],
)
def test_a_config_draws_and_trains_at_the_size_that_it_says(family, changes):
    model = tiny(family, **changes)
    config, shape = model.config, (model.config.channels, model.config.size, model.config.size)
    stepwise = {"steps": 2} if any(knob.name == "steps" for knob in model.every_knob) else {}
    x = final(model.sample(Noise([1, 2]), **stepwise))
    assert x.shape == (2, *shape) and model.event.shape == shape
    asked = model.condition.balanced([0, 1])
    label = torch.zeros(2).long() if asked is None else model.condition.encode(asked, 2)
    rng = torch.Generator().manual_seed(0)
    for phase in model.phases():
        assert phase.loss(torch.rand(2, *shape) * 2 - 1, label, rng)["loss"].isfinite()
    assert dataclasses.replace(config) == config


# --- the projection discriminator -----------------------------------------------------------------


def projected(discriminator: Discriminator, x: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    """What the label adds to the logit."""
    kept, discriminator.label = discriminator.label, None
    without = discriminator(x, label)
    discriminator.label = kept
    return discriminator(x, label) - without


def test_the_discriminator_s_label_is_an_inner_product_with_its_features():
    """Miyato & Koyama 2018, eq. 3: y^T V phi(x), and not its mean over the features."""
    torch.manual_seed(0)
    discriminator = Discriminator(1, 8, 8, classes=3)
    seen = []
    discriminator.out.register_forward_pre_hook(lambda layer, inputs: seen.append(inputs[0]))
    x, label = torch.randn(4, 1, 8, 8), torch.tensor([0, 1, 2, 0])
    with torch.no_grad():
        added = projected(discriminator, x, label)
        expected = (discriminator.label.weight[label] * seen[0]).sum(1)
        assert torch.allclose(added, expected, atol=1e-5) and added.abs().min() > 0
        mean = Discriminator(1, 8, 8, classes=3, projection="mean")
        mean.load_state_dict(discriminator.state_dict())
        assert torch.allclose(projected(mean, x, label), expected / 16, atol=1e-5)


def test_older_checkpoints_keep_the_mean_that_they_were_trained_with(tmp_path):
    assert GANConfig().projection == "sum"
    model = tiny("gan")
    place = tmp_path / "old.safetensors"
    checkpoint.save(model, place, {"metrics": {}})
    tensors, card = checkpoint.read("old", tmp_path)
    del card["config"]["projection"]
    checkpoint._write(place, tensors, None, card)
    assert checkpoint.load("old", "cpu", tmp_path).config.projection == "mean"
    checkpoint.save(model, place, {"metrics": {}})
    assert checkpoint.load("old", "cpu", tmp_path).config.projection == "sum"
    assert issubclass(registry.classes["style-gan"], GAN)
