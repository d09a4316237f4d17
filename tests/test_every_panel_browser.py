"""What the page promises of every panel, in a real browser: what one sees is what one asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from demos.page.panel import Panel
from demos.page.tab import discover

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]
PANELS = [(tab, panel) for tab in discover() for panel in tab.panels if panel.here]
SCREEN = {"width": 1280, "height": 720}
LINES = ".run-said"
TIMELINE_BELOW = {"latent-space-map", "latent-space-kl", "diffusion-person", "flow-person"}
"""A map or a picker fills the first screen, or the timeline is a further part of the panel."""
TRACK = ".timeline[data-filled] .timeline-track"


@pytest.fixture
def page(chromium: Browser, app_address: str) -> Iterator[Page]:
    page = chromium.new_page(viewport=SCREEN)
    page.set_default_timeout(60_000)
    page.goto(app_address)
    expect(page.get_by_role("tab", name="Overview")).to_be_visible()
    yield page
    page.close()


def seen(page: Page, what: str) -> Locator:
    return page.locator(what).locator("visible=true")


def opened(page: Page) -> Iterator[Panel]:
    """One panel after the other, each once it shows what it begins with."""
    for tab, panel in PANELS:
        page.evaluate("([tab, panel]) => noiseToDataAddress.go(tab, panel)", [tab.id, panel.id])
        expect(page).to_have_url(re.compile(f"tab={tab.id}"))
        if panel.screen and panel.button and panel.example is not None:
            shown = f"#{panel.name}, #tab-{tab.id} .ov-row, #tab-{tab.id} .card-full"
            expect(seen(page, shown).first).to_be_visible()
        yield panel


def test_every_panel_begins_with_the_result_of_its_controls(page):
    others = [
        panel.name
        for panel in opened(page)
        if page.locator(".stale").count() or any(seen(page, LINES).all_text_contents())
    ]
    assert others == []


def test_the_button_and_the_timeline_are_on_the_first_screen(page):
    """On a small laptop, without scrolling."""
    below = {}
    for panel in opened(page):
        for what in [".run-row .primary", *([] if panel.name in TIMELINE_BELOW else [TRACK])]:
            for part in seen(page, what).all()[:1]:
                box = part.bounding_box()
                if box["y"] + box["height"] > SCREEN["height"]:
                    below[panel.name, what] = round(box["y"])
    assert below == {}


def test_a_link_shows_what_it_asks_for_or_says_that_it_does_not_yet(page, app_address):
    """Short runs begin by themselves; for the others the line above the example says what to do."""
    ran, asked = [], []
    for tab, panel in PANELS:
        names = [knob.name for knob in panel.knobs if hasattr(knob, "name")]
        if "seed" not in names or not panel.button or not panel.screen:
            continue
        page.goto(f"{app_address}?tab={tab.id}&panel={panel.id}&{panel.id}.seed=5")
        expect(page.locator(f"#{panel.name}-seed input").first).to_have_value("5")
        line = page.locator(f"#{panel.name}-run {LINES}")
        expect(line).to_have_text(re.compile(r"^(Done in|Example\. Press)"))
        page.wait_for_timeout(600)  # a run that begins by itself has begun
        expect(line).to_have_text(re.compile(r"^(Done in|Example\. Press)"))
        stale = page.locator(f".column.stale:has(> #{panel.name}-run)").count()
        (asked if stale else ran).append(panel.name)
        assert line.inner_text().startswith("Done") == (not stale), panel.name
    assert len(ran) > 5 and len(ran) + len(asked) > 12


@pytest.mark.parametrize("panel", ["diffusion-generate", "gan-collapse"])
def test_a_link_carries_the_moment_of_a_timeline(page, app_address, panel):
    tab, _, name = panel.partition("-")
    page.goto(f"{app_address}?tab={tab}&panel={name}&at=3")
    expect(page.locator(f"#{panel} {TRACK.split()[-1]}")).to_have_attribute("aria-valuenow", "3")
    page.locator(f"#{panel} .timeline-track").focus()
    page.keyboard.press("ArrowLeft")
    seen(page, ".copy-link").click()
    expect(page).to_have_url(re.compile("at=2"))
