"""The VAE's tab with its real weights, in a real browser: sliders, pad, drawing, upload, walk."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import expect

from demos.tabs import vae
from serving import page_of
from visiting import Held, upload

pytestmark = pytest.mark.browser

SLIDERS = "#vae-latent-code .latent"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with page_of(vae.TAB) as address:
        yield address


def opened(visit, address: str, panel: str, more: str = "", **options):
    page = visit(f"{address}?tab=vae&panel={panel}{more}", **options)
    page.wait_for_selector("#tab-vae .panels")
    return page


def restored(page, knob: str, value: str) -> None:
    """Waits until the link's value stands in a knob."""
    expect(page.locator(f"#vae-{knob} input").first).to_have_value(value)


def shown(page) -> int:
    return int(page.locator(SLIDERS).get_attribute("data-shown") or 0)


def opened_with_code(visit, address: str, code: str):
    """The sliders, once they picture a link's code: that of the default comes before it."""
    page = opened(visit, address, "latent", f"&latent.code={code}")
    page.wait_for_selector(f'{SLIDERS}[data-pictured="{code}"]')
    return page


def wait_for_picture(page, after: int = 0) -> None:
    page.wait_for_function(
        f"Number(document.querySelector('{SLIDERS}')?.dataset.shown ?? 0) > {after}"
    )


def test_samples_appear_with_their_measured_time(visit, address):
    page = opened(visit, address, "samples", "&samples.count=9")
    restored(page, "samples-count", "9")
    page.get_by_role("button", name="Draw new pictures").click()
    page.locator("#vae-samples .card-live").wait_for()
    assert page.locator("#vae-samples img").count() == 9


def test_sliders_answer_while_they_move_reset_and_go_back_to_the_mean(visit, address):
    page = opened(visit, address, "latent")
    wait_for_picture(page)
    picture = page.locator(f"{SLIDERS} .latent-picture")
    first, slider = picture.get_attribute("src"), page.locator(f"{SLIDERS} input[type=range]").first
    box = slider.bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + box["height"] / 2)
    page.mouse.down()
    before = shown(page)
    page.mouse.move(box["x"] + box["width"] - 5, box["y"] + box["height"] / 2, steps=12)
    wait_for_picture(page, before)  # the button is still down
    page.mouse.up()
    page.wait_for_function(
        "src => document.querySelector('.latent-picture').src !== src", arg=first
    )
    reset = page.locator(f"{SLIDERS} .latent-reset").first
    reset.click()
    assert slider.input_value() == "0"
    assert reset.is_disabled()
    page.get_by_role("button", name="Reset all to 0").click()
    values = page.locator(f"{SLIDERS} output").all_text_contents()
    assert set(values) == {"0.00"}


def test_the_newest_code_wins_and_few_are_asked_for(visit, address):
    page = opened(visit, address, "latent")
    wait_for_picture(page)
    asked = []
    page.on("request", lambda r: asked.append(r.url) if "component_server" in r.url else None)
    before = shown(page)
    page.evaluate(
        """() => {
          const slider = document.querySelector('#vae-latent-code input[type=range]');
          for (let i = 0; i < 60; i++) {
            slider.value = -3 + i / 10;
            slider.dispatchEvent(new Event('input'));
          }
        }"""
    )  # 60 moves within one task
    page.wait_for_function(
        f"Number(document.querySelector('{SLIDERS}').dataset.shown) >= {before + 2}"
    )
    assert len(asked) <= 2  # the first, if none was under way, and the last
    assert page.locator(f"{SLIDERS} output").first.text_content() == "2.90"


@pytest.mark.alone
def test_a_slider_is_under_a_tenth_of_a_second_at_the_median(visit, address):
    page = opened(visit, address, "latent")
    wait_for_picture(page)
    slider = page.locator(f"{SLIDERS} input[type=range]").first
    slider.focus()
    for _ in range(15):
        before = shown(page)
        page.keyboard.press("ArrowRight" if before % 2 else "ArrowLeft")
        wait_for_picture(page, before)
    latencies = page.locator(SLIDERS).get_attribute("data-latencies").split()[-15:]
    assert statistics.median(float(ms) for ms in latencies) < 100


def test_the_pad_follows_pointer_and_arrow_keys(visit, address):
    page = opened_with_code(visit, address, "vae-fashion-2d:0,0")
    pad = page.locator(".latent-pad")
    box = pad.bounding_box()
    before = shown(page)
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] * 0.1)
    wait_for_picture(page, before)
    values = [float(v) for v in page.locator(f"{SLIDERS} output").all_text_contents()]
    assert values == pytest.approx([2.4, 2.4], abs=0.05)
    page.mouse.move(0, 0)
    pad.focus()
    before = shown(page)
    page.keyboard.press("ArrowLeft")
    wait_for_picture(page, before)
    assert float(page.locator(f"{SLIDERS} output").first.text_content()) < values[0]


