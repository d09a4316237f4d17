"""Restoring without training: what a poor camera sees, what filters make of it, and draws that are
those of Bayes' rule where that can be computed."""

from __future__ import annotations

import dataclasses
import json
import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from core_fixtures import striped, tiny
from gen_core import Noise, final
from gen_core.__main__ import main
from gen_core.editing import bicubic, blur, measuring, path_of, psnr, restore, shrink, wiener
from gen_core.editing.measurements import CORRELATION, DEVIATION, MEAN
from gen_core.editing.restoration import informed
from gen_core.engine import Engine
from gen_core.knobs import KnobError
from gen_core.solvers import Prediction
from gen_core.training import checkpoint

CAMERAS = {"blur": blur(28), "half": shrink(28, 2), "quarter": shrink(28, 4)}


@pytest.fixture(params=CAMERAS)
def camera(request):
    return CAMERAS[request.param]


def pictures(count: int = 4) -> Tensor:
    return striped(count).pictures(torch.arange(count))


# --- the camera and the filters -------------------------------------------------------------------


def test_a_camera_keeps_what_is_grey_all_over(camera):
    grey = torch.full((1, 1, 28, 28), 0.3)
    assert torch.allclose(camera(grey), torch.tensor(0.3)) and camera(grey).shape[1:] == (
        camera.shape()
    )


def test_its_transpose_is_that(camera):
    x, y = pictures(), Noise(range(4)).randn(*camera.shape())
    assert torch.allclose((camera(x) * y).sum(), (x * camera.transposed(y)).sum(), rtol=1e-4)


def test_they_are_what_torch_says_too():
    x = pictures()
    assert torch.allclose(CAMERAS["half"](x), F.avg_pool2d(x, 2), atol=1e-6)
    taps = torch.exp(-0.5 * (torch.arange(-6, 7) / 1.5) ** 2)
    kernel = torch.outer(taps, taps)[None, None] / taps.sum() ** 2
    padded = torch.cat([x.flip(-1)[..., -6:], x, x.flip(-1)[..., :6]], -1)
    padded = torch.cat([padded.flip(-2)[..., -6:, :], padded, padded.flip(-2)[..., :6, :]], -2)
    assert torch.allclose(CAMERAS["blur"](x), F.conv2d(padded, kernel), atol=1e-5)


def test_the_wiener_filter_solves_its_equation(camera):
    """In full, with 784 rows and columns."""
    y = camera.taken(0.3 * pictures(2), Noise([0, 1])).double()
    rows = camera.rows.double()
    places = torch.arange(28.0).double()
    alike = CORRELATION ** (places[:, None] - places).abs()
    seen, prior = torch.kron(rows, rows), DEVIATION**2 * torch.kron(alike, alike)
    noisy = seen @ prior @ seen.T + camera.noise**2 * torch.eye(len(seen))
    rest = torch.linalg.solve(noisy, (y - MEAN).flatten(1).T)
    full = MEAN + (prior @ seen.T @ rest).T.view(2, 1, 28, 28)
    assert torch.allclose(wiener(camera, y), full.clamp(-1, 1), atol=1e-8)


def test_filters_sharpen():
    camera, x = CAMERAS["blur"], pictures(10)[[4, 6, 8]]  # broad stripes
    y = camera.taken(x, Noise(range(3)))
    assert (psnr(wiener(camera, y), x) > psnr(bicubic(camera, y), x) + 1).all()
    assert bicubic(CAMERAS["quarter"], CAMERAS["quarter"](x)).shape == x.shape


def test_a_difference_of_a_tenth_is_26_decibels():
    assert psnr(torch.full((2, 1, 4, 4), 0.1), torch.zeros(2, 1, 4, 4)) == pytest.approx(
        26.02, 1e-3
    )


@pytest.mark.parametrize("factor", [0, 1, 3, 56])
def test_blocks_that_do_not_fit_are_refused(factor):
    with pytest.raises(KnobError, match=f"factor={factor}: choose one that divides 28"):
        shrink(28, factor)


# --- draws ----------------------------------------------------------------------------------------


def gaussian(centre: Tensor, width: float, noise_level: float):
    """A path whose pictures are normal around `centre`, each pixel for itself, and p(x_0 | x_t, y)
    in closed form."""
    path = path_of(tiny("diffusion"), 2, None, 0.0)

    def guess(x: Tensor, t: float) -> Prediction:
        signal, spread = path.scales(t)
        total = (width * signal) ** 2 + spread**2
        mean = centre + width**2 * signal / total * (x - signal * centre)
        return Prediction(mean, (x - signal * mean) / spread)

    return dataclasses.replace(path, guess=guess)


