"""Saving the pictures of a run, marked, enlarged, and saying of themselves what they are.

Done on the server: what a browser drew could be anything, and would be marked all the same.
"""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np

from demos.page.handlers import App, File
from demos.widgets.timeline import TimelineValue
from gen_core.knobs import KnobError
from gen_core.provenance import watermark
from gen_core.provenance.metadata import about, png

NAME = "noise-to-data-seed"
"""Names of files start with it; they hold no word of the prompt."""
BUTTON = "Save pictures"
NOTE = (
    f"PNG, {watermark.SIDE} pixels a side. Each says how it was made, and carries an invisible "
    "mark."
)


@dataclass(frozen=True)
class Run:
    """A finished run, small enough to be kept for each visitor."""

    model: str
    knobs: Mapping[str, Any]
    """Validated; "seed" is that of the first picture."""
    pictures: np.ndarray
    """uint8 (B, H, W, 3), as they stand on the page."""


def run_of(model: str, knobs: Mapping[str, Any], value: TimelineValue) -> Run | None:
    """The pictures in a timeline's first lane that moves; None while they are not finished."""
    return Run(model, knobs, value.last_pictures()) if value.finished else None


def save_button(app: App, panel: str) -> None:
    """Puts the button on the page: it saves the visitor's last run of a panel."""
    file_id = f"{panel}-file"
    with gr.Row(elem_classes=["save-row"]):
        save = gr.Button(BUTTON, size="sm", min_width=120)
        gr.Markdown(NOTE)
    file = gr.DownloadButton(visible="hidden", elem_id=file_id)
    saved = app.on(
        save.click,
        lambda: written(app.last_run(panel)),
        None,
        file,
        about="The pictures of this session's last run: a PNG file, or a ZIP file of several.",
        api_name=f"{panel.replace('-', '_')}_save",
        at_home=True,  # where the session's last run is kept
    )
    saved.success(
        None, None, None, js=f"() => noiseToData.press('{file_id}')", api_visibility="private"
    )


def written(run: Run | None) -> File:
    """A PNG file, or a ZIP file of several. Raises KnobError where there is no run."""
    if run is None:
        raise KnobError(
            "there are no pictures to save: run the panel first (they are kept for an hour)"
        )
    made = files(run)
    if len(made) == 1:
        return File(*made.popitem())
    first, packed = run.knobs["seed"], io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:  # PNG is as small as it gets
        for name, data in made.items():
            archive.writestr(name, data)
    return File(f"{NAME}s-{first}-to-{first + len(made) - 1}.zip", packed.getvalue())


def files(run: Run) -> dict[str, bytes]:
    """File name -> PNG of each picture."""
    seeds = range(run.knobs["seed"], run.knobs["seed"] + len(run.pictures))
    return {
        f"{NAME}-{seed}.png": png(
            watermark.marked(watermark.enlarged(picture)),
            about(run.model, {**run.knobs, "seed": seed, "count": 1}),
        )
        for seed, picture in zip(seeds, run.pictures, strict=True)
    }
