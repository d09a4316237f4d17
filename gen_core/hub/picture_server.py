"""Pictures by the models of a list."""

from collections.abc import Generator

import torch

from gen_core.hub import pipeline
from gen_core.hub.models import BigModel
from gen_core.hub.server import Server
from gen_core.hub.worker import Work
from gen_core.progress import Progress, Report


def _opened(progress: Report, model: BigModel, folder: str, device: torch.device) -> Work:
    progress(Progress(f"Opening {model.name}"))
    opened = pipeline.opened(model, folder, device)
    return lambda asked: pipeline.generate(opened, model, asked[0], **asked[1], progress=progress)


class PictureServer(Server[BigModel]):
    """Draws with the models of a list, one in memory at a time."""

    fetched = staticmethod(pipeline.fetched)
    opened = staticmethod(_opened)
    stage = pipeline.DRAWING

    def draw(
        self, name: str, prompt: str, *, negative_prompt: str = "", seed: int = 0
    ) -> Generator[Progress, None, pipeline.Drawn]:
        """As `ask`: yields the progress and returns the picture."""
        words = {"negative_prompt": negative_prompt, "seed": seed}
        return (yield from self.ask(name, (prompt, words)))