@pytest.mark.parametrize("t", [20, 300, 700, 950])
def test_the_guess_is_the_posterior_s_mean_where_that_is_known(camera, t):
    centre, width = 0.5 * pictures(1), 0.4
    path, rounds = gaussian(centre, width, camera.noise), 120
    y, x = camera(pictures(2)), Noise([0, 1]).randn(1, 28, 28)
    found = informed(path, camera, y, rounds)(x, t).x0

    signal, spread = path.scales(t)
    variance = 1 / (1 / width**2 + (signal / spread) ** 2)
    seen = torch.kron(camera.rows, camera.rows).double()
    mean = path.guess(x, t).x0.double()
    noisy = variance * seen @ seen.T + camera.noise**2 * torch.eye(len(seen))
    rest = (y.double() - camera(mean)).flatten(1).T
    exact = mean + variance * (seen.T @ torch.linalg.solve(noisy, rest)).T.view_as(mean)
    assert (found - exact).abs().max() < 0.02


@pytest.mark.parametrize("family", ["diffusion", "flow"])
def test_every_row_is_drawn_for_itself(family, camera):
    model, x = tiny(family), pictures(1)
    y = camera.taken(x, Noise([0]))
    many = [*restore(model, Noise([3, 4, 5]), measurement=camera, y=y, steps=3)]
    alone = final(restore(model, Noise([4]), measurement=camera, y=y, steps=3))
    assert torch.allclose(many[-1].x[1:2], alone, atol=0.05)
    assert [frame.step for frame in many] == [0, 1, 2, 3]
    assert many[-1].x.abs().max() <= 1 and not many[-1].x.requires_grad


def test_it_runs_on_an_engine_beside_others():
    engine, model = Engine(), tiny("diffusion")
    shared = engine.share_passes(tiny("diffusion"))
    camera = CAMERAS["half"]
    y = camera(pictures(1))
    tickets = [
        engine.submit(
            lambda seed=seed: restore(shared, Noise([seed]), measurement=camera, y=y, steps=3)
        )
        for seed in (1, 2)
    ]
    drawn = [ticket.result().x for ticket in tickets]
    engine.close()
    for seed, x in zip((1, 2), drawn, strict=True):
        expected = final(restore(model, Noise([seed]), measurement=camera, y=y, steps=3))
        assert torch.allclose(x, expected, atol=0.05)


def test_what_is_no_measurement_is_refused():
    model, camera = tiny("diffusion"), CAMERAS["half"]
    for y, message in (
        (torch.zeros(1, 1, 28, 28), r"measurement of \(1, 1, 28, 28\): takes \(1, 1, 14, 14\)"),
        (torch.full((1, 1, 14, 14), math.nan), "measurement: its values"),
    ):
        with pytest.raises(KnobError, match=message):
            final(restore(model, Noise([0]), measurement=camera, y=y, steps=2))


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Untrained models in place of those that are measured, and a made-up data set."""
    for name, kind in (("diffusion-fashion", "diffusion"), ("judge-fashion", "judge")):
        checkpoint.save(tiny(kind), tmp_path / f"{name}.safetensors", {"data": "fashion"})
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(measuring, "load_data", lambda name, split, root: striped(20))
    monkeypatch.setattr(measuring, "TUNED_ON", 8)


def test_restoring_is_measured(here, capsys):
    asked = ["--pictures", "3", "--draws", "2", "--steps", "2", "--json"]
    assert main(["edit", "half", *asked]) == 0
    found = json.loads(capsys.readouterr().out)["half"]
    assert list(found["rows"]) == ["original", "bicubic", "wiener", "one draw", "mean of 2"]
    assert found["rows"]["original"]["feature distance"] == 0
    assert found["rows"]["original"]["residual"] == pytest.approx(1, abs=0.15)
    x = striped(20).pictures(torch.arange(3))
    y = CAMERAS["half"].taken(x, Noise(range(3)))
    told = float(psnr(bicubic(CAMERAS["half"], y), x).mean())
    assert found["rows"]["bicubic"]["psnr"] == round(told, 2)


def test_the_way_back_is_measured(here, capsys):
    assert main(["edit", "inverted", "--pictures", "2", "--steps", "2"]) == 0
    said = capsys.readouterr().out
    for row in ("ddim, guidance 1 there, 1 back", "heun, guidance 1 there, 3 back"):
        assert row in said


def test_filling_in_is_measured(here, capsys):
    assert main(["edit", "filled", "--pictures", "2", "--steps", "2", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["filled"]["rows"]
    assert [*rows] == ["rounds 1", "rounds 2", "rounds 4"]
    assert all(row["feature distance"] > 0 for row in rows.values())


def test_an_unknown_measurement_is_refused(capsys):
    assert main(["edit", "hats"]) == 2
    assert (
        "name='hats': choose one of blurred, half, quarter, inverted, filled"
        in capsys.readouterr().err
    )
