"""Asking for a person on the page, in a real browser."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from demos.tabs import diffusion
from person_fixtures import write_people
from sampling_fixtures import served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("weights")
    write_people(folder)
    with served(diffusion.TAB, folder) as url:
        yield url


CHOOSER = "#diffusion-person-wish .wishes"


def opened(visit, address: str, more: str = "", **options) -> Page:
    page = visit(f"{address}?tab=diffusion&panel=person{more}", **options)
    page.wait_for_selector(f"{CHOOSER}[data-shown]")
    return page


def drawn_anew(page: Page, act) -> Locator:
    """The chooser, once what `act` does has brought a new drawing."""
    chooser = page.locator(CHOOSER)
    before = int(chooser.get_attribute("data-shown"))
    act()
    page.wait_for_function(f"Number(document.querySelector('{CHOOSER}').dataset.shown) > {before}")
    return chooser


def test_people_are_drawn_as_chosen_and_counted(visit, address):
    page = opened(visit, address, "&person.wish=hat:none&person.steps=3&person.count=2")
    expect(page.locator("#diffusion-person-steps input[type=number]")).to_have_value("3")
    chooser = page.locator(CHOOSER)
    expect(chooser.get_by_label("Hat", exact=True)).to_have_value("none")
    drawn_anew(page, lambda: chooser.get_by_label("Hair", exact=True).select_option("afro"))
    expect(chooser.locator(".wishes-never")).to_be_hidden()
    blond = chooser.get_by_role("radiogroup", name="Hair colour").get_by_label("blond")
    drawn_anew(page, blond.check)
    expect(chooser.locator(".wishes-never")).to_have_text(
        "Never seen in training hair: afro together with hair colour: blond"
    )
    page.get_by_role("button", name="Draw them").click()
    verdict = page.locator("#diffusion-person-seen .wishes-seen")
    expect(verdict).to_contain_text("of 2 show all that was asked for")
    asked = ("no hat", "hair: afro", "hair colour: blond")
    rows = [re.compile(rf"^{words}\s*[0-2] of 2$") for words in asked]
    expect(verdict.locator("li")).to_have_text(rows)
    expect(page.locator("#diffusion-person .timeline-curve")).to_have_count(1)
    expect(page.locator("#diffusion-person .timeline-step")).to_have_text("step 3 / 3")
    page.get_by_text("Show the code").locator("visible=true").click()
    lines = page.locator("#tab-diffusion .listing code").locator("visible=true").first
    expect(lines).to_contain_text("'hair_colour': 'blond'")


@pytest.mark.alone
def test_the_drawing_follows_a_slider_in_under_a_tenth_of_a_second(visit, address):
    page = opened(visit, address)
    slider = page.locator(CHOOSER).get_by_role("slider", name="Smile")
    expect(slider).to_have_attribute("aria-valuetext", "any")
    slider.focus()
    for _ in range(15):
        drawn_anew(page, lambda: page.keyboard.press("ArrowLeft"))
    expect(slider).not_to_have_attribute("aria-valuetext", "any")
    latencies = page.locator(CHOOSER).get_attribute("data-latencies").split()
    assert statistics.median(map(float, latencies)) < 100
    drawn_anew(page, page.get_by_role("button", name="Smile: leave it open").click)
    expect(slider).to_have_attribute("aria-valuetext", "any")


def test_buttons_choose_somebody_anybody_and_what_was_never_seen(visit, address):
    page = opened(visit, address)
    button = page.locator(CHOOSER).get_by_role("button", name="A random person")
    chooser = drawn_anew(page, button.click)
    assert chooser.locator(".wishes-told").count() > 15
    drawn_anew(page, chooser.get_by_role("button", name="Clear all").click)
    expect(chooser.locator(".wishes-told")).to_have_count(0)
    expect(chooser.locator(".wishes-count")).to_contain_text("the model draws anybody")
    drawn_anew(page, chooser.get_by_role("button", name="An unseen pair").click)
    expect(chooser.locator(".wishes-never")).to_contain_text(" with ")


def test_a_link_with_a_bad_wish_is_adjusted_and_a_phone_sees_all(visit, address):
    phone = {"viewport": {"width": 390, "height": 800}}
    page = opened(visit, address, "&person.wish=hat:crown", **phone)
    expect(page.get_by_text("hat='crown': choose one of none, cap")).to_be_visible()
    expect(page.locator(CHOOSER).get_by_label("Hat", exact=True)).to_have_value(
        "none"
    )  # as at first
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
