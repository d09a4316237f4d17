"""What was found out of a picture: an answer, what it rests on, and a score on its scale.

`Verdict(elem_id=...)` is the component; its value is plain JSON, see `verdict_value`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from demos.widgets.card import card


def Verdict(*, elem_id: str, label: str, value: dict[str, Any] | None, empty: str) -> gr.HTML:
    """A gr.HTML that shows what `verdict_value` returns; `label` is for screen readers."""
    return card("verdict", elem_id=elem_id, label=label, value=value, empty=empty)


def verdict_value(
    headline: str,
    reasons: Sequence[tuple[str, str]],
    *,
    found: bool,
    facts: Mapping[str, str],
    score: float,
    threshold: float,
    caution: str,
    provenance: str,
) -> dict[str, Any]:
    """The answer as plain JSON; everything in it is shown as text.

    Args:
        reasons: (title, sentence) of what the answer rests on.
        found: whether the headline says yes.
        facts: name -> what the picture says of itself, shown under the first reason.
        score, threshold: 0 to 1, shown on a scale.
        caution: what the answer does not tell.
    """
    return {
        "headline": headline,
        "reasons": [{"title": title, "text": text} for title, text in reasons],
        "found": found,
        "facts": dict(facts),
        "score": score,
        "threshold": threshold,
        "caution": caution,
        "provenance": provenance,
        "live": True,
    }
