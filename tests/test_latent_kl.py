"""What breaks a VAE, without a page: the same codes in every model, holes, figures, code."""

from __future__ import annotations

import io
import math
from contextlib import redirect_stdout
from pathlib import Path

import pytest
import torch

from demos.page.examples import Example
from demos.page.handlers import App
from demos.tabs.latent_space import kl, kl_figures, kl_pictures
from demos.tabs.latent_space.kl_pictures import (
    FORGOTTEN,
    HEALTHY,
    HUES,
    PORTRAITS_ENDS,
    RANDOM_ENDS,
    SEVERED,
    SHOWN,
    VARIANTS,
    Ends,
    here,
    missing,
    mistake,
    side_by_side,
    walk,
)
from demos.tabs.latent_space.models import portrait
from demos.widgets.attribute_picker import JUDGE
from gen_core import Noise, final
from gen_core.knobs import KnobError
from gen_core.latent.interpolation import straight
from gen_core.progress import result_of
from gen_core.sampling import MAX_SEED, pixels
from gen_core.training import checkpoint
from kl_fixtures import NAMES, STEPS, keep_portraits, write_variants
from sampling_fixtures import frames_of, picture


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return write_variants(tmp_path_factory.mktemp("kl"))


@pytest.fixture(autouse=True)
def _crowd(monkeypatch) -> None:
    keep_portraits(monkeypatch)


@pytest.fixture
def app(folder, monkeypatch) -> App:
    monkeypatch.setenv("GEN_WEIGHTS", str(folder))
    return App("cpu")


@pytest.fixture
def without(tmp_path, monkeypatch):
    """without(names=..., ...) -> an App on a folder of its own."""

    def make(**told) -> App:
        write_variants(tmp_path, **told)
        monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
        return App("cpu")

    return make


def same(cell: dict, x: torch.Tensor) -> bool:
    """Whether a cell shows a picture (3, H, W), but for rounding."""
    return abs(picture(cell["picture"]).astype(int) - pixels(x[None])[0]).max() <= 1


# --- which models ---------------------------------------------------------------------------------


def test_only_models_that_are_here_are_offered_and_the_others_are_named(without):
    without(names=[HEALTHY.name])
    assert here() == [HEALTHY]
    line = missing(here())
    assert line.startswith("There is nothing to compare yet: two models are needed.")
    assert "`python -m gen_core train vae-avatars-free`" in line and "\n" not in line


def test_with_two_models_the_rest_is_named_and_with_all_nothing_is_said(without, app, folder):
    assert here() == list(VARIANTS) and missing(here()) == ""
    line = missing(here()[:-1])
    assert line.startswith("Not on this machine: vae-avatars-cut.") and line.endswith("makes it.")


@pytest.mark.heavy
def test_weights_of_the_kl_are_those_of_the_checkpoints(app):
    rows = result_of(side_by_side(app, VARIANTS, 0)).to_json()["rows"]
    assert [row["note"] for row in rows] == [f"KL weight {beta}" for beta in (0, 1, 4, 64, 1)]


# --- the tables -----------------------------------------------------------------------------------


def test_every_model_decodes_the_same_random_codes(app):
    table = result_of(side_by_side(app, VARIANTS, 5)).to_json()
    assert table["columns"] == [f"seed {s}" for s in range(5, 5 + SHOWN)]
    assert [row["title"] for row in table["rows"]] == [v.title for v in VARIANTS]
    for row, name in zip(table["rows"], NAMES, strict=True):
        x = final(app.model(name).sample(Noise(range(5, 5 + SHOWN))))
        assert all(same(cell, one) for cell, one in zip(row["cells"], x, strict=True))


def test_a_mistake_stands_under_the_model_that_did_not_make_it(app):
    table = result_of(mistake(app, (HEALTHY, SEVERED), 7, 0)).to_json()
    real, *rest = table["rows"]
    assert [row["title"] for row in rest] == [HEALTHY.title, SEVERED.title] * 2
    x = torch.cat([portrait(n) for n in range(7, 7 + SHOWN)])
    assert all(same(cell, one) for cell, one in zip(real["cells"], x, strict=True))
    with torch.inference_mode():
        for row, variant in zip(rest, (HEALTHY, SEVERED), strict=False):
            model = app.model(variant.name)
            copies = model.decode(model.encode(x)[0])
            for cell, copy, one in zip(row["cells"], copies, x, strict=True):
                assert same(cell, copy)
                off = float(((copy - one) / 2).square().mean().sqrt())
                assert cell["note"] == f"off by {off:.1%}"


