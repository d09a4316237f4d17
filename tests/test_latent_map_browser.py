"""The map of latent space on the page, in a real browser: pointing, colours, paths, keys."""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from demos.page.tab import Tab
from demos.tabs.latent_space import map as panel
from demos.tabs.latent_space.models import TAB
from latent_fixtures import write_maps
from sampling_fixtures import served

pytestmark = pytest.mark.browser

MAP = f"#{TAB}-map-path .latent-map"
LINE = f"#{panel.NAME}"


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("weights")
    write_maps(folder)
    with served(Tab(TAB, "Latent space", 10, [panel.PANEL]), folder) as url:
        yield url


def opened(visit: Callable[..., Page], address: str, more: str = "", view: str = "near", **options):
    page = visit(f"{address}?tab={TAB}&panel=map{more}", **options)
    page.wait_for_selector(f"{MAP}[data-view={view}][data-shown]")
    return page


def shown(page: Page) -> int:
    return int(page.locator(MAP).get_attribute("data-shown") or 0)


def wait_for_picture(page: Page, after: int) -> None:
    page.wait_for_function(f"Number(document.querySelector('{MAP}').dataset.shown) > {after}")


def at(page: Page, across: float, up: float) -> tuple[float, float]:
    """Where a place of the map, in shares of it from -1 to 1, is on the screen."""
    sheet = page.locator(f"{MAP} .latent-map-sheet")
    sheet.scroll_into_view_if_needed()
    box = sheet.bounding_box()
    return box["x"] + box["width"] * (1 + across) / 2, box["y"] + box["height"] * (1 - up) / 2


def drawn(page: Page, *places: tuple[float, float]) -> None:
    page.mouse.move(*at(page, *places[0]))
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*at(page, *place), steps=8)
    page.mouse.up()


@pytest.mark.alone
def test_the_picture_follows_the_pointer_in_under_a_tenth_of_a_second(visit, address):
    page = opened(visit, address)
    for k in range(15):
        before = shown(page)
        page.mouse.move(*at(page, -0.56 + 0.08 * k, 0.3 - (k % 3) / 10))
        wait_for_picture(page, before)
    expect(page.locator(f"{MAP} .latent-map-where")).to_contain_text("across 0.5")
    expect(page.locator(f"{MAP} .latent-map-cost")).to_contain_text("ms after the move")
    latencies = page.locator(MAP).get_attribute("data-latencies").split()[-15:]
    assert statistics.median(float(ms) for ms in latencies) < 100


def test_hurried_pointing_asks_little_and_the_newest_place_wins(visit, address):
    page = opened(visit, address)
    asked = []
    page.on("request", lambda r: asked.append(r.url) if "component_server" in r.url else None)
    x, y = at(page, 0, 0)
    before = shown(page)
    page.evaluate(
        """([selector, x, y]) => {
          const sheet = document.querySelector(selector);
          for (let i = 0; i < 60; i++) {
            const options = { clientX: x + i, clientY: y, pointerType: 'mouse', isPrimary: true };
            sheet.dispatchEvent(new PointerEvent('pointermove', options));
          }
        }""",
        [f"{MAP} .latent-map-sheet", x, y],
    )  # 60 moves within one task
    wait_for_picture(page, before + 1)
    assert len(asked) <= 2  # the first and the last
    width = page.locator(f"{MAP} .latent-map-sheet").bounding_box()["width"]
    reached = f"across {2 * 59 / width * 1.05:.1f}"
    expect(page.locator(f"{MAP} .latent-map-where")).to_contain_text(reached)


def test_dots_take_the_colour_that_is_asked_for_and_one_kind_can_stand_alone(visit, address):
    page = opened(visit, address)
    canvas = page.locator(f"{MAP} canvas")

    def painted() -> str:
        return canvas.evaluate("(canvas) => canvas.toDataURL()")

    by_hat = painted()
    page.get_by_label("Colour by").select_option("Hair colour")
    expect(page.locator(f"{MAP} .latent-map-entry").first).to_have_text("black")
    expect(page.locator(f"{MAP} .latent-map-entry").last).to_contain_text("hidden")
    expect(page.locator(f"{MAP} .latent-map-where")).to_contain_text("Nearest dot: hair colour")
    by_hair = painted()
    assert by_hair != by_hat
    blond = page.get_by_role("button", name="blond")
    blond.click()
    expect(blond).to_have_attribute("aria-pressed", "true")
    assert painted() != by_hair
    blond.click()
    assert painted() == by_hair
    page.get_by_label("Colour by").select_option("Age")
    expect(page.locator(f"{MAP} .latent-map-ramp")).to_have_text("youngold")


