"""What the panels ask for first: the beginning of a text, and the model that reads it."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from demos.page.controls import Knob, Knobs
from demos.page.handlers import App
from demos.widgets.prompt_help import BoxHelp, PromptHelp, PromptHelpValue
from gen_core.data.tokenizers import in_ascii
from gen_core.families.gpt import GPT
from gen_core.families.text import LONGEST
from gen_core.training.checkpoint import CheckpointError, card, config_of

ID = "autoregressive"
MODELS = {
    "Tales, byte pairs": "gpt-tales",
    "Tales, letters": "gpt-tales-characters",
    "Shakespeare, letters": "gpt-shakespeare",
}
"""As a visitor reads them -> the checkpoints."""
FIRST = "Tales, byte pairs"
PROMPT = Knob("prompt", "The beginning", "text", "Once upon a time there was", high=LONGEST)
MODEL = Knob("model", "Model", "choice", FIRST, options=[*MODELS], names=MODELS)
EXAMPLES = (
    "There was once a king who had three daughters",
    "The fox said to the wolf",
    "ROMEO:\nMy love",
)
MOST_LETTERS = 20
"""Of those that are not read, which are named."""


def beginning_tools(app: App, knobs: Knobs) -> Callable[[], None]:
    """Puts examples under the beginning, and what of it the model does not read; returns what
    connects them."""
    box = knobs.built["prompt"]
    line = PromptHelp(
        elem_id=f"{box.elem_id}-words", boxes=[box.elem_id], names=["beginning"], examples=EXAMPLES
    )

    def connect() -> None:
        heeded = [knobs.built[name] for name in ("prompt", "model") if name in knobs.built]
        gr.on(
            [part.change for part in heeded],
            help_with,
            heeded,
            line,
            preprocess=False,
            queue=False,
            show_progress="hidden",
            api_visibility="private",
            trigger_mode="always_last",
        )

    return connect


def help_with(prompt: Any, model: Any = FIRST) -> dict[str, Any]:
    """The value of the line under the beginning, as JSON."""
    model = MODELS.get(model, model) if isinstance(model, str) else ""
    note = unread(prompt, model) if isinstance(prompt, str) else ""
    return PromptHelpValue([BoxHelp([], "")], note).to_json()


def unread(prompt: str, model: str) -> str:
    """What a model, by name, does not read of a beginning; "" where it reads all of it."""
    told = [unread_letters(prompt)]
    if model not in MODELS.values():
        return told[0]
    try:
        condition = GPT.condition_of(config_of(card(model)))
    except CheckpointError:
        return told[0]
    count = len(condition.words.encode(prompt[:LONGEST]))
    if count > condition.most:
        told.append(f"Of its {count:,} tokens the last {condition.most} are read")
    return ". ".join(filter(None, told))


def unread_letters(text: str) -> str:
    """Those of a text for which no model has a token, in words; "" where it has none."""
    letters = in_ascii(text[:LONGEST])[1]
    cut = " …" if len(letters) > MOST_LETTERS else ""
    shown = (c if c.isprintable() else f"U+{ord(c):04X}" for c in letters[:MOST_LETTERS])
    return f"Not read: {' '.join(shown)}{cut}" if letters else ""
