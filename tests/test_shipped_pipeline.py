"""The small Stable Diffusion that the project ships: what anyone gets who opens it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import expect

from conftest import ROOT, dragged
from demos.tabs import text_to_image
from gen_core import Noise, final, load
from gen_core.evaluation import prompt_accuracy
from gen_core.evaluation.report import markdown_prompt_accuracy
from gen_core.families.text_to_image import TextToImage
from gen_core.families.text_to_image.folder import NAME, classifier_of, measured
from gen_core.sampling import pixels
from gen_core.training import checkpoint
from gen_core.training.checkpoint import weights_folder
from serving import page_of

FOLDER = weights_folder() / NAME
OPEN = """
import sys, numpy, torch
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained(sys.argv[1])
assert "gen_core" not in sys.modules
noise = torch.from_numpy(numpy.load(sys.argv[2]))
picture = pipe("a panda, on a teal background", latents=noise, num_inference_steps=20,
               guidance_scale=3.0).images[0]
picture.save(sys.argv[3])
"""


@pytest.fixture(scope="module")
def model():
    return load(NAME, "cpu")


def test_it_is_small_and_no_file_is_large():
    sizes = [path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()]
    assert sum(sizes) < 90_000_000 and max(sizes) < 10_000_000


@pytest.mark.slow
@pytest.mark.heavy
def test_anyone_draws_the_same_with_the_library_alone(model, tmp_path):
    noise = Noise([7])
    np.save(tmp_path / "noise.npy", noise.randn(4, 16, 16).numpy())
    answer = subprocess.run(
        [sys.executable, "-c", OPEN, str(FOLDER), "noise.npy", "picture.png"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    theirs = np.asarray(Image.open(tmp_path / "picture.png")).astype(int)
    drawn = model.sample(Noise([7]), prompt="a panda, on a teal background")
    assert abs(theirs - pixels(final(drawn))[0]).max() <= 2


def test_its_card_tells_of_every_part_and_every_figure():
    assert checkpoint.card(NAME)["parts"].keys() == TextToImage.parts.keys()
    assert measured(FOLDER).keys() == {"metrics", "guidance", "sharpness"}
    page = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    assert markdown_prompt_accuracy(measured(FOLDER)["metrics"]["shares"]) in page


@pytest.mark.slow
def test_it_is_right_about_as_often_as_measured(model):
    judge = classifier_of(FOLDER)
    shares = measured(FOLDER)["metrics"]["shares"]["model"]["seen"]
    asked = [a for a in prompt_accuracy.prompts() if not a.held_out and not a.scene.relation][::3]
    with torch.inference_mode():
        right = [
            answer
            for some, x in prompt_accuracy.drawn(model, asked, range(len(asked)))
            for answer in prompt_accuracy.answers(judge, x, [a.scene for a in some])
        ]
    assert len(right) == 50
    for question in ("background", "style", "concept"):
        share = np.mean([answer[question] for answer in right])
        assert abs(share - shares[question]) < 0.2, question


def canvas(panel: str) -> str:
    """JavaScript: the last lane of a panel's timeline, as it is seen."""
    return (
        f"[...document.querySelectorAll('#text-to-image-{panel} .timeline-lane canvas')].at(-1)"
        ".toDataURL()"
    )


@pytest.fixture(scope="module")
def address():
    with page_of(text_to_image.TAB) as address:
        yield address


@pytest.mark.slow
@pytest.mark.browser
def test_type_generate_scrub_and_hover_a_word(visit, address):
    page, guess = visit(address), canvas("generate").replace(".at(-1)", ".at(1)")
    page.locator("#text-to-image-generate-prompt textarea").fill("a red panda, on teal")
    page.get_by_role("button", name="Generate", exact=True).click()
    body = page.locator("#text-to-image-generate")
    expect(body.locator(".card-live")).to_be_visible(timeout=60_000)
    step = body.locator(".timeline-step")
    expect(step).to_have_text("step 20 / 20", timeout=60_000)
    word = body.locator(".timeline-words button", has_text="panda")
    expect(word).to_be_visible()
    plain = page.evaluate(guess)
    word.hover()
    page.wait_for_function(f"before => {guess} !== before", arg=plain)
    page.mouse.move(0, 0)
    page.wait_for_function(f"before => {guess} === before", arg=plain)
    body.locator(".timeline-track").press("Home")
    expect(step).to_have_text("step 0 / 20")
    assert page.evaluate(guess) != plain


@pytest.mark.slow
@pytest.mark.browser
def test_paint_over_a_picture_and_it_is_drawn_anew(visit, address):
    page = visit(f"{address}?tab=text-to-image&panel=start&start.seed=5")
    again = page.get_by_role("button", name="Redraw")
    again.click()
    body = page.locator("#text-to-image-start")
    expect(body.locator(".card-live")).to_be_visible(timeout=60_000)
    expect(body.locator(".timeline-step")).to_have_text("step 12 / 12", timeout=60_000)
    whole = page.evaluate(canvas("start"))
    dragged(page, page.locator("#text-to-image-start-mask"), (0.75, 0.1), (0.75, 0.9))
    again.click()
    page.wait_for_function(f"before => {canvas('start')} !== before", arg=whole)
    expect(body.locator(".timeline-step")).to_have_text("step 12 / 12", timeout=60_000)
    expect(page.get_by_test_id("toast-body")).to_have_count(0)
