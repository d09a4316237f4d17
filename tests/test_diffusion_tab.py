"""The Diffusion tab: what its panels compute, print, refuse and show in a browser."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Page, expect

from core_fixtures import tiny
from demos.page.handlers import App
from demos.page.image_input import PictureInput, Pictures
from demos.sampling import races
from demos.tabs import diffusion
from demos.tabs.diffusion import forward, schedules
from gen_core import Noise, final, load
from gen_core.knobs import KnobError
from gen_core.progress import Progress
from gen_core.sampling import pixels
from sampling_fixtures import defaults, frames_of, picture, served, values, write_weights

GENERATE = diffusion.TAB.panels[0]


@pytest.fixture
def app(tmp_path, monkeypatch) -> App:
    write_weights(tmp_path)
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
    return App("cpu")


def generate(app: App, **knobs) -> list[dict]:
    return values(GENERATE.run(app, **defaults(GENERATE, **knobs)))


def test_the_timeline_ends_with_what_the_sampler_draws(app):
    knobs = {"label": "Bag", "steps": 4, "guidance_scale": 2.0, "solver": "DDIM", "eta": 0.5}
    *_, value = generate(app, **knobs, count=3, seed=7)
    drawn = final(
        app.model("diffusion-fashion").sample(
            Noise(range(7, 10)), label=8, steps=4, guidance_scale=2.0, solver="ddim", eta=0.5
        )
    )
    state, guess, noise = value["lanes"]
    titles = [lane["title"] for lane in value["lanes"]]
    assert titles == ["Picture so far, xₜ", "Guess of the picture, x₀", "Predicted noise"]
    assert np.array_equal(frames_of(state)[-1], pixels(drawn))
    assert np.array_equal(frames_of(guess)[-1], pixels(drawn))
    assert np.array_equal(frames_of(noise)[-1], frames_of(noise)[-2])
    assert value["levels"][0] == "t = 1000" and value["levels"][-1] == "t = 0"
    assert value["steps"] == [0, 1, 2, 3, 4] and value["live"]


def test_a_single_frame_comes_first_while_the_sampler_runs(app):
    first, *_ = generate(app, steps=3, count=2)
    assert first["steps"] == [0] and first["total"] == 3
    assert "step 0 of 3 so far" in first["provenance"] and not first["autoplay"]


@pytest.mark.parametrize(
    ("solver", "guidance", "evaluations"),
    [("DDPM", 1, 4), ("DPM-Solver++(2M)", 2, 8), ("Euler", 0, 4), ("Heun", 1, 7), ("Heun", 3, 14)],
)
def test_network_evaluations_are_counted(app, solver, guidance, evaluations):
    *_, value = generate(app, solver=solver, guidance_scale=guidance, steps=4, count=2)
    assert "2 pictures in " in value["provenance"]
    assert f" {evaluations} network evaluations per picture" in value["provenance"]


def test_all_ten_classes_come_in_turn_five_in_a_row(app):
    *_, all_ten = generate(app, label="All ten", steps=1, count=11)
    *_, trousers = generate(app, label="Trouser", steps=1, count=11)
    assert all_ten["lanes"][0]["columns"] == 5
    together, alone = (frames_of(value["lanes"][0])[-1] for value in (all_ten, trousers))
    same = [np.array_equal(a, b) for a, b in zip(together, alone, strict=True)]
    assert [i for i, equal in enumerate(same) if equal] == [1]


@pytest.mark.heavy
def test_a_thousand_steps_keep_a_short_timeline(app):
    *_, value = generate(app, steps=1000, count=1, guidance_scale=1, solver="DDPM")
    assert value["total"] == 1000 and value["steps"][0] == 0 and value["steps"][-1] == 1000
    assert 20 <= len(value["steps"]) <= 33


def test_a_seed_without_successors_is_refused(app):
    with pytest.raises(KnobError, match="seed=4294967295: choose 0 to 4294967294"):
        generate(app, seed=4294967295, count=2)


@pytest.mark.parametrize("label", ["All ten", "Bag"])
def test_the_printed_lines_of_generate_draw_the_same(app, label):
    knobs = defaults(GENERATE, label=label, steps=3, count=2, seed=5)
    scope: dict = {}
    exec(GENERATE.code(knobs), scope)
    *_, value = values(GENERATE.run(app, **knobs))
    assert np.array_equal(pixels(scope["x"]), frames_of(value["lanes"][0])[-1])


def dissolved(**knobs) -> tuple[dict, torch.Tensor]:
    x_0 = torch.linspace(-1, 1, 784).reshape(1, 1, 28, 28)
    pictures = Pictures(x_0, "a slope", ("",))
    run = forward.dissolve(
        tiny("diffusion"), pictures, **{"count": 2, "moments": 5, "noise_seed": 3} | knobs
    )
    pieces = list(run)
    assert all(isinstance(piece, Progress) for piece in pieces[:-1]) and len(pieces) == 6
    return pieces[-1].to_json(), x_0


def test_the_forward_process_is_the_closed_form_at_each_moment():
    value, x_0 = dissolved()
    schedule = tiny("diffusion").schedule
    eps = Noise([3, 4]).randn(1, 28, 28)
    left, noisy, guess = (frames_of(lane) for lane in value["lanes"])
    assert value["levels"] == ["t = 0", "t = 250", "t = 500", "t = 750", "t = 1000"]
    for k, t in enumerate((0, 250, 500, 750, 1000)):
        alpha_bar = schedule.alpha_bar[t]
        x_t = np.sqrt(alpha_bar) * x_0 + np.sqrt(1 - alpha_bar) * eps
        assert np.abs(pixels(x_t.float()).astype(int) - noisy[k]).max() <= 1
        expected = pixels((np.sqrt(alpha_bar) * x_0).float())[0]
        assert np.abs(expected.astype(int) - left[k, 0]).max() <= 1
    assert np.array_equal(guess[0, 0], pixels(x_0)[0])
    assert not np.array_equal(guess[-1], noisy[-1])


def test_the_curves_are_those_of_the_schedule():
    value, _ = dissolved()
    alpha_bar = tiny("diffusion").schedule.alpha_bar
    shares, ratio = value["curves"]
    assert shares["at"] == ratio["at"] == [0, 250, 500, 750, 1000]
    picture_share, noise_share = (dict(series["points"]) for series in shares["series"])
    for t in (1, 253, 1000):
        assert picture_share[t] == pytest.approx(alpha_bar[t] ** 0.5, abs=1e-4)
        assert picture_share[t] ** 2 + noise_share[t] ** 2 == pytest.approx(1, abs=1e-3)
    snr = dict(ratio["series"][0]["points"])
    assert snr[253] == pytest.approx(alpha_bar[253] / (1 - alpha_bar[253]), rel=1e-3)
    assert ratio["log_y"] and value["notes"][0] == "xₜ = 1.000 picture + 0.000 noise"


def test_the_printed_lines_of_forward_run(app):
    source = PictureInput(app, "diffusion", "forward")
    knobs = {k.name: k.check(k.default) for k in [*source.knobs, *forward.KNOBS]}
    knobs |= {"source": "A model", "sampled_by": "flow-fashion", "moments": 4, "count": 2}
    scope: dict = {}
    exec(forward.code(source, knobs), scope)
    assert [x.shape for x in scope["x_t"]] == [(2, 1, 28, 28)] * 4
    assert torch.equal(scope["x_t"][0], scope["x_0"])


def scheduled(app: App, **knobs) -> tuple[dict, dict, PictureInput]:
    """The panel's value, the knobs it came from, and where its picture comes from."""
    source = PictureInput(app, "diffusion", "schedules")
    known = {k.name: k.check(k.default) for k in [*source.knobs, *schedules.KNOBS]}
    known |= {"source": "A model", "sampled_by": "flow-fashion", **knobs}
    (value,) = values(schedules.run(app, source, **known))
    return value, known, source


