"""A knob that is a widget of its own: it draws while it moves, and shows the example at first."""

import html
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import gradio as gr
import numpy as np
from torch import Tensor

from demos.page.controls import Knob
from demos.page.examples import Example, example
from demos.page.handlers import App
from demos.page.image_io import Value
from demos.widgets.card import read
from demos.widgets.card.export import export_file
from gen_core.sampling import pixels


@dataclass(frozen=True)
class LivePicture(Value):
    """What such a widget is answered when it has moved.

    picture: uint8 (H, W) or (H, W, 3)
    ms: how long that took here
    made: what made it; a file of it says so
    """

    picture: np.ndarray
    ms: float
    made: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, draw: Callable[[], Tensor], made: Mapping[str, Any]) -> Self:
        """The first picture that `draw` returns, (B, C, H, W) in [-1, 1]."""
        started = time.perf_counter()
        picture = pixels(draw())[0]
        return cls(picture, milliseconds(started), made)


def milliseconds(started: float) -> float:
    """Since that moment of `time.perf_counter`."""
    return round(1000 * (time.perf_counter() - started), 1)


@dataclass(frozen=True)
class LiveKnob(Knob):
    app: App | None = None
    """What it draws with, once it stands on a page."""
    example: str = ""
    """The name of what is shown until a live picture is there; "" for nothing."""
    wide: ClassVar[bool] = True

    def within(self, app: App) -> Self:
        return replace(self, app=app)

    def before(self) -> Example | None:
        """What is shown at first."""
        return example(self.example) if self.example else None

    def from_text(self, text: str) -> str:
        return str(self.check(text))

    def widget(
        self,
        kind: str,
        asked: Sequence[Callable],
        baked: Mapping[str, str],
        *,
        html_baked: Mapping[str, str] | None = None,
        scripts: Sequence[str] = (),
        styles: Sequence[str] = (),
    ) -> gr.HTML:
        """The gr.HTML of `<kind>/<kind>.html` with its script and style; its value is the knob's
        text.

        asked: what it asks the server; baked: texts by their places in the template, where they
        stand from the start: Gradio 6.31 drops a gr.HTML's props when an event leaves the component
        as it is. html_baked: the same as HTML; scripts, styles: further files, before its own.
        """
        template = read(f"{kind}/{kind}.html")
        for place, text in (html_baked or {}).items():
            template = template.replace(place, text)
        for place, text in baked.items():  # a picture last: its letters might spell any place
            template = template.replace(place, html.escape(text))
        return gr.HTML(
            value=self.default,
            label=self.label,
            html_template=template,
            css_template=read("card/card.css", *styles, f"{kind}/{kind}.css"),
            js_on_load=read("card/card.js", "card/live.js", *scripts, f"{kind}/{kind}.js"),
            apply_default_css=False,
            server_functions=[export_file, *map(self.app.serve, asked)],
        )
