"""The VAE's tab: its sliders, its reconstructions and its walks, without a page."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
import torch
from PIL import Image

from conftest import answer_of
from core_fixtures import tiny
from demos.page.handlers import App
from demos.page.image_input import Pictures
from demos.tabs.vae.interpolate import timeline, walks
from demos.tabs.vae.reconstruct import error_map, reconstruct, table
from demos.tabs.vae.samples import MODEL
from demos.widgets.latent_sliders import Code, Decoder, drawn_code, parse_code
from gen_core import Noise
from gen_core.knobs import KnobError
from gen_core.latent.interpolation import spherical, straight
from gen_core.provenance.metadata import GENERATED, read_metadata
from gen_core.training.checkpoint import save

SIZES = {"vae-fashion": 4, "vae-fashion-2d": 2}


@pytest.fixture
def decoder(tmp_path, monkeypatch) -> Decoder:
    """What the sliders ask, with two untrained models."""
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
    for name, latent in SIZES.items():
        model = tiny("vae", latent=latent)
        model.influence.copy_(torch.linspace(0.2, 0.4, latent))
        save(model, tmp_path / f"{name}.safetensors", {"metrics": {}})
    return Decoder(App("cpu"), SIZES)


def test_old_links_and_the_api_still_name_the_model_by_its_file():
    assert MODEL.from_text("vae-fashion-2d") == "2 numbers"
    assert MODEL.check("vae-fashion-2d") == MODEL.check("2 numbers") == "vae-fashion-2d"


# --- the code as text -----------------------------------------------------------------------------


def test_a_code_survives_its_text():
    code = Code("vae-fashion-2d", (0.5, -1.25))
    assert str(code) == "vae-fashion-2d:0.5,-1.25"
    assert parse_code(str(code), SIZES) == code


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "takes a model, a colon"),
        (7, "takes a model, a colon"),
        ("vae-fashion", "takes a model, a colon"),
        ("gan-fashion:0,0", "model='gan-fashion': choose one of vae-fashion, vae-fashion-2d"),
        ("vae-fashion-2d:0", "code has 1 numbers: vae-fashion-2d takes 2"),
        ("vae-fashion-2d:0,nan", r"z\[1\]=nan: choose a number from -6 to 6"),
        ("vae-fashion-2d:7,0", r"z\[0\]=7: choose a number from -6 to 6"),
        ("vae-fashion-2d:,0", r"z\[0\]='': choose a number"),
        ("vae-fashion-2d:one,0", r"z\[0\]='one': choose a number"),
    ],
)
def test_what_is_no_code_gets_a_message(text, message):
    with pytest.raises(KnobError, match=message):
        parse_code(text, SIZES)


def test_a_drawn_code_is_what_its_seed_gives():
    drawn = torch.tensor(drawn_code("vae-fashion", 7, 16).z)
    assert (drawn - Noise([7]).randn(16)[0]).abs().max() <= 0.005 + 1e-6


# --- what the sliders ask -------------------------------------------------------------------------


def picture_in(url: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))))


def test_the_picture_is_the_models_own(decoder):
    answer = decoder.decode("vae-fashion:0.5,-1,0,2")
    with torch.inference_mode():
        x = decoder.app.model("vae-fashion").decode(torch.tensor([[0.5, -1, 0, 2]]))
    expected = ((x[0, 0] + 1) * 127.5).round().byte().numpy()
    assert np.array_equal(answer.picture, expected)
    assert answer.ms > 0


def test_dimensions_come_in_order_of_influence(decoder):
    about = decoder.describe("vae-fashion")
    assert about["order"] == [3, 2, 1, 0]
    assert about["influence"][3] == 1
    assert "map" not in about


def test_the_map_has_the_stronger_number_across_and_the_other_one_up(decoder):
    about = decoder.describe("vae-fashion-2d")
    assert about["order"] == [1, 0]
    whole = picture_in(about["map"])
    assert whole.shape == (15 * 28, 15 * 28)
    corner = decoder.decode("vae-fashion-2d:-3,3").picture  # right, bottom
    difference = whole[-28:, -28:].astype(int) - corner
    assert np.abs(difference).max() <= 1  # alone or in a batch


@pytest.mark.parametrize(
    ("question", "request_", "message"),
    [
        ("decode", "vae-fashion:0", "code has 1 numbers"),
        ("decode", None, "takes a model"),
        ("decode", {"z": [1]}, "takes a model"),
        ("describe", "judge", "model='judge': choose one of"),
        ("describe", None, "model=None: choose one of"),
        ("draw_code", {"model": "vae-fashion", "seed": 2.5}, "seed=2.5: choose a whole number"),
        ("draw_code", {"model": "vae-fashion", "seed": None}, "seed=None: choose a whole number"),
        ("draw_code", 3, "takes a model and a seed"),
    ],
)
def test_a_bad_question_gets_an_answer_and_no_exception(decoder, question, request_, message):
    served = decoder.app.serve(getattr(decoder, question))
    assert message in answer_of(served, request_)["error"]


def test_missing_weights_are_said(decoder, tmp_path):
    (tmp_path / "vae-fashion-2d.safetensors").unlink()
    answer = answer_of(decoder.app.serve(decoder.decode), "vae-fashion-2d:0,0")
    assert "no weights named 'vae-fashion-2d'" in answer["error"]


# --- reconstruction -------------------------------------------------------------------------------


def test_reconstruction_measures_what_it_shows():
    model = tiny("vae")
    x = torch.rand(3, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1
    shown = reconstruct(model, Pictures(x, "made up", ("", "", "")), seed=0)
    off = (shown.decoded.astype(float) - shown.picture) / 255
    assert shown.rmse == pytest.approx(np.sqrt((off**2).mean(axis=(1, 2))), abs=2 / 255)
    assert all(rate >= 0 for rate in shown.rate)
    with torch.inference_mode():
        distortion, _ = model.bound(x, torch.Generator().manual_seed(0))
    assert shown.distortion == pytest.approx(distortion.tolist(), abs=1e-3)


def test_the_error_map_tells_too_dark_from_too_bright():
    x = torch.zeros(1, 1, 1, 3)
    colours = error_map(x, torch.tensor([[[[0.0, 1.0, -1.0]]]]))[0, 0]
    assert colours.tolist() == [[255, 255, 255], [20, 80, 200], [190, 60, 0]]


def test_the_table_shows_origin_and_figures_and_no_markup_of_others():
    model = tiny("vae")
    made = reconstruct(model, Pictures(torch.zeros(1, 1, 28, 28), "<b>", ("<i>",)), seed=0)
    html = table(made, "live")
    assert "&lt;b&gt; · live" in html and "<b>" not in html and "<i>x" not in html
    assert html.count("<img") == 3
    assert f"{made.distortion[0] + made.rate[0]:.1f}".replace("-", "−") in html


def test_the_saved_table_says_which_model_drew_it():
    made = reconstruct(tiny("vae"), Pictures(torch.zeros(1, 1, 28, 28), "mine", ("",)), seed=0)
    href = re.search(r'href="data:image/png;base64,([^"]+)"', table(made, "live"))
    with Image.open(io.BytesIO(base64.b64decode(href[1]))) as picture:
        said = read_metadata(picture.info)
    assert said["model"] == "vae-fashion" and said["source"] == GENERATED


# --- interpolation --------------------------------------------------------------------------------


def test_both_paths_run_from_end_to_end():
    a, b = torch.randn(2, 16, generator=torch.Generator().manual_seed(0))
    t = torch.linspace(0, 1, 5)
    for path in (straight, spherical):
        walk = path(a, b, t)
        assert torch.allclose(walk[0], a, atol=1e-5)
        assert torch.allclose(walk[-1], b, atol=1e-5)


def test_the_arc_keeps_length_and_pace_where_the_line_cuts_through():
    a, b = torch.tensor([3.0, 0, 0]), torch.tensor([0, 3.0, 0])
    t = torch.linspace(0, 1, 5)
    arc = spherical(a, b, t)
    assert torch.allclose(arc.norm(dim=1), torch.full((5,), 3.0))
    angles = torch.atan2(arc[:, 1], arc[:, 0])
    assert torch.allclose(angles, t * torch.pi / 2, atol=1e-5)
    assert straight(a, b, t)[2].norm() == pytest.approx(3 / 2**0.5)


@pytest.mark.parametrize("b", [[-3.0, 0], [6.0, 0], [0.0, 0]])
def test_where_no_arc_is_defined_the_line_stands_in(b):
    a, b, t = torch.tensor([3.0, 0]), torch.tensor(b), torch.linspace(0, 1, 3)
    assert torch.equal(spherical(a, b, t), straight(a, b, t))


def test_a_walk_becomes_a_timeline_with_two_lanes_and_a_chart():
    model = tiny("vae")
    z_a, z_b = Noise([0, 1]).randn(4)
    walked = walks(model, z_a, z_b, 7) | {"ends": ("a boot", "a bag")}
    value = timeline(walked, "a cpu", live=True, file="a-walk")
    assert [lane.title for lane in value.lanes] == ["Straight", "Spherical"]
    assert (value.steps[0], value.total) == (1, 7)
    assert value.curves[0]["series"][0]["points"][0] == [0, walked["lengths"]["Straight"][0]]
