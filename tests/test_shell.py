"""The page around the tabs, with two made-up tabs, in a real Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from gradio_client import Client
from playwright.sync_api import Page, expect

import shell_page
from demos.page import shell
from demos.page.handlers import App
from demos.page.server import UPLOAD_LIMIT
from gen_core.devices import device_title
from serving import page_of

pytestmark = pytest.mark.browser
CLIPBOARD = ["clipboard-read", "clipboard-write"]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with page_of(*shell_page.TABS) as address:
        yield address


def knob(page: Page, name: str, panel: str = "first-draw"):
    return page.locator(f"#{panel}-{name} input").first


def note(page: Page):
    return page.locator("#first-note textarea")


def said(page: Page):
    """Where the run is."""
    return page.locator(".run-said").first


def open_first(visit, address: str, query: str = "", **options: object) -> Page:
    page = visit(address + query, **options)
    expect(page.get_by_role("button", name="Draw pictures")).to_be_visible()
    return page


def test_the_page_says_what_it_is_and_where_it_runs(visit, address):
    page = open_first(visit, address)
    expect(page).to_have_title(shell.TITLE)
    expect(page.get_by_role("heading", name=shell.TITLE)).to_be_visible()
    expect(page.get_by_text(shell.TAGLINE)).to_be_visible()
    badge = page.locator(".device-badge")
    expect(badge).to_contain_text("CPU")
    expect(badge).to_contain_text(device_title(App("cpu").device))
    tabs = page.locator("#tabs > .tab-wrapper [role=tab]")
    expect(tabs).to_have_text(["First", "Second"])


def test_the_main_button_draws(visit, address):
    page = open_first(visit, address)
    page.get_by_role("button", name="Draw pictures").click()
    expect(note(page)).to_have_value("20 steps, euler")
    expect(page.get_by_role("link", name="Download")).to_have_attribute("href", re.compile("png$"))
    expect(page.get_by_role("button", name="Share")).to_have_count(0)  # it would go to another host


def test_stop_ends_the_run_and_frees_the_device(visit, address):
    page = open_first(visit, address, "?tab=first&steps=900")
    expect(knob(page, "steps")).to_have_value("900")
    stop = page.get_by_role("button", name="Stop").first
    expect(stop).to_be_disabled()
    page.get_by_role("button", name="Draw pictures").click()
    expect(said(page)).to_have_text(re.compile(r"^Step \d+ of 900$"))
    stop.click()
    expect(said(page)).to_have_text(re.compile(r"^Stopped at step \d+$"))
    expect(stop).to_be_disabled()
    page.get_by_role("tab", name="Second").click()
    page.get_by_role("button", name="Answer").click()
    expect(page.get_by_label("Answer")).to_have_value("5 steps")
    page.get_by_role("tab", name="First").click()
    expect(note(page)).to_have_value("")  # else the answer had waited for the whole run


def test_a_short_run_does_not_wait_for_another_visitors_long_one(visit, address):
    first, second = open_first(visit, address, "?tab=first&steps=400"), open_first(visit, address)
    expect(knob(first, "steps")).to_have_value("400")
    first.get_by_role("button", name="Draw pictures").click()
    expect(said(first)).to_contain_text("of 400")
    second.get_by_role("button", name="Draw pictures").click()
    expect(note(second)).to_have_value("20 steps, euler")
    expect(note(first)).not_to_have_value("400 steps, euler")
    first.get_by_role("button", name="Stop").first.click()


def test_a_result_says_whether_it_belongs_to_the_controls(visit, address):
    page = open_first(visit, address, "?tab=first&steps=10")
    picture = page.locator(".results").first
    expect(said(page)).to_have_text("Example. Press Draw pictures to apply your settings")
    expect(picture).to_have_class(re.compile("stale"))
    page.get_by_role("button", name="Draw pictures").click()
    expect(said(page)).to_have_text(re.compile(r"^Done in \d+\.\d s$"))
    expect(picture).not_to_have_class(re.compile("stale"))
    knob(page, "count").fill("7")
    knob(page, "count").blur()
    expect(said(page)).to_have_text("Press Draw pictures to apply your settings")
    knob(page, "count").fill("4")
    knob(page, "count").blur()
    expect(said(page)).to_have_text("")
    knob(page, "seed").fill("")
    page.get_by_role("button", name="Draw pictures").click()  # an error leaves the result as it was
    expect(said(page)).to_have_text("Press Draw pictures to apply your settings")


def test_a_knob_left_empty_is_named(visit, address):
    page = open_first(visit, address)
    knob(page, "seed").fill("")
    page.get_by_role("button", name="Draw pictures").click()
    expect(
        page.get_by_text("seed=None: choose a whole number from 0 to 4294967295")
    ).to_be_visible()


def test_work_is_capped_and_the_message_says_how(visit, address):
    page = open_first(visit, address, "?tab=first&steps=1000&count=64")
    expect(knob(page, "steps")).to_have_value("1000")
    page.get_by_role("button", name="Draw pictures").click()
    said = page.get_by_text("64 pictures of 1000 steps each are 64000 steps: choose at most 4000")
    expect(said).to_be_visible()


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("weights", "no weights named 'no-such-model'"),
        ("bug", "It is written down as error"),
        ("own", "A message of the tab's own"),
    ],
)
def test_an_error_is_a_sentence_on_the_page(visit, address, how, said):
    page = open_first(visit, address)
    page.get_by_role("tab", name="Break").click()
    page.get_by_role("radio", name=how).check()
    page.get_by_role("button", name="Break something").click()
    expect(page.get_by_test_id("toast-body")).to_contain_text(said)
    expect(page.get_by_text("secret")).to_have_count(0)
    page.get_by_role("tab", name="Draw").click()
    page.get_by_role("button", name="Draw pictures").click()  # the next request is served
    expect(note(page)).to_have_value("20 steps, euler")


def test_a_copied_link_restores_tab_panel_and_knobs(visit, address):
    page = open_first(visit, address, permissions=CLIPBOARD)
    page.get_by_label("Advanced").check()
    knob(page, "steps").fill("33")
    knob(page, "guidance_scale").fill("2.5")
    page.get_by_label("Smooth").check()
    knob(page, "label").click()
    page.get_by_role("option", name="All ten").click()
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_text("Link copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert parse_qs(urlsplit(link).query) == {
        "tab": ["first"],
        "panel": ["draw"],
        "draw.steps": ["33"],
        "draw.guidance_scale": ["2.5"],
        "draw.smooth": ["true"],
        "draw.label": ["All ten"],
    }
    other = open_first(visit, link)
    expect(knob(other, "steps")).to_have_value("33")
    expect(knob(other, "guidance_scale")).to_have_value("2.5")
    expect(knob(other, "guidance_scale")).to_be_visible()  # advanced ones are in sight
    expect(other.get_by_label("Smooth")).to_be_checked()
    expect(knob(other, "label")).to_have_value("All ten")
    expect(knob(other, "count")).to_have_value("4")


def test_without_a_clipboard_the_link_is_offered_as_text(visit, address):
    page = open_first(visit, address)
    page.evaluate(
        """() => {
          navigator.clipboard.writeText = () => Promise.reject(new Error("refused"));
          document.execCommand = () => false;
        }"""
    )
    page.get_by_role("button", name="Copy link").click()
    field = page.get_by_label("The link", exact=True)
    expect(field).to_have_value(f"{address}?tab=first&panel=draw")
    expect(page.get_by_text("Copy this link")).to_be_visible()
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(field).to_have_count(0)
    expect(page.get_by_role("button", name="Copy link")).to_be_focused()


def test_a_link_into_another_tab_and_panel(visit, address):
    second = visit(f"{address}?tab=second&steps=7")
    expect(knob(second, "steps", "second-only")).to_have_value("7")
    panel = visit(f"{address}?tab=first&panel=break&how=own")
    expect(panel.get_by_role("button", name="Break something")).to_be_visible()
    expect(panel.get_by_role("radio", name="own")).to_be_checked()


def test_a_bad_link_keeps_the_default_and_says_so(visit, address):
    page = visit(f"{address}?tab=second&steps=0&stepps=<b>red</b>")
    expect(knob(page, "steps", "second-only")).to_have_value("5")
    said = page.locator(".toast-wrap")
    expect(said).to_contain_text("steps=0: choose a whole number from 1 to 50")
    expect(said).to_contain_text("'stepps' is not a setting of this tab")


def test_each_panel_has_its_address_and_back_and_forward_move_between_them(visit, address):
    page = open_first(visit, address)
    page.get_by_role("tab", name="Break").click()
    expect(page).to_have_url(f"{address}?tab=first&panel=break")
    expect(page).to_have_title(f"Break · First · {shell.TITLE}")
    page.get_by_role("tab", name="Second").click()
    expect(page).to_have_url(f"{address}?tab=second")
    expect(knob(page, "steps", "second-only")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("button", name="Break something")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("button", name="Draw pictures")).to_be_visible()
    expect(page).to_have_url(address)
    page.go_forward()
    expect(page.get_by_role("button", name="Break something")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Break something")).to_be_visible()
    page.evaluate("noiseToDataAddress.go('first', 'draw')")  # a link within the page
    expect(page).to_have_url(f"{address}?tab=first&panel=draw")


def test_what_the_address_names_is_the_first_thing_shown(visit, address):
    """Even where the server is busy and answers no event."""
    page = visit(address)
    page.route("**/gradio_api/queue/**", lambda route: None)
    page.goto(f"{address}?tab=first&panel=break")
    expect(page.get_by_role("button", name="Break something")).to_be_visible()
    assert page.get_by_role("button", name="Draw pictures").count() == 0  # was never built


def test_on_a_phone_the_linked_tab_is_within_sight(visit, address):
    page = visit(f"{address}?tab=second", viewport={"width": 190, "height": 600})
    tab = page.locator("#tabs > .tab-wrapper [role=tab][aria-selected=true]")
    expect(tab).to_have_text("Second")
    expect(page).to_have_title(f"Second · {shell.TITLE}")
    box = tab.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 190


def test_new_seed_changes_the_seed(visit, address):
    page = open_first(visit, address, "?tab=first&seed=4294967295")
    expect(knob(page, "seed")).to_have_value("4294967295")
    page.get_by_role("button", name="New seed").click()
    expect(knob(page, "seed")).not_to_have_value("4294967295")


def test_advanced_knobs_wait_for_the_switch(visit, address):
    page = open_first(visit, address)
    expect(knob(page, "guidance_scale")).to_be_hidden()
    page.get_by_label("Advanced").check()
    expect(knob(page, "guidance_scale")).to_be_visible()


def test_explanation_and_code_open_in_place(visit, address):
    page = open_first(visit, address)
    expect(page.get_by_text(shell_page.TEXT.sentence)).to_be_visible()
    page.get_by_role("button", name="Tell me more").click()
    expect(page.get_by_text("learns nothing")).to_be_visible()
    page.get_by_role("button", name="The formula").click()
    expect(page.locator(".katex-display").first).to_be_visible()
    expect(page.get_by_text("Lipman et al. 2023, eq. 22")).to_be_visible()
    page.get_by_role("button", name="Show the code").click()
    expect(page.get_by_text("steps = 20")).to_be_visible()
    expect(page.get_by_text("def randn")).to_be_visible()  # the real source
    trained = page.locator(".training details")
    expect(trained).to_have_count(2)
    flow, vae = trained.all()
    expect(flow).to_contain_text("for step in fit(model, batches, steps=7600")
    expect(flow.locator("pre .code-keyword").first).to_be_visible()
    expect(vae.locator("pre").last).to_be_hidden()
    vae.get_by_text("vae-fashion", exact=True).click()
    expect(vae.locator("pre").last).to_contain_text("def bound")
    expect(vae.locator("pre").last).to_be_visible()
    knob(page, "steps").fill("21")
    expect(page.get_by_text("steps = 21")).to_be_visible()


def test_light_and_dark_stay_as_chosen(visit, address):
    page = open_first(visit, address, color_scheme="light")
    body = page.locator("body")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Switch between light and dark").click()
    expect(body).to_have_class(re.compile(r"\bdark\b"))
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    page.reload()
    expect(page.get_by_role("button", name="Draw pictures")).to_be_visible()
    expect(body).to_have_class(re.compile(r"\bdark\b"))


def test_a_phone_needs_no_sideways_scrolling(visit, address):
    page = open_first(visit, address, viewport={"width": 390, "height": 844})
    page.get_by_label("Advanced").check()
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
    button = page.get_by_role("button", name="Draw pictures").bounding_box()
    assert button["x"] >= 0 and button["x"] + button["width"] <= 390


def test_the_page_names_no_other_host(address):
    text = httpx.get(address).text
    fetched = re.findall(r'(?:src|href|content)="(https?://[^"]*)', text)
    assert [url for url in fetched if not url.startswith(address)] == []
    assert f'content="{shell.TITLE}"' in text


def test_the_api_has_the_tabs_events_alone_with_the_knobs_names(address):
    endpoints = Client(address, verbose=False).view_api(return_format="dict")["named_endpoints"]
    assert set(endpoints) == {"/work", "/broken", "/answer"}
    names = [parameter["parameter_name"] for parameter in endpoints["/work"]["parameters"]]
    assert names == ["label", "steps", "count", "guidance_scale", "solver", "smooth", "seed"]


def test_an_upload_that_is_too_large_is_refused(address):
    size = int(UPLOAD_LIMIT.removesuffix("mb")) * 1024**2 + 1
    files = {"files": ("large.png", bytes(size))}
    assert httpx.post(f"{address}gradio_api/upload", files=files).status_code == 413


def test_a_page_can_be_built_twice():
    app = App("cpu")
    first, second = (shell.build_page(app, shell_page.TABS) for _ in range(2))
    assert len(first.fns) == len(second.fns) > 0
