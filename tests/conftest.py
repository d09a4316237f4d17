"""What the tests of the screen share: a running app, a browser, a page that is watched."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Browser, Locator, Page, Response, expect, sync_playwright

from chromium import launch

ROOT = Path(__file__).resolve().parent.parent
expect.set_options(timeout=60_000)  # a busy machine is no failure
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Quick ones first: what needs a browser comes last."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of weights with an untrained text-to-image pipeline; nobody may change it."""
    from emoji_pipeline import tiny_pipeline  # heavy, and not for all tests

    with pytest.MonkeyPatch.context() as patch:
        return tiny_pipeline(tmp_path_factory.mktemp("weights"), patch).parent


@pytest.fixture(scope="session")
def emoji_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """runs/ with untrained parts, weights/ with the pipeline made of them, which can search twenty
    concepts, and data/ with drawn emoji; nobody may change them."""
    from emoji_fixtures import few_emoji, write_emoji
    from emoji_pipeline import tiny_pipeline
    from gen_core.text_to_image.card import NAME

    home = tmp_path_factory.mktemp("emoji")
    (home / "weights").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        tiny_pipeline(home, patch, few_emoji()).rename(home / "weights" / NAME)
    write_emoji(home / "data")
    return home


@pytest.fixture(scope="session")
def emoji_weights(emoji_home: Path) -> Path:
    """The folder of that pipeline."""
    return next((emoji_home / "weights").iterdir())


@pytest.fixture
def own_weights(emoji_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, to be changed."""
    shutil.copytree(emoji_home / "weights", tmp_path / "weights")
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path / "weights"))
    return next((tmp_path / "weights").iterdir())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Served(str):
    """The address of an app that runs in a process of its own."""

    pid: int

    def peak_memory(self) -> int:
        """Bytes; 0 where the system does not tell."""
        with contextlib.suppress(OSError), open(f"/proc/{self.pid}/status") as lines:
            return 1024 * next(int(li.split()[1]) for li in lines if li.startswith("VmHWM"))
        return 0


@contextlib.contextmanager
def running_app(command: Sequence[str] = ("app.py",), **environment: str) -> Iterator[Served]:
    """`python app.py` in a process of its own; yields its address once it answers."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, *command, "--port", str(port), "--device", "cpu"],
        cwd=ROOT, env=os.environ | environment,
    )  # fmt: skip
    address = Served(f"http://127.0.0.1:{port}")
    address.pid = process.pid
    try:
        wait_until(lambda: _answers(address, process), 120)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def _answers(address: str, process: subprocess.Popen) -> bool:
    if process.poll() is not None:
        raise RuntimeError(f"the app ended with exit code {process.returncode}")
    with contextlib.suppress(OSError):
        return urllib.request.urlopen(address, timeout=5).status == 200
    return False


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    """Asks again and again; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{condition} did not come true in {seconds:g} s")
        time.sleep(0.1)


@pytest.fixture(scope="session")
def app_address() -> Iterator[Served]:
    """The app that all tests of the screen share."""
    with running_app() as address:
        yield address


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """visit(address, **context options) -> Page. At the end of the test: nothing in the console,
    no request to any other host."""
    problems: list[str] = []
    contexts = []

    def open_page(address: str, **options: object) -> Page:
        context = chromium.new_context(accept_downloads=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(f"page error: {error}"))
        page.on("request", lambda request: _check_host(request.url, problems))
        page.on("response", lambda response: _check_answer(response, problems))
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


def _check_host(url: str, problems: list[str]) -> None:
    if not url.startswith(
        ("http://127.0.0.1", "http://localhost", "ws://127.0.0.1", "data:", "blob:")
    ):
        problems.append(f"a request to another host: {url}")


def _check_answer(response: Response, problems: list[str]) -> None:
    """What the console only calls a failure to load: which request it was, and what it sent."""
    if response.status >= 400:
        asked = response.request
        problems.append(f"{response.status}: {asked.method} {asked.url} {asked.post_data}"[:500])


@pytest.fixture(autouse=True)
def _few_threads() -> None:
    """Two threads at most: results are the same, and machines with many cores stay friendly."""
    torch.set_num_threads(min(2, torch.get_num_threads()))


def dragged(page: Page, pad: Locator, *points: tuple[float, float]) -> None:
    """Draws with the mouse through points given as shares of the pad's paper."""
    paper = pad.locator(".drawing-paper")
    paper.scroll_into_view_if_needed()
    box = paper.bounding_box()
    places = [(box["x"] + u * box["width"], box["y"] + v * box["height"]) for u, v in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=4)
    page.mouse.up()