def test_five_schedules_mix_the_same_picture_with_the_same_noise(app):
    value, _, _ = scheduled(app, shift=2.0)
    lanes = {lane["title"]: frames_of(lane)[:, 0] for lane in value["lanes"]}
    assert list(lanes) == ["Linear", "Cosine", "Shifted cosine", "Sigmoid", "Flow's line"]
    (straight,) = [frames for title, frames in lanes.items() if title == "Flow's line"]
    first, last = straight[0] / 127.5 - 1, Noise([0]).randn(1, 28, 28)[0, 0].numpy()
    for k in (0, 6, 15, 30):
        mixed = ((1 - k / 30) * first + k / 30 * last).clip(-1, 1)
        assert np.abs((mixed + 1) * 127.5 - straight[k]).max() <= 2
    for title in ("Linear", "Cosine", "Sigmoid"):  # they begin and end alike
        assert np.abs(lanes[title][0].astype(int) - straight[0]).max() <= 8
        assert np.abs(lanes[title][-1].astype(int) - straight[-1]).max() <= 4
    assert value["notes"][0] == "more noise than picture in 0 of 5"
    assert value["notes"][-1] == "more noise than picture in 5 of 5"


def test_the_curves_of_schedules_are_theirs_and_a_shift_moves_its_own_alone(app):
    ratios = {}
    for shift in (0.5, 2.0):
        value, _, _ = scheduled(app, shift=shift)
        picture_share, noise_share, ratio = value["curves"]
        assert ratio["log_y"] and len(ratio["series"][-1]["points"]) == 30  # infinite at t = 0
        for a, b in zip(picture_share["series"][:4], noise_share["series"][:4], strict=True):
            squares = [x**2 + y**2 for (_, x), (_, y) in zip(a["points"], b["points"], strict=True)]
            assert squares == pytest.approx([1] * 31, abs=2e-3)
        ratios[shift] = {s["name"]: dict(s["points"])[0.5] for s in ratio["series"]}
    shifted = [ratios[shift].pop("Shifted cosine") for shift in (0.5, 2.0)]
    assert shifted[1] == pytest.approx(16 * shifted[0], rel=1e-2) and ratios[0.5] == ratios[2.0]


