"""The point pad in a browser: it shows where the data are drawn, by mouse, by touch and by keys,
and links carry what is on it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from demos.page.tab import Tab
from demos.tabs.gan import lab
from gen_core.data.point_texts import read_points, write_points
from serving import page_of

pytestmark = pytest.mark.browser
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "color_scheme": "dark"}
WIDE = {"viewport": {"width": 1440, "height": 900}}
PAD = "#gan-lab-points"
SMALL = "lab.width=8&lab.batch=16&lab.steps=100"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with page_of(Tab("gan", "GAN", 0, [lab.PANEL])) as url:
        yield f"{url}?tab=gan&panel=lab"


def choose(page: Page, data: str) -> None:
    page.locator("#gan-lab-data input").click()
    page.get_by_role("option", name=data, exact=True).click()


def count(page: Page, number: int) -> None:
    said = "1 point" if number == 1 else f"{number:,} points"
    expect(page.locator(f"{PAD} .point-count")).to_have_text(re.compile(said))


def link_of(page: Page) -> str:
    """The text of the points in the link that the page copies; "" without any."""
    page.locator(".copy-link").locator("visible=true").click()
    expect(page).to_have_url(re.compile("lab.data=drawn"))
    return parse_qs(urlsplit(page.url).query).get("lab.points", [""])[0]


def test_the_pad_shows_where_the_data_are_drawn(visit, address):
    page = visit(address, **WIDE)
    expect(page.locator("#gan-lab-data input")).to_be_visible()
    expect(page.locator(PAD)).to_have_count(0)
    choose(page, "drawn")
    expect(page.locator(f"{PAD} canvas")).to_be_visible()
    count(page, 0)
    page.locator("#gan-lab-run-go").click()
    expect(page.get_by_text("draw at least one point")).to_be_visible()
    page.locator("#gan-lab-play input").click()  # a game to start from brings its data
    page.get_by_role("option", name="Slow D", exact=True).click()
    expect(page.locator(PAD)).to_have_count(0)


@pytest.mark.parametrize("how", [WIDE, PHONE], ids=["wide", "phone"])
def test_points_are_drawn_by_hand_and_a_link_carries_them(visit, address, how):
    page = visit(f"{address}&{SMALL}&lab.data=drawn", **how)
    canvas = page.locator(f"{PAD} canvas")
    expect(canvas).to_be_visible()
    canvas.scroll_into_view_if_needed()
    side = canvas.bounding_box()["width"]
    if how is PHONE:
        canvas.tap(position={"x": side / 2, "y": side / 2})
    else:
        canvas.click(position={"x": side / 2, "y": side / 2})
    count(page, 1)
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + side / 6, box["y"] + side / 6)
    page.mouse.down()
    page.mouse.move(box["x"] + side / 2, box["y"] + side / 6, steps=7)
    page.mouse.up()
    expect(page.locator(f"{PAD} .point-count")).to_have_text(re.compile(r"^2\d points"))
    first, *stroke = points = read_points(link_of(page))
    assert first == pytest.approx((0, 0), abs=0.05)
    assert stroke[0] == pytest.approx((-2, 2), abs=0.05)
    gaps = [b[0] - a[0] for a, b in zip(stroke, stroke[1:], strict=False)]
    assert all(gap == pytest.approx(0.1, abs=0.015) for gap in gaps)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.reload()
    count(page, len(points))
    page.locator("#gan-lab-run-go").click()
    expect(page.locator("#gan-lab .lab-verdict")).not_to_be_empty()
    expect(page.locator("#gan-lab .lab-note").first).to_contain_text(f"drawn, {len(points)} points")


def test_points_are_drawn_by_keys_and_taken_back(visit, address):
    page = visit(f"{address}&lab.data=drawn", **WIDE)
    canvas = page.locator(f"{PAD} canvas")
    canvas.focus()
    page.keyboard.press(" ")
    for key in ("ArrowRight", "ArrowUp", " "):
        page.keyboard.press(key)
    count(page, 2)
    (x, y), (right, up) = read_points(link_of(page))
    assert (x, y) == (0, 0) and right > 0.05 and up > 0.05
    page.get_by_role("button", name="Undo").click()
    count(page, 1)
    page.get_by_role("button", name="Clear").click()
    count(page, 0)
    page.get_by_role("button", name="Undo").click()  # a slip of the hand
    count(page, 1)


def test_shapes_are_begun_with_and_a_thousand_points_are_the_most(visit, address):
    page = visit(f"{address}&lab.data=drawn", **WIDE)
    met = set()
    for shape in ("Heart", "Star", "Smile"):
        page.locator(PAD).get_by_role("button", name=shape).click()
        points = read_points(link_of(page))
        assert len(points) > 100
        met.add(points)
    assert len(met) == 3
    full = write_points([(0.0, 0.0)] * 1000)
    page = visit(f"{address}&lab.data=drawn&lab.points={full}", **WIDE)
    count(page, 1000)
    page.locator(f"{PAD} canvas").click()
    expect(page.locator(f"{PAD} .point-count")).to_have_text("1,000 points, the most there can be")


def test_a_link_with_another_text_is_a_message(visit, address):
    page = visit(f"{address}&lab.data=drawn&lab.points=AAAA", **WIDE)
    expect(page.get_by_text("points='AAAA': draw them, or write three of")).to_be_visible()
    count(page, 0)
