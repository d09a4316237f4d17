"""The path labs: one answer tells all others, roads arrive with the order of their method, a run in
company is the run alone, and a flow that learns from its own ends is straight."""

import dataclasses
import functools
import importlib.abc
import json
import math
import sys

import pytest
import torch
from torch import Tensor

from gen_core.__main__ import main
from gen_core.data.planes import load_plane
from gen_core.data.toys import GaussianMixture, ring
from gen_core.data.yardstick import Yardstick
from gen_core.knobs import KnobError
from gen_core.paths import Settings, Training, measuring, road
from gen_core.paths.fields import (
    ASKED,
    PATHS,
    SCHEDULES,
    Exact,
    Field,
    converted,
    cosine,
    level,
    shifted,
    sigmoid,
    told,
    understood,
)
from gen_core.paths.likelihood import exact_trace, hutchinson, log_likelihood, signs
from gen_core.paths.reflow import pairs_of, reflow
from gen_core.paths.roads import (
    ADAPTIVE,
    METHODS,
    SDE,
    distance,
    reference,
    schedule_of,
    straightness,
)
from gen_core.paths.settings import GROUP, KNOBS
from gen_core.paths.training import Pairs, optimally
from gen_core.sampling import Noise
from gen_core.solvers import FLOW_SOLVERS, NoiseSchedule, Prediction

SMALL = Settings(width=16, depth=2, batch=64, steps=20)
CENTRE, WIDTH = torch.tensor([1.0, -0.5]).double(), 0.5
GAUSSIAN = GaussianMixture(CENTRE[None], WIDTH)
SOFT = ring(std=0.4)
DIFFUSION = [path for path in PATHS if path != "straight"]


def points(count: int, seed: int = 0) -> Tensor:
    """(count, 2) standard normal, float64"""
    return torch.randn(count, 2, generator=torch.Generator().manual_seed(seed)).double()


def weights(training: Training) -> Tensor:
    return training.state.learner.weights


# --- paths and what can be asked on them ----------------------------------------------------------


@pytest.mark.parametrize("path", SCHEDULES)
def test_a_schedule_goes_from_noise_to_data_and_knows_how_fast(path):
    t = torch.linspace(0, 1, 21, dtype=torch.float64, requires_grad=True)
    at = SCHEDULES[path](t)
    for value, slope in ((at.signal, at.signal_slope), (at.spread, at.spread_slope)):
        (gradient,) = torch.autograd.grad(value.sum(), t, retain_graph=True)
        torch.testing.assert_close(slope, gradient)
    assert at.signal[0] < 0.01 and at.spread[-1] < 0.021
    assert (at.signal.diff() > 0).all() and (at.spread.diff() < 0).all()
    if path != "straight":  # variance preserving
        torch.testing.assert_close(at.signal**2 + at.spread**2, torch.ones_like(t))


def test_the_linear_path_is_the_schedule_of_the_picture_families():
    pictures = NoiseSchedule.linear()
    for t in (1, 10, 250, 500, 1000):
        signal, spread = pictures.scales_at(t)
        at = level("linear", (1000 - t) / 999)
        assert float(at.signal) == pytest.approx(signal, rel=0.06)
        assert float(at.spread) == pytest.approx(spread, rel=0.06)


def test_a_shift_multiplies_signal_over_noise_at_every_time():
    t = torch.linspace(0, 1, 21, dtype=torch.float64)
    for factor in (0.25, 1.0, 4.0):
        at, plain = shifted(t, factor), cosine(t)
        torch.testing.assert_close(at.signal / at.spread, factor * plain.signal / plain.spread)


def test_the_sigmoid_schedule_is_that_of_its_paper():
    """Chen 2023, algorithm 1, whose t runs from data to noise."""
    t = torch.linspace(0, 1, 11, dtype=torch.float64)
    low, high = torch.tensor([-3.0, 3.0], dtype=torch.float64).sigmoid()
    gamma = (high - (6 * t - 3).sigmoid()) / (high - low)
    torch.testing.assert_close(sigmoid(1 - t).signal ** 2, gamma, atol=2e-4, rtol=0)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("asked", ASKED)