def test_the_printed_lines_of_schedules_run(app):
    value, knobs, source = scheduled(app, shift=2.0, noise_seed=5)
    scope: dict = {}
    exec(schedules.code(source, knobs), scope)
    lanes = {lane["title"]: frames_of(lane)[-1, 0] for lane in value["lanes"]}
    named = {"Linear": "linear", "Shifted cosine": "shifted", "Flow's line": "straight"}
    for title, name in named.items():
        assert np.array_equal(pixels(scope["x_t"][name].float())[0], lanes[title])


def table(app: App, **knobs) -> list[dict]:
    return values(races.compare(app, **defaults(races.COMPARE_PANEL, **knobs)))


@pytest.mark.heavy
def test_the_table_fills_cell_by_cell(app):
    news = table(app, columns="1-16", count=2)
    filled = [sum(cell is not None for row in n["rows"] for cell in row["cells"]) for n in news]
    assert filled == list(range(1, 26))
    assert news[-1]["columns"] == ["1", "2", "4", "8", "16"]
    titles = [row["title"] for row in news[-1]["rows"]]
    assert titles == ["DDPM", "DDIM", "DPM-Solver++(2M)", "Euler", "Heun"]
    assert "2 pictures together" in news[-1]["caption"] and "all in" in news[-1]["provenance"]


