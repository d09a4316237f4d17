"""Bigger models on ZeroGPU: Hugging Face's own package asks its host for a GPU for each call."""

from __future__ import annotations

import base64
import io
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import torch
from gradio_client import Client
from PIL import Image

from big_pipelines import SIDE, entry, tiny
from conftest import ROOT, running_app, wait_until
from demos.tabs.text_to_image import zero_gpu
from gen_core.devices import pick_device
from gen_core.hub.models import DEFAULTS, LISTED, BigModel
from gen_core.hub.pipeline import generate, opened
from gen_core.hub.worker import Cancelled, reported
from gen_core.progress import Progress

SMALL, LONG, BROKEN = "Small", "Long walk", "Broken"
TOKEN = "x.eyJ1c2VyIjogImEgdmlzaXRvciJ9.x"
"""Of a visitor: the host's proxy sends it along with every request."""


def test_there_the_small_models_stay_on_the_processor(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)  # as the package shows it
    assert pick_device("auto").type == "cuda"
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    assert pick_device("auto").type == "cpu"


def test_work_in_a_thread_is_told_as_it_goes_on_and_ends_when_nobody_listens():
    ended = threading.Event()

    def work(report) -> str:
        try:
            for step in range(1000):
                report(Progress("Drawing", step, 1000))
                answer.wait(0.01)
        except Cancelled:
            ended.set()
            raise
        return "done"

    answer = threading.Event()
    run = reported(work)
    assert [next(run).done for _ in range(3)] == [0, 1, 2]
    run.close()
    assert ended.is_set()
    assert list(reported(lambda report: "done")) == []
    with pytest.raises(ZeroDivisionError):
        list(reported(lambda report: 1 / 0))


def test_a_gpu_is_asked_for_as_long_as_the_picture_is_large(monkeypatch):
    times = {}
    for name, steps, side in (("short", 1, 512), ("long", 50, 512), ("large", 50, 1024)):
        model = BigModel(**entry(name, "someone/model", steps=steps, side=side))
        monkeypatch.setitem(zero_gpu.OPEN, name, (model, None))
        times[name] = zero_gpu.seconds(name, "a cat", {})
    assert 0 < times["short"] < times["long"] < times["large"] <= 120  # a day's quota of a guest


def test_the_page_of_the_docs_says_for_how_long_one_is_asked_for(monkeypatch):
    text = (ROOT / "docs" / "hosting.md").read_text(encoding="utf-8")
    for model in DEFAULTS:
        monkeypatch.setitem(zero_gpu.OPEN, model.name, (model, None))
        assert f"{zero_gpu.seconds(model.name, 'a cat', {})} s with {model.name}" in text


# --- the package itself ---------------------------------------------------------------------------


class Host(ThreadingHTTPServer):
    """Answers as the host that lends GPUs does, and remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.spent = False
        """Whether the visitor has used up the day's quota."""

    def told(self, path: str) -> list[dict[str, str]]:
        return [values for asked, values in self.asked if asked == path]


