"""A run outlives a reload of its page, and a network that fails for a while."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from conftest import free_port
from serving import page_of
from shell_page import BEGUN, TABS, hurry

pytestmark = pytest.mark.browser
GO = "Draw pictures"
STEP = re.compile(r"^Step (\d+) of (\d+)$")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with page_of(*TABS) as address:
        yield address


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    """In a context of its own, whose network can fail."""
    context = chromium.new_context()
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(f"{address}?tab=first&panel=draw")
    yield page
    context.close()


def begin(page: Page, steps: int) -> None:
    field = page.locator("#first-draw-steps input").first
    field.fill(str(steps))
    field.press("Enter")
    expect(said(page)).to_have_text(re.compile("to apply your settings$"))  # the page has taken it
    page.get_by_role("button", name=GO).click()
    expect(said(page)).to_have_text(STEP)


def said(page: Page):
    return page.locator("#first-draw-run .run-said")


def step(page: Page) -> int:
    expect(said(page)).to_have_text(STEP)
    return int(STEP.match(said(page).text_content())[1])


def test_a_run_goes_on_after_a_reload_and_is_shown_from_where_it_is(page):
    begin(page, 501)
    page.wait_for_function(
        "parseInt(document.querySelector('#first-draw-run .run-said').textContent.slice(5)) > 40"
    )
    before = step(page)
    page.reload()
    expect(page.locator("#first-draw-steps input").first).to_have_value("501")
    assert step(page) >= before
    with hurry():
        expect(page.locator("#first-note textarea")).to_have_value("501 steps, euler")
    expect(said(page)).to_have_text(re.compile("^Done in"))
    assert BEGUN.count(501) == 1


def test_a_run_of_unknown_length_that_has_ended_is_not_run_again_by_a_reload(page):
    before = BEGUN.count(32)
    begin(page, 32)
    expect(said(page)).to_have_text(re.compile("^Done in"))
    page.reload()
    expect(page.locator("#first-draw-steps input").first).to_have_value("32")
    expect(said(page)).to_have_text(f"Example. Press {GO} to apply your settings")
    assert BEGUN.count(32) == before + 1


def test_a_run_of_this_page_is_not_taken_for_one_that_was_left(page):
    """On a busy machine the link's values arrive after the first press."""
    begin(page, 121)
    page.evaluate("noiseToDataRuns.restored()")
    with hurry():
        expect(said(page)).to_have_text(re.compile("^Done in"))
    assert not page.evaluate("noiseToDataRuns.of('first-draw-run').linked")


def test_a_run_that_was_stopped_stays_stopped_after_a_reload(page):
    begin(page, 502)
    page.get_by_role("button", name="Stop").locator("visible=true").click()
    expect(said(page)).to_have_text(re.compile("^Stopped"))
    page.reload()
    expect(said(page)).to_have_text(f"Example. Press {GO} to apply your settings")
    assert BEGUN.count(502) == 1


def test_a_run_goes_on_while_the_network_fails(chromium, address):
    """The page goes through a wire that can be cut."""
    with Wire(urlsplit(address).port) as wire:
        page = chromium.new_page()
        page.goto(f"http://127.0.0.1:{wire.port}/?tab=first&panel=draw")
        begin(page, 503)
        wire.cut()
        lost = "No connection. The run goes on and is shown here as soon as it is back"
        expect(said(page)).to_have_text(lost)
        wire.mend()
        expect(said(page)).to_have_text(STEP)
        with hurry():
            expect(page.locator("#first-note textarea")).to_have_value("503 steps, euler")
        expect(said(page)).to_have_text(re.compile("^Done in"))
        assert BEGUN.count(503) == 1
        page.close()


class Wire:
    """Passes on what comes to `port`, until it is cut: then connections break off, and no new ones
    are made."""

    def __init__(self, target: int) -> None:
        self.target, self.port = target, free_port()
        self.open: list[socket.socket] = []
        self.lock = threading.Lock()
        self.mend()

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *error: object) -> None:
        self.cut()

    def mend(self) -> None:
        self.server = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=[self.server], daemon=True).start()

    def cut(self) -> None:
        with self.lock:
            for end in [self.server, *self.open]:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()
            self.open.clear()

    def _accept(self, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = server.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
                with self.lock:
                    if server.fileno() < 0:  # cut meanwhile
                        near.close()
                        far.close()
                        return
                    self.open += [near, far]
                for way in ((near, far), (far, near)):
                    threading.Thread(target=self._pass, args=way, daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