def test_one_answer_tells_all_others(path, asked):
    guess, t = Prediction(x0=points(9, 1), eps=points(9, 2)), 0.37
    at = level(path, t)
    x = at.signal * guess.x0 + at.spread * guess.eps
    found = understood(asked, told(asked, guess, at), x, at)
    torch.testing.assert_close(found.x0, guess.x0)
    torch.testing.assert_close(found.eps, guess.eps)
    for wanted in ASKED:
        answer = converted(told(asked, guess, at), asked, wanted, x, at)
        torch.testing.assert_close(answer, told(wanted, guess, at))


@pytest.mark.parametrize("t", [0.02, 0.5, 0.97])
@pytest.mark.parametrize("path", PATHS)
def test_the_exact_answers_are_those_of_the_density(path, t):
    """The score is the gradient of the log density of x_t, and the data Tweedie's formula."""
    at, x = level(path, t), points(30).requires_grad_()
    signal, spread = float(at.signal), float(at.spread)
    (score,) = torch.autograd.grad(SOFT.log_density(x / signal, spread / signal).sum(), x)
    x = x.detach()
    field = Exact(SOFT, path)
    torch.testing.assert_close(field.answer("score", x, t), score)
    torch.testing.assert_close(field.answer("data", x, t), (x + spread**2 * score) / signal)
    torch.testing.assert_close(field.guess(x, t).x0, SOFT.denoise(x / signal, spread / signal))
    if path == "straight":
        torch.testing.assert_close(field.velocity(x, t), SOFT.velocity(x, t))
    assert field.evaluations == 3 + (path == "straight")


@pytest.mark.parametrize("path", PATHS)
def test_the_velocity_carries_the_density_along(path):
    """dp/dt = -div(p v): what flows into a place is what it gains."""
    field, x, t, step = Exact(SOFT, path), points(20).requires_grad_(), 0.6, 1e-5

    def log_density(t: float) -> Tensor:
        signal, spread = (float(v) for v in level(path, t)[:2])
        return SOFT.log_density(x / signal, spread / signal) - 2 * math.log(signal)

    velocity, log_p = field.velocity(x, t), log_density(t)
    (score,) = torch.autograd.grad(log_p.sum(), x, retain_graph=True)
    gained = (log_density(t + step) - log_density(t - step)) / (2 * step)
    flows = -(score * velocity).sum(1) - exact_trace(velocity, x)
    torch.testing.assert_close(gained, flows, rtol=1e-5, atol=1e-6)


# --- roads ----------------------------------------------------------------------------------------


def truth(path: str, start: Tensor) -> Tensor:
    """The flow of one Gaussian keeps each point as many standard deviations from its middle."""
    (a, b), (c, d) = (level(path, t)[:2] for t in (0.0, 1.0))
    ratio = ((c * WIDTH) ** 2 + d**2).sqrt() / ((a * WIDTH) ** 2 + b**2).sqrt()
    return c * CENTRE + ratio * (start - a * CENTRE)


@pytest.mark.parametrize("path", PATHS)
def test_all_methods_lead_to_where_the_flow_of_a_gaussian_is_known_to(path):
    start = points(50)
    for method, near in (("euler", 0.05), ("heun", 1e-2), ("rk4", 1e-4), ("dopri5", 1e-6)):
        way = road(Exact(GAUSSIAN, path), start, method, 40)
        assert distance(way.end, truth(path, start)) < near, method
    assert distance(reference(Exact(GAUSSIAN, path), start), truth(path, start)) < 1e-6


@functools.cache
def soft_end() -> Tensor:
    return road(Exact(SOFT, "cosine"), points(40), "dopri5", 320).end


