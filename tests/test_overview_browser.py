"""The Overview in a browser: drawing, stopping, choosing the data, going on to a tab."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

import gradio as gr
import pytest
from PIL import Image
from playwright.sync_api import expect

from demos.page.tab import Tab
from demos.tabs import overview
from demos.tabs.overview.texts import FAMILIES, FASHION, PORTRAITS
from gen_core.provenance.metadata import GENERATED, read_metadata
from overview_fixtures import write_portraits, write_weights
from serving import page_of
from shell_page import built

PATIENCE = 120_000
"""Milliseconds for what a busy machine may take its time with."""


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    """A page with the Overview, and a tab to be invited to."""
    folder = tmp_path_factory.mktemp("weights")
    write_weights(folder)
    write_portraits(folder)
    said = built("vae", "samples", lambda app: gr.Markdown("Latent sliders stand here."))
    with page_of(overview.TAB, Tab("vae", "VAE", 20, [said]), weights=folder) as address:
        yield address


@pytest.mark.browser
def test_the_button_draws_four_live_rows(visit, address):
    page = visit(address)
    page.get_by_role("button", name="Draw with all four").click()
    expect(page.locator(".ov-live")).to_have_count(4, timeout=PATIENCE)
    expect(page.locator(".ov-live img")).to_have_count(40)
    expect(page.locator("svg.ov-scatter circle")).to_have_count(4)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save these pictures").click()
    with Image.open(saved.value.path()) as picture:
        assert picture.format == "PNG" and len(picture.getcolors(1_000_000)) > 50
        said = read_metadata(picture.info)
    assert said["seed"] == "0 to 9" and said["source"] == GENERATED
    assert said["model"].split(", ") == [text.model(FASHION.id) for text in FAMILIES]


@pytest.mark.browser
def test_stop_says_where_a_row_stopped(visit, address):
    page = visit(f"{address}?tab=overview&steps=200&count=20")
    for knob, value in (("Pictures from each", "20"), ("Steps of diffusion", "200")):
        box = page.get_by_label(f"number input for {knob}")
        expect(box).to_have_value(value, timeout=PATIENCE)
    page.get_by_role("button", name="Draw with all four").click()
    # Not before a row of many steps is at work: the first two are done in one.
    page.locator(".ov-note", has_text=re.compile(r"step \d+ of 200")).wait_for()
    page.get_by_role("button", name="Stop").press("Enter")
    expect(
        page.locator(".ov-note", has_text=re.compile("stopped at step .* of 200"))
    ).to_have_count(1, timeout=PATIENCE)
    expect(page.locator(".ov-drawing")).to_have_count(0)


@pytest.mark.browser
def test_a_link_brings_portraits_and_the_choice_brings_clothes_back(visit, address):
    page = visit(f"{address}?tab=overview&data={quote(PORTRAITS.title)}&count=3&steps=2")
    expect(page.get_by_label(PORTRAITS.title)).to_be_checked(timeout=PATIENCE)
    expect(page.locator(".ov-rule img")).to_have_count(10, timeout=PATIENCE)
    expect(page.get_by_label("number input for Pictures from each")).to_have_value("3")
    page.get_by_role("button", name="Draw with all four").click()
    expect(page.locator(".ov-live")).to_have_count(2, timeout=PATIENCE)
    expect(page.locator(".ov-rule img")).to_have_count(3)
    expect(page.locator(".ov-absent .ov-note").first).to_contain_text("not trained yet")
    expect(page.get_by_role("heading", name="Is it a copy?")).to_be_visible()
    tiles = page.locator(".ov-rule .ov-tile")
    tiles.first.focus()
    page.keyboard.press("ArrowRight")
    expect(tiles.nth(1)).to_be_focused()
    page.get_by_label(FASHION.title).check()
    expect(page.locator(".ov-rule")).to_have_count(0, timeout=PATIENCE)
    expect(page.get_by_role("heading", name="Is it a copy?")).to_be_hidden()
    expect(page.locator(".ov-live")).to_have_count(0)


@pytest.mark.browser
def test_a_row_invites_to_its_tab(visit, address):
    page = visit(address)
    page.get_by_role("link", name="Move its latent sliders").click()
    expect(page.get_by_text("Latent sliders stand here.")).to_be_visible(timeout=PATIENCE)


@pytest.mark.browser
@pytest.mark.parametrize("data", [FASHION, PORTRAITS])
@pytest.mark.parametrize("width", [390, 1440])
def test_the_overview_fits_its_window(visit, address, width, data):
    size = {"width": width, "height": 844}
    page = visit(f"{address}?tab=overview&data={quote(data.title)}", viewport=size)
    expect(page.locator(".ov-rule")).to_have_count(int(data is PORTRAITS), timeout=PATIENCE)
    page.locator(".ov-table").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for part in page.locator(".ov-row, .ov-card").all():
        assert part.evaluate("e => e.scrollWidth <= e.clientWidth")
