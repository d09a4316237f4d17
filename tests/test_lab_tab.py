"""The GAN tab's lab: what is shown of a training is the training, how runs are counted, what is too
much, and what the table tells."""

from __future__ import annotations

import base64
import contextlib
import io
import json
from html import unescape
from typing import Any
from urllib.parse import parse_qsl

import gradio
import numpy as np
import pytest
import torch
from gradio_client.utils import apply_diff

from conftest import answer_of
from demos.page import pace
from demos.page.handlers import App
from demos.tabs.gan import lab, lab_knobs, lab_many
from demos.widgets.lab import RECORD, verdict
from demos.widgets.lab_many import record_type
from demos.widgets.plane import SPAN, Film
from gen_core.knobs import KnobError
from gen_core.lab import KNOBS, Camera, Game, Settings
from gen_core.lab.counting import measured
from gen_core.lab.measures import Modes
from gen_core.lab.presets import PRESETS
from gen_core.progress import Progress
from sampling_fixtures import defaults, values

ONE, MANY = lab.PANEL, lab_many.PANEL
SMALL = {"width": 8, "batch": 16}
PLANE = 2 * SPAN / 65535


@pytest.fixture(scope="module")
def app() -> App:
    return App("cpu")


def knobs_of(panel: Any, **changes: Any) -> dict[str, Any]:
    """Of a short run of small networks; changes as `run` takes them, unchecked."""
    return defaults(panel) | SMALL | {"steps": 20, "frames": 10} | changes


def trained(app: App, **changes: Any) -> list[dict[str, Any]]:
    return values(lab.train(app, **knobs_of(ONE, **changes)))


def together(app: App, **changes: Any) -> list[dict[str, Any]]:
    return values(lab_many.train_many(app, **knobs_of(MANY, **changes)))


def film(value: dict[str, Any], kind: np.dtype = RECORD) -> np.ndarray:
    """All frames of a value."""
    return np.frombuffer(b"".join(map(base64.b64decode, value["chunks"])), kind)


# --- one training ---------------------------------------------------------------------------------


def test_what_is_shown_is_the_training_itself(app):
    *_, value = trained(app, seed=3, r1=0.5)
    frames = film(value)
    assert frames["step"].tolist() == [*range(0, 21, 2)]
    game = Game(Settings(**SMALL, r1=0.5), [3])
    camera = Camera(game)
    while game.state.step < 14:
        game.step()
    frame, shown = camera.frame(), frames[7]
    places = shown["samples"] * PLANE - SPAN
    assert np.allclose(places, frame.samples[0].clamp(-SPAN, SPAN), atol=PLANE)
    assert np.allclose(shown["losses"], [float(loss) for loss in frame.losses])
    assert shown["divergence"] == frame.divergence and shown["covered"] == frame.modes.covered
    real = shown["field"] / 127.5 - 1
    assert np.allclose(real, 2 * frame.field[0].sigmoid() - 1, atol=0.01)
    moved = np.sign(shown["pull"][abs(shown["pull"]) > 2])
    sent = frame.pull[0, :64].numpy()[abs(shown["pull"]) > 2]
    assert len(moved) > 20 and (moved == np.sign(sent)).all()


def test_frames_come_while_it_trains_and_gradio_puts_them_together(app, monkeypatch):
    monkeypatch.setattr("demos.widgets.plane.LONGEST", 0)
    before, *later = trained(app)
    assert len(later) == 11 and len(film(before)) == 1
    for value in later:
        edits = json.loads(json.dumps(gradio.utils.diff(before, value)))
        before = apply_diff(before, edits)
        assert before == value
        fresh = sum(len(edit[2] or "") for edit in edits if edit[0] == "add")
        assert fresh <= 1.5 * RECORD.itemsize  # what the page has is not sent again
    assert later[-1]["verdict"] and not later[-2]["verdict"]


def test_messages_are_small_also_where_frames_come_fast(monkeypatch):
    monkeypatch.setattr("demos.widgets.plane.LONGEST", 1e9)
    told, row = Film(), np.zeros((), RECORD)
    for _ in range(200):
        told.add(row)
        if told.due:
            told.told()
    assert max(map(len, told.told())) < 150_000
    assert sum(map(len, told.chunks)) == pytest.approx(200 * RECORD.itemsize * 4 / 3, rel=0.01)


