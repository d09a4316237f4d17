"""The Start from a picture panel: what it keeps, what it draws anew, what it refuses."""

from __future__ import annotations

import base64
import io
import json
import textwrap
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from gradio_client import Client, handle_file
from PIL import Image
from playwright.sync_api import expect
from torch.nn import functional as F

from conftest import dragged
from demos.page.handlers import App
from demos.page.picture_files import mask_url, prepare_colour, prepare_mask
from demos.tabs import text_to_image
from demos.tabs.text_to_image import start
from demos.tabs.text_to_image.start import BY_MODEL, DRAWING, SCENE, UPLOAD, StartInput
from emoji_fixtures import drawn_emoji
from gen_core import Noise, final
from gen_core.families.text_to_image import TextToImage
from gen_core.families.text_to_image.pipeline import SCHEDULERS, Start
from gen_core.knobs import KnobError
from gen_core.sampling import pixels
from sampling_fixtures import defaults, frames_of, picture
from serving import page_of

HALF = torch.zeros(1, 1, 64, 64)
HALF[..., 32:] = 1


@pytest.fixture
def app(weights, monkeypatch) -> App:
    monkeypatch.setenv("GEN_WEIGHTS", str(weights))
    monkeypatch.delenv("GEN_DATA", raising=False)
    return App("cpu")


@pytest.fixture
def model(app):
    return app.model(start.MODEL)


