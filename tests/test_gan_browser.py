"""The GAN's tab in a real browser: every panel, and a visitor sees the moment of collapse."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from demos.page.image_input import MODEL
from demos.tabs import gan as tab
from gan_fixtures import write_weights
from sampling_fixtures import served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("weights")
    write_weights(folder)
    with served(tab.TAB, folder) as url:
        yield url


def restored(page: Page, knob: str, value: str) -> None:
    """Waits until the link's value stands in a knob."""
    expect(page.locator(f"#gan-{knob} input").first).to_have_value(value)


def live(page: Page, name: str) -> None:
    expect(page.locator(f"#gan-{name} .card-live")).to_be_visible()


def test_samples_follow_the_button_and_the_slider(visit: Callable[..., Page], address):
    page = visit(f"{address}?tab=gan&panel=samples&samples.count=4&samples.seed=9")
    restored(page, "samples-seed", "9")
    page.get_by_role("button", name="Draw new pictures").click()
    live(page, "samples")
    tiles = page.locator("#gan-samples .tiles-list li")
    expect(tiles).to_have_count(4)
    expect(tiles.first).to_contain_text("seed 9")
    slider = page.locator("#gan-samples-truncation_psi input[type=range]")
    slider.focus()
    page.keyboard.press("Home")
    expect(page.locator("#gan-samples .tiles-headline")).to_contain_text("ψ = 0")
    with page.expect_download() as png:
        page.locator("#gan-samples").get_by_role("button", name="PNG").click()
    assert png.value.suggested_filename == "gan-fashion-9.png"


def test_pictures_of_another_model_can_be_mixed_in(visit: Callable[..., Page], address):
    page = visit(f"{address}?tab=gan&panel=discriminator&discriminator.count=6&real_count=2")
    restored(page, "discriminator-count", "6")
    mix = page.get_by_label("Mix in other pictures")
    mix.uncheck()
    expect(page.locator("#gan-discriminator-real_source")).to_be_hidden()
    mix.check()
    page.locator("#gan-discriminator-real_source input").click()
    page.get_by_role("option", name=MODEL).click()
    page.get_by_role("button", name="Get the verdict").click()
    live(page, "discriminator")
    expect(page.locator("#gan-discriminator li")).to_have_count(8)
    expect(page.locator("#gan-discriminator li.tiles-framed")).to_have_count(2)
    expect(page.locator(".tiles-key")).to_contain_text("not real")


def test_a_walk_plays(visit: Callable[..., Page], address):
    page = visit(f"{address}?tab=gan&panel=walk&walk.count=2&walk.steps=3")
    restored(page, "walk-count", "2")
    page.locator("#tab-gan").get_by_role("button", name="Walk", exact=True).click()
    live(page, "walk")
    page.locator("#gan-walk .timeline-track").focus()
    page.keyboard.press("End")
    expect(page.locator("#gan-walk .timeline-step")).to_have_text("picture 5 / 5")
    expect(page.locator("#gan-walk .timeline-level")).to_have_text("seed 1 → seed 0, 67%")


def test_a_visitor_sees_the_moment_of_collapse(visit: Callable[..., Page], address):
    page = visit(f"{address}?tab=gan&panel=collapse")
    page.get_by_role("button", name="Watch both runs").click()
    live(page, "collapse")
    page.locator("#gan-collapse .timeline-track").focus()
    page.keyboard.press("Home")
    summary = page.locator("#gan-collapse .timeline-summary").last
    expect(summary).to_contain_text("9 of 10 classes alive")
    page.keyboard.press("ArrowRight")
    expect(summary).to_contain_text("Collapsed · 2 of 10 classes alive")
    expect(page.locator("#gan-collapse .timeline-note")).to_contain_text("Mode collapse: 2 of 10")
    expect(
        page.locator("#gan-collapse .timeline-bars").last.locator(".timeline-dead")
    ).to_have_count(8)
    expect(page.locator("#gan-collapse .timeline-curve")).to_have_count(4)


def test_a_bad_seed_is_a_message_and_the_next_one_works(visit: Callable[..., Page], address):
    page = visit(f"{address}?tab=gan&panel=samples&samples.count=1")
    restored(page, "samples-count", "1")
    seed = page.locator("#gan-samples-seed input")
    seed.fill("-1")
    page.get_by_role("button", name="Draw new pictures").click()
    expect(page.get_by_text("seed=-1: choose a whole number from 0 to 4294967295")).to_be_visible()
    seed.fill("3")
    page.get_by_role("button", name="Draw new pictures").click()
    live(page, "samples")
    expect(page.locator("#gan-samples .tiles-list li")).to_contain_text("seed 3")
