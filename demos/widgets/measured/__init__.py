"""What was measured of the weights, as cards with a table: their frame, style and last line."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from demos.page.image_io import day
from demos.widgets.card import read
from gen_core.training import checkpoint


def figures_of(model: str, part: str = "metrics") -> Mapping[str, Any]:
    """What a checkpoint's card holds under `part`; empty where that is missing or damaged."""
    try:
        return checkpoint.card(model).get(part, {})
    except checkpoint.CheckpointError:
        return {}


def card(
    elem_id: str, heading: str, section: str, *styles: str | Path, otherwise: str = ""
) -> None:
    """A heading (Markdown) and below it the section (HTML), with the widgets' style sheets; where
    there is no section, a line that says so."""
    if not section:
        gr.Markdown(otherwise, elem_classes=["part"])
        return
    gr.Markdown(heading, elem_classes=["part"])
    gr.HTML(
        section,
        css_template=read("card/card.css", *styles, "measured/measured.css"),
        apply_default_css=False,
        elem_id=elem_id,
    )


def table(heads: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    """As HTML; heads and each row's first cell are words, the other cells HTML."""
    head = "".join(f'<th scope="col">{escape(words)}</th>' for words in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>'
        + "".join(f"<td>{cell}</td>" for cell in cells)
        + "</tr>"
        for first, *cells in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def made(figures: Mapping[str, Any]) -> str:
    """When and on what figures of a card were measured."""
    return f"Measured on {day(figures['date'])}, {figures['hardware']}."
