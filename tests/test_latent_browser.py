"""The sliders by meaning on the page, in a real browser, and the way from the VAE's tab."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from demos.tabs import latent_space
from demos.tabs.latent_space.models import TAB
from gen_core.latent.traits import TRAITS
from latent_fixtures import write_maps
from sampling_fixtures import served
from visiting import Held

pytestmark = pytest.mark.browser

SLIDERS = f"#{TAB}-sliders-move .meaning"


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("weights")
    write_maps(folder)
    with served(latent_space.TAB, folder) as url:
        yield url


def opened(visit, address: str, asked: str = "") -> Page:
    """The panel, once the picture of what is asked for is there: the one of a link's value comes
    after that of the default."""
    link = f"&sliders.move={asked}" if asked else ""
    page = visit(f"{address}?tab={TAB}&panel=sliders{link}")
    page.wait_for_selector(
        f'{SLIDERS}[data-pictured="{asked}"]' if asked else f"{SLIDERS}[data-shown]"
    )
    return page


def shown(page: Page) -> int:
    return int(page.locator(SLIDERS).get_attribute("data-shown") or 0)


def wait_for_picture(page: Page, after: int) -> None:
    page.wait_for_function(f"Number(document.querySelector('{SLIDERS}').dataset.shown) > {after}")


def move(page: Page, name: str, far: float) -> None:
    """As a hand would: the slider's own event."""
    slider = page.locator(SLIDERS).get_by_role("slider", name=f"{name},")
    before = shown(page)
    slider.evaluate(
        "(s, far) => { s.value = far; s.dispatchEvent(new Event('input', {bubbles: true})); }", far
    )
    wait_for_picture(page, before)


@pytest.mark.alone
def test_the_face_follows_a_slider_in_under_a_tenth_of_a_second(visit, address):
    page = opened(visit, address)
    for k in range(15):
        move(page, "smile", round(-1 + 0.1 * k, 2))
    latencies = page.locator(SLIDERS).get_attribute("data-latencies").split()
    assert statistics.median(map(float, latencies)) < 100


def test_every_trait_has_a_slider_and_says_what_is_seen(visit, address):
    page = opened(visit, address, "3")
    rows = page.locator(f"{SLIDERS} .meaning-named .meaning-row")
    expect(rows).to_have_count(len(TRAITS))
    expect(page.locator(f"{SLIDERS} .meaning-also")).to_have_text(
        "Move a slider: the face follows."
    )
    before = page.locator(f"{SLIDERS} .latent-picture").get_attribute("src")
    move(page, "glasses", 2.5)
    moved = rows.filter(has_text="glasses")
    expect(moved).to_have_class("meaning-row meaning-moved")
    expect(moved.locator("output").first).to_have_text("+2.50")
    expect(page.locator(f"{SLIDERS} .meaning-also")).not_to_have_text(
        "Move a slider: the face follows."
    )
    picture = page.locator(f"{SLIDERS} .latent-picture").get_attribute("src")
    start = page.locator(f"{SLIDERS} .meaning-start").get_attribute("src")
    assert picture != before == start


def test_a_move_travels_in_a_link_and_can_be_taken_back(visit, address):
    page = opened(visit, address, "12;smile:1.5;pc2:-0.75")
    sliders = page.locator(SLIDERS)
    expect(sliders.locator(".latent-seed input")).to_have_value("12")
    expect(sliders.locator(".meaning-moved")).to_have_count(2)
    before = shown(page)
    sliders.get_by_role("button", name="Reset the sliders").click()
    wait_for_picture(page, before)
    expect(sliders.locator(".meaning-moved")).to_have_count(0)


def test_a_link_wins_where_the_sliders_are_described_after_it_was_read(visit, address):
    page = visit(address)
    held = Held(page, "describe")
    page.goto(f"{address}?tab={TAB}&panel=sliders&sliders.move=12;smile:1.5&map.count=0")
    expect(page.get_by_text("count=0: choose").first).to_be_visible()  # the link was read
    held.let_go(1)
    page.wait_for_selector(f'{SLIDERS}[data-pictured="12;smile:1.5"]')


def test_a_number_that_is_no_face_gets_a_message_and_the_page_goes_on(visit, address):
    page = opened(visit, address)
    face = page.locator(f"{SLIDERS} .latent-seed input")
    face.fill("-5")
    face.press("Enter")
    error = page.locator(f"{SLIDERS} .latent-error")
    expect(error).to_contain_text("face=-5: choose a whole number from 0 to 999999")
    before = shown(page)
    face.fill("5")
    face.press("Enter")
    wait_for_picture(page, before)
    expect(error).to_be_hidden()


def test_the_code_follows_the_sliders(visit, address):
    page = opened(visit, address)
    move(page, "age", -1.5)
    page.get_by_text("Show the code").last.click()
    expect(page.locator("#tab-latent-space .listing code").first).to_contain_text('"age": -1.5')
