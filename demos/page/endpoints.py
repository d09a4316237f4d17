"""What Gradio's clients are told of an endpoint: its description and its parameters."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from demos.page.controls import Knobs


def documented(about: str, knobs: Knobs | None, inputs: Mapping[str, Any]) -> str:
    """What Gradio's clients say of an endpoint."""
    parts = [
        f"    {knob.linked}: {knob.label}, {knob.rule.takes}. {knob.info or ''}".rstrip()
        for knob in (knobs.knobs if knobs else [])
    ]
    parts += [f"    {name}: {part.label}, or null." for name, part in inputs.items()]
    return "\n".join([about, *(["", "Parameters:", *parts] if parts else [])])


def signature_of(knobs: Knobs | None, inputs: Sequence[str]) -> inspect.Signature:
    """What Gradio names the parameters of the API after: the knobs, then the other inputs."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    names = [knob.linked for knob in knobs.knobs] if knobs else []
    listed = [inspect.Parameter(name, kind) for name in names]
    listed += [inspect.Parameter(name, kind, default=None) for name in inputs]
    listed.append(inspect.Parameter("progress", kind, default=gr.Progress()))
    return inspect.Signature(listed)
