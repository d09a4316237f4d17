"""Room for one bigger model, in a process of its own, shared by all visitors.

A process can be ended at any moment, in the middle of a download or while gigabytes are read, and
takes its memory with it. What a model's libraries do to the settings of their process, or its
hunger for memory, cannot hurt the app.
"""

import contextlib
import threading
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import torch

from gen_core.hub.models import BigModel, check_runs, obstacles, this_machine
from gen_core.hub.pipeline import Drawn, fetched, generate, opened
from gen_core.hub.worker import POLL, Work, Worker
from gen_core.knobs import choice
from gen_core.progress import Progress, Report


class Server:
    """Draws with the models of a list, one in memory at a time."""

    def __init__(self, device: torch.device, models: Sequence[BigModel]) -> None:
        self.device, self.models = device, {model.name: model for model in models}
        self.machine = this_machine(device)
        self.worker: Worker | None = None
        self._loaded = ""
        self._drawing, self._fetching = threading.Lock(), threading.Lock()
        self._folders: dict[str, str] = {}

    def obstacles(self, model: BigModel) -> list[str]:
        """Why it does not run here, in words for a visitor."""
        return obstacles(model, self.machine)

    def draw(
        self, name: str, prompt: str, *, negative_prompt: str = "", seed: int = 0
    ) -> Generator[Progress, None, Drawn]:
        """Yields the progress, at least every 0.1 s, and returns the picture.

        Fetches and opens the model first where that is needed, and waits while the server works for
        another visitor. Closing the generator cancels; files that have arrived whole stay for the
        next time. Raises KnobError for a name that is not on the list, a model that does not run
        on this machine, and where the network or the model's authors do not let us.
        """
        model = self.models[choice("model", name, list(self.models))]
        check_runs(model, self.machine)
        folder = yield from self._folder(model)
        yield from _turn(self._drawing, "Waiting for another visitor's picture")
        try:
            worker = yield from self._opened(model, folder)
            words = {"negative_prompt": negative_prompt, "seed": seed}
            return (yield from worker.ask((prompt, words)))
        finally:
            self._drawing.release()

    def _folder(self, model: BigModel) -> Generator[Progress, None, str]:
        """Where the model's files are; a download keeps nobody from drawing with another model."""
        if Path(model.repository).is_dir():
            return model.repository
        if model.name not in self._folders:
            yield from _turn(self._fetching, "Waiting for another download")
            try:
                if model.name not in self._folders:  # it may be the one that was waited for
                    with _no_litter(model), contextlib.closing(Worker(_fetch, model)) as fetcher:
                        self._folders[model.name] = yield from fetcher.ask(None)
            finally:
                self._fetching.release()
        return self._folders[model.name]

    def _opened(self, model: BigModel, folder: str) -> Generator[Progress, None, Worker]:
        """The process that has this model, and no work left of a run that was cancelled."""
        if self.worker and self._loaded == model.name:
            yield from self.worker.finish()
            if self.worker.alive:
                return self.worker
        self.unload()
        self.worker, self._loaded = Worker(_draw, model, folder, self.device), model.name
        return self.worker

    def unload(self) -> None:
        """Gives the memory back."""
        if self.worker:
            self.worker.close()
        self.worker, self._loaded = None, ""


def _turn(lock: threading.Lock, doing: str) -> Iterator[Progress]:
    """Takes the lock; others may have it for long."""
    while not lock.acquire(timeout=POLL):
        yield Progress(doing)


def _fetch(progress: Report, model: BigModel) -> Work:
    return lambda _: fetched(model, progress)


def _draw(progress: Report, model: BigModel, folder: str, device: torch.device) -> Work:
    progress(Progress(f"Opening {model.name}"))
    pipeline = opened(model, folder, device)
    return lambda asked: generate(pipeline, model, asked[0], **asked[1], progress=progress)


@contextlib.contextmanager
def _no_litter(model: BigModel) -> Iterator[None]:
    """Removes the unfinished files of a download that was ended; no later one goes on with them."""
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    name = repo_folder_name(repo_id=model.repository, repo_type="model")
    blobs = Path(constants.HF_HUB_CACHE) / name / "blobs"
    before = set(blobs.glob("*.incomplete"))
    try:
        yield
    finally:
        for left in set(blobs.glob("*.incomplete")) - before:
            left.unlink(missing_ok=True)
