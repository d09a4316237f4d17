"""Between two faces, four corners, arithmetic and variations, without a page."""

from __future__ import annotations

import pytest
import torch

from demos.page.handlers import App
from demos.tabs.latent_space import mix
from demos.tabs.latent_space.models import (
    DRAWING,
    PORTRAIT,
    PORTRAITS,
    RANDOM,
    UPLOAD,
    FaceInput,
    code_of,
    numbered,
    portrait,
)
from demos.tabs.vae.interpolate import walks
from gen_core import Noise
from gen_core.knobs import KnobError
from gen_core.latent.interpolation import four_corners
from gen_core.sampling import pixels
from latent_fixtures import lab
from sampling_fixtures import picture


@pytest.fixture(scope="module")
def app(tmp_path_factory) -> App:
    with lab(tmp_path_factory.mktemp("lab")) as app:
        yield app


def decoded(app: App, z: torch.Tensor):
    with torch.inference_mode():
        return pixels(app.model(PORTRAITS).decode(z))


def drawn(app: App, **changes) -> dict:
    *_, table = mix.draw(app, **mix.PANEL.kept(app) | changes)
    return table.to_json()


def shown(cell: dict):
    return picture(cell["picture"]).astype(int)


# --- faces ----------------------------------------------------------------------------------------


def face_input(app: App) -> FaceInput:
    return FaceInput(app, title="From", prefix="from_", which="first", number=3)


def settings(source: str, number: int = 3) -> dict:
    return {"from_source": source, "from_number": number}


def test_a_face_is_a_portrait_or_a_random_code(app):
    face = face_input(app).read(None, None, settings(PORTRAIT, 4))
    assert torch.equal(face.z, code_of(app, PORTRAITS, portrait(4))) and face.name == "portrait 4"
    random = face_input(app).read(None, None, settings(RANDOM, 4))
    assert torch.equal(random.z, Noise([4]).randn(6))


@pytest.mark.parametrize(
    ("source", "drawing", "upload", "message"),
    [
        (DRAWING, None, None, "drawing: the paper is empty, draw something first"),
        (DRAWING, "data:image/png;base64,AAAA", None, "drawing: this file cannot be read"),
        (DRAWING, 7, None, "drawing: takes a PNG data URL"),
        (UPLOAD, None, None, "upload: choose a picture file first"),
        (UPLOAD, None, "/etc/passwd", "takes one picture file"),
        (PORTRAIT, None, None, "portrait=1000000: choose a whole number from 0 to 999999"),
    ],
)
def test_what_is_no_face_gets_a_message(app, source, drawing, upload, message):
    with pytest.raises(KnobError, match=message):
        face_input(app).read(drawing, upload, settings(source, 1_000_000))


# --- the table ------------------------------------------------------------------------------------


def test_corners_are_the_faces_and_the_middle_is_their_mean():
    corners = torch.randn(4, 6, generator=torch.manual_seed(0))
    grid = four_corners(corners, 5)
    for (y, x), corner in zip([(0, 0), (0, 4), (4, 0), (4, 4)], corners, strict=True):
        torch.testing.assert_close(grid[y, x], corner)
    torch.testing.assert_close(grid[2, 2], corners.mean(0))
    torch.testing.assert_close(grid[0, 2], corners[:2].mean(0))


def test_the_four_corners_of_the_table_are_the_four_portraits(app):
    table = drawn(app)
    rows, numbers = table["rows"], [mix.FIRST[x] for x in "abcd"]
    cells = [rows[y]["cells"][x] for y in (0, -1) for x in (0, -1)]
    for cell, number, letter in zip(cells, numbers, "ABCD", strict=True):
        assert cell["note"] == f"{letter}: {number}"
        assert abs(shown(cell) - decoded(app, numbered(app, number).z)[0]).max() <= 1


def test_a_sum_adds_to_c_what_a_has_and_b_has_not(app):
    a, b, c = (numbered(app, mix.FIRST[x]).z for x in "abc")
    table = drawn(app, what=mix.SUM)
    cells = {cell["note"]: cell for cell in table["rows"][-1]["cells"]}
    assert abs(shown(cells["s = 1"]) - decoded(app, a - b + c)[0]).max() <= 1
    assert abs(shown(cells["s = 0"]) - decoded(app, c)[0]).max() <= 1
    real = shown(table["rows"][0]["cells"][0])
    assert abs(real - pixels(portrait(mix.FIRST["a"]))[0]).max() == 0


def test_variations_begin_with_the_face_and_widen_with_the_strength(app):
    still = drawn(app, what=mix.VARIATIONS, strength=0.0)
    for row in still["rows"]:
        assert all((shown(cell) == shown(row["cells"][0])).all() for cell in row["cells"])
    wide = drawn(app, what=mix.VARIATIONS, strength=1.5)
    away = [abs(shown(row["cells"][1]) - shown(row["cells"][0])).mean() for row in wide["rows"]]
    assert away == sorted(away) and away[0] < away[-1]
    assert drawn(app, what=mix.VARIATIONS, seed=5) != drawn(app, what=mix.VARIATIONS, seed=6)


def test_a_portrait_that_is_not_used_is_not_asked_for(app):
    drawn(app, what=mix.VARIATIONS, d=10**9)
    with pytest.raises(KnobError, match="portrait=1000000000: choose"):
        drawn(app, d=10**9)


@pytest.mark.parametrize("what", [mix.CORNERS, mix.SUM, mix.VARIATIONS])
def test_the_code_that_is_shown_draws_the_same(app, what):
    scope: dict = {}
    exec(mix.code(mix.PANEL.kept(app) | {"what": what}), scope)
    table, x = drawn(app, what=what), pixels(scope["x"])
    if what == mix.CORNERS:
        cells = [cell for row in table["rows"] for cell in row["cells"]]
    elif what == mix.SUM:
        cells = [c for c in table["rows"][-1]["cells"] if c["note"] == "s = 1"]
    else:
        cells = table["rows"][mix.AMOUNTS.index(1.0)]["cells"][1:]
    assert len(cells) == len(x)
    for cell, drawing in zip(cells, x, strict=True):
        assert abs(shown(cell) - drawing).max() <= 1


# --- between two ----------------------------------------------------------------------------------


def test_the_kept_walk_goes_from_one_portrait_to_the_other(app):
    walked = mix.BETWEEN_PANEL.keep().make(app)
    a, b = (numbered(app, number).z[0] for number in (mix.FIRST["a"], mix.FIRST["b"]))
    assert walked["lengths"]["Straight"][0] == pytest.approx(float(a.norm()), abs=1e-3)
    assert walked["lengths"]["Spherical"][-1] == pytest.approx(float(b.norm()), abs=1e-3)
    expected = walks(app.model(PORTRAITS), a, b, 25)
    assert (walked["pictures"]["Straight"] == expected["pictures"]["Straight"]).all()
