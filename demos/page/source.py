"""Controls that choose a picture: knobs, a pad to draw on and an upload, each shown when chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from torch import Tensor

from demos.page.controls import Knob, Knobs, raw
from demos.page.handlers import App
from demos.page.image_io import in_data_url, prepare_colour
from demos.page.upload import Upload, path_of
from demos.widgets.drawing import DrawingPad

Shown = Mapping[gr.components.Component | gr.Column, Callable[[str], bool]]
"""Parts of the page, and with which choices each is shown."""


@dataclass(frozen=True)
class Pictures:
    x: Tensor
    """(B, 1, 28, 28), for portraits and the text-to-image model (1, 3, 64, 64), in [-1, 1], on the
    CPU"""
    origin: str
    """Where they come from, ready to read: "Fashion-MNIST test set, not seen in training"."""
    names: tuple[str, ...]
    """What each one shows, "Sandal"; "" where nobody knows."""


@dataclass(frozen=True)
class Lines:
    """Python to show to a visitor."""

    needs: list[tuple[str, str]]
    """What it imports, (module, name); the name is "" for the module itself."""
    body: list[str]


class Source:
    """Several knobs, of which the first is the choice. Two on one panel need different prefixes."""

    drawing, upload = "A drawing", "An upload"
    """The choices with which visitors bring a picture of their own."""
    pad = "Draw a face"
    colour = True
    column_width = 320

    def __init__(self, app: App, knobs: Sequence[Knob], prefix: str = "") -> None:
        self.app, self.knobs, self.prefix = app, list(knobs), prefix
        self.inputs: dict[str, gr.components.Component] = {}
        """What a run needs besides the knobs, by name: the drawing and the upload."""

    def build(self, knobs: Knobs) -> None:
        """Puts the controls on the page; only those of the choice are shown."""
        knobs.build(*(knob.name for knob in self.knobs))
        choice, *others = (knobs.built[knob.name] for knob in self.knobs)
        shown = dict(self.shown_with(*others))
        with gr.Column(min_width=self.column_width, elem_classes=["drawing-column"]) as column:
            self.above_pad()
            drawing = raw(DrawingPad(label=self.pad, colour=self.colour))
        upload = Upload(label="A picture, up to 4096 pixels a side", height=130)
        self.inputs = {f"{self.prefix}drawing": drawing, f"{self.prefix}upload": upload}
        shown[column] = lambda choice: choice == self.drawing
        shown[upload] = lambda choice: choice == self.upload
        for part, fits in shown.items():
            part.visible = fits(self.knobs[0].default)

        def follow(chosen: Any) -> list[Any]:
            return [gr.update(visible=fits(chosen)) for fits in shown.values()]

        choice.change(
            follow,
            choice,
            list(shown),
            queue=False,
            show_progress="hidden",
            api_visibility="private",
        )

    def shown_with(self, *knobs: gr.components.Component) -> Shown:
        """Which of the other knobs, and of what it puts below them, go with which choices."""
        return {}

    def above_pad(self) -> None:
        """Puts on the page what stands above the pad."""

    def values(self, settings: Mapping[str, Any]) -> list[Any]:
        """Those of its knobs, among the validated ones of the panel."""
        return [settings[knob.name] for knob in self.knobs]

    def brought(self, drawing: Any, upload: Any, settings: Mapping[str, Any]) -> Pictures | None:
        """The visitor's own picture, where that is the choice. Raises KnobError."""
        chosen = self.values(settings)[0]
        if chosen == self.drawing:
            return Pictures(self.from_drawing(drawing), "your drawing", ("",))
        if chosen == self.upload:
            return Pictures(self.from_file(path_of(upload)), "your upload", ("",))
        return None

    def from_drawing(self, drawing: Any) -> Tensor:
        """(1, 3, 64, 64)"""
        return prepare_colour(in_data_url(drawing, "drawing"), "drawing")

    def from_file(self, path: str) -> Tensor:
        """(1, 3, 64, 64)"""
        return prepare_colour(path)

    def brought_code(self, name: str) -> Lines:
        """Lines that open the visitor's own picture, saved as a file."""
        return Lines(
            [("demos.page.image_io", "prepare_colour")],
            [f'{name} = prepare_colour("picture.png")  # your picture, saved under this name'],
        )
