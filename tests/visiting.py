"""A browser for the tests: pages that are watched, and what is kept of them when a test fails."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Response,
    sync_playwright,
)

from chromium import launch

RESULTS = Path(__file__).resolve().parent.parent / "test-results"
"""Of the last run's failures, a folder for each test."""
LOCAL = ("http://127.0.0.1", "http://localhost", "ws://127.0.0.1", "data:", "blob:")


class Visits:
    """The pages that one test opens, what their console says, and what is wrong with them."""

    def __init__(self, browser: Browser, results: Path = RESULTS) -> None:
        self.browser, self.results = browser, results
        self.contexts: list[BrowserContext] = []
        self.console: list[str] = []
        self.problems: list[str] = []
        self.kept: Path | None = None

    def open(self, address: str, **options: object) -> Page:
        context = self.browser.new_context(accept_downloads=True, **options)
        self.contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self._problem(f"page error: {error}"))
        page.on("request", lambda request: self._check_host(request.url))
        page.on("response", self._check_answer)
        page.goto(address)
        return page

    def close(self) -> None:
        for context in self.contexts:
            context.close()

    def keep(self, name: str) -> None:
        """Writes a screenshot of each open page, and the console, into a folder of the test's."""
        if self.kept or not self.contexts:
            return
        self.kept = self.results / re.sub(r"[^\w.-]+", "-", name).strip("-")[:120]
        shutil.rmtree(self.kept, ignore_errors=True)
        self.kept.mkdir(parents=True)
        pages = [page for context in self.contexts for page in context.pages]
        for number, page in enumerate(pages, 1):
            self.console.append(f"page {number}: {page.url}")
            try:
                page.screenshot(path=self.kept / f"page-{number}.png", full_page=True, timeout=9000)
            except Error as error:  # a page that crashed must not hide why the test failed
                self.console.append(f"page {number} gave no screenshot: {error}")
        (self.kept / "console.txt").write_text("\n".join(self.console) + "\n", encoding="utf-8")

    def _problem(self, text: str) -> None:
        self.console.append(text)
        self.problems.append(text)

    def _on_console(self, message: ConsoleMessage) -> None:
        self.console.append(f"{message.type}: {message.text}")
        if message.type == "error":
            self.problems.append(message.text)

    def _check_host(self, url: str) -> None:
        if not url.startswith(LOCAL):
            self._problem(f"a request to another host: {url}")

    def _check_answer(self, response: Response) -> None:
        """What the console only calls a failure to load: which request it was, what it sent."""
        if response.status >= 400:
            asked = response.request
            said = f"{response.status}: {asked.method} {asked.url} {asked.post_data}"
            self._problem(said[:500])


VISITS = pytest.StashKey[Visits]()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Page]]:
    """visit(address, **context options) -> Page. At the end of the test: nothing in the console,
    no request to any other host."""
    visits = request.node.stash[VISITS] = Visits(chromium)
    yield visits.open
    if visits.problems:
        visits.keep(_name(request.node))
    visits.close()
    assert visits.problems == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A failed test's report names the folder with its pages, which are still open here."""
    report = yield
    visits = item.stash.get(VISITS, None)
    if visits and report.failed:
        if report.when == "call":
            visits.keep(_name(item))
        if visits.kept:
            report.sections.append(("the pages, as they were", str(visits.kept)))
    return report


def pytest_sessionstart(session: pytest.Session) -> None:
    """Nobody shall look at a picture of an earlier run."""
    if not hasattr(session.config, "workerinput"):
        shutil.rmtree(RESULTS, ignore_errors=True)


def _name(item: pytest.Item) -> str:
    return f"{item.path.stem}.{item.name}"
