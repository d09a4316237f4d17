"""The GAN's tab: what its panels show is what the models say."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import numpy as np
import pytest
import torch
from PIL import Image

from core_fixtures import write_fashion
from demos.page.controls import ALL_CLASSES, FASHION, Knobs
from demos.page.handlers import App
from demos.page.image_input import DATA, DRAWING, MODEL, PictureInput, Pictures
from demos.tabs import gan as tab
from demos.tabs.gan import collapse, discriminator, portraits, samples
from demos.tabs.gan.collapse import History
from demos.tabs.gan.texts import differences
from demos.widgets.tiles import Scale, Tile, TilesValue
from gan_fixtures import ALIVE, write_weights
from gen_core import Noise, final
from gen_core.knobs import KnobError
from gen_core.sampling import pixels
from gen_core.training.checkpoint import CheckpointError
from sampling_fixtures import defaults, frames_of, picture, values


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("weights")
    write_weights(path)
    return path


@pytest.fixture
def app(folder, monkeypatch) -> App:
    monkeypatch.setenv("GEN_WEIGHTS", str(folder))
    return App("cpu")


def last(run: Iterator[Any]) -> dict[str, Any]:
    return values(run)[-1]


def shown(value: dict[str, Any]) -> np.ndarray:
    """The pictures of a tiles value, uint8 (B, H, W)."""
    return np.stack([picture(tile["picture"]) for tile in value["tiles"]])


# --- samples --------------------------------------------------------------------------------------


def test_every_picture_is_the_one_of_its_seed_and_class(app):
    value = last(samples.draw(app, **defaults(samples.PANEL, count=12, seed=5)))
    model = app.model("gan-fashion")
    for i in (0, 9, 11):
        alone = final(model.sample(Noise([5 + i]), label=i % 10))
        tile = value["tiles"][i]
        assert tile["title"] == FASHION[i % 10] and tile["note"] == f"seed {5 + i}"
        difference = picture(tile["picture"]).astype(int) - pixels(alone)[0]
        assert abs(difference).max() <= 1
    assert value["live"] and "ms per picture" in value["provenance"]


def test_truncation_zero_leaves_one_picture_of_a_class(app):
    knobs = defaults(samples.PANEL, label=FASHION[3], count=4)
    same = shown(last(samples.draw(app, **knobs | {"truncation_psi": 0.0})))
    varied = shown(last(samples.draw(app, **knobs)))
    assert (same == same[:1]).all() and not (varied == varied[:1]).all()


def test_seeds_beyond_the_last_are_refused(app):
    with pytest.raises(KnobError, match=r"seed=4294967295: choose 0 to 4294967292"):
        list(samples.draw(app, label=0, truncation_psi=1.0, count=4, seed=2**32 - 1))


# --- the discriminator ----------------------------------------------------------------------------


def verdict(app: App, others: Pictures | None = None, **changes: Any) -> dict[str, Any]:
    knobs = {"label": None, "count": 12, "truncation_psi": 1.0, "seed": 0} | changes
    return discriminator.verdict(app.model("gan-fashion"), others=others, **knobs).to_json()


def test_pictures_stand_from_the_least_to_the_most_real(app):
    value, model = verdict(app), app.model("gan-fashion")
    scores = [tile["score"] for tile in value["tiles"]]
    classes = [i % 10 for i in range(12)]
    logits = model.judge(final(model.sample(Noise(range(12)), label=classes)), classes)
    assert scores == sorted(scores)
    assert scores == pytest.approx(logits.sigmoid().sort().values.tolist(), abs=1e-5)
    believed = int((logits > 0).sum())
    assert value["headline"] == f"It takes {believed} of 12 generated pictures for real"


def test_pictures_mixed_in_are_framed_and_judged_as_what_they_are(app):
    x = torch.rand(2, 1, 28, 28) * 2 - 1
    others = Pictures(x, "the test set", (FASHION[4], FASHION[7]))
    value = verdict(app, others)
    framed = {tile["title"]: tile for tile in value["tiles"] if tile["framed"]}
    expected = app.model("gan-fashion").judge(x, [4, 7]).sigmoid().tolist()
    assert len(value["tiles"]) == 14 and value["scale"]["framed"] == "the test set"
    assert [framed[FASHION[c]]["score"] for c in (4, 7)] == pytest.approx(expected, abs=1e-5)
    assert re.search(r", and [0-2] of the 2 mixed in$", value["headline"])


def test_a_picture_without_a_name_is_judged_as_the_class_it_passes_for_best(app):
    x, model = torch.rand(1, 1, 28, 28), app.model("gan-fashion")
    (tile,) = (t for t in verdict(app, Pictures(x, "your drawing", ("",)))["tiles"] if t["framed"])
    logits = torch.cat([model.judge(x, c) for c in range(10)])
    assert tile["title"] == f"as {FASHION[int(logits.argmax())]}"
    assert tile["score"] == pytest.approx(float(logits.max().sigmoid()), abs=1e-5)


def test_tiles_refuse_scores_that_are_none():
    tile = Tile(np.zeros((2, 2), np.uint8), "a", score=1.5)
    with pytest.raises(ValueError, match=r"scores from 1.5 to 1.5: they go from 0 to 1"):
        TilesValue([tile], provenance="", scale=Scale("low", "high", "plain"))
    with pytest.raises(ValueError, match="scores without a scale"):
        TilesValue([Tile(tile.picture, "a", score=0.5)], provenance="")


def test_without_the_data_set_only_what_was_generated_is_judged(app, monkeypatch, tmp_path):
    monkeypatch.setenv("GEN_DATA", str(tmp_path))
    app.data_root = str(tmp_path)
    source = PictureInput(app, samples.TAB, "discriminator", prefix="real_", first=DATA)
    knobs = [*discriminator.DRAWN, discriminator.MIX, *source.knobs, discriminator.MIXED]
    asked = {knob.name: knob.check(knob.default) for knob in knobs}
    assert asked["mix"] and asked["real_source"] == DATA
    value = last(discriminator.run(app, source, **asked))
    assert len(value["tiles"]) == asked["count"]
    assert value["headline"].endswith(discriminator.NOTHING_REAL)


# --- the walk -------------------------------------------------------------------------------------


def test_the_loop_meets_every_code_keeps_its_distance_and_closes():
    z = torch.nn.functional.normalize(torch.randn(3, 64, generator=torch.manual_seed(0))) * 8
    path = samples.loop(z, 5)
    assert torch.allclose(path[::5], z, atol=1e-5) and path.shape == (15, 64)
    assert torch.allclose(path.norm(dim=1), torch.tensor(8.0), atol=1e-4)
    stride = (path - path.roll(-1, 0)).norm(dim=1)  # the last one leads back to the first
    assert stride.max() < 1.5 * 8 * 2 / 5 and stride.min() > 0


def test_every_class_walks_the_same_path_from_seed_to_seed(app):
    value = last(samples.walk(app, **defaults(samples.WALK_PANEL, count=3, steps=4, seed=2)))
    (lane,) = value["lanes"]
    frames, model = frames_of(lane), app.model("gan-fashion")
    assert frames.shape == (12, 10, 28, 28)
    for stop in range(3):
        z = Noise([2 + stop]).randn(8).expand(10, -1)
        expected = pixels(model.generate(z, torch.arange(10)))
        assert abs(frames[4 * stop].astype(int) - expected).max() <= 1
    assert value["levels"][0] == "seed 2" and value["levels"][-1] == "seed 4 → seed 2, 75%"


def test_a_walk_that_is_too_long_is_refused(app):
    app.most_work = 100
    with pytest.raises(KnobError, match=r"choose at most 100 in all"):
        next(samples.walk(app, label=None, count=4, steps=8, truncation_psi=1.0, seed=0))


# --- mode collapse --------------------------------------------------------------------------------


def history(alive: list[int], steps: list[int] | None = None, title: str = "Run") -> History:
    steps = steps or [50 * 2**k for k in range(len(alive))]
    rows = [
        {"step": step, "classes_alive": count} for step, count in zip(steps, alive, strict=True)
    ]
    return History(title, SimpleNamespace(), rows)


@pytest.mark.parametrize(
    ("alive", "place"),
    [
        ([8, 9, 10], None),
        ([8, 3, 1], 1),
        ([2, 8, 10], None),  # an untrained generator has not collapsed
        ([8, 2, 9, 2], 3),  # nor one that recovers
        ([9, 5, 1, 4, 1], 2),  # a flicker is no recovery
        ([1, 1], 0),
        ([9, 4], None),
    ],
)
def test_a_run_has_collapsed_where_few_classes_are_left_for_good(alive, place):
    assert history(alive).collapse == place


def test_captions_name_the_moment_of_collapse():
    run = history([9, 9, 2, 1], [50, 100, 200, 400])
    assert [run.caption(s) for s in (50, 199)] == ["", ""]
    assert run.caption(200) == "Mode collapse: 2 of 10 classes alive, 9 just before"
    assert run.caption(400) == "Collapsed at step 200: 1 of 10 classes alive"


def test_runs_with_other_steps_are_shown_at_the_latest_snapshot_of_each():
    runs = [history([9, 9, 9], [50, 200, 800]), history([9, 2], [60, 300])]
    assert collapse.moments(runs) == [60, 200, 300, 800]
    assert [[run.at(s) for s in collapse.moments(runs)] for run in runs] == [
        [0, 1, 1, 2],
        [0, 0, 1, 1],
    ]


@pytest.mark.parametrize(
    ("runs", "shown"),
    [
        ([history([9, 9, 9], [50, 200, 800]), history([9, 2, 1], [60, 300, 900])], 300),
        ([history([9, 9], [50, 200])], 200),
        ([history([1, 1], [50, 200]), history([9, 9], [60, 200])], 60),  # before all have one
    ],
)
def test_the_moment_of_collapse_is_shown_first(runs, shown):
    steps = collapse.moments(runs)
    assert steps[collapse.opening(runs, steps)] == shown


def test_both_grids_come_from_the_same_seeds_at_each_snapshot(app):
    value = last(collapse.watch_both(app, count=3, seed=7))
    assert value["steps"] == [50, 100, 518, 800]
    for lane, name, kept in zip(
        value["lanes"], ALIVE, ([50, 50, 518, 800], [50, 100, 100, 100]), strict=True
    ):
        frames, model = frames_of(lane), app.model(name)
        for frame, step in zip(frames, kept, strict=True):
            expected = pixels(final(model.at_snapshot(step).sample(Noise(range(7, 10)))))
            assert abs(frame.astype(int) - expected).max() <= 1
    healthy, collapsed = value["bars"]
    assert healthy["summary"][-1] == "10 of 10 classes alive · recall 0.50"
    assert collapsed["summary"][0] == "9 of 10 classes alive · recall 0.45"
    assert collapsed["summary"][1] == "Collapsed · 2 of 10 classes alive · recall 0.10"
    assert value["notes"][:2] == ["", "Mode collapse: 2 of 10 classes alive, 9 just before"]
    assert value["levels"][-1] == "snapshots: healthy 800, collapsed 100"
    assert "2,000 pictures" in healthy["title"] and "computed earlier" in value["provenance"]


def test_charts_carry_the_measured_figures_and_mark_the_collapse(app):
    value = last(collapse.watch_both(app, count=1, seed=0))
    alive, recall, *losses = value["curves"]
    assert alive["series"][1]["points"] == [[50, 9], [100, 2]]
    assert alive["series"][2] == {
        "name": "collapse, step 100",
        "points": [[100.01, 0], [100.01, 10]],
    }
    assert recall["series"][0]["points"] == [[50, 0.4], [100, 0.4], [518, 0.5], [800, 0.5]]
    assert [chart["at"] for chart in value["curves"]] == [value["steps"]] * 4
    for chart in losses:
        falling, rising = (series["points"] for series in chart["series"])
        assert falling[0] == [10, 10] and rising[-1][1] == pytest.approx(8, abs=0.2)
        assert len(rising) <= collapse.MOST_POINTS and all(np.isfinite(rising).ravel())


def test_unmeasured_snapshots_are_a_message_with_the_way_out(app):
    model = app.model("gan-fashion-healthy")
    bare = SimpleNamespace(snapshots=model.snapshots, card={"metrics": {}})
    with pytest.raises(CheckpointError, match="run `python -m gen_core evaluate NAME --write`"):
        History.of("Healthy", "NAME", bare)


def test_the_text_says_what_sets_the_collapsing_recipe_apart():
    assert "the weight of the gradient penalty γ (0, not 0.1)" in differences()


def test_the_caption_tells_what_has_happened_to_a_run(app):
    name = "gan-fashion-collapsed"
    run = History.of("Collapsed", name, app.model(name))
    assert [run.caption(step) for step in (50, 60, 100)] == [
        "",
        "From step 60 on the discriminator is trained too little",
        "Mode collapse: 2 of 10 classes alive, 9 just before",
    ]


# --- the code, the page ---------------------------------------------------------------------------


@pytest.mark.parametrize("label", [ALL_CLASSES, FASHION[8]])
def test_the_printed_lines_draw_what_is_on_screen(app, label, capsys):
    def run(lines: str) -> dict[str, Any]:
        names: dict[str, Any] = {}
        exec(textwrap.dedent(lines), names)
        return names

    knobs = defaults(samples.PANEL, label=label, count=3, truncation_psi=0.7)
    assert np.array_equal(
        pixels(run(samples.PANEL.code(knobs))["x"]), shown(last(samples.draw(app, **knobs)))
    )
    knobs = defaults(samples.WALK_PANEL, label=label, count=2, steps=3)
    frames = frames_of(last(samples.walk(app, **knobs))["lanes"][0])
    x = run(samples.walk_code(knobs))["x"]
    assert x.shape[:2] == frames.shape[:2]
    assert abs(pixels(x.flatten(0, 1)) - frames.reshape(-1, 28, 28).astype(int)).max() <= 1
    run(collapse.code(defaults(collapse.PANEL, count=2)))
    assert "gan-fashion-collapsed, step 100: 2 classes alive" in capsys.readouterr().out


@pytest.mark.parametrize("source", [None, DATA, MODEL, DRAWING])
def test_the_printed_verdict_is_the_one_on_screen(app, source, tmp_path, monkeypatch):
    write_fashion(tmp_path)
    monkeypatch.setenv("GEN_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    Image.effect_noise((40, 40), 80).save("picture.png")
    mixed = PictureInput(app, "gan", "x", prefix="real_", label=ALL_CLASSES, classes=True)
    given = {"real_source": source or DATA, "real_sampled_by": "gan-fashion"}
    knobs = {
        k.name: k.check(given.get(k.name, k.default)) for k in (*discriminator.DRAWN, *mixed.knobs)
    }
    knobs |= {"mix": source is not None, "real_count": 3, "count": 5}
    names: dict[str, Any] = {}
    exec(discriminator.code(mixed, knobs), names)
    count = 5 + {None: 0, DRAWING: 1}.get(source, 3)
    assert names["x"].shape == (count, 1, 28, 28)
    assert (names["probability"].diff() >= 0).all()


def test_the_page_can_be_built_twice(app):
    for _ in range(2):
        app.knobs.clear()
        with gr.Blocks():
            tab.TAB.build(app)
        assert [knobs.panel for knobs in app.knobs if isinstance(knobs, Knobs)] == [
            "collapse",
            "lab",
            "lab-many",
            "real-or-fake",
            "discriminator",
            "samples",
            "walk",
        ]


def test_what_is_kept_for_the_first_moment_needs_no_data_set(app, monkeypatch, tmp_path):
    monkeypatch.setenv("GEN_DATA", str(tmp_path))
    for keep in [keep for panel in tab.TAB.panels for keep in panel.keeps()]:
        if portraits.MODEL not in keep.models:  # test_gan_portraits.py makes those
            assert keep.make(app)["live"]