class _Answers(BaseHTTPRequestHandler):
    server: Host

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        asked = urlsplit(self.path)
        values = {name: value for name, (value,) in parse_qs(asked.query).items()}
        self.server.asked.append((asked.path, values))
        lent = {"idle": False, "nvidiaIndex": 0, "nvidiaUUID": "MIG-1", "allowToken": "ticket"}
        refused = self.server.spent and asked.path == "/schedule"
        body = json.dumps({"left": 7, "wait": 3600} if refused else lent).encode()
        self.send_response(429 if refused else 200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    host = Host()
    threading.Thread(target=host.serve_forever, daemon=True).start()
    yield host
    host.shutdown()


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    return tiny("StableDiffusion", tmp_path_factory.mktemp("models") / "small")


@pytest.fixture(scope="module")
def address(host: Host, small: Path, tmp_path_factory) -> Iterator[str]:
    pytest.importorskip(
        "spaces", reason="Hugging Face's package is not installed: pip install spaces"
    )
    empty = tmp_path_factory.mktemp("empty")
    listed = small.parent / "models.json"
    half = {"half": "bfloat16"}
    models = [entry(SMALL, small, **half), entry(LONG, small, steps=900, **half)]
    listed.write_text(json.dumps([*models, entry(BROKEN, empty, **half)]))
    with running_app(
        ["tests/zero_gpu_app.py"],
        device="auto",
        **{LISTED: str(listed), "HOME": str(tmp_path_factory.mktemp("home"))},
        SPACES_ZERO_GPU="true",
        SPACES_ZERO_DEVICE_API_URL=f"http://127.0.0.1:{host.server_port}",
        OMP_NUM_THREADS="2",  # as a Space has: what is forked must not wait for these
    ) as address:
        yield address


def client(address: str) -> Client:
    return Client(address, headers={"x-ip-token": TOKEN}, verbose=False)


@pytest.mark.slow
def test_the_host_is_told_at_the_start_that_a_gpu_will_be_asked_for(address, host):
    assert host.told("/startup-report") == [{}] and host.told("/schedule") == []


@pytest.mark.slow
def test_a_small_model_draws_without_asking(address, host):
    before = len(host.told("/schedule"))
    drawn = client(address).predict(api_name="/vae_samples")
    assert drawn["tiles"] and len(host.told("/schedule")) == before


@pytest.mark.slow
def test_a_bigger_one_asks_for_this_visitor_and_gives_the_gpu_back(address, host, small):
    asked = {"prompt": "a red cat", "negative_prompt": "a dog", "seed": 5}
    told = client(address).predict(SMALL, *asked.values(), api_name="/text_to_image_bigger")
    assert "live, NVIDIA" in told
    (schedule,) = host.told("/schedule")
    assert schedule["token"] == TOKEN and float(schedule["durationSeconds"]) > 0
    (allowed,) = host.told("/allow")
    assert allowed["allowToken"] == "ticket" and int(allowed["pid"]) != address.pid
    assert [release["fail"] for release in host.told("/release")] == ["false"]
    model = BigModel(**entry(SMALL, small, half="bfloat16"))
    pipeline = opened(model, str(small), torch.device("cpu")).to(torch.bfloat16)
    alone = generate(pipeline, model, **asked).picture
    other = generate(pipeline, model, **asked | {"seed": 6}).picture
    data = base64.b64decode(re.search(r"base64,([^\"]+)", told)[1])
    picture = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    assert picture.shape == (SIDE, SIDE, 3)

    def distance(drawn: np.ndarray) -> float:
        return np.abs(picture.astype(int) - drawn).mean()

    assert distance(alone) < 8 < distance(other)  # it carries a mark


@pytest.mark.slow
def test_a_stopped_picture_gives_the_gpu_back(address, host):
    before = len(host.told("/release"))
    visitor = client(address)
    job = visitor.submit(LONG, "a red cat", "", 5, api_name="/text_to_image_bigger")
    wait_until(lambda: len(host.told("/allow")) > 1 or job.done(), 60)
    job.cancel()
    wait_until(lambda: len(host.told("/release")) > before, 60)
    assert len(host.told("/release")) == len(host.told("/allow"))


@pytest.mark.slow
def test_who_has_used_up_the_quota_reads_when_there_is_more(address, host, monkeypatch):
    monkeypatch.setattr(host, "spent", True)
    with pytest.raises(Exception, match=r"exceeded your ZeroGPU quota .* 7s left.* 1:00:00"):
        client(address).predict(SMALL, "a cat", "", 0, api_name="/text_to_image_bigger")


@pytest.mark.slow
def test_a_model_that_cannot_be_opened_leaves_the_others(address):
    with pytest.raises(Exception, match="it could not be opened when this page was started"):
        client(address).predict(BROKEN, "a cat", "", 0, api_name="/text_to_image_bigger")
