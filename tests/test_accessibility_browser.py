"""Every panel, for those who use it by keys, by ear, or with a hand that is not steady: WCAG 2.2 AA
as axe-core checks it, in light and dark."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Locator, Page, expect

from conftest import wait_until
from demos.page.panel import Panel
from demos.page.tab import Tab, discover

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]
TABS = pytest.mark.parametrize("tab", discover(), ids=lambda tab: tab.id)
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
EXCEPTIONS: dict[tuple[str, str], str] = {}
"""(rule, selector of an element of Gradio's) -> why neither CSS nor JavaScript can mend it."""
CHECK = """async ([standards, exceptions]) => {
  const found = await axe.run(document, {
    runOnly: { type: "tag", values: standards }, resultTypes: ["violations"],
  });
  const excepted = (id, { target }) => exceptions.some(([rule, selector]) =>
    rule === id && document.querySelector(target.flat().at(-1))?.matches(selector));
  return found.violations.flatMap(({ id, help, nodes }) => nodes
    .filter((node) => !excepted(id, node))
    .map(({ html, any, all, none }) => [
      `${id}: ${help}`, html.slice(0, 140), [...any, ...all, ...none][0]?.message ?? "",
    ]));
}"""
SETTLED = """() => [...document.images].every((image) => image.complete)
  && [...document.querySelectorAll(".label-wrap.open")].every((b) => b.ariaExpanded === "true")
  && document.getAnimations().every((one) => one.playState === "finished")"""
CONTROLS = {"button", "checkbox", "combobox", "radio", "slider", "spinbutton", "textbox"}
GROUPS = {"group", "radiogroup", "region", "figure", "table"}
HEADINGS = """() => [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")]
  .filter((node) => node.checkVisibility())
  .map((node) => [Number(node.tagName[1]), node.textContent.trim()])"""


def panels(page: Page, tab: Tab) -> Iterator[Panel]:
    """The panels of a tab, one after the other, with all that each can show in sight: its example,
    advanced controls, explanations, code."""
    place = page.locator(f"#tab-{tab.id}")
    for panel in tab.panels:
        if not panel.here:
            continue
        page.evaluate("([tab, panel]) => noiseToDataAddress.go(tab, panel)", [tab.id, panel.id])
        shown = f"#{panel.name}, .ov-row, .card-full, .card[data-shown]"
        if panel.example is None:
            shown += ", .depths"
        expect(place.locator(shown).locator("visible=true").first).to_be_visible()
        switch = page.locator(f"#{tab.id}-advanced input")
        if switch.is_visible():
            switch.check()
        closed = place.locator("button.label-wrap:not(.open)").locator("visible=true")
        while closed.count():
            closed.first.click()
        page.wait_for_function(SETTLED)
        yield panel


def opened(chromium: Browser, address: str, theme: str) -> Page:
    page = chromium.new_page(color_scheme=theme, reduced_motion="reduce")
    page.set_default_timeout(60_000)
    page.goto(address)
    expect(page.get_by_role("tab", name="Overview")).to_be_visible()
    return page


@pytest.fixture(params=["light", "dark"])
def checked(request, chromium: Browser, app_address: str) -> Iterator[Page]:
    """In a theme, with axe."""
    page = opened(chromium, app_address, request.param)
    page.evaluate(AXE_SCRIPT)
    yield page
    page.close()


@pytest.fixture
def page(chromium: Browser, app_address: str) -> Iterator[Page]:
    page = opened(chromium, app_address, "light")
    yield page
    page.close()


def told(findings: dict[str, list[Any]]) -> str:
    """A finding once, with the panels where it is."""
    where: dict[tuple[str, ...], list[str]] = {}
    for panel, found in findings.items():
        for one in found:
            where.setdefault(tuple(one), []).append(panel)
    lines = ["\n  ".join([*one, "in " + ", ".join({*there})]) for one, there in where.items()]
    return "\n".join(["", *lines])


@TABS
def test_axe_finds_nothing_in_any_panel(checked, tab):
    assert len(EXCEPTIONS) <= 5
    asked = [STANDARDS, [*EXCEPTIONS]]
    findings = {panel.name: checked.evaluate(CHECK, asked) for panel in panels(checked, tab)}
    assert findings and not any(findings.values()), told(findings)


def test_axe_finds_nothing_in_a_result_that_other_settings_made(checked, app_address):
    checked.goto(f"{app_address}?tab=diffusion&panel=generate&generate.steps=900")
    expect(checked.locator(".stale .run-said")).to_contain_text("Press Generate")
    checked.wait_for_function(SETTLED)
    checked.evaluate(AXE_SCRIPT)
    found = checked.evaluate(CHECK, [STANDARDS, [*EXCEPTIONS]])
    assert not found, told({"diffusion-generate": found})


@TABS
def test_no_two_controls_of_a_panel_share_a_name(page, tab):
    """A control's name is that of its groups and its own."""
    place = page.locator(f"#tab-{tab.id}")
    for panel in panels(page, tab):
        wait_until(lambda: not twice(place), 10)  # names are given soon after an element is there
        assert not twice(place), panel.name


def twice(place: Locator) -> set[tuple[str, ...]]:
    names = [*controls_of(place.aria_snapshot())]
    assert names
    return {name for name in names if names.count(name) > 1}


def controls_of(tree: str) -> Iterator[tuple[str, ...]]:
    """The controls of an accessibility tree as playwright writes it, with their groups."""
    groups: list[tuple[int, str]] = []
    for indent, role, name in re.findall(
        r"""^( *)- '?(\w+)(?: ("[^"]*"|/.*/))?""", tree, re.MULTILINE
    ):
        while groups and groups[-1][0] >= len(indent):
            groups.pop()
        if role in CONTROLS:
            yield (*(group for _, group in groups), role, name)
        elif role in GROUPS and name:
            groups.append((len(indent), name))


@TABS
def test_each_panel_has_a_heading_that_names_it_and_skips_no_level(page, tab):
    for panel in panels(page, tab):
        levels, texts = zip(*page.evaluate(HEADINGS), strict=True)
        assert [text for level, text in zip(levels, texts, strict=True) if level < 3] == [
            "Noise to Data",
            panel.title,
        ]
        steps = [after - before for before, after in pairwise(levels)]
        assert levels[0] == 1 and max(steps) <= 1, (panel.name, levels)
