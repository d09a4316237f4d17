"""What breaks a VAE on its page: its API, and in a real browser mistakes, walk, phone."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import Locator, Page, expect

from demos.page.handlers import App
from demos.page.tab import Tab
from demos.tabs.latent_space import kl
from demos.tabs.latent_space.kl_pictures import HEALTHY, SEVERED, VARIANTS, mistake
from gen_core.progress import Progress
from kl_fixtures import NAMES, keep_portraits, write_variants
from sampling_fixtures import served

pytestmark = pytest.mark.browser
KNOBS = {"portrait": 3, "seed": 0, "ends": "Two portraits", "a": 3, "b": 11, "count": 5}


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[str]:
    """The panel as it is where nobody has made its example."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("demos.page.panel.example", lambda name: None)
        keep_portraits(patch)
        with served(Tab(kl.TAB, "Latent space", 1, [kl.PANEL]), folder) as address:
            yield address


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    with opened(write_variants(tmp_path_factory.mktemp("kl"))) as address:
        yield address


def visited(visit, address: str, more: str = "", **options: Any) -> tuple[Page, Locator]:
    page = visit(f"{address}?tab={kl.TAB}&panel=kl{more}", **options)
    page.get_by_role("button", name=kl.COMPARE).wait_for()
    return page, page.locator(f"#{kl.NAME} .labelled-grid")


def titles(card: Locator) -> list[str]:
    return card.locator("tr .labelled-grid-title").all_text_contents()


def test_each_button_shows_its_damage_in_the_same_table(visit, address):
    page, card = visited(visit, address, "&kl.portrait=20")
    expect(page.get_by_label("First portrait", exact=True)).to_have_value(
        "20"
    )  # once the link has been read
    expect(card.locator(".card-empty")).to_be_visible()
    page.get_by_role("button", name=kl.FORGET).click()
    expect(card.locator(".card-live")).to_be_visible()
    assert titles(card) == ["The portraits", *["With KL", "Without KL"] * 2]
    expect(card.get_by_role("columnheader").first).to_have_text("Portrait 20, seed 0")
    assert all(image.get_attribute("alt") for image in card.locator("img").all())
    page.get_by_role("button", name=kl.SEVER).click()
    expect(card.get_by_text(SEVERED.title).first).to_be_visible()
    assert titles(card) == ["The portraits", *["With KL", "Without the trick"] * 2]
    page.get_by_role("button", name=kl.COMPARE).click()
    expect(card.get_by_text("KL weight 4")).to_be_visible()
    assert titles(card) == [variant.title for variant in VARIANTS]


def test_a_mistake_that_was_left_by_a_reload_goes_on_not_the_comparison(
    chromium, address, monkeypatch
):
    """All three buttons share a line; the link leads here in the middle of the run."""
    begun, hold = [], threading.Event()

    def held(app: App, pair: Any, portrait: int, seed: int) -> Iterator[Any]:
        begun.append(pair[-1])
        while not hold.wait(0.02):
            yield Progress("Drawing", 1, 2)
        return (yield from mistake(app, pair, portrait, seed))

    monkeypatch.setattr(kl, "mistake", held)
    page = chromium.new_page()  # a watched one takes offence at a reload
    page.goto(f"{address}?tab={kl.TAB}&panel=kl")
    page.get_by_role("button", name=kl.SEVER).click()
    line = page.locator(f"#{kl.NAME}-run .run-said")
    expect(line).to_have_text(re.compile("^Drawing"))
    page.reload()
    expect(line).to_have_text(re.compile("^(Drawing|Done)"))
    hold.set()
    card = page.locator(f"#{kl.NAME} .labelled-grid")
    expect(card.locator(".card-live")).to_be_visible()
    assert titles(card) == ["The portraits", *["With KL", "Without the trick"] * 2]
    assert begun == [SEVERED]
    page.close()


