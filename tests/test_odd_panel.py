"""The Odd one out panel: its pictures and its verdicts, with untrained models, without a page."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from demos.page.handlers import App
from demos.page.image_input import Pictures
from demos.page.picture_files import COLOUR_SIDE, in_data_url, prepare_colour
from demos.tabs.latent_space import anomaly
from demos.tabs.latent_space.anomaly import (
    FACE,
    GARMENT,
    AnomalySource,
    difference,
    judged,
    normal_scores,
)
from demos.tabs.latent_space.models import PORTRAIT, PORTRAITS, UPLOAD, portrait
from gen_core import load
from gen_core.knobs import KnobError
from gen_core.latent.analyze import SECTION
from gen_core.latent.anomaly import examine, threshold
from gen_core.latent.corruptions import KINDS
from gen_core.progress import Progress, result_of
from gen_core.training.checkpoint import save
from odd_fixtures import COUNT, portrait_weights
from sampling_fixtures import picture

SHAPE = (1, 3, COLOUR_SIDE, COLOUR_SIDE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return portrait_weights(tmp_path_factory.mktemp("odd"))


@pytest.fixture
def app(folder, monkeypatch) -> App:
    monkeypatch.setenv("GEN_WEIGHTS", str(folder))
    monkeypatch.setattr(anomaly, "LIVE_COUNT", 12)
    return App("cpu")


def chosen(given: AnomalySource, **changes: Any) -> dict[str, Any]:
    """The knobs as they stand at first, with some of them turned."""
    return {k.name: k.check(changes.get(k.name, k.default)) for k in given.knobs}


def read(app: App, drawing: Any = None, upload: Any = None, **changes: Any) -> Pictures:
    source = AnomalySource(app)
    return result_of(source.read(drawing, upload, chosen(source, **changes)))


# --- the picture ----------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["nothing", *KINDS])
def test_a_portrait_is_what_was_done_to_it(app, change):
    pictures = read(app, seed=7, change=change)
    assert pictures.x.shape == SHAPE
    assert torch.equal(pictures.x, portrait(7)) == (change == "nothing")
    assert pictures.origin.startswith("portrait 7") and (change in pictures.origin) == (
        change != "nothing"
    )


def test_a_face_under_the_brush_is_the_portrait_it_stands_for(app):
    url = anomaly.face(7)
    assert picture(url).shape == (320, 320, 3)
    small = prepare_colour(in_data_url(url, "drawing"))
    assert (small - portrait(7)).abs().mean() < 0.02
    assert torch.equal(read(app, url, source=FACE).x, small)


def test_clothing_is_coloured_like_clothes_on_a_ground_of_portraits(app):
    pictures = read(app, source=GARMENT, label="Bag", seed=2)
    assert pictures.x.shape == SHAPE and "Bag" in pictures.origin
    assert torch.equal(pictures.x, read(app, source=GARMENT, label="Bag", seed=2).x)
    rng = torch.Generator().manual_seed(0)
    black, white = torch.full((1, 1, 28, 28), -1.0), torch.ones(1, 1, 28, 28)
    for x in (anomaly.coloured(one, rng) for one in (black, white)):
        assert x.shape == SHAPE and x.std((2, 3)).max() < 1e-6


def test_one_colour_all_over_is_a_picture_too(app, tmp_path):
    Image.new("RGB", (90, 50), "teal").save(tmp_path / "teal.png")
    x = read(app, upload=sent(tmp_path / "teal.png"), source=UPLOAD).x
    assert x.shape == SHAPE and x.std((2, 3)).max() == 0


def sent(path) -> dict[str, Any]:
    """A file as Gradio hands it on."""
    return {"path": str(path), "meta": {"_type": "gradio.FileData"}}


@pytest.mark.parametrize(
    ("drawing", "message"),
    [
        (None, "the paper is empty"),
        ("", "the paper is empty"),
        (7, "takes a PNG data URL"),
        ("data:image/png;base64,AAAA", "this file cannot be read as a picture"),
        ("data:image/png;base64,???", "its data URL is damaged"),
    ],
)
def test_a_bad_drawing_gets_a_message(app, drawing, message):
    with pytest.raises(KnobError, match=message):
        read(app, drawing, source=FACE)


def test_a_bad_upload_gets_a_message(app, tmp_path):
    (tmp_path / "letter.png").write_text("Dear model")
    Image.new("1", (8000, 7000)).save(tmp_path / "large.png")
    wrong = {"letter.png": "cannot be read as a picture", "large.png": "a PNG may have 1 to 50"}
    for name, message in wrong.items():
        with pytest.raises(KnobError, match=message):
            read(app, upload=sent(tmp_path / name), source=UPLOAD)
    for nothing, message in ((None, "choose a picture file first"), ("/etc/passwd", "takes one")):
        with pytest.raises(KnobError, match=message):
            read(app, upload=nothing, source=UPLOAD)


# --- the verdict ----------------------------------------------------------------------------------


def verdict(app: App, pictures: Pictures, **knobs: Any) -> dict[str, Any]:
    measured = result_of(normal_scores(app))
    shown = {"score": "Error", "allowed": 5.0} | knobs
    return judged(app, pictures, measured, **shown).to_json()


def test_the_page_gets_what_was_measured_and_nothing_but_plain_values(app):
    pictures = read(app)
    value = verdict(app, pictures, score="Bound", allowed=2.5)
    json.dumps(value, allow_nan=False)
    _, scores = examine(app.model(PORTRAITS), pictures.x)
    assert value["own"] == {key: float(score) for key, score in scores.items()}
    assert (value["score"], value["allowed"]) == ("bound", 2.5)
    assert value["measured"] == app.model(PORTRAITS).card[SECTION]["anomaly"]
    assert [picture(shown["src"]).shape for shown in value["pictures"]] == [(64, 64, 3)] * 3
    assert set(value["examples"]) == set(KINDS)
    assert f"Scores of {COUNT} portraits" in value["measured_on"]


def test_the_difference_shows_the_colour_that_is_furthest_off():
    x = torch.zeros(1, 3, 1, 3)
    copy = x.clone()
    copy[0, :, 0, 1], copy[0, :, 0, 2] = torch.tensor([-0.2, 1.0, 0]), torch.tensor([0.5, 0, -1.0])
    same, brighter, darker = difference(x, copy)[0].tolist()
    assert same == [255, 255, 255]
    assert (brighter, darker) == ([20, 80, 200], [190, 60, 0])


def test_where_the_weights_know_of_nothing_it_is_measured_once(app, folder, tmp_path, monkeypatch):
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
    save(load(PORTRAITS, "cpu", folder), tmp_path / f"{PORTRAITS}.safetensors", {"metrics": {}})
    app = App("cpu")
    steps = list(steps_of(app))
    assert [type(step) for step in steps[:-1]] == [Progress] * (len(steps) - 1)
    assert steps[-2].done == steps[-2].total == 24
    assert steps[-1]["count"] == 12
    (again,) = steps_of(app)
    assert again is steps[-1]


def steps_of(app: App) -> Iterator[Any]:
    """What it yields, and then what it returns."""
    known = yield from normal_scores(app)
    yield known


@pytest.mark.parametrize(
    "changes",
    [
        {"source": PORTRAIT, "change": "stripes"},
        {"source": PORTRAIT, "change": "nothing", "score": "Bound", "allowed": 0.1},
        {"source": GARMENT, "label": "Sneaker"},
        {"source": UPLOAD},
    ],
)
def test_the_lines_come_to_the_verdict_of_the_page(app, changes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (64, 64), "red").save("picture.png")
    source = AnomalySource(app)
    knobs = {k.name: k.check(changes.get(k.name, k.default)) for k in source.knobs}
    knobs |= {k.name: changes.get(k.name, k.default) for k in (anomaly.SCORE, anomaly.ALLOWED)}
    value = verdict(
        app,
        result_of(source.read(None, sent("picture.png"), knobs)),
        score=knobs["score"],
        allowed=knobs["allowed"],
    )
    said, names = io.StringIO(), {}
    with contextlib.redirect_stdout(said):
        exec(anomaly.code(source, knobs), names)
    own = {key: float(score) for key, score in names["scores"].items()}
    assert own == pytest.approx(value["own"], rel=1e-3)
    key = value["score"]
    above = own[key] > threshold(value["measured"]["portraits"][key], knobs["allowed"] / 100)
    assert said.getvalue().strip() == ("odd" if above else "nothing odd")


def test_the_example_is_a_value_of_the_page(app):
    value = anomaly.PANEL.keep().make(app)
    assert value["own"]["error"] > 0 and value["allowed"] == anomaly.ALLOWED.default