@pytest.mark.parametrize(
    ("method", "order", "evaluations"),
    [("euler", 1, 1), ("heun", 2, 2), ("rk4", 4, 4), ("dopri5", 5, 6)],
)
def test_half_the_step_makes_the_error_smaller_by_the_methods_order(method, order, evaluations):
    start, field = points(40), Exact(SOFT, "cosine")
    ways = [road(field, start, method, steps) for steps in (20, 40, 80)]
    assert [way.evaluations for way in ways] == [evaluations * n for n in (20, 40, 80)]
    errors = [distance(way.end, soft_end()) for way in ways]
    orders = [math.log2(a / b) for a, b in zip(errors, errors[1:], strict=False)]
    assert order - 0.3 < orders[-1] < order + 0.8, (errors, orders)


def test_even_steps_are_those_of_the_picture_families():
    start, field = points(20), Exact(SOFT, "straight")
    for name in ("euler", "heun"):
        frames = FLOW_SOLVERS[name](lambda x, t: field.velocity(x, float(t[0])), start, 7)
        assert torch.equal(road(field, start, name, 7).points, torch.stack([f.x for f in frames]))


@pytest.mark.parametrize("path", PATHS)
def test_the_adaptive_method_keeps_to_its_tolerance_and_says_so(path):
    start, ways = points(50), []
    for tolerance in (1e-3, 1e-6):
        way = road(Exact(GAUSSIAN, path), start, ADAPTIVE, tolerance=tolerance)
        error = (way.end - truth(path, start)).norm(dim=1).max()
        assert error < len(way.estimates) * tolerance and way.estimates.max() <= tolerance
        assert way.times[0] == 0 and way.times[-1] == 1 and (way.times.diff() > 0).all()
        assert way.points.shape == (len(way.estimates) + 1, 50, 2)
        ways.append(way)
    assert ways[0].evaluations < ways[1].evaluations < 300


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", DIFFUSION)
def test_all_roads_lead_to_the_data(path, method):
    plane = load_plane("ring")
    start, noise = Noise(range(1024)).randn(2), Noise(range(5000, 6024))
    way = road(Exact(plane.toy, path), start, method, 40, noise=noise)
    assert torch.equal(way.points[0], start) and way.points.dtype == torch.float32
    assert way.times[0] == pytest.approx(0, abs=1e-9) and way.times[-1] == 1
    assert (way.times.diff() > 0).all() and len(way.times) == len(way.points)
    assert Yardstick(plane).wasserstein(way.end[None]).item() < 0.12
    if method in SDE:
        other = road(Exact(plane.toy, path), start, method, 40, noise=Noise(range(1024)))
        assert way.evaluations == 40
        assert distance(way.end, other.end) > 0.3  # where a point ends is for the noise to say


def test_the_stochastic_road_is_spread_as_the_flow_at_each_time():
    start = points(800)
    way = road(Exact(GAUSSIAN, "cosine"), start, "euler-maruyama", 100, noise=Noise(range(800)))
    for k in (25, 50, 75, 100):
        at = level("cosine", k / 100)
        spread = math.sqrt((float(at.signal) * WIDTH) ** 2 + float(at.spread) ** 2)
        middle = float(at.signal) * CENTRE
        assert (way.points[k].mean(0) - middle).abs().max() < 4 * spread / math.sqrt(800)
        assert way.points[k].std(0).tolist() == pytest.approx([spread, spread], rel=0.1)


def test_the_schedule_for_ancestral_sampling_is_that_of_the_path():
    schedule, at = schedule_of(Exact(GAUSSIAN, "cosine")), level("cosine", 0.25)
    signal, spread = schedule.scales_at(750)
    assert (signal, spread) == (pytest.approx(float(at.signal)), pytest.approx(float(at.spread)))


class Beeline(Field):
    """Moves all points by CENTRE."""

    def _guess(self, x: Tensor, t: float) -> Prediction:
        return Prediction(x0=x + (1 - t) * CENTRE, eps=x - t * CENTRE)