def test_a_walk_goes_through_all_models_and_keys_move_it(visit, address):
    page, _ = visited(visit, address, "&kl.ends=Two+random+codes&kl.count=4")
    expect(page.get_by_label("Two random codes")).to_be_checked()
    page.get_by_role("button", name=kl.GO, exact=True).click()
    line = page.locator(f"#{kl.NAME}-walk")
    expect(line.locator(".card-live")).to_be_visible()
    expect(line.locator(".timeline-note")).to_have_text("the code of seed 3 → the code of seed 11")
    names = line.locator(".timeline-lane figcaption").all_text_contents()
    assert [name.rpartition(", ")[0] for name in names] == [v.title for v in VARIANTS]
    line.locator("[role=slider]").focus()
    page.keyboard.press("Home")
    expect(line.get_by_text("picture 1 / 4")).to_be_visible()
    expect(line.get_by_text("Distance to the nearest of 300 portraits")).to_be_visible()


def test_the_link_and_the_code_follow_the_knobs(visit, address):
    page, _ = visited(visit, address, "&kl.a=77")
    expect(page.get_by_label("From number", exact=True)).to_have_value("77")
    page.get_by_role("button", name="Show the code").click()
    expect(page.get_by_text("avatars([1000077, 1000011])").first).to_be_visible()
    page.locator(f"#tab-{kl.TAB} .copy-link").click()
    page.wait_for_url("**kl.a=77**")


def test_on_a_phone_nothing_is_wider_than_the_page(visit, address):
    size = {"viewport": {"width": 390, "height": 800}, "color_scheme": "dark"}
    page, card = visited(visit, address, "&kl.count=3", **size)
    page.get_by_role("button", name=kl.FORGET).click()
    expect(card.locator(".card-live")).to_be_visible()
    page.get_by_role("button", name=kl.GO, exact=True).click()
    expect(page.locator(f"#{kl.NAME}-walk .card-live")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    right = page.get_by_role("button", name="New seed").evaluate_all(
        "(buttons) => Math.max(...buttons.map((button) => button.getBoundingClientRect().right))"
    )
    assert right <= 390
    for chart in page.locator(".kl-charts svg").all():
        assert chart.get_attribute("aria-label")


def test_with_one_model_a_line_says_what_is_missing(visit, tmp_path):
    with opened(write_variants(tmp_path, [HEALTHY.name])) as address:
        page = visit(f"{address}?tab={kl.TAB}&panel=kl")
        expect(page.get_by_text("There is nothing to compare yet")).to_be_visible()
        assert page.get_by_role("button", name=kl.COMPARE).count() == 0
        page.close()  # before the server goes


def test_a_mistake_without_its_model_has_no_button(visit, tmp_path):
    with opened(write_variants(tmp_path, NAMES[:-1], judge=False)) as address:
        page, _ = visited(visit, address)
        expect(page.get_by_text("Not on this machine: vae-avatars-cut")).to_be_visible()
        expect(page.get_by_role("button", name=kl.FORGET)).to_be_visible()
        assert page.get_by_role("button", name=kl.SEVER).count() == 0
        page.close()


@pytest.mark.parametrize(
    ("name", "knob", "value", "message"),
    [
        ("_walk", "count", 41, "count=41: choose a whole number from 2 to 40"),
        ("_walk", "ends", "Two hats", "ends='Two hats': choose one of Two portraits"),
        ("_walk", "b", 1_000_000, "b=1000000: choose a whole number from 0 to 999999"),
        ("_forget", "portrait", 2.5, "portrait=2.5: choose a whole number from 0"),
        ("_cut", "portrait", 999_999, "portrait=999999: choose a whole number from 0 to 999994"),
        ("", "seed", None, "seed=None: choose a whole number from 0"),
        ("", "seed", "nan", "seed='nan': choose a whole number from 0"),
    ],
)
def test_a_bad_knob_gets_a_message_from_the_api_too(address, name, knob, value, message):
    client = Client(address, verbose=False)
    with pytest.raises(AppError, match=re.escape(message)):
        client.predict(**KNOBS | {knob: value}, api_name=f"/latent_space_kl{name}")
    table = client.predict(**KNOBS, api_name="/latent_space_kl")  # and the app goes on
    assert len(table["rows"]) == len(VARIANTS)
