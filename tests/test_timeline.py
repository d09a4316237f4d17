"""The timeline: its value and GIF in Python, and the widget itself in a real browser."""

from __future__ import annotations

import base64
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from demos.widgets.timeline import Timeline, timeline_from_images, timeline_value
from demos.widgets.timeline_gif import PREFIX, encode_gif
from gen_core.family import Frame

N = 6
SHADES = [10, 60, 110, 160, 210, 250]
"""The first lane's grey in every frame: what the browser must show."""


def shade(level: int) -> float:
    return level / 127.5 - 1


def make_frames(samples: int = 4) -> list[Frame]:
    """Frame k is one shade of grey, sample 0 inverted; neither x0 nor out in the last frame."""
    frames = []
    for k, grey in enumerate(SHADES):
        x = torch.full((samples, 1, 5, 7), shade(grey))
        x[0] = shade(255 - grey)
        guess = None if k == N - 1 else torch.full_like(x, shade(200))
        noise = None if k == N - 1 else torch.full_like(x, 3.0)
        frames.append(Frame(k, N - 1, 1 - k / (N - 1), x, guess, noise))
    return frames


LANES = [("State", "x"), ("Guess", "x0"), ("Noise", "out")]


def run_value(**extras: object) -> dict:
    return timeline_value(
        make_frames(), LANES, ms_per_step=12.5, provenance="cpu, 75 ms", name="A run!", **extras
    )


def training_value() -> dict:
    pictures = [np.full((3, 8, 8, 3), grey, np.uint8) for grey in SHADES]
    at = [100 * k for k in range(N)]
    return timeline_from_images(
        {"Healthy": pictures},
        [f"epoch {k}" for k in range(N)],
        steps=at,
        step_word="training step",
        live=False,
        provenance="computed before",
        notes=[f"recall {0.1 * k:.1f}" for k in range(N)],
        curves=[
            {
                "title": "Loss",
                "x_label": "training step",
                "series": [{"name": "generator", "points": [[0, 1.0], [500, 6.0]]}],
                "at": at,
            }
        ],
        bars=[
            {
                "lane": "Healthy",
                "title": "Share of samples",
                "labels": ["Bag", "Coat"],
                "values": [[0.5 + 0.1 * k, 0.5 - 0.1 * k] for k in range(N)],
                "threshold": 0.01,
                "summary": [f"{2 - (k == N - 1)} of 2 classes alive" for k in range(N)],
                "percent": True,
            }
        ],
        start=0,
    )


def sheet_of(lane: dict) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(lane["sheet"][len(PREFIX) :]))))


# --- the value ------------------------------------------------------------------------------------


def test_sheet_holds_frame_k_of_sample_b_at_b_times_width_k_times_height() -> None:
    value = run_value()
    state = value["lanes"][0]
    sheet = sheet_of(state)
    assert sheet.shape == (N * 5, 4 * 7)
    assert (state["width"], state["height"], state["samples"], state["columns"]) == (7, 5, 4, 2)
    for k, grey in enumerate(SHADES):
        assert np.all(sheet[k * 5 : k * 5 + 5, :7] == 255 - grey)
        assert np.all(sheet[k * 5 : k * 5 + 5, 7:] == grey)


def test_last_frame_guesses_itself_and_says_no_noise() -> None:
    _, guess, noise = run_value()["lanes"]
    assert np.all(sheet_of(guess)[:5] == 200) and np.all(sheet_of(guess)[-5:, 7:] == SHADES[-1])
    assert guess["present"] == [True] * N
    assert noise["present"] == [True] * (N - 1) + [False]
    assert np.all(sheet_of(noise)[:5] == 255), "3 standard deviations of noise are white"


