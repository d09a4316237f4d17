"""Flow matching's Four roads: what is shown are the roads of the library, from one noise; what is
said of them was measured; a visitor's point takes the same roads."""

from __future__ import annotations

import base64
import contextlib
import io
import json
from typing import Any

import numpy as np
import pytest
import torch

from conftest import answer_of
from demos.page import pace
from demos.page.examples import FOLDER, example
from demos.page.handlers import App
from demos.tabs.flow import roads
from demos.tabs.flow.roads_compared import (
    JUDGED,
    KEY_FRAMES,
    SHOWN,
    Worth,
    four_ways,
    moments,
    verdict,
)
from demos.widgets.plane import SPAN
from demos.widgets.roads import GRID, REACH
from gen_core.data.planes import load_plane
from gen_core.data.yardstick import RANKED, Yardstick
from gen_core.knobs import KnobError
from gen_core.paths import Exact, Settings, Training, reflow, road, straightness
from gen_core.paths.roads import distance, reference
from gen_core.progress import Progress
from gen_core.sampling import MAX_SEED, Noise
from sampling_fixtures import defaults, values

SMALL = {"width": 8, "training_steps": 12}
PLANE = 2 * SPAN / 65535
TITLES = ["Diffusion, fresh noise", "Diffusion's ODE", "Flow matching", "Reflowed flow"]


@pytest.fixture(scope="module")
def app() -> App:
    return App("cpu")


def knobs(**changes: Any) -> dict[str, Any]:
    """Of small networks; changes as `compare` takes them, unchecked."""
    return defaults(roads.PANEL) | SMALL | changes


def compared(app: App, **changes: Any) -> list[dict[str, Any]]:
    return values(roads.compare(app, **knobs(**changes)))


def places(text: str, count: int = SHOWN) -> np.ndarray:
    """(frames, count, 2)"""
    sent = np.frombuffer(base64.b64decode(text), "<u2").reshape(-1, count, 2)
    return sent * PLANE - SPAN


@pytest.fixture(scope="module")
def exact(app) -> dict[str, Any]:
    """A finished run on the exact field."""
    return compared(app, data="ring", moves="exact", steps=4, seed=3)[-1]


@pytest.fixture(scope="module")
def learned(app) -> list[dict[str, Any]]:
    """All values of a run on networks."""
    return compared(app, seed=5)


# --- roads ----------------------------------------------------------------------------------------


def test_all_roads_begin_in_the_same_noise_and_are_those_of_the_library(exact):
    start = Noise(range(3, 3 + SHOWN)).randn(2)
    toy = load_plane("ring").toy
    fields = {1: Exact(toy, "linear"), 2: Exact(toy, "straight")}
    assert [shown["title"] for shown in exact["roads"]] == TITLES
    assert exact["times"] == [0, 0.25, 0.5, 0.75, 1]
    for k, shown in enumerate(exact["roads"]):
        points = places(shown["points"])
        assert np.allclose(points[0], start.clamp(-SPAN, SPAN), atol=PLANE)
        assert np.allclose(points[0], places(exact["start"])[0])
        if k in fields:
            way = road(fields[k], start, "euler", 4)
            assert np.allclose(points, way.points.clamp(-SPAN, SPAN), atol=PLANE)
    mixed, ode = (places(exact["roads"][k]["points"])[-1] for k in (0, 1))
    assert np.abs(mixed - ode).mean() > 0.3  # chance says where a point ends


def test_the_arrows_are_the_field_where_they_stand(exact):
    sent = np.frombuffer(base64.b64decode(exact["roads"][2]["arrows"]), "i1")
    arrows = torch.from_numpy(sent.reshape(5, GRID, GRID, 2).copy()).float()
    assert exact["roads"][0]["arrows"] == ""  # those of the ODE, whose network it is
    column, row = 3, 9
    place = torch.tensor([[(2 * k + 1) / GRID - 1 for k in (column, row)]]) * REACH
    velocity = Exact(load_plane("ring").toy, "straight").velocity(place, 0.5)[0]
    arrow = arrows[2, column, row]
    assert torch.cosine_similarity(arrow, velocity, dim=0) > 0.99
    assert (arrow.norm() / 127).atanh() * 2 == pytest.approx(float(velocity.norm()), rel=0.05)


def test_beside_a_network_s_field_stands_the_exact_one(exact, learned):
    told = learned[-1]["roads"]
    assert [bool(shown["exact"]) for shown in told] == [False, True, True, False]
    assert not any(shown["exact"] for shown in exact["roads"])
    sent, arrows = (np.frombuffer(base64.b64decode(told[2][n]), "i1") for n in ("exact", "arrows"))
    line = (torch.arange(GRID) * 2 + 1 - GRID) / GRID * REACH
    field = Exact(load_plane("moons").toy, "straight")
    right = field.velocity(torch.cartesian_prod(line, line), 0.5)
    shown = torch.from_numpy(sent.reshape(9, -1, 2)[4].copy()).float()
    moving = right.norm(dim=1) > 0.2
    assert torch.cosine_similarity(shown, right, dim=1)[moving].min() > 0.98
    assert np.abs(sent.astype(int) - arrows).mean() > 5  # so little is learned in twelve steps