def data_url(image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def drawing() -> Image.Image:
    """A yellow disc on blue, as large as the pad's paper."""
    image = Image.new("RGB", (320, 320), (60, 90, 220))
    image.paste((250, 220, 40), (80, 80, 240, 240))
    return image


def drawn_from(app: App, **changes) -> list[np.ndarray]:
    """The lanes of a run, uint8 (frames, samples, 64, 64, 3): the start, the states, the guesses.

    Starts from a drawing unless told, in few steps.
    """
    given = {"source": DRAWING, "steps": 5, "count": 2, "seed": 3} | changes
    extra = {k: given[k] for k in ("drawing", "upload") if k in given}
    extra.setdefault("drawing", data_url(drawing()))
    asked = defaults(start.PANEL, **given)
    *_, value = start.draw_from(app, StartInput(app, start.EXAMPLE), **asked, **extra)
    return [frames_of(lane) for lane in value.to_json()["lanes"]]


@pytest.fixture
def plain_codec(monkeypatch) -> None:
    """Latents that are small pictures, in place of an untrained autoencoder's: there, each pixel
    of the decoder's picture hangs on all latents."""

    def encode(self, x):
        small = F.avg_pool2d(x, 4)
        return torch.cat([small, small.mean(1, keepdim=True)], dim=1)

    def decode(self, latents):
        return F.interpolate(latents[:, :3], scale_factor=4).clamp(-1, 1)

    monkeypatch.setattr(TextToImage, "encode", encode)
    monkeypatch.setattr(TextToImage, "decode", decode)


def off_by_column(model: TextToImage, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """How far pictures are from what encoder and decoder make of the first, for each column."""
    x = torch.from_numpy(first.copy()).permute(0, 3, 1, 2) / 127.5 - 1
    through = pixels(model.decode(model.encode(x))).astype(int)
    return abs(last - through).mean((0, 1, 3))


# --- what is drawn --------------------------------------------------------------------------------


@pytest.mark.parametrize("mask", [None, HALF], ids=["the whole", "a half"])
def test_the_timeline_ends_in_the_model_s_own_pictures(app, model, mask):
    first, state, guess = drawn_from(app, mask=mask_url(mask), strength=0.6)
    x = prepare_colour(io.BytesIO(base64.b64decode(data_url(drawing()).split(",")[1])))
    knobs = {"prompt": start.OTHER, "steps": 5, "guidance_scale": 3.0}
    same = final(model.sample(Noise([3, 4]), start=Start(x, 0.6, mask), **knobs))
    assert len(state) == 1 + 3  # three of five steps are walked
    assert abs(state[-1] - pixels(same).astype(int)).max() <= 1
    assert np.array_equal(guess[-1], state[-1])
    assert all(np.array_equal(frame, pixels(x)) for frame in first)


def test_outside_the_mask_the_picture_stays_and_inside_it_is_new(app, model, plain_codec):
    first, state, _ = drawn_from(app, mask=mask_url(HALF), strength=1.0)
    off = off_by_column(model, first[0], state[-1])
    assert off[:32].max() == 0 and off[32:].min() > 10


def test_strength_is_how_much_changes(app, model, plain_codec):
    off = []
    for strength in (0.05, 0.4, 1.0):
        first, state, _ = drawn_from(app, mask="", strength=strength, steps=10)
        off.append(off_by_column(model, first[0], state[-1]).mean())
    assert off[0] < off[1] < off[2]


@pytest.mark.parametrize("solver", SCHEDULERS)
@pytest.mark.heavy
def test_every_solver_starts_from_a_picture(app, model, solver):
    _, state, _ = drawn_from(app, mask=mask_url(HALF), solver=solver, strength=0.5, count=1)
    whole, _, _ = (drawn_from(app, mask="", solver=solver, strength=0.5, count=1))[::-1]
    assert len(state) == len(whole) >= 3 and not np.array_equal(state[-1], whole[-1])


@pytest.mark.parametrize("level", [0, 1])
def test_a_mask_of_nothing_is_none_and_one_of_everything_keeps_nothing(app, level):
    masked = drawn_from(app, mask=mask_url(torch.full((1, 1, 64, 64), float(level))))
    plain = drawn_from(app, mask=None)
    assert np.array_equal(masked[1], plain[1])


# --- where the picture comes from -----------------------------------------------------------------


def test_the_model_s_picture_is_the_first_that_generate_draws_and_is_drawn_once(app, model):
    given = StartInput(app, "a cat")
    assert given.look(BY_MODEL, "a cat", 7, None, None) == start.NOT_DRAWN.to_json()
    settings = {"source": BY_MODEL, "picture_prompt": "a cat", "picture_seed": 7}
    assert len(list(given.read(None, None, settings))) == start.DRAWN_WITH["steps"] + 1
    assert list(given.read(None, None, settings)) == []  # nothing to wait for
    seen = given.look(BY_MODEL, "a cat", 7, None, None)
    drawn = final(model.sample(Noise([7]), prompt="a cat", **start.DRAWN_WITH))
    assert abs(picture(seen["picture"]).astype(int) - pixels(drawn)[0]).max() <= 1
    assert seen["note"] == "drawn by the model: a cat"


def test_an_upload_of_any_size_is_cut_to_its_middle_square(tmp_path):
    wide = Image.new("RGB", (300, 100), "red")
    wide.paste((0, 0, 255), (100, 0, 200, 100))
    wide.save(tmp_path / "wide.png")
    x = prepare_colour(tmp_path / "wide.png")
    assert x.shape == (1, 3, 64, 64)
    blue = torch.tensor([-1.0, -1.0, 1.0])[:, None, None]
    assert (x[0, :, :, 2:-2] - blue).abs().max() < 0.05


def test_real_emoji_are_offered_where_they_are(app, tmp_path, monkeypatch):
    assert SCENE not in StartInput(app, "").knobs[0].choices
    (tmp_path / "emoji64").mkdir()
    (tmp_path / "emoji64/images.npz").touch()
    monkeypatch.setattr(start, "drawings", lambda root: drawn_emoji())
    here = StartInput(App("cpu", str(tmp_path)), "")
    assert SCENE in here.knobs[0].choices
    seen = here.look(SCENE, "", 4, None, None)
    assert picture(seen["picture"]).shape == (64, 64, 3)
    assert seen["note"].startswith("real emoji: ")
    assert seen != here.look(SCENE, "", 5, None, None)


# --- the lines that are shown ---------------------------------------------------------------------


def test_the_lines_draw_the_same(app, tmp_path, monkeypatch):
    drawing().save(tmp_path / "picture.png")
    monkeypatch.chdir(tmp_path)
    knobs = defaults(start.PANEL, source=DRAWING, mask=mask_url(HALF), steps=2, count=1, seed=3)
    scope: dict = {}
    given = StartInput(app, start.EXAMPLE)
    exec(textwrap.dedent(start.PANEL.code(given, knobs)), scope)
    _, state, _ = drawn_from(app, mask=mask_url(HALF), steps=2, count=1)
    assert torch.equal(scope["mask"], HALF)
    assert abs(pixels(scope["x"]).astype(int) - state[-1]).max() <= 1
    assert "mask" not in start.PANEL.code(given, knobs | {"mask": None})


def test_the_example_is_what_the_page_shows_at_first_and_is_plain(app):
    kept, first = start.PANEL.kept(app), defaults(start.PANEL)
    assert torch.equal(kept.pop("mask"), first.pop("mask"))
    assert kept == first
    keep = start.PANEL.keep()
    value = json.loads(json.dumps(keep.make(app)))
    assert keep.seeds == (0, 1, 2, 3) and len(value["levels"]) == 1 + 12  # 0.6 of 20 steps
    start_lane = frames_of(value["lanes"][0])
    assert np.array_equal(picture(value["picture"]["picture"]), start_lane[-1][0])


# --- mistakes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"strength": float("nan")}, "strength=nan: choose a number from 0.05 to 1"),
        ({"strength": 0}, "strength=0: choose a number from 0.05 to 1"),
        ({"mask": 5}, "mask: takes a PNG data URL"),
        ({"mask": {"path": "/etc/passwd"}}, "mask: takes a PNG data URL"),
        ({"mask": "data:image/png;base64,AAAA"}, "mask: this file cannot be read as a picture"),
        ({"mask": "data:image/png;base64,ü"}, "mask: its data URL is damaged"),
        ({"mask": data_url(Image.new("1", (8000, 7000)))}, "mask=8000 x 7000 pixels: that is"),
        ({"drawing": None}, "drawing: the paper is empty"),
        ({"drawing": "data:image/png;base64," + "A" * 10**6}, "at most 1,000,000 characters"),
        ({"source": UPLOAD}, "upload: choose a picture file first"),
        ({"source": UPLOAD, "upload": "/etc/passwd"}, "takes one picture file"),
        ({"source": "The moon"}, "source='The moon': choose one of The model, A drawing"),
    ],
)
def test_a_mistake_is_named_with_what_is_possible(app, changes, message):
    with pytest.raises(KnobError, match=message):
        drawn_from(app, **changes)


