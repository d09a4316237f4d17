"""Texts that are written side by side, on one timeline: each token coloured by when it appeared.

`TextTimeline(elem_id=...)` is the component; a handler returns a `TextTimelineValue` for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from demos.page.image_io import CardValue, Value
from demos.widgets.card import card
from demos.widgets.timeline import PLAYER
from demos.widgets.token_text import POINTED, POINTED_STYLE


@dataclass(frozen=True)
class TextLane(Value):
    """One text. Raises ValueError when lengths do not fit together.

    tokens: what each of n writes
    appeared: (n,) the step at which each was drawn, 1 to `total`; 0 for those that were given
    total: how many steps there were; step_word: what one is called
    masks: whether a token that is not drawn yet is shown as a block
    cost: what it took, under the text
    """

    title: str
    tokens: Sequence[str]
    appeared: Sequence[int]
    total: int
    step_word: str
    masks: bool
    cost: str

    def __post_init__(self) -> None:
        if len(self.tokens) != len(self.appeared):
            raise ValueError(
                f"lane {self.title!r}: {len(self.appeared)} entries for {len(self.tokens)} tokens"
            )
        if self.appeared and not 0 <= min(self.appeared) <= max(self.appeared) <= self.total:
            raise ValueError(f"lane {self.title!r}: tokens appear in steps from 0 to {self.total}")


@dataclass(frozen=True, kw_only=True)
class TextTimelineValue(CardValue):
    """Texts whose ways from beginning to end are as long as each other on the track, whatever their
    steps.

    name: the downloaded file's, without its ending
    """

    lanes: Sequence[TextLane]
    provenance: str = ""
    live: bool = True
    name: str = "texts"


def TextTimeline(
    *,
    elem_id: str,
    label: str,
    value: TextTimelineValue | dict[str, Any] | None = None,
    empty: str = "Press the button to write.",
) -> gr.HTML:
    """A gr.HTML that plays a `TextTimelineValue`; `label` is for screen readers."""
    return card(
        "text_timeline",
        elem_id=elem_id,
        label=label,
        value=value,
        empty=empty,
        scripts=[*PLAYER, *POINTED],
        styles=["timeline/player.css", *POINTED_STYLE],
    )
