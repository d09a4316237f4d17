"""Every panel as it looks: contact sheets of screenshots, to be judged by eye.

python tests/sheet.py [--out FOLDER] [--tab ID ...]

Starts the app, opens each panel at three sizes, light and dark, and writes a picture for each size
and theme; one column of it is a screen high.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Browser, Page, expect, sync_playwright

from chromium import launch
from conftest import ROOT, running_app

sys.path.insert(0, str(ROOT))
from demos.page.tab import Tab, discover

SIZES = {"1440": (1440, 900), "1280": (1280, 720), "390": (390, 844)}
THEMES = ("light", "dark")
COLUMNS = {"1440": 4, "1280": 4, "390": 8}
WIDTH, TITLE = 2400, 22
"""Of a sheet, and the height of a panel's name; pixels."""
QUIET_MS = 1200
"""After a panel's result is there: pictures that are still decoded."""


def panels(page: Page, tabs: Sequence[Tab]) -> Iterator[str]:
    """Opens one panel after the other; yields the name of each once it shows something."""
    for tab in tabs:
        for panel in tab.panels:
            if not panel.here:
                continue
            page.evaluate("([tab, panel]) => noiseToDataAddress.go(tab, panel)", [tab.id, panel.id])
            body = page.locator(f"#tab-{tab.id} .lead").locator("visible=true")
            expect(body.first).to_be_visible()
            page.wait_for_timeout(QUIET_MS)
            page.evaluate("scrollTo(0, 0)")
            yield panel.name


def shots(browser: Browser, address: str, size: str, theme: str, tabs: Sequence[Tab]) -> dict:
    """Panel -> its first screen."""
    width, height = SIZES[size]
    viewport = {"width": width, "height": height}
    page = browser.new_page(viewport=viewport, color_scheme=theme, reduced_motion="reduce")
    page.set_default_timeout(60_000)
    page.goto(address)
    expect(page.get_by_role("tab", name="Overview")).to_be_visible()
    taken = {name: page.screenshot() for name in panels(page, tabs)}
    page.close()
    return {name: Image.open(io.BytesIO(data)).convert("RGB") for name, data in taken.items()}


def sheet(pictures: dict[str, Image.Image], columns: int) -> Image.Image:
    """The pictures side by side, each under its name."""
    first = next(iter(pictures.values()))
    width = WIDTH // columns
    height = round(width * first.height / first.width) + TITLE
    rows = -(-len(pictures) // columns)
    paper = Image.new("RGB", (WIDTH, rows * height), "#888")
    pen, font = ImageDraw.Draw(paper), ImageFont.load_default(14)
    for i, (name, picture) in enumerate(pictures.items()):
        left, top = (i % columns) * width, (i // columns) * height
        pen.text((left + 6, top + 2), name, "white", font)
        small = picture.resize((width - 8, height - TITLE - 8), Image.Resampling.LANCZOS)
        paper.paste(small, (left + 4, top + TITLE))
    return paper


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "test-results" / "sheet")
    parser.add_argument("--tab", action="append", choices=[tab.id for tab in discover()])
    args = parser.parse_args()
    tabs = [tab for tab in discover() if not args.tab or tab.id in args.tab]
    args.out.mkdir(parents=True, exist_ok=True)
    with running_app() as address, sync_playwright() as playwright:
        browser = launch(playwright)
        for size in SIZES:
            for theme in THEMES:
                taken = shots(browser, address, size, theme, tabs)
                path = args.out / f"{size}-{theme}.png"
                sheet(taken, COLUMNS[size]).save(path)
                print(f"{path}: {len(taken)} panels", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