def test_the_code_stands_in_the_link_and_comes_back(visit, address):
    page = opened_with_code(visit, address, "vae-fashion-2d:1.5,-0.5")
    assert page.locator(SLIDERS).get_attribute("data-model") == "vae-fashion-2d"
    page.get_by_role("button", name="Reset all to 0").click()
    page.get_by_role("button", name="Show the code").last.click()
    page.get_by_text("z = torch.tensor([[0, 0]]").first.wait_for()
    page.locator("#tab-vae .copy-link").click()
    page.wait_for_url("**latent.code=vae-fashion-2d%3A0%2C0**")


def test_the_model_that_was_chosen_last_stays_however_late_the_other_answers(visit, address):
    page = opened(visit, address, "latent")
    wait_for_picture(page)
    held = Held(page, "draw_code")
    for name in ("vae-fashion-2d", "vae-fashion"):
        page.locator(f"{SLIDERS} button[data-model={name}]").click()
    held.let_go(2)
    page.wait_for_load_state("networkidle")
    expect(page.locator(SLIDERS)).to_have_attribute("data-model", "vae-fashion")
    expect(page.locator(SLIDERS)).to_have_attribute("data-pictured", re.compile("^vae-fashion:"))


def test_randomise_changes_the_seed_and_a_bad_seed_is_answered(visit, address):
    page = opened(visit, address, "latent")
    wait_for_picture(page)
    before = shown(page)
    page.get_by_role("button", name="Randomise").click()
    wait_for_picture(page, before)
    page.locator(".latent-seed input").fill("2.5")
    page.get_by_role("button", name="Use seed").click()
    page.get_by_text("seed=2.5: choose a whole number from 0").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download PNG").first.click()
    assert Image.open(download.value.path()).size == (560, 560)


def paper_in_sight(page):
    return page.locator(".drawing-paper").locator("visible=true").first


def draw_a_line(page) -> None:
    paper = paper_in_sight(page)
    paper.scroll_into_view_if_needed()
    box = paper.bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 200, steps=5)
    page.mouse.up()


def test_a_drawing_is_reconstructed(visit, address):
    page = opened(visit, address, "reconstruct", "&reconstruct.source=Drawing")
    draw_a_line(page)
    page.get_by_role("button", name="Reconstruct", exact=True).click()
    page.locator("#vae-reconstruct").get_by_text("your drawing").wait_for()
    assert page.locator("#vae-reconstruct img").count() == 3


def test_a_drawing_that_would_be_sent_is_on_the_paper(visit, address):
    page = opened(visit, address, "reconstruct", "&reconstruct.source=Drawing")
    draw_a_line(page)
    drawn = paper_in_sight(page).evaluate("(canvas) => canvas.toDataURL()")
    for source in ("A model", "Drawing"):
        page.get_by_label("Picture from").first.click()
        page.get_by_role("option", name=source).click()
    expect(paper_in_sight(page)).to_be_visible()
    page.wait_for_function(
        "() => document.querySelector('.drawing-clear:enabled')"  # once the drawing is back
    )
    assert paper_in_sight(page).evaluate("(canvas) => canvas.toDataURL()") == drawn
    page.get_by_role("button", name="Clear", exact=True).first.click()
    page.get_by_role("button", name="Reconstruct", exact=True).click()
    expect(page.get_by_text("the paper is empty").first).to_be_visible()


def test_a_broken_upload_gets_a_message_and_the_next_one_is_served(visit, address, tmp_path):
    page = opened(visit, address, "reconstruct", "&reconstruct.source=Upload")
    (tmp_path / "torn-boot.png").write_bytes(b"no picture")
    good = Image.new("L", (200, 200))
    good.paste(255, (50, 20, 150, 180))
    good.save(tmp_path / "whole-boot.png")
    upload(page, "vae", tmp_path / "torn-boot.png")
    page.get_by_role("button", name="Reconstruct", exact=True).click()
    expect(page.get_by_text("this file cannot be read as a picture").first).to_be_visible()
    page.get_by_label("Clear").locator("visible=true").first.click()
    upload(page, "vae", tmp_path / "whole-boot.png")
    page.get_by_role("button", name="Reconstruct", exact=True).click()
    expect(page.locator("#vae-reconstruct").get_by_text("your upload")).to_be_visible()


def test_a_walk_between_two_seeds_fills_the_timeline(visit, address):
    random = "A+random+code"
    page = opened(
        visit,
        address,
        "interpolate",
        f"&interpolate.from_source={random}&interpolate.to_source={random}&interpolate.count=9",
    )
    restored(page, "interpolate-count", "9")
    page.get_by_role("button", name="Walk", exact=True).click()
    line = page.locator("#vae-interpolate")
    expect(line.get_by_text("picture 9 / 9")).to_be_visible()
    expect(line.get_by_text("the code of seed 0 → the code of seed 1")).to_be_visible()
    line.locator("[role=slider]").focus()
    page.keyboard.press("Home")
    expect(line.get_by_text("picture 1 / 9")).to_be_visible()
