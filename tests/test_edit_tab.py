"""The Edit panel: what each edit shows, the lines that do the same, what is refused, and a browser
in which something is painted over and drawn anew."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator

import gradio as gr
import numpy as np
import pytest
import torch
from playwright.sync_api import expect

from demos.page.handlers import App
from demos.page.image_input import DRAWING, UPLOAD
from demos.page.picture_files import mask_url
from demos.tabs import diffusion
from demos.tabs.diffusion import edit
from gen_core.editing import psnr
from gen_core.knobs import KnobError
from gen_core.sampling import pixels
from sampling_fixtures import defaults, frames_of, served, values, write_weights

PANEL = edit.PANEL
QUICK = {"steps": 2, "count": 2, "rounds": 2, "sampled_by": "Flow matching"}
EDITS = [*edit.SHOWN]


@pytest.fixture
def app(tmp_path, monkeypatch) -> App:
    write_weights(tmp_path)
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
    return App("cpu")


def edited(app: App, **knobs) -> dict:
    """The last value of a run."""
    _, (source,) = PANEL.declared(app)
    given = {name: knobs.pop(name) for name in ("drawing", "upload") if name in knobs}
    *_, value = values(PANEL.run(app, source, **given, **defaults(PANEL, **QUICK | knobs)))
    return value


def lanes(value: dict) -> dict[str, np.ndarray]:
    """By title, uint8 (frames, samples, H, W)."""
    return {lane["title"]: frames_of(lane) for lane in value["lanes"]}


def test_what_is_not_painted_over_stays_as_it_is(app):
    shown = lanes(edited(app))
    assert list(shown) == ["The picture", "Painted over", *(title for title, _ in edit.MIXED)]
    before, after = shown["The picture"][0, 0], shown["Picture so far"][-1]
    kept = edit.square()[0, 0].numpy() < 0.5
    assert len(after) == 2 and all(np.array_equal(a[kept], before[kept]) for a in after)
    assert not np.array_equal(after[0], after[1])


def test_strokes_are_painted_where_nobody_drew_any(app):
    coarse = lanes(edited(app, edit=edit.STROKES))["The strokes"][0, 0]
    assert len(np.unique(coarse)) <= 4
    assert np.array_equal(coarse, coarse[::4, ::4].repeat(4, 0).repeat(4, 1))


def test_one_other_class_and_the_error_of_the_way_back(app):
    value = edited(app, edit=edit.RECAST, strength=0.5)
    shown = lanes(value)
    both = shown["To noise, and back"]
    assert both.shape[:2] == (5, 1) and np.array_equal(both[0], shown["The picture"][0])
    assert value["levels"] == ["t = 0", "t = 250", "t = 500", "t = 250", "t = 0"]
    assert "guidance 1 gives 0." in value["notes"][-1] and "guidance 2 gives" in value["notes"][-1]
    assert "guidance 2 gives" not in edited(app, edit=edit.RECAST, guidance_scale=1.0)["notes"][-1]


@pytest.mark.parametrize("kind", edit.CAMERAS)
def test_filters_stand_beside_the_draws(app, kind):
    value = edited(app, edit=kind)
    titles = [lane["title"] for lane in value["lanes"]]
    assert any(title.startswith("Wiener, ") and title.endswith(" dB") for title in titles)
    assert any(title.startswith("Bicubic") for title in titles) == (kind != edit.SHARPEN)
    shown = lanes(value)
    mean = shown["Picture so far"][-1].astype(float).mean(0)
    assert np.abs(shown["Mean of the draws"][-1, 0] - mean).max() <= 1
    _, (source,) = PANEL.declared(app)
    *_, whole = edit.look(source, drawing=None, upload=None, **defaults(PANEL, **QUICK))
    x, draws = torch.tensor(whole.picture)[None], torch.tensor(shown["Picture so far"][-1])
    told = [float(part) for part in value["notes"][-1].split(": ")[1].split(" dB")[0].split(",")]
    seen = psnr(draws[:, None] / 127.5 - 1, x[:, None] / 127.5 - 1)
    assert told == pytest.approx(seen.tolist(), abs=0.2)


@pytest.mark.parametrize("chosen", EDITS)
@pytest.mark.parametrize("model", edit.EDITORS)
def test_the_printed_lines_do_the_same(app, chosen, model):
    knobs = defaults(PANEL, **QUICK | {"edit": chosen, "model": model, "noise_seed": 5})
    _, (source,) = PANEL.declared(app)
    scope: dict = {}
    exec(textwrap.dedent(edit.code(source, knobs)), scope)
    *_, value = values(PANEL.run(app, source, **knobs))
    moving = next(lane for lane in value["lanes"] if not lane["still"])
    assert np.abs(pixels(scope["x"]).astype(int) - frames_of(moving)[-1]).max() <= 2


def test_lines_without_a_mask_are_still_python(app):
    knobs = defaults(PANEL, **QUICK | {"edit": edit.FILL, "mask": ""})
    _, (source,) = PANEL.declared(app)
    lines = textwrap.dedent(edit.code(source, knobs))
    compile(lines, "lines", "exec")
    assert 'prepare_mask(\n    "",\n' in lines


def test_every_knob_is_shown_with_some_edit(app):
    named = {knob.name for knob in PANEL.declared(app)[0]}
    assert set().union(*edit.SHOWN.values()) | {"edit", "model", "steps"} <= named
    assert set(edit.HIDDEN) <= set().union(*edit.SHOWN.values())


def test_only_the_knobs_of_the_chosen_edit_are_on_the_page(app):
    with gr.Blocks():
        diffusion.TAB.build(app)
    knobs = next(knobs for knobs in app.knobs if knobs.panel == "edit")
    shown = {name for name in edit.HIDDEN if knobs.built[name].visible}
    assert shown == {*edit.SHOWN[edit.FILL]} & {*edit.HIDDEN}


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"mask": ""}, "nothing is painted"),
        ({"mask": mask_url(torch.ones(1, 1, 28, 28))}, "all is painted"),
        ({"mask": "a hole"}, "mask: takes a PNG data URL"),
        ({"source": DRAWING}, "drawing: the paper is empty"),
        ({"source": UPLOAD}, "upload: choose a picture file first"),
        ({"source": UPLOAD, "upload": "/etc/passwd"}, "upload='/etc/passwd': takes one picture"),
        ({"edit": "Make it art"}, "edit='Make it art': choose one of"),
        ({"asked": "Hat"}, "asked='Hat'"),
        ({"strength": math.nan}, "strength=nan: choose a number from 0.05 to 1"),
        ({"noise_seed": 2**32 - 1}, "noise_seed=4294967295: choose 0 to 4294967294"),
        ({"steps": 200, "count": 16}, "16 pictures of 200 steps each are 3200"),
    ],
)
def test_what_cannot_be_edited_is_refused(app, knobs, message):
    with pytest.raises(KnobError, match=message):
        edited(app, **knobs)


def test_the_shown_picture_says_why_there_is_none(app):
    _, (source,) = PANEL.declared(app)
    nothing = {"drawing": None, "upload": None}
    *_, told = edit.look(source, **nothing, **defaults(PANEL, source=DRAWING))
    assert not told.picture and "the paper is empty" in told.note
    *_, told = edit.look(source, **nothing, **defaults(PANEL, sampled_by="Diffusion"))
    assert told.picture.shape == (28, 28) and "not real" in told.note


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    with served(diffusion.TAB, tmp_path_factory.mktemp("weights")) as url:
        yield url


@pytest.mark.browser
def test_a_hole_is_painted_and_filled_and_other_edits_show_other_knobs(visit, address):
    page = visit(f"{address}?tab=diffusion&panel=edit&edit.steps=2&edit.count=2&edit.rounds=1")
    steps = page.locator("#diffusion-edit-steps input[type=number]")
    expect(steps).to_have_value("2")
    pad = page.locator("#diffusion-edit-mask canvas")
    box = pad.bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 90, box["y"] + 40, steps=4)
    page.mouse.up()
    page.locator("#diffusion-edit-run-go").click()
    expect(page.locator("#diffusion-edit .card-source")).to_contain_text("2 pictures in")
    expect(page.locator("#diffusion-edit figure")).to_have_count(4)
    strength = page.locator("#diffusion-edit-strength")
    expect(strength).to_be_hidden()
    page.locator("#diffusion-edit-edit input").click()
    page.get_by_role("option", name=edit.RECAST).click()
    expect(strength).to_be_visible()
    expect(pad).to_be_hidden()
    page.locator("#diffusion-edit-run-go").click()
    expect(page.locator("#diffusion-edit")).to_contain_text("Mean error of its pixels")
