"""Replicas compute what the page would have computed itself, for every panel."""

from __future__ import annotations

import asyncio
import base64
import io
import pickle
import re
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from demos.cluster.replica import Replica, as_travels, unwrapped
from demos.cluster.shares import share
from demos.cluster.uploads import Sent, packed, unpacked
from demos.page.examples import example
from demos.page.handlers import App
from demos.page.image_io import as_json, values_to_json
from demos.page.shell import build_page
from demos.page.tab import declared
from demos.page.work import Line, Order
from engine_fixtures import wait_until
from gen_core.knobs import KnobError

PICTURE = re.compile(r"data:image/\w+;base64,([^\"'\s)]+)")
SHORT_SECONDS = 2.0
PANELS = [panel for tab in declared() for panel in tab.panels if panel.here and panel.models]


class Elsewhere:
    """One replica in this process; whatever goes there or comes back is pickled on its way."""

    def __init__(self) -> None:
        self.replica = Replica("cpu")
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def about(self):
        return self.replica.about()

    def fault(self):
        return ""

    def stream(self, order: Order):
        pieces = self.replica.stream(pickle.loads(pickle.dumps(packed(order))))
        come = iter(lambda: self.now(anext(pieces, None)), None)
        try:
            yield from unwrapped(pickle.loads(pickle.dumps(piece)) for piece in come)
        finally:
            self.now(pieces.aclose())

    def now(self, work):
        async def awaited():
            return await work

        return asyncio.run_coroutine_threadsafe(awaited(), self.loop).result(120)


@pytest.fixture(scope="module")
def elsewhere():
    return Elsewhere()


@pytest.fixture(scope="module")
def app(elsewhere):
    """One that has replicas, and serves a page."""
    app = App("cpu")
    build_page(app)
    app.compute_with(elsewhere)
    return app


def endpoint(panel) -> str:
    return panel.name.replace("-", "_")


def pictures(value) -> list[np.ndarray]:
    """All in what the page gets, as pixels from 0 to 255."""
    files = map(base64.b64decode, PICTURE.findall(str(value)))
    return [np.asarray(Image.open(io.BytesIO(file)).convert("RGB"), float) for file in files]


def told(value) -> list:
    """The tokens in what the page gets, wherever they stand; at least some."""
    found, left = [], [value]
    while left:
        part = left.pop()
        if isinstance(part, dict):
            found += [part["tokens"]] if "tokens" in part else []
            left += part.values()
        elif isinstance(part, list | tuple):
            left += part
    assert found
    return found


def cost(panel):
    before = example(panel.name)
    slow = before is None or before.seconds is None or before.seconds > SHORT_SECONDS
    return pytest.param(panel, id=panel.name, marks=[pytest.mark.slow] if slow else [])


@pytest.mark.parametrize("panel", map(cost, [p for p in PANELS if p.example is not None]))
def test_every_panel_draws_the_same_pictures_elsewhere(app, elsewhere, panel):
    if endpoint(panel) not in app.works:
        pytest.skip("it runs by its widget alone, or by buttons of its own")
    order = Order(endpoint(panel), "me", settings=panel.kept(app))
    one = app.submit(order, finish=as_travels).result()
    other = elsewhere.replica.app.submit(order, finish=as_travels).result()
    there, here = pictures(one), pictures(other)
    assert len(there) == len(here)
    assert there or told(one) == told(other)  # texts
    for one, other in zip(there, here, strict=True):  # rows of a pass differ with its size
        assert one.shape == other.shape and np.abs(one - other).mean() < 1


def test_the_page_names_its_works_alike_in_every_process(app, elsewhere):
    assert list(app.works) == list(elsewhere.replica.app.works)
    assert not app._models, "the page's process needs no model"


def test_a_widget_is_answered_from_elsewhere(app, elsewhere):
    name = next(name for name in app.works if name.endswith("Decoder.describe"))
    order = Order(name, args=("vae-fashion",))
    there = app.submit(order, finish=as_json).result()
    assert there == elsewhere.replica.app.submit(order, finish=as_json).result()


