"""Under a prompt: examples to press, and the words that the model has never met, each with known
ones to put in its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from demos.widgets.card import read


def PromptHelp(*, elem_id: str, prompt: str, examples: Sequence[str]) -> gr.HTML:
    """A gr.HTML that shows what `strange_words_value` returns; `prompt` is the text box's id."""
    return gr.HTML(
        value=None,
        elem_id=elem_id,
        html_template='<div class="prompt-help" data-prompt="{{prompt}}"></div>',
        css_template=read("prompt_help/prompt_help.css"),
        js_on_load=read("prompt_help/prompt_help.js"),
        apply_default_css=False,
        prompt=prompt,
        examples=list(examples),
    )


def strange_words_value(words: Sequence[tuple[int, int, str, Sequence[str]]]) -> dict[str, Any]:
    """(start, end, word, known words like it) of each, as plain JSON."""
    return {
        "words": [
            {"start": start, "end": end, "word": word, "nearest": list(nearest)}
            for start, end, word, nearest in words
        ]
    }
