"""The app as it ships, with its real weights, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from conftest import ROOT
from gen_core import available
from gen_core.training.recipes import RECIPES

TABS = {
    "overview": "Overview",
    "vae": "VAE",
    "gan": "GAN",
    "diffusion": "Diffusion",
    "flow": "Flow matching",
    "text-to-image": "Text to image",
}
INVITATIONS = {
    "Change its latent code": "Latent sliders",
    "Watch its training collapse": "Mode collapse",
    "Drag from noise": "Generate",
    "Race it": "Few steps",
}
FIRST_RUNS = {"vae": "samples"}
"""Panels with a button, where the first one has none."""
LIVE = re.compile(r"\blive( ·|,)")
pytestmark = pytest.mark.browser


@pytest.mark.parametrize("tab", TABS)
def test_every_tabs_main_button_draws_live_pictures(visit, app_address, tab):
    panel = f"&panel={FIRST_RUNS[tab]}" if tab in FIRST_RUNS else ""
    page = visit(f"{app_address}/?tab={tab}{panel}")
    expect(page.get_by_role("tab", name=TABS[tab], exact=True)).to_have_attribute(
        "aria-selected", "true"
    )
    body = page.locator(f"#tab-{tab}")
    expect(body.get_by_text(LIVE)).to_have_count(0)  # what stands there first was made before
    body.locator(".run-row button.primary:visible").first.click()
    expect(body.get_by_text(LIVE).first).to_be_visible(timeout=120_000)
    expect(page.get_by_test_id("toast-body")).to_have_count(0)
    assert app_address.peak_memory() < 2e9  # by the last tab, with every tab's models loaded


def test_the_lab_moves_a_face_and_walks_to_another(visit, app_address):
    page = visit(f"{app_address}/?tab=latent-space&panel=sliders")
    lab = page.locator("#tab-latent-space")
    expect(lab.locator(".latent-cost:visible")).to_have_text(LIVE, timeout=60_000)
    page.get_by_role("tab", name="Between two", exact=True).click()
    lab.locator(".run-row button.primary:visible").click()
    expect(lab.locator(".card-source:visible").first).to_have_text(LIVE, timeout=60_000)
    expect(page.get_by_test_id("toast-body")).to_have_count(0)
    assert app_address.peak_memory() < 2e9


def test_the_first_tab_is_alive_at_once_and_its_invitations_open_their_panels(visit, app_address):
    page = visit(app_address)
    rows = page.locator("#tab-overview")
    expect(rows.get_by_text("Example", exact=True).first).to_be_visible()
    expect(rows.locator("img").first).to_be_visible()
    for invitation, panel in INVITATIONS.items():
        page.get_by_role("link", name=invitation).click()
        selected = page.locator(".panels [role=tab][aria-selected=true]:visible")
        expect(selected).to_have_text(panel)
        page.get_by_role("tab", name="Overview", exact=True).click()


def test_a_real_timeline_scrubs_by_mouse_and_by_key(visit, app_address):
    page = visit(f"{app_address}/?tab=diffusion")
    body = page.locator("#tab-diffusion")
    body.locator(".run-row button.primary:visible").first.click()
    expect(body.locator(".card-source:visible").first).to_have_text(LIVE, timeout=120_000)
    track, step = (
        body.locator(".timeline-track:visible").first,
        body.locator(".timeline-step:visible").first,
    )
    page.wait_for_function(  # the first showing has played to its end
        "() => /20.*20/.test([...document.querySelectorAll('#tab-diffusion .timeline-step')]"
        ".find((e) => e.offsetParent)?.textContent)"
    )
    last = step.text_content()
    track.focus()
    page.keyboard.press("ArrowLeft")
    expect(step).not_to_have_text(last)
    box = track.bounding_box()
    page.mouse.click(box["x"] + 2, box["y"] + box["height"] / 2)
    expect(step).to_have_text(re.compile(r"\b0\b"))


def test_all_weights_have_their_recipe_and_are_small():
    assert {*available()} <= {name.partition("/")[0] for name in RECIPES}
    sizes = {p.stem: p.stat().st_size for p in (ROOT / "weights").glob("*.safetensors")}
    assert max(sizes.values()) < 10_000_000
    assert sum(size for name, size in sizes.items() if "fashion" in name) < 80_000_000