def test_value_is_plain_json_with_clock_steps_and_a_safe_file_name() -> None:
    value = run_value(clock=lambda frame: f"t = {frame.level:.2f}")
    assert json.loads(json.dumps(value, allow_nan=False)) == value
    assert value["levels"][1] == "t = 0.80"
    assert (value["steps"][-1], value["total"], value["name"]) == (N - 1, N - 1, "a-run")
    json.dumps(training_value(), allow_nan=False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"levels": ["a"]}, "6 entries for 1 frames"),
        ({"levels": []}, "at least one frame"),
        ({"steps": [1, 2]}, "steps has 2 entries for 6 frames"),
        ({"start": 6}, "start=6: choose a whole number from 0 to 5"),
        ({"ms_per_step": float("nan")}, "nan in a timeline"),
        ({"lanes": {"a": [np.zeros((1, 4, 4))] * N}}, "uint8"),
        ({"lanes": {"a": [np.zeros((4, 4), np.uint8)] * N}}, r"takes \(B, H, W\)"),
        ({"lanes": {"a": [np.zeros((5000, 4, 4), np.uint8)] * N}}, "too large a sheet"),
        ({"bars": [{"lane": "b", "values": []}]}, "the lanes are a"),
        ({"curves": [{"title": "Loss", "at": [1]}]}, "'Loss': at has 1 entries"),
    ],
)
def test_bad_input_says_what_it_got(change: dict, message: str) -> None:
    good = {
        "lanes": {"a": [np.zeros((1, 4, 4), np.uint8)] * N},
        "levels": [str(k) for k in range(N)],
    }
    timeline_from_images(**good)
    with pytest.raises(ValueError, match=message):
        timeline_from_images(**{**good, **change})


def test_latent_frames_are_refused() -> None:
    with pytest.raises(ValueError, match="takes"):
        timeline_value([Frame(0, 0, 0.0, torch.zeros(4, 16))], [("Latent", "x")])


# --- the GIF --------------------------------------------------------------------------------------


def gif_request(**change: object) -> dict:
    captions = [f"step {k}" for k in range(N)]
    return {"lanes": run_value()["lanes"], "captions": captions, "frame_ms": 100, **change}


def open_gif(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    assert image.format == "GIF"
    return image


def test_gif_plays_every_frame_in_its_own_grey() -> None:
    answer = encode_gif(gif_request())
    assert set(answer) == {"gif"}
    gif = open_gif(base64.b64decode(answer["gif"].split(",")[1]))
    assert gif.n_frames == N
    for k, grey in enumerate(SHADES):
        gif.seek(k)
        shown = np.asarray(gif.convert("L"))
        assert grey in shown and 255 - grey in shown
    assert gif.info["duration"] == 1500, "it rests on the sample"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"frame_ms": float("nan")}, "frame_ms=nan: choose a whole number from 20 to 5000"),
        ({"captions": None}, "captions: takes a list of texts"),
        ({"captions": ["x"] * 1001}, "number of frames=1001: choose"),
        ({"lanes": []}, "number of lanes=0: choose"),
        ({"lanes": [7]}, "a lane: takes"),
        ({"lanes": "sheet"}, "lanes: takes a list"),
    ],
)
def test_gif_of_bad_requests_is_an_error_not_a_crash(change: dict, message: str) -> None:
    assert message in encode_gif(gif_request(**change))["error"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sheet": "https://example.org/a.png"}, "takes a PNG as a data URL"),
        ({"sheet": PREFIX + "AAAA"}, "not a PNG"),
        ({"sheet": PREFIX + "not base64"}, "not a PNG"),
        ({"samples": 5}, "are needed"),
        ({"width": 10**9}, "width=1000000000: choose a whole number from 1 to 16000"),
        ({"columns": 0}, "columns=0: choose"),
        ({"height": 2.5}, "height=2.5: choose"),
        ({"present": [True]}, "present: takes 6 entries"),
        ({"title": None}, "title: takes"),
    ],
)
def test_gif_of_bad_lanes_is_an_error_not_a_crash(change: dict, message: str) -> None:
    lane = {**run_value()["lanes"][0], **change}
    assert message in encode_gif(gif_request(lanes=[lane]))["error"]


def test_gif_of_a_truncated_png_is_an_error() -> None:
    lane = run_value()["lanes"][0]
    data = base64.b64decode(lane["sheet"][len(PREFIX) :])[:-30]
    lane["sheet"] = PREFIX + base64.b64encode(data).decode()
    assert "not a PNG" in encode_gif(gif_request(lanes=[lane]))["error"]


# --- in the browser -------------------------------------------------------------------------------