@pytest.mark.heavy
def test_a_cell_shows_what_that_solver_draws_from_the_same_noise(app):
    *_, value = table(app, label="Sandal", columns="1-16", seed=4, guidance_scale=1.5)
    model = load("diffusion-fashion", "cpu")
    for row, solver in zip(
        value["rows"], ("ddpm", "ddim", "dpm++2m", "euler", "heun"), strict=True
    ):
        x = final(model.sample(Noise([4]), label=5, steps=8, guidance_scale=1.5, solver=solver))
        assert np.array_equal(picture(row["cells"][3]["picture"]), pixels(x)[0])


@pytest.mark.heavy
def test_eta_turns_ddim_and_nothing_else(app):
    *_, still = table(app, columns="1-16", eta=0.0)
    *_, noisy = table(app, columns="1-16", eta=1.0)
    changed = [
        a["cells"][2]["picture"] != b["cells"][2]["picture"]
        for a, b in zip(still["rows"], noisy["rows"], strict=True)
    ]
    assert changed == [False, True, False, False, False]
    assert noisy["rows"][1]["note"] == "eta = 1, steps even in time"


def test_a_table_that_costs_too_much_is_refused_by_name(app):
    with pytest.raises(
        KnobError, match=r"9 pictures of 1875 steps each are 16875 steps: choose at most 4000"
    ):
        table(app, columns="25-200", count=9)


@pytest.mark.heavy
def test_the_printed_lines_of_compare_draw_the_same(app):
    knobs = defaults(races.COMPARE_PANEL, columns="1-16", seed=6)
    scope: dict = {}
    exec(textwrap.dedent(races.compare_code(knobs)), scope)
    *_, value = values(races.compare(app, **knobs))
    assert len(scope["pictures"]) == 25
    shown = picture(value["rows"][4]["cells"][1]["picture"])
    assert np.array_equal(pixels(scope["pictures"]["heun", 2])[0], shown)


def test_every_panel_wants_an_example_kept(app):
    kept = [keep for panel in diffusion.TAB.panels for keep in panel.keeps()]
    assert [keep.name for keep in kept] == [
        "diffusion-generate",
        "diffusion-person",
        "diffusion-forward",
        "diffusion-schedules",
        "diffusion-edit",
        "diffusion-compare",
    ]
    value = kept[0].make(app)
    assert len(value["levels"]) == 21 and kept[0].seeds == tuple(range(10))


def test_the_tab_can_be_built_twice(app):
    for _ in range(2):
        app.knobs.clear()
        with gr.Blocks():
            diffusion.TAB.build(app)
    assert [knobs.panel for knobs in app.knobs] == [
        "generate",
        "forward",
        "schedules",
        "edit",
        "compare",
    ]


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    with served(diffusion.TAB, tmp_path_factory.mktemp("weights")) as url:
        yield url


def opened(page: Page, **knobs: int) -> Page:
    """The page once the link has turned these knobs of Generate."""
    for name, value in knobs.items():
        number = page.locator(f"#diffusion-generate-{name} input[type=number]")
        expect(number).to_have_value(str(value))
    return page


def live(page: Page, panel: str) -> None:
    """Waits for the result that the button brought."""
    source = page.locator(f"#diffusion-{panel} .card-live")
    expect(source).not_to_contain_text("so far")


@pytest.mark.browser
def test_generate_plays_live_and_is_scrubbed_by_key_and_mouse(visit, address):
    link = f"{address}?tab=diffusion&generate.steps=6&generate.count=4"
    page = opened(visit(link), steps=6, count=4)
    page.get_by_role("button", name="Generate", exact=True).click()
    live(page, "generate")
    expect(page.locator("#diffusion-generate figure")).to_have_count(3)
    track, step = (
        page.locator("#diffusion-generate .timeline-track"),
        page.locator("#diffusion-generate .timeline-step"),
    )
    track.focus()
    page.keyboard.press("Home")
    expect(step).to_have_text("step 0 / 6")
    page.keyboard.press("ArrowRight")
    expect(step).to_have_text("step 1 / 6")
    box = track.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(step).to_have_text("step 3 / 6")


