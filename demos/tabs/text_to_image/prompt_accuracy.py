"""How often the model draws what it was asked for, as it was measured."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import gradio as gr

from demos.tabs.text_to_image.generate import ID, MODEL
from demos.tabs.text_to_image.texts import HOW_TO_READ_SHARES, NO_SHARES, SHARES
from demos.widgets.measured import card, made, table
from gen_core.evaluation.report import HEADS, prompt_accuracy_rows
from gen_core.families.text_to_image.folder import measured
from gen_core.training.checkpoint import weights_folder


def build() -> None:
    """The table, where the card of the weights holds its figures."""
    figures = measured(weights_folder() / MODEL)
    if "metrics" in figures:
        card(f"{ID}-shares", SHARES, section(figures["metrics"]))
    else:
        gr.Markdown(NO_SHARES, elem_classes=["part"])


def section(told: Mapping[str, Any]) -> str:
    """`told` is what `evaluate` has measured."""
    return f"""
    <section class="card measured">{table(HEADS, prompt_accuracy_rows(told["shares"]))}
      <p>{escape(HOW_TO_READ_SHARES)}</p>
      <p>{told["samples"]:,} prompts, a picture of each. {escape(made(told))}</p>
    </section>"""