@pytest.mark.parametrize(
    ("portrait", "seed", "message"),
    [
        (999_995, 0, "portrait=999995: choose a whole number from 0 to 999994"),
        (3, MAX_SEED, f"seed={MAX_SEED}: choose 0 to {MAX_SEED - SHOWN + 1}"),
    ],
)
def test_numbers_that_run_out_get_a_message(app, portrait, seed, message):
    with pytest.raises(KnobError, match=message):
        result_of(mistake(app, (HEALTHY, FORGOTTEN), portrait, seed))


# --- walks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [PORTRAITS_ENDS, RANDOM_ENDS])
def test_a_walk_is_straight_in_every_model(app, kind):
    line = result_of(walk(app, VARIANTS, {"ends": kind, "a": 3, "b": 11, "count": 5})).to_json()
    t = torch.linspace(0, 1, 5)
    for lane, name in zip(line["lanes"], NAMES, strict=True):
        model = app.model(name)
        with torch.inference_mode():
            ends = Noise([3, 11]).randn(6)
            if kind == PORTRAITS_ENDS:
                ends = model.encode(torch.cat([portrait(3), portrait(11)]))[0]
            expected = pixels(model.decode(straight(*ends, t)))
        assert abs(frames_of(lane)[:, 0].astype(int) - expected).max() <= 1


def test_the_figure_beside_each_name_is_the_furthest_of_its_curve(app):
    line = result_of(
        walk(app, VARIANTS, {"ends": RANDOM_ENDS, "a": 0, "b": 1, "count": 7})
    ).to_json()
    known = result_of(kl_pictures.reference_set(app))
    (curve,) = line["curves"]
    for lane, series, name in zip(line["lanes"], curve["series"], NAMES, strict=True):
        with torch.inference_mode():
            ends = Noise([0, 1]).randn(6)
            x = app.model(name).decode(straight(*ends, torch.linspace(0, 1, 7)))
        far = known.distance(x)
        assert [y for _, y in series["points"]] == pytest.approx(far, abs=2e-3)
        assert lane["title"] == f"{series['name']}, {max(far):.1f}×"


@pytest.mark.parametrize("end", ["a", "b"])
def test_an_end_beyond_the_portraits_gets_a_message_but_any_seed_is_a_code(end):
    numbers = {"a": 3, "b": 11} | {end: 1_000_000}
    with pytest.raises(KnobError, match=f"{end}=1000000: choose a whole number from 0 to 999999"):
        Ends(PORTRAITS_ENDS, **numbers)
    assert str(Ends(RANDOM_ENDS, **numbers)).count("the code of seed") == 2


# --- holes ----------------------------------------------------------------------------------------


def test_noise_and_mist_are_further_from_portraits_than_another_portrait(app):
    known = result_of(kl_pictures.reference_set(app))
    others = torch.cat([portrait(n) for n in range(40)])
    usual = torch.tensor(known.distance(others)).median()
    assert usual == pytest.approx(1, abs=0.25)
    rng = torch.Generator().manual_seed(0)
    noise = torch.rand(4, 3, 64, 64, generator=rng) * 2 - 1
    mist = others.mean(0, keepdim=True)  # the mean of all faces
    assert min(known.distance(noise)) > 1.5 * usual
    assert known.distance(mist)[0] > usual


def test_one_of_the_crowd_is_no_distance_away_and_the_crowd_is_drawn_once(app):
    known = result_of(kl_pictures.reference_set(app))
    assert len(known.features) == kl_pictures.COUNT
    own = kl_pictures.avatars(kl_pictures.SEEDS[:2])[0].float() / 127.5 - 1
    assert max(known.distance(own)) < 0.05
    assert list(kl_pictures.reference_set(app)) == []
    assert result_of(kl_pictures.reference_set(app)) is known


def test_without_a_judge_pictures_come_without_distances(without):
    app = without(judge=False)
    assert result_of(kl_pictures.reference_set(app)) is None
    table = result_of(side_by_side(app, here(), 0)).to_json()
    assert table["caption"] == "" and {c["note"] for r in table["rows"] for c in r["cells"]} == {""}
    line = result_of(
        walk(app, here(), {"ends": PORTRAITS_ENDS, "a": 3, "b": 11, "count": 3})
    ).to_json()
    assert [lane["title"] for lane in line["lanes"]] == [v.title for v in VARIANTS]
    assert line["curves"] == []


# --- figures --------------------------------------------------------------------------------------

