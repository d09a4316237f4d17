"""Panels that few need on this machine stand behind More, and are found by link and key all the
same."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from demos.page.tab import declared

pytestmark = pytest.mark.browser
RARE = [panel for tab in declared() for panel in tab.panels if panel.id == "bigger"]


@pytest.fixture
def address(app_address) -> str:
    return f"{app_address}?tab=text-to-image"


def test_a_panel_that_cannot_work_here_waits_behind_more(visit, address):
    (panel,) = RARE
    page = visit(address)
    tab = page.get_by_role("tab", name=panel.title)
    more = page.get_by_role("button", name="More", exact=True)
    expect(more).to_have_attribute("aria-expanded", "false")
    expect(tab).to_be_hidden()
    page.get_by_role("tab", name="Generate", exact=True).focus()
    page.keyboard.press("End")  # the last one in sight
    expect(page.get_by_role("tab", name="Was it made here?")).to_be_focused()
    more.click()
    expect(tab).to_be_visible()
    tab.click()
    page.get_by_role("button", name="Less", exact=True).click()
    expect(tab).to_be_visible()  # for it is open


def test_a_link_opens_it(visit, address):
    (panel,) = RARE
    page = visit(f"{address}&panel={panel.id}")
    expect(page.get_by_role("tab", name=panel.title)).to_have_attribute("aria-selected", "true")


def test_on_a_phone_a_linked_panel_is_within_sight_in_its_list(visit, app_address):
    page = visit(f"{app_address}?tab=vae&panel=samples", viewport={"width": 390, "height": 844})
    expect(page.get_by_role("tab", name="Samples")).to_be_in_viewport(ratio=0.9)
