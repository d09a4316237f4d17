"""The Overview in a real browser: its example plays once, and belongs to the chosen data."""

from __future__ import annotations

import re
from urllib.parse import quote_plus

import pytest
from playwright.sync_api import Browser, Page, expect

from demos.tabs.overview.texts import FASHION, PORTRAITS

pytestmark = pytest.mark.browser

COUNT_FILMS = """() => {
  window.films = 0;
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes)
      films += [...addedNodes].filter((node) => node.className === "ov-film").length;
  }).observe(document, { subtree: true, childList: true });
}"""


def watched(page: Page, address: str) -> Page:
    """Counts the films that a page plays."""
    page.add_init_script(f"({COUNT_FILMS})()")
    page.goto(address)
    return page


def test_the_example_plays_once_from_noise_to_its_end(chromium: Browser, app_address):
    page = watched(chromium.new_page(), app_address)
    note = page.locator('.ov-row[data-family="Diffusion"] .ov-note')
    expect(note).to_have_text(re.compile(r"^Example, step \d+ of 50$"))
    expect(note).to_have_text("Example")
    assert re.match(r"example, computed on \d+ \w+ 20\d\d, .+", note.get_attribute("title"))
    expect(page.locator(".ov-film")).to_have_count(0)
    assert page.evaluate("films") == 2  # of the two families that take steps
    page.get_by_role("tab", name="VAE").click()
    page.get_by_role("tab", name="Overview").click()
    expect(note).to_be_visible()
    assert page.evaluate("films") == 2
    page.close()


def test_it_stands_still_for_who_wants_less_motion(chromium: Browser, app_address):
    page = watched(chromium.new_page(reduced_motion="reduce"), app_address)
    expect(page.locator(".ov-row img").first).to_be_visible()
    page.wait_for_function("window.noiseToDataOverview")
    assert page.evaluate("films") == 0 and not page.evaluate("noiseToDataFilm.watch")
    page.close()


def test_other_data_bring_an_example_that_belongs_to_the_controls(chromium: Browser, app_address):
    page = chromium.new_page()
    page.goto(f"{app_address}?tab=overview&data={quote_plus(FASHION.title)}")
    row = page.locator('.ov-row[data-family="VAE"]')
    expect(row).to_have_attribute("data-model", "vae-fashion")
    expect(page.locator(".stale")).to_have_count(0)
    page.get_by_label("Pictures from each").first.fill("7")
    page.keyboard.press("Enter")
    expect(page.locator(".stale")).to_have_count(1)
    page.get_by_label(PORTRAITS.title).check()
    expect(row).to_have_attribute("data-model", "vae-avatars")
    expect(page.locator(".stale")).to_have_count(1)  # the example shows six
    page.close()
