"""The small Stable Diffusion that the project ships: what anyone gets who opens it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from demos.figures import pixels
from gen_core import Noise, final
from gen_core.checkpoint import weights_folder
from gen_core.text_to_image.card import NAME
from gen_core.text_to_image.pipeline import open_pipeline

FOLDER = weights_folder() / NAME
OPEN = """
import sys, numpy, torch
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained(sys.argv[1])
assert "gen_core" not in sys.modules
noise = torch.from_numpy(numpy.load(sys.argv[2]))
picture = pipe("a panda, on a teal background", latents=noise, num_inference_steps=20,
               guidance_scale=5.0).images[0]
picture.save(sys.argv[3])
"""


@pytest.fixture(scope="module")
def model():
    return open_pipeline(device="cpu")


def test_it_is_small_and_no_file_is_large():
    sizes = [path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()]
    assert sum(sizes) < 90_000_000 and max(sizes) < 10_000_000


def test_anyone_draws_the_same_with_the_library_alone(model, tmp_path):
    noise = Noise([7])
    np.save(tmp_path / "noise.npy", noise.randn(4, 16, 16).numpy())
    answer = subprocess.run(
        [sys.executable, "-c", OPEN, str(FOLDER), "noise.npy", "picture.png"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    theirs = np.asarray(Image.open(tmp_path / "picture.png")).astype(int)
    drawn = model.sample(Noise([7]), prompt="a panda, on a teal background")
    assert abs(theirs - pixels(model.decode(final(drawn)))[0]).max() <= 2
