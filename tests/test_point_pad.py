"""Data that visitors draw: points as short texts, the pad as a knob, the lab trained on them."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demos.page.handlers import App
from demos.tabs.gan import lab, lab_knobs, lab_many
from demos.widgets.point_pad import DRAWN, PointsKnob
from gen_core import paths
from gen_core.data.planes import EDGE, MOST_POINTS
from gen_core.data.point_texts import LAST, read_points, write_points
from gen_core.knobs import KnobError
from gen_core.lab import Game, Settings
from sampling_fixtures import defaults, values

ONE, MANY = lab.PANEL, lab_many.PANEL
STEP = 2 * EDGE / LAST
"""Between two levels."""
CROSS = ((0.0, 0.0), (2.0, 2.0), (-2.0, -2.0), (2.0, -2.0), (-2.0, 2.0))
places = st.floats(-EDGE, EDGE)


# --- texts ----------------------------------------------------------------------------------------


@given(st.lists(st.tuples(places, places), max_size=40))
def test_points_come_back_to_the_nearest_level(points):
    text = write_points(points)
    found = read_points(text)
    assert len(text) == 3 * len(points) == 3 * len(found)
    for one, other in zip(points, found, strict=True):
        assert all(abs(a - b) <= STEP / 2 + 1e-4 for a, b in zip(one, other, strict=True))
    assert write_points(found) == text


def test_the_middle_and_the_corners_are_exact():
    corners = ((0.0, 0.0), (EDGE, EDGE), (-EDGE, EDGE), (-EDGE, -EDGE))
    assert read_points(write_points(corners)) == corners
    assert read_points("") == () and write_points([(0, 0)]) == "f7_"


@pytest.mark.parametrize("text", ["A", "AAAA", "___", "AA ", "AAÄ", "A+/", "[1]"])
def test_another_text_is_refused(text):
    with pytest.raises(KnobError, match="draw them, or write three of"):
        read_points(text)


def test_a_thousand_points_are_the_most():
    assert len(read_points("f7_" * MOST_POINTS)) == MOST_POINTS
    with pytest.raises(KnobError, match=r"holds 1,001 points: draw at most 1,000"):
        read_points("f7_" * (MOST_POINTS + 1))


@pytest.mark.parametrize("value", [None, 3, [], math.nan, "A", "AAA" * 1001])
def test_the_knob_takes_nothing_else(value):
    with pytest.raises(KnobError, match="points"):
        PointsKnob().check(value)


# --- the lab --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def app() -> App:
    return App("cpu")


def drawn(panel: Any, points: tuple[tuple[float, float], ...], **changes: Any) -> dict[str, Any]:
    few = {"width": 8, "batch": 16, "steps": 4, "frames": 2}
    chosen = defaults(panel, data=DRAWN, points=write_points(points))
    return chosen | few | changes


def test_a_training_imitates_what_was_drawn(app):
    *_, value = values(lab.train(app, **drawn(ONE, CROSS)))
    assert value["modes"] == 5 and value["verdict"].endswith("on modes.")
    assert "Data set: drawn, 5 points" in value["changed"]
    *_, both = values(lab_many.train_many(app, **drawn(MANY, CROSS)))
    assert both["modes"] == [5] and "of 20." in both["verdict"]


@pytest.mark.parametrize("count", [1, MOST_POINTS])
def test_one_point_will_do_and_a_thousand(app, count):
    points = tuple((3 * math.cos(k), 3 * math.sin(k)) for k in range(count))
    *_, value = values(lab.train(app, **drawn(ONE, points)))
    assert value["verdict"] and value["modes"] == (1 if count == 1 else 0)


def test_no_point_is_a_message(app):
    with pytest.raises(KnobError, match="draw at least one point"):
        next(lab.train(app, **drawn(ONE, ())))


def test_points_count_only_while_they_are_the_data():
    chosen = drawn(ONE, CROSS)
    assert lab_knobs.settings_of(chosen).points == CROSS
    assert lab_knobs.settings_of(chosen | {"data": "ring"}).points == ()
    assert "read_points" not in lab.code(chosen | {"data": "ring"})


def test_the_printed_code_trains_on_them(app):
    scope: dict[str, Any] = {}
    exec(lab.code(drawn(ONE, CROSS)), scope)
    assert scope["settings"].points == CROSS
    game = Game(lab_knobs.settings_of(drawn(ONE, CROSS)), [0])
    for _ in range(4):
        game.step()
    assert (game.state.generator.weights == scope["state"].generator.weights).all()


def test_both_labs_of_the_library_take_what_a_text_holds():
    points = read_points(write_points(CROSS))
    assert Settings(data="points", points=points).points == CROSS
    training = paths.Training(paths.Settings(data="points", points=points, width=8), seeds=[0])
    assert len(training.plane.modes) == 5