def test_what_cannot_be_shown_says_why(app, tmp_path):
    given = StartInput(app, "a cat")
    assert "paper is empty" in given.look(DRAWING, "", 0, None, None)["note"]
    assert "choose a picture file" in given.look(UPLOAD, "", 0, None, None)["note"]
    (tmp_path / "torn.png").write_bytes(b"no picture")
    torn = {"path": str(tmp_path / "torn.png"), "meta": {"_type": "gradio.FileData"}}
    seen = given.look(UPLOAD, "", 0, None, torn)
    assert "cannot be read as a picture" in seen["note"] and not seen["picture"]
    assert "picture_seed=nan" in given.look(BY_MODEL, "", float("nan"), None, None)["note"]


def test_a_mask_may_be_any_png_and_survives_its_text():
    large = Image.new("RGBA", (640, 480), (0, 0, 0, 255))
    large.paste((255, 255, 255, 255), (320, 0, 640, 480))
    mask = prepare_mask(data_url(large))
    assert torch.equal(mask, HALF) and torch.equal(prepare_mask(mask_url(mask)), mask)
    assert start.MASK.from_text(data_url(large)) == mask_url(HALF)
    assert len(mask_url(start.disc())) < 400  # fit for a link


# --- the page -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def address(weights) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("GEN_DATA", raising=False)
        with page_of(text_to_image.TAB, weights=weights) as address:
            yield address


