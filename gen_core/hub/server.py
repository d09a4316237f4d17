"""Room for one bigger model, in a process of its own, shared by all visitors.

A process can be ended at any moment, in the middle of a download or while gigabytes are read, and
takes its memory with it. What a model's libraries do to the settings of their process, or its
hunger for memory, cannot hurt the app.
"""

import contextlib
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import torch

from gen_core.hub.downloads import no_litter
from gen_core.hub.listed import Listed, check_runs, obstacles, this_machine
from gen_core.hub.worker import POLL, Work, Worker
from gen_core.knobs import choice
from gen_core.progress import Progress, Report

M = TypeVar("M", bound=Listed)


class Server(Generic[M]):
    """Works with the models of a list, one in memory at a time. A subclass says how one is fetched
    and opened, by functions that can be sent to another process."""

    fetched: ClassVar[Callable[[Any, Report], str]]
    """fetched(model, progress): the folder with its files."""
    opened: ClassVar[Callable[..., Work]]
    """opened(progress, model, folder, device): what answers requests with it."""
    stage: ClassVar[str]
    """What progress is called while it works in steps, between which a request can be cancelled."""

    def __init__(self, device: torch.device, models: Sequence[M]) -> None:
        self.device, self.models = device, {model.name: model for model in models}
        self.machine = this_machine(device)
        self.worker: Worker | None = None
        self._loaded = ""
        self._working, self._fetching = threading.Lock(), threading.Lock()
        self._folders: dict[str, str] = {}

    def obstacles(self, model: M) -> list[str]:
        """Why it does not run here, in words for a visitor."""
        return obstacles(model, self.machine)

    def chosen(self, name: str) -> M:
        """The model of that name. Raises KnobError for one that is not on the list or does not run
        here."""
        model = self.models[choice("model", name, list(self.models))]
        check_runs(model, self.obstacles(model))
        return model

    def ask(self, name: str, request: Any) -> Generator[Progress, None, Any]:
        """Yields the progress, at least every 0.1 s, and returns the answer.

        Fetches and opens the model first where that is needed, and waits while the server works for
        another visitor. Closing the generator cancels; files that have arrived whole stay for the
        next time. Raises KnobError for a name that is not on the list, a model that does not run
        on this machine, and where the network or the model's authors do not let us.
        """
        model = self.chosen(name)
        folder = yield from self._folder(model)
        yield from _turn(self._working, f"Waiting for another visitor's {model.product}")
        try:
            worker = yield from self._opened(model, folder)
            return (yield from worker.ask(request))
        finally:
            self._working.release()

    def _folder(self, model: M) -> Generator[Progress, None, str]:
        """Where the model's files are; a download keeps nobody from working with another model."""
        if Path(model.repository).is_dir():
            return model.repository
        if model.name not in self._folders:
            yield from _turn(self._fetching, "Waiting for another download")
            try:
                if model.name not in self._folders:  # it may be the one that was waited for
                    fetcher = Worker(_fetch, type(self).fetched, model)
                    with no_litter(model), contextlib.closing(fetcher):
                        self._folders[model.name] = yield from fetcher.ask(None)
            finally:
                self._fetching.release()
        return self._folders[model.name]

    def _opened(self, model: M, folder: str) -> Generator[Progress, None, Worker]:
        """The process that has this model, and no work left of a run that was cancelled."""
        if self.worker and self._loaded == model.name:
            yield from self.worker.finish(f"Ending the {model.product} before")
            if self.worker.alive:
                return self.worker
        self.unload()
        opened = type(self).opened
        self.worker = Worker(opened, model, folder, self.device, stage=self.stage)
        self._loaded = model.name
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


def _fetch(progress: Report, fetched: Callable[[Any, Report], str], model: Listed) -> Work:
    return lambda _: fetched(model, progress)
