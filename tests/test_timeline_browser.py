"""The timeline in a real browser: mouse, keys, play, charts, downloads."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, Route, expect

from demos.page.image_io import png_data_url
from demos.widgets.timeline import Timeline
from timeline_fixtures import LONG, SHADES, N, long_value, open_gif, run_value, training_value

pytestmark = pytest.mark.browser


def build() -> gr.Blocks:
    with gr.Blocks() as demo:
        with gr.Tab("Run"):
            gr.Textbox(label="Typed", elem_id="typed")
            press = gr.Button("Generate", elem_id="go")
            run = Timeline(elem_id="run", label="A run", empty="Nothing yet")
            press.click(lambda: run_value(), None, run, api_name="run")
        with gr.Tab("Still"):
            press = gr.Button("Generate", elem_id="go-still")
            still = Timeline(elem_id="still", label="A run", empty="Nothing yet")
            press.click(lambda: run_value() | {"autoplay": False}, None, still, api_name="still")
        with gr.Tab("Training"):
            Timeline(elem_id="training", label="A training run", value=training_value())
            Timeline(elem_id="long", label="A long run", value=long_value())
    return demo


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    demo = build()
    # Gradio's own theme asks Google for fonts; this one asks nobody.
    theme = gr.themes.Base(font=["sans-serif"], font_mono=["monospace"])
    _, url, _ = demo.launch(
        prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", theme=theme
    )
    yield url
    demo.close()


@pytest.fixture(scope="module")
def late() -> Iterator[str]:
    """A page whose timeline begins with a value of large sheets, which are files of their own."""
    value = run_value(live=False)
    first = np.full((5, 4 * 7), SHADES[-1], np.uint8)
    value["lanes"] = [value["lanes"][0] | {"first": png_data_url(first), "sheet": "/late.png"}]
    with gr.Blocks() as demo:
        Timeline(elem_id="late", label="A run", value=value)
    _, url, _ = demo.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    yield url
    demo.close()


@pytest.fixture
def page(visit: Callable[..., Page], address: str) -> Page:
    """The page, freshly opened; `visit` fails on an error in its console."""
    return opened(visit(address))


def opened(page: Page) -> Page:
    expect(page.locator("#run .card-empty")).to_have_text("Nothing yet")
    return page


def generate(page: Page) -> None:
    page.locator("#go").click()
    expect(page.locator("#run .card-full")).to_be_visible()
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
    expect(page.locator("#run .card-source")).to_have_text("live · cpu, 75 ms")


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
    for number in (N - 1, 1, N - 1, 1):  # looked for in every frame of the browser's: they fly by
        page.wait_for_function(
            "(text) => document.querySelector('#run .timeline-step').textContent === text",
            arg=f"step {number} / {N - 1}",
        )
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


def test_who_wants_it_sees_each_new_run_replayed(page: Page) -> None:
    widget = page.locator("#still")
    page.get_by_role("tab", name="Still").click()
    page.locator("#go-still").click()
    expect(widget.locator(".card-live")).to_be_visible()
    expect(step(page, "still")).to_have_text(f"step {N - 1} / {N - 1}")
    assert widget.get_by_role("button", name="Pause").count() == 0  # it shows its end
    replay = widget.get_by_role("button", name="Animate each new run")
    replay.click()
    expect(replay).to_have_attribute("aria-pressed", "true")
    expect(widget.get_by_role("button", name="Pause")).to_be_visible()
    expect(widget.get_by_role("button", name="Play")).to_be_visible()
    page.reload()
    page.get_by_role("tab", name="Still").click()
    page.locator("#go-still").click()
    expect(widget.get_by_role("button", name="Pause")).to_be_visible()


def test_the_frame_shown_first_is_there_before_the_others(page: Page, late: str) -> None:
    held: list[Route] = []
    page.route("**/late.png", lambda route: held.append(route))
    page.goto(late)
    widget = page.locator("#late")
    expect(widget.locator(".card-full")).to_be_visible()
    expect(step(page, "late")).to_have_text(f"step {N - 1} / {N - 1}")
    assert picture(page, "late") == SHADES[-1]
    widget.get_by_role("button", name="One step back").click()
    assert picture(page, "late") == SHADES[-1]  # the others are not here yet
    sheet = run_value()["lanes"][0]["sheet"].partition(",")[2]
    held[0].fulfill(body=base64.b64decode(sheet), content_type="image/png")
    page.locator("#late .timeline[data-filled]").wait_for()
    assert picture(page, "late") == SHADES[-2]


def test_nothing_moves_by_itself_for_those_who_want_less_motion(
    visit: Callable[..., Page], address: str
) -> None:
    page = opened(visit(address, reduced_motion="reduce"))
    page.evaluate(
        """() => new MutationObserver(() => {
            const button = document.querySelector("#run .timeline-play");
            if (button && button.title === "Pause") window.moved = true;
        }).observe(document.querySelector("#run"), { subtree: true, attributes: true })"""
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


def test_a_long_run_at_full_speed_can_be_kept_as_well(page: Page, tmp_path: Path) -> None:
    page.get_by_role("tab", name="Training").click()
    widget = page.locator("#long")
    widget.get_by_role("button", name="Speed 4 times").click()
    with page.expect_download() as gif:
        widget.get_by_role("button", name="Download animation as GIF").click()
    gif.value.save_as(tmp_path / "run.gif")
    image = open_gif((tmp_path / "run.gif").read_bytes())
    assert image.n_frames == LONG and image.info["duration"] == 20


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
    expect(page.locator("#training .card-source")).to_have_text("computed before")
    # The hidden timeline heard none of these keys.
    page.get_by_role("tab", name="Run").click()
    expect(step(page)).to_have_text(f"step 2 / {N - 1}")


def test_on_a_phone_nothing_is_wider_than_the_page(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    generate(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("#run .timeline-tools").bounding_box()["width"] <= 390
