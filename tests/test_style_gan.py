"""The style-based generator: each layer has a style of its own, and unit variance is kept."""

import pytest
import torch
from torch.nn import functional as F

from core_fixtures import tiny
from gen_core import Noise
from gen_core.families.style_gan import MIXED
from gen_core.nets.style import StyledConv


def test_weighing_input_and_output_is_changing_the_weights_of_each_picture():
    """Karras et al. 2020, eq. 1 and 3, with weights made for each picture."""
    torch.manual_seed(0)
    conv = StyledConv(6, 5, 4)
    x, w = torch.randn(3, 6, 8, 8), torch.randn(3, 4)
    style = conv.style(w)
    expected = []
    for row in range(3):
        weight = conv.weight * style[row][None, :, None, None]
        weight = weight * (weight.square().sum((1, 2, 3), keepdim=True) / 2).rsqrt()
        expected.append(F.leaky_relu(F.conv2d(x[row : row + 1], weight, padding=1), 0.2))
    torch.testing.assert_close(conv(x, w), torch.cat(expected), atol=1e-4, rtol=1e-4)


def test_layers_keep_the_variance_and_grain_comes_in_when_it_is_learned():
    torch.manual_seed(0)
    conv = StyledConv(64, 64, 16)
    x, w = torch.randn(8, 64, 16, 16), torch.randn(8, 16)
    out = conv(x, w)[:, :, 1:-1, 1:-1]
    assert float(out.square().mean().detach()) == pytest.approx(1.04, abs=0.1)
    grain = torch.randn(8, 1, 16, 16)
    assert torch.equal(conv(x, w, grain), conv(x, w)), "it begins without"
    torch.nn.init.ones_(conv.grain)
    assert not torch.allclose(conv(x, w, grain), conv(x, w))


def test_early_styles_set_the_whole_late_ones_the_finish():
    generator = tiny("style-gan").generator
    assert generator.sides == [4, 8, 8, 16, 16] and generator.layers == 5
    with torch.no_grad():
        one, other = generator.style(torch.randn(2, 8, generator=torch.manual_seed(1)))
        w = one.expand(1, generator.layers, -1).clone()
        assert torch.allclose(generator.paint(w), generator.paint(one[None]), atol=1e-6)
        for layer in range(generator.layers):
            mixed = w.clone()
            mixed[:, layer] = other
            assert not torch.allclose(generator.paint(mixed), generator.paint(w), atol=1e-4), layer


def test_half_of_training_mixes_two_codes():
    model, rows = tiny("style-gan"), []
    model.generator.colour = lambda w, grain: rows.append(w) or w
    model.fakes(torch.zeros(2000, dtype=torch.int64), torch.Generator().manual_seed(0))
    (w,) = rows
    mixed = (w != w[:, :1]).any((1, 2)).double().mean()
    assert float(mixed) == pytest.approx(MIXED, abs=0.05)


def test_pictures_are_bounded_but_training_sees_how_far_beyond_the_bounds_they_are():
    model = tiny("style-gan")
    bias = model.generator.colours[-1].bias
    with torch.no_grad():
        bias += 3
        assert float(model.generate(Noise([0, 1]).randn(8)).max()) == 1
    seen = model.fakes(torch.zeros(4, dtype=torch.int64), torch.Generator().manual_seed(0))
    assert float(seen.detach().mean()) > 1.5
    (slope,) = torch.autograd.grad(seen.sum(), [bias])
    assert float(slope.min()) > 0  # the way back


def test_truncation_at_zero_is_the_mean_style_for_every_seed():
    model = tiny("style-gan")
    model.settle(torch.zeros(1), torch.zeros(1))
    z = Noise([0, 1]).randn(8)
    flat = model.styles(z, 0.0)
    assert torch.allclose(flat[0], flat[1]) and torch.allclose(flat[0], model.generator.mean_style)
    torch.testing.assert_close(model.styles(z), model.generator.style(z))


def test_both_sides_of_the_game_compare_a_forgery_with_a_real_picture():
    model = tiny("style-gan")
    x, label = torch.rand(4, 3, 16, 16) * 2 - 1, torch.zeros(4, dtype=torch.int64)
    fake = model.fakes(label, torch.manual_seed(5)).detach()
    with torch.no_grad():
        lead = model.critic(x) - model.critic(fake)
    caught = model.critic_loss(x, label, torch.manual_seed(5))
    fooled = model.generator_loss(x, label, torch.manual_seed(5))
    assert caught["loss"].item() == pytest.approx(-F.logsigmoid(lead).mean().item(), rel=1e-4)
    assert fooled["loss"].item() == pytest.approx(-F.logsigmoid(-lead).mean().item(), rel=1e-4)
    assert caught["accuracy"].item() == (lead > 0).float().mean().item()


def test_the_discriminator_is_penalised_at_real_pictures_and_at_forgeries():
    model = tiny("style-gan", r1=3.0)
    x, label = torch.rand(4, 3, 16, 16) * 2 - 1, torch.zeros(4, dtype=torch.int64)
    fake = model.fakes(label, torch.manual_seed(5)).detach()
    expected = 1.5 * (model.slope(x, label) + model.slope(fake, label)).item()
    penalty = model.penalty(x, label, torch.manual_seed(5)).item()
    assert penalty == pytest.approx(expected, rel=1e-4) and expected > 0
