"""The GAN tab's lab in a browser: a training is watched while it goes on, scrubbed and taken on by
single turns; twenty seeds train beside a prediction."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from demos.page.tab import Tab
from demos.tabs.gan import lab, lab_many
from serving import page_of

pytestmark = pytest.mark.browser
PHONE = {"viewport": {"width": 390, "height": 844}}
WIDE = {"viewport": {"width": 1440, "height": 900}}
ONE, MANY = "#gan-lab", "#gan-lab-many"
FAST = "lab.width=8&lab.batch=16&lab.steps=200"
FEW = "lab-many.width=8&lab-many.batch=16&lab-many.steps=100"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with page_of(Tab("gan", "GAN", 0, [lab.PANEL, lab_many.PANEL])) as url:
        yield f"{url}?tab=gan"


def opened(visit, address: str, panel: str, query: str, **how) -> Page:
    """A panel with the settings of a link."""
    page = visit(f"{address}&panel={panel}&{query}", **how)
    width = page.locator(f"#gan-{panel}-width input").first
    expect(width).to_have_value("8")
    return page


def train(page: Page, card: str) -> None:
    """To its end, and until the player has shown it."""
    page.locator(f"{card}-run-go").click()
    expect(page.locator(f"{card}-run .run-said")).to_contain_text("Done")
    expect(page.locator(f"{card} .lab-verdict")).not_to_be_empty()
    expect(page.locator(f"{card} .card-live")).to_be_visible()
    expect(page.locator(f"{card} .timeline-play")).to_have_attribute("title", "Play")


def ink(page: Page, canvas: str) -> str:
    """What is drawn on it."""
    return page.locator(canvas).first.evaluate("(canvas) => canvas.toDataURL()")


def trained(visit, address: str, **how) -> Page:
    page = opened(visit, address, "lab", FAST, **how)
    train(page, ONE)
    return page


def fits(page: Page) -> bool:
    """Whether nothing is wider than the page."""
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_training_is_watched_while_it_goes_on(visit, address):
    page = opened(visit, address, "lab", "lab.width=8&lab.batch=16&lab.steps=5000", **WIDE)
    readout = page.locator(f"{ONE} .lab-readout")
    page.locator(f"{ONE}-run-go").click()
    expect(readout).to_have_text(re.compile(r"Step [1-9][\d,]* of 5,000"))
    expect(page.locator(f"{ONE} .timeline-play")).to_have_attribute("title", "Pause")
    track = page.locator(f"{ONE} .timeline-track")
    track.focus()
    page.keyboard.press("Home")  # what has been is looked at while more comes
    expect(readout).to_contain_text("Step 0 of 5,000")
    seen = int(track.get_attribute("aria-valuemax"))
    page.wait_for_function(f"document.querySelector('{ONE} .timeline-track').ariaValueMax > {seen}")
    expect(readout).to_contain_text("Step 0 of 5,000")
    page.locator(f"{ONE}-run-stop").click()
    expect(page.locator(f"{ONE}-run .run-said")).to_contain_text("Stopped")
    page.keyboard.press(" ")
    expect(readout).not_to_contain_text("Step 0 of")
    expect(page.locator(f"{ONE} .lab-verdict")).to_be_empty()


@pytest.mark.parametrize("how", [WIDE, PHONE | {"color_scheme": "dark"}], ids=["wide", "phone"])
def test_the_timeline_goes_through_the_training(visit, address, how):
    page = trained(visit, address, **how)
    readout, track = page.locator(f"{ONE} .lab-readout"), page.locator(f"{ONE} .timeline-track")
    expect(readout).to_contain_text("Step 200 of 200")
    expect(track).to_have_attribute("aria-valuemax", "200")
    end = ink(page, f"{ONE} .lab-plane")
    track.focus()
    page.keyboard.press("ArrowLeft")
    expect(readout).to_contain_text("Step 199 of 200 · ")
    expect(page.locator(f"{ONE} .lab-plane")).to_have_attribute(
        "aria-label", re.compile(r"Step 199 of 200 · \d of 8 modes · \d+% of samples on modes")
    )
    assert ink(page, f"{ONE} .lab-plane") != end
    page.keyboard.press("Home")
    expect(page.locator(f"{ONE} .timeline-legend output").first).to_be_empty()  # no loss yet
    assert page.locator(f"{ONE} .timeline-curve").count() == 3 and fits(page)


def test_layers_are_switched_on_and_off(visit, address):
    page = trained(visit, address, **WIDE)
    before = ink(page, f"{ONE} .lab-plane")
    for layer in ("Data", "Samples", "Discriminator", "Where samples are sent", "Bent lattice"):
        page.locator(ONE).get_by_label(layer, exact=True).click()
        after = ink(page, f"{ONE} .lab-plane")
        assert after != before, layer
        before = after


def test_single_turns_are_taken_after_the_end(visit, address):
    page = trained(visit, address, **WIDE)
    readout = page.locator(f"{ONE} .lab-readout")
    page.get_by_role("button", name="One step of D").click()
    expect(readout).to_contain_text("Step 200 of 200 and D")
    expect(page.locator(f"{ONE} .lab-lit")).to_have_text("Discriminator")
    page.get_by_role("button", name="One step of G").click()
    expect(readout).to_contain_text("Step 200 of 200 and D, G")
    expect(page.locator(f"{ONE} .lab-lit")).to_have_text("Samples")
    page.locator(f"{ONE} .timeline-track").focus()
    page.keyboard.press("ArrowLeft")
    page.get_by_role("button", name="One step of D").click()  # from here another way
    expect(readout).to_contain_text("Step 200 of 200 and D, D")
    expect(page.locator(f"{ONE} .timeline-track")).to_have_attribute("aria-valuemax", "202")


def test_a_game_to_start_from_sets_the_controls_and_the_link_carries_them(visit, address):
    page = visit(f"{address}&panel=lab", **WIDE)
    page.locator(f"{ONE}-play input").click()
    page.get_by_role("option", name="Slow D", exact=True).click()
    rate = page.locator(f"{ONE}-lr_discriminator input[type=number]")
    expect(rate).to_have_value("0.0005")
    expect(page.locator(f"{ONE}-run .run-said")).to_contain_text("Press Train to apply")
    page.locator(f"{ONE}-play input").click()
    page.get_by_role("option", name="Healthy").click()
    expect(rate).to_have_value("0.005")
    page.locator(f"{ONE}-play input").click()
    page.get_by_role("option", name="Slow D", exact=True).click()
    page.locator(".copy-link").locator("visible=true").click()
    expect(page).to_have_url(re.compile(r"lab\.lr_discriminator=0\.0005"))
    again = visit(page.url, **WIDE)
    expect(again.locator(f"{ONE}-lr_discriminator input[type=number]")).to_have_value("0.0005")
    expect(again.locator(f"{ONE}-play input")).to_have_value("Slow D")


def test_what_cannot_be_trained_is_said(visit, address):
    page = visit(f"{address}&panel=lab&lab.batch=15&lab.packing=2", **WIDE)
    expect(page.locator(f"{ONE}-batch input[type=number]")).to_have_value("15")
    page.locator(f"{ONE}-run-go").click()
    expect(page.get_by_text("choose a multiple of packing=2")).to_be_visible()


def test_a_moment_is_saved_as_a_file(visit, address, tmp_path):
    page = trained(visit, address, **WIDE)
    with page.expect_download() as download:
        page.locator(ONE).get_by_role("button", name="Download this moment").click()
    download.value.save_as(tmp_path / "moment.png")
    with Image.open(tmp_path / "moment.png") as image:
        assert image.width < image.height and len(image.convert("RGB").getcolors(10**6)) > 20


# --- twenty seeds ---------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [WIDE, PHONE | {"color_scheme": "dark"}], ids=["wide", "phone"])
def test_twenty_seeds_train_beside_a_prediction(visit, address, how, tmp_path):
    link = f"{FEW}&lab-many.play=leak&lab-many.mistake=no+detach%2C+not+zeroed&predicted=3"
    page = opened(visit, address, "lab-many", link, **how)
    train(page, MANY)
    verdict = page.locator(f"{MANY} .lab-verdict")
    expect(verdict).to_contain_text(re.compile(r"in \d+ of 20; mended, in \d+\. You said 3: "))
    assert page.locator(f"{MANY} .many-tile").count() == 40
    expect(page.get_by_role("region", name="Mended (Mistake: none)")).to_be_visible()
    first = page.locator(f"{MANY} .many-tile canvas").first
    expect(first).to_have_attribute(
        "aria-label", re.compile(r"Seed 0: \w+.*, covers \d of 8 modes")
    )
    end = ink(page, f"{MANY} .many-tile canvas")
    page.locator(f"{MANY} .timeline-track").focus()
    page.keyboard.press("Home")
    expect(page.locator(f"{MANY} .many-readout")).to_contain_text("Step 0 of 100")
    expect(first).to_have_attribute("aria-label", re.compile("Seed 0: covers"))
    assert ink(page, f"{MANY} .many-tile canvas") != end and fits(page)
    with page.expect_download() as download:
        page.locator(MANY).get_by_role("button", name="Download this moment").click()
    download.value.save_as(tmp_path / "many.png")
    with Image.open(tmp_path / "many.png") as image:
        assert image.height > 1000


def test_a_row_of_the_table_opens_its_pair(visit, address):
    page = visit(f"{address}&panel=lab-many", **WIDE)
    row = page.locator(f"{MANY}-figures tr", has_text="momentum of 0.9")
    expect(row).to_contain_text("of 100 cover every mode")
    row.get_by_role("link").click()
    expect(page.locator(f"{MANY}-play input")).to_have_value("Too much momentum")
    expect(page.locator(f"{MANY}-momentum input[type=number]")).to_have_value("0.9")
    expect(page.locator(f"{MANY}-run .run-said")).to_contain_text("Press Train")