def build() -> gr.Blocks:
    with gr.Blocks() as demo:
        with gr.Tab("Run"):
            gr.Textbox(label="Typed", elem_id="typed")
            press = gr.Button("Generate", elem_id="go")
            run = Timeline(elem_id="run", label="A run", empty="Nothing yet")
            press.click(lambda: run_value(), None, run, api_name="run")
        with gr.Tab("Training"):
            Timeline(elem_id="training", label="A training run", value=training_value())
    return demo


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    demo = build()
    _, url, _ = demo.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    yield url
    demo.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=options)
        yield browser
        browser.close()


@pytest.fixture(params=["no-preference"])
def page(request: pytest.FixtureRequest, chromium: Browser, address: str) -> Iterator[Page]:
    """The page, freshly opened; at its end, no error in the console and no asking elsewhere."""
    context = chromium.new_context(reduced_motion=request.param, accept_downloads=True)
    page = context.new_page()
    errors: list[str] = []
    page.on(
        "console", lambda message: errors.append(message.text) if message.type == "error" else 0
    )
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    expect(page.locator("#run .timeline-empty")).to_have_text("Nothing yet")
    yield page
    context.close()
    # The default theme asks Google for fonts; the app's own theme does not, and is tested there.
    assert [error for error in errors if "ERR_" not in error] == []


def generate(page: Page) -> None:
    page.locator("#go").click()
    expect(page.locator("#run .timeline-full")).to_be_visible()
    expect(step(page)).to_have_text(f"step {N - 1} / {N - 1}")


def step(page: Page, widget: str = "run") -> Locator:
    return page.locator(f"#{widget} .timeline-step")


def picture(page: Page, widget: str = "run", lane: int = 0) -> int:
    """The grey (or red) in the middle of the last sample that the canvas shows."""
    return (
        page.locator(f"#{widget} .timeline-lane canvas")
        .nth(lane)
        .evaluate(
            """canvas => canvas.getContext("2d").getImageData(
            Math.round(canvas.width * 0.75), Math.round(canvas.height * 0.75), 1, 1).data[0]"""
        )
    )


def drag_to(page: Page, share: float) -> None:
    box = page.locator("#run .timeline-track").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.9, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * share, middle, steps=4)
    page.mouse.up()


def test_dragging_changes_the_picture_the_step_and_what_a_reader_hears(page: Page) -> None:
    generate(page)
    for k in (2, 0, 4):
        drag_to(page, k / (N - 1))
        expect(step(page)).to_have_text(f"step {k} / {N - 1}")
        assert picture(page) == SHADES[k]
        track = page.locator("#run").get_by_role("slider", name="Position in time")
        assert track.get_attribute("aria-valuenow") == str(k)
        assert f"step {k} / {N - 1}" in track.get_attribute("aria-valuetext")
    expect(page.locator("#run .timeline-level")).to_have_text("t = 0.2")
    expect(page.locator("#run .timeline-cost")).to_have_text("12.5 ms per step")
    expect(page.locator("#run .timeline-source")).to_have_text("live · cpu, 75 ms")


def test_keys_scrub_but_never_while_typing(page: Page) -> None:
    generate(page)
    page.keyboard.press("Home")
    expect(step(page)).to_have_text(f"step 0 / {N - 1}")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    expect(step(page)).to_have_text(f"step 1 / {N - 1}")
    assert picture(page) == SHADES[1]
    box = page.locator("#typed textarea, #typed input").first
    box.click()
    box.press_sequentially("a b")
    for key in ("ArrowLeft", "Home", "End", "ArrowRight", " "):
        page.keyboard.press(key)
    expect(box).to_have_value("a b ")
    expect(step(page)).to_have_text(f"step 1 / {N - 1}")
    page.locator("#run .timeline-track").focus()
    page.keyboard.press("End")
    expect(step(page)).to_have_text(f"step {N - 1} / {N - 1}")
    assert picture(page, lane=2) == 0, "the last frame has no noise: its lane is empty"


