"""What was found out of a picture: an answer, what it rests on, and a score on its scale.

`Verdict(elem_id=...)` is the component; a handler returns a `VerdictValue` for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from demos.page.image_io import Value
from demos.widgets.card import card


@dataclass(frozen=True)
class Reason(Value):
    """What the answer rests on, in a sentence."""

    title: str
    text: str


@dataclass(frozen=True, kw_only=True)
class VerdictValue(Value):
    """The answer; everything in it is shown as text.

    found: whether the headline says yes
    facts: name -> what the picture says of itself, shown under the first reason
    score: 0 to 1, shown on a scale, as is the threshold
    caution: what the answer does not tell
    """

    headline: str
    reasons: Sequence[Reason]
    found: bool
    facts: Mapping[str, str]
    score: float
    threshold: float
    caution: str
    provenance: str
    live: bool = True


def Verdict(
    *, elem_id: str, label: str, value: VerdictValue | dict[str, Any] | None, empty: str
) -> gr.HTML:
    """A gr.HTML that shows a `VerdictValue`; `label` is for screen readers."""
    return card("verdict", elem_id=elem_id, label=label, value=value, empty=empty)
