"""Bigger models on ZeroGPU, where Hugging Face lends a Space a GPU for the length of one call.

The package `spaces`, which is on every such Space, runs a call in a process forked from the app's:
models that were opened before the page is served are there, and moved to the GPU. What is asked
counts against the visitor's daily quota; the small models stay on the Space's own processor.
"""

import logging
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any

import torch

from gen_core.hub.listed import check_runs, obstacles, this_machine
from gen_core.hub.models import BigModel
from gen_core.hub.pipeline import Drawn, fetched, generate, opened
from gen_core.hub.worker import reported
from gen_core.knobs import choice
from gen_core.progress import Progress

log = logging.getLogger("noise-to-data")

SETUP_SECONDS, SECONDS_PER_STEP = 15, 0.5
"""Asked for: to move the weights to the GPU, and for each step of a picture of 512 by 512. Both are
an estimate on the safe side; the host ends a call that takes longer."""
OPEN: dict[str, tuple[BigModel, Any]] = {}
"""The pipelines of this process, which forked ones have too."""


class ZeroGpu:
    """Draws with the models of a list, all of them opened at once; in place of a `Server`."""

    def __init__(self, models: Sequence[BigModel]) -> None:
        """Fetches and opens what runs here, which takes minutes. Call it before the page is served,
        as the host looks then for what needs a GPU."""
        import spaces

        self.models = {model.name: model for model in models}
        self.device = torch.device("cuda")  # as the host shows it from now on
        self.machine = this_machine(self.device)
        self._lent = spaces.GPU(duration=seconds)(frames)
        self._failed: set[str] = set()
        for model in models:
            if not obstacles(model, self.machine):
                self._open(model)

    def _open(self, model: BigModel) -> None:
        try:
            pipeline = opened(model, fetched(model), self.device, in_turns=False)
            OPEN[model.name] = model, pipeline
        except Exception as error:  # the others, and all other tabs, need not suffer
            log.warning("%s was not opened", model.name, exc_info=error)
            self._failed.add(model.name)

    def obstacles(self, model: BigModel) -> list[str]:
        """Why it cannot be used here, in words for a visitor."""
        failed = ["it could not be opened when this page was started"]
        return obstacles(model, self.machine) + failed * (model.name in self._failed)

    def draw(
        self, name: str, prompt: str, *, negative_prompt: str = "", seed: int = 0
    ) -> Generator[Progress, None, Drawn]:
        """Yields the progress and returns the picture; closing the generator gives the GPU back
        after the step that is under way.

        Raises KnobError for a name that is not on the list and a model that does not run here, and
        what `spaces` raises where no GPU is free or the visitor's quota is spent.
        """
        model = self.models[choice("model", name, list(self.models))]
        check_runs(model, self.obstacles(model))
        yield Progress("Waiting for a GPU")
        words = {"negative_prompt": negative_prompt, "seed": seed}
        drawn = None
        for told in self._lent(name, prompt, words):
            if isinstance(told, Drawn):
                drawn = told
            else:
                yield told
        return drawn


def seconds(name: str, prompt: str, words: Mapping[str, Any]) -> int:
    """For how long the GPU is asked for; takes what `frames` takes."""
    model, _ = OPEN[name]
    return round(SETUP_SECONDS + SECONDS_PER_STEP * model.steps * (model.side / 512) ** 2)


def frames(name: str, prompt: str, words: Mapping[str, Any]) -> Iterator[Progress | Drawn]:
    """Yields the progress, and last the picture. Runs in the process that has the GPU: all that it
    takes and yields is sent from process to process."""
    model, pipeline = OPEN[name]
    drawn = yield from reported(
        lambda progress: generate(pipeline, model, prompt, progress=progress, **words)
    )
    yield drawn
