"""The panel Portraits by tokens in a browser: a token is looked at, put in, put back and drawn on
from."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from demos.tabs import autoregressive
from serving import page_of
from text_fixtures import write_gpts
from token_fixtures import CODES, SIDE, TOKENS, write_token_models

pytestmark = pytest.mark.browser
PHONE = {"viewport": {"width": 390, "height": 844}}
WIDE = {"viewport": {"width": 1440, "height": 900}}
CARD, BOX = "#autoregressive-portraits", "#autoregressive-portraits-changes textarea"
SAME_PIXELS = "canvas => canvas.toDataURL()"


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("weights")
    write_gpts(folder)
    write_token_models(folder)
    with page_of(autoregressive.TAB, weights=folder) as url:
        yield f"{url}?tab=autoregressive&panel=portraits&portraits.seed=7"


def drawn(visit, address: str, query: str = "", **how) -> Page:
    """The panel with two portraits."""
    page = visit(f"{address}&portraits.count=2{query}", **how)
    expect(page.locator(f"{CARD}-count input[type=number]")).to_have_value("2")
    page.get_by_role("button", name="Draw", exact=True).click()
    expect(page.locator(".run-said").locator("visible=true")).to_contain_text("Done")
    expect(page.locator(f"{CARD} .candidates")).to_be_visible()
    return page


def papers(page: Page) -> tuple[Locator, Locator]:
    """The picture and the tokens."""
    both = page.locator(f"{CARD} .raster-canvas")
    return both.nth(0), both.nth(1)


def token(canvas: Locator, row: int, column: int) -> dict[str, float]:
    """Where it is on a canvas, from its corner."""
    side = canvas.bounding_box()["width"] / SIDE
    return {"x": (column - 0.5) * side, "y": (row - 0.5) * side}


def readout(page: Page) -> Locator:
    return page.locator(f"{CARD} .raster-readout").first


def test_pointing_at_picture_or_tokens_tells_of_the_same_token(visit, address):
    page = drawn(visit, address, **WIDE)
    picture, tokens = papers(page)
    picture.hover(position=token(picture, 2, 3))
    expect(readout(page)).to_contain_text("Row 2, column 3 · code ")
    said = readout(page).inner_text()
    tokens.hover(position=token(tokens, 2, 3))
    expect(readout(page)).to_have_text(said)
    assert re.search(r"probability \d", said) and said.endswith(" bits")
    own = re.search(r"code (\d+)", said)[1]
    expect(page.locator(f"{CARD} .candidates-own")).to_contain_text(own)


def test_the_picture_grows_with_its_tokens(visit, address):
    page = drawn(visit, address, **WIDE)
    track = page.locator(f"{CARD} .timeline-track")
    expect(track).to_have_attribute("aria-valuemax", str(TOKENS))
    seen = f"""canvas => canvas.getContext("2d").getImageData(0, 0, {4 * SIDE}, {4 * SIDE}).data
      .filter((value, i) => i % 4 === 3 && value === 255).length"""
    for key, tokens in (("Home", 0), ("ArrowRight", 1), ("ArrowDown", 5), ("End", TOKENS)):
        track.press(key)
        expect(track).to_have_attribute("aria-valuenow", str(tokens))
        page.wait_for_function(
            f"() => ({seen})(document.querySelector('{CARD} .raster-canvas')) === {16 * tokens}"
        )


def test_a_token_that_is_put_in_leaves_the_others_and_can_be_put_back(visit, address):
    page = drawn(visit, address, "&view=advanced", **WIDE)
    picture, tokens = papers(page)
    before = [canvas.evaluate(SAME_PIXELS) for canvas in (picture, tokens)]
    tokens.click(position=token(tokens, 2, 2))
    page.locator(f"{CARD} .candidates-row:enabled").first.click()
    said = page.locator(f"{CARD} .tokens-swap")
    expect(said).to_contain_text(re.compile(r"Code \d+ in place of \d+: [\d,]+ of 256 pixels"))
    assert [c.evaluate(SAME_PIXELS) for c in (picture, tokens)] != before
    expect(page.locator(BOX)).to_have_value("")
    page.get_by_role("button", name="Put it back").click()
    expect(said).to_be_hidden()
    assert [c.evaluate(SAME_PIXELS) for c in (picture, tokens)] == before


def test_one_draws_on_from_a_token_of_the_codebook(visit, address):
    page = drawn(visit, address, "&view=advanced", **WIDE)
    _, tokens = papers(page)
    tokens.click(position=token(tokens, 2, 2))
    page.get_by_text("The whole codebook").click()
    book = page.locator(f"{CARD} .codebook-canvas")
    box = book.bounding_box()
    own = int(re.search(r"code (\d+)", readout(page).inner_text())[1])
    other = (own + 1) % CODES
    book.click(position={"x": (other + 0.5) * box["width"] / CODES, "y": box["height"] / 2})
    expect(page.locator(f"{CARD} .tokens-swap")).to_contain_text(f"Code {other} in place of {own}")
    page.get_by_role("button", name="Draw on from here").click()
    expect(page.locator(BOX)).to_have_value(f"1/{SIDE + 2}:{other}")
    expect(readout(page)).to_contain_text("taken by you")
    expect(readout(page)).to_contain_text(f"Row 2, column 2 · code {other} ")
    page.locator(f"{CARD}-seed input").fill("5")  # other pictures: what was put in is void
    expect(page.locator(BOX)).to_have_value("")


def test_tokens_have_three_looks(visit, address):
    page = drawn(visit, address, **WIDE)
    _, tokens = papers(page)
    looks = {tokens.evaluate(SAME_PIXELS)}
    for name in ("Numbers", "Surprise"):
        page.locator(CARD).get_by_label(name).check()
        looks.add(tokens.evaluate(SAME_PIXELS))
    assert len(looks) == 3


def test_the_other_picture_is_its_own(visit, address):
    page = drawn(visit, address, **WIDE)
    picture, _ = papers(page)
    first = picture.evaluate(SAME_PIXELS)
    page.locator(f"{CARD} .raster-choices button").nth(1).click()
    expect(picture).to_have_attribute("aria-label", "Seed 8")
    assert picture.evaluate(SAME_PIXELS) != first


def test_the_portraits_are_saved(visit, address, tmp_path):
    page = drawn(visit, address, **WIDE)
    with page.expect_download() as download:
        page.locator(CARD).get_by_role("button", name="Download these pictures").click()
    download.value.save_as(tmp_path / "pictures.png")
    with Image.open(tmp_path / "pictures.png") as image:
        assert image.text["model"] == "tokens-avatars"


def test_nothing_reaches_beyond_a_phone(visit, address):
    page = drawn(visit, address, **PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
