"""The sliders by meaning and by variance, without a page: moves as text, and the answers."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from conftest import answer_of
from core_fixtures import tiny
from demos.page.handlers import App
from demos.tabs.latent_space import sliders
from demos.tabs.latent_space.models import (
    MOST_PORTRAITS,
    PORTRAITS,
    UNSEEN_FROM,
    atlas,
    code_of,
    portrait,
)
from demos.widgets.meaning_sliders import AXES, DIRECTIONS, Move, MoveKnob, Mover, parse_move
from gen_core.data.avatars import avatars
from gen_core.data.splits import AVATARS
from gen_core.knobs import KnobError
from gen_core.latent import analyze
from gen_core.latent.traits import TRAITS
from gen_core.sampling import pixels
from latent_fixtures import lab
from sampling_fixtures import picture


@pytest.fixture(scope="module")
def app(tmp_path_factory) -> App:
    with lab(tmp_path_factory.mktemp("lab")) as app:
        yield app


# --- a move as text -------------------------------------------------------------------------------


def test_a_move_survives_its_text():
    move = Move(12, (("smile", 1.5), ("pc2", -0.75)))
    assert str(move) == "12;smile:1.5;pc2:-0.75"
    assert parse_move(str(move), MOST_PORTRAITS) == move
    assert parse_move("0", MOST_PORTRAITS) == Move(0)
    assert (
        MoveKnob("move", "Sliders", "move", "0", faces=sliders.FACES).from_text("7;age:1.0")
        == "7;age:1"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "takes a face and directions"),
        (7, "takes a face and directions"),
        ("", "face='': choose a whole number"),
        ("-1", "face=-1: choose a whole number from 0 to 999999"),
        ("1.5", "face=1.5: choose a whole number"),
        ("nan", "face=nan: choose a whole number"),
        ("3;wit:1", "direction='wit': choose one of smile, age, turn"),
        ("3;pc99:1", "direction='pc99': choose one of"),
        ("3;smile", "smile='': choose a number from -3 to 3"),
        ("3;smile:nan", "smile=nan: choose a number from -3 to 3"),
        ("3;smile:4", "smile=4: choose a number from -3 to 3"),
        ("3;" + "smile:1;" * 200, "takes a face and directions"),
    ],
)
def test_what_is_no_move_gets_a_message(text, message):
    with pytest.raises(KnobError, match=message):
        parse_move(text, MOST_PORTRAITS)


# --- the face -------------------------------------------------------------------------------------


def test_faces_are_portraits_that_training_does_not_show():
    images, _ = avatars([UNSEEN_FROM + 5])
    assert torch.equal(((portrait(5) + 1) * 127.5).round().byte(), images)
    assert UNSEEN_FROM not in AVATARS["train"]


def test_the_face_that_nothing_moves_is_its_own_reconstruction(app):
    answer = Mover(app, sliders.FACES).move("5")
    model = app.model(PORTRAITS)
    with torch.inference_mode():
        expected = pixels(model.decode(code_of(app, PORTRAITS, portrait(5))))[0]
    assert (picture(answer.picture) == expected).all()
    assert answer.start == answer.picture and set(answer.changes.values()) == {0}


@pytest.mark.parametrize("name", ["smile", "glasses", "pc1"])
def test_a_slider_moves_the_code_as_it_says(app, name):
    known, model = atlas(app, PORTRAITS), app.model(PORTRAITS)
    start = code_of(app, PORTRAITS, portrait(5))
    if name in TRAITS:
        z = known.regressor.moved(start, {name: 2.0})
    else:
        z = start + 2 * known.scales[0] * known.axes[0].float()
    answer = Mover(app, sliders.FACES).move(f"5;{name}:2")
    with torch.inference_mode():
        expected = pixels(model.decode(z))[0]
    assert abs(picture(answer.picture).astype(int) - expected).max() <= 1
    assert answer.picture != answer.start


def test_what_the_classifier_sees_change_is_counted_in_deviations_of_the_data(app):
    model, judge = app.model(PORTRAITS), app.model("judge-avatars")
    z = code_of(app, PORTRAITS, portrait(2))
    moved = atlas(app, PORTRAITS).regressor.moved(z, {"smile": 3.0})
    seen = [analyze.seen_traits(judge, analyze.decoded(model, code))[0] for code in (z, moved)]
    expected = (seen[1] - seen[0]) / analyze.spreads()
    told = Mover(app, sliders.FACES).move("2;smile:3").changes
    assert list(told) == list(TRAITS)
    assert list(told.values()) == pytest.approx(expected.tolist(), abs=0.006)


def test_the_page_learns_of_every_direction(app):
    told = Mover(app, sliders.FACES).describe()
    names = [trait["name"] for trait in told["traits"]]
    assert [*names, *(f"pc{k + 1}" for k in range(AXES))] == DIRECTIONS
    assert told["axes"] == sorted(told["axes"], reverse=True) and sum(told["axes"]) <= 1.001


@pytest.mark.parametrize("bad", [None, 7, "x", "3;smile:9", {"face": 1}])
def test_errors_come_back_as_messages(app, bad):
    answer = answer_of(app.serve(Mover(app, sliders.FACES).move), bad)
    assert list(answer) == ["error"] and len(answer["error"]) < 200


def test_the_code_that_is_shown_runs_and_gives_the_same_face(app):
    move = Move(3, (("age", -1.0), ("pc2", 0.5)))
    scope: dict = {}
    exec(sliders.code({"move": move}), scope)
    shown = picture(Mover(app, sliders.FACES).move(str(move)).picture)
    assert abs(pixels(scope["x"])[0].astype(int) - shown).max() <= 1


# --- the figures ----------------------------------------------------------------------------------


def test_spreads_are_those_of_the_data():
    told = dict(zip(TRAITS, analyze.spreads().tolist(), strict=True))
    assert told["smile"] == pytest.approx(3**-0.5, abs=0.02)  # even from -1 to 1
    assert told["age"] == pytest.approx(12**-0.5, abs=0.02)
    assert 0.4 < told["glasses"] <= 0.5


def test_effects_tell_a_good_slider_from_a_bad_one(app):
    """A decoder whose first number is the picture's brightness, which a judge reads as all
    measures; a reader whose smile is that number, whose turn its opposite, whose age another."""

    class Brightness(torch.nn.Module):
        device = torch.device("cpu")

        def decode(self, z):
            return z[:, :1, None, None].expand(-1, 3, 4, 4)

        def answers(self, x):
            judge = tiny("avatar-judge")
            logits, numbers = judge.answers(torch.zeros(len(x), judge.outputs))
            return logits, torch.cat([x.mean((1, 2, 3))[:, None]] * numbers.shape[1], dim=1)

        def forward(self, x):
            return x

    class Straight:
        def moved(self, z, by):
            ways = {"smile": (0, 1.0), "age": (1, 1.0), "turn": (0, -1.0)}
            step = torch.zeros(6)
            for name, far in by.items():
                number, way = ways.get(name, (2, 1.0))
                step[number] = way * far
            return z + step

    changed = replace(atlas(app, PORTRAITS), regressor=Straight())
    told = analyze.measure_sliders(Brightness(), Brightness(), changed, faces=20, strength=1.0)[
        "by_trait"
    ]
    assert told["smile"]["right"] == 1 and told["age"]["right"] == 0 and told["turn"]["right"] == 0
    far = 2 / float(analyze.spreads()[0])
    assert told["smile"]["change"]["smile"] == pytest.approx(far, rel=1e-3)
    assert analyze.others({"smile": 2.0, "age": -1.0, "turn": 0.5}, "smile") == pytest.approx(0.375)


def test_the_table_says_what_was_measured():
    row = {"right": 0.98, "change": {"smile": 1.5, "age": -0.3}, "stir": {"smile": 1.5, "age": 0.4}}
    told = {
        "sliders": {"faces": 500, "strength": 1.0, "by_trait": {"smile": row}},
        "date": "2026-11-22",
        "hardware": "a laptop",
    }
    shown = sliders.section(told)
    for part in ("98.0%", "+1.50", "20%", "age −0.30", "500 faces", "22 November 2026, a laptop"):
        assert part in shown