def test_of_many_steps_some_moments_are_sent():
    assert moments(1) == [0, 1] and moments(8) == [*range(9)]
    many = moments(64)
    assert len(many) == KEY_FRAMES + 1 and many[0] == 0 and many[-1] == 64
    assert sorted({*many}) == many


# --- figures --------------------------------------------------------------------------------------


def test_the_figures_are_those_of_the_roads_that_are_shown(exact):
    start = Noise(range(3, 3 + RANKED)).randn(2)
    field, shown = Exact(load_plane("ring").toy, "straight"), exact["roads"][2]
    end, few = road(field, start, "euler", 4).end, start[:JUDGED]
    assert shown["evaluations"] == 4
    assert shown["straightness"] == pytest.approx(straightness(field, few))
    assert shown["error"] == pytest.approx(distance(end[:JUDGED], reference(field, few)))
    far = Yardstick(load_plane("ring")).wasserstein(end[None])
    assert shown["wasserstein"] == pytest.approx(float(far))
    fresh = exact["roads"][0]
    assert fresh["straightness"] is None and fresh["error"] is None and fresh["wasserstein"] > 0


def test_the_curves_pass_through_the_figures(exact):
    errors, distances = exact["curves"]
    assert [line["name"] for line in errors["series"]] == TITLES[1:]
    assert [line["name"] for line in distances["series"]] == [*TITLES[1:], TITLES[0]]
    assert errors["at"][exact["chosen"]] == 4
    for line in errors["series"]:
        (shown,) = [shown for shown in exact["roads"] if shown["title"] == line["name"]]
        assert dict(line["points"])[4] == pytest.approx(shown["error"])
        values = [value for _, value in line["points"]]
        assert values[-1] < values[0]


def test_what_a_visitor_drew_is_the_data(app):
    corners = ((-2.0, -2.0), (2.0, 2.0))
    drawn = {"data": "points", "points": corners, "moves": "exact"}
    value = compared(app, **drawn, method="rk4", steps=32)[-1]
    real = places(value["real"], 400)[0]
    ends = places(value["roads"][1]["points"])[-1]
    for found in (real, ends):
        apart = np.abs(found[:, None] - np.array(corners)).max(-1)
        assert apart.min(1).max() < 0.4 and all((apart.argmin(1) == k).any() for k in (0, 1))
    other = compared(app, data="ring", points=corners, moves="exact", steps=4, seed=3)[-1]
    assert other["real"] != value["real"]  # what was drawn counts while it is the data
    with pytest.raises(KnobError, match="draw at least one point"):
        compared(app, data="points", points=())


def test_a_dearer_solver_is_charged_for_it(app):
    value = compared(app, data="ring", moves="exact", method="rk4", steps=3)[-1]
    assert [shown["evaluations"] for shown in value["roads"]] == [3, 12, 12, 12]
    assert value["curves"][0]["series"][0]["points"][0][0] == 4
    assert value["verdict"].startswith("One Runge-Kutta step of ")


def worth(*errors: float) -> Worth:
    counted = {2**k: error for k, error in enumerate(errors)}
    return Worth(0.1, 0.1, 0.1, counted, counted)


def test_the_verdict_is_counted_from_the_errors():
    ways = four_ways(None, None, None, "euler")
    fresh = Worth(None, 0.1, None, {}, {})
    ode, flow = worth(0.5, 0.2, 0.1, 0.03, 0.015), worth(*[0.9 / 2**k for k in range(5)])
    said = verdict(ways, [fresh, ode, flow, worth(0.02, 0.01)], "Euler")
    assert said == (
        "One Euler step of the reflowed flow ends 0.02 from where 200 fine ones do; diffusion's "
        "ODE needs 16 and flow matching needs more than 64 for that."
    )
    said = verdict(ways, [fresh, ode, worth(0.1, 0.05), worth(0.2, 0.1)], "Euler")
    assert said.startswith("One Euler step of flow matching ends 0.1 from where 200 fine ones do; ")
    assert "the reflowed flow needs 2 and diffusion's ODE needs 4" in said


# --- training -------------------------------------------------------------------------------------


def test_networks_are_watched_while_they_learn(learned):
    *before, roads_alone, value = learned
    stages = [told["stage"] for told in before]
    assert stages[0].startswith("Step 0 of 12") and stages[-1].startswith("Reflow: step 11 of 12")
    assert all(told["times"] == [1] and not told["verdict"] for told in before)
    assert before[0]["roads"][3]["waits"] and not before[0]["roads"][3]["points"]
    assert not before[-1]["roads"][3]["waits"] and before[-1]["roads"][3]["points"]
    assert roads_alone["roads"][3]["straightness"] is None and not roads_alone["stage"]
    flow = Training(Settings(data="moons", width=8, steps=12), [5]).train()
    straight = reflow(flow).train()
    start = Noise(range(5, 5 + SHOWN)).randn(2)
    for field, shown in zip((flow.field(), straight.field()), value["roads"][2:], strict=True):
        end = road(field, start, "euler", 8).end.clamp(-SPAN, SPAN)
        assert np.allclose(places(shown["points"])[-1], end, atol=2 * PLANE)


