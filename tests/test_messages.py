"""What a run tells the page: everything that shows something, and little else; each message costs
the page some work, on a small machine the same cores that compute."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr
import pytest

import shell_page
from demos.page import handlers, shell
from demos.page.handlers import MIN_UPDATE_GAP, App
from gen_core.progress import Progress

STEP = 0.05
"""Seconds of a step, on a clock of the test's own."""


class Clock:
    """Stands for the module `time`; who waits does so at once."""

    def __init__(self) -> None:
        self.now = 0.0
        self.meanwhile: Callable[[], None] = lambda: None

    def perf_counter(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.meanwhile()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(handlers, "time", clock)
    return clock


def messages(app: App, work: Callable[[], Iterator[Any]]) -> list[Any]:
    """What Gradio is given to send while `work` runs."""
    given = []
    app.on(lambda fn, *_, **__: given.append(fn), work, None, [], api_name="work")
    return list(given[0](lambda *_, **__: None))  # in place of the progress bar


@pytest.mark.parametrize(
    "news", [Progress("Step", 1, 9), gr.skip()], ids=["progress", "a turn for others"]
)
def test_what_shows_nothing_is_told_once_in_a_beat(clock, news):
    def work() -> Iterator[Any]:
        for step in range(100):
            clock.now += STEP
            yield f"picture {step}" if step % 40 == 0 else news

    told = messages(App("cpu"), work)
    pictures = [piece for piece in told if isinstance(piece, str)]
    assert pictures == ["picture 0", "picture 40", "picture 80"]
    assert 5 < len(told) - len(pictures) <= 100 * STEP / MIN_UPDATE_GAP


def test_another_visitors_slider_gets_its_turn_where_nothing_is_told(clock):
    app, answers = App("cpu"), []
    answer = app.serve(lambda: answers.append(clock.now))

    def slide() -> None:
        other = threading.Thread(target=answer)
        other.start()
        other.join(10)

    def work() -> Iterator[Any]:
        for _ in range(8):
            clock.now += MIN_UPDATE_GAP / 10
            yield gr.skip()

    clock.meanwhile = slide
    told = messages(app, work)
    assert not told and len(answers) == 8


def test_restoring_a_link_leaves_one_component_busy():
    """Gradio tells all of them of every message of every later run."""
    page = shell.build_page(App("cpu"), shell_page.TABS)
    restore = next(d for d in page.config["dependencies"] if d["api_name"] == "restore")
    assert len(restore["outputs"]) > 8 and len(restore["show_progress_on"]) == 1