def test_others_get_their_turn_while_it_trains_and_the_page_few_messages(app, monkeypatch):
    monkeypatch.setattr(pace, "TURN", 0.0)
    turns = [p for p in lab.train(app, **knobs_of(ONE, steps=50)) if isinstance(p, Progress)]
    assert len(turns) == 51  # after every step
    monkeypatch.setattr(pace, "TOLD_SECONDS", 1e9)
    turns = [p for p in lab.train(app, **knobs_of(ONE, steps=50)) if isinstance(p, Progress)]
    assert len(turns) == 51 and {*map(id, turns)} == {id(turns[0])}


def test_a_set_without_modes_is_measured_by_its_distance(app):
    *_, value = trained(app, data="moons")
    assert value["modes"] == 0 and value["verdict"].startswith("Jensen-Shannon divergence 0.")


def modes(covered: int, on_modes: float) -> Modes:
    stray = torch.tensor([on_modes < 0.8])
    collapsed = torch.tensor([covered <= 4]) & ~stray
    return Modes(torch.tensor([covered]), torch.tensor([on_modes]), collapsed, stray)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (modes(8, 0.96), "Covers 8 of 8 modes; 96% of samples on modes."),
        (modes(2, 0.9), "Collapsed: covers 2 of 8 modes; 90% of samples on modes."),
        (modes(2, 0.4), "Not converged: only 40% of samples on modes"),
    ],
)
def test_a_verdict_follows_the_definitions(app, found, said):
    frame = Camera(Game(Settings(**SMALL), [0])).frame()
    assert lab.verdict_of(frame.__class__(**vars(frame) | {"modes": found}), 8).startswith(said)


def test_colours_mean_the_same_for_every_loss():
    logit = torch.linspace(-3, 3, 7)
    assert torch.allclose(verdict(logit, "non-saturating"), 2 * logit.sigmoid() - 1)
    for loss in ("wasserstein", "relativistic"):  # only differences count
        assert torch.allclose(verdict(logit, loss), verdict(logit + 50, loss), atol=1e-4)
    assert verdict(torch.tensor([0.0, 0.5, 1.0]), "least squares").sign().tolist() == [-1, 0, 1]
    assert verdict(torch.tensor([torch.nan]), "hinge") == 0


def test_a_run_ends_when_its_time_is_over(app, monkeypatch):
    monkeypatch.setattr(pace, "MOST_SECONDS", 0)
    *_, value = trained(app)
    assert value["verdict"].startswith("Ended at step 1 of 20")
    assert film(value)["step"].tolist() == [0, 1]  # what is told is told of where it ended


# --- single turns ---------------------------------------------------------------------------------


def test_single_turns_go_on_from_the_end_of_the_run(app):
    *_, value = trained(app, seed=1)
    ask = app.serve(lab.one_turn)

    def after(*players: str) -> np.ndarray:
        answer = answer_of(ask, {"turns": value["turns"], "players": [*players]})
        return np.frombuffer(base64.b64decode(answer["frame"]), RECORD)[0]

    end = film(value)[-1]
    judged = after("discriminator")
    assert (judged["samples"] == end["samples"]).all()
    assert (judged["field"] != end["field"]).any()
    moved = after("generator")
    assert (moved["samples"] != end["samples"]).any() and (moved["field"] == end["field"]).all()
    game = Game(Settings(**SMALL), [1])
    for _ in range(20):
        game.step()
    for player in ("discriminator", "generator", "generator"):
        game.step(player)
    frame = Camera(game).frame()
    both = after("discriminator", "generator", "generator")
    assert both["divergence"] == frame.divergence


