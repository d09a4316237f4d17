"""The page without a mouse: the way into a panel, tab lists, drop-downs, names."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

import shell_page
from serving import page_of

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with page_of(*shell_page.TABS) as address:
        yield address


@pytest.fixture
def page(visit, address: str) -> Page:
    page = visit(address)
    expect(page.get_by_role("button", name="Draw pictures")).to_be_visible()
    expect(page.locator("[role=tab][tabindex='-1']").first).to_be_visible()  # it has been mended
    return page


def tab(page: Page, name: str) -> Locator:
    return page.get_by_role("tab", name=name, exact=True)


def field(page: Page) -> Locator:
    return page.locator("#first-draw-solver input")


def choices(page: Page) -> Locator:
    return page.get_by_role("listbox")


def test_the_first_stop_leads_into_the_panel_past_the_tabs(page):
    skip = page.get_by_role("link", name="Skip to the panel")
    assert skip.bounding_box()["width"] <= 1  # out of sight
    page.keyboard.press("Tab")
    expect(skip).to_be_focused()
    assert skip.bounding_box()["height"] >= 24
    page.keyboard.press("Enter")
    expect(page.get_by_role("tabpanel", name="Draw", exact=True)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Tell me more")).to_be_focused()


def test_each_list_of_tabs_is_one_stop_in_which_arrows_move(page):
    tab(page, "First").focus()
    for key, reached in [
        ("ArrowRight", "Second"),
        ("ArrowRight", "First"),
        ("ArrowLeft", "Second"),
        ("Home", "First"),
        ("End", "Second"),
    ]:
        page.keyboard.press(key)
        expect(tab(page, reached)).to_be_focused()
    expect(tab(page, "First")).to_have_attribute("aria-selected", "true")  # passing by opens none
    page.keyboard.press("Enter")
    expect(page.get_by_role("tabpanel", name="Second")).to_be_visible()
    expect(tab(page, "First")).to_have_attribute("tabindex", "-1")
    page.keyboard.press("Home")
    page.keyboard.press("Tab")  # leaves the list, and what it opens with stays its stop
    expect(page.locator("#tab-second *:focus")).to_have_count(1)
    page.keyboard.press("Shift+Tab")
    expect(tab(page, "Second")).to_be_focused()


@pytest.mark.parametrize("how", ["Escape", "Tab", "Enter", "choice", "elsewhere"])
def test_a_drop_down_closes(page, how):
    """And where somebody chose, the keys go on from there."""
    field(page).focus()
    expect(choices(page)).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(field(page)).to_have_attribute("aria-activedescendant", re.compile("option-1$"))
    if how == "choice":
        page.get_by_role("option", name="heun").click()
    elif how == "elsewhere":
        page.get_by_role("heading", level=1).click()
    else:
        page.keyboard.press(how)
    expect(choices(page)).to_have_count(0)
    page.wait_for_timeout(300)  # as long as a list takes to come: it does not
    expect(choices(page)).to_have_count(0)
    chosen = how in ("Enter", "choice")
    expect(field(page)).to_have_value("heun" if chosen else "euler")
    if how in ("Enter", "choice", "Escape"):
        expect(field(page)).to_be_focused()
        field(page).click()
        expect(choices(page)).to_be_visible()


def test_names_say_what_a_control_does_and_states_whether_it_is_open(page):
    page.get_by_label("number input for Steps").fill("50")
    page.get_by_role("button", name="Reset Steps to its default").click()
    expect(page.get_by_label("number input for Steps")).to_have_value("20")
    more = page.get_by_role("button", name="Tell me more", exact=True)  # without its arrow
    expect(more).to_have_attribute("aria-expanded", "false")
    more.click()
    expect(more).to_have_attribute("aria-expanded", "true")


def test_code_is_readable_in_the_theme_that_it_was_not_built_in(page):
    page.get_by_role("button", name="Show the code").click()
    expect(page.get_by_role("group", name="The code")).to_have_attribute("tabindex", "0")
    expect(page.locator(".listing span").first).to_be_visible()
    for _ in ("light", "dark"):  # into which colours may fade
        page.wait_for_function(f"Math.min(...({CONTRASTS})()) >= 4.5")
        page.get_by_role("button", name="Switch between light and dark").click()


CONTRASTS = """() => {
  const rgb = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const luminance = (colour) => {
    const linear = (v) => (v <= 10 ? v / 3294.6 : ((v / 255 + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = colour.map(linear);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (...colours) => {
    const [dark, light] = colours.map(luminance).sort((x, y) => x - y);
    return (light + 0.05) / (dark + 0.05);
  };
  const ground = (node) => {
    const { backgroundColor } = getComputedStyle(node);
    return /, 0\\)$/.test(backgroundColor) ? ground(node.parentElement) : rgb(backgroundColor);
  };
  return [...document.querySelectorAll(".listing :is(span, code, figcaption)")]
    .map((word) => contrast(rgb(getComputedStyle(word).color), ground(word)));
}"""
