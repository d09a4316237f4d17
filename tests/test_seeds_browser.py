"""Seeds in the browser: a press that would only repeat itself takes a new one."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser
GO = "Draw new pictures"


@pytest.fixture
def page(visit, app_address) -> Page:
    page = visit(f"{app_address}?tab=vae&panel=samples")
    expect(card(page)).to_have_text("Example")
    return page


def card(page: Page):
    return page.locator("#vae-samples .card-source")


def seed(page: Page):
    return page.locator("#vae-samples-seed input")


def press(page: Page) -> None:
    """Presses the button, and waits for the end of this run and not of the one before."""
    page.evaluate("document.querySelector('#vae-samples-run .run-said').textContent = ''")
    page.get_by_role("button", name=GO, exact=True).click()
    expect(page.locator("#vae-samples-run .run-said")).to_have_text(re.compile("^Done in"))


def draw(page: Page) -> list[str]:
    """Presses the button; returns the pictures of the seed that then stands in its field."""
    press(page)
    expect(page.locator("#vae-samples .card-live")).to_be_visible()
    caption = page.locator("#vae-samples .tiles-list li").first
    expect(caption).to_contain_text(f"seed {seed(page).input_value()}")
    return pictures(page)


def pictures(page: Page) -> list[str]:
    return page.locator("#vae-samples img").evaluate_all("all => all.map((one) => one.src)")


def test_the_same_settings_give_new_pictures_that_belong_to_a_new_seed(page):
    before = draw(page)
    first = seed(page).input_value()
    assert first != "0"
    expect(page.locator(".stale")).to_have_count(0)
    assert draw(page) != before
    expect(seed(page)).not_to_have_value(first)


def test_other_settings_keep_the_seed(page):
    page.get_by_label("Advanced").check()
    count = page.locator("#vae-samples-count input[type=number]")
    count.fill("7")
    count.press("Enter")
    assert len(draw(page)) == 7
    expect(seed(page)).to_have_value("0")


def test_a_pinned_seed_stays(page):
    drawn = draw(page)
    kept = seed(page).input_value()
    assert kept != "0"
    page.locator("#tab-vae .pin-seed").get_by_label("Pin").check()
    press(page)
    assert (
        page.locator("#vae-samples img").evaluate_all("all => all.map((one) => one.src)") == drawn
    )
    expect(seed(page)).to_have_value(kept)


def test_a_seed_that_a_link_names_is_pinned(visit, app_address):
    page = visit(f"{app_address}?tab=vae&panel=samples&samples.seed=5")
    expect(page.locator("#tab-vae .pin-seed").get_by_label("Pin")).to_be_checked()
    expect(page.locator("#vae-samples-run .run-said")).to_have_text(re.compile("^Done in"))
    press(page)
    expect(seed(page)).to_have_value("5")


def test_a_link_starts_nothing_for_who_has_moved_a_control_already(chromium: Browser, app_address):
    page = chromium.new_page()
    page.goto(f"{app_address}?tab=vae&panel=samples&seed=5", wait_until="commit")
    page.wait_for_function("window.noiseToDataRuns")
    page.evaluate("document.dispatchEvent(new Event('input'))")
    expect(seed(page)).to_have_value("5")
    said = page.locator("#vae-samples-run .run-said")
    expect(said).to_have_text(f"Example. Press {GO} to apply your settings")
    page.wait_for_timeout(600)  # a run that begins by itself has begun
    expect(said).to_have_text(f"Example. Press {GO} to apply your settings")
    page.close()