def test_a_turn_is_played_once(app, monkeypatch):
    *_, value = trained(app, seed=1)
    played, step = [], Game.step
    monkeypatch.setattr(Game, "step", lambda self, who: played.append(who) or step(self, who))
    for count in (1, 2, 3):
        asked = {"turns": value["turns"], "players": ["generator"] * count}
        assert "frame" in answer_of(app.serve(lab.one_turn), asked)
    assert played == ["generator"] * 3


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (None, "give a list"),
        ({"turns": "x", "players": ["generator"]}, "no longer kept"),
        ({"turns": ["x"], "players": ["generator"]}, "no longer kept"),
        ({"turns": "x", "players": []}, "choose a whole number from 1 to 60"),
        ({"turns": "x", "players": ["generator"] * 61}, "choose a whole number from 1 to 60"),
    ],
)
def test_turns_that_cannot_be_taken_are_named(app, asked, said):
    assert said in answer_of(app.serve(lab.one_turn), asked)["error"]


def test_nobody_else_moves(app):
    *_, value = trained(app)
    answer = answer_of(app.serve(lab.one_turn), {"turns": value["turns"], "players": ["both"]})
    assert "choose one of discriminator, generator" in answer["error"]


# --- the controls ---------------------------------------------------------------------------------


@pytest.mark.parametrize("panel", [ONE, MANY], ids=lambda panel: panel.id)
def test_the_controls_are_the_settings(panel):
    """All but points that are drawn; at first they are the healthy game."""
    first = defaults(panel)
    names = {knob.name for knob in KNOBS}
    assert names <= first.keys()
    assert Settings(**{name: first[name] for name in names}) == Settings()


def test_every_preset_can_be_played():
    assert [*lab_knobs.PLAYS.values()] == [lab_knobs.HEALTHY, *PRESETS]
    assert max(map(len, lab_knobs.PLAYS)) <= 30


def test_a_game_to_start_from_says_what_to_look_for(app):
    *_, value = trained(app, **PRESETS["leak"].broken, width=64, batch=128, steps=2)
    assert PRESETS["leak"].look in value["look"]
    assert value["changed"] == "Set: Mistake: no detach, not zeroed"
    for play in ("weak", "clump"):  # one game, mended in two ways
        *_, value = trained(app, **PRESETS[play].broken, play=play, width=64, batch=128, steps=2)
        assert PRESETS[play].look in value["look"]
    *_, value = trained(app, **PRESETS["leak"].broken)
    assert value["look"] == ""  # of other settings nobody knows


@pytest.mark.parametrize(
    ("run", "changes", "said"),
    [
        (trained, {"batch": 15, "packing": 2}, "choose a multiple of packing=2"),
        (trained, {"width": 256, "batch": 512, "unrolled": 10}, "choose less of one"),
        (together, {"width": 256, "batch": 512}, "in 20 runs are"),
        (together, {"batch": 10, "minibatch_discrimination": True}, "falls into groups"),
        (
            together,  # small networks, and 44 seconds a step
            {"width": 4, "depth": 1, "batch": 512, "minibatch_discrimination": True}
            | {"r1": 1.0, "gradient_penalty": 1.0, "unrolled": 5},
            "in 20 runs are",
        ),
        (
            trained,
            {"unrolled": 10, "r1": 1.0, "minibatch_discrimination": True, "width": 64}
            | {"batch": 128},
            "in 1 run are",
        ),
    ],
)
def test_what_cannot_be_trained_is_named(app, run, changes, said):
    with pytest.raises(KnobError) as error:
        run(app, **changes)
    assert said in str(error.value)


# --- twenty seeds ---------------------------------------------------------------------------------


def test_twenty_runs_are_those_of_their_seeds(app):
    *_, value = together(app, seed=5, steps=12, frames=6)
    frames = film(value, record_type(20))
    assert frames["step"].tolist() == [*range(0, 13, 2)] and value["seeds"] == [*range(5, 25)]
    game = Game(Settings(**SMALL), [7])
    camera = Camera(game)
    for _ in range(12):
        game.step()
    places = frames["samples"][-1, 2] / 255 * 2 * SPAN - SPAN
    assert np.allclose(places, camera.samples()[0, :64].clamp(-SPAN, SPAN), atol=SPAN / 200)
    assert frames["covered"][-1, 2] == camera.modes(camera.samples()).covered[0]


