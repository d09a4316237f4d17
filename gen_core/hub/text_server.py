"""Texts by the models of a list: in a process of their own, or on a server of the host's choice."""

import contextlib
from collections.abc import Generator, Sequence

import torch

from gen_core.hub import remote, writer
from gen_core.hub.allowance import Allowance, Bill, Limits
from gen_core.hub.answers import WRITING, Answer, Asked, Written
from gen_core.hub.language_models import LanguageModel, faults_of
from gen_core.hub.server import Server
from gen_core.hub.worker import Work, reported
from gen_core.progress import Progress, Report

CHARACTERS = 4
"""Of a token, about: what is read is counted before anybody has made tokens of it."""


def _opened(progress: Report, model: LanguageModel, folder: str, device: torch.device) -> Work:
    progress(Progress(f"Opening {model.name}"))
    opened = writer.opened(folder, device, model.half, local=True)
    return lambda asked: writer.write(opened, asked, progress)


class TextServer(Server[LanguageModel]):
    """Writes with the models of a list, one of those that run here in memory at a time."""

    fetched = staticmethod(writer.fetched)
    opened = staticmethod(_opened)
    stage = WRITING

    def __init__(
        self, device: torch.device, models: Sequence[LanguageModel], limits: Limits
    ) -> None:
        super().__init__(device, models)
        self.allowance = Allowance(limits)

    def obstacles(self, model: LanguageModel) -> list[str]:
        """Why it cannot be used, in words for a visitor."""
        return faults_of(model.server) if model.server else super().obstacles(model)

    def write(
        self, name: str, asked: Asked, visitor: Sequence[str] = ()
    ) -> Generator[Progress, None, Answer]:
        """Yields the progress, at least every 0.1 s, tokens among it as `Written`, of which one may
        come twice; returns the answer. Closing the generator cancels.

        visitor: all that the one who asks is known by. Raises KnobError, in words for a visitor:
        for a name that is not on the list, a limit that is reached, whatever goes wrong.
        """
        model = self.chosen(name)
        read = len(asked.text) // CHARACTERS
        with self.allowance.taken(visitor, read + asked.tokens) as bill:
            if model.server:
                run = reported(lambda report: remote.write(model, asked, report), waits=False)
            else:
                run = self.ask(name, asked)
            with contextlib.closing(run):
                return (yield from _billed(run, bill, read))


def _billed(
    run: Generator[Progress, None, Answer], bill: Bill, read: int
) -> Generator[Progress, None, Answer]:
    """The run, whose tokens are put on the bill as they come."""
    while True:
        try:
            told = next(run)
        except StopIteration as end:
            bill.tokens = read + end.value.count
            return end.value
        if isinstance(told, Written):
            bill.tokens = read + told.done
        yield told