def test_others_get_their_turn_while_it_trains(app, monkeypatch):
    monkeypatch.setattr(pace, "TURN", 0.0)
    told = [p for p in roads.compare(app, **knobs()) if isinstance(p, Progress)]
    assert len({p.stage for p in told}) > 6 and len(told) > 2 * 13


def test_a_run_ends_when_its_time_is_over(app, monkeypatch):
    monkeypatch.setattr(pace, "MOST_SECONDS", 0)
    *_, value = compared(app)
    assert value["verdict"].startswith("Ended at step 1 of 12")


def test_messages_are_small(learned):
    sizes = [len(json.dumps(value)) for value in learned]
    assert max(sizes) < 150_000 and max(sizes[:-2]) < 25_000
    assert (FOLDER / "flow-roads.json").stat().st_size < 150_000


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"width": 128, "training_steps": 4000}, "choose less of one"),
        ({"lr": 5.0}, "lr=5.0: choose a number"),
        ({"pairing": "none"}, "choose one of independent, optimal"),
        ({"steps": 0}, "steps=0: choose"),
        ({"seed": MAX_SEED}, f"seed={MAX_SEED}: choose 0 to"),
    ],
)
def test_what_cannot_be_done_is_named(app, changes, said):
    with pytest.raises(KnobError) as error:
        compared(app, **changes)
    assert said in str(error.value)


# --- a visitor's points ---------------------------------------------------------------------------


def test_a_visitor_s_point_takes_the_same_roads(app, exact):
    ask = app.serve(roads.one_point)
    start = places(exact["start"])[0, 7].clip(-REACH, REACH).tolist()
    answer = answer_of(ask, {"run": exact["run"], "at": start, "drops": 0})
    for k in (1, 2, 3):
        own = places(answer["roads"][k]["way"], 1)[:, 0]
        assert np.allclose(own, places(exact["roads"][k]["points"])[:, 7], atol=0.01)
    fine = places(answer["roads"][2]["fine"], 1)[:, 0]
    right = reference(Exact(load_plane("ring").toy, "straight"), torch.tensor([start]))
    assert len(fine) == 41 and np.allclose(fine[-1], right, atol=2 * PLANE)
    again = answer_of(ask, {"run": exact["run"], "at": start, "drops": 1})
    fresh, other = (places(found["roads"][0]["way"], 1) for found in (answer, again))
    assert answer["roads"][0]["fine"] == "" and np.abs(fresh[-1] - other[-1]).max() > 0.01
    assert answer["roads"][1:] == again["roads"][1:]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (None, "give a place of the plane"),
        ({"at": "here"}, "give a place of the plane"),
        ({"at": [0, 3], "drops": 0}, "y=3: choose a number from -2.5 to 2.5"),
        ({"at": [float("nan"), 0], "drops": 0}, "x=nan: choose"),
        ({"at": [0, 0]}, "drops=None: choose a whole number"),
        ({"at": [0, 0], "drops": 0, "run": ["x"]}, "no longer kept: press Send them off"),
    ],
)
def test_points_that_cannot_be_sent_are_named(app, asked, said):
    assert said in answer_of(app.serve(roads.one_point), asked)["error"]


def test_the_example_is_not_kept_here(app):
    assert example("flow-roads").value["run"]
    assert roads.PANEL.at_first(app)["run"] == ""


# --- the printed code -----------------------------------------------------------------------------


DRAWN = {"data": "points", "points": ((0.0, 0.0), (-3.0, 3.0))}


@pytest.mark.parametrize(
    "changes", [{"moves": "exact", "data": "ring"}, {"pairing": "optimal"}, DRAWN]
)
def test_the_printed_code_measures_the_same(app, changes):
    own = knobs(**changes, steps=2, seed=2)
    said, scope = io.StringIO(), {}
    with contextlib.redirect_stdout(said):
        exec(roads.code(own), scope)
    value = values(roads.compare(app, **own))[-1]
    lines = [line.split(" ") for line in said.getvalue().splitlines()]
    for (*_, bend, error), shown in zip(lines[:3], value["roads"][1:], strict=True):
        assert float(bend) == pytest.approx(shown["straightness"], rel=1e-3)
        assert float(error) == pytest.approx(shown["error"], rel=1e-3)
    found = [float(line[-1]) for line in lines[3:]]
    assert found == pytest.approx([shown["wasserstein"] for shown in value["roads"]], rel=1e-3)
