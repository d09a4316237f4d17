"""The Odd one out panel on its page: its API, and in a real browser threshold, drawing, phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from conftest import dragged
from demos.page.tab import Tab
from demos.tabs.latent_space import anomaly
from demos.tabs.latent_space.anomaly import FACE
from demos.tabs.latent_space.models import PORTRAIT, PORTRAITS, portrait
from gen_core import load
from gen_core.latent.analyze import SECTION
from gen_core.latent.anomaly import rates, threshold
from odd_fixtures import COUNT, portrait_weights
from sampling_fixtures import picture, served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return portrait_weights(tmp_path_factory.mktemp("odd"))


@pytest.fixture(scope="module")
def address(folder) -> Iterator[str]:
    with served(Tab(anomaly.TAB, "Latent space", 1, [anomaly.PANEL]), folder) as address:
        yield address


def visited(visit, address: str, more: str = "", **options: Any) -> tuple[Page, Locator]:
    page = visit(f"{address}?tab={anomaly.TAB}&panel=odd{more}", **options)
    page.get_by_role("button", name="Is it odd?").wait_for()
    return page, page.locator(f"#{anomaly.NAME} .anomaly")


def test_the_threshold_moves_without_a_question_to_the_server(visit, address, folder):
    page, card = visited(visit, address)
    page.get_by_role("button", name="Is it odd?").click()
    expect(card.locator(".card-live")).to_be_visible()
    told = load(PORTRAITS, "cpu", folder).card[SECTION]["anomaly"]
    expect_rates(card, told, "error", 5.0)
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url) if "latent_space_odd" in r.url else None)
    first = card.locator(".anomaly-pictures img").first.element_handle()
    page.locator("#latent-space-odd-allowed input[type=number]").fill("15")
    expect_rates(card, told, "error", 15.0)
    page.get_by_label("Bound").check()
    expect_rates(card, told, "bound", 15.0)
    dot = card.locator(".anomaly-dot")
    before = dot.get_attribute("cx")
    page.locator("#latent-space-odd-allowed input[type=range]").focus()
    page.keyboard.press("Home")
    expect_rates(card, told, "bound", 0.1)
    assert dot.get_attribute("cx") != before
    assert first.evaluate("(image) => image.isConnected")  # pictures stay where they are
    assert asked == []
    with page.expect_download() as download:
        card.get_by_role("button", name="Download the verdict as PNG").click()
    assert Image.open(download.value.path()).width == 3 * 192 + 2 * 16 + 2 * 28


def expect_rates(card: Locator, told: dict[str, Any], score: str, allowed: float) -> None:
    """The page counts as `gen_core` does."""
    scores = [value for kind in told["odd"].values() for value in kind[score]]
    limit = threshold(told["portraits"][score], allowed / 100)
    alarms, missed = rates(told["portraits"][score], scores, limit)
    expect(card).to_have_attribute(
        "data-limit", f"{limit:g}" if score == "error" else str(int(limit))
    )
    expect(card).to_have_attribute("data-alarms", str(round(alarms * COUNT)))
    expect(card).to_have_attribute("data-missed", str(round(missed * COUNT)))
    expect(card.locator(".anomaly-rates")).to_contain_text(f"{100 * missed:.1f}%")


def test_a_face_is_drawn_on_and_an_empty_paper_gets_a_message(visit, address):
    page, card = visited(visit, address, "&odd.source=A+face+to+draw+on&odd.seed=3")
    pad = page.locator(".drawing").locator("visible=true")
    expect(pad).to_be_visible()  # once the link has been read
    page.get_by_role("button", name="Is it odd?").click()
    expect(page.get_by_text("drawing: the paper is empty").first).to_be_visible()
    page.get_by_role("button", name="Load this face to draw on it").click()
    expect(pad.locator(".drawing-clear")).to_be_enabled()
    dragged(page, pad, (0.2, 0.3), (0.8, 0.6))
    page.get_by_role("button", name="Is it odd?").click()
    expect(card.locator(".card-source")).to_contain_text("live · your drawing")
    drawn = picture(card.locator(".anomaly-pictures img").first.get_attribute("src"))
    red = np.abs(drawn.astype(int) - (222, 66, 58)).max(2) < 24
    untouched = np.asarray(drawn[:8, :8], float) / 127.5 - 1
    assert red.sum() > 100
    assert np.abs(untouched - portrait(3)[0, :, :8, :8].permute(1, 2, 0).numpy()).mean() < 0.05


def test_on_a_phone_nothing_is_wider_than_the_page(visit, address):
    size = {"viewport": {"width": 390, "height": 800}, "color_scheme": "dark"}
    page, card = visited(visit, address, "&odd.change=one+colour", **size)
    expect(page.get_by_label("What is done to it")).to_have_value("one colour")
    page.get_by_role("button", name="Is it odd?").click()
    expect(card.locator(".card-source")).to_contain_text("portrait 4, one colour")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for chart in card.locator("svg[role=img]").all():
        assert chart.get_attribute("aria-label")
    for shown in card.locator(".anomaly-pictures img").all():
        assert shown.get_attribute("alt")


@pytest.mark.parametrize(
    ("knob", "value", "message"),
    [
        ("allowed", 21, "allowed=21: choose a number from 0.1 to 20"),
        ("allowed", None, "allowed=None: choose a number from 0.1 to 20"),
        ("score", "Beauty", "score='Beauty': choose one of Error, Bound"),
        ("source", 3, "source=3: choose one of A portrait"),
        ("change", "burnt", "change='burnt': choose one of nothing"),
        ("seed", 2.5, "seed=2.5: choose a whole number from 0"),
        ("source", FACE, "drawing: the paper is empty"),
    ],
)
def test_a_bad_knob_gets_a_message_from_the_api_too(address, knob, value, message):
    settings = {
        "source": PORTRAIT,
        "change": "noisy",
        "label": "Bag",
        "seed": 0,
        "score": "Error",
        "allowed": 5,
        "drawing": None,
        "upload": None,
    }
    client = Client(address, verbose=False)
    with pytest.raises(AppError, match=re.escape(message)):
        client.predict(**settings | {knob: value}, api_name="/latent_space_odd")
    value = client.predict(**settings, api_name="/latent_space_odd")  # and the app goes on
    assert value["own"]["error"] > 0
