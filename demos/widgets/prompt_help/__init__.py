"""Under a prompt: examples to press, and the words that the model has never met, each with known
ones to put in its place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import gradio as gr

from demos.page.image_io import Value
from demos.widgets.card import read


def PromptHelp(*, elem_id: str, prompt: str, examples: Sequence[str]) -> gr.HTML:
    """A gr.HTML that shows a `PromptHelpValue`; `prompt` is the text box's id."""
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


@dataclass(frozen=True)
class PromptHelpValue(Value):
    """The words that the model has never met, in their order.

    words: of each {"start", "end"}, where it stands in the prompt, the "word" itself, and known
    ones like it, "nearest"
    """

    words: Sequence[Mapping[str, object]]