def test_the_page_knows_what_was_spent_elsewhere(app):
    settings = {"model": "vae-fashion", "temperature": 1.0, "count": 7, "seed": 3}
    ticket = app.submit(Order("vae_samples", settings=settings), finish=values_to_json)
    ticket.result()
    assert ticket.request.rows == 7 and ticket.request.seconds_now() > 0


def test_a_run_says_where_it_is(app):
    settings = {"steps": 30, "label": None, "count": 10, "seed": 0, "guidance_scale": 2.0}
    order = Order("flow_generate", settings=settings | {"solver": "heun"})
    lines = [p.line for p in app.submit(order, finish=values_to_json) if isinstance(p, Line)]
    assert any(re.fullmatch(r"Step \d+ of 30", line) for line in lines)


def test_an_error_of_a_visitor_keeps_its_words(app):
    settings = {"model": "vae-fashion", "temperature": -1.0, "count": 4, "seed": 0}
    with pytest.raises(KnobError, match=r"temperature=-1"):
        app.submit(Order("vae_samples", settings=settings), finish=values_to_json).result()


def test_whoever_stops_ends_the_work_elsewhere(app, elsewhere):
    settings = {"steps": 400, "label": None, "count": 10, "seed": 0, "guidance_scale": 2.0}
    order = Order("flow_generate", settings=settings | {"solver": "heun"})
    ticket = app.submit(order, finish=values_to_json)
    next(iter(ticket))
    assert elsewhere.replica.app.engine.busy == 1
    ticket.cancel()
    wait_until(lambda: elsewhere.replica.app.engine.busy == 0)


def test_uploads_go_along_though_their_names_are_alike(tmp_path):
    settings = {"seed": 3}
    for name in ("first", "second"):
        brought = tmp_path / name / "image.png"
        brought.parent.mkdir()
        brought.write_bytes(name.encode())
        settings[name] = {"path": str(brought), "meta": {"_type": "gradio.FileData"}}
    sent = packed(Order("x", settings=settings))
    assert isinstance(sent.settings["first"], Sent) and sent.settings["seed"] == 3
    there = tmp_path / "there"
    there.mkdir()
    come = unpacked(pickle.loads(pickle.dumps(sent)), there).settings
    for name in ("first", "second"):
        assert come[name]["path"].startswith(str(there))
        assert come[name]["meta"] == settings[name]["meta"]
        assert Path(come[name]["path"]).read_bytes() == name.encode()


@pytest.mark.parametrize(
    ("machines", "most", "on_gpus", "expected"),
    [
        ([{"CPU": 2}], 1, False, (2, 0)),
        ([{"CPU": 2}], 2, False, (1, 0)),
        ([{"CPU": 4}] * 4, 2, False, (4, 0)),  # each on one machine, however many there are
        ([{"CPU": 4}, {"CPU": 16}], 5, False, (4, 0)),
        ([{"CPU": 16, "GPU": 4}], 4, True, (4, 1)),
        ([{"CPU": 16, "GPU": 3}], 4, True, (4, 1 / 2)),
        ([{"CPU": 64}, {"CPU": 8, "GPU": 2}], 2, True, (4, 1)),
    ],
)
def test_replicas_share_what_fits_on_single_machines(machines, most, on_gpus, expected):
    assert share(machines, most, on_gpus) == expected


@pytest.mark.parametrize(
    ("machines", "on_gpus", "said"),
    [
        ([{"CPU": 4}, {"CPU": 2}], False, "--replicas 9: choose at most 6, for the CPUs"),
        ([{"CPU": 64, "GPU": 1}], True, "--replicas 9: choose at most 8, for the GPUs and CPUs"),
        ([{}], False, "choose at most 0"),
        ([{"CPU": 64}], True, "--device cuda: Ray has no GPU here, choose auto or cpu"),
    ],
)
def test_more_replicas_than_fit_are_refused(machines, on_gpus, said):
    with pytest.raises(KnobError, match=said):
        share(machines, 9, on_gpus)
