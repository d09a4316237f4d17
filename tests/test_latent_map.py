"""The map of latent space without a page: paths as text, the three maps, what the dots show."""

from __future__ import annotations

import base64
import dataclasses
from pathlib import Path as File

import numpy as np
import pytest
import torch

from conftest import answer_of
from core_fixtures import tiny
from demos.page import examples
from demos.page.handlers import App
from demos.tabs.latent_space import map as panel
from demos.tabs.latent_space.map import GROUND_SIDE, START, VIEWS, along, timeline, walk
from demos.tabs.latent_space.models import atlas
from demos.widgets.latent_map import FINE, Guide, Path, PathKnob, parse_path
from gen_core.data.avatars import Avatar
from gen_core.data.avatars.schema import SKINS, attribute_labels
from gen_core.knobs import KnobError
from gen_core.latent.atlas import Atlas
from gen_core.sampling import pixels
from gen_core.training.checkpoint import save
from latent_fixtures import COUNT, write_maps
from sampling_fixtures import picture

REACHES = {name: view.reach for name, view in VIEWS.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> File:
    made = tmp_path_factory.mktemp("maps")
    write_maps(made)
    return made


@pytest.fixture
def app(folder, monkeypatch) -> App:
    monkeypatch.setenv("GEN_WEIGHTS", str(folder))
    return App("cpu")


@pytest.fixture
def guide(app) -> Guide:
    return Guide(app, VIEWS)


def decoded(app: App, model: str, code: torch.Tensor) -> np.ndarray:
    with torch.inference_mode():
        return pixels(app.model(model).decode(code[None]))[0]


# --- the path as text -----------------------------------------------------------------------------


def test_a_path_survives_its_text():
    path = Path("wide", ((0.5, -1.25), (0.0, 3.0)))
    assert str(path) == "wide:0.5,-1.25;0,3"
    assert parse_path(str(path), REACHES) == path


def test_every_map_begins_with_a_path_of_its_own():
    for name, view in VIEWS.items():
        assert len(parse_path(f"{name}:{view.start}", REACHES).places) > 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "path=None: write some text"),
        (7, "path=7: write some text"),
        ("near", "path='near': write a map, a colon and places"),
        ("far:0,0;1,1", "map='far': choose one of near, wide, flat"),
        ("near:0,0", "path has 1 places: choose 2 to 40"),
        ("near:" + ";".join(["0,0"] * 41), "path has 41 places: choose 2 to 40"),
        ("near:0,0;0.5", "place 2='0.5': write two numbers and a comma"),
        ("near:0,0;0,1,1", "y of place 2='1,1': choose a number from -1.05 to 1.05"),
        ("near:0,0;nan,0", "x of place 2=nan: choose a number from -1.05 to 1.05"),
        ("near:0,inf;0,0", "y of place 1=inf: choose a number"),
        ("wide:0,0;4,0", "x of place 2=4: choose a number from -3 to 3"),
        ("flat:0,0;,0", "x of place 2='': choose a number from -4 to 4"),
        ("near:" + "0" * 2000, "path has 2,005 characters: write at most 1,000"),
    ],
)
def test_what_is_no_path_gets_a_message(text, message):
    with pytest.raises(KnobError, match=message):
        PathKnob("path", "Map", "path", START, views=VIEWS).check(text)


def test_a_path_travels_in_links():
    knob = PathKnob("path", "Map", "path", START, views=VIEWS)
    assert knob.from_text("flat:0.50,1;-2,3") == "flat:0.5,1;-2,3"


# --- the three maps -------------------------------------------------------------------------------


def test_among_neighbours_a_place_is_a_mix_of_the_codes_around_it(app):
    known = atlas(app, "vae-avatars")
    place = known.places[17].float()
    code = VIEWS["near"].codes_at(app, place[None])[0]
    assert torch.equal(code, known.at(tuple(place.tolist())))
    away = (known.codes.float() - code).norm(dim=1)
    assert away[17] < away.median()


