"""What the page promises of every panel, in a real browser: what one sees is what one asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from demos.page.panel import Panel
from demos.page.tab import discover

pytestmark = [pytest.mark.browser, pytest.mark.heavy]
PANELS = [(tab, panel) for tab in discover() for panel in tab.panels if panel.here]
SCREEN = {"width": 1280, "height": 720}
LINES = ".run-said"
TIMELINE_BELOW = {"latent-space-map", "latent-space-kl", "diffusion-person", "flow-person"}
"""A map or a picker fills the first screen, or the timeline is a further part of the panel."""


def opened(page: Page, address: str, query: str = "") -> Iterator[tuple[Panel, Page]]:
    """One panel after the other, as its own link shows it."""
    for tab, panel in PANELS:
        page.goto(f"{address}?tab={tab.id}&panel={panel.id}{query.format(panel=panel.id)}")
        expect(page.locator(f"#tab-{tab.id} .lead").locator("visible=true").first).to_be_visible()
        yield panel, page


def seen(page: Page, what: str) -> Locator:
    return page.locator(what).locator("visible=true")


def test_every_panel_begins_with_the_result_of_its_controls(visit, app_address):
    """The example has the page's first values, and stands at the moment that the link names."""
    others, elsewhere = [], []
    for panel, page in opened(visit(app_address), app_address, "&at=1"):
        if panel.screen and panel.button:
            expect(seen(page, ".card, .ov-row, .reconstruction").first).to_be_visible()
        if page.locator(".stale").count() or any(seen(page, LINES).all_text_contents()):
            others.append(panel.name)
        heads = seen(page, ".timeline[data-filled] .timeline-track")
        if heads.count() and heads.first.get_attribute("aria-valuenow") != "1":
            elsewhere.append(panel.name)
    assert (others, elsewhere) == ([], [])


def test_the_button_and_the_timeline_are_on_the_first_screen(visit, app_address):
    """On a small laptop, without scrolling."""
    below = {}
    for panel, page in opened(visit(app_address, viewport=SCREEN), app_address):
        timeline = (
            [] if panel.name in TIMELINE_BELOW else [".timeline[data-filled] .timeline-track"]
        )
        for what in [".run-row .primary", *timeline]:
            for part in seen(page, what).all()[:1]:
                box = part.bounding_box()
                if box["y"] + box["height"] > SCREEN["height"]:
                    below[panel.name, what] = round(box["y"])
    assert below == {}


def test_a_link_shows_what_it_asks_for_or_says_that_it_does_not_yet(visit, app_address):
    """Short runs begin by themselves; for the others the line above the example says what to do."""
    ran, asked = [], []
    done = re.compile(r"^(Done in|Example\. Press .* for your settings)")
    for panel, page in opened(visit(app_address), app_address, "&{panel}.seed=5"):
        line = page.locator(f"#{panel.name}-run {LINES}")
        if (
            "seed" not in [knob.name for knob in panel.knobs if hasattr(knob, "name")]
            or not line.count()
        ):
            continue
        expect(page.locator(f"#{panel.name}-seed input").first).to_have_value("5")
        expect(line).to_have_text(done)
        stale = page.locator(f".column.stale:has(> #{panel.name}-run)").count()
        (asked if stale else ran).append(panel.name)
        assert line.inner_text().startswith("Done") == (not stale), panel.name
    assert len(ran) > 5 and len(ran) + len(asked) > 15
