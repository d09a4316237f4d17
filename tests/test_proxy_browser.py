"""The page as hosts serve it: under a path of a proxy, in a frame of another host's page, to a
browser that refuses cookies."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from chromium import EXECUTABLE, OPTIONS
from conftest import wait_until
from demos.page.tab import Tab
from demos.sampling.generate import Generation
from demos.tabs import vae
from proxy import moments, proxy_of
from serving import page_of
from shell_page import BEGUN, TABS, hurry
from visiting import upload

pytestmark = pytest.mark.browser
PATH = "/noise"
GO = "Draw new pictures"
SAVES = replace(Generation("clothes", "flow-fashion").panel(), saves=True)
CLOTHES = Tab("clothes", "Clothes", order=80, panels=[SAVES])


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    with page_of(*TABS, vae.TAB, CLOTHES, root_path=f"{PATH}/") as address:
        yield address


@pytest.fixture(scope="module", params=["strips the path", "leaves the path"])
def address(served: str, request: pytest.FixtureRequest) -> Iterator[str]:
    with proxy_of(served, PATH, strips=request.param == "strips the path") as address:
        yield address


@pytest.fixture(scope="module")
def stripped(served: str) -> Iterator[str]:
    with proxy_of(served, PATH) as address:
        yield address


def said(page: Page, panel: str):
    return page.locator(f"#{panel}-run .run-said")


def loaded(page: Page, pictures: str) -> None:
    page.wait_for_function(
        "all => { const found = [...document.querySelectorAll(all)];"
        " return found.length && found.every((one) => one.naturalWidth > 0) }",
        arg=pictures,
    )


def test_a_run_its_pictures_and_a_link(visit, address):
    page = visit(f"{address}?tab=vae&panel=samples")
    loaded(page, "#vae-samples img")  # the example's, which are files
    page.get_by_role("button", name=GO, exact=True).click()
    expect(page.locator("#vae-samples .card-live")).to_be_visible()
    expect(said(page, "vae-samples")).to_have_text(re.compile("^Done in"))
    loaded(page, "#vae-samples img")
    seed = page.locator("#vae-samples-seed input").input_value()
    page.get_by_role("button", name="Copy link").locator("visible=true").click()
    link = page.get_by_label("The link", exact=True).input_value()
    assert link == f"{address}?tab=vae&panel=samples&samples.seed={seed}"
    other = visit(link)
    expect(other.locator("#vae-samples .card-live")).to_be_visible()
    expect(other.locator("#vae-samples-seed input")).to_have_value(seed)


def test_the_pictures_of_a_run_are_saved(visit, address):
    page = visit(f"{address}?tab=clothes&generate.steps=4&generate.count=2")
    expect(page.locator("#clothes-generate-count input").first).to_have_value("2")
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(said(page, "clothes-generate")).to_have_text(re.compile("^Done in"))
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save pictures").locator("visible=true").click()
    assert saved.value.url.startswith(address)
    assert zipfile.is_zipfile(saved.value.path())


def test_a_slider_is_answered(visit, address):
    page = visit(f"{address}?tab=vae")
    picture = page.locator("#tab-vae canvas:visible, #tab-vae img:visible").first
    expect(picture).to_be_visible()
    slider = page.locator("#tab-vae input[type=range]:visible").first
    with page.expect_response("**/component_server/**") as answer:
        slider.focus()
        for _ in range(5):
            page.keyboard.press("ArrowRight")
    assert answer.value.ok and answer.value.url.startswith(address)


def test_an_upload_arrives(visit, address, tmp_path):
    page = visit(f"{address}?tab=vae&panel=reconstruct&reconstruct.source=Upload")
    boot = Image.new("L", (200, 200))
    boot.paste(255, (50, 20, 150, 180))
    boot.save(tmp_path / "whole-boot.png")
    upload(page, "vae", tmp_path / "whole-boot.png")
    page.get_by_role("button", name="Reconstruct", exact=True).click()
    expect(page.locator("#vae-reconstruct").get_by_text("your upload")).to_be_visible()


def test_the_projector_shows_a_code(visit, stripped):
    page = visit(f"{stripped}?tab=vae&panel=samples&__sign=secret")
    expect(page.get_by_role("button", name=GO, exact=True)).to_be_visible()
    page.evaluate(
        """address => document.head.insertAdjacentHTML(
            "beforeend", `<meta name="network-address" content="${address}">`)""",
        "http://192.168.1.20/noise/",
    )
    page.get_by_role("button", name="Projector view").click()
    loaded(page, ".projector-address img")
    code = page.locator(".projector-address img").get_attribute("src")
    assert "panel%3Dsamples" in code and "secret" not in code


def test_a_run_goes_on_after_a_reload(chromium: Browser, address):
    steps = 401 + BEGUN.count(401)  # the result behind the other proxy is known
    page = chromium.new_page()  # a watched one takes offence at a reload
    page.goto(f"{address}?tab=first&panel=draw&draw.steps={steps}")
    expect(page.locator("#first-draw-steps input").first).to_have_value(str(steps))
    page.get_by_role("button", name="Draw pictures").click()
    under_way = re.compile(rf"^Step \d+ of {steps}$")
    expect(said(page, "first-draw")).to_have_text(under_way)
    page.reload()
    expect(said(page, "first-draw")).to_have_text(under_way)
    with hurry():
        expect(page.locator("#first-note textarea")).to_have_value(f"{steps} steps, euler")
    assert BEGUN.count(steps) == 1
    page.close()


def test_events_come_as_they_are_sent(address):
    assert len(moments(address)) > 3


def test_what_the_host_put_into_the_address_stays_there(visit, stripped):
    theirs = "__theme=dark&__sign=secret&hf_from=list"
    page = visit(f"{stripped}?tab=first&panel=draw&{theirs}", permissions=["clipboard-write"])
    expect(page.locator("body.dark")).to_have_count(1)
    page.get_by_role("tab", name="Break").click()
    expect(page).to_have_url(f"{stripped}?tab=first&panel=break&{theirs}")
    page.get_by_role("tab", name="Draw", exact=True).click()
    page.locator("#first-draw-steps input").first.fill("21")
    page.get_by_role("button", name="Draw pictures").click()
    expect(page).to_have_url(f"{stripped}?tab=first&panel=draw&draw.steps=21&{theirs}")
    page.get_by_role("button", name="Copy link").click()
    link = page.get_by_label("The link", exact=True)
    expect(link).to_have_value(f"{stripped}?tab=first&panel=draw&draw.steps=21")
    expect(page).to_have_url(f"{stripped}?tab=first&panel=draw&draw.steps=21&{theirs}")
    expect(page.get_by_test_id("toast-body")).to_have_count(0)


def test_in_a_frame_of_another_host_to_a_browser_that_refuses_cookies(
    chromium: Browser, stripped, tmp_path
):
    """Where cookies are refused, so is the page's memory: `localStorage` throws."""
    refused = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    (tmp_path / "Default").mkdir()
    (tmp_path / "Default" / "Preferences").write_text(json.dumps(refused))
    context = chromium.browser_type.launch_persistent_context(
        tmp_path, executable_path=EXECUTABLE, args=OPTIONS
    )
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    host = stripped.replace("127.0.0.1", "localhost").replace(f"{PATH}/", "/framed")
    page.goto(f"{host}?tab=vae&panel=samples")
    wait_until(lambda: len(page.frames) == 2, 30)
    frame = page.frames[1]
    expect(frame.locator("#vae-samples .card-source")).to_have_text("Example")  # it is built
    frame.get_by_role("button", name=GO, exact=True).click()
    assert frame.evaluate("() => { try { localStorage; return '' } catch (e) { return e.name } }")
    expect(frame.locator("#vae-samples .card-live")).to_be_visible()
    frame.get_by_role("tab", name="First").click()
    frame.get_by_role("button", name="Switch between light and dark").click()
    expect(frame.get_by_text("This browser window will not remember your choice")).to_be_visible()
    frame.get_by_role("button", name="Copy link").locator("visible=true").click()
    link = frame.get_by_label("The link", exact=True)
    expect(link).to_have_value(f"{stripped}?tab=first&panel=draw")
    assert errors == []
    context.close()
