"""The browser of the tests. `python tests/chromium.py` succeeds where it starts."""

from __future__ import annotations

import shutil

from playwright.sync_api import Browser, Playwright, sync_playwright

OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def launch(playwright: Playwright) -> Browser:
    """The system's Chromium where there is one, else the one playwright installed."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    return playwright.chromium.launch(executable_path=found, args=OPTIONS)


if __name__ == "__main__":
    with sync_playwright() as started:
        launch(started).close()
