"""Under a prompt: examples to press, the words that the model does not know, each with known ones
to put in its place, and those that it does not get to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import gradio as gr

from demos.page.image_io import Value
from demos.widgets.card import read


def PromptHelp(
    *, elem_id: str, boxes: Sequence[str], names: Sequence[str], examples: Sequence[str]
) -> gr.HTML:
    """A gr.HTML that shows a `PromptHelpValue`.

    boxes: the text boxes' ids, that of the prompt first, which takes the examples; names: what they
    are called.
    """
    return gr.HTML(
        value=None,
        elem_id=elem_id,
        html_template='<div class="prompt-help"></div>',
        css_template=read("prompt_help/prompt_help.css"),
        js_on_load=read("prompt_help/prompt_help.js"),
        apply_default_css=False,
        boxes=list(boxes),
        names=list(names),
        examples=list(examples),
    )


@dataclass(frozen=True)
class BoxHelp(Value):
    """What the model cannot read of the text in one box.

    words: the words that it has never met, in their order; of each {"start", "end"}, where it
        stands, in code points, the "word" itself, and known ones like it, "nearest"
    unread: the end of the text, for which there is no room; "" where all of it is read
    """

    words: Sequence[Mapping[str, object]]
    unread: str


@dataclass(frozen=True)
class PromptHelpValue(Value):
    """texts: a `BoxHelp`, or its JSON, for each box; note: what else there is to say of them"""

    texts: Sequence[BoxHelp | Mapping[str, object]]
    note: str = ""