MEASURED = {
    "rate": 250.0,
    "distortion": -18_000.0,
    "reconstruction_error": 0.0064,
    "frechet": 12.5,
    "samples": 10_000,
    "hardware": "an abacus",
}


def told() -> list[kl_figures.Known]:
    return [kl_figures.Known.of(v, hue) for v, hue in zip(VARIANTS, HUES, strict=True)]


def test_what_was_measured_is_shown_and_says_with_how_many(without):
    without(metrics=MEASURED)
    checkpoint.amend("judge-avatars", {"draws": {"10000": [0.3, 0.4, 0.9]}}, section="floors")
    html = kl_figures.figures(told())
    assert html.count("<svg") == 2 and "hollow" not in html
    assert "floor 0.4" in html and "10,000 new faces, on an abacus" in html
    assert f"{math.sqrt(0.0064) / 2:.1%}" in html and "-18,000" in html and ">12.5<" in html
    assert "Not measured" not in html


def test_what_was_not_measured_is_read_from_training_and_says_so(app):
    known = told()
    rate, distortion = known[1].place
    assert rate == pytest.approx(110, rel=0.01) and distortion == pytest.approx(-4, rel=0.01)
    html = kl_figures.figures(known)
    assert (
        html.count("hollow") == len(NAMES) and "Hollow points: the last values of training" in html
    )
    assert "has not been measured yet" in html and f"Not measured yet: {', '.join(NAMES)}" in html
    for words in ("1", "0", "4", "64", "1, without the trick"):
        assert f">KL weight {words}<" in html


def test_with_neither_there_is_still_a_table(without):
    without(curves=False)
    html = kl_figures.figures(told())
    assert "<svg" not in html and html.count("–</td>") == 4 * len(NAMES)


def test_training_is_one_line_for_each_model(app):
    known = told()
    assert kl_figures.training(known).count("kl-line") == 2 * len(NAMES)
    line = known[0].curves[kl_figures.RATE]
    assert len(line) <= kl_figures.MOST_POINTS and line[0][0] >= kl_figures.EARLIEST
    assert line[-1][0] == pytest.approx(STEPS, rel=0.02)


def test_curves_with_gaps_are_drawn_without_them(tmp_path, monkeypatch):
    write_variants(tmp_path, [HEALTHY.name])
    tensors, _ = checkpoint.read(HEALTHY.name, tmp_path)
    rate = tensors["extra.curve.elbo.rate"]
    rate[100:200] = math.nan
    model = checkpoint.load(HEALTHY.name, "cpu", tmp_path)
    curves = {k.removeprefix("extra."): v for k, v in tensors.items() if k.startswith("extra.")}
    checkpoint.save(model, tmp_path / f"{HEALTHY.name}.safetensors", {"metrics": {}}, extra=curves)
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
    line = kl_figures.Known.of(HEALTHY, HUES[0]).curves[kl_figures.RATE]
    assert line and all(y == pytest.approx(110 * x / STEPS, rel=1e-3) for x, y in line)


# --- code and example -----------------------------------------------------------------------------


@pytest.mark.parametrize("ends", [PORTRAITS_ENDS, RANDOM_ENDS])
def test_the_code_runs_as_it_is_and_ends_with_the_last_model_s_walk(app, ends):
    knobs = {"portrait": 3, "seed": 2, "ends": ends, "a": 4, "b": 9, "count": 3}
    space: dict = {}
    with redirect_stdout(io.StringIO()):
        exec(kl.code(VARIANTS, knobs), space)
    line = result_of(walk(app, VARIANTS, {"ends": ends, "a": 4, "b": 9, "count": 3})).to_json()
    shown = frames_of(line["lanes"][-1])[:, 0].astype(int)
    assert abs(shown - pixels(space["walk"].detach())).max() <= 1
    assert torch.equal(space["new"], final(space["model"].sample(Noise(range(2, 2 + SHOWN)))))


def test_the_kept_example_is_new_faces_by_all_and_a_walk_through_all(app, monkeypatch):
    keep = kl.PANEL.keep()
    assert keep.models == NAMES
    value = keep.make(app)
    assert len(value["table"]["rows"]) == len(VARIANTS)
    assert len(value["walk"]["lanes"]) == len(VARIANTS)
    kept = Example(value, keep.models, keep.seeds, "an abacus", "2026-11-22")
    monkeypatch.setattr("demos.page.panel.example", lambda name: kept)
    before = kl.PANEL.at_first(app)["table"]
    assert before["provenance"].startswith("example, computed on 22 November 2026")
    assert before["live"] is False and JUDGE not in keep.models
