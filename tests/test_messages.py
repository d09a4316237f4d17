"""What a run tells the page: everything that shows something, and little else; each message costs
the page some work, on a small machine the same cores that compute."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr
import pytest

import shell_page
from conftest import answer_of, told_by
from demos.page import shell
from demos.page.handlers import CROWDED_GAP, MIN_UPDATE_GAP, App
from gen_core.progress import Progress

STEP = 0.01
"""Seconds of a step."""


def messages(app: App, work: Callable[[], Iterator[Any]], **progress: Any) -> list[Any]:
    """What Gradio is given to send while `work` runs."""
    given = []
    app.on(lambda fn, *_, **__: given.append(fn), work, None, [], api_name="work")
    return told_by(given[0], **progress)


@pytest.mark.parametrize(
    "news", [Progress("Step", 1, 9), gr.skip()], ids=["progress", "a turn for others"]
)
def test_what_shows_nothing_is_told_once_in_a_beat(news):
    def work() -> Iterator[Any]:
        for step in range(60):
            yield f"picture {step}" if step % 20 == 0 else news
            time.sleep(STEP)

    began, said = time.perf_counter(), []
    told = messages(App("cpu"), work, progress=lambda _, desc: said.append(desc))
    pictures = [piece for piece in told if isinstance(piece, str)]
    assert pictures == ["picture 0", "picture 20", "picture 40"]
    assert len(told) - 3 == len(said) <= (time.perf_counter() - began) / MIN_UPDATE_GAP + 1
    assert set(said) == ({"Step 1 of 9"} if isinstance(news, Progress) else set())


def test_while_others_wait_a_run_tells_little_and_its_end_at_once():
    app, ended = App("cpu"), threading.Event()

    def work() -> Iterator[Any]:
        for step in range(100):
            yield f"picture {step}"
            time.sleep(STEP)

    other = app.engine.submit(lambda: ended.wait(30), outside=True)
    began, said = time.perf_counter(), []
    told = messages(app, work, progress=lambda _, desc: said.append(desc))
    ended.set()
    other.result()
    assert told[-1] == "picture 99" and len(told) <= (time.perf_counter() - began) / CROWDED_GAP + 2


def test_who_waits_is_told_for_how_many_and_how_long():
    app, free = App("cpu"), threading.Event()

    def others() -> Iterator[Any]:
        yield "a preview"
        yield Progress("Step", 1, 4)
        while not free.is_set():
            yield gr.skip()

    other, said = app.engine.submit(others, kind="short"), []
    next(iter(other))  # it has begun
    app.engine._expected["work"] = 60.0  # as it was seen to take

    def work() -> Iterator[Any]:
        free.set()
        yield "picture"

    assert messages(app, work, progress=lambda _, desc: said.append(desc)) == ["picture"]
    assert re.fullmatch(r"Waiting: 1 before you, about 6\d s", said[0])


def test_another_visitors_slider_gets_its_turn_where_nothing_is_told():
    app, answered = App("cpu"), threading.Event()

    def work() -> Iterator[Any]:
        while not answered.is_set():
            yield gr.skip()

    slider = threading.Thread(target=lambda: (answer_of(app.serve(lambda: 1)), answered.set()))
    slider.start()
    assert not messages(app, work)
    slider.join(10)


def test_restoring_a_link_leaves_one_component_busy():
    """Gradio tells all of them of every message of every later run."""
    page = shell.build_page(App("cpu"), shell_page.TABS)
    restore = next(d for d in page.config["dependencies"] if d["api_name"] == "restore")
    assert len(restore["outputs"]) > 8 and len(restore["show_progress_on"]) == 1