def test_straightness_is_zero_for_a_beeline_and_known_for_a_gaussian():
    start = points(200)
    assert straightness(Beeline("straight"), start) < 1e-20
    spread = start.square().sum(1).mean()
    # x_t = t centre + r(t) x_0 with r^2 = (1 - t)^2 + (t width)^2: S = E |x_0|^2 Var(r').
    t = torch.linspace(0, 1, 10_001, dtype=torch.float64)
    pace = (t * WIDTH**2 - (1 - t)) / ((1 - t) ** 2 + (t * WIDTH) ** 2).sqrt()
    known = spread * torch.trapezoid((pace - (WIDTH - 1)).square(), t)
    found = straightness(Exact(GAUSSIAN, "straight"), start)
    assert found == pytest.approx(float(known), rel=0.01)


# --- likelihood -----------------------------------------------------------------------------------


@pytest.mark.parametrize("trace", ["exact", "hutchinson"])
def test_the_likelihood_of_a_gaussian_is_found_to_one_percent(trace):
    x = GAUSSIAN.sample(100, torch.Generator().manual_seed(0))
    trace = exact_trace if trace == "exact" else hutchinson(signs(100, torch.Generator()))
    known = GAUSSIAN.log_density(x)
    found = log_likelihood(Exact(GAUSSIAN, "straight"), x, 25, trace)
    assert ((found - known).exp() - 1).abs().max() < 0.01
    for path in DIFFUSION:  # which begin with 0.6% of signal, and end with 1% of noise
        found = log_likelihood(Exact(GAUSSIAN, path), x, 25, trace)
        assert ((found - known).exp() - 1).abs().mean() < 0.01


def test_hutchinsons_trace_is_right_in_the_mean():
    x = points(40).requires_grad_()
    velocity = Exact(SOFT, "straight").velocity(x, 0.7)
    exact, rng = exact_trace(velocity, x), torch.Generator().manual_seed(0)
    found = torch.stack([hutchinson(signs(40, rng))(velocity, x) for _ in range(400)])
    error = found.std(0) / math.sqrt(400)
    assert ((found.mean(0) - exact).abs() < 4 * error + 1e-9).all() and error.max() > 0.01


# --- training -------------------------------------------------------------------------------------

ABLATIONS = {
    "as it is": {},
    "narrow": {"width": 8},
    "slow": {"lr": 1e-4},
    "short": {"steps": 7},
    "noise": {"path": "cosine", "target": "noise"},
    "v": {"path": "linear", "target": "v"},
    "data": {"path": "cosine", "target": "data"},
    "optimal": {"pairing": "optimal"},
}


def test_runs_of_all_kinds_train_together_as_they_do_alone():
    runs = [SMALL.but(**changes) for changes in ABLATIONS.values()]
    company = Training(runs, range(len(runs))).train()
    ends = company.state.learner.weights
    for k, settings in enumerate(runs):
        alone = Training(settings, [k]).train()
        x, t = points(30), 0.4
        found = company.field(k).velocity(x, t)
        torch.testing.assert_close(alone.field().velocity(x, t), found, atol=1e-4, rtol=1e-4)
    width = list(ABLATIONS).index("narrow")
    own = Training(runs[width], [0]).network.size
    assert (ends[width] != 0).sum() <= own < (ends[0] != 0).sum()


def test_a_kept_state_goes_on_as_if_nothing_had_happened_since():
    training = Training(SMALL, [0, 1])
    training.step()
    kept = training.state
    training.train()
    end = weights(training)
    training.state = kept
    assert torch.equal(weights(training.train()), end) and training.state.step == SMALL.steps


@pytest.mark.parametrize(
    ("path", "target"), [("straight", "velocity"), ("cosine", "noise"), ("linear", "v")]
)
def test_a_network_learns_the_exact_field(path, target):
    """Where there are points."""
    settings = Settings(data="moons", path=path, target=target, width=32, depth=2, steps=300)
    training = Training(settings, [0])
    x = training.plane.toy.sample(500, torch.Generator().manual_seed(3))
    at = level(path, 0.6)
    x = at.signal * x + at.spread * points(500).float()
    wanted = Exact(training.plane.toy, path).answer(target, x, 0.6)
    errors = [(training.field().answer(target, x, 0.6) - wanted).square().mean()]
    errors.append((training.train().field().answer(target, x, 0.6) - wanted).square().mean())
    assert errors[1] < 0.35 * errors[0], errors


