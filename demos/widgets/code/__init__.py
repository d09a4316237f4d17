"""Python to be read: coloured on the server, and fetched when it is first seen.

Gradio's own component is an editor, which weighs a sixth of the page. `STYLE` is the page's: of
most components there is one, of this two in each panel.
"""

import functools
from collections.abc import Sequence
from html import escape
from pathlib import Path

import gradio as gr
from markdown_it import MarkdownIt
from pygments.lexers import PythonLexer
from pygments.token import Token

from demos.widgets.card import read

STYLE = Path(__file__).parent / "code.css"
KINDS = {
    Token.Comment: "comment",
    Token.Keyword: "keyword",
    Token.Literal.String: "string",
    Token.Literal.Number: "number",
    Token.Name.Function: "name",
    Token.Name.Class: "name",
    Token.Name.Decorator: "name",
    Token.Name.Builtin: "builtin",
}
"""What is coloured, and its CSS class after "code-"."""


def Code(value: dict[str, str], *, elem_classes: Sequence[str] = ()) -> gr.HTML:
    """A gr.HTML that shows a `code_value`."""
    return gr.HTML(
        value=value,
        html_template='<div class="listings"></div>',
        js_on_load=read("card/card.js", "code/code.js"),
        apply_default_css=False,
        elem_classes=[*elem_classes],
    )


def code_value(html: str) -> dict[str, str]:
    """HTML with `listing`s in it."""
    return {"html": html}


def listing(code: str, label: str) -> str:
    """HTML of Python with its name above it; the browser adds buttons to copy and to save it."""
    name, lines = escape(label), highlighted(code)
    return (
        f'<figure class="listing"><figcaption>{name}</figcaption>'
        f'<pre tabindex="0" role="group" aria-label="{name}"><code>{lines}</code></pre></figure>'
    )


def highlighted(code: str) -> str:
    """HTML of Python, as Pygments reads it."""
    words = PythonLexer().get_tokens(code.strip())
    return "".join(_word(kind, text) for kind, text in words).rstrip("\n")


def _word(kind: type[Token], text: str) -> str:
    colour = next((name for parent, name in KINDS.items() if kind in parent), "")
    return f'<span class="code-{colour}">{escape(text)}</span>' if colour else escape(text)


@functools.cache  # panels share functions and models
def fixed_listing(code: str, label: str) -> str:
    """The same of code that does not depend on a visitor."""
    return listing(code, label)


def prose(markdown: str) -> str:
    """HTML of Markdown whose fenced code is Python; what follows the language names it."""
    page = MarkdownIt("commonmark")
    page.add_render_rule("fence", _fence)
    return page.render(markdown)


def _fence(renderer: object, tokens: list, index: int, *_: object) -> str:
    return fixed_listing(tokens[index].content, tokens[index].info.partition(" ")[2])
