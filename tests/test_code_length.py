"""How many bits a picture costs: by hand, against what is known, and where they go."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
import torch
from PIL import Image

from core_fixtures import tiny
from gen_core.evaluation.code_length import REGIONS, CodeLength, code_length, png_bits, regions
from pixel_fixtures import PIXELS, opinionated


def garment() -> torch.Tensor:
    """(1, 28, 28): a grey square on black, with a bright dot within."""
    x = torch.full((1, 28, 28), -1.0)
    x[:, 8:20, 8:20] = 0.2
    x[:, 14, 14] = 1.0
    return (x * 127.5 + 127.5).round() / 127.5 - 1


def test_a_network_that_knows_nothing_takes_eight_bits_a_pixel():
    model = tiny("pixel-cnn", size=28)
    torch.nn.init.zeros_(model.net.head[-1].weight)
    torch.nn.init.zeros_(model.net.head[-1].bias)
    length = code_length(model, garment())
    assert length.per_pixel == pytest.approx(8, abs=1e-5) and length.shared == 0
    assert torch.allclose(length.by_pixel, torch.full((28, 28), 8.0), atol=1e-5)


def test_the_bits_of_all_pixels_are_those_of_the_picture():
    model, x = opinionated(), garment()
    length = code_length(model, x)
    whole = -float(model.log_prob(x[None])) / math.log(2)
    assert float(length.by_pixel.sum()) == pytest.approx(whole, rel=1e-5)
    assert sum(length.of_regions(x).values()) == pytest.approx(whole, rel=1e-5)
    assert length.per_pixel == pytest.approx(whole / PIXELS, rel=1e-5)


def test_a_bound_is_never_below_what_the_picture_costs():
    """A decoder that knows nothing of its code is a Gaussian at every pixel, whose integral over a
    level is known."""
    vae = tiny("vae")
    with torch.no_grad():
        for weight in vae.decoder.parameters():
            weight.zero_()
        vae.log_sigma.fill_(math.log(0.4))
    x = garment()
    mean = vae.decode(torch.zeros(1, vae.config.latent))[0].detach().double()
    normal = torch.distributions.Normal(mean, 0.4)
    half = 1 / 255
    p = normal.cdf(x.double() + half) - normal.cdf(x.double() - half)
    true = -p.log2().sum()
    bound = code_length(vae, x, torch.Generator().manual_seed(0))
    assert bound.shared >= 0
    assert float(bound.by_pixel.sum()) == pytest.approx(float(true), rel=1e-3)
    assert float(bound.by_pixel.sum()) > float(true) - 0.5  # of its 32 random places
    narrow = CodeLength(bound.by_pixel, shared=784.0)
    assert narrow.per_pixel == pytest.approx(CodeLength(bound.by_pixel).per_pixel + 1, rel=1e-6)


def test_the_same_noise_gives_the_same_bound():
    vae, x = tiny("vae"), garment()
    one, again = (code_length(vae, x, torch.Generator().manual_seed(3)) for _ in range(2))
    assert one.per_pixel == again.per_pixel


def test_each_pixel_belongs_to_one_region():
    which = regions(garment())
    names = np.array(REGIONS)[which.numpy()]
    assert names[0, 0] == names[6, 6] == "background"
    assert names[8, 8] == names[7, 12] == "edges"  # both sides of the square's edge
    assert names[10, 10] == "inside" and names[14, 14] == names[13, 13] == "edges"
    black = regions(torch.full((1, 28, 28), -1.0))
    assert (black == REGIONS.index("background")).all()


def test_a_png_has_so_many_bits_as_its_file():
    x = garment()
    levels = ((x + 1) * 127.5).round().byte()[0].numpy()
    file = io.BytesIO()
    Image.fromarray(levels).save(file, "PNG", optimize=True)
    assert png_bits(x) == 8 * len(file.getvalue())
    noise = torch.randint(256, (1, 28, 28), generator=torch.Generator().manual_seed(0))
    assert png_bits(noise / 127.5 - 1) > 8 * PIXELS > png_bits(x)
