"""What the tests rely on: being alone where time is measured, and pictures of what failed."""

from __future__ import annotations

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from PIL import Image

import chromium
import workers
from visiting import Visits


@pytest.fixture
def elsewhere(tmp_path, monkeypatch) -> None:
    """As in a worker, but with locks that no other test holds."""
    monkeypatch.setenv(workers.WORKER, "gw0")
    for module in (workers, chromium):
        path = tmp_path / module.__name__
        path.touch()
        monkeypatch.setattr(module, "__file__", str(path))


def began(alone: bool) -> tuple[threading.Thread, threading.Event]:
    """Another worker, at its test as soon as the event is set."""
    entered = threading.Event()

    def other() -> None:
        with workers.turn(alone=alone):
            entered.set()

    thread = threading.Thread(target=other)
    thread.start()
    return thread, entered


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize(("here", "there"), [(False, True), (True, False), (True, True)])
def test_who_measures_time_is_alone(here, there):
    with workers.turn(alone=here):
        thread, entered = began(there)
        assert not entered.wait(0.2)
    assert entered.wait(10)
    thread.join(10)


@pytest.mark.usefixtures("elsewhere")
def test_the_others_run_side_by_side():
    with workers.turn(alone=False):
        thread, entered = began(alone=False)
        assert entered.wait(10)
    thread.join(10)


@pytest.fixture
def plain_address(tmp_path):
    """A server of an empty folder."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


KEPT = """() => [localStorage.length, sessionStorage.length, document.cookie, innerWidth,
    matchMedia('(prefers-color-scheme: dark)').matches,
    matchMedia('(prefers-reduced-motion)').matches]"""


@pytest.mark.browser
def test_a_page_that_is_used_again_remembers_nothing(pages, tmp_path, plain_address):
    first, second = Visits(pages, tmp_path), Visits(pages, tmp_path)
    phone = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}
    page = first.open(plain_address, reduced_motion="reduce", **phone)
    page.evaluate("localStorage.a = sessionStorage.b = 1; document.cookie = 'c=1'")
    assert page.evaluate(KEPT) == [1, 1, "c=1", 390, True, True]
    first.close()
    again = second.open(plain_address)
    assert again is page and again.evaluate(KEPT) == [0, 0, "", 1280, False, False]
    again.evaluate("console.error('mine')")
    second.close()
    assert "mine" in second.problems and "mine" not in first.problems


@pytest.mark.browser
def test_a_page_that_failed_leaves_its_picture_and_what_its_console_said(pages, tmp_path):
    visits = Visits(pages, tmp_path)
    visits.open("data:text/html,<h1>Hello</h1><script>console.error('broken')</script>")
    visits.open("data:text/html,<body style='background:rgb(9,8,7)'>", color_scheme="dark")
    visits.keep("test_a.test_b[c/d]")
    visits.close()
    assert visits.kept == tmp_path / "test_a.test_b-c-d" and visits.problems == ["broken"]
    assert "error: broken" in (visits.kept / "console.txt").read_text(encoding="utf-8")
    first, second = (Image.open(visits.kept / f"page-{k}.png").convert("RGB") for k in (1, 2))
    assert first.getpixel((0, 0)) == (255, 255, 255) and second.getpixel((0, 0)) == (9, 8, 7)