@pytest.mark.heavy
def test_the_api_takes_data_urls_and_files_and_answers_mistakes(address, tmp_path):
    client = Client(address, verbose=False)
    knobs = {
        "source": UPLOAD,
        "picture_prompt": "",
        "picture_seed": 0,
        "mask": mask_url(HALF),
        "prompt": "a cat",
        "strength": 0.5,
        "negative_prompt": "",
        "steps": 2,
        "guidance_scale": 3.0,
        "sampler": "DDIM",
        "count": 1,
        "seed": 0,
        "drawing": None,
        "upload": None,
    }

    def ask(**changes):
        return client.predict(**knobs | changes, api_name="/text_to_image_start")

    drawing().save(tmp_path / "mine.png")
    by_file, shown = ask(upload=handle_file(tmp_path / "mine.png"))
    by_url, _ = ask(source=DRAWING, drawing=data_url(drawing()))
    assert shown["note"] == "your upload" and len(by_file["levels"]) == 2
    assert by_file["lanes"][1]["sheet"] == by_url["lanes"][1]["sheet"]
    assert len(ask(source=BY_MODEL, picture_prompt="a dog", mask=None)[0]["lanes"]) == 3
    (tmp_path / "torn.png").write_bytes(b"no picture")
    for changes, message in (
        ({"upload": handle_file(tmp_path / "torn.png")}, "cannot be read as a picture"),
        ({"upload": str(tmp_path / "mine.png")}, "takes one picture file"),
        ({}, "choose a picture file first"),
        ({"source": DRAWING, "drawing": [1]}, "drawing: takes a PNG data URL"),
        ({"mask": "x"}, "mask: takes a PNG data URL"),
        ({"strength": "nan"}, "strength='nan': choose a number"),
    ):
        with pytest.raises(Exception, match=message):
            ask(**changes)


@pytest.mark.browser
def test_paint_a_mask_press_and_only_the_painted_part_is_new(visit, address, plain_codec, model):
    query = "source=A+drawing&mask=&steps=3&count=1&strength=1&seed=5"
    page = visit(
        f"{address}?tab=text-to-image&panel=start&"
        + "&".join(f"start.{part}" for part in query.split("&"))
    )
    mask = page.locator("#text-to-image-start-mask")
    image = page.locator(".masked-picture img")
    expect(page.locator(".masked-picture figcaption")).to_contain_text("the paper is empty")
    page.get_by_role("button", name="Another picture").click()
    colour = page.locator(".drawing:has(.drawing-palette)")
    colour.get_by_role("button", name="Blue").click()
    dragged(page, colour, (0.1, 0.2), (0.9, 0.2), (0.9, 0.8), (0.1, 0.8))
    expect(image).to_be_visible()

    dragged(page, mask, (0.7, 0.2), (0.95, 0.2))
    mask.get_by_role("button", name="Clear").click()
    dragged(page, mask, (0.85, 0.1), (0.85, 0.9))
    dragged(page, mask, (0.1, 0.1), (0.1, 0.9))
    mask.get_by_role("button", name="Undo").click()
    mask.locator(".drawing-paper").focus()
    for key in ("ArrowRight",) * 20 + ("ArrowUp",) * 20 + (" ",):
        page.keyboard.press(key)

    page.get_by_role("button", name="Redraw").click()
    expect(page.locator("#text-to-image-start .timeline-step")).to_have_text("step 3 / 3")
    expect(page.locator("#text-to-image-start .card-live")).to_be_visible()
    first, state, _ = page.locator("#text-to-image-start .timeline-lane canvas").evaluate_all(
        """nodes => nodes.map(node => {
          const small = Object.assign(document.createElement('canvas'), {width: 64, height: 64});
          const context = small.getContext('2d');
          context.imageSmoothingEnabled = false;
          context.drawImage(node, 0, 0, 64, 64);
          return [...context.getImageData(0, 0, 64, 64).data];
        })"""
    )
    first, state = (np.array(x).reshape(1, 64, 64, 4)[..., :3] for x in (first, state))
    off = off_by_column(model, first, state)
    assert off[:44].max() <= 1 and off[50:60].min() > 10
    assert abs(first[0, 13, 20:44].astype(int) - (66, 118, 214)).max() <= 3  # blue, as drawn