def test_optimal_pairs_are_the_nearest_in_sum_and_of_the_same_points():
    noise, data = points(2 * GROUP, 1).float(), 3 + points(2 * GROUP, 2).float()
    paired = optimally(noise, data)
    assert torch.equal(paired.sort(0).values, data.sort(0).values)
    assert torch.equal(paired[:GROUP].sort(0).values, data[:GROUP].sort(0).values)
    few = optimally(noise[:2], data[:2])
    swapped = few.flip(0)
    assert (few - noise[:2]).square().sum() <= (swapped - noise[:2]).square().sum()
    assert (paired - noise).square().sum() < (data - noise).square().sum()


def test_the_loss_is_the_squared_distance_to_the_target_of_the_batch():
    training = Training(SMALL, [0])
    x, t, target = training._lesson()
    noise, data, _ = training._batch()
    torch.testing.assert_close(target, data - noise)
    torch.testing.assert_close(x, (1 - t) * noise + t * data)
    answer = training.network(weights(training), torch.cat([x, 2 * t - 1], dim=2))
    loss = (answer - target).square().mean()
    assert training.step().losses.item() == pytest.approx(float(loss), rel=1e-5)


def test_a_flow_that_learns_from_its_own_ends_is_straight():
    """One step is then worth more than four were."""
    settings = Settings(
        data="points", points=((-1.5, 0.0), (1.5, 0.0)), width=32, depth=2, steps=300
    )
    first = Training(settings, [0]).train()
    pairs = pairs_of(first.field(), 0, 4096, 10)
    second = reflow(first, [pairs])
    assert torch.equal(weights(second), weights(first)) and second.state.step == 0
    second.train()
    start = points(500).float()
    before, after = (straightness(t.field(), start) for t in (first, second))
    assert after < 0.1 * before
    ends = [road(second.field(), start, "euler", steps).end for steps in (1, 50)]
    bent = [road(first.field(), start, "euler", steps).end for steps in (4, 50)]
    assert distance(*ends) < distance(*bent)


def test_training_makes_data_likelier_but_no_likelier_than_they_are():
    """In the mean no other density gives them more than their own (Gibbs' inequality)."""
    training = Training(Settings(data="moons", width=32, depth=2, steps=300), [0])
    x = training.plane.toy.sample(200, torch.Generator().manual_seed(0))
    before = log_likelihood(training.field(), x, 20).mean()
    after = log_likelihood(training.train().field(), x, 20).mean()
    assert before + 0.3 < after < training.plane.toy.log_density(x).mean()


def test_reflow_keeps_the_pairs_of_whatever_path_gave_them():
    """Optimal pairing, which would part them, is for noise and data that were drawn apart."""
    for changes in ({"path": "cosine", "target": "v"}, {"pairing": "optimal"}):
        first = Training(SMALL.but(**changes), [0, 1])
        pairs = [pairs_of(first.field(run), run, 50) for run in (0, 1)]
        after = reflow(first, pairs)
        noise, data, _ = after._batch()
        for run in (0, 1):
            which = torch.cdist(noise[run], pairs[run].noise).argmin(1)
            assert torch.equal(data[run], pairs[run].data[which])
        assert after.field().path == "straight" and after.field().target == "velocity"


