"""The Autoregressive tab in a browser: a text is written, gone through token by token, and written
on from another one."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from demos.tabs import autoregressive
from gen_core.families.gpt import Cached
from serving import page_of
from text_fixtures import write_gpts

pytestmark = pytest.mark.browser
PHONE = {"viewport": {"width": 390, "height": 844}}
WIDE = {"viewport": {"width": 1440, "height": 900}}
CARD, BOX = "#autoregressive-words", "#autoregressive-words-changes textarea"
TRACK = f"{CARD} .timeline-track"
CHOSEN = f"{CARD} .tokens-chosen"


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("weights")
    write_gpts(folder)
    with page_of(autoregressive.TAB, weights=folder) as url:
        yield f"{url}?tab=autoregressive"


def opened(visit, address: str, panel: str, query: str = "", tokens: int = 12, **how) -> Page:
    """A panel, once it is as the link says."""
    page = visit(f"{address}&panel={panel}&{panel}.tokens={tokens}{query}", **how)
    number = page.locator(f"#autoregressive-{panel}-tokens input[type=number]")
    expect(number).to_have_value(str(tokens))
    return page


def write(page: Page, button: str = "Write", said: str = "Done") -> None:
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.locator(".run-said").locator("visible=true")).to_contain_text(said)


def wrote(page: Page) -> list[str]:
    return page.locator(f"{CARD} .tokens span").all_text_contents()


def test_a_text_is_gone_through_token_by_token(visit, address):
    page = opened(visit, address, "words", "&words.prompt=The+fox")
    write(page)
    expect(page.locator(f"{CARD} .card-live")).to_contain_text("12 tokens in")
    texts = wrote(page)
    assert "".join(texts).startswith("The fox")
    begun = len(texts) - 12
    expect(page.locator(f"{CARD} .tokens-given")).to_have_count(begun)
    page.locator(TRACK).focus()
    page.keyboard.press("Home")
    expect(page.locator(TRACK)).to_have_attribute("aria-valuenow", "0")
    expect(page.locator(f"{CARD} .token-text-readout")).to_contain_text(
        f"1 of {begun} in the begin"
    )
    page.keyboard.press("End")
    expect(page.locator(TRACK)).to_have_attribute(
        "aria-valuetext", re.compile(r"token 12 of 12 .* surprise \d+\.\d bits")
    )
    page.keyboard.press("ArrowLeft")
    expect(page.locator(CHOSEN)).to_have_text(texts[-2])
    page.locator(f"{CARD} .tokens span").nth(begun + 2).click()
    expect(page.locator(TRACK)).to_have_attribute("aria-valuenow", str(begun + 2))
    page.locator(f"{CARD} .tokens span").nth(begun + 5).hover()
    expect(page.locator(f"{CARD} .token-text-readout")).to_contain_text("token 6 of 12")
    page.locator(f"{CARD} .token-text-caption").hover()
    expect(page.locator(f"{CARD} .token-text-readout")).to_contain_text("token 3 of 12")
    page.locator(TRACK).focus()
    page.keyboard.press("Home")
    page.keyboard.press(" ")
    expect(page.locator(TRACK)).to_have_attribute("aria-valuenow", str(len(texts) - 1))


def test_another_candidate_is_taken_and_the_text_goes_on_from_there(visit, address):
    page = opened(visit, address, "words", "&words.prompt=The+fox")
    write(page)
    before = wrote(page)
    place = len(before) - 12 + 4
    page.locator(f"{CARD} .tokens span").nth(place).click()
    rows = page.locator(f"{CARD} .candidates-row")
    assert 10 <= rows.count() <= 11
    expect(page.locator(f"{CARD} .candidates-own")).to_have_count(1)
    row = page.locator(f"{CARD} .candidates-row:enabled").first
    shown = row.locator("code").text_content()
    row.focus()
    page.keyboard.press("Enter")
    expect(page.locator(f"{CARD} .tokens-changed")).to_have_count(1)
    expect(page.locator(f"{CARD} .candidates-row:enabled").first).to_be_visible()
    after = wrote(page)
    assert after[:place] == before[:place] and len(after) == len(before)
    assert after[place].replace(" ", "␣").replace("\n", "↵") == shown
    expect(page.locator(CHOSEN)).to_have_text(after[place])
    assert re.fullmatch(r"5:\d+", page.locator(BOX).input_value())

    page.locator(f"{CARD} .tokens span").nth(place + 3).click()
    page.locator(f"{CARD} .candidates-row:enabled").first.click()
    expect(page.locator(f"{CARD} .tokens-changed")).to_have_count(2)
    assert re.fullmatch(r"5:\d+ 8:\d+", page.locator(BOX).input_value())
    page.locator(f"{CARD} .tokens span").nth(place).click()
    page.locator(f"{CARD} .candidates-row:enabled").last.click()  # what was taken later is void
    expect(page.locator(f"{CARD} .tokens-changed")).to_have_count(1)
    assert re.fullmatch(r"5:\d+", page.locator(BOX).input_value())

    page.locator(".copy-link").locator("visible=true").click()
    expect(page).to_have_url(re.compile(r"words\.changes=5%3A\d+"))
    asked = wrote(page)
    again = visit(page.url)
    expect(again.locator(BOX)).to_have_value(page.locator(BOX).input_value())
    write(again)
    assert wrote(again) == asked


def test_another_beginning_takes_back_what_was_taken(visit, address):
    page = opened(visit, address, "words", "&words.changes=3:40", tokens=6)
    expect(page.locator(BOX)).to_have_value("3:40")
    page.locator("#autoregressive-words-prompt textarea").fill("A wolf")
    expect(page.locator(BOX)).to_have_value("")
    write(page)
    assert "".join(wrote(page)).startswith("A wolf")
    expect(page.locator(f"{CARD} .tokens-changed")).to_have_count(0)


def test_attention_underlines_what_the_network_looked_at(visit, address):
    page = opened(visit, address, "words")
    write(page)
    page.locator(TRACK).focus()
    page.keyboard.press("End")
    lines = page.locator(f"{CARD} .tokens-attended")
    expect(lines).to_have_count(0)
    page.get_by_label("Layer").select_option("1")
    expect(lines.first).to_be_visible()
    expect(page.locator(f"{CARD} .attention-note")).to_contain_text("% on the start of the text")
    page.get_by_label("Head").select_option("2")
    expect(lines.first).to_be_visible()
    page.get_by_label("Layer").select_option("off")
    expect(lines).to_have_count(0)


def test_what_is_typed_never_becomes_markup_and_what_is_not_read_is_told(visit, address):
    page = opened(visit, address, "words", tokens=6)
    page.locator("#autoregressive-words-prompt textarea").fill("<img src=x> <b>狐</b>")
    help_line = page.locator("#autoregressive-words-prompt-words .strange-words")
    expect(help_line).to_have_text("Not read: 狐")
    write(page)
    assert "".join(wrote(page)).startswith("<img src=x> <b></b>")
    assert not page.locator(f"{CARD} .token-text-words :is(img, b)").count()


def test_a_run_stops_and_leaves_what_is_written(visit, address, monkeypatch):
    gate, said = threading.Event(), Cached.__call__

    def waits(self, x):
        if x.shape[1] > 12:
            gate.wait(30)
        return said(self, x)

    monkeypatch.setattr(Cached, "__call__", waits)
    page = opened(visit, address, "words", "&words.prompt=A", tokens=77)
    page.get_by_role("button", name="Write", exact=True).click()
    expect(page.locator(f"{CARD} .tokens span").first).to_have_text("A")
    page.get_by_role("button", name="Stop", exact=True).click()
    gate.set()
    expect(page.locator(".run-said").locator("visible=true")).to_contain_text("Stopped")
    assert 1 <= len(wrote(page)) < 40
    page.locator(TRACK).focus()
    page.keyboard.press("Home")
    expect(page.locator(f"{CARD} .candidates-note")).not_to_be_empty()


def test_both_are_saved_as_pictures(visit, address):
    for panel, button in (("words", "Write"), ("temperature", "Write four")):
        page = opened(visit, address, panel)
        write(page, button)
        if panel == "words":
            page.get_by_label("Colour by surprise").check()
        with page.expect_download() as saved:
            page.get_by_role("button", name="as PNG").locator("visible=true").click()
        with Image.open(saved.value.path()) as image:
            assert image.format == "PNG" and image.width > 900
            assert "gpt-tales" in str(image.info)


def test_four_texts_stand_side_by_side_and_on_a_phone_below_each_other(visit, address):
    for screen, columns in ((WIDE, 4), (PHONE, 1)):
        page = opened(visit, address, "temperature", tokens=20, **screen)
        write(page, "Write four")
        texts = page.locator("#autoregressive-temperature .token-column")
        expect(texts).to_have_count(4)
        assert len({text.bounding_box()["x"] for text in texts.all()}) == columns
        assert page.evaluate("document.documentElement.scrollWidth") <= screen["viewport"]["width"]


def test_a_phone_shows_word_by_word_without_scrolling_the_page_sideways(visit, address):
    page = opened(visit, address, "words", tokens=40, **PHONE)
    write(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
