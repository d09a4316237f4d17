"""Help with the words: what the model does not know, and a prompt put together from lists."""

from __future__ import annotations

import gradio as gr

from demos.page.controls import Knobs
from demos.page.handlers import App
from demos.widgets.prompt_help import PromptHelp, strange_words_value
from gen_core.checks import KnobError
from gen_core.data.emoji import concepts
from gen_core.data.emoji.scenes import COLOURS, LIGHTS, MEDIA
from gen_core.data.grammar import article
from gen_core.families.text_to_image.tokens import unknown_words

EXAMPLES = (
    "a flat emoji of a rocket, on a blue background",
    "three tomatoes, noto, on white",
    "a dog at golden hour",
    "watercolour of a sunflower",
)
ANY = "any"
MAX_PROMPT = 2000
LISTS = {
    "subject": ("Subject", [concept.name for concept in concepts()]),
    "style": ("Style", [ANY, "3d", "cartoon", "flat"]),
    "background": ("Background", [ANY, *COLOURS]),
    "medium": ("Medium", [ANY, *MEDIA]),
    "light": ("Lighting", [ANY, *LIGHTS]),
    "quality": ("Quality", [ANY, "sharp, high quality"]),
}


def prompt_tools(app: App, knobs: Knobs) -> None:
    """Stands under the prompt of a panel's knobs."""
    prompt = knobs.built["prompt"]
    told = PromptHelp(elem_id=f"{prompt.elem_id}-words", prompt=prompt.elem_id, examples=EXAMPLES)
    prompt.change(
        strange_to_the_model,
        prompt,
        told,
        queue=False,
        show_progress="hidden",
        api_visibility="private",
        trigger_mode="always_last",
    )
    with gr.Accordion("Build a prompt", open=False, elem_classes=["prompt-builder"]):
        lists = [
            gr.Dropdown(choices, value=choices[0], label=label, min_width=120)
            for label, choices in LISTS.values()
        ]
    gr.on(
        [choice.input for choice in lists],
        built,
        lists,
        prompt,
        queue=False,
        show_progress="hidden",
        api_visibility="private",
        trigger_mode="always_last",
    )


def strange_to_the_model(prompt: str) -> dict:
    """The value of the line under the prompt."""
    found = unknown_words(prompt[:MAX_PROMPT]) if isinstance(prompt, str) else []
    return strange_words_value([(u.start, u.end, u.word, u.nearest) for u in found])


def built(subject: str, style: str, background: str, medium: str, light: str, quality: str) -> str:
    """A prompt in the words that the captions of the training have."""
    for value, (_, choices) in zip(
        (subject, style, background, medium, light, quality), LISTS.values(), strict=True
    ):
        if value not in choices:
            raise KnobError(f"{value!r}: choose one of {', '.join(choices[:8])}, ...")
    told = article(subject)
    told = told if style == ANY else f"{article(style)} emoji of {told}"
    details = [f"on {article(background)} background" if background != ANY else ""]
    details += [medium, "at night" if light == "night" else light, quality]
    return ", ".join([told, *(d for d in details if d and d != ANY)])
