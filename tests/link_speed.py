"""How long a link takes to its pictures: python tests/link_speed.py [--times 5]

Beside it the same page to its example, and the run alone, as the page says: medians, in turn. Only
short runs begin by themselves, see demos/page/runs.js.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from statistics import median

from playwright.sync_api import BrowserContext, TimeoutError, sync_playwright

from chromium import launch
from conftest import ROOT, running_app

sys.path.insert(0, str(ROOT))
from demos.page.panel import Panel
from demos.page.tab import discover

EXAMPLE = "document.querySelector('#{0} .card-source')?.textContent.startsWith('Example')"
DONE = "document.querySelector('#{0}-run .run-said')?.textContent.startsWith('Done')"
PATIENCE_MS = 20_000
FIRST_SEED = 100


def opened(context: BrowserContext, address: str, condition: str) -> tuple[float, str]:
    """Seconds until the condition is true of a new page, and what its line says then; raises
    playwright's TimeoutError."""
    page = context.new_page()
    began = time.perf_counter()
    page.goto(address)
    page.wait_for_function(condition, timeout=PATIENCE_MS)
    took = time.perf_counter() - began
    said = page.locator(".run-said").locator("visible=true").first.text_content()
    page.wait_for_timeout(300)  # the page is left in peace
    page.close()
    return took, said


def measured(context: BrowserContext, address: str, panel: Panel, times: int) -> str:
    """What is printed of a panel."""
    page = f"{address}?tab={panel.tab}&panel={panel.id}"
    opened(context, page, EXAMPLE.format(panel.name))  # the browser has its files from now on
    examples, links, runs = [], [], []
    for seed in range(FIRST_SEED, FIRST_SEED + times):
        examples.append(opened(context, page, EXAMPLE.format(panel.name))[0])
        link = f"{page}&{panel.id}.seed={seed}"
        took, said = opened(context, link, DONE.format(panel.name))
        links.append(took)
        runs.append(float(re.search(r"[\d.]+", said)[0]))
    example, link, run = map(median, (examples, links, runs))
    return f"example {example:.2f} s, link to pictures {link:.2f} s, run {run:.1f} s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    times = parser.parse_args().times
    panels = [
        panel
        for tab in discover()
        for panel in tab.panels
        if panel.here
        and panel.screen
        and panel.button
        and any(getattr(knob, "name", "") == "seed" for knob in panel.knobs)
    ]
    with running_app() as address, sync_playwright() as playwright:
        browser = launch(playwright)
        for panel in panels:
            context = browser.new_context(viewport={"width": 1280, "height": 720})
            try:
                print(f"{panel.name}: {measured(context, address, panel, times)}", flush=True)
            except TimeoutError:
                print(f"{panel.name}: its run is too long to begin by itself", flush=True)
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