def test_space_plays_to_the_end_and_a_loop_goes_on(page: Page) -> None:
    generate(page)
    widget = page.locator("#run")
    widget.get_by_role("button", name="Speed 4 times").click()
    page.keyboard.press("Home")
    page.locator("#run .timeline-track").focus()
    page.keyboard.press(" ")
    expect(widget.get_by_role("button", name="Pause")).to_be_visible()
    expect(widget.get_by_role("button", name="Play")).to_be_visible()
    expect(step(page)).to_have_text(f"step {N - 1} / {N - 1}")
    assert picture(page) == SHADES[-1]
    widget.get_by_role("button", name="Loop").click()
    widget.get_by_role("button", name="Play").click()
    for _ in range(2):
        expect(step(page)).to_have_text(f"step {N - 1} / {N - 1}")
        expect(step(page)).to_have_text(f"step 1 / {N - 1}")
    widget.get_by_role("button", name="Pause").click()
    shown = step(page).inner_text()
    widget.get_by_role("button", name="One step back").click()
    expect(step(page)).not_to_have_text(shown)


def test_new_frames_while_playing_start_afresh(page: Page) -> None:
    generate(page)
    widget = page.locator("#run")
    widget.get_by_role("button", name="Loop").click()
    widget.get_by_role("button", name="Play").click()
    page.locator("#typed textarea, #typed input").first.click()
    page.locator("#go").click()
    widget.get_by_role("button", name="Loop").click()
    expect(step(page)).to_have_text(f"step {N - 1} / {N - 1}")
    expect(widget.get_by_role("button", name="Play")).to_be_visible()
    assert picture(page) == SHADES[-1]


@pytest.mark.parametrize("page", ["reduce"], indirect=True)
def test_nothing_moves_by_itself_for_those_who_want_less_motion(page: Page) -> None:
    page.evaluate(
        """() => new MutationObserver(() => {
            const button = document.querySelector("#run .timeline-play");
            if (button && button.title === "Pause") window.moved = true;
        }).observe(document.querySelector("#run"), { subtree: true, attributes: true, childList: true })"""
    )
    generate(page)
    assert page.evaluate("window.moved") is None
    page.locator("#run").get_by_role("button", name="Play").click()
    page.wait_for_function("window.moved === true")


def test_both_exports_download_real_pictures(page: Page, tmp_path: Path) -> None:
    generate(page)
    widget = page.locator("#run")
    with page.expect_download() as png:
        widget.get_by_role("button", name="Download key frames as PNG").click()
    assert png.value.suggested_filename == "a-run-key-frames.png"
    png.value.save_as(tmp_path / "strip.png")
    strip = np.asarray(Image.open(tmp_path / "strip.png").convert("L"))
    assert set(SHADES) <= set(np.unique(strip))
    with page.expect_download() as gif:
        widget.get_by_role("button", name="Download animation as GIF").click()
    assert gif.value.suggested_filename == "a-run.gif"
    gif.value.save_as(tmp_path / "run.gif")
    assert open_gif((tmp_path / "run.gif").read_bytes()).n_frames == N


def test_charts_follow_the_frame_in_a_tab_that_opens_late(page: Page) -> None:
    generate(page)
    drag_to(page, 2 / (N - 1))
    page.get_by_role("tab", name="Training").click()
    expect(step(page, "training")).to_have_text("training step 0 / 500")
    marker = page.locator("#training .marker")
    before = float(marker.get_attribute("x1"))
    assert page.locator("#training .timeline-legend output").inner_text() == "1"
    page.locator("#training .timeline-track").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#training .timeline-legend output")).to_have_text("2")
    assert float(marker.get_attribute("x1")) > before
    expect(page.locator("#training .timeline-note")).to_have_text("recall 0.1")
    expect(page.locator("#training .timeline-bars li").first).to_contain_text("60%")
    page.keyboard.press("End")
    expect(page.locator("#training .timeline-summary")).to_have_text("1 of 2 classes alive")
    expect(page.locator("#training .timeline-dead")).to_have_count(1)
    expect(page.locator("#training .timeline-source")).to_have_text("computed before")
    # The hidden timeline heard none of these keys.
    page.get_by_role("tab", name="Run").click()
    expect(step(page)).to_have_text(f"step 2 / {N - 1}")


def test_on_a_phone_nothing_is_wider_than_the_page(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    generate(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("#run .timeline-tools").bounding_box()["width"] <= 390