@pytest.mark.parametrize("name", ["wide", "flat"])
def test_from_a_place_to_its_code_and_back(app, name):
    view = VIEWS[name]
    places = torch.tensor([[0.5, -1.0], [2.0, 0.0]])
    codes = view.codes_at(app, places)
    known = atlas(app, view.model)
    around = torch.cat([codes, 2 * known.mean - codes])  # so that their mean is the atlas's
    back = view.places(app.model(view.model), dataclasses.replace(known, codes=around))
    torch.testing.assert_close(back[:2], places, atol=1e-2, rtol=0)


def test_the_plane_is_spanned_by_the_two_widest_components(app, guide):
    known = atlas(app, "vae-avatars")
    first, second = known.axes[:2].float() * known.scales[:2, None]
    expected = decoded(app, "vae-avatars", known.mean + 1.5 * first - 0.5 * second)
    shown = guide.decode("wide:1.5,-0.5").picture
    assert np.abs(shown.astype(int) - expected).max() <= 1


def test_of_two_numbers_the_stronger_one_goes_across(app, guide):
    assert app.model("vae-fashion-2d").order == [1, 0]
    shown = guide.decode("flat:2,-1").picture
    assert np.array_equal(shown, decoded(app, "vae-fashion-2d", torch.tensor([-1.0, 2.0])))


def test_under_the_dots_lies_what_the_middle_of_each_place_decodes_to(guide):
    ground = picture(guide.describe("flat")["ground"])
    assert ground.shape == (GROUND_SIDE * 28,) * 2
    edge = REACHES["flat"] * (1 - 1 / GROUND_SIDE)
    corner = guide.decode(f"flat:{edge},{-edge}").picture  # right, bottom
    assert np.abs(ground[-28:, -28:].astype(int) - corner).max() <= 1


# --- what the dots show ---------------------------------------------------------------------------


def unpacked(text: str, kind: type) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), kind)


def test_the_dots_travel_with_all_that_is_known_of_them(app, guide):
    about, known = guide.describe("near"), atlas(app, "vae-avatars")
    points = unpacked(about["points"], np.int16).reshape(-1, 2) / FINE * about["reach"]
    assert np.abs(points - known.places.numpy()).max() < 1e-3
    assert about["beyond"] == 0
    titles = [column["title"] for column in about["columns"]]
    marks = unpacked(about["marks"], np.int8).reshape(len(titles), COUNT)
    assert len(titles) == 23 and titles[0] == "Hat"
    hair = titles.index("Hair colour")
    assert np.array_equal(marks[hair], known.labels[:, 3].numpy())
    assert (marks[hair] == -1).any()  # under a turban nobody knows
    for column, row in zip(about["columns"], marks, strict=True):
        assert row.max() < len(column["colours"]) == len(column["names"] or column["colours"])


def test_dots_beyond_the_edge_are_counted_and_left_out(app):
    known = atlas(app, "vae-fashion-2d")
    outside = int((known.codes.float().abs().amax(1) > 1e-3).sum())
    view = dataclasses.replace(VIEWS["flat"], reach=1e-3, ground=None)
    about = Guide(app, {"flat": view}).describe("flat")
    assert about["beyond"] == outside > 0
    assert len(unpacked(about["points"], np.int16)) == 2 * (COUNT - outside)


def columns_of(*people: Avatar):
    labels = attribute_labels(people)
    nothing = torch.zeros(len(people), 2)
    made = Atlas(nothing, labels, nothing, nothing, nothing)
    return {column.title: column for column in panel.portrait_columns(made)}


def test_skin_is_shown_in_the_colours_of_skin():
    skin = columns_of(Avatar(skin="dark"), Avatar(skin="porcelain"))["Skin"]
    red, green, blue = (int(skin.colours[skin.marks[0]][k : k + 2], 16) / 255 for k in (1, 3, 5))
    assert (red, green, blue) == pytest.approx(SKINS["dark"], abs=1 / 255)
    assert skin.names[skin.marks[1]] == "porcelain"


