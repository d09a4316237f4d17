"""The server for one bigger model: its process, its downloads, and several visitors at once."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from big_pipelines import entry, start_by_forking, tiny
from conftest import free_port
from fake_hub import REPOSITORY, Hub, serving
from gen_core.hub import server as server_module
from gen_core.hub.models import BigModel
from gen_core.hub.picture_server import PictureServer
from gen_core.hub.pipeline import DRAWING, generate, opened
from gen_core.knobs import KnobError
from gen_core.progress import result_of

pytestmark = pytest.mark.heavy
CPU = torch.device("cpu")
LONG = 900
"""Steps of a picture that nobody waits for."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pipelines")
    return {kind: tiny(kind, folder / kind) for kind in ("StableDiffusion", "Flux")}


@pytest.fixture
def server_of():
    servers: list[PictureServer] = []

    def make(*models: BigModel) -> PictureServer:
        servers.append(PictureServer(CPU, models))
        return servers[-1]

    yield make
    for server in servers:
        server.unload()


@pytest.fixture
def forked(monkeypatch) -> None:
    """For what is told of processes, however they begin; downloads begin as those of the app."""
    start_by_forking(monkeypatch)


def model(name: str, repository: Path | str, **changes: object) -> BigModel:
    return BigModel(**entry(name, repository, **changes))


def until(run: Generator[Any, None, Any], seen: Callable[[Any], bool]) -> Any:
    """Goes on to the first progress that is meant; fails where the run ends before."""
    return next(progress for progress in run if seen(progress))


def drawing(progress: Any) -> bool:
    return progress.stage == DRAWING


@pytest.mark.slow
@pytest.mark.usefixtures("forked")
def test_one_model_at_a_time_has_a_process_and_takes_its_memory_with_it(folders, server_of):
    small, other = model("A", folders["StableDiffusion"]), model("B", folders["Flux"])
    server = server_of(small, other)
    first = result_of(server.draw("A", "a red cat", negative_prompt="a dog", seed=5))
    pipeline = opened(small, small.repository, CPU)
    alone = generate(pipeline, small, "a red cat", negative_prompt="a dog", seed=5)
    assert np.array_equal(first.picture, alone.picture)
    process = server.worker.process
    result_of(server.draw("A", "a red cat"))
    assert server.worker.process is process  # nothing is opened twice
    result_of(server.draw("B", "a red cat"))
    assert not process.is_alive() and server.worker.process.is_alive()
    server.unload()
    assert server.worker is None


@pytest.mark.usefixtures("forked")
def test_a_stopped_picture_leaves_the_model_open_for_who_waits(folders, server_of):
    server = server_of(model("A", folders["StableDiffusion"], steps=LONG))
    mine, theirs = server.draw("A", "mine"), server.draw("A", "theirs")
    until(mine, drawing)
    process = server.worker.process
    assert next(theirs).stage == "Waiting for another visitor's picture"
    mine.close()
    until(theirs, lambda progress: drawing(progress) and progress.done > 0)
    theirs.close()
    assert server.worker.process is process and process.is_alive()


@pytest.mark.usefixtures("forked")
def test_who_stops_while_the_model_is_being_opened_ends_the_process(folders, server_of):
    server = server_of(model("A", folders["Flux"]))
    run = server.draw("A", "a red cat")
    next(run)
    process = server.worker.process
    run.close()
    assert not process.is_alive()
    again = server.draw("A", "a red cat")
    next(again)
    assert server.worker.process.is_alive()


@pytest.mark.usefixtures("forked")
def test_a_process_that_dies_is_told_and_replaced(folders, server_of):
    server = server_of(model("A", folders["Flux"], steps=LONG))
    run = server.draw("A", "a red cat")
    until(run, drawing)
    server.worker.process.kill()
    with pytest.raises(KnobError, match="lack of memory"):
        result_of(run)
    again = server.draw("A", "a red cat")
    next(again)
    assert server.worker.process.is_alive()


def test_only_what_is_listed_and_runs_here_is_touched(folders, server_of):
    server = server_of(model("A", folders["Flux"]), model("Big", "some/where", gigabytes=9999))
    for name in ("B", str(folders["Flux"]), None, ["A"]):
        with pytest.raises(KnobError, match="choose one of A, Big"):
            next(server.draw(name, "a red cat"))
    with pytest.raises(KnobError, match="Big does not run here: it needs a GPU"):
        next(server.draw("Big", "a red cat"))
    assert server.worker is None


@pytest.mark.slow
def test_a_stopped_download_goes_on_the_next_time(folders, server_of, tmp_path, monkeypatch):
    slow = "unet/diffusion_pytorch_model.safetensors"
    hub = Hub(folders["StableDiffusion"], slow=slow)
    server = server_of(model("A", REPOSITORY))
    cache = tmp_path / "cache"
    with serving(hub, cache, monkeypatch):
        run = server.draw("A", "a red cat")
        files = hub.files()
        rest = len(files[slow])
        whole = sum(map(len, files.values()))
        told = until(run, lambda progress: 0 < progress.done == progress.total - rest)
        assert (told.stage, told.unit) == ("Fetching A", "bytes") and told.total <= whole
        until(run, lambda _: arrived(cache) == files.keys() - {slow})
        run.close()
        assert list(cache.rglob("*.incomplete")) == [] and server.worker is None
        hub.given.clear()
        hub.go_on.set()
        run = server.draw("A", "a red cat")
        told = until(run, lambda progress: progress.unit == "bytes")
        assert (told.done, told.total) == (rest, rest)
        assert result_of(run).picture.any()
        assert set(hub.given) == {slow}
    assert result_of(server.draw("A", "a dog")).picture.any()  # nobody asks the Hub any more


@pytest.mark.usefixtures("forked")
def test_who_waited_for_a_download_uses_it(folders, server_of, monkeypatch):
    server = server_of(model("A", REPOSITORY))
    monkeypatch.setattr(server_module, "_fetch", lambda *_: pytest.fail("fetched again"))
    server._fetching.acquire()
    run = server.draw("A", "a red cat")
    assert next(run).stage == "Waiting for another download"
    server._folders["A"] = str(folders["StableDiffusion"])  # another visitor's has come
    server._fetching.release()
    assert not any(progress.stage.startswith("Fetching") for progress in run)


def arrived(cache: Path) -> set[str]:
    """The files that have come whole."""
    folder = next(cache.glob("*/snapshots/*"), cache)
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_without_a_network_a_plain_sentence(server_of, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    server = server_of(model("A", REPOSITORY))
    with pytest.raises(KnobError) as told:
        result_of(server.draw("A", "a red cat"))
    assert str(told.value) == (
        "A could not be fetched: this server has no way to huggingface.co at the moment. The "
        "small model in the panel Generate needs no network"
    )


def test_an_error_of_the_hub_is_told_by_its_number(folders, server_of, tmp_path, monkeypatch):
    server = server_of(model("A", REPOSITORY))
    with serving(Hub(folders["Flux"], failing=503), tmp_path, monkeypatch):  # noqa: SIM117
        with pytest.raises(KnobError, match="huggingface.co answered with the error 503. Try"):
            result_of(server.draw("A", "a red cat"))


def test_a_gated_model_names_its_licence(folders, server_of, tmp_path, monkeypatch):
    server = server_of(model("A", REPOSITORY))
    with serving(Hub(folders["Flux"], gated=True), tmp_path, monkeypatch):  # noqa: SIM117
        with pytest.raises(KnobError, match="accept the licence .https://example.org/licence"):
            result_of(server.draw("A", "a red cat"))
