"""The browser of the tests. `python tests/chromium.py` succeeds where it starts."""

from __future__ import annotations

import shutil

from playwright.sync_api import Browser, Playwright, sync_playwright

QUIET = [
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxFullPopup",
    "AimEnabled",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
]
"""Parts of the browser nobody needs here. A whole Chromium builds the list under its address bar as
a web page of its own for every window: 2 of the 5 seconds of computing that a visit took. The
others are what playwright turns off, for the last list is the one that counts."""
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    f"--disable-features={','.join(QUIET)}",
]


EXECUTABLE = shutil.which("chromium") or shutil.which("google-chrome")
"""The system's Chromium where there is one; None: the one playwright installed."""


def launch(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=EXECUTABLE, args=OPTIONS)


if __name__ == "__main__":
    with sync_playwright() as started:
        launch(started).close()