def test_a_measure_runs_over_the_whole_ramp():
    columns = columns_of(Avatar(age=0.0, turn=0.0), Avatar(age=1.0, turn=-1.0))
    assert columns["Age"].marks.tolist() == [0, panel.SHADES - 1]
    assert columns["Turn"].marks.tolist() == [(panel.SHADES - 1) / 2, 0]
    assert columns["Age"].ends == ("young", "old")
    colours = columns["Age"].colours
    assert [colours[0], colours[-1], colours[4]] == [panel.VIRIDIS[k] for k in (0, -1, 1)]


# --- what the map asks ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "request_", "message"),
    [
        ("decode", "near:0,0;1,1", "path has 2 places: choose 1"),
        ("decode", "near:5,0", "x of place 1=5: choose a number from -1.05 to 1.05"),
        ("decode", "near:nan,0", "x of place 1=nan: choose a number"),
        ("decode", None, "path=None: write some text"),
        ("decode", ["near"], r"path=['near']: write some text"),
        ("describe", "everywhere", "map='everywhere': choose one of near, wide, flat"),
        ("describe", {"map": "near"}, "choose one of near, wide, flat"),
    ],
)
def test_a_bad_question_gets_an_answer_and_no_exception(guide, question, request_, message):
    assert message in answer_of(guide.app.serve(getattr(guide, question)), request_)["error"]


def test_weights_without_a_map_are_said_and_missing_ones_too(tmp_path, monkeypatch):
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
    save(tiny("vae", latent=2), tmp_path / "vae-fashion-2d.safetensors", {"metrics": {}})
    guide = Guide(App("cpu"), VIEWS)
    said = {
        name: answer_of(guide.app.serve(guide.describe), name)["error"] for name in ("flat", "near")
    }
    assert "the weights of vae-fashion-2d hold no map" in said["flat"]
    assert "no weights named 'vae-avatars'" in said["near"]


# --- along a path ---------------------------------------------------------------------------------


def test_pictures_stand_equally_far_apart_along_the_path():
    places = along([(0, 0), (1, 0), (1, 2)], 7)
    assert places.tolist() == [[0, 0], [0.5, 0], [1, 0], [1, 0.5], [1, 1], [1, 1.5], [1, 2]]


def test_a_path_that_stands_still_shows_one_picture_again_and_again(app):
    walked = walk(app, Path("near", ((0.2, 0.2), (0.2, 0.2))), 3)
    assert walked["strides"] == [0, 0]
    assert np.array_equal(walked["pictures"][0], walked["pictures"][2])


def test_a_walk_shows_what_each_place_decodes_to_and_how_far_the_code_moves(app, guide):
    walked = walk(app, parse_path(START, REACHES), 5)
    x, y = walked["places"][3]
    alone = guide.decode(f"near:{x},{y}").picture
    assert np.abs(walked["pictures"][3].astype(int) - alone).mean() < 2  # places are rounded
    codes = VIEWS["near"].codes_at(app, along(parse_path(START, REACHES).places, 5))
    assert walked["strides"][1] == pytest.approx(float((codes[2] - codes[1]).norm()), abs=1e-3)
    value = timeline(walked, "a cpu", live=True)
    assert (value.steps[0], value.total, value.lanes[0].samples) == (1, 5, 1)
    assert value.curves[0]["series"][0]["points"][1] == [3, walked["strides"][1]]


def test_only_a_bent_map_has_a_chart_of_its_strides(app):
    assert not timeline(walk(app, Path("flat", ((0, 0), (1, 1))), 3), "a cpu", True).curves


@pytest.mark.parametrize("name", VIEWS)
def test_the_lines_shown_run_as_they_are_and_draw_the_same(app, name):
    path = parse_path(f"{name}:{VIEWS[name].start}", REACHES)
    scope: dict = {}
    exec(panel.code({"path": path, "count": 4}), scope)
    shown = walk(app, path, 4)["pictures"].astype(int)
    assert np.abs(pixels(scope["x"]) - shown).max() <= 1


def test_the_example_comes_back_from_its_files(app, tmp_path):
    examples.write(panel.PANEL.keep(), app, tmp_path)
    kept = examples.example(panel.NAME, tmp_path)
    value = timeline(kept.value, kept.note, live=False)
    assert value.provenance.startswith("example, computed on ") and not value.autoplay
    assert value.total == panel.COUNT.default