def test_both_sides_are_trained_from_the_same_seeds(app):
    *_, value = together(app, play="weak", steps=4, lr_discriminator=5e-4)
    assert value["titles"] == ["As it is set", "Mended (Discriminator's learning rate: 0.005)"]
    frames = film(value, record_type(40))
    assert (frames["samples"][0, :20] == frames["samples"][0, 20:]).all()
    assert (frames["samples"][-1, :20] != frames["samples"][-1, 20:]).any()
    assert [len(row) for row in value["outcomes"]] == [20, 20] and len(value["counts"]) == 2
    *_, alone = together(app, play="weak", side="mended", steps=4, lr_discriminator=5e-4)
    assert alone["titles"] == value["titles"][1:]
    (last,) = film(alone, record_type(20))["samples"][-1:]
    assert (last == frames["samples"][-1, 20:]).all()


def test_runs_are_counted_and_set_beside_the_prediction(app):
    found = Modes(
        torch.tensor([8, 8, 6, 3, 8]),
        torch.tensor([0.9, 0.9, 0.9, 0.9, 0.5]),
        torch.tensor([False, False, False, True, False]),
        torch.tensor([False, False, False, False, True]),
    )
    outcomes = lab_many.outcomes_of(found, 8)
    assert outcomes == ["all", "all", "part", "collapsed", "stray"]
    assert lab_many.count_line(outcomes, 8, torch.zeros(5)) == (
        "covers all 8 in 2 of 5, only a part in 1, collapsed in 1, not converged in 1"
    )
    assert lab_many.covering([3, 18]) == "Every mode is covered in 3 of 20; mended, in 18."
    assert lab_many.foretold(10, 3) == "You said 10: 7 too many."
    assert lab_many.foretold(1, 3) == "You said 1: 2 too few."
    *_, value = together(app, predicted=0, steps=2)
    assert value["verdict"] == "Every mode is covered in 0 of 20."
    assert value["foretold"] == "You said 0: exactly right."


def test_games_of_sets_with_other_modes_stand_side_by_side(app):
    *_, value = together(app, play="leak", data="spiral", steps=2, mistake="simultaneous")
    assert value["modes"] == [0, 0] and "bits from the data" in value["verdict"]


# --- the table ------------------------------------------------------------------------------------


def test_the_table_tells_what_was_counted_and_links_to_it():
    table = unescape(lab_many.figures())
    for name, row in measured().items():
        preset = PRESETS[name]
        assert preset.title in table and preset.look in table
        for game in ("broken", "mended"):
            assert f"<b>{row[game]['all modes']}</b> of {row['seeds']} cover every mode" in table
        asked = dict(parse_qsl(unescape(lab_many.link(name)).split('"')[1][1:]))
        own = {key.rpartition(".")[2]: value for key, value in asked.items()}
        controls = {knob.name: knob for knob in MANY.declared(App("cpu"))[0]}
        read = {
            key: controls[key].check(controls[key].from_text(value))
            for key, value in own.items()
            if key in controls
        }
        assert read.pop("play") == name and read.pop("steps") == preset.steps
        assert Settings(**read) == preset.games["broken"]
    assert len(measured()) > 3


def test_a_pair_that_was_not_counted_is_left_out(monkeypatch):
    told = {"leak": measured()["leak"]}
    monkeypatch.setattr(lab_many, "measured", lambda: told)
    assert lab_many.figures().count("<tr>") == 2  # with the heads
    monkeypatch.setattr(lab_many, "measured", dict)
    assert lab_many.figures() == ""


# --- the printed code -----------------------------------------------------------------------------


def test_the_printed_code_trains_the_same(app):
    knobs = knobs_of(ONE, seed=2, r1=0.5)
    scope: dict[str, Any] = {}
    exec(lab.code(knobs), scope)
    *_, value = values(lab.train(app, **knobs))
    assert float(scope["frame"].divergence) == film(value)[-1]["divergence"]


def test_the_printed_code_counts_the_same():
    knobs = knobs_of(MANY, play="leak", steps=3, mistake="no detach, not zeroed")
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(lab_many.code(knobs), {})
    assert said.getvalue().count("0 collapsed, 20 not converged") == 2
    assert "settings, settings.but(mistake='none')" in lab_many.code(knobs)
    assert "in [settings]:" in lab_many.code(knobs | {"side": "broken"})
