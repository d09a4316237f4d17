"""Pictures from every source: what comes out, where it says it comes from, what it refuses."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import gradio as gr
import httpx
import numpy as np
import pytest
import torch
from PIL import Image

from core_fixtures import tiny, write_fashion
from demos.page import image_input
from demos.page.controls import FASHION, Knobs
from demos.page.handlers import App
from demos.page.image_input import DATA, DRAWING, MODEL, NAMES, UPLOAD, PictureInput, prepare
from demos.page.script import script
from gen_core.data import MissingData
from gen_core.knobs import KnobError
from gen_core.progress import result_of
from gen_core.sampling import MAX_SEED
from gen_core.training.checkpoint import save


def shape(ground: int, item: int, size: tuple[int, int] = (300, 200)) -> Image.Image:
    """A grey picture with a box of 60 x 120 pixels off its centre."""
    image = np.full(size[::-1], ground, np.uint8)
    image[40:160, 30:90] = item
    return Image.fromarray(image)


def file_of(image: Image.Image, path: Path) -> Path:
    image.save(path)
    return path


def test_a_file_is_trimmed_centred_and_as_large_as_it_can_be(tmp_path):
    x = prepare(file_of(shape(0, 255), tmp_path / "a.png"))
    assert x.shape == (1, 1, 28, 28)
    bright = (x[0, 0] > 0).nonzero()
    assert bright.min(0).values.tolist() == [0, 7]
    assert bright.max(0).values.tolist() == [27, 20]  # 14 of 28 wide, as 60 is of 120


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_dark_on_bright_is_negated_in_every_mode(tmp_path, mode):
    on_black = prepare(file_of(shape(0, 255), tmp_path / "a.png"))
    on_white = prepare(file_of(shape(255, 0).convert(mode), tmp_path / f"{mode}.jpg"))
    assert (on_black - on_white).abs().max() < 0.1  # JPEG is not exact


def test_what_is_see_through_counts_as_white(tmp_path):
    image = Image.new("RGBA", (50, 50), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (10, 20, 40, 30))
    assert prepare(file_of(image, tmp_path / "a.png"))[0, 0, 14, 14] == 1


def test_a_grey_ground_becomes_black(tmp_path):
    x = prepare(file_of(shape(60, 255), tmp_path / "a.png"))
    assert x[0, 0, 0, 0] == -1
    assert x.max() == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no picture at all", "cannot be read as a picture; choose a PNG"),
        (b"\x89PNG\r\n\x1a\n" + b"broken" * 20, "cannot be read as a picture"),
        (b"", "cannot be read as a picture"),
    ],
)
def test_a_broken_file_gets_a_message(tmp_path, content, message):
    path = tmp_path / "broken.png"
    path.write_bytes(content)
    with pytest.raises(KnobError, match=message):
        prepare(path)


def test_half_a_file_gets_a_message(tmp_path):
    noisy = np.random.default_rng(0).integers(0, 255, (100, 100), dtype=np.uint8)
    path = file_of(Image.fromarray(noisy), tmp_path / "a.png")
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(KnobError, match="cannot be read as a picture"):
        prepare(path)


def test_no_file_and_an_empty_picture_get_a_message(tmp_path):
    with pytest.raises(KnobError, match="upload: choose a picture file first"):
        prepare(None)
    with pytest.raises(KnobError, match="all one grey"):
        prepare(file_of(Image.new("L", (40, 40), 90), tmp_path / "a.png"))


def data_url(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


@pytest.fixture
def app(tmp_path, monkeypatch) -> App:
    """An app with a made-up data set and one small model."""
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path / "weights"))
    (tmp_path / "weights").mkdir()
    save(tiny("flow"), tmp_path / "weights" / "flow-fashion.safetensors", {"metrics": {}})
    write_fashion(tmp_path / "data")
    return App("cpu", str(tmp_path / "data"))


@pytest.fixture
def bare(tmp_path, monkeypatch) -> App:
    """An app on a machine without the data set."""
    monkeypatch.delenv("GEN_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return App("cpu", str(tmp_path / "nothing"))


def settings(source: str, label: int | None = 4, seed: int = 3, **changes) -> dict:
    return {"source": source, "label": label, "sampled_by": "flow-fashion", "seed": seed, **changes}


def chosen(app: App, source: str, count: int = 1, drawing=None, upload=None, **changes):
    panel = PictureInput(app, "vae", "reconstruct")
    return result_of(panel.read(drawing, upload, settings(source, **changes), count))


def test_the_data_set_gives_pictures_of_one_class(app):
    found = chosen(app, DATA, count=3)
    assert found.x.shape == (3, 1, 28, 28)
    assert found.x.min() >= -1 and found.x.max() <= 1
    assert found.names == (FASHION[4],) * 3
    assert "test set" in found.origin


def test_a_seed_stands_for_the_same_picture_alone_and_in_a_row(app):
    row, alone = chosen(app, DATA, count=3), chosen(app, DATA, seed=5)
    assert torch.equal(row.x[2:], alone.x)


def test_a_model_samples_with_progress_and_says_so(app):
    panel = PictureInput(app, "vae", "reconstruct")
    steps = list(panel.read(None, None, settings(MODEL, label=None), 2))
    assert steps[-1].done == steps[-1].total > 1
    found = chosen(app, MODEL, count=2, label=None)
    assert found.names == FASHION[:2]
    assert found.origin == "generated by a model (Flow matching), not real"


def test_a_model_goes_by_its_title_and_by_the_name_that_old_links_have(app):
    knob = next(k for k in PictureInput(app, "vae", "reconstruct").knobs if k.name == "sampled_by")
    assert knob.default in NAMES and {knob.check(title) for title in NAMES} == {*NAMES.values()}
    for title, name in NAMES.items():
        assert knob.from_text(name) == title and knob.check(name) == name


def test_too_high_a_seed_is_refused(app):
    with pytest.raises(KnobError, match=f"seed={MAX_SEED}: choose 0 to {MAX_SEED - 1}"):
        chosen(app, MODEL, count=2, seed=MAX_SEED)


def test_a_drawing_is_prepared_like_a_file(app, tmp_path):
    found = chosen(app, DRAWING, drawing=data_url(shape(0, 255)))
    assert torch.equal(found.x, prepare(file_of(shape(0, 255), tmp_path / "a.png")))
    assert found.origin == "your drawing"


@pytest.mark.parametrize(
    "drawing", [None, 7, "", "data:image/png;base64,????", "data:text/plain;base64,AAAA", "x" * 99]
)
def test_what_is_no_drawing_gets_a_message(app, drawing):
    with pytest.raises(KnobError, match="drawing"):
        chosen(app, DRAWING, drawing=drawing)


def test_an_upload_says_what_it_is(app, tmp_path):
    path = file_of(shape(0, 255), tmp_path / "a.png")
    upload = {"path": str(path), "meta": {"_type": "gradio.FileData"}}
    assert chosen(app, UPLOAD, upload=upload).origin == "your upload"
    with pytest.raises(KnobError, match="choose a picture file first"):
        chosen(app, UPLOAD, upload=None)


@pytest.fixture
def uploads(app):
    """The address of a page with an upload and nothing else."""

    def look(upload):
        return str(tuple(result_of(panel.read(None, upload, settings(UPLOAD))).x.shape))

    with gr.Blocks(analytics_enabled=False) as page:
        panel = PictureInput(app, "vae", "reconstruct")
        panel.build(Knobs("vae", "reconstruct", panel.knobs))
        out, go = gr.Textbox(), gr.Button()
        app.on(
            go.click, look, None, out, inputs={"upload": panel.inputs["upload"]}, api_name="look"
        )
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    yield url
    page.close()


def looked_at(address: str, upload: object) -> str:
    event = httpx.post(f"{address}gradio_api/call/look", json={"data": [upload]}).json()["event_id"]
    return httpx.get(f"{address}gradio_api/call/look/{event}", timeout=30).text


def test_an_upload_through_the_api_is_a_file_that_was_uploaded(uploads, tmp_path):
    own = file_of(shape(0, 255), tmp_path / "a.png")  # of the server's, and a picture at that
    for bad in (str(own), 5, [], {"path": str(own)}, "x.png"):
        answer = looked_at(uploads, bad)
        assert "takes one picture file" in answer and "pydantic" not in answer, bad
    as_file = {"path": str(own), "meta": {"_type": "gradio.FileData"}}
    assert "event: error" in looked_at(uploads, as_file)  # it was not uploaded
    (path,) = httpx.post(f"{uploads}gradio_api/upload", files={"files": own.open("rb")}).json()
    assert "(1, 1, 28, 28)" in looked_at(uploads, as_file | {"path": path})


@pytest.mark.parametrize("source", [DATA, MODEL])
@pytest.mark.parametrize("label", [4, None])
def test_the_lines_shown_make_the_same_pictures(app, source, label, monkeypatch):
    monkeypatch.setenv("GEN_DATA", app.data_root)
    panel = PictureInput(app, "vae", "reconstruct")
    lines = panel.code(settings(source, label), 2)
    ran: dict = {}
    exec(script(*lines), ran)
    assert torch.allclose(ran["x"], chosen(app, source, 2, label=label).x, atol=1 / 255)


def test_a_model_comes_first_and_a_data_set_that_is_not_here_is_missed_aloud(app, bare):
    assert not image_input.on_this_machine(bare.data_root)
    panel = PictureInput(bare, "vae", "reconstruct")
    on_any_machine = PictureInput(app, "vae", "reconstruct").knobs[0].default
    assert panel.knobs[0].default == on_any_machine == MODEL
    with pytest.raises(MissingData, match="not on this machine"):
        result_of(panel.read(None, None, settings(DATA), 1))
    with gr.Blocks() as page:
        panel.build(Knobs("vae", "reconstruct", panel.knobs))
    follow = next(fn.fn for fn in page.fns.values() if fn.fn.__name__ == "follow")
    for chosen, told in ((DATA, True), (MODEL, False)):
        _, by_model, _, missing, drawing, upload = [part["visible"] for part in follow(chosen)]
        assert (missing, by_model) == (told, not told) and not (drawing or upload)


def test_a_panel_can_add_a_source_of_its_own(app):
    knobs = Knobs("vae", "x", PictureInput(app, "vae", "x", other="A random code").knobs)
    values = ["A random code", FASHION[0], "flow-fashion", 1]
    assert knobs.check(values)["source"] == "A random code"


def test_the_same_seed_samples_the_same_picture(app):
    row, alone = chosen(app, MODEL, count=3), chosen(app, MODEL, seed=5)
    assert (row.x[2:] - alone.x).abs().max() <= 2 / 255