@pytest.mark.browser
def test_eta_can_be_turned_with_ddim_alone(visit, address):
    page = visit(f"{address}?tab=diffusion&generate.count=2&generate.steps=2")
    page = opened(page, count=2, steps=2)
    page.get_by_label("Advanced").locator("visible=true").check(force=True)
    eta = page.locator("#diffusion-generate-eta input[type=number]")
    expect(eta).to_be_disabled()
    page.locator("#diffusion-generate-solver input").click()
    page.get_by_role("option", name="DDIM").click()
    expect(eta).to_be_enabled()
    expect(eta).to_have_value("0")
    page.get_by_role("button", name="Generate", exact=True).click()
    live(page, "generate")


@pytest.mark.browser
def test_stop_ends_a_long_run_and_the_next_one_is_served(visit, address):
    link = f"{address}?tab=diffusion&generate.steps=1000&generate.count=4"
    page = opened(visit(link), steps=1000, count=4)
    go, stop = (page.get_by_role("button", name=name, exact=True) for name in ("Generate", "Stop"))
    go.click()
    source = page.locator("#diffusion-generate .card-source")
    expect(source).to_contain_text("of 1000 so far")
    with page.expect_response("**/reset"):  # until then the button starts nothing new
        stop.locator("visible=true").click()
    page.locator("#diffusion-generate-steps input[type=number]").fill("2")
    page.keyboard.press("Tab")
    go.click()
    expect(page.locator("#diffusion-generate .timeline-step")).to_have_text("step 2 / 2")
    live(page, "generate")


@pytest.mark.browser
def test_too_much_work_is_a_message_on_the_page(visit, address):
    link = f"{address}?tab=diffusion&generate.steps=1000&generate.count=64"
    page = opened(visit(link), steps=1000, count=64)
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.get_by_text("64 pictures of 1000 steps each are 64000")).to_be_visible()


@pytest.mark.browser
def test_forward_dissolves_a_sampled_picture(visit, address):
    page = visit(f"{address}?tab=diffusion&panel=forward&forward.source=A+model&forward.moments=5")
    expect(page.locator("#diffusion-forward-source input")).to_have_value("A model")
    page.get_by_role("button", name="Dissolve").click()
    live(page, "forward")
    expect(page.locator("#diffusion-forward .card-source")).to_contain_text("not real")
    expect(page.locator("#diffusion-forward .timeline-curve")).to_have_count(2)


@pytest.mark.browser
def test_a_pull_at_a_curve_moves_all_five_pictures(visit, address):
    page = visit(f"{address}?tab=diffusion&panel=schedules&schedules.source=A+model")
    expect(page.locator("#diffusion-schedules-source input")).to_have_value("A model")
    page.get_by_role("button", name="Compare", exact=True).locator("visible=true").click()
    live(page, "schedules")
    card = page.locator("#diffusion-schedules")
    expect(card.locator(".timeline-step")).to_have_text("moment 12 / 30")
    chart = card.locator(".timeline-curve svg").last
    box = chart.bounding_box()
    chart.click(position={"x": box["width"] - 22, "y": box["height"] / 2})
    expect(card.locator(".timeline-step")).to_have_text("moment 30 / 30")
    expect(card).to_contain_text("more noise than picture in 5 of 5")


@pytest.mark.browser
def test_compare_fills_its_table_and_saves_it(visit, address):
    page = visit(f"{address}?tab=diffusion&panel=compare&compare.label=Sandal")
    expect(page.locator("#diffusion-compare-label input")).to_have_value("Sandal")
    page.get_by_role("button", name="Compare", exact=True).click()
    live(page, "compare")
    expect(page.locator("#diffusion-compare img")).to_have_count(25)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download this table as PNG").click()
    with Image.open(Path(saved.value.path())) as image:
        assert image.format == "PNG" and image.width > 700