# --- values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("knob", KNOBS, ids=lambda knob: knob.name)
def test_every_bad_value_is_refused_with_its_name_and_range(knob):
    for value in knob.bad_values():
        with pytest.raises(KnobError, match=knob.name) as refused:
            Settings(**{knob.name: value})
        assert "choose" in str(refused.value)
    names = [f.name for f in dataclasses.fields(Settings) if f.name != "points"]
    assert names == [knob.name for knob in KNOBS]


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda: Settings(target="noise"), "target='noise': on the straight path.*choose velocity"),
        (lambda: Settings(pairing="optimal", batch=100), "batch=100.*choose a multiple of 64"),
        (lambda: Settings(points=[(0, 0)]), "choose data='points'"),
        (lambda: Settings(data="points", points=[(0, 9)]), "from -3 to 3"),
        (lambda: Training(SMALL, []), "the number of runs=0"),
        (lambda: Training(SMALL, range(101)), "the number of runs=101"),
        (lambda: Training(SMALL, [-1]), "seed=-1"),
        (lambda: Training(SMALL, [0], []), "the number of runs' pairs=0: choose"),
        (lambda: Training([SMALL], [0, 1]), "the number of settings=1: choose .* from 2 to 2"),
        (lambda: Training([SMALL, SMALL.but(depth=1)], [0, 1]), "depth=.*train together share"),
        (lambda: Exact(SOFT, "bent"), "path='bent': choose one of straight, cosine, linear"),
        (lambda: converted(points(1), "x", "noise", points(1), level("linear", 0.5)), "asked='x'"),
        (lambda: road(Exact(SOFT, "linear"), points(2), "walk"), "method='walk': choose one of"),
        (lambda: road(Exact(SOFT, "linear"), points(2), "euler", 0), "steps=0: choose"),
        (lambda: road(Exact(SOFT, "linear"), points(2), ADAPTIVE, tolerance=0), "tolerance=0"),
        (lambda: road(Exact(SOFT, "linear"), points(2), SDE[0]), "noise: give one with 2 seeds"),
        (
            lambda: road(Exact(SOFT, "straight"), points(2), SDE[1], noise=Noise([0, 1])),
            "path='straight'.*choose cosine or linear",
        ),
        (lambda: log_likelihood(Exact(SOFT, "straight"), torch.zeros(3)), r"x of shape \(3,\)"),
        (lambda: log_likelihood(Exact(SOFT, "straight"), points(3), 0), "steps=0"),
    ],
)
def test_what_does_not_go_together_says_the_way_out(made, says):
    with pytest.raises(KnobError, match=says):
        made()


def test_pairs_that_are_given_are_learned_as_they_are():
    pairs = Pairs(points(10, 1).float(), points(10, 2).float())
    noise, data, t = Training(SMALL, [0], [pairs])._batch()
    which = torch.cdist(noise[0], pairs.noise).argmin(1)
    assert torch.equal(data[0], pairs.data[which]) and len(which.unique()) > 5
    assert float(t.min()) >= 0 and float(t.max()) <= 1


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture
def small_flows(monkeypatch):
    small = functools.partial(Settings, width=8, depth=1, batch=64)
    monkeypatch.setattr(measuring, "Settings", small)


@pytest.mark.usefixtures("small_flows")
def test_the_command_measures_each_flow_and_says_when_one_step_does(capsys):
    assert main(["paths", "moons", "--steps", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["moons"]
    assert list(found) == ["optimal pairs", "flow", "reflow 1", "reflow 2", "reflow 3"]
    for row in found.values():
        assert row["error 1"] > row["error 16"] > 0 and row["straightness"] > 0
    said = measuring.as_text("moons", found | {"reflow 2": found["flow"] | {"error 1": 0.0}})
    assert said.endswith(": after reflow 2") and len(said.splitlines()) == 7
    assert main(["paths", "nothing"]) == 2
    assert "choose one of ring, grid" in capsys.readouterr().err


class WithoutScipy(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "scipy":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@pytest.mark.usefixtures("small_flows")
def test_where_scipy_is_missing_the_command_says_how_to_get_it(capsys, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "scipy"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [WithoutScipy(), *sys.meta_path])
    assert main(["paths", "ring", "--steps", "1"]) == 2
    assert "this needs scipy: install gen_core with `pip install '.[paths]'`" in (
        capsys.readouterr().err
    )