def test_a_path_that_is_drawn_is_played_and_stands_in_link_and_code(visit, address):
    page = opened(visit, address, "&map.count=7")
    expect(page.get_by_label("Pictures on the way").first).to_have_value("7")
    drawn(page, (-0.5, 0.5), (0.5, 0.5), (0.5, -0.5))
    line = page.locator(LINE)
    expect(line.locator(".card-live")).to_be_visible()
    expect(line.get_by_text("How far the code moves")).to_be_visible()
    expect(page.locator(f"{LINE}-run .run-said")).to_have_text(re.compile("^Done in"))
    line.locator("[role=slider]").focus()
    page.keyboard.press("End")
    expect(line.get_by_text("picture 7 / 7")).to_be_visible()
    expect(line.locator(".timeline-level")).to_have_text("0.53, −0.53")  # of 1.05
    page.locator(f"#tab-{TAB} .copy-link").click()
    page.wait_for_url("**map.path=near%3A-0.52*")
    page.get_by_role("button", name="Show the code").click()
    expect(page.get_by_text("atlas.at((a, b))").first).to_be_visible()


def test_clicks_alone_draw_a_path(visit, address):
    page = opened(visit, address, "&map.count=7")
    sheet = page.locator(f"{MAP} .latent-map-sheet")
    page.get_by_role("button", name="Draw with clicks").click()
    side = sheet.bounding_box()["width"]
    for across, down in ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75)):
        sheet.click(position={"x": across * side, "y": down * side})
    page.get_by_role("button", name="End the path").click()
    expect(page.get_by_role("button", name="Draw with clicks")).to_be_visible()
    expect(page.locator(f"{LINE} .card-live")).to_be_visible()
    page.locator(f"#tab-{TAB} .copy-link").click()
    page.wait_for_url("**map.path=near%3A-0.5*%2C0.5*%3B0.5*%2C0.5*%3B0.5*%2C-0.5*")


def test_keys_alone_draw_a_path_and_escape_drops_one(visit, address):
    page = opened(visit, address, "&map.path=wide:0,0;1,1&map.count=5", "wide")
    page.locator(f"{MAP} .latent-map-sheet").focus()
    path = page.locator(f"{MAP} .latent-map-line")
    old = path.get_attribute("d")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    expect(page.locator(f"{MAP} .latent-map-hint")).to_contain_text("Drawing a path")
    assert path.get_attribute("d") != old
    page.keyboard.press("Escape")
    assert path.get_attribute("d") == old
    for key in ("Enter", "ArrowRight", "ArrowRight", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    # 0.12 of 3 a step, from where Escape left the place; the link's own path was played before.
    page.wait_for_function(
        """(line) => {
            const track = document.querySelector(`${line} [role=slider]`);
            track.dispatchEvent(new KeyboardEvent("keydown", { key: "End", bubbles: true }));
            return document.querySelector(`${line} .timeline-level`).textContent === "0.36, 0.00";
        }""",
        arg=LINE,
    )


def test_two_numbers_lie_on_the_whole_plane_and_the_dots_can_go(visit, address):
    page = opened(visit, address)
    page.get_by_role("button", name="Clothes, two numbers").click()
    page.wait_for_selector(f"{MAP}[data-view=flat]")
    sheet, canvas = page.locator(f"{MAP} .latent-map-sheet"), page.locator(f"{MAP} canvas")
    assert "data:image/png" in sheet.evaluate("(node) => node.style.backgroundImage")
    full = canvas.evaluate("(canvas) => canvas.toDataURL()")
    page.get_by_label("Show the dots").uncheck()
    assert canvas.evaluate("(canvas) => canvas.toDataURL()") != full
    expect(page.locator(f"{LINE} .card-live")).to_be_visible()  # the path that this map begins with
    expect(page.locator(f"{LINE} .timeline-note")).to_have_text("Clothes, two numbers")


def test_the_button_plays_the_path_that_is_there(visit, address):
    page = opened(visit, address, "&map.count=4", reduced_motion="reduce")
    page.get_by_role("button", name="Play the path").click()
    expect(page.locator(f"{LINE} .card-live")).to_be_visible()
    expect(page.get_by_text("picture 1 / 4")).to_be_visible()  # less motion: it waits


def test_a_finger_draws_on_a_narrow_screen_and_nothing_sticks_out(visit, address):
    page = opened(visit, address, viewport={"width": 390, "height": 844}, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    x, y = at(page, -0.4, 0)
    finger = page.context.new_cdp_session(page)

    def touch(kind: str, *points: dict) -> None:
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})

    before = shown(page)
    touch("touchStart", {"x": x, "y": y})
    for k in range(1, 9):
        touch("touchMove", {"x": x + 15 * k, "y": y - 5 * k})
    wait_for_picture(page, before)  # the finger is still down
    touch("touchEnd")
    expect(page.locator(f"{LINE} .card-live")).to_be_visible()


def test_a_broken_link_is_answered_and_the_map_begins_as_usual(visit, address):
    page = opened(visit, address, "&map.path=near:0,0;9,9")
    expect(page.get_by_text("x of place 2=9: choose a number from -1.05").first).to_be_visible()
