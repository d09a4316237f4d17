"""The Flow matching tab: what its panels compute, print, refuse and show in a browser."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import gradio as gr
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from demos.page.handlers import App
from demos.sampling import races
from demos.tabs import flow
from demos.widgets.labelled_grid import Cell, LabelledGridValue, Row
from gen_core import Noise, final
from gen_core.data.images import grid
from gen_core.sampling import pixels
from sampling_fixtures import defaults, frames_of, picture, served, values, write_weights

GENERATE = flow.TAB.panels[0]


@pytest.fixture
def app(tmp_path, monkeypatch) -> App:
    write_weights(tmp_path)
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
    return App("cpu")


def test_the_timeline_goes_from_noise_at_0_to_the_sample_at_1(app):
    knobs = {"label": "Dress", "steps": 4, "guidance_scale": 2.0, "solver": "Midpoint"}
    *_, value = values(GENERATE.run(app, **defaults(GENERATE, **knobs, count=2, seed=1)))
    model = app.model("flow-fashion")
    drawn = final(
        model.sample(Noise([1, 2]), label=3, steps=4, guidance_scale=2.0, solver="midpoint")
    )
    state, guess, velocity = (frames_of(lane) for lane in value["lanes"])
    assert [lane["title"] for lane in value["lanes"]][2] == "Velocity"
    assert value["levels"] == ["t = 0", "t = 0.25", "t = 0.5", "t = 0.75", "t = 1"]
    assert np.array_equal(state[0], pixels(Noise([1, 2]).randn(1, 28, 28)))
    assert np.array_equal(state[-1], pixels(drawn)) and np.array_equal(guess[-1], pixels(drawn))
    assert np.array_equal(velocity[-1], velocity[-2])


@pytest.mark.parametrize(
    ("solver", "guidance", "evaluations"),
    [("Euler", 1, 3), ("Euler", 2, 6), ("Midpoint", 1, 6), ("Heun", 2, 12)],
)
def test_network_evaluations_are_counted(app, solver, guidance, evaluations):
    knobs = defaults(GENERATE, solver=solver, guidance_scale=guidance, steps=3, count=2)
    *_, value = values(GENERATE.run(app, **knobs))
    assert f" {evaluations} network evaluations per picture" in value["provenance"]


def test_the_printed_lines_of_generate_draw_the_same(app):
    knobs = defaults(GENERATE, steps=3, count=2, seed=5)
    scope: dict = {}
    exec(GENERATE.code(knobs), scope)
    *_, value = values(GENERATE.run(app, **knobs))
    assert np.array_equal(pixels(scope["x"]), frames_of(value["lanes"][0])[-1])


def race(app: App, **knobs) -> list[dict]:
    return values(races.few_steps(app, **defaults(races.FEW_STEPS_PANEL, **knobs)))


def test_both_models_start_from_the_same_noise_and_pay_the_same(app):
    *_, value = race(app, label="Bag", rival="DPM-Solver++(2M)", count=4, seed=2)
    assert value["columns"] == ["1", "2", "4", "8", "16", "32"]
    assert value["corner"] == "network evaluations"
    rows = [("flow-fashion", "euler"), ("diffusion-fashion", "dpm++2m")]
    for row, (name, solver) in zip(value["rows"], rows, strict=True):
        for k in (0, 3):
            noise = Noise(range(2, 6))
            x = final(app.model(name).sample(noise, label=8, steps=2**k, solver=solver))
            shown = picture(row["cells"][k]["picture"])
            assert np.array_equal(shown, grid(x, scale=1, gap=1))
    assert [row["note"] for row in value["rows"]] == ["Euler", "DPM-Solver++(2M)"]


def test_one_step_of_either_is_one_evaluation(app, monkeypatch):
    asked = {}
    for name in (races.FLOW, races.DIFFUSION):
        net = app.model(name).net
        net.register_forward_hook(
            lambda module, inputs, output, name=name: asked.update({name: asked.get(name, 0) + 1})
        )
    race(app, count=1)
    for name in (races.FLOW, races.DIFFUSION):
        assert asked[name] == sum(races.EVALUATIONS) + 1  # a step before its first measurement


def test_the_printed_lines_of_few_steps_draw_the_same(app):
    knobs = defaults(races.FEW_STEPS_PANEL, count=2, seed=6)
    scope: dict = {}
    exec(textwrap.dedent(races.few_steps_code(knobs)), scope)
    *_, value = values(races.few_steps(app, **knobs))
    shown = picture(value["rows"][1]["cells"][2]["picture"])
    assert np.array_equal(grid(scope["pictures"]["diffusion-fashion", 4], scale=1, gap=1), shown)


def test_a_row_with_too_few_cells_is_refused():
    cell = Cell(np.zeros((2, 2), np.uint8), "1 ms")
    with pytest.raises(ValueError, match="row 'a' has 1 cells for 2 columns"):
        LabelledGridValue([Row("a", "", [cell])], ["1", "2"], corner="n", provenance="")


def test_the_tab_can_be_built_twice(app):
    for _ in range(2):
        app.knobs.clear()
        with gr.Blocks():
            flow.TAB.build(app)
    assert [knobs.panel for knobs in app.knobs] == ["generate", "few", "roads"]
    assert [keep.name for panel in flow.TAB.panels for keep in panel.keeps()] == [
        "flow-generate",
        "flow-few",
        "flow-roads",
        "flow-person",
    ]


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    with served(flow.TAB, tmp_path_factory.mktemp("weights")) as url:
        yield url


@pytest.mark.browser
def test_generate_plays_live_and_saves_a_gif(visit, address):
    page = visit(f"{address}?tab=flow&generate.steps=4&generate.count=2")
    expect(page.locator("#flow-generate-steps input[type=number]")).to_have_value("4")
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.locator("#flow-generate .card-live")).to_contain_text("evaluations per picture")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download animation as GIF").locator("visible=true").click()
    with Image.open(saved.value.path()) as image:
        assert image.format == "GIF" and image.n_frames == 5


@pytest.mark.browser
def test_few_steps_fills_both_rows(visit, address):
    page = visit(f"{address}?tab=flow&panel=few&few.count=2")
    expect(page.locator("#flow-few-count input[type=number]")).to_have_value("2")
    page.get_by_role("button", name="Race", exact=True).click()
    source = page.locator("#flow-few .card-live")
    expect(source).to_contain_text("all in")
    expect(page.locator("#flow-few img")).to_have_count(12)
    image = page.get_by_role("img", name="Flow matching, 8 network evaluations")
    assert image.evaluate("i => i.naturalWidth") == 2 * 28 + 1


@pytest.mark.browser
@pytest.mark.parametrize("panel", ["generate", "few"])
def test_a_phone_shows_the_panel_without_scrolling_the_page_sideways(visit, address, panel):
    page = visit(f"{address}?tab=flow&panel={panel}", viewport={"width": 390, "height": 844})
    name = {"generate": "Generate", "few": "Race"}[panel]
    page.get_by_role("button", name=name, exact=True).click()
    expect(page.locator(f"#flow-{panel} .card-live")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
