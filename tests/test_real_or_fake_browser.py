"""The Real or fake panel in a browser: by keys, by mouse and by touch one marks ten pictures, and
the truth comes after; scores are kept for the visit."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from demos.page.tab import Tab
from demos.tabs.gan import real_or_fake
from serving import page_of

pytestmark = pytest.mark.browser
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "color_scheme": "dark"}
WIDE = {"viewport": {"width": 1440, "height": 900}}
CARD = "#gan-real-or-fake"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with page_of(Tab("gan", "GAN", 0, [real_or_fake.PANEL])) as url:
        yield f"{url}?tab=gan&panel=real-or-fake"


def part(page: Page, name: str):
    return page.locator(f"{CARD} .guess-{name}")


def mark_all(page: Page, keys: str = "r" * 10) -> None:
    part(page, "stage").focus()
    for key in keys:
        page.keyboard.press(key)
    page.get_by_role("button", name="See the truth").click()


def fits(page: Page) -> bool:
    """Whether nothing is wider than the page."""
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_ten_pictures_are_told_apart_by_keys(visit, address):
    page = visit(address, **WIDE)
    part(page, "stage").focus()
    expect(part(page, "progress")).to_have_text("Picture 1 of 10, 0 marked")
    for key in ("r", "F", "ArrowRight", "ArrowLeft", "R"):
        page.keyboard.press(key)
    thumbs = part(page, "strip").get_by_role("button")
    said = [thumbs.nth(k).get_attribute("aria-label").split(": ")[1] for k in range(6)]
    assert said == [f"marked {m}" for m in ("real", "fake", "real", "fake", "real")] + [
        "not marked"
    ]
    expect(part(page, "progress")).to_have_text("Picture 6 of 10, 5 marked")
    expect(page.get_by_role("button", name="See the truth")).to_be_hidden()
    for _ in range(5):
        page.keyboard.press("f")
    expect(page.get_by_role("button", name="See the truth")).to_be_focused()
    assert page.locator(f"{CARD} .guess-list li").count() == 0  # no truth in the page before
    page.keyboard.press("Enter")
    expect(part(page, "verdict")).to_have_text(
        re.compile(r"You: \d+ of 10 right\. The discriminator: \d+\.")
    )
    expect(page.get_by_role("button", name="Ten more")).to_be_focused()
    expect(part(page, "tally").locator("li")).to_contain_text("A GAN after 518 steps: you ")


@pytest.mark.parametrize("how", [WIDE, PHONE], ids=["wide", "phone"])
def test_marks_are_made_and_changed_by_hand(visit, address, how, tmp_path):
    page = visit(address, **how)
    press = "tap" if how is PHONE else "click"
    real, fake = (page.get_by_role("button", name=n, exact=True) for n in ("Real", "Fake"))
    for _ in range(10):
        getattr(real, press)()
    thumb = part(page, "strip").get_by_role("button").nth(2)
    getattr(thumb, press)()
    expect(real).to_have_attribute("aria-pressed", "true")
    getattr(fake, press)()
    expect(thumb).to_have_attribute("aria-label", "Picture 3: marked fake")
    assert fits(page)
    getattr(page.get_by_role("button", name="See the truth"), press)()
    tiles = part(page, "list").locator("li")
    expect(tiles).to_have_count(10)
    expect(tiles.nth(2)).to_contain_text("You: fake")
    really = page.locator(f"{CARD} .guess-real").count()
    right = really + (1 if "guess-fake" in tiles.nth(2).get_attribute("class") else -1)
    expect(part(page, "verdict")).to_contain_text(f"You: {right} of 10 right")
    assert fits(page)
    with page.expect_download() as download:
        page.locator(CARD).get_by_role("button", name="Download these pictures").click()
    download.value.save_as(tmp_path / "round.png")
    with Image.open(tmp_path / "round.png") as image:
        assert image.width > 600 and len(image.convert("RGB").getcolors(10**6)) > 50


def dealt(page: Page, seed: str) -> None:
    """Waits for the round that a link draws by itself."""
    expect(page.locator(f"{CARD}-seed input")).to_have_value(seed)
    expect(page.locator(f"{CARD} .card-live")).to_be_visible()
    expect(part(page, "stage")).to_be_visible()


def test_scores_are_kept_for_the_visit(visit, address):
    page = visit(address, **WIDE)
    mark_all(page)  # the example
    lines = part(page, "tally").locator("li")
    expect(lines).to_have_text(re.compile(r"A GAN after 518 steps: you \d+ of 10 "))
    page.goto(f"{address}&real-or-fake.opponent=gan-fashion")
    dealt(page, "0")
    mark_all(page)
    expect(lines).to_have_count(2)
    expect(lines.last).to_contain_text(re.compile(r"The finished GAN: you \d+ of 10 "))
    page.get_by_role("button", name="Ten more").click()  # of nothing changed: a new seed
    expect(page.locator(f"{CARD}-seed input")).not_to_have_value("0")
    expect(part(page, "stage")).to_be_visible()
    mark_all(page, "f" * 10)
    expect(lines.last).to_contain_text(re.compile(r"The finished GAN: you \d+ of 20 "))


def test_an_answered_round_that_is_dealt_again_counts_once(visit, address):
    page = visit(f"{address}&real-or-fake.opponent=vae-fashion&real-or-fake.seed=5", **WIDE)
    lines = part(page, "tally").locator("li")
    dealt(page, "5")
    mark_all(page)
    expect(lines).to_contain_text("of 10 ")
    first = lines.text_content()
    page.reload()
    dealt(page, "5")
    mark_all(page, "f" * 10)  # who knows the truth by now
    expect(lines).to_have_text(first)


def test_what_was_never_kept_is_a_message(visit, address):
    page = visit(f"{address}&real-or-fake.seed=-1&real-or-fake.opponent=nobody", **WIDE)
    expect(page.get_by_text("seed=-1: choose a whole number").first).to_be_visible()
    expect(page.get_by_text("opponent='nobody': choose one of").first).to_be_visible()
