"""What many tests share: a running app, untrained pipelines, a hand that draws."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

pytest_plugins = ["engine_fixtures", "field", "properties", "visiting", "workers"]

ROOT = Path(__file__).resolve().parent.parent
expect.set_options(timeout=60_000)  # a busy machine is no failure
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
# Before torch is imported, here or in a process that a test starts: tiny tensors, several workers.
os.environ.setdefault("OMP_NUM_THREADS", "1")


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
    from gen_core.families.text_to_image.folder import NAME

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
def running_app(
    command: Sequence[str] = ("app.py",),
    device: str = "cpu",
    before: Sequence[str] = (),
    cwd: Path = ROOT,
    **environment: str,
) -> Iterator[Served]:
    """`python app.py` in a process of its own; yields its address once it answers. before: the
    program that starts it, with its arguments."""
    port = free_port()
    process = subprocess.Popen(
        [*before, sys.executable, *command, "--port", str(port), "--device", device],
        cwd=cwd,
        env=os.environ | environment,
    )
    address = Served(f"http://127.0.0.1:{port}")
    address.pid = process.pid
    try:
        wait_until(lambda: _answers(address, process), 240)
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


def awaited(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Its result, from an event loop in a thread of its own: this one may have Playwright's."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def answer_of(served: Callable, *request: Any) -> Any:
    """What a widget is answered by one of its server functions."""
    return awaited(served(*request))


def told_by(
    handler: Callable, *values: Any, progress: Callable = lambda *_, **__: None
) -> list[Any]:
    """All that an event's handler gives Gradio to send, from beginning to end."""

    async def told() -> list[Any]:
        return [piece async for piece in handler(*values, progress)]

    return awaited(told())


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
