"""What stands beside every model: three depths of explanation, and the code that runs it."""

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from demos.page.controls import Knobs
from demos.page.handlers import message_of
from demos.page.training_code import source as source_of
from demos.page.training_code import training_section
from demos.widgets.code import Code, code_value, fixed_listing, listing, prose
from gen_core.knobs import KnobError

LATEX = [
    {"left": "$$", "right": "$$", "display": True},
    {"left": "$", "right": "$", "display": False},
]


@dataclass(frozen=True)
class Explanation:
    sentence: str
    paragraph: str
    """Markdown."""
    formula: str
    """LaTeX, without dollar signs; "" where there is none to show."""
    symbols: Sequence[tuple[str, str]]
    """(LaTeX, what it means) of every symbol in the formula."""
    source: str
    """Paper and equation."""


def explanation(text: Explanation, heading: str) -> None:
    """One sentence in sight; the paragraph and the formula open in place below it. heading: for
    screen readers; who sees has read it in the tab."""
    with gr.Column(elem_classes=["intro"]):
        gr.Markdown(f"## {heading}\n\n{text.sentence}", elem_classes=["lead"])
        with gr.Row(elem_classes=["depths"]):
            with gr.Accordion("Tell me more", open=False):
                gr.Markdown(text.paragraph)
            if not text.formula:
                return
            with gr.Accordion("The formula", open=False):
                named = "\n".join(f"- ${symbol}$: {meaning}" for symbol, meaning in text.symbols)
                gr.Markdown(
                    f"$$\n{text.formula}\n$$\n\n{named}\n\n*Source: {text.source}*",
                    latex_delimiters=LATEX,
                )


def code_panel(
    knobs: Knobs,
    lines: Callable[[dict[str, Any]], str],
    source: Any,
    also: str | None = None,
    trained: Sequence[str] = (),
    of: str = "",
) -> None:
    """ "Show the code": lines(validated knobs) as they run, the source of what they call, and how
    the models of these recipes are trained.

    also: a script that is given the knobs' values, too, whenever one changes; it returns them.
    of: what it does, where another one stands on the same panel.
    """

    def written(*values: Any) -> str:
        try:
            return textwrap.dedent(lines(knobs.check(values))).strip()
        except KnobError as error:
            return f"# {message_of(error)}"

    about = f": {of}" if of else ""

    def listed(*values: Any) -> dict[str, str]:
        return code_value(listing(written(*values), f"The code{about}"))

    name = getattr(source, "__qualname__", getattr(source, "__name__", "source"))
    called = fixed_listing(source_of(source), f"The function it calls: {source.__module__}.{name}")
    learned = prose(training_section(trained)) if trained else ""
    with gr.Accordion(f"Show the code{about}", open=False, elem_classes=["code-panel"]):
        gr.Markdown("This Python code does the same as the page, with your settings:")
        code = Code(listed(*(knob.default for knob in knobs.knobs)))
        Code(code_value(called + learned), elem_classes=["training"])
    if not knobs.components:
        return
    gr.on(
        [component.change for component in knobs.components],
        listed,
        knobs.components,
        code,
        js=also,
        preprocess=False,
        queue=False,
        show_progress="hidden",
        api_visibility="private",
        trigger_mode="always_last",
    )


ARC_FORMULA = (
    r"z(t) = \frac{\sin((1 - t)\,\Omega)}{\sin \Omega}\, z_a + "
    r"\frac{\sin(t\,\Omega)}{\sin \Omega}\, z_b, \qquad "
    r"\cos \Omega = \frac{z_a \cdot z_b}{\lVert z_a \rVert\, \lVert z_b \rVert}"
)
ARC_SYMBOLS = (
    ("z(t)", "the code at time $t$, from 0 at the one end to 1 at the other"),
    (r"\Omega", "the angle between the two codes, seen from the centre"),
)
ARC_SOURCE = (
    "Shoemake 1985, *Animating Rotation with Quaternion Curves*, section 3.3; for latent codes "
    "White 2016, *Sampling Generative Networks*, section 2.1"
)
"""The words for the arc between two latent codes, which more than one tab walks."""
