"""The page on a projector, as a teacher hands it out, and where other devices find it."""

from __future__ import annotations

import re
import socket
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import segno
from playwright.sync_api import Locator, Page, expect

from demos.page import network

GO = "Draw new pictures"


@pytest.fixture
def page(visit, app_address) -> Page:
    page = visit(f"{app_address}?tab=vae&panel=samples")
    expect(page.locator("#vae-samples .card-source")).to_have_text("Example")
    return page


def size_of_type(page: Page) -> float:
    return page.locator(".lead p:visible").first.evaluate(
        "e => parseFloat(getComputedStyle(e).fontSize)"
    )


@pytest.mark.browser
def test_a_projector_shows_larger_type_and_the_main_controls_alone(chromium, app_address):
    page = chromium.new_page()  # a watched one takes offence at a reload
    page.goto(f"{app_address}?tab=vae&panel=samples")
    before = size_of_type(page)
    page.get_by_role("button", name="Projector view").click()
    expect(page).to_have_url(re.compile("view=projector"))
    assert size_of_type(page) >= 1.25 * before
    expect(page.get_by_role("button", name=GO, exact=True)).to_be_visible()
    for hidden in ("#vae-samples-seed", ".advanced-switch", ".code-panel"):
        expect(page.locator(hidden).locator("visible=true")).to_have_count(0)
    page.get_by_role("tab", name="GAN").click()
    expect(page).to_have_url(re.compile("tab=gan.*view=projector"))
    page.reload()
    expect(page.get_by_role("button", name="Watch both runs")).to_be_visible()
    assert size_of_type(page) >= 1.25 * before
    page.get_by_role("button", name="Projector view").click()
    expect(page).not_to_have_url(re.compile("view="))
    page.close()


@pytest.mark.browser
def test_the_first_page_opens_in_the_view_that_its_address_names(visit, app_address):
    page = visit(f"{app_address}?view=projector")
    expect(page.get_by_label("The address of this page")).to_be_visible()
    expect(page.get_by_role("button", name="Projector view")).to_have_attribute(
        "aria-pressed", "true"
    )


@pytest.mark.browser
def test_on_this_machine_alone_the_projector_says_how_others_get_here(page):
    page.get_by_role("button", name="Projector view").click()
    told = page.get_by_label("The address of this page")
    expect(told).to_contain_text("--host 0.0.0.0")
    expect(told.locator("img")).to_be_hidden()


def found_in_a_network(page: Page) -> Locator:
    """Turns the projector's view on, as if others found the page there; what tells its address."""
    page.evaluate(
        """() => document.head.insertAdjacentHTML(
            "beforeend", '<meta name="network-address" content="http://192.168.1.20:7860/">')"""
    )
    page.get_by_role("button", name="Projector view").click()
    told = page.get_by_label("The address of this page")
    expect(told).to_have_text(re.compile(r"192\.168\.1\.20:7860"))
    return told


@pytest.mark.browser
def test_in_a_network_the_projector_shows_the_link_as_a_code(page):
    code = found_in_a_network(page).locator("img")
    expect(code).to_be_visible()
    link = parse_qs(urlsplit(code.get_attribute("src")).query)["link"]
    assert link == ["http://192.168.1.20:7860/?tab=vae&panel=samples"]


@pytest.mark.browser
def test_a_link_too_long_for_a_code_leaves_the_address_alone(chromium, app_address):
    """The server alone knows how long a link may be."""
    page = chromium.new_page()  # a watched one takes offence at a refusal
    page.route("**/qr.svg?*", lambda route: route.fulfill(status=400))
    page.goto(f"{app_address}?tab=vae&panel=samples")
    with page.expect_response("**/qr.svg?*"):
        code = found_in_a_network(page).locator("img")
    page.wait_for_function("document.querySelector('.projector-address img').complete")
    expect(code).to_be_hidden()
    page.close()


@pytest.mark.browser
def test_a_teachers_link_hides_the_controls_and_pins_the_seed(page, visit):
    page.get_by_role("button", name="Copy link").click()
    page.get_by_label("Hide the controls").check()
    page.get_by_label("Everybody gets the same pictures").check()
    link = page.get_by_label("The link", exact=True).input_value()
    assert parse_qs(urlsplit(link).query) == {
        "tab": ["vae"],
        "panel": ["samples"],
        "samples.seed": ["0"],
        "view": ["lesson"],
    }
    pupil = visit(link)
    expect(pupil.get_by_role("button", name=GO, exact=True)).to_be_visible()
    expect(pupil.locator("#vae-samples-seed")).to_be_hidden()
    pupil.get_by_role("button", name="Show the controls").click()
    expect(pupil.locator("#vae-samples-seed")).to_be_visible()
    expect(pupil.locator("#tab-vae .pin-seed").get_by_label("Pin")).to_be_checked()


def test_a_link_becomes_a_code_that_scanners_read(app_address):
    link = "http://192.168.1.20:7860/?tab=vae&panel=samples"
    answer = httpx.get(f"{app_address}/qr.svg", params={"link": link})
    assert answer.headers["content-type"].startswith("image/svg+xml")
    modules = segno.make(link, micro=False, error="m").symbol_size(border=2)[0]
    assert f'viewBox="0 0 {modules} {modules}"' in answer.text


@pytest.mark.parametrize(
    "link", ["", "javascript:alert(1)", "http://" + "a" * 1000, "http://" + "€" * 900]
)
def test_what_is_no_link_becomes_no_code(app_address, link):
    answer = httpx.get(f"{app_address}/qr.svg", params={"link": link})
    assert answer.status_code == 400 and "http or https address" in answer.text


class Interface:
    """A socket whose machine has one address, or none."""

    def __init__(self, address: str | None) -> None:
        self.address = address

    def __call__(self, *kind: int) -> Interface:
        return self

    def __enter__(self) -> Interface:
        return self

    def __exit__(self, *error: object) -> None: ...

    def connect(self, place: tuple[str, int]) -> None:
        if not self.address:
            raise OSError("Network is unreachable")

    def getsockname(self) -> tuple[str, int]:
        return self.address, 5


@pytest.mark.parametrize(
    ("host", "own", "told"),
    [
        ("0.0.0.0", "10.0.0.7", "http://10.0.0.7:80/"),
        ("::", "fd00::7", "http://[fd00::7]:80/"),
        ("0.0.0.0", None, None),
        ("127.0.0.1", "10.0.0.7", None),
        ("localhost", "10.0.0.7", None),
    ],
)
def test_the_address_in_the_network_is_told_where_others_can_use_it(host, own, told, monkeypatch):
    monkeypatch.setattr(socket, "socket", Interface(own))
    assert network.network_address(host, 80) == told
