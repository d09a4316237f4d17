"""A plane on which visitors draw the data of a model of points, as a knob.

A panel has a `PointsKnob` among its knobs and calls `shown_where_drawn` once all stand on the page.
"""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from demos.page.controls import Knob, Knobs
from demos.widgets.card import read
from gen_core.data.planes import MOST_POINTS
from gen_core.data.point_texts import read_points
from gen_core.knobs import Text

DRAWN = "drawn"
"""As a visitor reads the data set of points, which the library calls "points"."""


@dataclass(frozen=True)
class PointsKnob(Knob):
    """Its text holds the points, three characters each (`gen_core.data.point_texts`); checked they
    are a tuple of (x, y), which may be empty."""

    name: str = "points"
    label: str = "Your data"
    kind: str = "points"
    default: str = ""

    @property
    def rule(self) -> Text:
        return Text(self.name, self.default, longest=3 * MOST_POINTS)

    def component(self) -> gr.components.Component:
        return gr.HTML(
            value=self.default,
            label=self.label,
            html_template=read("point_pad/point_pad.html"),
            css_template=read("card/pad.css", "point_pad/point_pad.css"),
            js_on_load=read("card/pad.js", "point_pad/point_pad.js"),
            apply_default_css=False,
        )

    def check(self, value: Any) -> tuple[tuple[float, float], ...]:
        """Raises KnobError."""
        return read_points(self.rule.check(value), self.name)

    def from_text(self, text: str) -> str:
        self.check(text)
        return text


def shown_where_drawn(knobs: Knobs, pad: str = "points", data: str = "data") -> None:
    """Shows the pad while the choice `data` is that of drawn points; both are knobs by name."""
    built = knobs.built
    built[pad].visible = False
    built[data].change(
        None,
        built[data],
        built[pad],
        js=f"(data) => ({{ __type__: 'update', visible: data === '{DRAWN}' }})",
        show_progress="hidden",
        api_visibility="private",
    )
