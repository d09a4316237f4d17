"""A browser for the tests: pages that are watched, and what is kept of them when a test fails."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Error,
    Page,
    Request,
    Response,
    Route,
    TimeoutError,
    sync_playwright,
)

from chromium import launch

RESULTS = Path(__file__).resolve().parent.parent / "test-results"
"""Of the last run's failures, a folder for each test."""
LOCAL = ("http://127.0.0.1", "http://localhost", "ws://127.0.0.1", "data:", "blob:")
USUAL = {
    "viewport": {"width": 1280, "height": 720},
    "color_scheme": "light",
    "reduced_motion": "no-preference",
}
"""What a page can be told at any time; other options need a context made with them."""


class Pages:
    """Pages that one test after the other visits, each in a context of its own. They hold the app's
    scripts, read and compiled: a visit takes a third of the computing that it takes in a new page.
    """

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.free: list[Page] = []
        self.lent: set[Page] = set()

    def take(self, options: dict[str, Any]) -> Page:
        if options.keys() - USUAL.keys():
            return self.browser.new_context(**options).new_page()
        page = self.free.pop() if self.free else self.browser.new_context().new_page()
        self.lent.add(page)
        told = USUAL | options
        page.set_viewport_size(told.pop("viewport"))
        page.emulate_media(**told)
        return page

    def give_back(self, page: Page, sound: bool) -> None:
        """Leaves nothing of a visit for the next; closes a page that cannot be used again."""
        if page not in self.lent or page.is_closed() or not sound:
            page.context.close()
            return
        self.lent.remove(page)
        page.unroute_all(behavior="ignoreErrors")
        page.evaluate("try { localStorage.clear(); sessionStorage.clear() } catch {}")
        page.context.clear_cookies()
        page.goto("about:blank")
        page.mouse.move(0, 0)
        self.free.append(page)


def upload(page: Page, tab: str, file: Path) -> None:
    """Puts a file into a tab's field; again where Gradio, which loads the field's parts one after
    another, built it anew and forgot the file: no hand is as fast."""
    field = page.locator(f"#tab-{tab} input[type=file]").first
    field.wait_for(state="attached")
    for patience in (10_000, 20_000, 60_000):
        if field.count():  # gone once it holds a file
            field.set_input_files(file)
        with contextlib.suppress(TimeoutError):
            page.get_by_text(file.stem).first.wait_for(timeout=patience)
            return
    raise AssertionError(f"{file.name} is not shown")


class Held:
    """The questions of a page's widgets by one name, which wait until they are let go."""

    WIDGETS = "**/component_server/**"

    def __init__(self, page: Page, name: str) -> None:
        self.page, self.name = page, name
        self.asked: list[Route] = []
        self.free = False
        page.route(self.WIDGETS, self._hold)

    def _hold(self, route: Route) -> None:
        if not self.free and f'"{self.name}"' in (route.request.post_data or ""):
            self.asked.append(route)
        else:
            route.continue_()

    def let_go(self, count: int) -> None:
        """Once so many have been asked; the last is answered first."""
        while len(self.asked) < count:
            self.page.wait_for_timeout(20)  # in which the browser's events are seen
        self.free = True
        for route in reversed(self.asked):
            with self.page.expect_response(route.request.url):
                route.continue_()


class Visits:
    """The pages that one test opens, what their console says, and what is wrong with them."""

    def __init__(self, pages: Pages, results: Path = RESULTS) -> None:
        self.pages, self.results = pages, results
        self.opened: list[Page] = []
        self.console: list[str] = []
        self.problems: list[str] = []
        self.kept: Path | None = None
        self.watched = {
            "console": self._on_console,
            "pageerror": self._on_error,
            "request": self._check_host,
            "response": self._check_answer,
        }

    def open(self, address: str, **options: Any) -> Page:
        page = self.pages.take(options)
        self.opened.append(page)
        page.set_default_timeout(60_000)
        for event, told in self.watched.items():
            page.on(event, told)
        page.goto(address)
        return page

    def close(self) -> None:
        for page in self.opened:
            for event, told in self.watched.items():
                page.remove_listener(event, told)
            self.pages.give_back(page, sound=not self.kept)

    def keep(self, name: str) -> None:
        """Writes a screenshot of each open page, and the console, into a folder of the test's."""
        if self.kept or not self.opened:
            return
        self.kept = self.results / re.sub(r"[^\w.-]+", "-", name).strip("-")[:120]
        shutil.rmtree(self.kept, ignore_errors=True)
        self.kept.mkdir(parents=True)
        pages = [page for opened in self.opened for page in opened.context.pages]
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

    def _on_error(self, error: Error) -> None:
        self._problem(f"page error: {error}")

    def _check_host(self, request: Request) -> None:
        if not request.url.startswith(LOCAL):
            self._problem(f"a request to another host: {request.url}")

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


@pytest.fixture(scope="session")
def pages(chromium: Browser) -> Pages:
    return Pages(chromium)


@pytest.fixture
def visit(pages: Pages, request: pytest.FixtureRequest) -> Iterator[Callable[..., Page]]:
    """visit(address, **context options) -> Page, as if it were new. At the end of the test: nothing
    in the console, no request to any other host."""
    visits = request.node.stash[VISITS] = Visits(pages)
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
