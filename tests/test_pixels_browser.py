"""The Autoregressive tab's panels of pictures in a browser: a pixel is looked at and taken, a
picture is finished, its bits are counted."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from demos.tabs import autoregressive
from pixel_fixtures import write_pixel_models
from serving import page_of
from text_fixtures import write_gpts

pytestmark = pytest.mark.browser
PHONE = {"viewport": {"width": 390, "height": 844}}
WIDE = {"viewport": {"width": 1440, "height": 900}}
CARD, BOX = "#autoregressive-pixels", "#autoregressive-pixels-changes textarea"


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("weights")
    write_gpts(folder)
    write_pixel_models(folder)
    with page_of(autoregressive.TAB, weights=folder) as url:
        yield f"{url}?tab=autoregressive"


def drawn(visit, address: str, query: str = "", **how) -> Page:
    """The panel Pixel by pixel with two pictures."""
    page = visit(f"{address}&panel=pixels&pixels.count=2{query}", **how)
    expect(page.locator(f"{CARD}-count input[type=number]")).to_have_value("2")
    press(page, "Draw")
    expect(page.locator(f"{CARD} .greys")).to_be_visible()
    return page


def press(page: Page, button: str) -> None:
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.locator(".run-said").locator("visible=true")).to_contain_text("Done")


def pixel(page: Page, row: int, column: int) -> dict[str, float]:
    """Where it is on the picture, from its corner."""
    box = page.locator(f"{CARD} .raster-canvas").bounding_box()
    side = box["width"] / 28
    return {"x": (column - 0.5) * side, "y": (row - 0.5) * side}


def readout(page: Page) -> str:
    return page.locator(f"{CARD} .raster-readout").inner_text()


def test_pointing_at_a_pixel_tells_what_it_is(visit, address):
    page = drawn(visit, address, **WIDE)
    expect(page.locator(f"{CARD} .card-live")).to_contain_text("2 pictures in")
    canvas = page.locator(f"{CARD} .raster-canvas")
    canvas.hover(position=pixel(page, 5, 20))
    expect(page.locator(f"{CARD} .raster-readout")).to_contain_text("Row 5, column 20 · grey ")
    first = readout(page)
    assert re.search(r"probability \d", first) and first.endswith(" bits")
    canvas.click(position=pixel(page, 9, 9))
    page.mouse.move(0, 0)
    expect(page.locator(f"{CARD} .raster-readout")).to_contain_text("Row 9, column 9")
    page.locator(f"{CARD} .raster-choices button").nth(1).click()
    expect(canvas).to_have_attribute("aria-label", "Trouser, seed 1")
    note = page.locator(f"{CARD} .raster-note", has_text="Trouser, seed 1: ")
    expect(note).to_contain_text("a pixel.")


def test_the_pixels_come_in_their_order(visit, address):
    page = drawn(visit, address, **WIDE)
    track = page.locator(f"{CARD} .timeline-track")
    expect(track).to_have_attribute("aria-valuemax", "784")
    track.press("Home")
    expect(track).to_have_attribute("aria-valuenow", "0")
    for key, now in (("ArrowRight", "1"), ("ArrowDown", "29"), ("ArrowUp", "1"), ("End", "784")):
        track.press(key)
        expect(track).to_have_attribute("aria-valuenow", now)
    seen = """canvas => canvas.getContext("2d").getImageData(0, 0, 28, 28).data
      .filter((value, i) => i % 4 === 3 && value === 255).length"""
    track.press("Home")
    for _ in range(3):
        track.press("ArrowDown")
    assert page.locator(f"{CARD} .raster-canvas").evaluate(seen) == 84


def test_another_grey_is_taken_and_the_picture_goes_on_from_there(visit, address):
    page = drawn(visit, address, "&view=advanced", **WIDE)
    canvas = page.locator(f"{CARD} .raster-canvas")
    canvas.click(position=pixel(page, 3, 4))
    expect(page.locator(f"{CARD} .raster-readout")).to_contain_text("Row 3, column 4")
    page.locator(f"{CARD} .greys-bars canvas").click(position={"x": 5, "y": 60})
    expect(page.locator(f"{CARD} .greys-told")).to_contain_text(re.compile(r"Grey [1-4]:"))
    button = page.get_by_role("button", name="Take it, and draw on")
    page.locator(f"{CARD} .greys input").press("Home")
    page.locator(f"{CARD} .greys input").press("ArrowRight")
    expect(page.locator(f"{CARD} .greys-told")).to_contain_text("Grey 1:")
    button.click()
    expect(page.locator(f"{CARD} .raster-readout")).to_contain_text("taken by you")
    expect(page.locator(f"{CARD} .raster-readout")).to_contain_text("Row 3, column 4 · grey 1 ")
    expect(page.locator(BOX)).to_have_value("1/60:1")
    page.locator(f"{CARD}-seed input").fill("5")  # other pictures: what was taken is void
    expect(page.locator(BOX)).to_have_value("")


def test_another_class_takes_back_what_was_taken(visit, address):
    page = visit(f"{address}&panel=pixels&pixels.changes=1%2F60:1&view=advanced", **WIDE)
    expect(page.locator(BOX)).to_have_value("1/60:1")
    page.locator(f"{CARD}-label input").click()
    page.get_by_role("option", name="Bag").click()
    expect(page.locator(BOX)).to_have_value("")


def test_a_copied_link_leads_to_the_same_pixel(visit, address):
    page = drawn(visit, address, **WIDE)
    track = page.locator(f"{CARD} .timeline-track")
    track.press("Home")
    track.press("ArrowDown")
    expect(page.locator(f"{CARD} .greys")).to_be_visible()
    page.get_by_role("button", name="Copy link").locator("visible=true").click()
    link = page.locator("input[type=text]", has_text="").locator("visible=true")
    expect(link.first).to_have_value(re.compile("at=28"))


def test_where_no_pixel_stands_none_can_be_taken(visit, address):
    page = drawn(visit, address, **WIDE)
    page.locator(f"{CARD} .timeline-track").press("Home")
    expect(page.locator(f"{CARD} .greys")).to_be_hidden()
    assert readout(page) == ""


def test_a_class_that_is_chosen_by_keyboard_takes_back_what_was_taken(visit, address):
    page = visit(f"{address}&panel=pixels&pixels.changes=1%2F60:1&view=advanced", **WIDE)
    expect(page.locator(BOX)).to_have_value("1/60:1")
    page.locator(f"{CARD}-label input").click()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(BOX)).to_have_value("")


def test_the_surprise_is_seen(visit, address):
    page = drawn(visit, address, **WIDE)
    page.get_by_label("Show surprise").check()
    paper = page.locator(f"{CARD} .raster-paper")
    expect(paper).to_have_class(re.compile("raster-tinted"))
    page.get_by_label("Show surprise").uncheck()
    expect(paper).not_to_have_class(re.compile("raster-tinted"))


def test_the_pictures_are_saved(visit, address, tmp_path):
    page = drawn(visit, address, **WIDE)
    with page.expect_download() as download:
        page.locator(CARD).get_by_role("button", name="Download these pictures").click()
    download.value.save_as(tmp_path / "pictures.png")
    with Image.open(tmp_path / "pictures.png") as image:
        assert image.text["model"] == "autoregressive-fashion" and image.width == 528


def test_nothing_reaches_beyond_a_phone(visit, address):
    page = drawn(visit, address, **PHONE)
    wide = "document.documentElement.scrollWidth"
    assert page.evaluate(wide) == 390
    page = visit(f"{address}&panel=finish&finish.count=2&finish.rows=26", **PHONE)
    expect(page.locator("#autoregressive-finish-count input[type=number]")).to_have_value("2")
    press(page, "Finish")
    expect(page.locator("#autoregressive-finish .tiles-title")).to_have_count(3)
    assert page.evaluate(wide) == 390
    page = visit(f"{address}&panel=bits", **PHONE)
    press(page, "Count")
    expect(page.locator("#autoregressive-bits .stacks-row")).to_have_count(5)
    assert page.evaluate(wide) == 390


def test_the_bits_are_told_to_those_who_hear_the_page_and_saved(visit, address, tmp_path):
    page = visit(f"{address}&panel=bits", **WIDE)
    press(page, "Count")
    expect(page.locator("#autoregressive-bits .stacks-row")).to_have_count(5)
    said = page.locator("#autoregressive-bits .stacks-figure").first.inner_text()
    total, parts = said.split(":")
    told = sum(float(part.split()[-1]) for part in parts.split(","))
    assert told == pytest.approx(float(total), abs=0.03)
    with page.expect_download() as download:
        page.locator("#autoregressive-bits").get_by_role("button", name="Download this").click()
    download.value.save_as(tmp_path / "bits.png")
    with Image.open(tmp_path / "bits.png") as image:
        assert image.height > 600
