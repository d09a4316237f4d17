"""What every event handler shares: the model cache, the device lane, clear errors, Stop."""

from __future__ import annotations

import functools
import inspect
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gradio as gr
import torch
from torch import nn

from demos.knobs import Knobs
from gen_core import load
from gen_core.checkpoint import CheckpointError
from gen_core.checks import KnobError
from gen_core.data import MissingData
from gen_core.devices import pick_device

log = logging.getLogger("noise-to-data")

EXPECTED = (KnobError, CheckpointError, MissingData)
"""Errors whose message is written for a visitor."""


def message_of(error: Exception) -> str:
    """What a visitor reads. An error nobody foresaw is logged here and not shown."""
    if isinstance(error, EXPECTED):
        return str(error)
    log.error("unexpected error in a handler", exc_info=error)
    return "Something went wrong on the server; it has been logged. Please try again."


class App:
    """What a tab needs to know of the application it is built into."""

    def __init__(self, device: str = "auto", data_root: str | None = None) -> None:
        self.device: torch.device = pick_device(device)
        self.data_root = data_root
        self.lane = threading.RLock()
        """Held while the device computes, step by step, so that long runs let short ones pass."""
        self.knobs: list[Knobs] = []
        """Every panel's knobs, for links."""
        self.panels: dict[str, gr.Tabs] = {}
        """The inner tabs of every tab that has several panels, for links."""
        self._models: dict[str, nn.Module] = {}
        self._loading = threading.Lock()

    def model(self, name: str) -> Any:
        """A checkpoint's model, loaded once for all visitors; nobody may change it."""
        with self._loading:
            if name not in self._models:
                self._models[name] = load(name, str(self.device))
            return self._models[name]

    def add(self, knobs: Knobs) -> Knobs:
        """Makes a panel's knobs part of the links; returns them."""
        self.knobs.append(knobs)
        return knobs

    def serve(self, fn: Callable) -> Callable:
        """A widget's server function: errors come back as {"error": message}, never raised."""

        @functools.wraps(fn)
        def answer(*args: Any) -> Any:
            try:
                with self.lane:
                    return fn(*args)
            except Exception as error:
                return {"error": message_of(error)}

        return answer

    def on(
        self, trigger: Callable, fn: Callable, knobs: Knobs | None, outputs: Sequence[Any] | Any, *,
        api_name: str, inputs: Sequence[Any] = (), stop: gr.Button | None = None, **options: Any,
    ) -> Any:  # fmt: skip
        """Connects `trigger` (button.click, ...) to fn(*inputs, **validated knobs).

        fn returns the outputs or yields them as they come; each piece of its work holds the
        device lane. Stop ends this visitor's own run.
        """
        listed = knobs.components if knobs else []
        event = trigger(
            self._guarded(fn, knobs, len(listed)), [*listed, *inputs], outputs,
            api_name=api_name, concurrency_id="device", concurrency_limit=1, **options,
        )  # fmt: skip
        if stop is not None:
            stop.click(None, None, None, cancels=[event], api_name=False)
        return event

    def _guarded(self, fn: Callable, knobs: Knobs | None, count: int) -> Callable:
        def run(*values: Any) -> Iterator[Any]:
            try:
                settings = knobs.check(values[:count]) if knobs else {}
                with self.lane:
                    result = fn(*values[count:], **settings)
                if not inspect.isgenerator(result):
                    yield result
                    return
                while True:
                    with self.lane:
                        piece = next(result, _END)
                    if piece is _END:
                        return
                    yield piece
            except Exception as error:
                raise gr.Error(message_of(error), print_exception=False) from error

        return run


_END = object()
