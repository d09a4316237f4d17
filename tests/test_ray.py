"""Two replicas in Ray Serve, and what becomes of everybody's runs when one of them is killed."""

from __future__ import annotations

import base64
import io
import os
import re
import signal
import threading

import numpy as np
import pytest
from PIL import Image

from demos.page.handlers import App
from demos.page.image_io import values_to_json
from demos.page.shell import build_page
from demos.page.work import Order
from gen_core.engine import Ticket
from gen_core.knobs import KnobError

pytest.importorskip("ray", reason="Ray is not installed: pip install -r requirements-ray.txt")
from demos.cluster import ray_serve

pytestmark = pytest.mark.slow
PICTURE = re.compile(r"data:image/png;base64,([^\"'\s)]+)")
VISITORS = 40


@pytest.fixture(scope="module")
def replicas():
    started = ray_serve.start("cpu", None, (2, 2), None)
    yield started
    ray_serve.stop(started.name)


@pytest.fixture
def app(replicas):
    app = App("cpu")
    build_page(app)
    app.compute_with(replicas)
    return app


def order(seed: int) -> Order:
    """A visitor's own: every second one's sampler draws noise at each step."""
    solver = "ddpm" if seed % 2 else "dpm++2m"
    settings = {"solver": solver, "eta": 0.0, "guidance_scale": 2.0, "label": seed % 10}
    settings |= {"steps": 30, "count": 2, "seed": seed}
    return Order("diffusion_generate", f"visitor {seed}", settings=settings)


def drawn(value: dict) -> np.ndarray:
    """The last picture of a timeline as the page gets it."""
    data = base64.b64decode(PICTURE.findall(str(value))[-1])
    return np.asarray(Image.open(io.BytesIO(data)), dtype=int)


def followed(ticket: Ticket, half_way: threading.Semaphore) -> None:
    """Reads a run to its end; tells when it has shown its first pictures."""
    told = False
    for piece in ticket:
        if isinstance(piece, dict) and not told:
            half_way.release()
            told = True


def test_every_run_ends_with_its_own_pictures_though_a_replica_is_killed(app, replicas, caplog):
    tickets = [app.submit(order(seed), finish=values_to_json) for seed in range(VISITORS)]
    begun = threading.Semaphore(0)
    readers = [threading.Thread(target=followed, args=(t, begun)) for t in tickets]
    for reader in readers:
        reader.start()
    for _ in range(VISITORS // 4):
        begun.acquire()
    os.kill(replicas.about().process, signal.SIGKILL)
    for reader in readers:
        reader.join(240)
    assert all(ticket.request.ended and not ticket.request.error for ticket in tickets)
    assert "a run broke off, attempt 1" in caplog.text
    alone = App("cpu")
    build_page(alone)
    for seed, ticket in enumerate(tickets):
        expected = alone.submit(order(seed), finish=values_to_json).result()
        assert np.abs(drawn(ticket.request.value) - drawn(expected)).max() <= 3, seed


def test_stop_reaches_the_replica(app, replicas):
    ticket = app.submit(order(3), finish=values_to_json)
    next(iter(ticket))
    ticket.cancel()
    after = app.submit(order(4), finish=values_to_json)
    assert after.result() and ticket.request.cancelled


def test_it_says_whether_anybody_answers(replicas):
    assert replicas.fault() == ""
    assert ray_serve.RayReplicas(None, "nobody").fault() == "no replica is running"


def test_a_device_that_is_none_is_named():
    with pytest.raises(KnobError, match="device='abacus': choose one of auto, cpu"):
        ray_serve.start("abacus", None, (1, 1), None)
